"""The law: the judge's rows or an error before any request; no request twice or unjustified."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
import httpx
import pyarrow as pa

from connstat_sql.errors import ConnstatError
from connstat_sql.live import LiveTables
from connstat_sql.result import Options
from tests.oracle.grammar import Query, random_query
from tests.oracle.world import World, fill, open_judge, open_zoo, random_world

_RUNTIME = (
    duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException,
)  # fmt: skip


class Verdict(str, Enum):
    """What became of a query."""

    AGREED = "agreed"
    REFUSED = "refused"  # an error before any request, where the judge had an answer
    FAULTY = "faulty"  # the judge had no answer either
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Trial:
    """One query and its verdict; `why` is the error, or what is wrong."""

    query: Query
    verdict: Verdict
    why: str
    requests: int


class Court:
    """An engine and a judge that try queries, each over a world of its own."""

    def __init__(self, folder: Path, kind: type[LiveTables] = LiveTables) -> None:
        self.world = World({})
        self.engine = open_zoo(folder, self._answer, kind=kind)
        self.judge = open_judge()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return self.world.answer(request)

    def close(self) -> None:
        """Close both."""
        self.engine.close()
        self.judge.close()

    def try_random(self, chance: random.Random) -> Trial:
        """A random query over a random world."""
        return self.try_query(random_query(chance), random_world(chance))

    def try_query(self, query: Query, world: World) -> Trial:
        """Run a query both ways and compare."""
        self.world = world
        fill(self.judge, world, hidden=query.names_hidden)
        expected = self._judged(query)
        try:
            (result,) = self.engine.run(query.sql, query.arguments, Options())
        except ConnstatError as error:
            return self._refused(query, expected, error)
        except httpx.HTTPError as error:  # pragma: no cover - a fault of this test's own API
            raise AssertionError(query.sql) from error
        wrong = self._faults(query, expected, result.table)
        verdict = Verdict.WRONG if wrong else Verdict.AGREED
        return Trial(query, verdict, wrong, len(world.asked))

    def _judged(self, query: Query) -> pa.Table | duckdb.Error:
        try:
            arguments = query.arguments
            return self.judge.sql(query.sql, params=arguments).to_arrow_table()
        except duckdb.Error as error:
            return error

    def _refused(
        self, query: Query, expected: pa.Table | duckdb.Error, error: ConnstatError
    ) -> Trial:
        sent = len(self.world.asked)
        if isinstance(error.__cause__, _RUNTIME):
            sent = 0  # a cast that fails or not by the order in which DuckDB evaluates
        why = f"{type(error).__name__}: {error.message}"
        if isinstance(expected, duckdb.Error):
            is_late = sent > 0 and not isinstance(expected, _RUNTIME)
            verdict = Verdict.WRONG if is_late else Verdict.FAULTY
            return Trial(query, verdict, f"{why} / {expected}" if is_late else why, sent)
        return Trial(query, Verdict.WRONG if sent else Verdict.REFUSED, why, sent)

    def _faults(self, query: Query, expected: pa.Table | duckdb.Error, table: pa.Table) -> str:
        if isinstance(expected, duckdb.Error):
            return "" if isinstance(expected, _RUNTIME) else f"the judge says: {expected}"
        if expected.column_names != table.column_names:
            return f"columns {table.column_names}, not {expected.column_names}"
        ours, theirs = _bag(table), _bag(expected)
        if ours != theirs:
            return f"too many: {ours - theirs}; missing: {theirs - ours}"
        twice = [url for url, count in Counter(self.world.asked).items() if count > 1]
        if twice:
            return f"asked twice: {twice}"
        unjustified = [url for url in self.world.asked if not self._is_justified(url, query)]
        return f"not justified: {unjustified}" if unjustified else ""

    def _is_justified(self, url: str, query: Query) -> bool:
        """Whether each argument occurs in the query, or among the parents' values."""
        parts = urlsplit(url)
        path = [unquote(part) for part in parts.path.split("/")[1:]]
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        named = dict(zip(("grp", "part", "name"), path[1::2], strict=False))
        if path[0] == "codes":
            named = {"code": path[1]}
        parents = {"grp": self.world.values("g"), "part": self.world.values("sub")}
        return all(
            value in query.said or value in parents.get(name, ())
            for name, value in {**named, **given}.items()
        )


def _bag(table: pa.Table) -> Counter[str]:
    return Counter(re.sub(r"\s+", " ", repr(list(row.values()))) for row in _rows(table))


def _rows(table: pa.Table) -> list[dict[int, object]]:
    columns = [column.to_pylist() for column in table.columns]
    return [dict(enumerate(values)) for values in zip(*columns, strict=True)]
