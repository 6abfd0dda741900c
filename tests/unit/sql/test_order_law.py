"""The first rows of an order: what a name means there, what settings do to it, where it stops."""

from __future__ import annotations

from itertools import product

import pytest

from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.world import Row, World
from tests.oracle.zoo import DAYS, TABLES
from tests.tabled import over, spread

LINES = "conn_a.w.lines"
HEADS = (
    "*", "seq", "-seq AS seq", "seq: -seq", "*, -seq AS seq", "line AS seq, seq AS line",
    "* REPLACE (-seq AS seq)", "* RENAME (seq AS line, line AS seq)", "* EXCLUDE (line)",
    "* EXCLUDE (line) REPLACE (-seq AS seq)", "-(COLUMNS('seq'))", "-COLUMNS(['seq'])",
    "-COLUMNS(lambda c: c = 'seq')", "COLUMNS(* REPLACE (-seq AS seq))", "-seq AS \"SEQ\"",
    "unnest([-seq, seq]) AS seq", "many([-seq, seq]) AS seq", "unnest({'seq': -seq})",
)  # fmt: skip
WAYS = ("seq", "seq DESC", '"SEQ" ASC', "l.seq", "1", "ALL", "-seq", "seq NULLS FIRST")
NULL_ORDERS = (
    "nulls_first", "nulls_last", "sqlite", "postgres", "NULLS_FIRST_ON_ASC_LAST_ON_DESC",
    "NULLS_LAST_ON_ASC_FIRST_ON_DESC",
)  # fmt: skip


def world() -> World:
    """Lines whose order is none that they come in, one of them without a number."""
    copies: dict[str, list[Row]] = {name: [] for name in TABLES}
    copies["groups"] = [{"g": g, "size": 1} for g in ("5", "05", "a")]
    for grp in ("5", "05", "a"):
        numbers = (30, 10, None, 70, 50, 20, 40)
        copies["lines"] += [{"seq": n, "line": f"l{n}", "grp": grp} for n in numbers]
    copies["days"] = [{"amount": 1, "tag": "x", "day": day} for day in DAYS]
    return World({"conn_a": copies, "conn_b": {name: [] for name in TABLES}})


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(world())


def tried(court: Court, sql: str, *setup: str, undo: tuple[str, ...] = ()) -> None:
    """Assert that a query is answered as DuckDB answers it, or is none for DuckDB either."""
    trial = court.try_query(Query(sql, None, frozenset({"5", "05"}), setup=setup, undo=undo))
    assert trial.verdict in (Verdict.AGREED, Verdict.FAULTY), trial.why


@over("listed, way", spread(product(HEADS, WAYS), 16))
def test_a_name_is_that_of_the_list_before_it_is_a_columns(
    court: Court, listed: str, way: str
) -> None:
    first_rows_agree(court, listed, way)


@pytest.mark.long
@over("listed, way", product(HEADS, WAYS))
def test_so_it_is_whatever_the_list_and_the_order(court: Court, listed: str, way: str) -> None:
    first_rows_agree(court, listed, way)


def first_rows_agree(court: Court, listed: str, way: str) -> None:
    key = "seq" if "line AS seq" not in listed else "seq, line"
    sql = f"SELECT {listed} FROM {LINES} AS l WHERE grp = '5' ORDER BY {way} LIMIT 3"
    tried(court, f"SELECT {key} FROM ({sql})", "CREATE OR REPLACE MACRO many(a) AS unnest(a)")


SETTINGS = [*product(NULL_ORDERS, ("ASC", "DESC"), WAYS[:3])]


@over("null_order, order, way", spread(SETTINGS, 6))
def test_settings_say_what_comes_first(court: Court, null_order: str, order: str, way: str) -> None:
    settings_agree(court, null_order, order, way)


@pytest.mark.long
@over("null_order, order, way", SETTINGS)
def test_so_they_do_in_any_order(court: Court, null_order: str, order: str, way: str) -> None:
    settings_agree(court, null_order, order, way)


def settings_agree(court: Court, null_order: str, order: str, way: str) -> None:
    settings = ("default_null_order", null_order), ("default_order", order)
    sql = f"SELECT seq FROM {LINES} WHERE grp = '5' ORDER BY {way} NULLS LAST LIMIT 3"
    for one in (sql, sql.replace(" NULLS LAST", "")):
        setup = (f"SET {name} = '{value}'" for name, value in settings)
        tried(court, one, *setup, undo=tuple(f"RESET {name}" for name, _ in settings))


@over("way, begun", [("seq", False), ("seq DESC", True), ("seq ASC", False)])
def test_what_the_api_can_sort_it_sorts(court: Court, way: str, begun: bool) -> None:
    tried(court, f"SELECT seq FROM {LINES} WHERE grp = '5' ORDER BY {way} LIMIT 2")
    assert court.world.asked == [f"http://a.test/groups/5/lines?sort={'-' * begun}seq&most=2"]


MORE = {
    "where a value of another type is compared": "grp = 5",
    "where that is one of a long list": f"grp IN ({', '.join(map(str, range(1, 600)))})",
    "where only part of a list is of the type": "grp IN ('5', 5)",
}


@over("where", MORE.values(), ids=MORE)
def test_rows_that_where_leaves_out_are_not_counted(court: Court, where: str) -> None:
    tried(court, f"SELECT count(*) FROM (SELECT 1 FROM {LINES} WHERE {where} LIMIT 8)")
