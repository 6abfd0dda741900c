"""An absent parameter takes its condition with it, and only that, in the user's own text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.database.session import Session
from connstat_sql.saved.agreement import agrees
from connstat_sql.saved.optional_conditions import read_text, remove
from tests.examples import examples
from tests.tabled import over


def cut(sql: str, name: str = "x") -> str:
    removal = remove(sql, (name,))
    assert not removal.refusals, removal.refusals
    return removal.sql


def refused(sql: str, name: str = "x") -> str:
    removal = remove(sql, (name,))
    assert removal.sql == sql
    (refusal,) = removal.refusals
    return f"{refusal.message}; {refusal.hint}"


@over(
    ("where", "left"),
    [
        ("a = $x", "TRUE"),
        ("a = $x AND b = 2 -- not $x\n", "TRUE AND b = 2 -- not $x\n"),
        ("b = '$x' AND a=$x", "b = '$x' AND TRUE"),
        ("b = $$ $x $$ AND /* $x */ a = $x", "b = $$ $x $$ AND /* $x */ TRUE"),
        ("b AND a BETWEEN 1 AND $x AND c", "b AND TRUE AND c"),
        ("b AND a NOT BETWEEN $x AND 3 AND c", "b AND TRUE AND c"),
        ("(b OR a = $x) AND c", "TRUE AND c"),
        ("(b AND a = $x) AND c", "(b AND TRUE) AND c"),
        ("((a = $x)) AND c", "TRUE AND c"),
        ("NOT (a = $x AND c) AND d", "TRUE AND d"),
        ("a LIKE '%' || $x || '%' AND lower(b) = lower($x)", "TRUE AND TRUE"),
        ("CASE WHEN a THEN b = $x AND c ELSE true END AND d", "TRUE AND d"),
        ("a IN (SELECT b FROM u WHERE c = $x AND d) AND e",
         "a IN (SELECT b FROM u WHERE TRUE AND d) AND e"),
        ("a IN (SELECT b FROM u LIMIT $x) AND e", "TRUE AND e"),
        ("a = (SELECT max(a) FROM u WHERE b = $x ORDER BY 1 LIMIT 1)",
         "a = (SELECT max(a) FROM u WHERE TRUE ORDER BY 1 LIMIT 1)"),
        ("a = ANY($x) AND b IN $x", "TRUE AND TRUE"),
        ("list_filter(l, e -> e > 1 AND e < $x) = [] AND b", "TRUE AND b"),
        ("a IS NOT DISTINCT FROM $x AND b", "TRUE AND b"),
        ("extract(year FROM ts) = $x AND left(a, 1) = $x AND b", "TRUE AND TRUE AND b"),
        ("ts > now() - INTERVAL ($x) DAY AND a", "TRUE AND a"),
        ("a = $x::INTEGER AND b[$x] = 1 AND c", "TRUE AND TRUE AND c"),
        ("a = $x\n  -- kept\n  AND b", "TRUE\n  -- kept\n  AND b"),
        ("name = 'é' AND a = $x AND b = '日本'", "name = 'é' AND TRUE AND b = '日本'"),
    ],
)  # fmt: skip
def test_the_smallest_condition_between_ands_becomes_true(where: str, left: str) -> None:
    assert cut(f"SELECT 1 FROM t WHERE {where} ORDER BY 1") == (
        f"SELECT 1 FROM t WHERE {left} ORDER BY 1"
    )


@over(
    ("sql", "left"),
    [
        ("SELECT 1 FROM t JOIN u ON t.a = u.a AND u.b = $x LEFT JOIN v ON v.c = $x WHERE d",
         "SELECT 1 FROM t JOIN u ON t.a = u.a AND TRUE LEFT JOIN v ON TRUE WHERE d"),
        ("FROM t SELECT count(*) FILTER (WHERE a = $x) GROUP BY b HAVING count(*) > $x",
         "FROM t SELECT count(*) FILTER (WHERE TRUE) GROUP BY b HAVING TRUE"),
        ("SELECT 1 FROM t QUALIFY row_number() OVER (ORDER BY b) < $x",
         "SELECT 1 FROM t QUALIFY TRUE"),
        ("SELECT 1 FROM t WHERE a = $x; SELECT 2 FROM t WHERE $x < b;",
         "SELECT 1 FROM t WHERE TRUE; SELECT 2 FROM t WHERE TRUE;"),
        ("WITH q AS (FROM t WHERE a = $x AND b) SELECT 1 FROM q WHERE c = $x UNION SELECT 2",
         "WITH q AS (FROM t WHERE TRUE AND b) SELECT 1 FROM q WHERE TRUE UNION SELECT 2"),
        ("SELECT 1; EXPLAIN SELECT 1 FROM t WHERE a = $x; EXPLAIN ANALYZE FROM t WHERE b < $x",
         "SELECT 1; EXPLAIN SELECT 1 FROM t WHERE TRUE; EXPLAIN ANALYZE FROM t WHERE TRUE"),
        ("SELECT 1 FROM a SEMI JOIN b ON a.x = b.x AND b.y = $x",
         "SELECT 1 FROM a SEMI JOIN b ON a.x = b.x AND TRUE"),
    ],
)  # fmt: skip
def test_every_clause_that_filters_lets_go_of_it(sql: str, left: str) -> None:
    assert cut(sql) == left


def test_names_that_are_words_of_sql_are_names_all_the_same() -> None:
    sql = "SELECT 1 FROM t WHERE a = $key AND b = $end AND c = $limit"
    assert cut(sql, "end") == "SELECT 1 FROM t WHERE a = $key AND TRUE AND c = $limit"


@over(
    ("sql", "why"),
    [
        ("SELECT $x", "no condition of a WHERE"),
        ("SELECT a = $x FROM t", "no condition of a WHERE"),
        ("SELECT 1 FROM t LIMIT $x", "no condition of a WHERE"),
        ("CALL f($x)", "no condition of a WHERE"),
        ("FROM read_csv($x)", "no condition of a WHERE"),
        ("SELECT 1 FROM t WHERE b = 1 OR a = $x", "put parentheses around"),
        ("SELECT 1 FROM t WHERE b = 1 OR a = $x AND c", "put parentheses around"),
        ("SELECT 1 FROM t WHERE a BETWEEN $x AND $y", "shares a condition with $y"),
        ("SELECT 1 FROM t WHERE (a = $x OR b = $y)", "shares a condition with $y"),
        ("DELETE FROM t WHERE a = $x", "change every row"),
        ("UPDATE t SET a = 1 WHERE a = $x", "change every row"),
        ("SELECT 1 FROM WHERE ((a = $x", "cannot be told apart"),
    ],
)
def test_what_cannot_be_shown_to_be_its_own_is_refused_with_what_to_do(sql: str, why: str) -> None:
    assert why in refused(sql)


def test_parameters_in_strings_and_comments_are_none() -> None:
    text = read_text("SELECT '$a', \"$b\" -- $c\n, $$ $d $$ /* $e */ FROM t WHERE f = $f AND $g")
    assert [one.name for one in text.mentions] == ["f", "g"]


# --- against DuckDB ------------------------------------------------------------------------------

_ATOMS = ("a = {}", "b <> {}", "a BETWEEN {} AND 3", "a + {} > b", "{} IN (a, b)",
          "CASE WHEN a > {} AND b > 0 THEN true ELSE b = 1 END",
          "a IN (SELECT v.a FROM v WHERE v.b >= 0 LIMIT {})",
          "NOT (a = {} AND b = 1)", "(a = {} OR b = 2)", "((b < {}))")  # fmt: skip


@st.composite
def conditions(draw: Any, depth: int = 2) -> tuple[str, str]:
    """A conjunction as text, with the conditions of $x and with TRUE in place of them."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        is_group = depth > 0 and draw(st.integers(0, 3)) == 0
        if is_group:
            whole, left = draw(conditions(depth - 1))
            parts.append((f"({whole})", f"({left})"))
            continue
        atom = draw(st.sampled_from(_ATOMS))
        written = atom.format("$x" if (own := draw(st.booleans())) else draw(st.integers(0, 3)))
        parts.append((written, "TRUE" if own else written))
    space = draw(st.sampled_from((" AND ", "\nAND ", " and /* $x AND */ ", " AND -- $x\n ")))
    return space.join(one for one, _ in parts), space.join(one for _, one in parts)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT x.i AS a, y.i AS b FROM range(4) x(i), range(4) y(i);"
            "INSERT INTO t VALUES (NULL, 1), (1, NULL); CREATE TABLE v AS FROM t"
        )
        yield connection


