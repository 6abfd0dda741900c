"""Texts that were made of others by replacing stretches, and how places in them lead back."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

from connstat_sql.errors import QueryError, Span


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The text that another was made of by replacing stretches of it, and how places lead back.

    `kept` are (place here, place there, length) of the stretches that both share, from the first
    to the last; what stands between two of them here replaces what stands between them there.
    `older` is what that text was made of in turn; None when it is the user's own.
    """

    sql: str
    kept: tuple[tuple[int, int, int], ...]
    older: SourceMap | None = None

    def upon(self, older: SourceMap | None) -> SourceMap:
        """The same, where the oldest of these texts was made of another in turn."""
        return replace(self, older=self.older.upon(older) if self.older else older)

    @property
    def written(self) -> str:
        """The user's own text."""
        return self.older.written if self.older else self.sql

    def replaced(self, text: str) -> Iterator[tuple[str, str]]:
        """Of the text made from this one: what was put into it, and what stood there before."""
        for (here, there, length), (then, later, _) in pairwise(self.kept):
            yield text[here + length : then], self.sql[there + length : later]
        if self.older:
            yield from self.older.replaced(self.sql)

    def span(self, span: Span) -> Span:
        """The stretch of the user's own text that a stretch of this one comes from."""
        first, last = self._place(span.start), self._place(max(span.end - 1, span.start))
        stretch = Span(first.start, last.start if span.end <= span.start else last.end)
        return self.older.span(stretch) if self.older else stretch

    def is_kept(self, span: Span) -> bool:
        """Whether a stretch begins in what both texts share, back to the user's own."""
        for here, there, length in self.kept:
            if here <= span.start < here + length:
                start = there + span.start - here
                return self.older is None or self.older.is_kept(Span(start, start + 1))
        return span.start >= sum(self.kept[-1][::2])  # behind the end of both

    def _place(self, place: int) -> Span:
        """One character that was kept, or all that was replaced by what holds it."""
        index = bisect([here for here, _, _ in self.kept], place) - 1
        here, there, length = self.kept[max(index, 0)]
        if place < here + length or index + 1 == len(self.kept):
            start = min(there + place - here, len(self.sql))
            return Span(start, min(start + 1, len(self.sql)))
        return Span(there + length, self.kept[index + 1][1])


def rewritten(sql: str, edits: Mapping[Span, str]) -> tuple[str, SourceMap]:
    """The text with stretches, none within another, replaced; and how its places lead back.

    >>> text, source_map = rewritten("FROM a JOIN b", {Span(5, 6): "x.y.a"})
    >>> text, source_map.span(Span(11, 15))
    ('FROM x.y.a JOIN b', Span(start=7, end=11))
    """
    parts, kept, length, position = [], [], 0, 0
    for span, text in sorted(edits.items(), key=lambda edit: (edit[0].start, edit[0].end)):
        same = sql[position : span.start]
        kept.append((length, position, len(same)))
        parts += [same, text]
        length += len(same) + len(text)
        position = span.end
    kept.append((length, position, len(sql) - position))
    return "".join([*parts, sql[position:]]), SourceMap(sql, tuple(kept))


@contextmanager
def leading_back(sql: str, origin: SourceMap | None) -> Iterator[None]:
    """Faults found in a text that was made of another are told of what the user wrote."""
    try:
        yield
    except QueryError as error:
        if origin is not None and error.sql == sql:
            error.sql = origin.written
            if error.span is not None:
                place, error.span = error.span, origin.span(error.span)
                if not origin.is_kept(place) and not error.hint:
                    name = " ".join(error.sql[error.span.start : error.span.end].split())
                    error.hint = (
                        f"that lies in the definition of {name[:200]}, not in the statement"
                    )
        raise
