"""An optional parameter is a typed NULL without a value, and the SQL says what holds then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.errors import Span
from connstat_sql.saved.mentions import mentions_in, with_typed_nulls
from connstat_sql.saved.optional_params import bare_params
from tests.examples import examples
from tests.tabled import over


def advice(sql: str, *names: str) -> list[str]:
    """What to do about the parameters that stand bare: hints, in order."""
    return [bare.hint for bare in bare_params(sql, frozenset(names or ("x",)))]


def complaint(sql: str, *names: str) -> str:
    (bare,) = bare_params(sql, frozenset(names or ("x",)))
    return f"{bare.message}; {bare.hint}"


@over(
    ("where", "condition"),
    [
        ("a = $x", "a = $x"),
        ("a = $x AND b = 2 -- not $x\n", "a = $x"),
        ("b = '$x' AND a=$x", "a=$x"),
        ("b = $$ $x $$ AND /* $x */ a = $x", "a = $x"),
        ("b AND a BETWEEN 1 AND $x AND c", "a BETWEEN 1 AND $x"),
        ("b AND a NOT BETWEEN $x AND 3 AND c", "a NOT BETWEEN $x AND 3"),
        ("(b OR a = $x) AND c", "(b OR a = $x)"),
        ("(b AND a = $x) AND c", "a = $x"),
        ("((a = $x)) AND c", "((a = $x))"),
        ("NOT (a = $x AND c) AND d", "NOT (a = $x AND c)"),
        ("CASE WHEN a THEN b = $x AND c ELSE true END AND d",
         "CASE WHEN a THEN b = $x AND c ELSE true END"),
        ("a IN (SELECT b FROM u WHERE c = $x AND d) AND e", "c = $x"),
        ("a IN (SELECT b FROM u LIMIT $x) AND e", "a IN (SELECT b FROM u LIMIT $x)"),
        ("a IN (SELECT $x) AND e", "a IN (SELECT $x)"),
        ("a = (SELECT max(a) FROM u WHERE b = $x ORDER BY 1 LIMIT 1)", "b = $x"),
        ("list_filter(l, e -> e > 1 AND e < $x) = [] AND b",
         "list_filter(l, e -> e > 1 AND e < $x) = []"),
        ("a IS NOT DISTINCT FROM $x AND b", "a IS NOT DISTINCT FROM $x"),
        ("ts > now() - INTERVAL ($x) DAY AND a", "ts > now() - INTERVAL ($x) DAY"),
        ("a =\n  $x\n AND b", "a = $x"),
        ("name = 'é' AND a = $x AND b = '日本'", "a = $x"),
        ("b = 1 OR a = $x", "b = 1 OR a = $x"),
        ("($x IS NULL OR a = $x) AND c = $x", "c = $x"),
        ("($y IS NULL OR a = $x)", "($y IS NULL OR a = $x)"),
    ],
)  # fmt: skip
def test_a_bare_condition_is_told_with_what_to_write_in_its_own_words(
    where: str, condition: str
) -> None:
    sql = f"SELECT 1 FROM t WHERE {where} ORDER BY 1"
    assert advice(sql) == [f"write  ($x IS NULL OR {condition})"]


def test_each_condition_is_told_once_and_with_all_its_parameters() -> None:
    assert advice("FROM t WHERE a = ANY($x) AND b IN $x") == [
        "write  ($x IS NULL OR a = ANY($x))", "write  ($x IS NULL OR b IN $x)",
    ]  # fmt: skip
    assert complaint("FROM t WHERE a BETWEEN $x AND $y AND a <> $z", "x", "y") == (
        "$x and $y are optional, and the condition does not say what holds without a value; "
        "write  ($x IS NULL OR $y IS NULL OR a BETWEEN $x AND $y)"
    )
    assert advice("FROM t WHERE lower(a) = lower( -- not $x\n $x)") == [
        "write  ($x IS NULL OR LOWER(a) = LOWER($x))"
    ]


@over(
    ("sql", "conditions"),
    [
        ("SELECT 1 FROM t JOIN u ON t.a = u.a AND u.b = $x LEFT JOIN v ON v.c = $x WHERE d",
         ["u.b = $x", "v.c = $x"]),
        ("FROM t SELECT count(*) FILTER (WHERE a = $x) GROUP BY b HAVING count(*) > $x",
         ["a = $x", "count(*) > $x"]),
        ("SELECT 1 FROM t QUALIFY row_number() OVER (ORDER BY b) < $x",
         ["row_number() OVER (ORDER BY b) < $x"]),
        ("SELECT 1 FROM t WHERE a = $x; SELECT 2 FROM t WHERE $x < b;", ["a = $x", "$x < b"]),
        ("SELECT 1; EXPLAIN SELECT 1 FROM t WHERE a = $x; EXPLAIN ANALYZE FROM t WHERE b < $x",
         ["a = $x", "b < $x"]),
        ("SELECT 1 FROM a SEMI JOIN b ON a.x = b.x AND b.y = $x", ["b.y = $x"]),
    ],
)  # fmt: skip
def test_every_clause_that_filters_is_looked_at(sql: str, conditions: list[str]) -> None:
    assert advice(sql) == [f"write  ($x IS NULL OR {condition})" for condition in conditions]
    guarded = sql
    for condition in dict.fromkeys(conditions):
        guarded = guarded.replace(condition, f"($x IS NULL OR {condition})")
    assert advice(guarded) == []
    places = [bare.place for bare in bare_params(sql, frozenset("x"))]
    assert all(sql[place : place + 2] == "$x" for place in places)


@over(
    "sql",
    [
        "FROM t WHERE ($x IS NULL OR a = $x) AND b",
        "FROM t WHERE a = $x OR $x IS NULL",
        "FROM t WHERE b OR ($x) IS NULL OR a = $x",
        "FROM t WHERE ($x IS NULL AND a IS NULL OR a = $x)",
        "FROM t WHERE NOT ($x IS NOT NULL AND a <> $x)",
        "FROM t WHERE CASE WHEN $x IS NULL THEN true ELSE a = $x END",
        "FROM t WHERE if($x IS NULL, true, a = $x) AND a = coalesce($x, a)",
        "FROM t WHERE ($x IS NULL OR a IN (SELECT b FROM u WHERE c = $x AND d < $x))",
        "SELECT $x, $x::INTEGER AS n FROM t LIMIT $x OFFSET $x",
        "WITH p AS (SELECT $x AS x) SELECT 1 FROM t, p WHERE p.x IS NULL OR a = p.x",
        "FROM read_csv(coalesce($x, 'all.csv'))",
        "EXPLAIN FROM t WHERE ($x IS NULL OR a = $x)",
        "EXECUTE p($x IS NULL)",
        "FROM t WHERE a = $y",
    ],
)
def test_what_speaks_of_null_is_left_to_its_author(sql: str) -> None:
    assert advice(sql) == []


@over(
    ("sql", "why"),
    [
        ("SELECT a = $x FROM t", "nothing says what is meant without a value; give x a default"),
        ("CALL f($x)", "nothing says what holds when it has no value; write  ($x IS NULL OR …)"),
        ("EXECUTE p($x)", "nothing says what holds when it has no value"),
        ("FROM read_csv($x)", "a function in FROM may take no NULL; give x a default"),
        ("FROM t WHERE ($x IS NULL OR a IN (FROM read_csv($x)))", "may take no NULL"),
        ("DELETE FROM t WHERE a = $x", "without a value every row would be changed"),
        ("UPDATE t SET a = 1 WHERE a = $x", "say  required: true"),
        ("SELECT 1 FROM WHERE ((a = $x", "nothing says"),
    ],
)  # fmt: skip
def test_where_no_condition_can_say_it_a_default_is_asked_for(sql: str, why: str) -> None:
    assert why in complaint(sql)


def test_parameters_in_strings_and_comments_are_none() -> None:
    sql = "SELECT '$a', \"$b\" -- $c\n, $$ $d $$ /* $e */ FROM t WHERE f = $f AND $g IS NOT NULL"
    first, second = mentions_in(sql).named
    assert (first.name, first.is_tested) == ("f", False)
    assert (second.name, second.is_tested) == ("g", True)
    assert sql[first.span.start : first.span.end] == "$f"


def test_names_that_are_words_of_sql_are_names_all_the_same() -> None:
    sql = "SELECT 1 FROM t WHERE a = $key AND b = $end AND c = $limit"
    assert advice(sql, "end") == ["write  ($end IS NULL OR b = $end)"]
    assert with_typed_nulls(sql, {"end": "DATE"}).sql == (
        "SELECT 1 FROM t WHERE a = $key AND b = CAST(NULL AS DATE) AND c = $limit"
    )


def test_a_place_behind_a_typed_null_leads_back_to_what_was_written() -> None:
    sql = "SELECT $x, nam FROM t"
    text = with_typed_nulls(sql, {"x": "VARCHAR"})
    assert text.sql == "SELECT CAST(NULL AS VARCHAR), nam FROM t"
    place = text.sql.index("nam")
    assert text.origin_of(Span(place, place + 3)) == Span(11, 14)


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
        parts.append((f"($x IS NULL OR {written})", "TRUE") if own else (written, written))
    space = draw(st.sampled_from((" AND ", "\nAND ", " and /* $x AND */ ", " AND -- $x\n ")))
    return space.join(whole for whole, _ in parts), space.join(left for _, left in parts)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT x.i AS a, y.i AS b FROM range(4) x(i), range(4) y(i);"
            "INSERT INTO t VALUES (NULL, 1), (1, NULL); CREATE TABLE v AS FROM t"
        )
        yield connection


@settings(max_examples=examples(80), deadline=None)
@given(conditions())
def test_without_a_value_it_answers_as_if_the_conditions_had_not_been_written(
    database: duckdb.DuckDBPyConnection, pair: tuple[str, str]
) -> None:
    whole, by_hand = (f"SELECT a, b FROM t WHERE {where} ORDER BY ALL" for where in pair)
    assert not bare_params(whole, frozenset("x"))
    absent = with_typed_nulls(whole, {"x": "INTEGER"}).sql
    assert not mentions_in(absent).named
    assert database.execute(absent).fetchall() == database.execute(by_hand).fetchall()
