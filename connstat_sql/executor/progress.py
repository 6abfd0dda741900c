"""How far a statement has come, for whoever wants to show it while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One scan under way.

    `done` of `expected` requests are answered (None: it is not known how many there will be).
    `waits` are the seconds until requests may go on when a rate limit holds them back, else 0.
    """

    table: str
    done: int
    expected: int | None
    rows: int
    waits: float = 0.0
