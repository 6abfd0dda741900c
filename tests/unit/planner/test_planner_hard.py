"""Awkward queries end in the right answer or in one clear error, with nothing sent in vain."""

from __future__ import annotations

import pytest

from connstat_sql.errors import ConnstatError
from tests.oracle.breaches import hand_made_world
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import TABLES

VALUES = frozenset({"5", "05", "7", "1", "a", "A", "x", "y", "z", "q", "k"})


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(hand_made_world())


def query(sql: str, *setup: str) -> Query:
    tables = frozenset(name for name in TABLES if f".w.{name}" in sql)
    return Query(sql, None, VALUES, tables, setup)


def refused(court: Court, sql: str) -> str:
    """The message of the error that a statement ends in, before anything was sent."""
    court.world.asked.clear()
    with pytest.raises(ConnstatError) as caught:
        list(court.engine.run(sql))
    assert court.world.asked == []
    return caught.value.message


def test_a_circle_of_parameters_is_told_with_what_is_given(court: Court) -> None:
    sql = """SELECT * FROM conn_a.w.codes a JOIN conn_a.w.codes b
        ON a.code = b.code AND a.lang = b.lang WHERE a.code = 5"""
    assert refused(court, sql) == "zoo.w.codes needs lang\n  given: code"


def test_a_circle_is_broken_where_a_parent_can_be_asked(court: Court) -> None:
    sql = "SELECT count(*) FROM conn_a.w.subs a JOIN conn_a.w.subs b ON a.grp = b.grp"
    assert court.try_query(query(sql)).verdict is Verdict.AGREED


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM many m JOIN conn_a.w.subs s ON s.grp = m.x",
        "SELECT s.* FROM conn_a.w.subs s WHERE s.grp IN (SELECT x FROM many)",
        "SELECT m.k FROM many m LEFT JOIN conn_a.w.subs s ON s.grp = m.x AND m.k < 3",
    ],
)
def test_nulls_and_duplicates_of_a_source_ask_nothing(court: Court, sql: str) -> None:
    many = """CREATE OR REPLACE TABLE many AS
        SELECT CASE WHEN range % 3 > 0 THEN '5' END AS x, range % 4 AS k FROM range(60)"""
    trial = court.try_query(query(sql, many))
    assert trial.verdict is Verdict.AGREED, trial.why
    assert trial.requests == 1


def test_a_hundred_thousand_values_are_over_budget_before_the_first(court: Court) -> None:
    court.engine.session.duckdb.execute(
        "CREATE OR REPLACE TABLE long AS SELECT 'v' || range AS x FROM range(100_000)"
    )
    sql = "SELECT count(*) FROM long l JOIN conn_a.w.codes c ON c.lang = l.x AND c.code = 5"
    message = refused(court, sql)
    assert "needs 100,000 more requests after 0, one for each of the values from l.x" in message


@pytest.mark.parametrize(
    "value",
    ["m.x COLLATE NOCASE", "concat(m.x, random())", "m.k", "TRY_CAST(m.x AS DOUBLE)"],
)
def test_a_value_whose_equality_means_something_else_binds_nothing(
    court: Court, value: str
) -> None:
    court.engine.session.duckdb.execute("CREATE OR REPLACE TABLE mine AS SELECT 'a' AS x, 5 AS k")
    sql = f"SELECT * FROM mine m JOIN conn_a.w.codes c ON c.lang = {value} AND c.code = 5"
    assert refused(court, sql) == "zoo.w.codes needs lang\n  given: code"


def test_a_function_that_does_not_exist_is_found_before_anything_is_sent(court: Court) -> None:
    sql = "SELECT * FROM conn_a.w.subs s JOIN conn_a.w.groups g ON s.grp = no_such(g.g)"
    assert "no_such" in refused(court, sql)


def test_five_hundred_mentions_are_planned(court: Court) -> None:
    sql = " UNION ALL ".join(
        f"SELECT sub FROM conn_a.w.subs WHERE grp = '{number % 3}'" for number in range(500)
    )
    found = court.engine.explain(sql)
    assert found is not None
    assert sum(found.expected(scan) or 0 for scan in found.scans) == 3


def either(depth: int) -> str:
    """AND in OR in AND in OR, so many levels of both."""
    found = "grp = '5'"
    for level in range(depth):
        found = f"({found} AND sub <> '{level}') OR (grp = '7')"
    return found


def doubly(depth: int) -> str:
    """A subquery in a subquery, and so on."""
    found = "SELECT grp FROM conn_a.w.subs WHERE grp = '5'"
    for _ in range(depth):
        found = f"SELECT grp FROM conn_a.w.subs WHERE grp IN ({found})"
    return found