@over(
    ("left", "is_alike"),
    [
        ("SELECT a FROM t WHERE TRUE AND b > 1 ORDER BY 1", True),
        ("SELECT a FROM t WHERE TRUE ORDER BY 1", True),
        ("SELECT a FROM t WHERE TRUE AND b > 2 ORDER BY 1", False),
        ("SELECT a FROM t WHERE TRUE OR b > 1 ORDER BY 1", False),
        ("SELECT b FROM t WHERE TRUE AND b > 1 ORDER BY 1", False),
        ("SELECT a FROM t WHERE TRUE AND b > 1", False),
    ],
)
def test_duckdb_is_asked_whether_nothing_else_has_changed(left: str, is_alike: bool) -> None:
    session = Session()
    whole = "SELECT a FROM t WHERE a = $x AND b > 1 ORDER BY 1"
    try:
        assert agrees(session, whole, left) is is_alike
    finally:
        session.close()


@settings(max_examples=examples(80), deadline=None)
@given(conditions())
def test_what_is_left_answers_as_if_the_conditions_had_not_been_written(
    database: duckdb.DuckDBPyConnection, pair: tuple[str, str]
) -> None:
    whole, by_hand = (f"SELECT a, b FROM t WHERE {one} ORDER BY ALL" for one in pair)
    left = remove(whole, ("x",))
    assert not left.refusals
    assert "$x" not in [token.text for token in read_text(left.sql).tokens]
    assert database.execute(left.sql).fetchall() == database.execute(by_hand).fetchall()
