"""Hosts that are down: found out once in a statement, then not asked again."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field

from connstat_sql.errors import ConnectionFailed
from connstat_sql.transport import Request


@dataclass
class CircuitBreaker:
    """Remembers which hosts gave no answer at all, until one of them answers.

    A host that lets one request run into its time-out would let all do so; those that wait then
    fail at once, with the same words.
    """

    _down: dict[str, ConnectionFailed] = field(default_factory=dict)
    _answers: Counter[str] = field(default_factory=Counter)

    def check(self, request: Request) -> int:
        """Raise what another request to the host has run into; nothing is sent then.

        Answers a mark of this moment, for `failed`.
        """
        known = self._down.get(request.origin)
        if known is not None:
            error = copy.copy(known)
            error.table, error.request, error.attempts = request.table, request.line, 0
            raise error
        return self._answers[request.origin]

    def failed(self, request: Request, error: ConnectionFailed, since: int) -> None:
        """A request had no answer; the host is down if none has had one since the mark."""
        if error.is_down and self._answers[request.origin] == since:
            self._down[request.origin] = error

    def answered(self, request: Request) -> None:
        """The host is there."""
        self._answers[request.origin] += 1
        self._down.pop(request.origin, None)
