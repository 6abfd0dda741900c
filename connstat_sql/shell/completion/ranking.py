"""Candidates → those that fit what has been typed, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

MOST = 200
"""Candidates that a menu is given."""
ENOUGH = 40
"""With so many closer ones, letters that are merely strewn over a name are not looked for."""

FAR = 30
"""A weight of so much counts as one step less close."""
_LONGEST = 60
_MOST_LETTERS = 8
"""Characters of a name in which starts of words are looked for, and how many of them."""

_Score = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to insert in place of the word: `text`, shown as `shown`, with `meta` beside it.

    `names` are what a typed word is held against, the likeliest first; `weight` says what comes
    before what among equally close ones, the lower first. A `sticky` one stands whatever is typed.
    """

    text: str
    shown: str
    meta: str = ""
    names: tuple[str, ...] = ()
    weight: int = 0
    sticky: bool = False


def ranked(candidates: Iterable[Candidate], word: str, most: int = MOST) -> list[Candidate]:
    """The candidates that a word may mean: its prefix first, then starts of words, then others.

    >>> names = ("last_state", "state", "status", "kind")
    >>> [each.text for each in ranked((Candidate(name, name) for name in names), "sta")]
    ['state', 'status', 'last_state']
    """
    if not word:
        return nsmallest(most, candidates, key=lambda candidate: candidate.weight)
    lower = word.lower()
    match = _Match(lower)
    scored: list[tuple[_Score, Candidate]] = []
    others: list[Candidate] = []
    for candidate in candidates:
        score = match.close(candidate)
        if score is not None:
            scored.append((score, candidate))
        else:
            others.append(candidate)
    if len(scored) < ENOUGH and len(lower) > 1:
        strewn = ((match.strewn(candidate), candidate) for candidate in others)
        scored += [(score, candidate) for score, candidate in strewn if score is not None]
    return [candidate for _, candidate in nsmallest(most, scored, key=lambda pair: pair[0])]


def strewn(word: str) -> str:
    """A pattern for lines that have the letters of a word in order, the first at a word's start.

    It can match in one way only, so that no text makes it slow.
    """
    first, *others = map(re.escape, word)
    return f"(?<![^\\W_]){first}" + "".join(f"[^{letter}\\n]*{letter}" for letter in others)


class _Match:
    """How close names are to a word in lower case."""

    def __init__(self, word: str) -> None:
        self.word = word
        first, *others = map(re.escape, word[:_MOST_LETTERS])
        starts = "".join(f"(?:{letter}|.*?(?<=[\\W_]){letter})" for letter in others)
        self._strewn = re.compile(strewn(word))
        self._starts = re.compile(f"(?<![^\\W_]){first}{starts}")

    def close(self, candidate: Candidate) -> _Score | None:
        """The score of a candidate that holds the word; None where none of its names does."""
        if candidate.sticky:
            return (-1, candidate.weight, 0, "")
        word = self.word
        for place, name in enumerate(candidate.names or (candidate.shown,)):
            lower = name.lower()
            at = lower.find(word)
            if at < 0:
                continue
            if at == 0:
                kind = 0 if len(lower) == len(word) else 1
            else:
                kind = 2 if self._starts_word(lower, at) else 4
            return (
                kind + (1 if place else 0) + candidate.weight // FAR,
                candidate.weight,
                len(lower),
                lower,
            )
        return None

    def strewn(self, candidate: Candidate) -> _Score | None:
        """The score of a candidate that has its letters in order, the first at a word's start.

        It is better when each letter follows the one before or starts a word: `cst` for
        `connector_status`.
        """
        for place, name in enumerate(candidate.names or (candidate.shown,)):
            lower = name.lower()
            letters = self._strewn.search(lower)
            if letters is not None:
                length = letters.end() - letters.start()
                is_starts = len(lower) <= _LONGEST and self._starts.search(lower) is not None
                kind = (8 if is_starts else 10) + (1 if place else 0)
                return (kind, candidate.weight, length, lower)
        return None

    def _starts_word(self, name: str, at: int) -> bool:
        while at > 0:
            if not name[at - 1].isalnum():
                return True
            at = name.find(self.word, at + 1)
        return False
