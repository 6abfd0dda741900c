"""Questions of the planner that DuckDB cannot read: wherever one is heard, a test fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Listening(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@contextmanager
def listening() -> Iterator[list[str]]:
    """What is told of such questions while it is open."""
    heard: list[str] = []
    handler = _Listening(heard)
    log = logging.getLogger("connstat_sql.defects")
    log.addHandler(handler)
    try:
        yield heard
    finally:
        log.removeHandler(handler)