@pytest.mark.parametrize(
    ("sql", "most"),
    [
        (f"SELECT sub FROM conn_a.w.subs WHERE {'(' * 400}grp = '5'{')' * 400}", 1),
        (f"SELECT sub FROM conn_a.w.subs WHERE {either(100)}", 2),
        (f"SELECT sub FROM conn_a.w.subs WHERE grp = {' || '.join(['NULL', *['5'] * 400])}", 0),
        (f"SELECT sub FROM conn_a.w.subs WHERE {'NOT ' * 200} grp = '5'", 1),
        (f"SELECT * FROM {'(SELECT * FROM ' * 60}conn_a.w.subs{')' * 60} WHERE grp = '5'", 1),
        (f"SELECT grp{''.join(' || (sub' for _ in range(150))}{')' * 150} FROM conn_a.w.subs "
         "WHERE grp = '5'", 1),
        (doubly(30), 1),
    ],
    ids=["parentheses", "AND in OR", "concatenated", "NOT", "derived", "columns", "subqueries"],
)  # fmt: skip
def test_what_is_nested_deeply_is_planned(court: Court, sql: str, most: int) -> None:
    trial = court.try_query(query(sql))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.requests == most


def test_what_is_nested_too_deeply_ends_in_an_error_or_an_answer(court: Court) -> None:
    sql = f"SELECT sub FROM conn_a.w.subs WHERE {'(' * 5_000}grp = '5'{')' * 5_000}"
    assert refused(court, sql)


def test_ctes_that_double_their_readings_are_read_in_bounded_time(court: Court) -> None:
    chain = ", ".join(
        f"c{number} AS (SELECT * FROM c{number - 1} UNION ALL SELECT * FROM c{number - 1})"
        for number in range(1, 9)
    )
    sql = f"WITH c0 AS (FROM conn_a.w.groups), {chain} SELECT count(*) FROM c8 WHERE g = '5'"
    trial = court.try_query(query(sql))
    assert trial.verdict is Verdict.AGREED, trial.why
    assert trial.requests == 1


@pytest.mark.parametrize(
    "sql",
    [
        # a group that is there without rows asks for all that is beside it
        """SELECT i.grp, count(*) FROM conn_a.w.items i WHERE false GROUP BY CUBE (i.grp)
           HAVING count(*) >= (SELECT count(*) FROM conn_a.w.groups)""",
        "SELECT count(*), (SELECT count(*) FROM conn_a.w.groups) FROM conn_a.w.items WHERE false",
        # FROM first, with joins, and LIMIT behind them
        "FROM conn_a.w.groups g JOIN conn_a.w.subs s ON s.grp = g.g ORDER BY ALL LIMIT 2",
        # a source whose columns nobody names beside one with a column x
        "SELECT x FROM conn_a.w.groups, (VALUES (1), (2)) AS v(x)",
        # the name of a table is the name of the CTE that reads it
        "WITH groups AS (SELECT g AS x FROM conn_a.w.groups) SELECT * FROM groups WHERE x = '5'",
        # ALL over a list is no function of one value
        "FROM conn_a.w.groups ANTI JOIN conn_a.w.items i ON i.grp = ALL([(SELECT max(u) "
        "FROM (SELECT unnest(['5']) AS u))])",
    ],
)  # fmt: skip
def test_what_random_queries_have_found_stays_found(court: Court, sql: str) -> None:
    trial = court.try_query(query(sql))
    assert trial.verdict is Verdict.AGREED, trial.why


def test_a_text_in_dollars_is_no_parameter(court: Court) -> None:
    sql = "SELECT sub FROM conn_a.w.subs, (SELECT * FROM (VALUES ($$1$$)) v(a)) WHERE grp = ?"
    trial = court.try_query(Query(sql, ["5"], frozenset({"5"})))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")


def test_what_holds_for_one_reading_of_a_table_filters_no_details_of_another(court: Court) -> None:
    sql = """SELECT t1.grp, t2.ware, t2.photo FROM (conn_a.w.wares t1 LEFT JOIN conn_a.w.wares t2
        ON t1.kind = t2.kind) JOIN generate_series(1, 7) AS l(k) ON l.k = t1.price"""
    found = court.engine.explain(sql)
    assert found is not None
    assert not any(
        "generate_series" in source.sql.lower() for s in found.scans for source in s.sources
    )


def test_a_macro_made_on_the_connection_itself_is_seen(court: Court) -> None:
    court.enter(hand_made_world())
    sql = "SELECT count(*) FROM conn_a.w.groups JOIN conn_a.w.subs ON grp = g WHERE {}"
    everything = [*court.engine.run(sql.format("true"))][-1].fetchall()
    text = sql.format("list_contains(['5'], grp)")
    connection = court.engine.session.hand_out()
    assert [*court.engine.run(text)][-1].fetchall() != everything
    connection.execute("CREATE MACRO list_contains(a, b) AS true")
    try:
        assert [*court.engine.run(text)][-1].fetchall() == everything
    finally:
        connection.execute("DROP MACRO list_contains")
