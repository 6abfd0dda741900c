"""The law: the judge's rows or an error before any request; no request twice or unjustified."""

from __future__ import annotations

import random
import re
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
import httpx
import pyarrow as pa

from connstat_sql.engine import Engine
from connstat_sql.engine.live import LiveTables
from connstat_sql.errors import ConnstatError, PlanError
from connstat_sql.result import Options
from tests.defects import listening
from tests.oracle.expressions import transformed
from tests.oracle.grammar import Query, Reach, random_query
from tests.oracle.judge import fill, fill_locals, open_judge
from tests.oracle.pieces import NOW
from tests.oracle.world import World, open_zoo, random_world
from tests.oracle.zoo import CONNECTIONS, LOCALS, STATE, TABLES, WHOLE

_BROKEN = (duckdb.FatalException, duckdb.InternalException)
_RUNTIME = (
    duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException,
)  # fmt: skip
SHARED = 16
"""How many queries in a row are tried over one world."""


class Verdict(str, Enum):
    """What became of a query."""

    AGREED = "agreed"
    REFUSED = "refused"  # an error before any request, where the judge had an answer
    FAULTY = "faulty"  # the judge had no answer either
    WRONG = "wrong"


_KNOWN_LATE = ("budget", " came from ")
"""How many requests are needed, and which values a source has that cannot be sent in a path."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One query and its verdict; `why` is the error, or what is wrong.

    `rows` is how many the answer has.
    """

    query: Query
    verdict: Verdict
    why: str
    requests: int
    rows: int = 0


