"""Which method is asked for what, in which order, and what is shared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.planner import Plan, Scan
from tests.oracle.stages import Stages, open_stages

PETS = """
service: w
resources:
  shops:
    description: Shops
    columns: {id: VARCHAR, city: VARCHAR}
    methods:
      list: {path: /shops}
  pets:
    description: Pets, by shop
    columns: {name: VARCHAR, weight: INTEGER, photo: VARCHAR, kind: VARCHAR, born: VARCHAR}
    params:
      shop: {from: zoo.w.shops.id}
      pet: {}
      status: {default: sold, allowed: [sold, available, "in care"]}
    methods:
      get: {path: "/shops/{shop}/pets/{pet}", query: {status: "{status}"}, rows: {shape: object},
            no_row: [404]}
      list:
        path: "/shops/{shop}/pets"
        query: {status: "{status}"}
        columns: {photo: null}
        fills: {pet: name}
        details: get
        filters: {kind: kind, born: {query: born, several: comma}}
  walks:
    description: Walks, by hour; a get and a list that cost the same
    columns: {steps: INTEGER}
    params:
      hour: {type: INTEGER}
    methods:
      first: {path: "/walks/{hour}"}
      second: {path: "/walks", query: {hour: "{hour}"}}
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("pets"), service=PETS) as opened:
        yield opened


def methods(found: Plan) -> list[str]:
    return [f"{scan.resource.table.resource}.{scan.method.name}" for scan in found.scans]


def only(found: Plan) -> Scan:
    (scan,) = found.scans
    return scan


# --- methods by cost -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "method", "requests"),
    [
        ("grp = 'a' AND part = 'b' AND name = 'c'", "get", 1),
        ("grp = 'a' AND part = 'b' AND name IN ('c', 'd')", "list", 1),
        ("grp = 'a' AND part = 'b'", "list", 1),
        ("grp = 'a' AND part IN ('b', 'c')", "of_group", 1),
        ("grp IN ('a', 'b') AND part IN ('b', 'c')", "of_group", 2),
        ("(grp, part) IN (('a', '1'), ('b', '2'))", "list", 2),
        ("grp = 'a'", "of_group", 1),
    ],
)
def test_the_method_with_the_fewest_requests_is_taken(
    zoo: Stages, where: str, method: str, requests: int
) -> None:
    scan = only(zoo.plan(f"SELECT n FROM conn_a.w.items WHERE {where}"))
    assert (scan.method.name, scan.expected_requests) == (method, requests)


def test_among_equals_the_first_declared_is_taken(pets: Stages) -> None:
    assert only(pets.plan("SELECT steps FROM conn_a.w.walks WHERE hour = 7")).method.name == "first"


def test_tuples_are_kept_and_not_multiplied(zoo: Stages) -> None:
    where = "(grp, part) IN (('a', '1'), ('b', '2'), ('a', '1'))"
    scan = only(zoo.plan(f"SELECT n FROM conn_a.w.items WHERE {where}"))
    assert set(scan.constants.rows) == {("conn_a", "a", "1"), ("conn_a", "b", "2")}


def test_a_table_spans_the_connections_that_the_query_leaves(zoo: Stages) -> None:
    every = only(zoo.plan("SELECT g FROM zoo.w.groups"))
    assert every.constants.rows == (("conn_a",), ("conn_b",))
    one = only(zoo.plan("SELECT g FROM zoo.w.groups WHERE _connection = 'conn_b'"))
    assert one.constants.rows == (("conn_b",),)
    pairs = "(_connection, grp) IN (('conn_a', 'x'), ('conn_b', 'y'))"
    assert only(zoo.plan(f"SELECT sub FROM zoo.w.subs WHERE {pairs}")).expected_requests == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sub FROM zoo.w.subs WHERE false",
        "SELECT sub FROM zoo.w.subs WHERE grp = 'a' AND grp = 'b'",
        "SELECT amount FROM zoo.w.days WHERE day = NULL",
        "SELECT g FROM zoo.w.groups WHERE _connection = 'nobody'",
        "SELECT g FROM conn_a.w.groups WHERE _connection = 'conn_b'",
        "SELECT amount FROM zoo.w.days WHERE 1 = 2",
    ],
)
def test_what_no_row_can_satisfy_sends_nothing(zoo: Stages, sql: str) -> None:
    assert sum(scan.expected_requests or 0 for scan in zoo.plan(sql).scans) == 0


# --- declared parents ----------------------------------------------------------------------------


def test_a_parameter_without_a_value_is_enumerated_from_its_parents(zoo: Stages) -> None:
    found = zoo.plan("SELECT part FROM conn_a.w.items WHERE note = 'x'")
    assert methods(found) == ["groups.list", "items.of_group"]
    scan = found.scans[1]
    assert scan.depends_on == ("scan_1",)
    assert dict(scan.sources[0].bound) == {"grp": "scan_1.g"}
    assert scan.expected_requests is None


def test_values_stay_in_the_connection_that_their_parent_was_asked_in(zoo: Stages) -> None:
    given = {"groups": [{"g": "a"}, {"g": "b", "_connection": "conn_b"}]}
    found = zoo.plan("SELECT kind FROM zoo.w.subs")
    assert [dict(source.bound) for source in found.scans[1].sources] == [{"grp": "scan_1.g"}]
    assert zoo.fed("SELECT kind, _connection FROM zoo.w.subs", "subs", given, hidden=True) == [
        {"_connection": "conn_a", "grp": "a"},
        {"_connection": "conn_b", "grp": "b"},
    ]


