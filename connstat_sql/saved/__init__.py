"""Saved queries: files of SQL with a name, a title and typed parameters."""

from connstat_sql.saved.values import Prepared, SavedParam, SavedQuery, Severity

__all__ = ["Prepared", "SavedParam", "SavedQuery", "Severity"]