class Court:
    """An engine and a judge that try queries, each over a world of its own."""

    def __init__(
        self,
        folder: Path,
        kind: type[LiveTables] = LiveTables,
        reach: Reach = NOW,
        beside: Court | None = None,
    ) -> None:
        """With `beside`, another engine before the judge of that court, in its present world."""
        self.world = World({})
        self.reach = reach
        self._folder, self._kind = folder, kind
        self.engine = self._opened()
        self._judges: dict[bool, duckdb.DuckDBPyConnection] = {}
        self._number: int | None = None
        self._has_judges = beside is None
        if beside is not None:
            self.world, self._judges = beside.world, beside._judges
            fill_locals(self.engine.session.duckdb, self.world.local)

    def _opened(self) -> Engine:
        engine = open_zoo(self._folder, self._answer, service=WHOLE, kind=self._kind)
        engine.session.duckdb.execute("SET threads = 1")
        return engine

    def _revive(self) -> None:
        """DuckDB does not go on after a fault of its own: open the judge and the engine anew."""
        self.close()
        if not self._has_judges:
            self._judges, self._has_judges = {}, True
        self._judges.clear()
        self.engine = self._opened()
        self.enter(self.world)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return self.world.answer(request)

    def close(self) -> None:
        """Close both; a judge of another court stays with it."""
        self.engine.close()
        for judge in self._judges.values() if self._has_judges else ():
            judge.close()

    @property
    def judge(self) -> duckdb.DuckDBPyConnection:
        """The judge for the present world."""
        hidden = self.world.names_hidden
        if hidden not in self._judges:
            self._judges[hidden] = open_judge(names_hidden=hidden)
        return self._judges[hidden]

    def enter(self, world: World) -> None:
        """Try what follows over this world."""
        self.world, self._number = world, None
        fill(self.judge, world)
        fill_locals(self.engine.session.duckdb, world.local)

    def query(self, seed: int) -> Query:
        """The query of a seed, in its world; seeds that follow each other share one."""
        number = seed // SHARED
        if number != self._number:
            chance = random.Random(f"world {number}")
            self.enter(random_world(chance, awkward=self.reach.awkward))
            self._number = number
        return random_query(random.Random(seed), self.world, self.reach)

    def try_seed(self, seed: int) -> Trial:
        """The random query of a seed."""
        return self.try_query(self.query(seed))

    def try_query(self, query: Query) -> Trial:
        """Run a query both ways over the present world, and compare."""
        with listening() as heard:
            trial = self._forbidden(query) if query.is_forbidden else self._tried(query)
        for statement in query.undo:
            with suppress(duckdb.Error):  # there may be nothing left to undo
                self.judge.execute(statement)
            with suppress(ConnstatError):
                list(self.engine.run(statement))
        if heard and self._kind is LiveTables:
            return replace(trial, verdict=Verdict.WRONG, why=heard[0])
        return trial

    def _tried(self, query: Query) -> Trial:
        self.world.asked.clear()
        expected = self._judged(query)
        if isinstance(expected, _BROKEN):
            self._revive()
            return Trial(query, Verdict.FAULTY, str(expected), 0)
        try:
            for statement in query.setup:
                list(self.engine.run(statement))
            (result,) = self.engine.run(query.sql, query.arguments, Options())
        except ConnstatError as error:
            return self._refused(query, expected, error)
        except duckdb.TransactionException as error:
            why = f"the transaction was ended: {error}"
            return Trial(query, Verdict.WRONG, why, len(self.world.asked))
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
            why = f"crash at {place}: {type(error).__name__}: {error}"
            return Trial(query, Verdict.WRONG, why, len(self.world.asked))
        wrong = self._faults(query, expected, result.table)
        verdict = Verdict.WRONG if wrong else Verdict.AGREED
        if not wrong and isinstance(expected, duckdb.Error):
            verdict = Verdict.FAULTY
        return Trial(query, verdict, wrong, len(self.world.asked), result.table.num_rows)

    def _forbidden(self, query: Query) -> Trial:
        """A statement that is to be refused, with nothing sent, and no table changed."""
        self.world.asked.clear()
        before = self._local_rows()
        try:
            for statement in query.setup:
                list(self.engine.run(statement))
            list(self.engine.run(query.sql, query.arguments, Options()))
        except ConnstatError as error:
            why, verdict = f"{type(error).__name__}: {error.message}", Verdict.AGREED
        else:
            why, verdict = "a write was let through", Verdict.WRONG
        if self.world.asked:
            why, verdict = f"sent: {why}", Verdict.WRONG
        if self._local_rows() != before:
            why, verdict = f"written: {why}", Verdict.WRONG
        return Trial(query, verdict, why, len(self.world.asked))

    def _local_rows(self) -> list[object]:
        session = self.engine.session.duckdb
        return [session.execute(f"FROM memory.main.{name}").fetchall() for name in LOCALS]

    # --- the judge -------------------------------------------------------------------------------

    def _judged(self, query: Query) -> pa.Table | duckdb.Error:
        judged = query.loose or query
        try:
            for statement in query.setup:
                self.judge.execute(statement)
            return self.judge.sql(judged.sql, params=judged.arguments).to_arrow_table()
        except duckdb.Error as error:
            return error

    def _refused(
        self, query: Query, expected: pa.Table | duckdb.Error, error: ConnstatError
    ) -> Trial:
        sent = len(self.world.asked)
        if isinstance(error.__cause__, _RUNTIME):
            sent = 0  # a cast that fails or not by the order in which DuckDB evaluates
        if isinstance(error, PlanError) and any(said in error.message for said in _KNOWN_LATE):
            sent = 0
        why = f"{type(error).__name__}: {error.message}"
        if isinstance(error.__cause__, duckdb.TransactionException) and "BEGIN" in query.setup:
            return Trial(query, Verdict.WRONG, f"the transaction was ended: {why}", sent)
        if isinstance(expected, duckdb.Error):
            is_late = sent > 0 and not isinstance(expected, _RUNTIME)
            verdict = Verdict.WRONG if is_late else Verdict.FAULTY
            return Trial(query, verdict, f"{why} / {expected}" if is_late else why, sent)
        return Trial(query, Verdict.WRONG if sent else Verdict.REFUSED, why, sent)

    # --- faults of an answer ---------------------------------------------------------------------

    def _faults(self, query: Query, expected: pa.Table | duckdb.Error, table: pa.Table) -> str:
        if isinstance(expected, duckdb.Error):
            return "" if isinstance(expected, _RUNTIME) else f"the judge says: {expected}"
        if expected.column_names != table.column_names:
            return f"columns {table.column_names}, not {expected.column_names}"
        differences = _differences(query, expected, table)
        if differences and query.loose and self._cuts_as(query, table):
            differences = ""
        return differences or self._needless(query)

    def _cuts_as(self, query: Query, table: pa.Table) -> bool:
        """Whether DuckDB has as many rows of its own where it forgets a LIMIT.

        It does over `FROM a, (… no row …) FULL JOIN b … LIMIT 4` (2.0.0 and 2.0.1).
        """
        assert query.loose is not None
        own = self.judge.sql(query.sql, params=query.arguments).to_arrow_table()
        everything = replace(query, loose=replace(query.loose, limit=own.num_rows, offset=0))
        return own.num_rows == table.num_rows and not _differences(everything, own, table)

    def _needless(self, query: Query) -> str:
        """Requests that were sent twice, or that nothing justifies."""
        twice = [url for url, count in Counter(self.world.asked).items() if count > 1]
        if twice:
            return f"asked twice: {twice}"
        if query.most is not None and len(self.world.asked) > query.most:
            return f"more than {query.most} requests: {self.world.asked}"
        known = query.said | self._mentioned(query) if query.tables else query.said
        unjustified = [url for url in self.world.asked if not self._is_justified(url, known)]
        return f"not justified: {unjustified}" if unjustified else ""

    def _mentioned(self, query: Query) -> set[str]:
        """Values of rows that the query speaks of, and what expressions may make of them."""
        found = {*query.said, *(CONNECTIONS if self.world.names_hidden else ())}
        for table in query.tables:
            for column in {**TABLES, **LOCALS}[table]:
                found |= self.world.values(table, column)
        return transformed(found)

    def _is_justified(self, url: str, known: frozenset[str] | set[str]) -> bool:
        """Whether each argument occurs in the query, or among the parents' values."""
        for name, value in _arguments(url):
            parents = _PARENTS.get(name)
            if value in known or (parents and value in self.world.values(*parents)):
                continue
            if name in ("code", "day") and _is_between(value, known):
                continue
            if name in ("above", "up_to") and _is_beside(value.removeprefix("max:"), known):
                continue
            if name in ("since", "before") and _is_day_after(value, known):
                continue
            if name == "state" and (value == STATE or self.world.says_state):
                continue
            return False
        return True


