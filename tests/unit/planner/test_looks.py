"""Where rows give many values, a page of a parent tells whether asking by that takes far fewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.planner import as_text
from connstat_sql.result import Options

PAGE = 50
SERVICE = f"""
service: w
paging: {{style: token, request: after, response: next, size: {{query: size, max: {PAGE}}}}}
resources:
  things:
    description: What is sold
    columns: {{id: VARCHAR}}
    methods:
      list: {{path: /things, rows: rows}}
  shops:
    description: Where it is sold
    columns: {{id: VARCHAR}}
    methods:
      list: {{path: /shops, rows: rows}}
  sales:
    description: Lines
    columns: {{n: BIGINT}}
    params:
      thing: {{from: mart.w.things.id, description: Thing}}
      shop: {{from: mart.w.shops.id, description: Shop}}
    methods:
      of_thing: {{path: "/things/{{thing}}/sales", rows: rows, fills: {{shop: shop}}}}
      of_shop: {{path: "/shops/{{shop}}/sales", rows: rows, fills: {{thing: thing}}}}
"""
BY_THING = "SELECT count(*), sum(s.n) FROM mart.w.sales s JOIN mart.w.things t ON s.thing = t.id"

PLAIN = Options()


@dataclass
class Mart:
    """Each thing is sold once, in one of the shops; `broken` paths are answered with an error."""

    things: int = 160
    shops: int = 3
    broken: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        kind, *rest = request.url.path.strip("/").split("/")
        if request.url.path == self.broken:
            return httpx.Response(403, json={"message": "not for you"})
        if not rest:
            count = self.things if kind == "things" else self.shops
            return self._page([{"id": f"{kind}-{n}"} for n in range(count)], request)
        lines = [
            {"n": n, "thing": f"things-{n}", "shop": f"shops-{n % self.shops}"}
            for n in range(self.things)
        ]
        own = [one for one in lines if one[kind.removesuffix("s")] == rest[0]]
        return self._page(own, request)

    def _page(self, rows: Sequence[object], request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("after", 0))
        end = start + int(request.url.params["size"])
        following = {"next": str(end)} if end < len(rows) else {}
        return httpx.Response(200, json={"rows": rows[start:end], **following})

    def kinds(self) -> Counter[str]:
        """How many requests went to each kind of path; none was sent twice."""
        assert len(set(self.asked)) == len(self.asked)
        paths = [httpx.URL(one).path.strip("/").split("/") for one in self.asked]
        return Counter(f"{path[0]} {path[-1]}" if path[1:] else path[0] for path in paths)


@contextmanager
def opened(folder: Path, mart: Mart) -> Iterator[Engine]:
    home = folder / "mart"
    home.mkdir()
    (home / "provider.yaml").write_text(
        "provider: mart\ndescription: A mart\nbase_url: http://mart.test\n", "utf-8"
    )
    (home / "w.yaml").write_text(SERVICE, "utf-8")
    setup = Setup(connections={"mart": {"provider": "mart"}}, providers=(folder,))
    outside = EngineOptions(environment={}, transport=httpx.MockTransport(mart.answer))
    engine = open_engine(setup, outside)
    try:
        yield engine
    finally:
        engine.close()


def rows(engine: Engine, sql: str, options: Options = PLAIN) -> list[tuple[object, ...]]:
    (result,) = engine.run(sql, None, options)
    return [tuple(row.values()) for row in result.table.to_pylist()]


WHOLE = [(160, sum(range(160)))]
THINGS = {"things": 4, "things sales": 160}
"""All pages of things, and each thing."""


@pytest.mark.parametrize(
    ("sql", "mart", "kinds"),
    [
        pytest.param(
            BY_THING, Mart(), {"things": 4, "shops": 1, "shops sales": 6}, id="few shops"
        ),
        pytest.param(
            "SELECT count(*), sum(n) FROM mart.w.sales", Mart(),
            {"things": 4, "shops": 1, "shops sales": 6}, id="no value given",
        ),
        pytest.param(
            f"{BY_THING} JOIN mart.w.sales z ON z.thing = t.id", Mart(),
            {"things": 4, "shops": 1, "shops sales": 6}, id="lines twice",
        ),
        pytest.param(BY_THING, Mart(shops=60), {**THINGS, "shops": 2}, id="perhaps more shops"),
        pytest.param(
            BY_THING, Mart(shops=59), {"things": 4, "shops": 2, "shops sales": 59},
            id="fewer shops",
        ),
        pytest.param(BY_THING, Mart(broken="/shops"), {**THINGS, "shops": 1}, id="refused"),
    ],
)  # fmt: skip
def test_a_page_of_a_parent_tells_whether_it_is_asked_by(
    tmp_path: Path, sql: str, mart: Mart, kinds: dict[str, int]
) -> None:
    with opened(tmp_path, mart) as engine:
        assert rows(engine, sql) == WHOLE
        assert mart.kinds() == kinds


def test_of_two_parents_the_one_that_is_restricted_is_asked_first(tmp_path: Path) -> None:
    with opened(tmp_path, mart := Mart(shops=60)) as engine:
        assert rows(engine, "SELECT count(*) FROM mart.w.sales WHERE shop LIKE '%7'") == [(16,)]
        assert mart.kinds() == {"shops": 2, "shops sales": 6}


@pytest.mark.parametrize(
    ("sql", "options"),
    [
        pytest.param(f"{BY_THING} WHERE s.thing = 'things-7'", PLAIN, id="a value"),
        pytest.param(f"{BY_THING} WHERE t.id IN ('things-7', 'no')", PLAIN, id="two values"),
        pytest.param(BY_THING, Options(strict=True), id="strict"),
        pytest.param(BY_THING, Options(max_requests=164), id="nothing to spare"),
    ],
)
def test_nothing_is_looked_at_where_it_is_not_worth_it(
    tmp_path: Path, sql: str, options: Options
) -> None:
    with opened(tmp_path, mart := Mart()) as engine:
        rows(engine, sql, options)
        assert "shops" not in mart.kinds()


def test_a_look_saves_a_statement_that_is_over_its_budget(tmp_path: Path) -> None:
    with opened(tmp_path, Mart()) as engine:
        assert rows(engine, BY_THING, Options(max_requests=11)) == WHOLE


def test_few_values_are_asked_for_without_a_look(tmp_path: Path) -> None:
    with opened(tmp_path, mart := Mart(things=20)) as engine:
        assert rows(engine, BY_THING) == [(20, 190)]
        assert mart.kinds() == {"things": 1, "things sales": 20}


def test_a_look_that_is_refused_is_no_failure(tmp_path: Path) -> None:
    with opened(tmp_path, Mart(broken="/shops")) as engine:
        assert rows(engine, BY_THING, Options(partial=True)) == WHOLE
        assert rows(engine, "SELECT * FROM _errors") == []


def test_the_plan_tells_both_ways(tmp_path: Path) -> None:
    with opened(tmp_path, mart := Mart()) as engine:
        plan = engine.explain(BY_THING)
        assert plan is not None
        told = as_text(plan)
        assert "mart.w.shops  by list: a look at how many there are" in told
        assert "or by of_shop, for each mart.w.shops.id (scan 2), where these are far fewer" in told
        assert mart.asked == []
