"""EXPLAIN says how much of a plan kept rows answer, and how old they are, with nothing sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connstat_sql.cache import FETCH, CompletedFetch, RowCache, served
from connstat_sql.definitions.quoting import quote
from connstat_sql.fetch import Fetch
from connstat_sql.planner import Cached, Plan, as_document, as_text, scan_table
from tests.kept import HIDDEN, NOW, always
from tests.oracle.stages import Stages, open_stages

PETS = """
service: w
resources:
  pets:
    description: Pets, by shop
    columns: {name: VARCHAR}
    params:
      shop: {}
    methods:
      list: {path: "/shops/{shop}/pets"}
  walks:
    description: Walks of a pet
    columns: {steps: INTEGER}
    params:
      pet: {}
    methods:
      list: {path: "/walks/{pet}"}
"""
SQL = "SELECT name FROM zoo.w.pets WHERE shop IN ('a', 'b', 'c')"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("pets"), service=PETS) as opened:
        yield opened


@pytest.fixture
def kept(stages: Stages) -> Iterator[RowCache]:
    opened = RowCache(stages.engine.session)
    yield opened
    opened.close()


def keep(stages: Stages, kept: RowCache, at: float, *shops: str, connection: str) -> None:
    """Shops without pets, as if they had just been fetched."""
    scan = stages.plan(SQL).scans[0]
    columns = dict.fromkeys(served(scan.resource, scan.method), "VARCHAR")
    listed = ", ".join(
        f"{quote(name)} {of}" for name, of in {**columns, **HIDDEN, FETCH: "INT"}.items()
    )
    table = scan_table("scan_9")
    stages.engine.session.duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({listed})")
    whole = [
        CompletedFetch(n, Fetch(connection, scan.resource, scan.method, {"shop": shop}), at)
        for n, shop in enumerate(shops)
    ]
    kept.keep(table, whole, always(60), at)
    stages.engine.session.drop("TABLE", table)


def with_cached(plan: Plan, kept: RowCache, max_age: float, now: float) -> Plan:
    found = {scan.name: kept.cached(scan, always(max_age), now) for scan in plan.scans}
    return replace(plan, cached={name: one for name, one in found.items() if one})


def cache_of(plan: Plan) -> list[Any]:
    return [scan["cache"] for scan in as_document(plan)["scans"]]


def test_fetches_that_are_kept_are_counted_and_not_expected_to_be_sent(
    stages: Stages, kept: RowCache
) -> None:
    plan = stages.plan(SQL)
    fetches = plan.scans[0].expected_requests
    connection = plan.scans[0].constants.rows[0][0]
    keep(stages, kept, NOW - 41, "a", connection=connection)
    keep(stages, kept, NOW - 9, "b", "z", connection=connection)
    found = with_cached(plan, kept, 60, NOW)
    assert found.cached == {"scan_1": Cached(fetches or 0, 2, 41.0)}
    assert found.expected(found.scans[0]) == (fetches or 0) - 2
    assert f"kept rows: for 2 of {fetches} fetches, up to 41 s old" in as_text(found)
    assert cache_of(found) == [{"fetches": fetches, "kept": 2, "oldest_seconds": 41.0}]


def test_none_that_are_young_enough_are_said_too(stages: Stages, kept: RowCache) -> None:
    plan = stages.plan(SQL)
    keep(stages, kept, NOW - 61, "a", connection=plan.scans[0].constants.rows[0][0])
    found = with_cached(plan, kept, 60, NOW)
    assert f"kept rows: for none of {plan.scans[0].expected_requests} fetches" in as_text(found)
    assert cache_of(found)[0]["oldest_seconds"] is None
    assert found.expected(found.scans[0]) == plan.expected(plan.scans[0])


def test_an_age_of_zero_speaks_of_no_kept_rows(stages: Stages, kept: RowCache) -> None:
    plan = stages.plan(SQL)
    found = with_cached(plan, kept, 0, NOW)
    assert as_text(found) == as_text(plan)
    assert cache_of(found) == [None]


def test_a_scan_whose_arguments_come_from_rows_does_not_say_beforehand(
    stages: Stages, kept: RowCache
) -> None:
    plan = stages.plan(
        "SELECT * FROM zoo.w.pets p JOIN zoo.w.walks w ON w.pet = p.name WHERE p.shop = 'a'"
    )
    found = with_cached(plan, kept, 60, NOW)
    assert [*found.cached] == ["scan_1"]
    assert cache_of(found)[1] is None


def test_what_can_be_no_row_asks_for_nothing(stages: Stages, kept: RowCache) -> None:
    plan = stages.plan("SELECT name FROM zoo.w.pets WHERE shop = 'a' AND shop = 'b'")
    assert with_cached(plan, kept, 60, NOW).cached == {}
