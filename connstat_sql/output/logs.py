"""The records of the `connstat_sql` logger, told on stderr while a command runs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST = 5
"""So many records that begin alike are told, and then the 10th, the 100th, the 1,000th, …"""
REQUESTS = "connstat_sql.transport"
"""The logger that speaks of single requests."""


class _LogLine(logging.Handler):
    """Hands each record on as one line, or with `fold` only some of those that begin alike."""

    def __init__(self, say: Callable[[str], None], *, fold: bool) -> None:
        super().__init__()
        self._say = say
        self._fold = fold
        self._seen: Counter[object] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; a record that cannot be formatted is no reason to stop."""
        try:
            is_many = self._fold and record.name.startswith(REQUESTS)
            times = self._times(record) if is_many else 1
            if times <= FIRST or str(times).strip("0") == "1":
                line = f"{record.levelname.lower()}: {record.getMessage()}"
                self._say(line if times <= FIRST else f"{line} (so far {times:,} like it)")
        except Exception:
            self.handleError(record)

    def _times(self, record: logging.LogRecord) -> int:
        """How many came with the same words so far; what comes first says of what they speak."""
        key = record.msg, record.args[:1] if isinstance(record.args, tuple) else None
        self._seen[key] += 1
        return self._seen[key]


@contextmanager
def told_logs(
    say: Callable[[str], None],
    name: str = "connstat_sql",
    *,
    debug: bool = False,
    fold: bool = False,
) -> Iterator[None]:
    """Say records of INFO and above, or of DEBUG and above; afterwards all is as before.

    With `fold`, a thousand requests that meet the same fault are a few lines.
    """
    log, handler = logging.getLogger(name), _LogLine(say, fold=fold)
    before = log.level
    log.setLevel(logging.DEBUG if debug else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
