"""How much an API bears, and which of its answers are worth another try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

NEVER_RETRIED = frozenset({401, 404})
"""Answers that another try would not change, whatever a definition says."""
ONLY_SAID = frozenset({400, 403})
"""Answers that are worth another try only where they say so in words, as some limits do."""
TRIES = 4
"""How often a request is sent at most where nothing else is declared."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Answers worth another try: one of `statuses`, and `message` in the body when not empty.

    A request is sent `tries` times at most; or, when `within` is not None, again and again until
    so many seconds after the first of these answers.
    """

    statuses: frozenset[int]
    message: str = ""
    tries: int = TRIES
    within: float | None = None


DEFAULT_RETRIES = (RetryRule(frozenset({408, 425, 429, 500, 502, 503, 504})),)


class Reset(str, Enum):
    """How an API writes X-RateLimit-Reset."""

    SECONDS = "seconds"  # from now
    EPOCH = "epoch"  # since 1970


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """How many requests at once, and how many may start in a second; None: not limited here."""

    concurrency: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an API bears, for each connection; `rate` is in requests a second.

    `host` is for each host, over all connections (an empty one: as for the connection).
    `families` are for the methods that name them. `reset` says how X-RateLimit-Reset is read
    (None: it is not). When the API asks to wait for longer than `longest_wait` seconds, that is
    an error.
    """

    concurrency: int = 16
    rate: float | None = None
    host: RequestLimit = RequestLimit()
    families: Mapping[str, RequestLimit] = field(default_factory=dict)
    reset: Reset | None = None
    longest_wait: float = 60.0


DEFAULT_LIMITS = Limits()
