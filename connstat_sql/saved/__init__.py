"""Saved queries: files of SQL with a name, a title and typed parameters.

What looks into the SQL is imported when it is first used: to know the names takes none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connstat_sql.saved.folders import SavedFile, SavedQueries, read_entry, standard_queries
from connstat_sql.saved.model import (
    Existence,
    Prepared,
    SavedParam,
    SavedQuery,
    Severity,
    elements,
)
from connstat_sql.saved.paths import standard_folders

if TYPE_CHECKING:
    from connstat_sql.saved.names import results_of
    from connstat_sql.saved.param_choices import choices
    from connstat_sql.saved.parameters import examples, prepare

_LATE = {
    "choices": "connstat_sql.saved.param_choices",
    "examples": "connstat_sql.saved.parameters",
    "prepare": "connstat_sql.saved.parameters",
    "results_of": "connstat_sql.saved.names",
}

__all__ = [
    "Existence",
    "Prepared",
    "SavedFile",
    "SavedParam",
    "SavedQueries",
    "SavedQuery",
    "Severity",
    "choices",
    "elements",
    "examples",
    "prepare",
    "read_entry",
    "results_of",
    "standard_folders",
    "standard_queries",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
