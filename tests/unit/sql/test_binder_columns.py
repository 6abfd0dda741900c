"""Which columns a mention is asked for, hidden columns, and the text that DuckDB runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.errors import BindError
from connstat_sql.executor.run_text import run_text
from connstat_sql.planner import mention_table
from tests.oracle.stages import Stages, open_stages
from tests.tabled import over

ALL = ("n", "note", "grp", "part", "name")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def text(stages: Stages, sql: str) -> str:
    """The text that runs, with the tables that stand for mentions as `T0`, `T1`, …"""
    run = run_text(stages.bind(sql)).sql
    for index in range(4):
        run = run.replace(mention_table(index), f"T{index}")
    return run


# --- used columns --------------------------------------------------------------------------------


@over(
    ("sql", "expected"),
    [
        ("SELECT n FROM zoo.w.items", ("n",)),
        ("SELECT count(*) FROM zoo.w.items", ()),
        ("SELECT i.NOTE FROM zoo.w.items i WHERE \"N\" > 1", ("n", "note")),
        ("SELECT 1 FROM zoo.w.items ORDER BY note", ("note",)),
        ("SELECT n FROM zoo.w.items JOIN zoo.w.subs USING (grp)", ("n", "grp")),
        ("SELECT (SELECT max(size) FROM zoo.w.groups g WHERE g.g = i.part) FROM zoo.w.items i",
         ("part",)),
        ("SELECT * FROM zoo.w.items", ALL),
        ("FROM zoo.w.items", ALL),
        ("SELECT i.* FROM zoo.w.items i", ALL),
        ("SELECT * EXCLUDE (n) FROM zoo.w.items", ALL),
        ("SELECT COLUMNS('n.*') FROM zoo.w.items", ALL),
        ("SELECT i FROM zoo.w.items i", ALL),
        ("SELECT items FROM zoo.w.items", ALL),
        ("SELECT n AS items FROM zoo.w.items ORDER BY items DESC", ("n",)),
        ("SELECT n FROM zoo.w.items ORDER BY items", ALL),
        ("SELECT n, max(n) OVER (ORDER BY items) AS items FROM zoo.w.items", ALL),
        ("SELECT #1 FROM zoo.w.items", ALL),
        ("SELECT x FROM zoo.w.items AS i(x, y)", ALL),
        ("SELECT n FROM zoo.w.items NATURAL JOIN zoo.w.subs", ALL),
        ("SUMMARIZE zoo.w.items", ALL),
        ("PIVOT zoo.w.items ON n USING count(*)", ALL),
        ("SELECT grp FROM (FROM zoo.w.items)", ALL),
    ],
)  # fmt: skip
def test_only_columns_that_may_be_used_are_asked_for(
    stages: Stages, sql: str, expected: tuple[str, ...]
) -> None:
    assert stages.bind(sql).tables[0].columns == expected


# --- hidden columns ------------------------------------------------------------------------------


def test_hidden_columns_are_there_when_named(stages: Stages) -> None:
    sql = "SELECT n, _url FROM zoo.w.items WHERE _connection = 'conn_a'"
    assert stages.bind(sql).tables[0].hidden == ("_connection", "_url")
    assert stages.bind("SELECT n FROM zoo.w.items").tables[0].hidden == ()


def test_a_hidden_column_is_there_for_the_mention_that_it_is_named_on(stages: Stages) -> None:
    sql = "SELECT a._url FROM zoo.w.items a, zoo.w.items b"
    assert [table.hidden for table in stages.bind(sql).tables] == [("_url",), ()]


def test_a_hidden_column_may_join_by_using(stages: Stages) -> None:
    sql = "SELECT 1 FROM zoo.w.items a JOIN zoo.w.subs b USING (_connection, grp)"
    assert [table.hidden for table in stages.bind(sql).tables] == [("_connection",)] * 2


@over(
    ("sql", "expected"),
    [
        ("SELECT *, _url FROM zoo.w.items", "SELECT * EXCLUDE (_url), _url FROM T0 AS \"items\""),
        ("SELECT i.* FROM zoo.w.items i WHERE i._connection = 'a'",
         "SELECT i.* EXCLUDE (_connection) FROM T0 i WHERE i._connection = 'a'"),
        ("SELECT COLUMNS(*) FROM zoo.w.items i WHERE _connection = 'a'",
         "SELECT COLUMNS(* EXCLUDE (_connection)) FROM T0 i WHERE _connection = 'a'"),
        ("SELECT count(*), max(_url) FROM zoo.w.items i", "SELECT count(*), max(_url) FROM T0 i"),
        ("SELECT b.*, a._url FROM zoo.w.items a, zoo.w.subs b",
         "SELECT b.*, a._url FROM T0 a, T1 b"),
        ("SELECT *, a._url FROM zoo.w.items a, zoo.w.subs b",
         'SELECT * EXCLUDE ("a"._url), a._url FROM T0 a, T1 b'),
        ("FROM zoo.w.items WHERE _connection = ?",
         'SELECT * EXCLUDE (_connection) FROM T0 AS "items" WHERE _connection = ?'),
        ("SELECT ?, (FROM/**/b: zoo.w.items ORDER BY _url LIMIT 1)",
         "SELECT ?, (SELECT * EXCLUDE (_url) FROM/**/b: T0 ORDER BY _url LIMIT 1)"),
        ("FROM (FROM zoo.w.items WHERE _url = '') WHERE n = 1",
         "FROM (SELECT * EXCLUDE (_url) FROM T0 AS \"items\" WHERE _url = '') WHERE n = 1"),
        ("FROM notes UNION ALL FROM zoo.w.items WHERE _url = ''",
         "FROM notes UNION ALL SELECT * EXCLUDE (_url) FROM T0 AS \"items\" WHERE _url = ''"),
        ("FROM ((notes n CROSS JOIN zoo.w.items i)) WHERE i._url = ''",
         "SELECT * EXCLUDE (\"i\"._url) FROM ((notes n CROSS JOIN T0 i)) WHERE i._url = ''"),
        ("FROM zoo.w.items SELECT * ORDER BY _url",
         'FROM T0 AS "items" SELECT * EXCLUDE (_url) ORDER BY _url'),
        ("SELECT * EXCLUDE (n) FROM zoo.w.items WHERE _url = ''",
         "SELECT * EXCLUDE (_url, n) FROM T0 AS \"items\" WHERE _url = ''"),
        ("SELECT * EXCLUDE/**/n FROM zoo.w.items WHERE _url = ''",
         "SELECT * EXCLUDE/**/(_url, n) FROM T0 AS \"items\" WHERE _url = ''"),
        ("SELECT i.* EXCLUDE i.n FROM zoo.w.items i WHERE _url = ''",
         "SELECT i.* EXCLUDE (_url, i.n) FROM T0 i WHERE _url = ''"),
        ("SELECT * EXCLUDE (_URL) FROM zoo.w.items WHERE _url = ''",
         "SELECT * EXCLUDE (_URL) FROM T0 AS \"items\" WHERE _url = ''"),
    ],
)  # fmt: skip
def test_hidden_columns_are_kept_out_of_stars(stages: Stages, sql: str, expected: str) -> None:
    assert text(stages, sql) == expected


@over(
    ("sql", "message", "hint"),
    [
        ("SELECT n FROM zoo.w.items NATURAL JOIN zoo.w.subs WHERE items._connection = 'a'",
         "_connection cannot be used beside NATURAL JOIN, which would join by it",
         "write JOIN … USING (columns)"),
        ("FROM (zoo.w.items NATURAL JOIN zoo.w.subs) WHERE items._connection = 'a'",
         "_connection cannot be used beside NATURAL JOIN, which would join by it",
         "write JOIN … USING (columns)"),
        ("FROM (zoo.w.items CROSS JOIN zoo.w.subs) j WHERE _connection = 'a'",
         "_connection cannot be used in a join that has one name for both its sides",
         "name the tables"),
    ],
)  # fmt: skip
def test_where_a_hidden_column_cannot_be_kept_out_it_is_refused(
    stages: Stages, sql: str, message: str, hint: str
) -> None:
    with pytest.raises(BindError) as caught:
        stages.bind(sql)
    assert (caught.value.message, caught.value.hint) == (message, hint)


# --- the text that runs --------------------------------------------------------------------------


@over(
    ("sql", "expected"),
    [
        ("SELECT n FROM zoo.w.items", 'SELECT n FROM T0 AS "items"'),
        ("SELECT n FROM zoo.w.items AS i", "SELECT n FROM T0 AS i"),
        ("SELECT n FROM zoo.w.items i", "SELECT n FROM T0 i"),
        ("FROM i: zoo.w.items SELECT n", "FROM i: T0 SELECT n"),
        ('SELECT "N" AS "日本" FROM "zoo"."W".items -- zoo.w.items é',
         'SELECT "N" AS "日本" FROM T0 AS "items" -- zoo.w.items é'),
        ("SELECT zoo.w.items.n, w.items.note, items.grp FROM zoo.w.items",
         'SELECT items.n, items.note, items.grp FROM T0 AS "items"'),
        ("SELECT 'zoo.w.items' FROM zoo.w.items i", "SELECT 'zoo.w.items' FROM T0 i"),
        ("SELECT n FROM zoo.w.items, zoo.w.subs s WHERE n = ?",
         'SELECT n FROM T0 AS "items", T1 s WHERE n = ?'),
        ("PIVOT zoo.w.items ON n USING count(*)", "PIVOT T0 ON n USING count(*)"),
        ("SUMMARIZE zoo.w.items", "SUMMARIZE T0"),
        ("SELECT 1 FROM (zoo.w.items JOIN zoo.w.subs USING (grp))",
         'SELECT 1 FROM (T0 AS "items" JOIN T1 AS "subs" USING (grp))'),
        ("WITH c AS (FROM zoo.w.items) SELECT * FROM c",
         'WITH c AS (FROM T0 AS "items") SELECT * FROM c'),
    ],
)  # fmt: skip
def test_nothing_but_names_of_tables_is_changed(stages: Stages, sql: str, expected: str) -> None:
    found = text(stages, sql)
    assert found == expected
    stages.plan(sql)


def test_places_in_the_text_that_runs_lead_back(stages: Stages) -> None:
    sql = "SELECT é, items.nn, x FROM zoo.w.items WHERE y = 1"
    run = run_text(stages.bind(sql))
    for word in ("é", "nn", "x ", "WHERE", "y = 1"):
        assert run.place_of(run.sql.index(word)) == sql.index(word)
    assert run.place_of(run.sql.index("temp.")) == sql.index("zoo.w")
    assert run.place_of(len(run.sql) + 50) == len(sql)


def test_a_row_of_a_live_table_has_no_number(stages: Stages) -> None:
    with pytest.raises(BindError) as caught:
        stages.bind("SELECT n, i.rowid FROM zoo.w.items i")
    assert caught.value.message == "zoo.w.items is live: its rows have no rowid"
    assert caught.value.hint == "number them:  row_number() OVER (ORDER BY …)"
    stages.bind("SELECT n, (SELECT max(rowid) FROM mine) FROM zoo.w.items")
    stages.bind("SELECT m.rowid FROM zoo.w.items i, mine m")
