"""Ways to serve a scan, weighed when they can be; requests that are shared; rows that suffice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.planner import Plan, Scan, as_text
from tests.oracle.stages import Stages, open_stages
from tests.oracle.zoo import WHOLE
from tests.tabled import over


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo"), service=WHOLE) as opened:
        opened.engine.session.duckdb.execute("CREATE TABLE mine (x VARCHAR, k INTEGER)")
        yield opened


def access_paths(scan: Scan) -> list[str]:
    return [access_path.method.name for access_path in scan.access_paths]


def by_table(found: Plan) -> dict[str, Scan]:
    return {scan.resource.table.resource: scan for scan in found.scans}


def total(found: Plan) -> int:
    """All requests, where they are known."""
    counts = [found.expected(scan) for scan in found.scans]
    assert None not in counts
    return sum(count or 0 for count in counts)


# --- chosen now ----------------------------------------------------------------------------------


@over(
    ("where", "method", "requests"),
    [
        ("toy = 't'", "get", 1),
        ("toy IN ('t', 'u', 'v')", "get", 3),
        ("grp = 'a'", "list", 1),
        ("grp = 'a' AND toy IN ('t', 'u', 'v')", "list", 1),
        ("(grp, toy) IN (('a', 't'), ('a', 'u'), ('b', 'v'))", "list", 2),
        ("true", "all", 1),
        ("weight > 3", "all", 1),
        (f"toy IN ({', '.join(repr(f't{n}') for n in range(500))})", "all", 1),
    ],
)
def test_constants_are_counted_and_pages_of_an_unknown_number_weigh_as_several(
    zoo: Stages, where: str, method: str, requests: int
) -> None:
    (scan,) = zoo.plan(f"SELECT colour FROM conn_a.w.toys WHERE {where}").scans
    assert (access_paths(scan), scan.expected_requests) == ([method], requests)


def test_what_a_join_hands_on_is_counted_too(zoo: Stages) -> None:
    tables = "conn_a.w.subs s JOIN conn_a.w.items i ON i.grp = s.grp AND i.part = s.sub"
    found = zoo.plan(f"SELECT n FROM {tables} WHERE s.grp = 'a' AND s.sub IN ('p', 'q')")
    assert access_paths(by_table(found)["items"]) == ["of_group"]
    found = zoo.plan(f"SELECT n FROM {tables} WHERE s.grp = 'a' AND s.sub = 'p'")
    assert access_paths(by_table(found)["items"]) == ["list"]


# --- chosen when the values are there ------------------------------------------------------------


@over(
    ("on", "expected"),
    [
        ("t.toy = m.x", {"get", "all"}),
        ("t.grp = m.x", {"list", "all"}),
        ("t.grp = m.x AND t.toy = m.x", {"get", "list", "all"}),
        ("t.grp = 'a' AND t.toy = m.x", {"list"}),
    ],
)
def test_several_ways_stay_open_while_the_values_are_not_counted(
    zoo: Stages, on: str, expected: set[str]
) -> None:
    scan = by_table(zoo.plan(f"SELECT 1 FROM mine m JOIN conn_a.w.toys t ON {on}"))["toys"]
    assert set(access_paths(scan)) == expected


def test_every_open_way_has_all_that_it_asks_for(zoo: Stages) -> None:
    on = "i.grp = m.x AND i.part = 'p' AND i.name = m.x"
    (scan,) = zoo.plan(f"SELECT 1 FROM mine m JOIN conn_a.w.items i ON {on}").scans
    assert set(access_paths(scan)) == {"get", "list", "of_group"}
    for access_path in scan.access_paths:
        assert (
            set(access_path.method.required)
            <= set(access_path.arguments)
            <= set(scan.sources[0].columns)
        )


def test_a_chosen_way_is_the_only_one(zoo: Stages) -> None:
    scan = by_table(zoo.plan("SELECT 1 FROM mine m JOIN conn_a.w.toys t ON t.toy = m.x"))["toys"]
    for access_path in scan.access_paths:
        chosen = scan.by(access_path)
        assert (chosen.access_paths, chosen.method, chosen.sources) == (
            (access_path,),
            access_path.method,
            scan.sources,
        )


# --- the same request ----------------------------------------------------------------------------


def test_two_tables_that_ask_the_same_share_the_answer(zoo: Stages) -> None:
    where = "WHERE t.grp IN ('a', 'b')"
    found = zoo.plan(f"SELECT 1 FROM conn_a.w.toys t JOIN conn_a.w.hues h USING (grp) {where}")
    first, second = found.scans
    assert first.keeps
    assert not second.keeps
    assert found.free == {second.name}
    assert (total(found), found.expected(second)) == (2, 0)


def test_a_way_that_another_scan_asks_anyway_is_taken_though_a_get_would_do(zoo: Stages) -> None:
    sql = "SELECT 1 FROM conn_a.w.toys t, conn_a.w.hues h WHERE t.grp = 'a' AND t.toy = 'q'"
    assert access_paths(by_table(zoo.plan(f"{sql} AND h.grp = 'a'"))["toys"]) == ["list"]
    alone = zoo.plan("SELECT colour FROM conn_a.w.toys WHERE grp = 'a' AND toy = 'q'")
    assert access_paths(alone.scans[0]) == ["get"]


def test_answers_are_kept_for_a_later_scan_whose_values_are_not_known_yet(zoo: Stages) -> None:
    found = zoo.plan(
        "SELECT 1 FROM conn_a.w.subs a JOIN conn_a.w.subs b ON b.grp = a.sub WHERE a.grp = 'x'"
    )
    assert [scan.keeps for scan in found.scans] == [True, False]
    assert found.free == frozenset()


def test_nothing_is_kept_when_nobody_asks_again(zoo: Stages) -> None:
    found = zoo.plan("SELECT 1 FROM conn_a.w.groups g JOIN conn_a.w.subs s ON s.grp = g.g")
    assert not any(scan.keeps for scan in found.scans)


@over(
    ("sql", "requests"),
    [
        ("SELECT 1 FROM conn_a.w.groups a, conn_a.w.groups b", 1),
        ("SELECT 1 FROM conn_a.w.groups a JOIN conn_a.w.groups b ON a.g = b.g WHERE a.size = 1", 1),
        ("SELECT 1 FROM conn_a.w.subs a, conn_a.w.subs b WHERE a.grp = 'x' AND b.grp = 'x'", 1),
        ("SELECT 1 FROM conn_a.w.subs a, conn_a.w.subs b WHERE a.grp = 'x' AND b.grp = 'y'", 2),
        ("SELECT 1 FROM conn_a.w.subs a JOIN conn_a.w.subs b USING (grp) WHERE grp = 'x'", 1),
        ("WITH c AS (FROM conn_a.w.subs) FROM c a, c b WHERE a.grp = 'x' AND b.grp = 'x'", 1),
        ("WITH c AS (FROM conn_a.w.subs) FROM c a, c b WHERE a.grp = 'x' AND b.grp = 'y'", 2),
        ("WITH c AS (FROM conn_a.w.subs) SELECT 1", 0),
        ("SELECT 1 FROM conn_a.w.subs WHERE grp = 'x' UNION SELECT 1 FROM conn_a.w.subs "
         "WHERE grp IN ('x', 'y')", 2),
        ("SELECT 1 FROM conn_a.w.subs WHERE grp = 'x' AND EXISTS (FROM conn_a.w.subs s "
         "WHERE s.grp = 'x')", 1),
        ("SELECT n FROM conn_a.w.items WHERE grp = 'a' AND part = '1' UNION ALL "
         "SELECT n FROM conn_a.w.items WHERE grp = 'a' AND part = '2'", 1),
        ("SELECT n FROM conn_a.w.items WHERE (grp, part) IN (('a', 'p'), ('b', 'q'))", 2),
    ],
)  # fmt: skip
def test_no_request_is_planned_twice(zoo: Stages, sql: str, requests: int) -> None:
    assert total(zoo.plan(sql)) == requests


# --- rows that suffice ---------------------------------------------------------------------------


@over(
    ("sql", "limit"),
    [
        ("SELECT line FROM conn_a.w.lines WHERE grp = 'a' LIMIT 2", 2),
        ("SELECT line FROM conn_a.w.lines WHERE grp IN ('a', 'b') LIMIT 2 OFFSET 3", 5),
        ("SELECT line FROM conn_a.w.lines LIMIT 2", 2),
        ("SELECT colour FROM conn_a.w.toys LIMIT 1", 1),
        ("SELECT * FROM (SELECT line FROM conn_a.w.lines WHERE grp = 'a' LIMIT 2) WHERE line = 'q'",
         2),
        ("SELECT line FROM conn_a.w.lines WHERE grp = 'a' AND line = 'q' LIMIT 2", None),
        ("SELECT line FROM conn_a.w.lines WHERE grp = 'a' ORDER BY line LIMIT 2", None),
        ("SELECT DISTINCT line FROM conn_a.w.lines WHERE grp = 'a' LIMIT 2", None),
        ("SELECT count(*) FROM conn_a.w.lines WHERE grp = 'a' LIMIT 2", None),
        ("SELECT a.line FROM conn_a.w.lines a, mine WHERE a.grp = 'a' LIMIT 2", None),
        ("SELECT line FROM conn_a.w.lines WHERE grp = 'a'", None),
        ("(SELECT line FROM conn_a.w.lines WHERE grp = 'a' LIMIT 2) UNION ALL "
         "SELECT line FROM conn_a.w.lines WHERE grp = 'a'", None),
    ],
)  # fmt: skip
def test_a_limit_stops_paging_where_every_row_that_comes_counts(
    zoo: Stages, sql: str, limit: int | None
) -> None:
    scan = zoo.plan(sql).scans[-1]
    assert [access_path.limit for access_path in scan.access_paths] == [limit]


def test_a_limit_holds_for_a_way_that_asks_by_all_that_where_says(zoo: Stages) -> None:
    """A list of the group gives rows of other parts too: five of those may be of no use."""
    sql = "SELECT n FROM conn_a.w.items WHERE grp = 'a' AND part {} LIMIT 5"
    one, several = (zoo.plan(sql.format(part)) for part in ("= 'p'", "IN ('p', 'q')"))
    assert [
        (access_path.method.name, access_path.limit) for access_path in one.scans[0].access_paths
    ] == [("list", 5)]
    assert [
        (access_path.method.name, access_path.limit)
        for access_path in several.scans[0].access_paths
    ] == [("of_group", None)]


# --- details -------------------------------------------------------------------------------------


def test_details_are_read_for_the_rows_that_the_query_can_use(zoo: Stages) -> None:
    sql = "SELECT photo FROM conn_a.w.wares WHERE grp = 'a' AND price > 3"
    found = zoo.plan(sql)
    assert [access_paths(scan) for scan in found.scans] == [["list"], ["get"]]
    rows = [{"grp": "a", "ware": ware, "state": "new", "price": price}
            for ware, price in (("cup", 1), ("pot", 5))]  # fmt: skip
    assert zoo.fed(sql, "wares", {"wares": rows}) == [{"grp": "a", "ware": "pot", "state": "new"}]


def test_a_named_row_is_read_by_itself_and_needs_no_list(zoo: Stages) -> None:
    sql = "SELECT photo FROM conn_a.w.wares WHERE grp = 'a' AND ware {}"
    assert [access_paths(scan) for scan in zoo.plan(sql.format("= 'cup'")).scans] == [["get"]]
    assert [access_paths(scan) for scan in zoo.plan(sql.format("IN ('cup', 'pot')")).scans] == [
        ["get"]
    ]


# --- defaults ------------------------------------------------------------------------------------


@over(
    ("sql", "stands"),
    [
        ("SELECT ware FROM conn_a.w.wares w WHERE grp = 'a'", True),
        ("SELECT state FROM conn_a.w.wares w, other WHERE grp = 'a' AND other.state = 'old'", True),
        ("FROM conn_a.w.wares w, (SELECT 1 FROM other o WHERE o.state = 'old') WHERE grp = 'a'",
         True),
        ("SELECT ware FROM conn_a.w.wares w, other WHERE grp = 'a' AND w.state = other.state",
         False),
        ("SELECT ware FROM conn_a.w.wares w JOIN other USING (state) WHERE grp = 'a'", False),
        ("SELECT ware FROM (FROM conn_a.w.wares) d, other o WHERE grp = 'a' AND d.state = o.state",
         False),
        ("WITH c AS (FROM conn_a.w.wares) SELECT d.ware FROM c d, other o "
         "WHERE grp = 'a' AND d.state = o.state", False),
        ("WITH other AS (FROM conn_a.w.wares) SELECT 1 FROM other o, (SELECT 'old' AS s) p "
         "WHERE o.grp = 'a' AND o.state = p.s", False),
    ],
)  # fmt: skip
def test_a_default_stands_where_nothing_speaks_of_the_column(
    zoo: Stages, sql: str, stands: bool
) -> None:
    zoo.engine.session.duckdb.execute("CREATE TABLE IF NOT EXISTS other (state VARCHAR)")
    assert ("     state = new" in as_text(zoo.plan(sql))) == stands
