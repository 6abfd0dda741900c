"""Names of fewer parts under USE and search_path: what DuckDB means by them, asked for as ever."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from connstat_sql.definitions.lexer import names, names_within
from connstat_sql.errors import ConnstatError
from tests.oracle.law import Court
from tests.oracle.world import open_zoo
from tests.tabled import over, spread
from tests.unit.planner.test_planner_law import world

LONG = "SELECT count(*) FROM zoo.w.subs WHERE grp = '5'"


@pytest.fixture
def zoo(court: Court) -> Court:
    court.enter(world())
    return court


def asked(zoo: Court, sql: str) -> tuple[list[str], list[dict[str, object]], list[str]]:
    """Headers, rows and requests of the last statement of a text."""
    zoo.world.asked.clear()
    try:
        *_, result = zoo.engine.run(sql)
    finally:
        list(zoo.engine.run("USE memory"))
    return result.table.column_names, result.table.to_pylist(), sorted(zoo.world.asked)


@over(
    "sql",
    [
        "USE zoo.w; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; SELECT count(*) FROM SUBS s WHERE s.grp = '5'",
        "USE zoo.w; SELECT count(*) FROM \"Subs\" WHERE subs.grp = '5'",
        "USE zoo; SELECT count(*) FROM w.subs WHERE subs.grp = '5'",
        "USE zoo; SELECT count(*) FROM w /* of zoo */ . subs WHERE w.subs.grp = '5'",
        "SET schema = 'zoo.w'; SELECT count(*) FROM -- here\n subs WHERE grp = '5'",
        "SET search_path = 'memory.main,zoo.w'; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE memory; USE zoo.w; BEGIN; ROLLBACK; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; BEGIN; EXPLAIN FROM subs; EXPLAIN FROM subs; ROLLBACK; "
        "SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; CREATE OR REPLACE TEMP VIEW seen AS FROM subs WHERE grp = '5'; "
        "SELECT count(*) FROM seen",
        "USE zoo.w; CREATE OR REPLACE TEMP MACRO of(g) AS TABLE FROM subs WHERE grp = g; "
        "SELECT count(*) FROM of('5')",
        "SELECT count(*) FROM zoo/**/.w.subs WHERE grp = '5'",
        "SELECT count(*) FROM zoo -- the zoo\n .w./* its */subs WHERE grp = '5'",
        "USE memory; SELECT count(*) FROM zoo.w.subs WHERE grp = '5'",
    ],
)  # fmt: skip
def test_they_are_planned_like_whole_ones(zoo: Court, sql: str) -> None:
    assert asked(zoo, sql) == asked(zoo, LONG)


def test_the_plan_is_the_same(zoo: Court) -> None:
    short = asked(zoo, "USE zoo.w; EXPLAIN SELECT count(*) FROM subs WHERE grp = '5'")
    assert short == asked(zoo, f"EXPLAIN {LONG}")


def test_headers_say_what_was_written(zoo: Court) -> None:
    names, *_ = asked(zoo, "USE zoo.w; SELECT (SELECT count(*) FROM subs WHERE grp = '5')")
    assert names == ["(SELECT count_star() FROM subs WHERE (grp = '5'))"]


def test_describe_tells_of_the_live_table(zoo: Court) -> None:
    assert asked(zoo, "USE zoo.w; DESCRIBE subs") == asked(zoo, "DESCRIBE zoo.w.subs")


@over(
    "sql",
    [
        "USE conn_b.w; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE CONN_B.W; SELECT count(*) FROM subs s WHERE s.grp = '5'",
        "USE conn_b; SELECT count(*) FROM w.subs WHERE w.subs.grp = '5'",
        "SET search_path = 'conn_b.w,zoo.w'; SELECT count(*) FROM subs WHERE grp = '5'",
        "SET schema = 'conn_b.w'; SELECT count(*) FROM \"subs\" WHERE grp = '5'",
        "BEGIN; ROLLBACK; USE conn_b.w; BEGIN; ROLLBACK; SELECT count(*) FROM subs "
        "WHERE grp = '5'",
        "USE conn_b.w; CREATE OR REPLACE TEMP VIEW of_b AS FROM subs WHERE grp = '5'; "
        "SELECT count(*) FROM of_b",
    ],
)  # fmt: skip
def test_a_connection_stands_in_place_of_its_provider(zoo: Court, sql: str) -> None:
    assert asked(zoo, sql) == asked(zoo, LONG.replace("zoo", "conn_b"))


def test_describe_tells_of_the_table_of_a_connection(zoo: Court) -> None:
    assert asked(zoo, "USE conn_b.w; DESCRIBE subs") == asked(zoo, "DESCRIBE conn_b.w.subs")


def test_connections_are_declared_when_they_are_named(tmp_path: Path) -> None:
    opened = open_zoo(tmp_path, lambda _: httpx.Response(500))
    listed = (
        "SELECT count(*) FROM duckdb_databases() WHERE database_name ILIKE 'conn\\__' ESCAPE '\\'"
    )
    counts = []
    for sql in ("SHOW DATABASES", "USE conn_a.w", "USE memory", "USE zoo", "USE Conn_B"):
        list(opened.run(sql))
        counts += [table.table.to_pylist()[0]["count_star()"] for table in opened.run(listed)]
    opened.close()
    assert counts == [0, 1, 1, 1, 2]


@over(
    "sql",
    [
        "CREATE TEMP TABLE subs AS SELECT 'mine' AS grp; USE zoo.w; FROM subs; ",
        "CREATE TABLE subs AS SELECT 'mine' AS grp; SET search_path = 'memory.main,zoo.w'; "
        "FROM subs",
        "USE zoo.w; WITH subs AS (SELECT 'mine' AS grp) FROM subs",
    ],
)  # fmt: skip
def test_what_duckdb_finds_first_comes_first(zoo: Court, sql: str) -> None:
    try:
        assert asked(zoo, sql) == (["grp"], [{"grp": "mine"}], [])
    finally:
        list(zoo.engine.run("DROP TABLE IF EXISTS subs"))


@over(
    "sql",
    [
        "SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; USE memory; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo; SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; DELETE FROM subs",
        "USE zoo.w; PREPARE p AS SELECT count(*) FROM subs WHERE grp = '5'",
        "USE zoo.w; SELECT count(*) FROM query_table('subs') WHERE grp = '5'",
        "USE conn_b.w; SELECT count(*) FROM query_table('subs') WHERE grp = '5'",
        "USE conn_b.w; DELETE FROM subs",
    ],
)
def test_all_else_is_an_error_with_nothing_sent(zoo: Court, sql: str) -> None:
    with pytest.raises(ConnstatError):
        asked(zoo, sql)
    assert not zoo.world.asked


@over(
    "name",
    [
        "a.b.c", '"a"."b"."c"', "a . b\n.\tc", 'a."b.c".d', "a/**/.b.c", "a./**/b.c", "a.b/*.*/.c",
        "a.b -- c\n.c", "a.b.-- c\nc", "a$.b$.c", "é.ü.ö", "a\u200b.b.c",
    ],
)  # fmt: skip
def test_a_dotted_name_is_never_overlooked(name: str) -> None:
    assert any(len(one.parts) > 2 for one in names(f"SELECT 1 FROM {name}"))


@over(
    ("sql", "dotted"),
    [
        ("PREPARE p AS FROM a.b.c", [("a", "b", "c")]),
        ('x."y z" . /* w */ w, a.b', [("x", "y z", "w"), ("a", "b")]),
        ("f('a.b.c') -- d.e.f", [("a", "b", "c")]),
        ("1, a b .", []),
        ("a" * 100_000 + ".b", [("a" * 100_000, "b")]),
    ],
)
def test_words_are_all_dotted_names(sql: str, dotted: list[tuple[str, ...]]) -> None:
    assert [one.parts for one in names_within(sql) if len(one.parts) > 1] == dotted


CHANGES = (
    "DROP VIEW {}subs", "DROP VIEW IF EXISTS {}subs", "DROP TABLE {}subs",
    "CREATE OR REPLACE VIEW {}subs AS SELECT 1 AS a", "CREATE VIEW {}mine AS SELECT 1 AS a",
    "CREATE OR REPLACE VIEW {}subs AS FROM zoo.w.subs", "CREATE VIEW {}mine AS FROM zoo.w.subs",
    "CREATE TABLE {}mine (a INT)", "CREATE TABLE {}mine AS SELECT 1 AS a",
    "CREATE TABLE {}mine AS FROM zoo.w.subs", "ALTER VIEW {}subs RENAME TO other",
    "COMMENT ON VIEW {}subs IS 'hi'", "CREATE MACRO {}mine(a) AS a", "CREATE SEQUENCE {}mine",
    "CREATE MACRO {}mine() AS TABLE SELECT 1", "CREATE TYPE {}mine AS ENUM ('a')",
    "EXPLAIN ANALYZE DROP VIEW {}subs", "DROP SCHEMA {whole} CASCADE", "CREATE SCHEMA {head}.mine",
    "COPY FROM DATABASE memory TO {head}",
)  # fmt: skip


PLACES = [
    (sql, use, scope, head)
    for sql in CHANGES
    for head in ("zoo", "conn_b")
    for use, scope in (("USE {}.w", ""), ("USE {}", "w."), ("BEGIN; USE {}.w", ""),
                       ("USE {}; USE memory", "{}.w."))
]  # fmt: skip


@over("sql, use, scope, head", spread(PLACES, 8))
def test_nothing_changes_where_live_tables_are(
    zoo: Court, sql: str, use: str, scope: str, head: str
) -> None:
    nothing_changes(zoo, sql, use, scope, head)


@pytest.mark.long
@over("sql, use, scope, head", PLACES)
def test_nothing_ever_changes_there(zoo: Court, sql: str, use: str, scope: str, head: str) -> None:
    nothing_changes(zoo, sql, use, scope, head)


def nothing_changes(zoo: Court, sql: str, use: str, scope: str, head: str) -> None:
    there = "SELECT database_name, view_name, comment FROM duckdb_views() WHERE NOT internal"
    text = sql.format(scope.format(head), whole=f"{head}.w", head=head)
    list(zoo.engine.run(f"USE {head}; USE memory"))
    before = zoo.engine.session.duckdb.execute(there).fetchall()
    zoo.world.asked.clear()
    try:
        list(zoo.engine.run(use.format(head)))
        with pytest.raises(ConnstatError):
            list(zoo.engine.run(text))
    finally:
        if use.startswith("BEGIN"):
            list(zoo.engine.run("ROLLBACK"))
        list(zoo.engine.run("USE memory"))
    assert zoo.engine.session.duckdb.execute(there).fetchall() == before
    assert not zoo.world.asked


def test_a_table_of_the_same_transaction_does_not_open_them(zoo: Court) -> None:
    list(zoo.engine.run("BEGIN; CREATE TEMP TABLE fresh AS SELECT '5' AS grp; USE zoo.w"))
    zoo.world.asked.clear()
    for sql in (
        "CREATE TABLE x AS FROM subs JOIN fresh USING (grp)",
        "CREATE TABLE x AS FROM fresh",
    ):
        with pytest.raises(ConnstatError, match="zoo is live and read-only"):
            list(zoo.engine.run(sql))
        list(zoo.engine.run("ROLLBACK; BEGIN; CREATE TEMP TABLE fresh AS SELECT '5' AS grp"))
    list(zoo.engine.run("ROLLBACK; USE memory"))
    assert not zoo.world.asked


def test_a_database_cannot_be_brought_in_there(tmp_path: Path, zoo: Court) -> None:
    there = "SELECT database_name, table_name FROM duckdb_tables() ORDER BY ALL"
    before = zoo.engine.session.duckdb.execute(there).fetchall()
    list(zoo.engine.run(f"EXPORT DATABASE '{tmp_path}'; USE zoo.w"))
    try:
        with pytest.raises(ConnstatError, match="zoo is live and read-only"):
            list(zoo.engine.run(f"IMPORT DATABASE '{tmp_path}'"))
    finally:
        list(zoo.engine.run("USE memory"))
    assert zoo.engine.session.duckdb.execute(there).fetchall() == before


MOVES = (
    "DETACH {}", 'DETACH DATABASE "{}"', "ALTER DATABASE {} SET ALIAS TO other",
    "ATTACH ':memory:' AS {}", "ATTACH OR REPLACE ':memory:' AS {}", "ATTACH '{folder}/{}.db'",
)  # fmt: skip


@over("sql", MOVES[:1])
def test_their_names_stay_theirs(tmp_path: Path, zoo: Court, sql: str) -> None:
    names_stay(tmp_path, zoo, sql)


@pytest.mark.long
@over("sql", MOVES)
def test_they_stay_whatever_moves_them(tmp_path: Path, zoo: Court, sql: str) -> None:
    names_stay(tmp_path, zoo, sql)


def names_stay(tmp_path: Path, zoo: Court, sql: str) -> None:
    there = "SELECT DISTINCT database_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    others = "SELECT count(*) FROM duckdb_databases() WHERE database_name = 'other'"
    short = "USE zoo.w; SELECT count(*) FROM subs WHERE grp = '5'"
    list(zoo.engine.run("USE zoo; USE conn_b; USE memory"))
    before = asked(zoo, there)
    for name, begin in (("zoo", ""), ("zoo", "BEGIN"), ("conn_b", "BEGIN")):
        if begin:
            list(zoo.engine.run(begin))
        with pytest.raises(ConnstatError):
            list(zoo.engine.run(sql.format(name, folder=tmp_path)))
        if begin:
            list(zoo.engine.run("ROLLBACK"))
        assert asked(zoo, f"USE {name}; {there}") == before
        assert zoo.engine.session.duckdb.execute(others).fetchall() == [(0,)]
    assert asked(zoo, LONG) == asked(zoo, short)


def test_a_name_that_is_no_ones_can_be_attached(zoo: Court) -> None:
    sql = "ATTACH ':memory:' AS mine; CREATE TABLE mine.t AS SELECT 1 AS a; FROM mine.t"
    assert asked(zoo, sql)[1] == [{"a": 1}]
    list(zoo.engine.run("DETACH mine"))


def test_they_are_seen_where_no_files_can_be_made(tmp_path: Path) -> None:
    opened = open_zoo(tmp_path, lambda _: httpx.Response(500))
    *_, result = opened.run(
        "SET enable_external_access = false; "
        "SELECT count(*) FROM duckdb_views() WHERE database_name = 'zoo'"
    )
    opened.close()
    assert result.fetchall() != [(0,)]


@over(
    "sql",
    [
        "CREATE TEMP TABLE mine AS SELECT 1 AS a; COMMENT ON TABLE mine IS 'hi'; DROP TABLE mine",
        "CREATE TABLE memory.main.mine AS SELECT 1 AS a; ALTER TABLE memory.main.mine "
        "RENAME a TO b; DROP TABLE memory.main.mine",
        "CREATE TEMP VIEW mine AS FROM subs; DROP VIEW mine",
        "CREATE TEMP VIEW subs AS SELECT 1 AS a; DROP VIEW subs",
        "BEGIN; CREATE TEMP TABLE mine AS SELECT 1 AS a; DROP TABLE mine; COMMIT",
    ],
)
def test_tables_of_the_user_are_still_made(zoo: Court, sql: str) -> None:
    asked(zoo, f"USE zoo.w; {sql}")
