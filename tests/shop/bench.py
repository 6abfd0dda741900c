"""A query over the API and over full copies: the two answers, the requests, the planning."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow as pa

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError
from connstat_sql.result import Options
from tests.shop.api import Api
from tests.shop.copies import Shop


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a query.

    `ours` is None when it was refused, and `why` says for what reason. `sent_by_planning` and
    `asked` are URLs; times are in seconds. Where the texts leave the order of some rows open,
    `ordered` is false, and rows are compared as a bag, floating point numbers to ten digits.
    """

    expected: pa.Table
    ours: pa.Table | None
    why: str
    sent_by_planning: tuple[str, ...]
    asked: tuple[str, ...]
    planning: float
    running: float
    ordered: bool = True

    @property
    def fault(self) -> str:
        """What is wrong with the answer, or ""."""
        if self.ours is None:
            return f"refused after {len(self.asked)} requests: {self.why}"
        if self.ours.schema.names != self.expected.schema.names:
            return f"columns {self.ours.schema.names}, not {self.expected.schema.names}"
        if self.ours.schema.types != self.expected.schema.types:
            return f"types {self.ours.schema.types}, not {self.expected.schema.types}"
        if self.ordered:
            ours, theirs = self.ours.to_pylist(), self.expected.to_pylist()
            return "" if ours == theirs else f"{ours[:5]} … are not {theirs[:5]} …"
        more, fewer = _bag(self.ours), _bag(self.expected)
        return (
            "" if more == fewer else f"{[*(more - fewer)][:5]} … are not {[*(fewer - more)][:5]} …"
        )


def _bag(table: pa.Table) -> Counter[Hashable]:
    return Counter(tuple(_near(value) for value in row.values()) for row in table.to_pylist())


def _near(value: object) -> object:
    return f"{value:.10g}" if isinstance(value, float) else value


class Bench:
    """An engine over the API, and DuckDB over full copies of its tables."""

    def __init__(
        self,
        shop: Shop,
        kind: type[Api],
        text_of: Callable[[int], str],
        max_requests: int = 1000,
        folder: Path | None = None,
        planned: int = 1,
        ordered: bool = True,
    ) -> None:
        """`folder` holds the rows as Parquet files (None: they are made).

        `text_of` answers the benchmark's queries by number; `planned` is how often a query is
        planned to find out how long that takes.
        """
        self.shop, self.text_of, self.planned, self.ordered = shop, text_of, planned, ordered
        self.copies = shop.full_copies(folder)
        self.api = kind.over(shop, self.copies)
        self.options = Options(max_requests=max_requests)
        self.engine = _open(shop, self.api)
        self._tried: dict[int, Trial] = {}

    def close(self) -> None:
        """Close both."""
        self.engine.close()
        self.copies.close()

    def trial(self, number: int) -> Trial:
        """One of the benchmark's queries, run once."""
        if number not in self._tried:
            self._tried[number] = self.try_sql(self.text_of(number))
        return self._tried[number]

    def by_hand(self) -> dict[int, tuple[int, str]]:
        """How many requests each query takes a careful engineer, and in which way."""
        text = (self.shop.home / "by_hand.sql").read_text("utf-8")
        rows = self.copies.execute(text).fetchall()
        return {number: (requests, way) for number, requests, way in rows}

    def try_sql(
        self, sql: str, engine: Engine | None = None, max_requests: int | None = None
    ) -> Trial:
        """Plan and run a query; DuckDB's answer beside ours.

        Another `engine` over the same API may be tried, and another budget.
        """
        engine = engine or self.engine
        options = self.options if max_requests is None else Options(max_requests=max_requests)
        expected = self.copies.sql(sql).to_arrow_table()
        self.api.asked.clear()
        planning, running, ours, why = 0.0, 0.0, None, ""
        sent: tuple[str, ...] = ()
        try:
            planning = self._planning(engine, sql)
            sent = tuple(self.api.asked)
            started = time.perf_counter()
            (result,) = engine.run(sql, None, options)
            running, ours = time.perf_counter() - started, result.table
        except ConnstatError as error:
            why = f"{type(error).__name__}: {error.message}"
        except Exception as error:  # a crash of one query says nothing about the others
            why = f"crashed: {type(error).__name__}: {error}"
        asked = tuple(self.api.asked[len(sent) :])
        return Trial(expected, ours, why, sent, asked, planning, running, self.ordered)

    def _planning(self, engine: Engine, sql: str) -> float:
        """The shortest time in which it was planned."""
        times = []
        for _ in range(self.planned):
            started = time.perf_counter()
            engine.explain(sql, None, self.options)
            times.append(time.perf_counter() - started)
        return min(times)


def _open(shop: Shop, api: Api) -> Engine:
    connections = {
        shop.provider: {"provider": shop.provider, "base_url": f"http://{shop.provider}.test"}
    }
    outside = EngineOptions(environment={}, transport=httpx.MockTransport(api.answer))
    return open_engine(Setup(connections=connections, providers=(shop.providers,)), outside)


@contextmanager
def opened(shop: Shop, api: Api) -> Iterator[Engine]:
    """Another engine over the API, by other definitions."""
    engine = _open(shop, api)
    try:
        yield engine
    finally:
        engine.close()
