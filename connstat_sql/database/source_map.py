"""Texts that are made of others by edits, and how places in them lead back to the user's own."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from connstat_sql.errors import QueryError, Span


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands at `span` of a text becomes `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text, and the older one that it was made of by edits (None: somebody wrote it so).

    `kept` are (place here, place there, length) of the stretches that both share, from the first
    to the last; what stands between two of them here replaces what stands between them there.

    >>> text = SourceText("FROM a JOIN b").edited([Edit(Span(5, 6), "x.y.a")])
    >>> text.sql, text.written, text.origin_of(Span(11, 15))
    ('FROM x.y.a JOIN b', 'FROM a JOIN b', Span(start=7, end=11))
    """

    sql: str
    older: SourceText | None = None
    kept: tuple[tuple[int, int, int], ...] = ()

    @property
    def written(self) -> str:
        """The user's own text."""
        return self.older.written if self.older else self.sql

    def edited(self, edits: Iterable[Edit]) -> SourceText:
        """The text with edits, none within another; itself where there are none."""
        edits = [*edits]
        if not edits:
            return self
        parts, kept, length = list[str](), list[tuple[int, int, int]](), 0
        for span, text in _between(Span(0, len(self.sql)), edits):
            kept.append((length, span.start, span.end - span.start))
            parts += [self.sql[span.start : span.end], text]
            length += len(parts[-2]) + len(text)
        return SourceText("".join(parts), self, tuple(kept))

    def replaced(self) -> Iterator[tuple[str, str]]:
        """What each edit has put into the text, and what stood there before; the last come first.

        >>> [*SourceText("FROM a JOIN b").edited([Edit(Span(5, 6), "x.y.a")]).replaced()]
        [('x.y.a', 'a')]
        """
        if self.older is None:
            return
        for (here, there, length), (then, later, _) in pairwise(self.kept):
            yield self.sql[here + length : then], self.older.sql[there + length : later]
        yield from self.older.replaced()

    def place_of(self, place: int) -> int:
        """The place in the user's own text for one in this; in what an edit put in, as far in."""
        if self.older is None:
            return min(place, len(self.sql))
        here, there, _ = self.kept[self._kept_before(place)]
        return self.older.place_of(there + place - here)

    def origin_of(self, span: Span) -> Span:
        """The span of the user's own text that a span of this one comes from."""
        if self.older is None:
            return span
        first, last = self._origin(span.start), self._origin(max(span.end - 1, span.start))
        end = last.start if span.end <= span.start else last.end
        return self.older.origin_of(Span(first.start, end))

    def is_kept(self, place: int) -> bool:
        """Whether what stands at a place is the user's own."""
        if self.older is None:
            return True
        here, there, length = self.kept[self._kept_before(place)]
        if here <= place < here + length:
            return self.older.is_kept(there + place - here)
        return place >= sum(self.kept[-1][::2])  # behind the end of both

    def _kept_before(self, place: int) -> int:
        """The number of the last stretch kept that begins at or before a place."""
        return max(bisect(self.kept, place, key=itemgetter(0)) - 1, 0)

    def _origin(self, place: int) -> Span:
        """One character of the older text that was kept, or all that an edit replaced."""
        assert self.older is not None
        index, whole = self._kept_before(place), len(self.older.sql)
        here, there, length = self.kept[index]
        if place < here + length or index + 1 == len(self.kept):
            start = min(there + place - here, whole)
            return Span(start, min(start + 1, whole))
        return Span(there + length, self.kept[index + 1][1])


def excerpt(sql: str, span: Span, edits: Iterable[Edit]) -> str:
    """What stands at a span of a text, with those edits that lie within it.

    >>> excerpt("SELECT f(a, b)", Span(9, 13), [Edit(Span(9, 10), "x.y"), Edit(Span(0, 6), "FROM")])
    'x.y, b'
    """
    inside = [edit for edit in edits if span.holds(edit.span)]
    return "".join(sql[s.start : s.end] + text for s, text in _between(span, inside))


def _between(whole: Span, edits: Iterable[Edit]) -> Iterator[tuple[Span, str]]:
    """The spans that edits leave of one, each with the text that comes behind it."""
    position = whole.start
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        yield Span(position, edit.span.start), edit.text
        position = edit.span.end
    yield Span(position, whole.end), ""


@contextmanager
def leading_back(text: SourceText) -> Iterator[None]:
    """Faults found in a text that was made of another are told of what the user wrote."""
    try:
        yield
    except QueryError as error:
        if text.older is not None and error.sql == text.sql:
            error.sql = text.written
            if error.span is not None:
                place, error.span = error.span.start, text.origin_of(error.span)
                if not text.is_kept(place) and not error.hint:
                    name = " ".join(error.sql[error.span.start : error.span.end].split())
                    error.hint = (
                        f"that lies in the definition of {name[:200]}, not in the statement"
                    )
        raise
