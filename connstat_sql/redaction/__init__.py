"""What is a secret: the one rule, as data and patterns, for rows, messages and files.

By the name of a setting (`keys.py`, with the published list of what connectors document), and by
what a text looks like (`values.py`). Rows are masked by it in Arrow (`arrays.py`), settings out of
files in SQL (`sql.py`), texts of ours in Python.
"""

from connstat_sql.redaction.names import DocumentedConnector, Evidence, documented, is_secret_name
from connstat_sql.redaction.values import LEFT, hidden

__all__ = ["LEFT", "DocumentedConnector", "Evidence", "documented", "hidden", "is_secret_name"]
