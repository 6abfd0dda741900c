"""A default stands for what a query does not say; what it says is asked for, or no row bears it."""

from typing import Any

import httpx
import pytest

from connstat_sql.errors import BindError
from tests.tabled import over
from tests.unit.fetch.test_verdict import answer, depot

SERVICE = """
service: stock
resources:
  crates:
    description: Crates
    params: {id: {type: BIGINT}, shelf: {default: top}}
    columns: {weight: BIGINT}
    methods:
      get: {path: "/crates/{id}", rows: {shape: object}}
      list: {path: /crates, query: {shelf: "{shelf}"}, rows: crates, fills: {id: id}}
"""
SHELVES = {"top": {"id": 1, "weight": 7}, "low": {"id": 2, "weight": 9}}


def towns(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/crates":
        return httpx.Response(200, json={"crates": [SHELVES[request.url.params["shelf"]]]})
    [crate] = [one for one in SHELVES.values() if request.url.path == f"/crates/{one['id']}"]
    return httpx.Response(200, json=crate)


@over(
    ("where", "rows", "requests"),
    [
        ("TRUE", [(1, "top", 7)], 1),
        ("id = 1", [(1, "top", 7)], 1),
        ("id = 1 AND shelf = 'top'", [(1, "top", 7)], 1),
        ("id = 1 AND shelf = 'low'", [], 1),
        ("id = 2 AND shelf IN ('top', 'low')", [(2, "low", 9)], 2),
    ],
)
def test_a_read_by_key_that_does_not_take_a_parameter_answers_nothing_about_it(
    where: str, rows: list[Any], requests: int
) -> None:
    sql = f"SELECT id, shelf, weight FROM depot.stock.crates WHERE {where}"
    result = answer(depot(towns, SERVICE), sql)
    assert (result.fetchall(), result.requests) == (rows, requests)


def test_a_table_without_a_method_that_takes_it_says_so() -> None:
    alone = SERVICE[: SERVICE.index("      list:")] + (
        "      of: {path: /shelves, query: {s: '{shelf}', i: '{id}'}, columns: {weight: null}}\n"
    )
    sql = "SELECT weight FROM depot.stock.crates WHERE id = 1 AND shelf = 'low'"
    with pytest.raises(BindError, match="with these parameters takes shelf"):
        answer(depot(towns, alone), sql)
