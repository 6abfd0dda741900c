"""The stages before the first request, one by one, over the made-up provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from connstat_sql.binder import BoundQuery, bind
from connstat_sql.engine import Engine
from connstat_sql.parser import parse
from connstat_sql.planner import Plan, as_text, plan
from tests.oracle.world import PROVIDER, SERVICE, open_zoo


class Stages:
    """Binds and plans statements; any request is a failure of the test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def bind(self, sql: str, arguments: Any = None) -> BoundQuery:
        """A statement bound."""
        fold = partial(self.engine.session.fold, arguments=arguments)
        return bind(parse(sql), self.engine.catalog, fold, self.engine.session.volatile)

    def rows(
        self, sql: str, arguments: Any = None, mention: int = 0
    ) -> list[dict[str, str]] | None:
        """What restricts a mention of a statement: alternatives, sorted."""
        rows = self.bind(sql, arguments).tables[mention].rows
        if rows is None:
            return None
        return [dict(items) for items in sorted(sorted(row.items()) for row in rows)]

    def where(self, predicate: str, arguments: Any = None) -> list[dict[str, str]] | None:
        """What restricts the one table of a query with the given WHERE."""
        return self.rows(f"SELECT 1 FROM zoo.w.items AS i WHERE {predicate}", arguments)

    def plan(self, sql: str, arguments: Any = None, **options: Any) -> Plan:
        """A statement planned, and checked by DuckDB."""
        given = {"max_requests": 1000, **options}
        return plan(self.bind(sql, arguments), self.engine.catalog, **given)

    def explain(self, sql: str, **options: Any) -> str:
        """The text of a plan."""
        return as_text(self.plan(sql, **options))


@contextmanager
def open_stages(
    folder: Path, *, provider: str = PROVIDER, service: str = SERVICE
) -> Iterator[Stages]:
    """Stages over the made-up provider, or over other definitions in its place."""
    engine = open_zoo(folder, _refuse, provider=provider, service=service)
    try:
        yield Stages(engine)
    finally:
        engine.close()


def _refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request was sent: {request.url}")
