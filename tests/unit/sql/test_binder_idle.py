"""A live table that stands only in a column which nobody reads sends nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.breaches import hand_made_world
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.stages import Stages, open_stages
from tests.oracle.zoo import TABLES
from tests.tabled import over

VALUES = frozenset({"5", "05", "7", "1", "a", "A", "x", "y", "z", "q", "k"})
BESIDE = """(SELECT any_value(i.note) FROM zoo.w.items AS i
    WHERE i.grp = s.grp AND i.part = s.sub AND i.name = 'x')"""
INNER = f"SELECT s.grp, s.sub, {BESIDE} AS note FROM zoo.w.subs AS s"
UNION = f"{INNER} UNION ALL SELECT g, 'x', 'y' FROM zoo.w.groups"
BY_NAME = f"SELECT 'x' AS sub, g AS grp FROM zoo.w.groups UNION ALL BY NAME {INNER}"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def is_read(stages: Stages, sql: str) -> bool:
    """Whether rows of `items` are wanted."""
    return bool(stages.reaching(sql, "items"))


@over(
    "sql",
    [
        f"SELECT sub FROM ({INNER}) AS v",
        f"SELECT count(*) FROM ({INNER}) AS v",
        f"SELECT v.grp FROM ({INNER}) AS v WHERE v.sub = 'x' ORDER BY 1 LIMIT 3",
        f"SELECT sub FROM (SELECT * FROM ({INNER})) AS v",
        f"SELECT sub FROM (SELECT v.*, 1 AS one FROM ({INNER}) AS v) AS w",
        f"SELECT sub FROM (SELECT sub, upper(note) AS big FROM ({INNER})) AS v",
        f"SELECT sub FROM ({UNION}) AS v",
        f"SELECT grp FROM (SELECT *, CASE WHEN sub = 'x' THEN 'a' END AS c FROM ({UNION})) AS v",
        f"SELECT sub FROM ({BY_NAME}) AS v",
        f"WITH v AS ({INNER}) SELECT a.sub FROM v AS a JOIN v AS b ON a.grp = b.grp",
        f"WITH v AS ({INNER}), w AS (SELECT * FROM v) SELECT sub FROM w",
        f"SELECT sub, count(*) FROM ({INNER}) AS v GROUP BY sub HAVING count(*) > 1",
        f"SELECT g FROM zoo.w.groups WHERE g IN (SELECT grp FROM ({INNER}) AS v)",
        f"SELECT sub FROM ({INNER} ORDER BY s.sub LIMIT 2) AS v",
    ],
)
def test_of_a_column_that_nobody_reads_no_row_is_wanted(stages: Stages, sql: str) -> None:
    assert not is_read(stages, sql)


@over(
    "sql",
    [
        INNER,
        UNION,
        f"SELECT * FROM ({INNER}) AS v",
        f"SELECT v FROM ({INNER}) AS v",
        f"FROM (SELECT * FROM ({INNER}))",
        f"SELECT note FROM ({INNER}) AS v",
        f"SELECT sub FROM ({INNER}) AS v WHERE v.note = 'q'",
        f"SELECT sub FROM ({INNER}) AS v ORDER BY note",
        f"SELECT sub FROM ({INNER}) AS v QUALIFY row_number() OVER (ORDER BY note) = 1",
        f"SELECT sub FROM (SELECT sub, upper(note) AS big FROM ({INNER})) AS v WHERE big = 'Q'",
        f"SELECT a FROM ({INNER}) AS v(b, c, a)",
        f"SELECT COLUMNS('n.*') FROM ({INNER}) AS v",
        f"SELECT * EXCLUDE (sub) FROM ({INNER}) AS v",
        f"SELECT sub FROM (SELECT DISTINCT * FROM ({INNER})) AS v",
        f"SELECT sub FROM (SELECT DISTINCT s.sub, {BESIDE} AS n FROM zoo.w.subs AS s) AS v",
        f"SELECT k FROM (SELECT {BESIDE} AS n, count(*) AS k FROM zoo.w.subs AS s GROUP BY ALL) v",
        f"SELECT sub FROM (SELECT s.sub, {BESIDE} AS n FROM zoo.w.subs AS s ORDER BY n LIMIT 1) v",
        f"SELECT sub FROM (SELECT s.sub, {BESIDE} AS n FROM zoo.w.subs AS s ORDER BY 2 LIMIT 1) v",
        f"SELECT o FROM (SELECT {BESIDE} AS n, n || 'x' AS o FROM zoo.w.subs AS s) AS v",
        f"SELECT sub FROM (SELECT s.sub, unnest([{BESIDE}, 'a']) AS n FROM zoo.w.subs AS s) AS v",
        f"SELECT sub FROM ({INNER} UNION SELECT g, 'x', 'y' FROM zoo.w.groups) AS v",
        f"SELECT sub FROM ({INNER} EXCEPT SELECT g, 'x', 'y' FROM zoo.w.groups) AS v",
        f"SELECT v.sub FROM ({INNER}) AS v NATURAL JOIN (VALUES ('q')) AS w(note)",
        f"SELECT v.sub FROM ({INNER}) AS v JOIN (VALUES ('q')) AS w(note) USING (note)",
        f"SELECT sub FROM ({INNER}) AS v, LATERAL (SELECT v.note AS m) AS l WHERE l.m = 'q'",
        f"SELECT sub FROM ({INNER}) AS v WHERE EXISTS (SELECT 1 WHERE v.note = 'q')",
        f"WITH v AS ({INNER}) SELECT a.sub FROM v AS a JOIN v AS b ON a.grp = b.note",
        f"WITH v AS ({INNER}), w AS (SELECT * FROM v) SELECT * FROM w",
        f"WITH v AS ({INNER}) SELECT (SELECT max(note) FROM v) AS m FROM zoo.w.groups",
        f"SELECT 1 WHERE 'q' IN (SELECT note FROM ({INNER}) AS v)",
        f"SELECT n_1 FROM (SELECT 1 AS n, {BESIDE} AS n FROM zoo.w.subs AS s) AS v",
        f"SELECT n_1 FROM (SELECT * FROM (SELECT 1 AS n) JOIN (SELECT {BESIDE} AS n "
        "FROM zoo.w.subs AS s) ON true) AS v",
    ],
)
def test_whatever_may_read_it_wants_its_rows(stages: Stages, sql: str) -> None:
    assert is_read(stages, sql)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    opened = Court(tmp_path_factory.mktemp("zoo"))
    opened.enter(hand_made_world())
    yield opened
    opened.close()


@over(
    ("sql", "most"),
    [
        (f"SELECT sub FROM ({INNER}) AS v WHERE grp = '5'", 1),
        (f"SELECT note FROM ({INNER}) AS v WHERE grp = '5'", None),
        (f"SELECT count(*) FROM ({UNION}) AS v WHERE grp = '5'", 2),
        (f"WITH v AS ({INNER}) SELECT a.sub FROM v AS a JOIN v AS b USING (sub)", None),
        ("SELECT n_1 FROM (SELECT 1 AS n, (SELECT max(sub) FROM zoo.w.subs) AS n) AS v", None),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM zoo.w.subs GROUP BY ALL HAVING count(*) > 1)", None),
        ("SELECT 1 WHERE EXISTS (SELECT DISTINCT * FROM zoo.w.subs OFFSET 2)", None),
    ],
)
def test_the_answer_is_that_over_full_copies(court: Court, sql: str, most: int | None) -> None:
    sql = sql.replace("zoo.w", "conn_a.w")
    tables = frozenset(name for name in TABLES if f".w.{name}" in sql)
    trial = court.try_query(Query(sql, None, VALUES, tables, most=most))
    assert trial.verdict is Verdict.AGREED, trial.why
