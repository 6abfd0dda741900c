"""What a statement names and where, whatever surrounds it."""

from __future__ import annotations

import pytest
from sqlglot import exp

from connstat_sql.database.classifier import Show, ShowStatement, classify
from connstat_sql.definitions.lexer import names, split
from connstat_sql.errors import ParseError
from connstat_sql.sql.statement import (
    MAX_LENGTH,
    TableUse,
    parse,
)
from tests.tabled import over


def named(sql: str) -> list[str]:
    """The stretches of text at the spans of the mentions."""
    statement = parse(sql)
    return [statement.sql[one.span.start : one.span.end] for one in statement.mentions]


@over(
    ("sql", "expected"),
    [
        ("SELECT * FROM a.b.c", ["a.b.c"]),
        ("FROM a.b.c", ["a.b.c"]),
        ("FROM a.b.c;\n-- what comes next\n", ["a.b.c"]),
        ("FROM a.b.c SELECT x WHERE y = 1", ["a.b.c"]),
        ("FROM x: a.b.c", ["a.b.c"]),
        ("SELECT '日本 é' /* a.b.d */ FROM a.b.c -- a.b.e\n", ["a.b.c"]),
        ('/* é */ SELECT \'a.b.d\' FROM "a"."B c"."d é"', ['"a"."B c"."d é"']),
        ("SELECT * FROM a . b . c", ["a . b . c"]),
        ("SELECT * FROM A.B.C JOIN a.b.d USING (k)", ["A.B.C", "a.b.d"]),
        ("SUMMARIZE a.b.c", ["a.b.c"]),
        ("PIVOT a.b.c ON x USING count(*)", ["a.b.c"]),
        ("UNPIVOT a.b.c ON x INTO NAME n VALUE v", ["a.b.c"]),
        ("COPY (SELECT * FROM a.b.c) TO 'x.csv'", ["a.b.c"]),
        ("COPY a.b.c TO 'x.csv'", ["a.b.c"]),
        ("EXPLAIN SELECT * FROM a.b.c", ["a.b.c"]),
        ("  explain  ANALYZE SELECT * FROM a.b.c", ["a.b.c"]),
        ("CREATE TABLE mine AS FROM a.b.c", ["mine", "a.b.c"]),
        ("INSERT INTO mine SELECT * FROM a.b.c", ["mine", "a.b.c"]),
        ("WITH c AS (SELECT * FROM a.b.c) SELECT * FROM c", ["a.b.c"]),
        ("SELECT (SELECT max(x) FROM a.b.c), EXISTS (FROM a.b.d)", ["a.b.c", "a.b.d"]),
        ("SELECT * FROM a.b.c WHERE p = ? AND q = ? UNION FROM a.b.d", ["a.b.c", "a.b.d"]),
        ("SELECT '?', ? /* ? */, ? FROM a.b.c", ["a.b.c"]),
    ],
)
def test_mentions_stand_where_their_spans_say(sql: str, expected: list[str]) -> None:
    assert sorted(named(sql)) == sorted(expected)


def test_places_behind_many_placeholders_are_those_of_the_text() -> None:
    sql = f"SELECT {', '.join('?' * 120)} FROM a.b.c, a.b.d"
    assert sorted(named(sql)) == ["a.b.c", "a.b.d"]
    assert parse(sql).sql == sql


def test_placeholders_are_numbered_in_the_order_of_the_text() -> None:
    tree = parse("SELECT * FROM t WHERE b = ? AND a IN (?, ?)").tree
    assert tree is not None
    assert tree.sql(dialect="duckdb") == "SELECT * FROM t WHERE b = $1 AND a IN ($2, $3)"


@over(
    ("sql", "mode", "rest"),
    [
        ("EXPLAIN SELECT 1", "plan", "SELECT 1"),
        ("explain analyze SELECT 1", "analyze", "SELECT 1"),
        ("\n EXPLAIN\n FROM t", "plan", "FROM t"),
        ("SELECT 1 AS explain", None, "SELECT 1 AS explain"),
    ],
)
def test_explain_is_taken_off_and_remembered(sql: str, mode: str | None, rest: str) -> None:
    statement = parse(sql)
    assert (statement.explain, statement.sql) == (mode, rest)
    assert sql[statement.offset :] == rest


@over(
    ("sql", "what", "scope"),
    [
        ("SHOW PROVIDERS", Show.PROVIDERS, ()),
        ("show services in confluent;", Show.SERVICES, ("confluent",)),
        ("SHOW TABLES FROM confluent.connect -- all\n", Show.TABLES, ("confluent", "connect")),
        ('SHOW TABLES IN "confluent"."connect"', Show.TABLES, ("confluent", "connect")),
    ],
)
def test_show_of_ours_is_understood(sql: str, what: Show, scope: tuple[str, ...]) -> None:
    assert classify(sql).own == ShowStatement(what, scope)


