"""When a request is sent once more, and after how long. Waiting is left to who sends."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from connstat_sql.definitions.limits import NEVER_RETRIED, ONLY_SAID
from connstat_sql.definitions.model import RetryRule

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
LONG_WAIT = 3.0
"""Seconds of waiting for a good answer from which on people want to know of it."""
NO_ANSWER = RetryRule(frozenset())
"""The rule for requests to which no whole answer came."""
NO_HOST = RetryRule(frozenset())
"""The rule for requests to a host that gave no answer at all."""


def rule_for(status: int, body: bytes, rules: tuple[RetryRule, ...]) -> RetryRule | None:
    """The first rule by which an answer is worth another try; None when it is final.

    >>> busy = RetryRule(frozenset({409}), message="rebalance")
    >>> rule_for(409, b'{"message": "a rebalance is in progress"}', (busy,)) is busy
    True
    >>> rule_for(409, b'{"message": "it exists already"}', (busy,))
    """
    if status in NEVER_RETRIED:
        return None
    text = body[:4096].decode("utf-8", "replace")
    fitting = (rule for rule in rules if status in rule.statuses and rule.message in text)
    return next((rule for rule in fitting if rule.message or status not in ONLY_SAID), None)


@dataclass(slots=True)
class _Kind:
    """Failures of one kind: since when, by the clock, and how many."""

    began: float
    failures: int = 0


@dataclass(slots=True)
class RetryState:
    """The tries of one request; each kind of failure has a count and a time of its own.

    `random` answers numbers from 0 to 1; `until` is when no try may begin any more (None: there
    is no such time); `longest_wait` is in seconds, and so is `patience`: a host that
    gives no answer is tried no longer than that. Of the last try, `rule` says by what it is
    worth another one (None: it is final), `asked` how many seconds the API asks to wait (None:
    it does not). `exchanged` are the seconds that its exchanges took. Once it
    `has_lost_connection`, others that are kept open may be just as dead.
    """

    random: Callable[[], float]
    until: float | None
    longest_wait: float
    patience: float = math.inf
    attempts: int = 0
    has_renewed: bool = False
    rule: RetryRule | None = None
    asked: float | None = None
    exchanged: float = 0.0
    has_lost_connection: bool = False
    _kinds: dict[int, _Kind] = field(default_factory=dict)
    _is_told: bool = False

    def begin(self) -> None:
        """Count one more try; nothing is known of it yet."""
        self.attempts += 1
        self.rule, self.asked = None, None

    def pause(self, now: float) -> float | None:
        """Seconds before the next try, after one that failed; None when there is to be none."""
        rule = self.rule
        if rule is None:
            return None
        kind = self._kinds.setdefault(id(rule), _Kind(now))
        kind.failures += 1
        left = self._left(rule, kind, now)
        if left <= 0 or (self.asked or 0.0) > min(left, self.longest_wait):
            return None
        seconds = min(self._backoff(kind), left) if self.asked is None else self.asked
        if self.until is not None and now + seconds >= self.until:
            return None
        return seconds

    def is_worth_telling(self, now: float, pause: float) -> bool:
        """Whether it waits for long with this pause; once for a request."""
        began = min(kind.began for kind in self._kinds.values())
        if self._is_told or now + pause - began < LONG_WAIT:
            return False
        self._is_told = True
        return True

    def _left(self, rule: RetryRule, kind: _Kind, now: float) -> float:
        """Seconds within which another try may begin."""
        within = rule.within
        if within is None:
            if kind.failures >= rule.tries:
                return 0.0
            within = self.patience if rule is NO_HOST else math.inf
        return kind.began + within - now

    def _backoff(self, kind: _Kind) -> float:
        """Exponential, with full jitter: those that failed together do not come back together."""
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(kind.failures - 1, 10))
        return self.random() * longest
