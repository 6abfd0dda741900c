"""What reaches a table through derived tables, CTEs and set operations, and what stays outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.stages import Restriction, Stages, open_stages
from tests.tabled import over

X, Y = [{"grp": "x"}], [{"grp": "y"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def below(stages: Stages, inner: str, where: str = "grp = 'x'") -> Restriction:
    """What restricts `subs` in a subquery, its columns named `(…)`, under a WHERE outside.

    A CTE of the same text must be treated alike.
    """
    (found,) = stages.reaching(f"SELECT 1 FROM ({inner}) WHERE {where}", "subs")
    cte = f"WITH c AS ({inner}) SELECT 1 FROM c WHERE {where}"
    assert stages.reaching(cte, "subs") == [found]
    return found


SUBS = "FROM zoo.w.subs"


@over(
    "inner",
    [
        SUBS,
        f"SELECT * {SUBS}",
        f"SELECT s.* {SUBS} s",
        f"SELECT sub, grp {SUBS}",
        f"SELECT grp, upper(sub) AS big, 1 AS one {SUBS}",
        f"SELECT kind AS sub, grp {SUBS} ORDER BY sub",
        f"SELECT grp FROM (SELECT grp, kind FROM (SELECT * {SUBS}) a) b",
        f"(SELECT grp {SUBS})",
        f"SELECT s.grp {SUBS} s JOIN zoo.w.items i ON i.part = s.sub",
        f"SELECT s.grp {SUBS} s LEFT JOIN zoo.w.items i ON i.part = s.sub",
    ],
)
def test_a_plain_column_of_a_subquery_is_the_column_inside(stages: Stages, inner: str) -> None:
    assert below(stages, inner) == X


@over(
    "inner",
    [
        f"SELECT lower(grp) AS grp {SUBS}",
        f"SELECT 'x' AS grp {SUBS}",
        f"SELECT sub AS grp {SUBS}",
        f"SELECT coalesce(grp, 'x') AS grp {SUBS}",
        f"SELECT CAST(grp AS VARCHAR) AS grp {SUBS}",
        f"SELECT * REPLACE ('x' AS grp) {SUBS}",
        f"SELECT (SELECT max(g) FROM zoo.w.groups) AS grp {SUBS}",
        f"SELECT i.grp {SUBS} s JOIN zoo.w.items i ON i.part = s.sub",
        f"SELECT i.grp {SUBS} s LEFT JOIN zoo.w.items i ON i.grp = s.grp",
    ],
)
def test_a_column_that_is_made_of_others_tells_nothing_by_itself(
    stages: Stages, inner: str
) -> None:
    found = below(stages, inner, "grp || '' = 'x'")
    assert found is None
    found = below(stages, inner) if "LEFT JOIN" not in inner else None
    assert found is None or all("grp" not in row for row in found)


def test_columns_are_matched_by_the_names_outside(stages: Stages) -> None:
    (found,) = stages.reaching(
        f"SELECT 1 FROM (SELECT sub, grp {SUBS}) AS s(a, b) WHERE b = 'x'", "subs"
    )
    assert found == X
    (found,) = stages.reaching(f"WITH c(a, b, z) AS ({SUBS}) SELECT 1 FROM c WHERE z = 'x'", "subs")
    assert found == X
    sql = f"WITH c(a, b, z) AS ({SUBS}) SELECT 1 FROM c AS d(z, b, a) WHERE d.a = 'x'"
    assert stages.reaching(sql, "subs") == [X]


# --- grouping ------------------------------------------------------------------------------------


@over(
    ("inner", "expected"),
    [
        (f"SELECT grp, count(*) AS c {SUBS} GROUP BY grp", X),
        (f"SELECT grp, count(*) AS c {SUBS} GROUP BY 1", X),
        (f"SELECT grp, count(*) AS c {SUBS} GROUP BY ALL", X),
        (f"SELECT grp, sub, count(*) AS c {SUBS} GROUP BY sub, grp", X),
        (f"SELECT s.grp AS grp {SUBS} s GROUP BY s.grp HAVING count(*) > 1", X),
        (f"SELECT sub, max(grp) AS grp {SUBS} GROUP BY sub", None),
        (f"SELECT sub, any_value(grp) AS grp {SUBS} GROUP BY sub", None),
        (f"SELECT max(grp) AS grp {SUBS}", None),
        (f"SELECT max(grp) AS grp {SUBS} HAVING count(*) > 1", None),
        (f"SELECT grp, count(*) AS c {SUBS} GROUP BY ROLLUP (grp)", None),
        (f"SELECT grp, sub, count(*) AS c {SUBS} GROUP BY CUBE (grp, sub)", None),
        (f"SELECT grp, count(*) AS c {SUBS} GROUP BY GROUPING SETS ((grp), ())", None),
        (f"SELECT grp, sub, count(*) AS c {SUBS} GROUP BY grp, ROLLUP (sub)", None),
    ],
)
def test_only_grouping_keys_let_a_predicate_through(
    stages: Stages, inner: str, expected: Restriction
) -> None:
    assert below(stages, inner) == expected


@over(
    ("tail", "expected"),
    [
        ("GROUP BY grp HAVING grp = 'x'", X),
        ("GROUP BY grp HAVING grp = 'x' AND count(*) > 1", X),
        ("GROUP BY grp HAVING grp = 'x' OR count(*) > 1", None),
        ("GROUP BY grp HAVING max(grp) = 'x'", None),
        ("GROUP BY ROLLUP (grp) HAVING grp = 'x'", None),
        ("GROUP BY sub HAVING max(grp) = 'x'", None),
    ],
)
def test_having_restricts_by_its_keys(stages: Stages, tail: str, expected: Restriction) -> None:
    assert stages.reaching(f"SELECT count(*) {SUBS} {tail}", "subs") == [expected]


def test_where_comes_before_any_grouping(stages: Stages) -> None:
    for tail in ("", "GROUP BY ROLLUP (sub)", "GROUP BY GROUPING SETS ((grp), ())", "LIMIT 3"):
        sql = f"SELECT count(*) {SUBS} WHERE grp = 'x' {tail}"
        assert stages.reaching(sql, "subs") == [X]


# --- windows, DISTINCT, LIMIT, chance ------------------------------------------------------------


@over(
    ("inner", "expected"),
    [
        (f"SELECT grp, count(*) OVER (PARTITION BY grp) AS c {SUBS}", X),
        (f"SELECT grp, row_number() OVER (PARTITION BY sub, grp ORDER BY kind) AS r {SUBS}", X),
        (f"SELECT grp {SUBS} QUALIFY row_number() OVER (PARTITION BY grp) = 1", X),
        (f"SELECT grp, count(*) OVER () AS c {SUBS}", None),
        (f"SELECT grp, count(*) OVER (ORDER BY grp) AS c {SUBS}", None),
        (f"SELECT grp, count(*) OVER (PARTITION BY sub) AS c {SUBS}", None),
        (f"SELECT grp {SUBS} QUALIFY row_number() OVER (ORDER BY sub) = 1", None),
        (f"SELECT grp, count(*) OVER w AS c {SUBS} WINDOW w AS (ORDER BY sub)", None),
        (f"SELECT grp, lag(sub) OVER (PARTITION BY lower(grp)) AS c {SUBS}", None),
    ],
)
def test_a_window_lets_through_what_every_window_is_split_by(
    stages: Stages, inner: str, expected: Restriction
) -> None:
    assert below(stages, inner) == expected


def test_of_several_windows_each_must_be_split_by_the_column(stages: Stages) -> None:
    inner = (
        "SELECT grp, sub, count(*) OVER (PARTITION BY grp) AS c, "
        f"count(*) OVER (PARTITION BY grp, sub) AS d {SUBS}"
    )
    assert below(stages, inner, "grp = 'x' AND sub = 'q'") == X


BY_GRP = "row_number() OVER (PARTITION BY grp ORDER BY sub)"


@over(
    ("listed", "qualify", "expected"),
    [
        (f"{BY_GRP} AS k, grp AS o", "k = 1 AND o = 'x'", X),
        (f"{BY_GRP} AS k, grp AS o", "k = 1 AND (o = 'x' OR grp IN ('x'))", X),
        ("sub", f"{BY_GRP} = 1 AND grp = 'x'", X),
        ("sub, count(*) OVER (PARTITION BY sub, grp) AS n", f"{BY_GRP} = 1 AND grp = 'x'", X),
        ("grp", "row_number() OVER () = 1 AND grp = 'x'", None),
        ("grp AS o", "row_number() OVER (PARTITION BY sub) = 1 AND o = 'x'", None),
        ("sub, count(*) OVER () AS n", f"{BY_GRP} = 1 AND grp = 'x'", None),
        ("sub", f"{BY_GRP} = 1 OR grp = 'x'", None),
        ("sub", f"{BY_GRP} = 1 AND NOT grp <> 'x'", None),
        ("sub", f"{BY_GRP} = 1 AND grp = 'x' COLLATE NOCASE", None),
        ("sub", f"{BY_GRP} = 1 AND lower(grp) = 'x'", None),
        ("sub AS grp", f"{BY_GRP} = 1 AND grp = 'x'", None),
        ("sub, random() AS r", f"{BY_GRP} = 1 AND grp = 'x'", None),
        ("count(*) AS n", "row_number() OVER () = 1 AND n = 1", None),
    ],
)
def test_qualify_restricts_by_what_every_window_is_split_by(
    stages: Stages, listed: str, qualify: str, expected: Restriction
) -> None:
    assert stages.reaching(f"SELECT {listed} {SUBS} QUALIFY {qualify}", "subs") == [expected]


@over(
    ("by", "expected"),
    [
        ("grp", X), ("ALL", X), ("grp, sub", X), ("1, sub", X), ("sub, lower(grp)", None),
        ("ROLLUP (grp)", None), ("GROUPING SETS ((grp), ())", None),
    ],
)  # fmt: skip
def test_qualify_restricts_by_keys_of_groups_alone(
    stages: Stages, by: str, expected: Restriction
) -> None:
    listed = "grp AS o" if "lower" not in by else "lower(grp) AS o"
    sql = f"""SELECT {listed}, count(*) AS n {SUBS} GROUP BY {by}
        QUALIFY max(count(*)) OVER (PARTITION BY grp) = 1 AND grp = 'x'"""
    assert stages.reaching(sql, "subs") == [expected]


@over(
    ("inner", "expected"),
    [
        (f"SELECT DISTINCT grp, kind {SUBS}", X),
        (f"SELECT DISTINCT ON (grp) grp, sub {SUBS} ORDER BY grp, sub", X),
        (f"SELECT DISTINCT ON (sub) grp, sub {SUBS} ORDER BY sub, grp", None),
        (f"SELECT grp {SUBS} LIMIT 5", None),
        (f"SELECT grp {SUBS} ORDER BY sub LIMIT 5", None),
        (f"SELECT grp {SUBS} LIMIT 50%", None),
        (f"SELECT grp {SUBS} OFFSET 5", None),
        (f"(SELECT grp {SUBS}) LIMIT 5", None),
        (f"SELECT grp FROM (SELECT grp {SUBS} LIMIT 5)", None),
        (f"SELECT grp {SUBS} USING SAMPLE 5 ROWS", None),
        (f"SELECT grp {SUBS} TABLESAMPLE 50%", None),
        (f"SELECT grp, random() AS r {SUBS}", None),
        (f"SELECT grp, uuid() AS r {SUBS}", None),
        (f"SELECT unnest([grp]) AS grp {SUBS}", None),
    ],
)
def test_what_fewer_rows_would_change_lets_nothing_through(
    stages: Stages, inner: str, expected: Restriction
) -> None:
    assert below(stages, inner) == expected


def test_a_pivot_lets_nothing_through(stages: Stages) -> None:
    for inner in (f"PIVOT (SELECT grp, kind, sub {SUBS}) ON kind USING count(*)",
                  f"UNPIVOT (SELECT grp, kind, sub {SUBS}) ON kind, sub"):  # fmt: skip
        (found,) = stages.reaching(f"SELECT 1 FROM ({inner}) WHERE grp = 'x'", "subs")
        assert found is None


# --- set operations ------------------------------------------------------------------------------

OTHERS = ("UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL")


@over("word", OTHERS)
def test_a_predicate_enters_every_branch_by_the_place_of_its_column(
    stages: Stages, word: str
) -> None:
    inner = f"SELECT grp, 1 {SUBS} {word} SELECT part, n FROM zoo.w.items"
    sql = f"SELECT 1 FROM ({inner}) WHERE grp = 'x'"
    assert stages.reaching(sql, "subs") == [X]
    assert stages.reaching(sql, "items") == [[{"part": "x"}]]


@over("word", ["UNION BY NAME", "UNION ALL BY NAME"])
def test_by_name_it_enters_where_the_branch_has_the_name(stages: Stages, word: str) -> None:
    inner = f"SELECT sub, grp {SUBS} {word} SELECT grp, part FROM zoo.w.items"
    sql = f"SELECT 1 FROM ({inner}) WHERE grp = 'x'"
    assert (stages.reaching(sql, "subs"), stages.reaching(sql, "items")) == ([X], [X])
    sql = f"SELECT 1 FROM ({inner}) WHERE part = 'x'"
    assert (stages.reaching(sql, "subs"), stages.reaching(sql, "items")) == (
        [[]],
        [[{"part": "x"}]],
    )
    assert stages.reaching(sql, "items") == [[{"part": "x"}]]


def test_it_enters_three_branches_and_those_of_branches(stages: Stages) -> None:
    sql = (
        f"SELECT 1 FROM (SELECT grp {SUBS} UNION ALL SELECT grp FROM zoo.w.items "
        f"UNION ALL (SELECT sub {SUBS} EXCEPT SELECT grp {SUBS})) WHERE grp = 'x'"
    )
    assert stages.reaching(sql, "subs") == [X, None, X]
    assert stages.reaching(sql, "items") == [X]


@over(
    ("inner", "subs", "items"),
    [
        (f"SELECT grp {SUBS} UNION ALL SELECT grp FROM zoo.w.items LIMIT 5", None, None),
        (
            f"(SELECT grp {SUBS} ORDER BY sub LIMIT 5) UNION ALL SELECT grp FROM zoo.w.items",
            None,
            X,
        ),
        (f"SELECT grp {SUBS} UNION ALL SELECT max(grp) FROM zoo.w.items", X, None),
        (f"SELECT grp {SUBS} UNION ALL SELECT lower(grp) FROM zoo.w.items", X, None),
    ],
)
def test_a_branch_may_keep_out_what_another_lets_in(
    stages: Stages, inner: str, subs: Restriction, items: Restriction
) -> None:
    sql = f"SELECT 1 FROM ({inner}) WHERE grp = 'x'"
    assert stages.reaching(sql, "subs") == [subs]
    assert stages.reaching(sql, "items") == [items]


def test_a_branch_of_another_type_keeps_it_out(stages: Stages) -> None:
    """In a column of texts '5' equals the text alone; as a number it equals 5 of any spelling."""
    codes = "SELECT code FROM zoo.w.codes WHERE lang = 'a'"
    sql = f"SELECT 1 FROM ({codes} UNION ALL SELECT grp {SUBS}) t(v) WHERE v = '5'"
    assert stages.reaching(sql, "codes") == [[{"lang": "a"}]]
    assert stages.reaching(sql, "subs") == [[{"grp": "5"}]]


def test_each_branch_has_its_own_where(stages: Stages) -> None:
    sql = f"SELECT grp {SUBS} WHERE grp = 'x' UNION ALL SELECT grp {SUBS} WHERE grp = 'y'"
    assert stages.reaching(sql, "subs") == [X, Y]
    sql = f"SELECT 1 FROM ({sql}) WHERE grp IN ('x', 'z')"
    assert stages.reaching(sql, "subs") == [X, []]


# --- CTEs ----------------------------------------------------------------------------------------

CTE = f"WITH c AS (SELECT * {SUBS}) SELECT 1 FROM "


@over(
    ("tail", "expected"),
    [
        ("c WHERE grp = 'x'", [X]),
        ("c a, c b WHERE a.grp = 'x' AND b.grp = 'y'", [X, Y]),
        ("c a, c b WHERE a.grp = 'x'", [X, None]),
        ("c a JOIN c b USING (grp) WHERE a.grp = 'x'", [X, X]),
        ("c WHERE grp = 'x' UNION ALL SELECT 1 FROM c WHERE grp = 'y'", [X, Y]),
        ("zoo.w.groups g WHERE EXISTS (FROM c WHERE grp = 'x')", [X]),
        ("zoo.w.groups", []),
    ],
)
def test_a_cte_is_read_as_often_as_it_is_mentioned(
    stages: Stages, tail: str, expected: list[Restriction]
) -> None:
    assert stages.reaching(CTE + tail, "subs") == expected


def test_ctes_of_ctes_multiply(stages: Stages) -> None:
    ctes = f"c AS ({SUBS}), d AS (FROM c WHERE grp = 'x' UNION ALL FROM c)"
    sql = f"WITH {ctes} FROM d, c WHERE c.grp = 'y'"
    assert sorted(stages.reaching(sql, "subs"), key=str) == sorted([X, None, Y], key=str)


def test_the_innermost_of_equal_names_counts(stages: Stages) -> None:
    inner = f"(WITH c AS ({SUBS}) FROM c)"
    sql = f"WITH c AS ({SUBS} WHERE grp = 'y') SELECT 1 FROM {inner} a, c WHERE a.grp = 'x'"
    assert stages.reaching(sql, "subs") == [Y, X]
    sql = f"WITH subs AS ({SUBS}) SELECT 1 FROM subs WHERE grp = 'x'"
    assert stages.reaching(sql, "subs") == [X]


RECURSIVE = "WITH RECURSIVE r AS ({} UNION {}) SELECT 1 FROM r WHERE grp = 'x'"


def test_nothing_enters_a_recursive_cte_from_outside(stages: Stages) -> None:
    step = f"SELECT s.grp, s.sub {SUBS} s JOIN r ON s.grp = r.sub"
    sql = RECURSIVE.format(f"SELECT grp, sub {SUBS}", step)
    assert stages.reaching(sql, "subs") == [None, None]


def test_the_halves_of_a_recursive_cte_are_restricted_by_themselves(stages: Stages) -> None:
    step = "SELECT i.grp, i.part FROM zoo.w.items i JOIN r ON i.part = r.sub AND i.grp = 'y'"
    sql = RECURSIVE.format(f"SELECT grp, sub {SUBS} WHERE grp = 'z'", step)
    assert stages.reaching(sql, "subs") == [[{"grp": "z"}]]
    assert stages.reaching(sql, "items") == [Y]


def test_a_cte_that_does_not_name_itself_is_none_whatever_its_with_says(stages: Stages) -> None:
    sql = f"WITH RECURSIVE c AS (SELECT grp {SUBS}) SELECT 1 FROM c WHERE grp = 'x'"
    assert stages.reaching(sql, "subs") == [X]


# --- how many rows are enough --------------------------------------------------------------------


@over(
    ("sql", "limit"),
    [
        (f"SELECT sub {SUBS} LIMIT 5", 5),
        (f"SELECT sub {SUBS} LIMIT 5 OFFSET 2", 7),
        (f"SELECT sub {SUBS} WHERE grp = 'x' LIMIT 5", 5),
        (f"SELECT 1 FROM (SELECT sub {SUBS} LIMIT 5)", 5),
        (f"SELECT sub || 'x' {SUBS} LIMIT 2 + 3", 5),
        (f"SELECT sub {SUBS}", None),
        (f"SELECT DISTINCT kind {SUBS} LIMIT 5", None),
        (f"SELECT kind {SUBS} GROUP BY kind LIMIT 5", None),
        (f"SELECT count(*) {SUBS} LIMIT 5", None),
        (f"SELECT sub {SUBS} WHERE kind = 'q' OR true LIMIT 5", None),
        (f"SELECT sub {SUBS} WHERE lower(kind) = 'q' LIMIT 5", None),
        (f"SELECT sub {SUBS} LIMIT 50%", None),
        (f"SELECT sub, count(*) OVER () {SUBS} LIMIT 5", None),
        (f"SELECT s.sub {SUBS} s, zoo.w.groups LIMIT 5", None),
        (f"SELECT unnest([sub, kind]) {SUBS} LIMIT 5", None),
        (f"SELECT sub {SUBS} UNION ALL SELECT kind {SUBS} LIMIT 5", None),
        (f"SELECT sub {SUBS} LIMIT (SELECT 5)", None),
        (f"SELECT sub {SUBS} USING SAMPLE 5 ROWS", None),
        (f"SELECT sub {SUBS} ORDER BY lower(sub) LIMIT 5", None),
        (f"SELECT sub {SUBS} ORDER BY sub, kind LIMIT 5", None),
    ],
)
def test_limit_is_known_where_nothing_else_stands_between(
    stages: Stages, sql: str, limit: int | None
) -> None:
    accesses = [access for table in stages.bind(sql).tables for access in table.accesses]
    assert {access.limit for access in accesses} == {limit}


@over(
    ("order", "expected"),
    [
        ("ORDER BY sub", ("sub", False)),
        ("ORDER BY sub DESC", ("sub", True)),
        ("ORDER BY s.kind ASC", ("kind", False)),
        ("", None),
    ],
)
def test_the_first_rows_of_an_order_are_wanted_by_its_column(
    stages: Stages, order: str, expected: tuple[str, bool] | None
) -> None:
    (access,) = stages.bind(f"SELECT sub {SUBS} s {order} LIMIT 5").tables[0].accesses
    assert (access.limit, access.order) == (5, expected)


@over("order", ["sub NULLS FIRST", "sub DESC NULLS FIRST", "sub COLLATE NOCASE"])
def test_an_order_that_no_api_means_wants_all_rows(stages: Stages, order: str) -> None:
    (access,) = stages.bind(f"SELECT sub {SUBS} s ORDER BY {order} LIMIT 5").tables[0].accesses
    assert access.limit is None


def test_a_limit_holds_only_as_long_as_where_is_passed_on(stages: Stages) -> None:
    sql = f"SELECT sub {SUBS} WHERE grp = 'x' AND kind = 'q' LIMIT 5"
    (access,) = stages.bind(sql).tables[0].accesses
    assert (access.limit, access.limited_by) == (5, frozenset({"grp", "kind"}))