@over("sql", ["SHOW TABLES", "SHOW ALL TABLES", "SHOW DATABASES"])
def test_show_of_duckdb_is_left_to_duckdb(sql: str) -> None:
    assert classify(sql).own is None


@over(
    ("sql", "use"),
    [
        ("SELECT * FROM a.b.c", TableUse.READ),
        ("DESCRIBE a.b.c", TableUse.DESCRIBE),
        ("DROP TABLE a.b.c", TableUse.WRITE),
        ("INSERT INTO a.b.c VALUES (1)", TableUse.WRITE),
        ("UPDATE a.b.c SET x = 1", TableUse.WRITE),
        ("DELETE FROM a.b.c", TableUse.WRITE),
        ("COPY a.b.c FROM 'x.csv'", TableUse.WRITE),
        ("COPY a.b.c TO 'x.csv'", TableUse.READ),
        ("CREATE VIEW v AS FROM a.b.c", TableUse.DEFINE),
        ("CREATE TABLE t AS FROM a.b.c", TableUse.READ),
        ("DESCRIBE SELECT * FROM a.b.c", TableUse.READ),
    ],
)
def test_what_a_statement_does_with_a_table_is_told(sql: str, use: TableUse) -> None:
    found = [one.use for one in parse(sql).mentions if len(one.parts) == 3]
    assert found == [use]


def test_an_alias_is_noticed_wherever_it_stands() -> None:
    for sql in ("FROM a.b.c AS x", "FROM a.b.c x", "FROM x: a.b.c", "FROM a.b.c x(p, q)"):
        assert parse(sql).mentions[0].has_alias
    assert not parse("FROM a.b.c").mentions[0].has_alias


def test_what_only_duckdb_reads_has_no_tree() -> None:
    assert parse("SELECT ^^ nonsense").tree is None
    assert parse("SELECT (((").mentions == ()


def test_dotted_names_are_found_in_text_without_a_tree() -> None:
    dotted = [name.parts for name in names('x a.b.c + "d e" . f') if len(name.parts) > 1]
    assert dotted == [("a", "b", "c"), ("d e", "f")]


def test_texts_with_show_are_split_by_semicolons_outside_of_literals() -> None:
    text = "SHOW PROVIDERS; SELECT ';' -- ;\n; ; SELECT 2"
    parts = split(text)
    assert [part.strip() for part, _ in parts] == [
        "SHOW PROVIDERS", "SELECT ';' -- ;", "SELECT 2",
    ]  # fmt: skip
    assert all(text[offset:].startswith(part) for part, offset in parts)


def test_a_statement_that_is_too_long_is_refused() -> None:
    with pytest.raises(ParseError, match="longer than 10,000,000 characters"):
        parse("SELECT '" + "x" * MAX_LENGTH + "'")


def test_chains_of_two_thousand_conditions_have_a_tree() -> None:
    for word in ("AND", "OR"):
        chain = f" {word} ".join(f"x = {number}" for number in range(2000))
        assert parse(f"FROM a.b.c WHERE {chain}").tree is not None


@over(
    ("sql", "expected"),
    [
        ("WITH c AS (SELECT 1) FROM c", []),
        ("WITH c AS (FROM c) FROM c", ["c"]),
        ("WITH RECURSIVE c AS (SELECT 1 UNION ALL FROM c) FROM c", []),
        ("WITH b AS (FROM c), c AS (FROM b) FROM b, c", ["c"]),
        ("SELECT (WITH c AS (SELECT 1) FROM c) FROM c", ["c"]),
        ("WITH c AS (SELECT 1) SELECT (SELECT (FROM c)), (FROM main.c)", ["main.c"]),
        ("WITH c AS (WITH b AS (SELECT 1) FROM b) FROM c, b", ["b"]),
        ("WITH c AS (SELECT 1), b AS (WITH c AS (FROM c) FROM c) FROM b", []),
    ],
)
def test_a_cte_hides_a_table_only_where_it_is_in_sight(sql: str, expected: list[str]) -> None:
    assert named(sql) == expected


@over(
    ("where", "named"),
    [
        ("a = $name AND b = ''", {"name"}),
        ("a = $name AND b = 'it''s' AND c = $other AND d = ''''", {"name", "other"}),
        ("a = $name AND b = $$it''s$$", {"name"}),
        ("a = 'x' AND b = $tag$ $name $tag$", set()),
    ],
)
def test_quotes_written_twice_do_not_hide_a_parameter(where: str, named: set[str]) -> None:
    tree = parse(f"SELECT x FROM p.s.t WHERE {where}").tree
    assert tree is not None
    assert {one.name for one in tree.find_all(exp.Placeholder)} == named
