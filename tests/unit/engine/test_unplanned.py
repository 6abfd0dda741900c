"""Whatever reaches a live table in a way that cannot be planned is an error, and sends nothing."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connstat_sql.errors import ConnstatError
from tests.examples import examples
from tests.oracle.grammar import random_query
from tests.oracle.law import Court, Verdict
from tests.tabled import over, spread
from tests.unit.planner.test_planner_law import world

TABLE = "zoo.w.subs"
SAYS = re.compile(r"zoo\.w\.\w+ (is live|in a way that cannot be planned)")
_LIVE = re.compile(r"\b(FROM|JOIN) (?:zoo|conn_\w)\.w\.(\w+)")
PREDICATES = (
    "grp = '5'", "grp <> '5'", "grp IN ('5', '7')", "grp NOT IN ('5')", "grp IS NULL",
    "grp IS NOT NULL", "grp IS NOT DISTINCT FROM NULL", "grp LIKE '5%'", "grp > '5'",
    "grp BETWEEN 'a' AND 'b'", "grp = '5' OR kind = 'k'", "grp = '5' AND grp = '7'",
    "CAST(grp AS INTEGER) = 5", "coalesce(grp, '5') = '5'", "length(grp) = 1", "NULL", "false",
    "true", "1 = 0", "grp = NULL", "NOT (grp = '5')", "(grp, sub) = ('5', 'x')",
    "grp = (SELECT max(x) FROM notes)", "EXISTS (SELECT 1)", "random() < 2", "grp = kind",
    "regexp_matches(grp, '5')", "grp IN (SELECT x FROM nothing)", "{'a': grp}.a = '5'",
    "list_contains([grp], '5')", "CASE WHEN grp = '5' THEN true END",
)  # fmt: skip
WAYS = (
    "query_table('{t}')", "query_table(['{t}'])", "query('FROM {t}')", "query('TABLE ' || '{t}')",
    "any_table('{t}')", "(SELECT * FROM query_table('{t}'))", "(FROM query_table('{t}') LIMIT 0)",
    "(SELECT * FROM query_table('{t}') UNION ALL SELECT * FROM query_table('{t}'))",
    "(SELECT 'a' AS grp, 'b' AS sub, 'c' AS kind UNION ALL BY NAME FROM query_table('{t}'))",
    "(SELECT * FROM nothing CROSS JOIN query_table('{t}'))",
    "(SELECT DISTINCT ON (grp) * FROM query_table('{t}') ORDER BY sub)",
)  # fmt: skip
SELECTS = (
    "SELECT * FROM {} WHERE {}", "SELECT count(*) FROM {} WHERE {}", "SELECT 1 FROM {} WHERE {}",
    "SELECT max(sub) FROM {} WHERE {} GROUP BY grp", "SELECT 1 FROM {} WHERE {} LIMIT 0",
    "SELECT EXISTS (FROM {} WHERE {})", "SELECT (SELECT count(*) FROM {} WHERE {})",
    "SELECT * FROM nothing SEMI JOIN (FROM {} WHERE {}) s ON true",
    "SELECT * FROM notes ANTI JOIN (FROM {} WHERE {}) s ON s.grp = notes.x",
    "SELECT 1 UNION ALL SELECT 2 FROM {} WHERE {}", "SELECT 1 EXCEPT SELECT 1 FROM {} WHERE {}",
    "SELECT * FROM notes LEFT JOIN (FROM {} WHERE {}) s ON s.grp = notes.x",
    "WITH c AS MATERIALIZED (SELECT * FROM {} WHERE {}) SELECT 1 FROM c",
    "CREATE TEMP TABLE mine AS SELECT * FROM {} WHERE {}", "EXPLAIN SELECT * FROM {} WHERE {}",
    "PREPARE p AS SELECT * FROM {} WHERE {}", "SUMMARIZE SELECT * FROM {} WHERE {}",
    "COPY (SELECT * FROM {} WHERE {}) TO '/dev/null'", "PIVOT (FROM {} WHERE {}) ON grp",
)  # fmt: skip


def refusal(court: Court, sql: str) -> str:
    """What is said against a statement; "" when it has an answer.

    Nothing may be sent where it is that a table is live.
    """
    court.world.asked.clear()
    try:
        *_, result = court.engine.run(sql)
    except ConnstatError as error:
        said = error.message
    else:
        return "" if result.has_rows else "no rows"
    assert not (court.world.asked and SAYS.search(said))
    return said


@pytest.fixture
def zoo(court: Court) -> Court:
    """The court in a world with rows, and a macro that takes the name of a table."""
    court.enter(world())
    list(court.engine.run("CREATE OR REPLACE MACRO any_table(t) AS TABLE FROM query_table(t)"))
    return court


@over("number", spread(range(len(PREDICATES)), 5))
def test_no_predicate_makes_it_an_answer(zoo: Court, number: int) -> None:
    none_is_an_answer(zoo, number)


@pytest.mark.long
@over("number", range(len(PREDICATES)))
def test_not_one_of_them_all(zoo: Court, number: int) -> None:
    none_is_an_answer(zoo, number)


def none_is_an_answer(zoo: Court, number: int) -> None:
    for place, select in enumerate(SELECTS):
        way = WAYS[(number + place) % len(WAYS)].format(t=TABLE)
        sql = select.format(f"{way} AS t" if "FROM {} WHERE" in select else way, PREDICATES[number])
        assert SAYS.search(refusal(zoo, sql)), sql


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**24))
def test_no_random_statement_makes_it_an_answer(zoo: Court, seed: int) -> None:
    query = random_query(random.Random(seed), zoo.world)
    sql, count = _LIVE.subn(r"\1 query_table('zoo.w.\2')", query.sql)
    is_plain = not query.setup and query.arguments is None and not query.is_forbidden
    if count and is_plain and "rowid" not in sql:
        said = refusal(zoo, sql)
        assert said or "WITH" in sql, sql
        if not said:  # what DuckDB has not bound is a CTE that nothing reads
            assert zoo.try_query(replace(query, sql=sql)).verdict is Verdict.AGREED


@over(
    "macro",
    ["error(x) AS NULL", "getvariable(x) AS true", "range(x) AS TABLE SELECT 1 WHERE false"],
)
def test_no_macro_of_the_user_makes_it_an_answer(zoo: Court, macro: str) -> None:
    name = macro.partition("(")[0]
    list(zoo.engine.run(f"CREATE MACRO {macro}"))
    try:
        sql = f"SELECT * FROM query_table('{TABLE}') WHERE grp = '5'"
        assert SAYS.search(refusal(zoo, sql))
    finally:
        kind = "MACRO TABLE" if "TABLE" in macro else "MACRO"
        list(zoo.engine.run(f"DROP {kind} {name}"))


def test_the_error_says_the_next_step(zoo: Court) -> None:
    with pytest.raises(ConnstatError) as caught:
        list(zoo.engine.run(f"SELECT count(*) FROM query_table('{TABLE}') WHERE grp = '5'"))
    assert caught.value.hint == f"name it in FROM or JOIN:  FROM {TABLE} WHERE …"


@over("way", ["query_table('{t}')", "query('FROM {t}')", "any_table('{t}')"])
def test_the_error_names_the_table_of_a_connection(zoo: Court, way: str) -> None:
    named = "conn_a.w.subs"
    sql = f"SELECT count(*) FROM {way.format(t=named)} WHERE grp = '5'"
    with pytest.raises(ConnstatError, match=f"{named} is live") as caught:
        list(zoo.engine.run(sql))
    assert caught.value.hint == f"name it in FROM or JOIN:  FROM {named} WHERE …"


@over(
    "sql",
    [
        "DESCRIBE FROM query_table('zoo.w.subs')", "DESCRIBE seen", "SHOW seen",
        "PRAGMA table_info('seen')", "DESCRIBE SELECT * FROM seen", "DESCRIBE zoo.w.subs",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'subs'",
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'seen'",
        "SELECT name FROM (SHOW ALL TABLES) WHERE name = 'subs'",
    ],
)  # fmt: skip
def test_what_only_tells_of_it_answers(zoo: Court, sql: str) -> None:
    list(zoo.engine.run(f"CREATE OR REPLACE VIEW seen AS SELECT * FROM {TABLE}"))
    zoo.world.asked.clear()
    *_, result = zoo.engine.run(sql)
    assert result.table.num_rows
    assert not zoo.world.asked


@over(
    "sql",
    [
        "CREATE VIEW notes AS FROM zoo.w.subs",
        "CREATE MACRO any_table() AS TABLE FROM zoo.w.subs",
        "DESCRIBE nosuch",
        "USE zoo.w; CREATE VIEW a AS FROM subs",
    ],
)
def test_a_definition_that_fails_within_a_transaction_does_not_open_it(
    zoo: Court, sql: str
) -> None:
    list(zoo.engine.run("BEGIN"))
    with pytest.raises(ConnstatError):
        list(zoo.engine.run(sql))
    list(zoo.engine.run("ROLLBACK; USE memory"))
    text = f"SELECT count(*) FROM query_table('{TABLE}') WHERE grp = '5'"
    assert SAYS.search(refusal(zoo, text))
