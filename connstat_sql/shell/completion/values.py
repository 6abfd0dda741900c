"""Values that rows had: by table and column, with their age, for completion inside a string."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from connstat_sql.definitions.model import TableName
from connstat_sql.errors import counted
from connstat_sql.executor.observed_values import MOST, SeenValues
from connstat_sql.shell.completion.metadata import KnownField
from connstat_sql.shell.completion.ranking import ENOUGH, Candidate, strewn
from connstat_sql.shell.completion.ranking import MOST as MOST_SHOWN

_Key = tuple[TableName, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """How values came: `at` in seconds of the clock; with so many requests of completion's own."""

    at: float
    requests: int = 0

    def words(self, now: float, *, is_now: bool = False) -> str:
        """Their age, for people; `is_now` says that they were fetched for this very key press."""
        age = max(0.0, now - self.at)
        if self.requests and is_now:
            return f"fetched now: {counted(self.requests, 'request')}"
        shown = f"{age:.0f} s" if age < 120 else f"{age / 60:.0f} min"
        return f"{'fetched' if self.requests else 'seen'} {shown} ago"


class _Texts:
    """Values as lines of one text, so that a word is looked for in all of them at once."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates

    @cached_property
    def _lines(self) -> tuple[str, list[int]]:
        """The lines in lower case, each behind a line break, and where each break is."""
        lines = [candidate.text.lower().replace("\n", " ") for candidate in self._candidates]
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        return "".join(f"\n{line}" for line in lines), starts[:-1]

    def matching(self, word: str) -> list[Candidate]:
        """Values that begin with a word, then those that hold it, then those with its letters."""
        if not word:
            return list(self._candidates[:MOST_SHOWN])
        text, starts = self._lines
        places: dict[int, None] = {}
        for pattern in (f"\n{re.escape(word)}", re.escape(word), strewn(word)):
            for match in re.finditer(f"{pattern}[^\n]*", text):
                places[bisect_right(starts, match.start()) - 1] = None
                if len(places) >= MOST_SHOWN:
                    break
            if len(places) >= ENOUGH:
                break
        return [self._candidates[at] for at in places]


class ObservedValues:
    """Remembers at most so many values of each column; taken and read on different threads."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a clock in seconds."""
        self._now = now
        self._lock = threading.Lock()
        self._held: dict[_Key, dict[str, Candidate]] = {}
        self._origins: dict[_Key, ValueOrigin] = {}
        self._texts: dict[_Key, _Texts] = {}
        self.behind: Mapping[_Key, tuple[_Key, ...]] = {}
        """For columns of views, the columns whose values they hand on."""

    def take(self, seen: SeenValues, requests: int = 0) -> None:
        """Remember values of a column; the oldest make room for new ones."""
        key = (seen.table, seen.path)
        with self._lock:
            held = dict(self._held.get(key, {}))
            for value in seen.values:
                held.pop(value, None)
                held[value] = Candidate(value, value, names=(value,))
            for value in list(held)[: max(0, len(held) - MOST)]:
                del held[value]
            self._held[key] = held
            self._origins[key] = ValueOrigin(self._now(), requests)
            self._texts[key] = _Texts(tuple(held.values()))

    def candidates(self, field: KnownField, word: str = "") -> Iterator[Candidate]:
        """Values of a column, of the one its values live in, and of its namesakes.

        Those that a word may mean, and no more of them than anyone would look at.
        """
        yield from self._of(self._places(field), word)

    def keys(self, field: KnownField, word: str = "") -> Iterator[Candidate]:
        """Keys that a MAP had."""
        yield from self._of(self._places(replace(field, path=(*field.path, "*"), param=None)), word)

    def _places(self, field: KnownField) -> list[_Key]:
        """Where values of a column may be held: last, columns like it in tables beside its own."""
        if field.table is None:
            return []
        key = (field.table, field.path)
        own: list[_Key] = [key, *self.behind.get(key, ()), *_parents(field)]
        beside = (field.table.provider, field.table.service)
        return own + [
            (table, path)
            for table, path in list(self._held)
            if path == field.path
            and table != field.table
            and (table.provider, table.service) == beside
        ]

    def _of(self, keys: Iterable[_Key], word: str) -> Iterator[Candidate]:
        seen: set[str] = set()
        for key in keys:
            texts = self._texts.get(key)
            for candidate in texts.matching(word.lower()) if texts is not None else ():
                if candidate.text not in seen:
                    seen.add(candidate.text)
                    yield candidate

    def with_age(
        self, candidates: list[Candidate], field: KnownField, *, is_now: bool = False
    ) -> list[Candidate]:
        """The same candidates, each with how old its value is."""
        words: dict[str, str] = {}
        for table, path in (
            *self._places(field),
            *self._places(replace(field, path=(*field.path, "*"), param=None)),
        ):
            if (table, path) in self._held:
                origin = self._origins[(table, path)].words(self._now(), is_now=is_now)
                for each in candidates:
                    if each.text in self._held[(table, path)]:
                        words.setdefault(each.text, origin)
        return [
            replace(each, meta=words[each.text]) if not each.meta and each.text in words else each
            for each in candidates
        ]


def _parents(field: KnownField) -> Iterator[tuple[TableName, tuple[str, ...]]]:
    if field.param is not None and field.param.parent is not None:
        yield field.param.parent.table, (field.param.parent.column,)
