"""Where the values of parameters come from: rows of other tables, live and local ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connstat_sql.errors import BindError
from connstat_sql.planner import Plan, Scan
from tests.oracle.stages import Given, Stages, open_stages
from tests.oracle.zoo import WHOLE
from tests.tabled import over

GROUPS: Given = {
    "groups": [{"g": "a", "size": 1}, {"g": "b", "size": 2}, {"g": "b", "size": 3}],
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo"), service=WHOLE) as opened:
        duckdb = opened.engine.session.duckdb
        duckdb.execute("CREATE TABLE mine (x VARCHAR, y VARCHAR, k INTEGER, d DATE)")
        duckdb.execute(
            "INSERT INTO mine VALUES ('a', 'p', 1, DATE '2026-01-01'), ('a', 'p', 1, NULL), "
            "('b', 'q', 2, DATE '2026-01-02'), (NULL, 'r', 3, NULL)"
        )
        yield opened


def last(found: Plan) -> Scan:
    return found.scans[-1]


def bound(stages: Stages, sql: str) -> dict[str, str]:
    """The arguments of the last scan that come from rows, and where those are."""
    (source,) = last(stages.plan(sql)).sources
    return dict(source.bound)


def values(found: list[dict[str, str]], name: str) -> list[str]:
    return sorted(row[name] for row in found)


# --- local sources -------------------------------------------------------------------------------


@over(
    ("source", "expected"),
    [
        ("mine m JOIN conn_a.w.subs s ON s.grp = m.x", ["a", "b"]),
        ("mine m, conn_a.w.subs s WHERE m.x = s.grp", ["a", "b"]),
        ("mine m(grp) JOIN conn_a.w.subs s USING (grp)", ["a", "b"]),
        ("(SELECT x AS grp FROM mine) m NATURAL JOIN conn_a.w.subs s", ["a", "b"]),
        ("mine m JOIN conn_a.w.subs s ON s.grp = upper(m.x)", ["A", "B"]),
        ("mine m JOIN conn_a.w.subs s ON s.grp = m.x || '-' || m.k", ["a-1", "b-2"]),
        ("mine m JOIN conn_a.w.subs s ON s.grp = CAST(m.k AS VARCHAR)", ["1", "2", "3"]),
        ("mine m JOIN conn_a.w.subs s ON (s.grp, s.sub) = (m.x, m.y)", ["a", "b"]),
        ("mine m JOIN conn_a.w.subs s ON s.grp = m.x WHERE m.k > 1", ["b"]),
        ("range(3) r(n) JOIN conn_a.w.subs s ON s.grp = 'g' || r.n", ["g0", "g1", "g2"]),
        ("generate_series(2, 3) r(n) JOIN conn_a.w.subs s ON s.grp = 'g' || r.n", ["g2", "g3"]),
        ("mine m JOIN conn_a.w.subs s ON s.grp = m.x AND m.d IS NOT NULL AND m.y = 'q'", ["b"]),
        ("mine m LEFT JOIN conn_a.w.subs s ON s.grp = m.x AND m.k > 1", ["b"]),
        ("conn_a.w.subs s RIGHT JOIN mine m ON s.grp = m.x", ["a", "b"]),
        ("mine m SEMI JOIN conn_a.w.subs s ON s.grp = m.x", ["a", "b"]),
        ("mine m ANTI JOIN conn_a.w.subs s ON s.grp = m.x", ["a", "b"]),
        ("mine m ASOF JOIN conn_a.w.subs s ON s.grp = m.x AND m.y >= s.sub", ["a", "b"]),
        ("mine m WHERE EXISTS (FROM conn_a.w.subs s WHERE s.grp = m.x) AND m.k < 2", ["a"]),
        ("mine m WHERE NOT EXISTS (FROM conn_a.w.subs s WHERE s.grp = m.x)", ["a", "b"]),
        ("mine m WHERE m.y IN (SELECT sub FROM conn_a.w.subs s WHERE s.grp = m.x)", ["a", "b"]),
        ("conn_a.w.subs s WHERE s.grp IN (SELECT x FROM mine)", ["a", "b"]),
        ("conn_a.w.subs s WHERE s.grp = (SELECT max(x) FROM mine)", ["b"]),
        ("conn_a.w.subs s WHERE s.grp = ANY (SELECT x FROM mine WHERE k = 1)", ["a"]),
        ("mine m, LATERAL (SELECT * FROM conn_a.w.subs s WHERE s.grp = m.x LIMIT 1) l", ["a", "b"]),
        ("(VALUES ('a'), ('c')) v(k) JOIN conn_a.w.subs s ON s.grp = v.k", ["a", "c"]),
        ("(SELECT x FROM mine UNION SELECT 'c') u JOIN conn_a.w.subs s ON s.grp = u.x",
         ["a", "b", "c"]),
        ("(SELECT max(x) AS x FROM mine) u JOIN conn_a.w.subs s ON s.grp = u.x", ["b"]),
        ("(SELECT unnest(['a', 'c']) AS x) u JOIN conn_a.w.subs s ON s.grp = u.x", ["a", "c"]),
    ],
)  # fmt: skip
def test_local_rows_give_distinct_values_filtered_by_all_that_speaks_of_them(
    zoo: Stages, source: str, expected: list[str]
) -> None:
    sql = f"SELECT 1 FROM {source}"
    if "mine m(grp)" in source:
        sql = sql.replace("mine m(grp)", "mine m(grp, y, k, d)")
    assert values(zoo.fed(sql, "subs", {}), "grp") == expected


def test_a_correlated_subquery_in_the_select_list_is_fed_by_the_rows_around_it(zoo: Stages) -> None:
    sql = (
        "SELECT (SELECT count(*) FROM conn_a.w.subs s WHERE s.grp = m.x) FROM mine m WHERE m.k = 2"
    )
    assert values(zoo.fed(sql, "subs", {}), "grp") == ["b"]


def test_files_are_sources_like_any_other(zoo: Stages, tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    file.write_text("owner,grp\nme,A\nyou,B\nme,C\n", "utf-8")
    for source in (f"'{file}'", f"read_csv('{file}')", f"read_csv('{file}', header = true)"):
        sql = f"SELECT 1 FROM {source} f JOIN conn_a.w.subs s ON s.grp = lower(f.grp) "
        assert values(zoo.fed(sql + "WHERE f.owner = 'me'", "subs", {}), "grp") == ["a", "c"]


def test_a_cte_is_a_source(zoo: Stages) -> None:
    cte = "WITH c AS (SELECT x FROM mine WHERE k = 2)"
    sql = f"{cte} SELECT 1 FROM c JOIN conn_a.w.subs s ON s.grp = c.x"
    assert values(zoo.fed(sql, "subs", {}), "grp") == ["b"]


def test_a_recursive_cte_is_a_source(zoo: Stages) -> None:
    sql = (
        "WITH RECURSIVE r AS (SELECT 'a' AS x, 1 AS n UNION ALL SELECT x || 'a', n + 1 FROM r "
        "WHERE n < 3) SELECT 1 FROM r JOIN conn_a.w.subs s ON s.grp = r.x"
    )
    assert values(zoo.fed(sql, "subs", {}), "grp") == ["a", "aa", "aaa"]


def test_null_is_no_value(zoo: Stages) -> None:
    sql = "SELECT 1 FROM mine m JOIN conn_a.w.days d ON d.day = m.d"
    assert values(zoo.fed(sql, "days", {}), "day") == ["2026-01-01", "2026-01-02"]
    sql = "SELECT 1 FROM mine m JOIN conn_a.w.subs s ON s.grp = m.x WHERE m.k = 3"
    assert zoo.fed(sql, "subs", {}) == []


# --- tuples --------------------------------------------------------------------------------------


def test_two_parameters_of_one_row_stay_together(zoo: Stages) -> None:
    sql = "SELECT 1 FROM mine m JOIN conn_a.w.codes c ON c.code = m.k AND c.lang = m.x"
    assert zoo.fed(sql, "codes", {}) == [{"code": "1", "lang": "a"}, {"code": "2", "lang": "b"}]


def test_two_parameters_come_from_two_tables_joined_by_what_ties_them(zoo: Stages) -> None:
    tables = "conn_a.w.groups g, mine m JOIN conn_a.w.codes c ON c.lang = m.x"
    sql = f"SELECT 1 FROM {tables} WHERE c.code = g.size"
    assert bound(zoo, sql) == {"code": "scan_1.size", "lang": "m.x"}
    assert len(zoo.fed(sql, "codes", GROUPS)) == 6
    tied = zoo.fed(f"{sql} AND g.g = m.x", "codes", GROUPS)
    assert tied == [
        {"code": "1", "lang": "a"}, {"code": "2", "lang": "b"}, {"code": "3", "lang": "b"},
    ]  # fmt: skip


def test_a_constant_and_a_value_of_a_row_make_one_tuple(zoo: Stages) -> None:
    sql = "SELECT 1 FROM mine m JOIN conn_a.w.codes c ON c.code = m.k AND c.lang IN ('a', 'z')"
    found = zoo.fed(f"{sql} WHERE m.k < 3", "codes", {})
    pairs = sorted((row["code"], row["lang"]) for row in found)
    assert pairs == [("1", "a"), ("1", "z"), ("2", "a"), ("2", "z")]


def test_tuples_of_constants_meet_only_the_rows_that_fit_them(zoo: Stages) -> None:
    pairs = "(i.part, m.y) IN (('1', 'p'), ('2', 'q'), ('2', 'r'), ('3', 'z'))"
    sql = f"SELECT 1 FROM mine m JOIN conn_a.w.items i ON i.grp = m.x AND {pairs}"
    found = [(row["grp"], row["part"]) for row in zoo.fed(sql, "items", {})]
    assert set(found) == {("a", "1"), ("b", "2")}


# --- live sources --------------------------------------------------------------------------------


@over(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM {g} g JOIN {s} s ON s.grp = g.g", ["a", "b"]),
        ("SELECT 1 FROM {s} s JOIN {g} g ON s.grp = g.g", ["a", "b"]),
        ("SELECT 1 FROM {g} g JOIN {s} s ON s.grp = g.g WHERE g.size = 1", ["a"]),
        ("SELECT 1 FROM {g} g JOIN {s} s ON s.grp = g.g WHERE g.size + 1 = 2", ["a"]),
        ("SELECT 1 FROM {g} g JOIN {s} s ON s.grp = lower(g.g) || g.size", ["a1", "b2", "b3"]),
        ("SELECT 1 FROM {g} g LEFT JOIN {s} s ON s.grp = g.g AND g.size = 1", ["a"]),
        ("SELECT 1 FROM {s} s WHERE s.grp IN (SELECT g FROM {g} WHERE size > 1)", ["b"]),
        ("SELECT 1 FROM {s} s WHERE s.grp = (SELECT min(g) FROM {g})", ["a"]),
        ("SELECT 1 FROM {s} s WHERE EXISTS (FROM {g} g WHERE g.g = s.grp AND g.size > 1)", ["b"]),
        ("SELECT 1 FROM {g} g WHERE NOT EXISTS (FROM {s} s WHERE s.grp = g.g)", ["a", "b"]),
        ("SELECT 1 FROM {g} g, LATERAL (SELECT * FROM {s} s WHERE s.grp = g.g LIMIT 1) l",
         ["a", "b"]),
        ("WITH c AS (SELECT g FROM {g} WHERE size = 1) SELECT 1 FROM c JOIN {s} s ON s.grp = c.g",
         ["a"]),
        ("SELECT 1 FROM (SELECT g, max(size) AS m FROM {g} GROUP BY g) c JOIN {s} s ON s.grp = c.g "
         "WHERE c.m > 1", ["b"]),
        ("SELECT 1 FROM (SELECT g, size FROM {g}) c, {s} s WHERE grp = c.g AND c.size = 1", ["a"]),
    ],
)  # fmt: skip
def test_rows_of_a_live_table_are_fetched_first_and_feed_the_other(
    zoo: Stages, sql: str, expected: list[str]
) -> None:
    text = sql.format(g="conn_a.w.groups", s="conn_a.w.subs")
    found = zoo.plan(text)
    assert [scan.resource.table.resource for scan in found.scans] == ["groups", "subs"]
    assert last(found).depends_on == ("scan_1",)
    assert last(found).expected_requests is None
    assert values(zoo.fed(text, "subs", GROUPS), "grp") == expected


def test_a_chain_is_walked_from_its_beginning_whatever_the_order_in_the_text(zoo: Stages) -> None:
    sql = (
        "SELECT 1 FROM conn_a.w.marks m JOIN conn_a.w.items i USING (grp, part, name) "
        "JOIN conn_a.w.subs s ON (s.grp, s.sub) = (i.grp, i.part) "
        "JOIN conn_a.w.groups g ON g.g = s.grp WHERE g.size = 1"
    )
    order = [scan.resource.table.resource for scan in zoo.plan(sql).scans]
    assert order[0] == "groups"
    assert order[-1] == "marks"
    rows = {"items": [{"grp": "a", "part": "p", "name": "n"}], "subs": [{"grp": "a", "sub": "p"}]}
    assert zoo.fed(sql, "marks", {**GROUPS, **rows}) == [{"grp": "a", "part": "p", "name": "n"}]
    assert zoo.fed(sql, "marks", {**rows, "groups": []}) == []


def test_a_self_join_is_fed_by_the_mention_that_has_a_value(zoo: Stages) -> None:
    sql = "SELECT 1 FROM conn_a.w.subs b JOIN conn_a.w.subs a ON b.grp = a.sub WHERE a.grp = 'x'"
    first, second = zoo.plan(sql).scans
    assert first.constants.rows == (("conn_a", "x"),)
    assert dict(second.sources[0].bound) == {"grp": "scan_1.sub"}


def test_rows_feed_only_the_connections_that_the_query_ties_them_to(zoo: Stages) -> None:
    rows = {"groups": [{"g": "a"}, {"g": "b", "_connection": "conn_b"}]}
    sql = "SELECT 1 FROM zoo.w.groups g JOIN zoo.w.subs s ON s.grp = g.g"

    def fed(more: str) -> list[tuple[str, str]]:
        found = zoo.fed(sql + more, "subs", rows, hidden=True)
        return sorted((row["_connection"], row["grp"]) for row in found)

    assert fed("") == [(one, g) for one in ("conn_a", "conn_b") for g in "ab"]
    assert fed(" AND s._connection = g._connection") == [("conn_a", "a"), ("conn_b", "b")]
    assert fed(" WHERE s._connection = 'conn_b'") == [("conn_b", "a"), ("conn_b", "b")]
    assert fed(" WHERE s._connection = g._connection AND g._connection = 'conn_b'") == [
        ("conn_b", "b")
    ]


# --- what feeds nothing --------------------------------------------------------------------------


@over(
    "sql",
    [
        "SELECT 1 FROM conn_a.w.groups g RIGHT JOIN conn_a.w.subs s ON s.grp = g.g || 'x'",
        "SELECT 1 FROM conn_a.w.groups g FULL JOIN conn_a.w.subs s ON s.grp = g.g || 'x'",
        "SELECT 1 FROM conn_a.w.subs s ANTI JOIN mine m ON s.grp = m.x",
        "SELECT 1 FROM conn_a.w.subs s WHERE NOT EXISTS (FROM mine m WHERE s.grp = m.x)",
        "SELECT 1 FROM conn_a.w.subs s WHERE s.grp NOT IN (SELECT x FROM mine)",
        "SELECT 1 FROM mine m WHERE m.x NOT IN (SELECT grp FROM conn_a.w.subs)",
        "SELECT 1 FROM mine m JOIN conn_a.w.subs s ON lower(s.grp) = m.x",
        "SELECT 1 FROM mine m JOIN conn_a.w.subs s ON s.grp = m.x || random()",
        "SELECT 1 FROM mine m JOIN conn_a.w.subs s ON s.grp = m.x OR m.k = 1",
        "SELECT 1 FROM mine m LEFT JOIN conn_a.w.subs s ON true WHERE coalesce(s.grp, m.x) = m.x",
        "SELECT 1 FROM (SELECT first(x) AS x FROM mine) m JOIN conn_a.w.subs s ON s.grp = m.x",
        "SELECT 1 FROM (SELECT * FROM conn_a.w.subs LIMIT 5) s JOIN mine m ON s.grp = m.x",
        "SELECT 1 FROM (SELECT grp, count(*) OVER () FROM conn_a.w.subs) s JOIN mine m ON grp = x",
    ],
)
def test_where_the_other_table_may_not_restrict_the_parents_are_asked(
    zoo: Stages, sql: str
) -> None:
    scan = last(zoo.plan(sql))
    assert scan.resource.table.resource == "subs"
    assert scan.reason.startswith("grp enumerated from zoo.w.groups")
    assert dict(scan.sources[0].bound) == {"grp": "scan_1.g"}
    assert values(zoo.fed(sql, "subs", GROUPS), "grp") == ["a", "b"]


@over(
    "sql",
    [
        "SELECT 1 FROM mine m LEFT JOIN conn_a.w.days d ON d.day >= m.d",
        "SELECT 1 FROM conn_a.w.days d LEFT JOIN mine m ON d.day = m.d",
        "SELECT 1 FROM conn_a.w.days d WHERE d.day NOT IN (SELECT d FROM mine)",
        "SELECT 1 FROM conn_a.w.days a JOIN conn_a.w.days b USING (day)",
        "SELECT 1 FROM conn_a.w.days a, conn_a.w.codes b WHERE a.day = b.day AND code = amount",
    ],
)
def test_without_a_parent_there_it_is_an_error(zoo: Stages, sql: str) -> None:
    with pytest.raises(BindError, match=r"zoo\.w\.(days needs day|codes needs )"):
        zoo.plan(sql)


# --- equality that no API knows ------------------------------------------------------------------


@over(
    "tail",
    [
        "mine m JOIN conn_a.w.subs s ON s.grp = m.x COLLATE NOCASE",
        "mine m JOIN conn_a.w.subs s ON s.grp COLLATE NOCASE = m.x",
        "mine m JOIN conn_a.w.subs s ON s.grp = trim(m.x COLLATE NOCASE)",
        "(SELECT x COLLATE NOCASE AS x FROM mine) m JOIN conn_a.w.subs s ON s.grp = m.x",
        "(SELECT x COLLATE NOCASE AS x FROM mine) m JOIN conn_a.w.subs s ON s.grp = m.x || ''",
        "mine m, LATERAL (SELECT m.x COLLATE NOCASE AS y) l JOIN conn_a.w.subs s ON s.grp = l.y",
        "conn_a.w.subs s WHERE s.grp IN (SELECT x COLLATE NOCASE FROM mine)",
        "conn_a.w.subs s WHERE s.grp = (SELECT max(x COLLATE NOCASE) FROM mine)",
        "conn_a.w.subs s WHERE EXISTS (FROM mine m WHERE s.grp = m.x COLLATE NOCASE)",
        "(SELECT grp COLLATE NOCASE AS grp FROM conn_a.w.subs) s JOIN mine m ON s.grp = m.x",
        "conn_a.w.groups g JOIN conn_a.w.subs s ON s.grp = g.g COLLATE NOCASE",
    ],
)
def test_a_collation_in_the_query_makes_no_value(zoo: Stages, tail: str) -> None:
    sql = f"SELECT 1 FROM {tail}"
    assert last(zoo.plan(sql)).reason.startswith("grp enumerated from zoo.w.groups")


@pytest.mark.parametrize(
    "tail",
    [
        "named m JOIN conn_a.w.subs s ON s.grp = m.x",
        "named m JOIN conn_a.w.subs s ON s.grp = trim(m.x)",
        "named m(grp) JOIN conn_a.w.subs s USING (grp)",
        "(SELECT x AS y FROM named) m JOIN conn_a.w.subs s ON s.grp = m.y",
        "(SELECT max(x) AS y FROM named) m JOIN conn_a.w.subs s ON s.grp = m.y",
        "(SELECT x AS y FROM named UNION SELECT 'c') m JOIN conn_a.w.subs s ON s.grp = m.y",
        "(SELECT x AS y FROM named LIMIT 1) m JOIN conn_a.w.subs s ON s.grp = m.y",
        "conn_a.w.subs s WHERE s.grp IN (SELECT x FROM named)",
        "conn_a.w.subs s WHERE s.grp = (SELECT x FROM named)",
        "conn_a.w.subs s WHERE s.grp = (SELECT max(x) FROM named)",
        "conn_a.w.subs s WHERE EXISTS (FROM named m WHERE s.grp = m.x)",
    ],
)
def test_a_column_with_a_collation_of_its_own_gives_no_value(tmp_path: Path, tail: str) -> None:
    with open_stages(tmp_path, service=WHOLE) as stages:
        stages.engine.session.duckdb.execute("CREATE TABLE named (x VARCHAR COLLATE NOCASE)")
        scan = last(stages.plan(f"SELECT 1 FROM {tail}"))
        assert scan.reason.startswith("grp enumerated from zoo.w.groups")


@over("on", ["s.grp = m.k", "s.grp = m.d", "s.grp = CAST(m.k AS DOUBLE)", "s.grp = [m.x][1]::JSON"])
def test_a_value_of_another_type_is_no_value(zoo: Stages, on: str) -> None:
    sql = f"SELECT 1 FROM mine m JOIN conn_a.w.subs s ON {on}"
    assert last(zoo.plan(sql)).reason.startswith("grp enumerated from zoo.w.groups")


def test_a_text_is_a_value_for_a_column_of_another_type_as_duckdb_reads_it(zoo: Stages) -> None:
    texts = "(VALUES ('05'), (' 7'), ('seven')) v(x)"
    sql = f"SELECT 1 FROM {texts} JOIN conn_a.w.codes c ON c.code = v.x AND c.lang = 'a'"
    assert values(zoo.fed(sql, "codes", {}), "code") == ["5", "7"]


def test_rows_that_are_alike_are_not_combined(zoo: Stages) -> None:
    duckdb = zoo.engine.session.duckdb
    duckdb.execute("CREATE TABLE many AS SELECT 'a' AS x, 'p' AS y FROM range(10_000)")
    others = " ".join(f"JOIN many m{n} ON m{n}.x = many.x AND m{n}.y = 'p'" for n in range(5))
    (source,) = last(
        zoo.plan(f"SELECT 1 FROM many {others} JOIN conn_a.w.subs s ON s.grp = many.x")
    ).sources
    assert duckdb.execute(source.sql).fetchall() == [("conn_a", "a")]


def test_what_equals_the_same_column_is_equal_though_no_row_of_that_is_there(zoo: Stages) -> None:
    sql = """SELECT 1 FROM mine m, conn_a.w.subs s, conn_a.w.marks k
        WHERE m.x = k.grp AND k.grp = s.grp AND k.part = s.sub AND k.name = 'n'"""
    first, second = zoo.plan(sql).scans
    assert (first.resource.table.resource, second.resource.table.resource) == ("subs", "marks")
    assert dict(first.sources[0].bound) == {"grp": "m.x"}


# --- parents -------------------------------------------------------------------------------------


@over(
    ("where", "order", "bound_to"),
    [
        ("true", ["groups", "items", "marks"],
         {"grp": "scan_2.grp", "part": "scan_2.part", "name": "scan_2.name"}),
        ("grp = 'a'", ["items", "marks"], {"part": "scan_1.part", "name": "scan_1.name"}),
        ("grp = 'a' AND part = 'p'", ["items", "marks"], {"name": "scan_1.name"}),
        ("grp = 'a' AND part = 'p' AND name = 'n'", ["marks"], {}),
        ("name = 'n'", ["groups", "subs", "marks"], {"grp": "scan_2.grp", "part": "scan_2.sub"}),
    ],
)  # fmt: skip
def test_values_at_any_level_prune_the_walk_from_the_parents(
    zoo: Stages, where: str, order: list[str], bound_to: Mapping[str, str]
) -> None:
    sql = f"SELECT 1 FROM conn_a.w.marks WHERE {where}"
    assert [scan.resource.table.resource for scan in zoo.plan(sql).scans] == order
    assert bound(zoo, sql) == bound_to


def test_a_value_that_rows_give_prunes_the_walk_as_well(zoo: Stages) -> None:
    sql = "SELECT 1 FROM mine m JOIN conn_a.w.marks k ON k.grp = m.x AND m.k = 1"
    found = zoo.plan(sql)
    assert [scan.resource.table.resource for scan in found.scans] == ["items", "marks"]
    assert dict(found.scans[0].sources[0].bound) == {"grp": "m.x"}
    rows = [{"grp": g, "part": "p", "name": "n"} for g in ("a", "b")]
    assert zoo.fed(sql, "marks", {"items": rows}) == rows[:1]


def test_a_parent_is_filtered_by_what_the_query_says_of_the_values(zoo: Stages) -> None:
    rows = {"groups": [{"g": g} for g in ("aa", "ab", "b")]}
    for where in ("grp LIKE 'a%'", "grp < 'b'", "grp <> 'b' AND kind = 'q'"):
        found = zoo.fed(f"SELECT kind FROM conn_a.w.subs WHERE {where}", "subs", rows)
        assert values(found, "grp") == ["aa", "ab"]