def test_a_value_on_one_level_prunes_the_walk(zoo: Stages) -> None:
    sql = "SELECT kind, grp FROM conn_a.w.subs"
    assert methods(zoo.plan(sql)) == ["groups.list", "subs.list"]
    assert methods(zoo.plan(f"{sql} WHERE grp = 'a'")) == ["subs.list"]


def test_a_parent_is_asked_only_in_the_connections_that_are_left(zoo: Stages) -> None:
    found = zoo.plan("SELECT kind FROM zoo.w.subs WHERE _connection = 'conn_b'")
    assert [scan.constants.rows for scan in found.scans] == [(("conn_b",),)] * 2


# --- mentions together ---------------------------------------------------------------------------


def test_mentions_of_one_table_are_one_scan_when_that_costs_no_more(zoo: Stages) -> None:
    sql = "SELECT 1 FROM conn_a.w.subs a, conn_a.w.subs b WHERE a.grp = 'x' AND b.grp = '{}'"
    same = zoo.plan(sql.format("x"))
    assert only(same).expected_requests == 1
    assert {placement.scan for placement in same.placements} == {only(same).name}
    assert only(zoo.plan(sql.format("y"))).expected_requests == 2


def test_a_mention_that_wants_everything_serves_the_other_too(zoo: Stages) -> None:
    found = zoo.plan("SELECT 1 FROM conn_a.w.subs a, conn_a.w.subs b WHERE a.grp = 'x'")
    assert methods(found) == ["groups.list", "subs.list"]


def test_a_parents_rows_are_fetched_once_for_all_that_need_them(zoo: Stages) -> None:
    found = zoo.plan("SELECT 1 FROM conn_a.w.groups, conn_a.w.subs, conn_a.w.items")
    assert sorted(methods(found)) == ["groups.list", "items.of_group", "subs.list"]


def test_mentions_of_two_connections_are_two_scans(zoo: Stages) -> None:
    sql = "SELECT 1 FROM conn_a.w.subs a, conn_b.w.subs b WHERE a.grp = 'x' AND b.grp = 'x'"
    assert len(zoo.plan(sql).scans) == 2


def test_a_joined_table_has_the_constants_of_its_partner(zoo: Stages) -> None:
    found = zoo.plan(
        "SELECT 1 FROM conn_a.w.subs s JOIN conn_a.w.items i ON i.grp = s.grp AND i.part = s.sub "
        "WHERE s.grp = 'a'"
    )
    assert sorted(methods(found)) == ["items.of_group", "subs.list"]
    assert found.scans[0].expected_requests == 1
    assert "of_group" in [access_path.method.name for access_path in found.scans[1].access_paths]


# --- filters, details, defaults ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("kind = 'dog'", [("kind", ("dog",))]),
        ("kind IN ('dog', 'cat')", []),
        ("born IN ('1', '2')", [("born", ("1", "2"))]),
        ("kind = 'dog' AND born = '1'", [("kind", ("dog",)), ("born", ("1",))]),
        ("kind = 'dog' OR weight = 3", []),
        ("kind <> 'dog'", []),
        ("lower(kind) = 'dog'", []),
    ],
)
def test_a_filter_is_passed_on_where_every_alternative_fixes_it(
    pets: Stages, where: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    scan = only(pets.plan(f"SELECT name FROM conn_a.w.pets WHERE shop = 's' AND ({where})"))
    assert [(one.column, values) for one, values in scan.access_paths[0].filters] == expected


def test_columns_that_a_list_does_not_serve_are_read_one_by_one(pets: Stages) -> None:
    found = pets.plan("SELECT name, photo FROM conn_a.w.pets WHERE shop = 's'")
    assert methods(found) == ["pets.list", "pets.get"]
    assert found.scans[1].depends_on == (found.scans[0].name,)
    assert {"shop", "pet", "status"} <= dict(found.scans[1].sources[0].bound).keys()
    rows = [{"shop": "s", "pet": pet, "status": "sold"} for pet in ("dog", "cat")]
    assert pets.fed("SELECT name, photo FROM conn_a.w.pets WHERE shop = 's'", "pets",
                    {"pets": rows}) == sorted(rows, key=str)  # fmt: skip


def test_without_such_columns_the_list_is_enough(pets: Stages) -> None:
    found = pets.plan("SELECT name FROM conn_a.w.pets WHERE shop = 's'")
    assert methods(found) == ["pets.list"]


def test_a_default_is_used_where_the_query_says_nothing(pets: Stages) -> None:
    scan = only(pets.plan("SELECT name, status FROM conn_a.w.pets WHERE shop = 's'"))
    assert scan.constants.columns == ("_connection", "shop", "status")
    assert scan.constants.rows == (("conn_a", "s", "sold"),)


def test_a_value_goes_before_the_default(pets: Stages) -> None:
    sql = "SELECT name FROM conn_a.w.pets WHERE shop = 's' AND status = 'available'"
    assert only(pets.plan(sql)).constants.rows == (("conn_a", "s", "available"),)


def test_mentions_with_and_without_a_default_are_apart(pets: Stages) -> None:
    found = pets.plan(
        "SELECT name FROM conn_a.w.pets WHERE shop = 's' AND status = 'available' "
        "UNION ALL SELECT name FROM conn_a.w.pets WHERE shop = 's'"
    )
    assert sorted(scan.constants.rows[0][-1] for scan in found.scans) == ["available", "sold"]
