"""Values for completion inside a string: those that rows had, with their age, and on demand."""

from __future__ import annotations

import logging
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from connstat_sql.definitions.model import VARCHAR, TableName, literal, quote
from connstat_sql.errors import ConnstatError, Interrupted, counted
from connstat_sql.executor.observed_values import MOST, SeenValues
from connstat_sql.shell.completion.context import CompletionPlace
from connstat_sql.shell.completion.metadata import KnownField, Metadata, Table
from connstat_sql.shell.completion.parser import FromSource
from connstat_sql.shell.completion.ranking import ENOUGH, Candidate, strewn
from connstat_sql.shell.completion.ranking import MOST as MOST_SHOWN

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.planner import Plan

log = logging.getLogger(__name__)
FEW = 3
"""Requests that a list of values may cost: one for each of some connections, as a rule one."""
AGAIN = 60.0
"""Seconds after which the same values are fetched again, when they are asked for again."""
PATIENCE = 0.2
"""Seconds to wait for a look at DuckDB's own tables to end; a statement takes longer."""
_PAGE = 100
"""Rows of one page, where the definition does not say."""

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


# --- values on demand -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValueQuery:
    """SQL whose first column holds the values of a column of a table.

    `needs` are parameters that the statement gives no value, and that it takes more requests for.
    """

    sql: str
    table: TableName
    path: tuple[str, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What came of asking: `said` is what went wrong, or ""; `is_now` says that it was sent now."""

    said: str = ""
    is_now: bool = False


def question(known: Metadata, place: CompletionPlace) -> ValueQuery | None:
    """What lists the values that a place wants, or None: nothing does."""
    field = known.resolve(place.compared, place.scope)
    if field is None or field.table is None or field.is_masked or field.type != VARCHAR:
        return None
    source = known.source_of(place.compared, place.scope)
    table, path = field.table, field.path
    if field.param is not None and field.param.parent is not None:
        table, path = field.param.parent.table, (field.param.parent.column,)
    held = known.live_table(table)
    column = held.field(path[0]) if held is not None else None
    if held is None or column is None or column.is_masked:
        return None
    head, conditions = table.provider, dict(_conditions(known, place, source, field, table))
    if source is not None and len(source.parts) == 3:
        head = known.catalog.connection_of(source.parts[0]) or head
    name = ".".join(map(quote, (head, table.service, table.resource)))
    where = " AND ".join(f"{quote(key)} = {literal(value)}" for key, value in conditions.items())
    value = ".".join(map(quote, path))
    sql = f"SELECT {value} AS value FROM {name}{' WHERE ' if where else ''}{where}"
    return ValueQuery(sql, table, path, tuple(_needs(held, field, conditions)))


def _needs(held: Table, field: KnownField, conditions: Mapping[str, str]) -> Iterator[str]:
    parent = field.param.parent if field.param is not None else None
    ours = dict(parent.shared) if parent is not None else {}
    for name in held.required:
        if name not in conditions:
            yield ours.get(name, name)


def _conditions(
    known: Metadata,
    place: CompletionPlace,
    source: FromSource | None,
    field: KnownField,
    table: TableName,
) -> Iterator[tuple[str, str]]:
    """Columns of the table that is asked, with the values that the statement gives them."""
    held = known.live_table(table)
    names = {other.name: other.name for other in (held.fields if held else ()) if other.param}
    if field.param is not None and field.param.parent is not None:
        names |= dict(field.param.parent.shared)
    names["_connection"] = "_connection"
    for theirs, ours in names.items():
        if ours.lower() == field.name.lower():
            continue
        for key in (ours, f"{source.name}.{ours}" if source is not None else ours):
            value = place.equalities.get(key.lower())
            if value is not None:
                yield theirs, value
                break


class Lookup:
    """Asks questions in the engine, if nobody else uses it; never while somebody merely types."""

    def __init__(
        self,
        ready: Callable[[], Engine | None],
        lock: threading.RLock,
        values: ObservedValues,
        now: Callable[[], float],
    ) -> None:
        self._ready = ready
        self._lock = lock
        self._values = values
        self._now = now
        self._outcomes: dict[str, tuple[float | None, str]] = {}
        self._answers: dict[str, frozenset[str]] = {}

    def answer(self, question: ValueQuery) -> frozenset[str]:
        """What the question answered when it was asked last; nothing if it never was."""
        return self._answers.get(question.sql, frozenset())

    def ask(self, question: ValueQuery) -> LookupResult:
        """Fetch the values, unless that was done a moment ago."""
        at, said = self._outcomes.get(question.sql, (None, ""))
        if at is not None and self._now() - at < AGAIN:
            return LookupResult(said)
        engine = self._ready()
        if engine is None or not self._lock.acquire(timeout=PATIENCE):
            return LookupResult()
        try:
            said = self._fetch(engine, question)
        except Interrupted:
            return LookupResult()  # for a statement, which goes first
        except ConnstatError as error:
            said = f"could not be fetched: {error.message}"
            log.info("values of %s %s", question.table, said)
        finally:
            self._lock.release()
        self._outcomes[question.sql] = (self._now(), said)
        return LookupResult(said, is_now=True)

    def _fetch(self, engine: Engine, question: ValueQuery) -> str:
        from connstat_sql.result import Options

        options = Options(max_requests=FEW)
        plan = engine.explain(question.sql, None, options)
        sql = question.sql
        if plan is not None:
            requests = _requests(plan)
            if requests is None or requests > FEW:
                count = "many requests" if requests is None else counted(requests, "request")
                first = f"; give {' and '.join(question.needs)} first" if question.needs else ""
                return f"not fetched: that takes {count}{first}"
            sql += _limit(plan)
        (result,) = engine.run(sql, None, options)
        texts = dict.fromkeys(str(value) for (value,) in result if value is not None)
        seen = SeenValues(question.table, question.path, tuple(texts))
        self._values.take(seen, requests=result.requests)
        self._answers[question.sql] = frozenset(texts)
        return "" if texts else "nothing there: the answer has no rows"


def _requests(plan: Plan) -> int | None:
    """How many requests a plan takes, further pages aside; None where that is not known."""
    counts = [plan.expected(scan) for scan in plan.scans]
    return None if None in counts else sum(count for count in counts if count is not None)


def _limit(plan: Plan) -> str:
    """One page is enough to choose from."""
    pagings = [scan.method.paging for scan in plan.scans]
    if len(pagings) != 1 or pagings[0] is None:
        return ""
    return f" LIMIT {pagings[0].size or _PAGE}"
