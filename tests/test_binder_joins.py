"""Which predicates reach a mention through joins, and what one mention tells of another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.stages import Stages, open_stages

Rows = list[dict[str, str]] | None
X, Y = [{"grp": "x"}], [{"grp": "y"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def both(stages: Stages, tail: str) -> tuple[Rows, Rows]:
    """What restricts the left and the right side of a join; `{}` stands for the right table."""
    sql = "SELECT 1 FROM zoo.w.subs AS a " + tail.format("zoo.w.items AS b")
    return stages.rows(sql), stages.rows(sql, mention=1)


WHERE = "WHERE a.grp = 'x' AND b.grp = 'y'"
ON = "ON a.grp = 'x' AND b.grp = 'y'"


@pytest.mark.parametrize(
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
        ("ASOF JOIN", (X, None), (None, None)),
        ("ASOF LEFT JOIN", (X, None), (None, None)),
    ],
)
def test_where_and_on_restrict_by_the_kind_of_join(
    stages: Stages, join: str, where: tuple[Rows, Rows], on: tuple[Rows, Rows]
) -> None:
    seen = WHERE if join not in ("SEMI JOIN", "ANTI JOIN") else "WHERE a.grp = 'x'"
    assert both(stages, f"{join} {{}} ON true {seen}") == where
    assert both(stages, f"{join} {{}} {ON}") == on


@pytest.mark.parametrize("join", [",", "CROSS JOIN"])
def test_where_restricts_both_sides_of_a_cross_join(stages: Stages, join: str) -> None:
    assert both(stages, f"{join} {{}} {WHERE}") == (X, Y)


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


def test_a_mention_inside_of_parentheses_is_not_restricted_by_the_outer_block(
    stages: Stages,
) -> None:
    sql = "SELECT 1 FROM zoo.w.groups g LEFT JOIN (zoo.w.subs a JOIN zoo.w.items b USING (grp)) "
    assert stages.rows(sql + "ON a.grp = 'x'", mention=1) is None


def test_an_outer_blocks_predicate_stays_outside(stages: Stages) -> None:
    assert stages.rows("SELECT 1 FROM (SELECT * FROM zoo.w.subs) s WHERE grp = 'x'") is None
    assert stages.rows("WITH c AS (FROM zoo.w.subs) SELECT 1 FROM c WHERE grp = 'x'") is None


def test_a_column_of_another_source_is_no_constant(stages: Stages) -> None:
    sql = "SELECT 1 FROM (VALUES ('x')) v(k) JOIN zoo.w.subs a ON a.grp = v.k"
    assert stages.rows(sql) is None
    sql = "SELECT 1 FROM zoo.w.groups g WHERE EXISTS (FROM zoo.w.subs a WHERE a.grp = g.g)"
    assert stages.rows(sql, mention=1) is None


# --- columns merged by USING and NATURAL ---------------------------------------------------------


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
def test_a_merged_column_of_one_type_restricts_both(stages: Stages, join: str) -> None:
    assert both(stages, f"{join} {{}} USING (grp) WHERE grp = 'x'") == (X, X)


def test_a_merged_column_of_natural_joins_restricts_both(stages: Stages) -> None:
    assert both(stages, "NATURAL JOIN {} WHERE grp = 'x'") == (X, X)


def test_a_column_merged_with_one_of_an_unknown_type_restricts_nothing(stages: Stages) -> None:
    """`grp = '5'` may then mean the number 5, which '05' equals too."""
    values = "SELECT 1 FROM (VALUES (5)) v(grp)"
    assert stages.rows(f"{values} JOIN zoo.w.subs a USING (grp) WHERE grp = '5'") is None
    assert stages.rows(f"{values} NATURAL JOIN zoo.w.subs a WHERE grp = '5'") is None
    qualified = f"{values} JOIN zoo.w.subs a USING (grp) WHERE a.grp = '5'"
    assert stages.rows(qualified) == [{"grp": "5"}]


# --- constants that one mention has from another -------------------------------------------------


@pytest.mark.parametrize(
    "tail",
    [
        "JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "JOIN {} ON a.grp = b.grp AND a.grp = 'x'",
        "JOIN {} USING (grp) WHERE a.grp = 'x'",
        "LEFT JOIN {} USING (grp) WHERE a.grp = 'x'",
        "LEFT JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "LEFT JOIN {} ON (b.grp, b.n) = (a.grp, 1) WHERE a.grp = 'x'",
        ", {} WHERE b.grp = a.grp AND a.grp = 'x'",
        "CROSS JOIN {} WHERE a.grp = 'x' AND a.grp = b.grp",
        "JOIN {} ON b.grp = a.grp WHERE a.grp IN ('x') OR (a.grp = 'x' AND a.sub = 'q')",
        "JOIN zoo.w.subs m ON m.grp = a.grp JOIN {} ON b.grp = m.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.sub AND a.sub = a.grp WHERE a.grp = 'x'",
    ],
)  # fmt: skip
def test_an_equal_column_has_the_same_constant(stages: Stages, tail: str) -> None:
    sql = "SELECT 1 FROM zoo.w.subs AS a " + tail.format("zoo.w.items AS b")
    (wanted,) = [t for t in stages.bind(sql).tables if t.live.resource.table.resource == "items"]
    assert list(wanted.rows or ()) == X


@pytest.mark.parametrize(
    "tail",
    [
        "JOIN {} ON b.grp = a.grp WHERE a.grp IN ('x', 'y')",
        "JOIN {} ON b.grp = a.grp WHERE a.grp = 'x' OR a.sub = 'q'",
        "JOIN {} ON b.grp >= a.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = lower(a.grp) WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.grp OR b.n = 1 WHERE a.grp = 'x'",
        "RIGHT JOIN {} ON b.grp = a.grp AND a.grp = 'x'",
        "FULL JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.n = a.grp WHERE a.grp = '1'",
        "ASOF JOIN {} ON b.grp = a.grp AND a.sub >= b.part WHERE a.grp = 'x'",
    ],
)  # fmt: skip
def test_where_that_cannot_be_told_a_constant_is_not_handed_on(stages: Stages, tail: str) -> None:
    found = both(stages, tail)[1]
    assert found is None or all("grp" not in row for row in found)


def test_on_of_a_left_join_does_not_reach_the_preserved_side(stages: Stages) -> None:
    left, right = both(stages, "LEFT JOIN {} ON a.grp = b.grp AND b.grp = 'x'")
    assert (left, right) == (None, X)


def test_a_right_side_may_not_tell_the_right_side_of_a_later_left_join(stages: Stages) -> None:
    """`b` may be missing: its columns are then NULL, and ON of the later join is its own."""
    sql = (
        "SELECT 1 FROM zoo.w.groups g LEFT JOIN zoo.w.subs a ON a.grp = 'x' "
        "LEFT JOIN zoo.w.items b ON b.grp = g.g"
    )
    assert stages.rows(sql, mention=2) is None


def test_constants_that_contradict_each_other_want_no_row(stages: Stages) -> None:
    tail = "JOIN {} ON a.grp = b.grp WHERE a.grp = 'x' AND b.grp = 'y'"
    assert both(stages, tail) == ([], [])
