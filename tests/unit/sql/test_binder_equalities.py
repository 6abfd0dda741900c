"""What an equality tells one mention of another: constants are handed on, whatever their form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.stages import Restriction, Stages, open_stages
from tests.tabled import over

X = [{"grp": "x"}]
XY = [{"grp": "x"}, {"grp": "y"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def of_items(stages: Stages, tail: str) -> Restriction:
    """What restricts `items AS b`, which stands for `{}`, beside `subs AS a`."""
    sql = "SELECT 1 FROM zoo.w.subs AS a " + tail.format("zoo.w.items AS b")
    (found,) = stages.reaching(sql, "items")
    return found


@over(
    "tail",
    [
        "JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "JOIN {} ON a.grp = b.grp AND a.grp = 'x'",
        "JOIN {} USING (grp) WHERE a.grp = 'x'",
        "NATURAL JOIN {} WHERE a.grp = 'x'",
        "LEFT JOIN {} USING (grp) WHERE a.grp = 'x'",
        "LEFT JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "LEFT JOIN {} ON (b.grp, b.n) = (a.grp, 1) WHERE a.grp = 'x'",
        "RIGHT JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "FULL JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "SEMI JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "ANTI JOIN {} ON b.grp = a.grp WHERE a.grp = 'x'",
        "ASOF JOIN {} ON b.grp = a.grp AND a.sub >= b.part WHERE a.grp = 'x'",
        ", {} WHERE b.grp = a.grp AND a.grp = 'x'",
        "CROSS JOIN {} WHERE a.grp = 'x' AND a.grp = b.grp",
        "JOIN {} ON b.grp IS NOT DISTINCT FROM a.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.grp WHERE a.grp IN ('x') OR (a.grp = 'x' AND a.sub = 'q')",
        "JOIN zoo.w.subs m ON m.grp = a.grp JOIN {} ON b.grp = m.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.sub AND a.sub = a.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.sub WHERE a.sub = 'x'",
        "JOIN (VALUES ('x')) v(k) ON a.grp = v.k JOIN {} ON b.grp = v.k WHERE v.k = 'x'",
    ],
)  # fmt: skip
def test_an_equal_column_has_the_same_constant(stages: Stages, tail: str) -> None:
    assert of_items(stages, tail) == X


@over(
    ("where", "expected"),
    [
        ("a.grp IN ('x', 'y')", XY),
        ("a.grp = 'x' OR a.grp = 'y'", XY),
        ("a.grp = ANY(['x', 'y'])", XY),
        ("a.grp IN ('x', 'y') AND b.grp IN ('x', 'z')", X),
        ("a.grp IN ('x', 'y') AND b.grp <> 'z'", XY),
        ("(a.grp = 'x' AND a.sub = 'p') OR (a.grp = 'y' AND a.sub = 'q')",
         [{"grp": "x", "part": "p"}, {"grp": "y", "part": "q"}]),
        ("(a.grp, a.sub) IN (('x', 'p'), ('y', 'q'))",
         [{"grp": "x", "part": "p"}, {"grp": "y", "part": "q"}]),
        ("a.grp IN ('x', 'y') AND a.sub = 'p'",
         [{"grp": "x", "part": "p"}, {"grp": "y", "part": "p"}]),
        ("a.sub = 'p'", [{"part": "p"}]),
    ],
)  # fmt: skip
def test_lists_and_tuples_are_handed_on_as_they_are(
    stages: Stages, where: str, expected: Restriction
) -> None:
    tail = f"JOIN {{}} ON b.grp = a.grp AND b.part = a.sub WHERE {where}"
    assert of_items(stages, tail) == expected


@over(
    "tail",
    [
        "JOIN {} ON b.grp = a.grp WHERE a.grp = 'x' OR a.sub = 'q'",
        "JOIN {} ON b.grp >= a.grp WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = lower(a.grp) WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.grp COLLATE NOCASE WHERE a.grp = 'x'",
        "JOIN {} ON b.grp = a.grp OR b.n = 1 WHERE a.grp = 'x'",
        "JOIN {} ON NOT b.grp = a.grp WHERE a.grp = 'x'",
        "RIGHT JOIN {} ON b.grp = a.grp AND a.grp = 'x'",
        "FULL JOIN {} ON b.grp = a.grp AND a.grp = 'x'",
        "POSITIONAL JOIN {} WHERE a.grp = 'x' AND a.grp = b.grp",
        "JOIN {} ON b.n = a.grp WHERE a.grp = '1'",
        "LEFT JOIN {} ON b.part = a.sub WHERE a.grp = 'x' AND coalesce(b.grp, a.grp) = a.grp",
    ],
)
def test_what_is_no_equality_that_must_hold_hands_nothing_on(stages: Stages, tail: str) -> None:
    found = of_items(stages, tail)
    assert found is None or all("grp" not in row for row in found)


def test_on_of_a_left_join_does_not_reach_the_preserved_side(stages: Stages) -> None:
    sql = "SELECT 1 FROM zoo.w.subs a LEFT JOIN zoo.w.items b ON a.grp = b.grp AND b.grp = 'x'"
    assert stages.reaching(sql, "subs") == [None]
    assert stages.reaching(sql, "items") == [X]


def test_a_right_side_may_not_tell_the_right_side_of_a_later_left_join(stages: Stages) -> None:
    """`a` may be missing: its columns are then NULL, and ON of the later join is its own."""
    sql = (
        "SELECT 1 FROM zoo.w.groups g LEFT JOIN zoo.w.subs a ON a.grp = 'x' "
        "LEFT JOIN zoo.w.items b ON b.grp = g.g"
    )
    assert stages.reaching(sql, "items") == [None]


@over(
    "where",
    ["a.grp = 'x' AND b.grp = 'y'", "a.grp IN ('x', 'y') AND b.grp = 'z'", "a.grp = 'x' AND NULL"],
)
def test_constants_that_contradict_each_other_want_no_row(stages: Stages, where: str) -> None:
    sql = f"SELECT 1 FROM zoo.w.subs a JOIN zoo.w.items b ON a.grp = b.grp WHERE {where}"
    assert stages.reaching(sql, "subs") == stages.reaching(sql, "items") == [[]]


def test_a_column_of_another_type_hands_its_value_on_in_neither_direction(stages: Stages) -> None:
    """`'05' = 5` is true for DuckDB, and '05' is not 5 for an API."""
    sql = "SELECT 1 FROM zoo.w.subs a JOIN zoo.w.codes c ON a.grp = c.code WHERE {}"
    assert stages.reaching(sql.format("c.code = 5"), "subs") == [None]
    assert stages.reaching(sql.format("a.grp = '05'"), "codes") == [None]


def test_a_column_of_another_source_is_no_constant(stages: Stages) -> None:
    sql = "SELECT 1 FROM (VALUES ('x')) v(k) JOIN zoo.w.subs a ON a.grp = v.k"
    assert stages.reaching(sql, "subs") == [None]
    sql = "SELECT 1 FROM zoo.w.groups g WHERE EXISTS (FROM zoo.w.subs a WHERE a.grp = g.g)"
    assert stages.reaching(sql, "subs") == [None]