_PARENTS = {
    "grp": ("groups", "g"), "part": ("subs", "sub"), "name": ("items", "name"),
    "ware": ("wares", "ware"),
}  # fmt: skip


def _is_between(value: str, known: frozenset[str] | set[str]) -> bool:
    """Whether it is between two values of its kind, such as bounds that are said."""
    alike = sorted(one for one in known if len(one) == len(value) and one[-1:].isdigit())
    return bool(alike) and alike[0] <= value <= alike[-1]


def _is_beside(bound: str, known: frozenset[str] | set[str]) -> bool:
    """Whether a bound is a number that is said, or the whole number next to it."""
    said = (float(value) for value in known if _NUMBER.fullmatch(value))
    return any(abs(number - int(bound)) <= 1 for number in said)


def _is_day_after(bound: str, known: frozenset[str] | set[str]) -> bool:
    """Whether a bound is the day after one that is said: `before` does not include its own day."""
    return str(date.fromisoformat(bound) - timedelta(days=1)) in {value[:10] for value in known}


_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_PAGING = frozenset({"after", "skip", "most", "sort"})
_NAMES = {"subs": "part", "items": "name", "wares": "ware", "toys": "toy", "codes": "code"}


def _arguments(url: str) -> Iterator[tuple[str, str]]:
    """The arguments in a URL, paging aside."""
    parts = urlsplit(url)
    path = [unquote(part) for part in parts.path.split("/")[1:]]
    for index in range(0, len(path) - 1, 2):
        yield ("grp" if path[index] == "groups" else _NAMES[path[index]]), path[index + 1]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _PAGING:
            yield from ((name, one) for one in (value.split(",") if name == "kind" else [value]))


def _differences(query: Query, expected: pa.Table, table: pa.Table) -> str:
    ours, theirs = _rows(table), _rows(expected)
    if query.loose:
        count = min(query.loose.limit, max(0, len(theirs) - query.loose.offset))
        if len(ours) != count:
            return f"{len(ours)} rows, not {count}"
        excess = Counter(ours) - Counter(theirs)
        return f"no rows of the answer: {excess}" if excess else ""
    if query.ordered and Counter(ours) == Counter(theirs) and ours != theirs:
        return f"in another order: {ours}, not {theirs}"
    more, missing = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    return f"too many: {more}; missing: {missing}" if more or missing else ""


def _rows(table: pa.Table) -> list[str]:
    columns = [column.to_pylist() for column in table.columns]
    rows = zip(*columns, strict=True)
    return [re.sub(r"\s+", " ", repr(list(row))) for row in rows]
