"""What each kind of join lets through to its sides, and outer joins that a predicate narrows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.stages import Restriction, Stages, open_stages
from tests.tabled import over

Both = tuple[Restriction, Restriction]
X, Y = [{"grp": "x"}], [{"grp": "y"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def both(stages: Stages, tail: str) -> Both:
    """What restricts the left and the right side of a join; `{}` stands for the right table."""
    sql = "SELECT 1 FROM zoo.w.subs AS a " + tail.format("zoo.w.items AS b")
    return stages.rows(sql), stages.rows(sql, mention=1)


WHERE = "WHERE a.grp = 'x' AND b.grp = 'y'"
ON = "ON a.grp = 'x' AND b.grp = 'y'"


@over(
    ("join", "where", "on"),
    [
        ("JOIN", (X, Y), (X, Y)),
        ("INNER JOIN", (X, Y), (X, Y)),
        ("LEFT JOIN", (X, Y), (None, Y)),
        ("LEFT OUTER JOIN", (X, Y), (None, Y)),
        ("RIGHT JOIN", (X, Y), (X, None)),
        ("FULL JOIN", (X, Y), (None, None)),
        ("SEMI JOIN", (X, None), (X, Y)),
        ("ANTI JOIN", (X, None), (None, Y)),
    ],
)
def test_where_and_on_restrict_by_the_kind_of_join(
    stages: Stages, join: str, where: Both, on: Both
) -> None:
    seen = WHERE if join not in ("SEMI JOIN", "ANTI JOIN") else "WHERE a.grp = 'x'"
    assert both(stages, f"{join} {{}} ON true {seen}") == where
    assert both(stages, f"{join} {{}} {ON}") == on


@over("join", [",", "CROSS JOIN"])
def test_where_restricts_both_sides_of_a_cross_join(stages: Stages, join: str) -> None:
    assert both(stages, f"{join} {{}} {WHERE}") == (X, Y)


@over(
    ("join", "tail", "expected"),
    [
        ("ASOF JOIN", f"{ON} AND a.sub >= b.part", (X, Y)),
        ("ASOF LEFT JOIN", f"{ON} AND a.sub >= b.part", (None, Y)),
        ("ASOF JOIN", f"ON a.sub >= b.part {WHERE}", (X, None)),
        ("ASOF LEFT JOIN", "ON a.sub >= b.part WHERE a.grp = 'x'", (X, None)),
        ("ASOF JOIN", "ON a.grp = b.grp AND a.sub >= b.part WHERE a.grp = 'x'", (X, X)),
        ("ASOF LEFT JOIN", "ON a.grp = b.grp AND a.sub >= b.part WHERE a.grp = 'x'", (X, X)),
        ("ASOF JOIN", "ON a.sub = 'q' AND a.grp >= b.grp WHERE a.grp = 'x'", (X, None)),
    ],
)
def test_equalities_of_asof_reach_both_sides_and_where_not_the_one_that_is_searched(
    stages: Stages, join: str, tail: str, expected: Both
) -> None:
    """WHERE comes after the nearest row was found: without the others another would be nearest."""
    assert both(stages, f"{join} {{}} {tail}") == expected


def test_the_last_column_of_asof_using_is_no_equality(stages: Stages) -> None:
    left, right = both(stages, "ASOF JOIN {} USING (grp) WHERE a.grp = 'x'")
    assert (left, right) == (X, None)


def test_position_and_chance_are_not_disturbed(stages: Stages) -> None:
    assert both(stages, f"POSITIONAL JOIN {{}} {WHERE}") == (None, None)
    assert stages.rows("SELECT 1 FROM zoo.w.subs WHERE grp = 'x' USING SAMPLE 5 ROWS") is None
    assert stages.rows("SELECT 1 FROM zoo.w.subs TABLESAMPLE 50% WHERE grp = 'x'") is None


def test_a_constant_false_on_wants_nothing_of_the_other_side(stages: Stages) -> None:
    assert both(stages, "LEFT JOIN {} ON false") == (None, [])
    assert both(stages, "JOIN {} ON 1 = 2") == ([], [])


def test_the_right_of_an_anti_join_is_not_seen_by_later_joins(stages: Stages) -> None:
    tail = "ANTI JOIN {} ON a.sub = b.part JOIN zoo.w.groups g ON b.grp = 'y'"
    assert both(stages, tail)[1] is None


def test_the_right_of_an_asof_join_is_not_restricted_by_later_joins(stages: Stages) -> None:
    tail = "ASOF JOIN {} ON a.sub >= b.part JOIN zoo.w.groups g ON b.grp = 'y'"
    assert both(stages, tail)[1] is None


def test_on_speaks_only_of_its_own_side_of_a_comma(stages: Stages) -> None:
    tail = ", {} JOIN zoo.w.groups g ON grp = 'y'"
    assert both(stages, tail) == (None, Y)


def test_joins_in_parentheses_are_one_side(stages: Stages) -> None:
    inner = "(zoo.w.subs a JOIN zoo.w.items b USING (grp))"
    sql = f"SELECT 1 FROM zoo.w.groups g LEFT JOIN {inner} ON a.grp = 'x'"
    assert [stages.rows(sql, mention=place) for place in (1, 2)] == [X, X]
    sql = f"SELECT 1 FROM {inner} LEFT JOIN zoo.w.groups g ON a.grp = 'x'"
    assert [stages.rows(sql, mention=place) for place in (0, 1)] == [None, None]


# --- outer joins that are none -------------------------------------------------------------------

NARROWING = "LEFT JOIN {} ON a.grp = 'x' WHERE "
"""ON reaches the left side exactly when the predicate that follows makes the join an inner one."""


@over(
    "predicate",
    [
        "b.n = 1", "1 < b.n", "b.n <> 3", "b.note LIKE 'a%'", "b.n IN (1, 2)", "b.n NOT IN (1, 2)",
        "b.n BETWEEN 1 AND 2", "NOT b.n = 1", "b.n IS NOT NULL", "NOT b.n IS NULL",
        "lower(b.note) = 'q'", "b.n + 1 = 2", "b.note || 'x' = 'qx'", "b.n = length(a.sub)",
        "b.n = 1 OR b.note = 'q'", "(b.n = 1 AND a.sub = 'q') OR b.n = 2",
    ],
)  # fmt: skip
def test_a_predicate_that_is_not_true_of_missing_rows_makes_an_inner_join(
    stages: Stages, predicate: str
) -> None:
    assert both(stages, NARROWING + predicate)[0] == X


@over(
    "predicate",
    [
        "b.n IS NULL", "coalesce(b.n, 1) = 1", "b.n IS DISTINCT FROM 3", "b.n = 1 OR b.n IS NULL",
        "b.n = 1 OR a.sub = 'q'", "CASE WHEN b.n = 1 THEN true ELSE true END",
        "(b.n = 1) IS NOT TRUE", "concat(b.note, 'q') = 'q'", "NOT (b.n = 1 AND a.sub = 'q')",
        "b.n IS NOT DISTINCT FROM NULL", "NOT coalesce(b.n = 1, false)", "a.sub = 'q'",
        "ifnull(b.note, 'q') = 'q'", "b.n = 1 OR true", "NOT EXISTS (SELECT 1 WHERE b.n = 1)",
    ],
)  # fmt: skip
def test_a_predicate_that_may_be_true_of_missing_rows_keeps_the_outer_join(
    stages: Stages, predicate: str
) -> None:
    assert both(stages, NARROWING + predicate)[0] is None


@over(
    ("predicate", "expected"),
    [
        ("b.grp = 'x'", X),
        ("b.grp = 'x' AND b.n IS NULL", X),
        ("coalesce(b.grp, 'x') = 'x'", None),
        ("b.grp IS NULL", None),
        ("b.grp = 'x' OR b.grp IS NULL", None),
        ("b.grp = 'x' OR a.sub = 'q'", None),
        ("(b.grp = 'x') IS NOT FALSE", None),
    ],
)
def test_where_reaches_the_other_side_when_it_is_not_true_of_missing_rows(
    stages: Stages, predicate: str, expected: Restriction
) -> None:
    assert both(stages, f"LEFT JOIN {{}} ON b.part = a.sub WHERE {predicate}")[1] == expected
    tables = "zoo.w.items AS b RIGHT JOIN zoo.w.subs AS a"
    assert stages.rows(f"SELECT 1 FROM {tables} ON b.part = a.sub WHERE {predicate}") == expected


@over(
    ("where", "expected"),
    [
        ("a.grp = 'x'", (X, X)),
        ("b.grp = 'x'", (X, X)),
        ("a.grp = 'x' AND b.n = 1", (X, X)),
        ("a.sub IS NOT NULL", (None, None)),
        ("a.grp = 'x' OR b.grp = 'x'", (None, None)),
        ("coalesce(a.grp, b.grp) = 'x'", (None, None)),
    ],
)
def test_a_full_join_becomes_what_its_predicates_leave_of_it(
    stages: Stages, where: str, expected: Both
) -> None:
    assert both(stages, f"FULL JOIN {{}} ON a.grp = b.grp WHERE {where}") == expected


def test_on_of_a_full_join_that_stays_full_reaches_nothing(stages: Stages) -> None:
    assert both(stages, f"FULL JOIN {{}} {ON} AND a.grp = b.grp") == (None, None)
    assert both(stages, f"FULL JOIN {{}} {ON} WHERE a.sub IS NOT NULL") == (None, Y)
    assert both(stages, f"FULL JOIN {{}} {ON} WHERE b.n = 1") == (X, None)
    assert both(stages, f"FULL JOIN {{}} {ON} WHERE b.n = 1 AND a.sub = 'q'") == (X, Y)


def test_a_later_join_narrows_an_earlier_one(stages: Stages) -> None:
    tail = "LEFT JOIN {} ON a.grp = 'x' {} zoo.w.groups g ON g.g = b.part"
    assert both(stages, tail.replace("{} zoo", "JOIN zoo"))[0] == X
    assert both(stages, tail.replace("{} zoo", "LEFT JOIN zoo"))[0] is None


# --- columns merged by USING and NATURAL ---------------------------------------------------------


@over("join", ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
def test_a_merged_column_of_one_type_restricts_both(stages: Stages, join: str) -> None:
    assert both(stages, f"{join} {{}} USING (grp) WHERE grp = 'x'") == (X, X)


def test_a_merged_column_of_natural_joins_restricts_both(stages: Stages) -> None:
    assert both(stages, "NATURAL JOIN {} WHERE grp = 'x'") == (X, X)


def test_a_side_of_full_join_using_named_by_itself_narrows_it(stages: Stages) -> None:
    assert both(stages, "FULL JOIN {} USING (grp) WHERE a.grp = 'x'") == (X, X)
    assert both(stages, "FULL JOIN {} USING (grp) WHERE grp = 'x' OR n = 1") == (None, None)


def test_a_column_merged_with_one_of_an_unknown_type_restricts_nothing(stages: Stages) -> None:
    """`grp = '5'` may then mean the number 5, which '05' equals too."""
    values = "SELECT 1 FROM (VALUES (5)) v(grp)"
    assert stages.rows(f"{values} JOIN zoo.w.subs a USING (grp) WHERE grp = '5'") is None
    assert stages.rows(f"{values} NATURAL JOIN zoo.w.subs a WHERE grp = '5'") is None
    qualified = f"{values} JOIN zoo.w.subs a USING (grp) WHERE a.grp = '5'"
    assert stages.rows(qualified) == [{"grp": "5"}]
