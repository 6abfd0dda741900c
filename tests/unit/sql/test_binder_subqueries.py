"""What reaches a table through EXISTS, IN, scalar subqueries and LATERAL, from either side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.stages import Restriction, Stages, open_stages
from tests.tabled import over

X = [{"grp": "x"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def of_both(stages: Stages, where: str) -> tuple[Restriction, Restriction]:
    """What restricts `subs AS a`, and `items` in a subquery of its WHERE."""
    sql = f"SELECT 1 FROM zoo.w.subs AS a WHERE {where}"
    (outer,), (inner,) = stages.reaching(sql, "subs"), stages.reaching(sql, "items")
    return outer, inner


ITEMS = "FROM zoo.w.items b WHERE b.grp = a.grp"


@over(
    "where",
    [
        f"EXISTS ({ITEMS})",
        f"EXISTS (SELECT 1 {ITEMS} LIMIT 1)",
        f"NOT EXISTS ({ITEMS})",
        "a.grp IN (SELECT grp FROM zoo.w.items)",
        "a.grp = ANY (SELECT grp FROM zoo.w.items)",
        "(a.grp, a.sub) IN (SELECT grp, part FROM zoo.w.items)",
        "a.grp IN (SELECT grp FROM zoo.w.items GROUP BY grp HAVING count(*) > 1)",
        "a.grp IN (SELECT grp FROM zoo.w.items INTERSECT SELECT grp FROM zoo.w.items)",
        f"0 < (SELECT count(*) {ITEMS})",
        f"a.sub = (SELECT max(part) {ITEMS})",
        f"(EXISTS ({ITEMS}) OR a.sub = 'q')",
        f"EXISTS (SELECT count(*) {ITEMS})",
        f"a.sub IN (SELECT part {ITEMS})",
        f"a.sub NOT IN (SELECT part {ITEMS})",
        f"a.sub IN (SELECT part {ITEMS} ORDER BY n LIMIT 1)",
        f"CASE WHEN EXISTS ({ITEMS}) THEN a.sub END = 'q'",
    ],
)
def test_what_restricts_the_outer_table_reaches_the_inner_one_by_their_equality(
    stages: Stages, where: str
) -> None:
    sql = f"SELECT 1 FROM zoo.w.subs AS a WHERE a.grp = 'x' AND {where}"
    assert stages.reaching(sql, "subs") == [X]
    assert all(found == X for found in stages.reaching(sql, "items"))


@over(
    "where",
    [
        "a.grp NOT IN (SELECT grp FROM zoo.w.items)",
        "NOT a.grp IN (SELECT grp FROM zoo.w.items)",
        "a.grp <> ALL (SELECT grp FROM zoo.w.items)",
        "a.grp = ALL (SELECT grp FROM zoo.w.items)",
        "(a.grp IN (SELECT grp FROM zoo.w.items)) IS NOT TRUE",
        "a.grp IN (SELECT max(grp) FROM zoo.w.items)",
        "a.grp IN (SELECT grp FROM zoo.w.items ORDER BY n LIMIT 1)",
        "a.grp IN (SELECT lower(grp) FROM zoo.w.items)",
        "a.grp IN (SELECT grp FROM zoo.w.items GROUP BY ROLLUP (grp))",
        "a.grp < (SELECT max(grp) FROM zoo.w.items)",
        "EXISTS (FROM zoo.w.items b WHERE b.grp >= a.grp)",
        "EXISTS (FROM zoo.w.items b WHERE b.grp = a.grp OR b.n = 1)",
    ],
)
def test_where_the_inner_table_counts_as_a_whole_it_is_not_restricted_from_outside(
    stages: Stages, where: str
) -> None:
    """`NOT IN` most of all: a single NULL inside changes the answer for every row outside."""
    assert of_both(stages, f"a.grp = 'x' AND {where}") == (X, None)


@over(
    "where",
    [
        f"EXISTS ({ITEMS} AND b.grp = 'x')",
        f"NOT EXISTS ({ITEMS} AND b.grp = 'x')",
        "a.grp IN (SELECT grp FROM zoo.w.items WHERE grp = 'x')",
        "a.grp NOT IN (SELECT grp FROM zoo.w.items WHERE grp = 'x')",
        "a.grp = (SELECT max(grp) FROM zoo.w.items WHERE grp = 'x')",
        "a.grp = ALL (SELECT grp FROM zoo.w.items WHERE grp = 'x')",
        "a.sub = 'q' OR a.grp IN (SELECT grp FROM zoo.w.items WHERE grp = 'x')",
        "a.grp IN (SELECT g FROM zoo.w.groups WHERE EXISTS (FROM zoo.w.items WHERE grp = 'x'))",
    ],
)
def test_a_subquery_is_always_restricted_by_its_own_where(stages: Stages, where: str) -> None:
    assert of_both(stages, where)[1] == X


def test_only_a_subquery_that_must_be_true_restricts_the_table_outside(stages: Stages) -> None:
    own = f"({ITEMS} AND b.grp = 'x')"
    assert of_both(stages, f"EXISTS {own}")[0] == X
    for where in (f"NOT EXISTS {own}", f"EXISTS {own} OR a.sub = 'q'", f"EXISTS {own} IS NOT TRUE",
                  f"NOT (EXISTS {own} AND a.sub = 'q')"):  # fmt: skip
        assert of_both(stages, where)[0] is None


# --- subqueries in other places ------------------------------------------------------------------


@over(
    "sql",
    [
        f"SELECT (SELECT count(*) {ITEMS}) FROM zoo.w.subs a WHERE a.grp = 'x'",
        f"SELECT EXISTS ({ITEMS}) FROM zoo.w.subs a WHERE a.grp = 'x'",
        f"SELECT sub FROM zoo.w.subs a WHERE a.grp = 'x' ORDER BY (SELECT max(n) {ITEMS})",
        "SELECT grp FROM zoo.w.subs a WHERE a.grp = 'x' GROUP BY grp "
        f"HAVING count(*) > (SELECT count(*) {ITEMS})",
        "SELECT sub FROM zoo.w.subs a WHERE a.grp = 'x' "
        f"QUALIFY row_number() OVER () < (SELECT count(*) {ITEMS})",
        f"SELECT (SELECT (SELECT count(*) {ITEMS})) FROM zoo.w.subs a WHERE a.grp = 'x'",
        "SELECT (SELECT max(n) FROM (SELECT n, grp FROM zoo.w.items) b WHERE b.grp = a.grp) "
        "FROM zoo.w.subs a WHERE a.grp = 'x'",
        f"SELECT [x FOR x IN [1] IF EXISTS ({ITEMS})] FROM zoo.w.subs a WHERE a.grp = 'x'",
    ],
)
def test_a_correlated_subquery_is_wanted_for_the_rows_that_where_leaves(
    stages: Stages, sql: str
) -> None:
    assert stages.reaching(sql, "items") == [X]


def test_columns_of_equal_names_belong_to_the_innermost_query_that_has_them(stages: Stages) -> None:
    sql = "SELECT 1 FROM zoo.w.subs WHERE grp = 'x' AND EXISTS (FROM zoo.w.items WHERE grp = 'y')"
    assert stages.reaching(sql, "subs") == [X]
    assert stages.reaching(sql, "items") == [[{"grp": "y"}]]
    sql = "SELECT 1 FROM zoo.w.items WHERE EXISTS (SELECT 1 FROM zoo.w.groups WHERE grp = 'x')"
    assert stages.reaching(sql, "items") == [X]


# --- LATERAL -------------------------------------------------------------------------------------


@over(
    "tail",
    [
        f", LATERAL (SELECT * {ITEMS}) l",
        f", (SELECT * {ITEMS}) l",
        f"CROSS JOIN LATERAL (SELECT * {ITEMS}) l",
        f"JOIN LATERAL (SELECT * {ITEMS}) l ON true",
        f"LEFT JOIN LATERAL (SELECT * {ITEMS}) l ON true",
        f", LATERAL (SELECT max(n) {ITEMS}) l",
        f", LATERAL (SELECT n {ITEMS} ORDER BY n LIMIT 1) l",
        f", LATERAL (SELECT n, row_number() OVER (ORDER BY n) {ITEMS}) l",
        "JOIN LATERAL (SELECT n, b.grp FROM zoo.w.items b) l(n, g) ON l.g = a.grp",
    ],
)
def test_what_restricts_the_table_before_reaches_the_lateral_one(stages: Stages, tail: str) -> None:
    sql = f"SELECT 1 FROM zoo.w.subs a {tail} WHERE a.grp = 'x'"
    assert stages.reaching(sql, "items") == [X]


def test_a_predicate_on_a_lateral_block_enters_it(stages: Stages) -> None:
    sql = f"SELECT 1 FROM zoo.w.subs a, LATERAL (SELECT b.grp {ITEMS}) l WHERE l.grp = 'x'"
    assert stages.reaching(sql, "items") == [X]
    sql = f"SELECT 1 FROM zoo.w.subs a, LATERAL (SELECT b.grp {ITEMS} LIMIT 1) l WHERE l.grp = 'x'"
    assert stages.reaching(sql, "items") == [None]
