"""A query over the API and over full copies: the two answers, the requests, the planning."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow as pa

from connstat_sql.engine import Engine, Outside
from connstat_sql.errors import ConnstatError
from connstat_sql.opening import Setup, open_engine
from connstat_sql.result import Options
from tests.tpch.api import Api
from tests.tpch.data import HERE, PROVIDERS, full_copies

NUMBERS = range(1, 23)
BUDGET = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a query.

    `ours` is None when it was refused, and `why` says for what reason. `sent_by_planning` and
    `asked` are URLs; times are in seconds.
    """

    expected: pa.Table
    ours: pa.Table | None
    why: str
    sent_by_planning: tuple[str, ...]
    asked: tuple[str, ...]
    planning: float
    running: float

    @property
    def fault(self) -> str:
        """What is wrong with the answer, or ""."""
        if self.ours is None:
            return f"refused after {len(self.asked)} requests: {self.why}"
        if self.ours.schema.names != self.expected.schema.names:
            return f"columns {self.ours.schema.names}, not {self.expected.schema.names}"
        if self.ours.schema.types != self.expected.schema.types:
            return f"types {self.ours.schema.types}, not {self.expected.schema.types}"
        ours, theirs = self.ours.to_pylist(), self.expected.to_pylist()
        return "" if ours == theirs else f"{ours[:5]} … are not {theirs[:5]} …"


class Bench:
    """An engine over the API, and DuckDB over full copies of its tables."""

    def __init__(
        self, folder: Path | None = None, max_requests: int = BUDGET, planned: int = 1
    ) -> None:
        """`folder` holds the rows as Parquet files (None: they are made).

        `planned` is how often a query is planned to find out how long that takes.
        """
        self.planned = planned
        self.copies = full_copies(folder)
        self.api = Api.over(self.copies)
        self.options = Options(max_requests=max_requests)
        self.engine = _open(self.api)
        self._tried: dict[int, Trial] = {}

    def close(self) -> None:
        """Close both."""
        self.engine.close()
        self.copies.close()

    def trial(self, number: int) -> Trial:
        """One of the 22 queries, run once."""
        if number not in self._tried:
            self._tried[number] = self.try_sql(sql_of(number))
        return self._tried[number]

    def by_hand(self) -> dict[int, tuple[int, str]]:
        """How many requests each query takes a careful engineer, and in which way."""
        text = (HERE / "by_hand.sql").read_text("utf-8")
        rows = self.copies.execute(text).fetchall()
        return {number: (requests, way) for number, requests, way in rows}

    def try_sql(self, sql: str) -> Trial:
        """Plan and run a query; DuckDB's answer beside ours."""
        expected = self.copies.sql(sql).to_arrow_table()
        self.api.asked.clear()
        planning, running, ours, why = 0.0, 0.0, None, ""
        sent: tuple[str, ...] = ()
        try:
            planning = self._planning(sql)
            sent = tuple(self.api.asked)
            started = time.perf_counter()
            (result,) = self.engine.run(sql, None, self.options)
            running, ours = time.perf_counter() - started, result.table
        except ConnstatError as error:
            why = f"{type(error).__name__}: {error.message}"
        except Exception as error:  # a crash of one query says nothing about the others
            why = f"crashed: {type(error).__name__}: {error}"
        asked = tuple(self.api.asked[len(sent) :])
        return Trial(expected, ours, why, sent, asked, planning, running)

    def _planning(self, sql: str) -> float:
        """The shortest time in which it was planned."""
        times = []
        for _ in range(self.planned):
            started = time.perf_counter()
            self.engine.explain(sql, None, self.options)
            times.append(time.perf_counter() - started)
        return min(times)


def sql_of(number: int) -> str:
    """The text of a query of the benchmark."""
    return (HERE / "queries" / f"{number:02}.sql").read_text("utf-8")


def _open(api: Api) -> Engine:
    connections = {"tpch": {"provider": "tpch", "base_url": "http://tpch.test"}}
    outside = Outside(environment={}, transport=httpx.MockTransport(api.answer))
    return open_engine(Setup(connections=connections, providers=(PROVIDERS,)), outside)
