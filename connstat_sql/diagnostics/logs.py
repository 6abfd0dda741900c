"""The records of the `connstat_sql` logger, told on stderr while a command runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Told(logging.Handler):
    """Hands each record on as one line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; a record that cannot be formatted is no reason to stop."""
        try:
            self._say(f"{record.levelname.lower()}: {record.getMessage()}")
        except Exception:
            self.handleError(record)


@contextmanager
def told_logs(
    say: Callable[[str], None], name: str = "connstat_sql", *, debug: bool = False
) -> Iterator[None]:
    """Say records of INFO and above, or of DEBUG and above; afterwards all is as before."""
    log, handler = logging.getLogger(name), _Told(say)
    before = log.level
    log.setLevel(logging.DEBUG if debug else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
