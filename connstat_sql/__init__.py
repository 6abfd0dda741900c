"""SQL over every connector you run, live.

`connect()` opens the tables of all providers; everything raised derives from `ConnstatError`.
Names are imported when first used, so that `import connstat_sql` stays light.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from connstat_sql.python_version import refusal

_refusal = refusal(sys.version_info[:3])
if _refusal:
    raise SystemExit(_refusal) if sys.argv[:1] == ["-m"] else ImportError(_refusal)

from connstat_sql.errors import (  # noqa: E402  # which needs the Python that this is about
    BindError,
    ConfigError,
    ConnectionFailed,
    ConnstatError,
    DatabaseError,
    DataError,
    DefinitionError,
    ExecuteError,
    FetchError,
    IntegrityError,
    InterfaceError,
    InternalError,
    Interrupted,
    NotSupportedError,
    NotUsable,
    OperationalError,
    ParseError,
    PlanError,
    ProgrammingError,
    QueryError,
    RateLimited,
    SavedQueryError,
    Status,
    Unauthorized,
    UnexpectedShape,
)

if TYPE_CHECKING:
    from connstat_sql.api import LiveDatabase, connect
    from connstat_sql.dbapi import *  # noqa: F403
    from connstat_sql.result import Options, Result

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 2
paramstyle = "qmark"
Error = ConnstatError

_OF_PEP_249 = (
    "STRING", "BINARY", "NUMBER", "DATETIME", "ROWID", "Date", "Time", "Timestamp", "Binary",
    "DateFromTicks", "TimeFromTicks", "TimestampFromTicks", "Connection", "Cursor", "Warning",
)  # fmt: skip
_LATE = {
    **dict.fromkeys(_OF_PEP_249, "connstat_sql.dbapi"),
    "LiveDatabase": "connstat_sql.api",
    "connect": "connstat_sql.api",
    "Options": "connstat_sql.result",
    "Result": "connstat_sql.result",
}

__all__ = [
    "BindError",
    "ConfigError",
    "ConnectionFailed",
    "ConnstatError",
    "DataError",
    "DatabaseError",
    "DefinitionError",
    "Error",
    "ExecuteError",
    "FetchError",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interrupted",
    "LiveDatabase",
    "NotSupportedError",
    "NotUsable",
    "OperationalError",
    "Options",
    "ParseError",
    "PlanError",
    "ProgrammingError",
    "QueryError",
    "RateLimited",
    "Result",
    "SavedQueryError",
    "Status",
    "Unauthorized",
    "UnexpectedShape",
    "__version__",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'connstat_sql' has no attribute {name!r}")
