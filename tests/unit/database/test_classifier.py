"""What a statement is, by its tokens: comments, quotes and texts do not count as its words."""

from __future__ import annotations

import pytest

from connstat_sql.database.classifier import (
    RefreshStatement,
    StatementFacts,
    classify,
    lists_databases,
)
from connstat_sql.database.session import Session
from connstat_sql.demo import DemoServers
from connstat_sql.errors import BindError, Span
from tests.conftest import engine_of
from tests.tabled import over

PLAIN = StatementFacts()


@over(
    "sql", ["SELECT 1", "FROM t", "INSERT INTO t VALUES ('a.b.c', 1.5, 2.5)", "-- REFRESH\nFROM t"]
)
def test_most_statements_are_nothing_special(sql: str) -> None:
    assert classify(sql) == PLAIN


@over(
    ("sql", "fact"),
    [
        ("FROM a.b.c", "has_long_name"),
        ("FROM a /* of */ . b\n. c", "has_long_name"),
        ('SELECT * FROM "a"."b"."c"', "has_long_name"),
        ("CREATE VIEW v AS FROM t", "defines"),
        ("create or replace temp macro m() AS 1", "defines"),
        ("CREATE /* a */ FUNCTION f() AS 1", "defines"),
        ("DESCRIBE t", "describes"),
        ("desc t", "describes"),
        ("PRAGMA table_info('t')", "describes"),
        ("SHOW TABLES", "lists_tables"),
        ("show -- all\n tables ;", "lists_tables"),
        ("FROM information_schema.tables", "may_list_catalogs"),
        ('FROM "duckdb_tables"()', "may_list_catalogs"),
        ("USE confluent", "may_list_catalogs"),
        ("SET schema = 'confluent.connect'", "may_list_catalogs"),
        ("FROM query_table('t')", "may_list_catalogs"),
        ("FROM json_execute_serialized_sql(json_serialize_sql('FROM duckdb_tables()'))",
         "may_list_catalogs"),
        ("FROM m('information_schema.tables')", "may_list_catalogs"),
        ("FROM m($$SHOW DATABASES$$)", "may_list_catalogs"),
        ("ROLLBACK", "may_make_functions"),
        ("EXECUTE p(1)", "may_make_functions"),
        ("DROP MACRO m", "may_make_functions"),
        ("ATTACH 'x.db' AS confluent", "may_attach"),
        ("ALTER DATABASE a RENAME TO b", "may_attach"),
    ],
)  # fmt: skip
def test_words_say_what_a_statement_may_do(sql: str, fact: str) -> None:
    assert getattr(classify(sql), fact)


@over(
    ("sql", "fact"),
    [
        ("SELECT 'FROM a.b.c'", "has_long_name"),
        ("SELECT 1.5 + 2.5", "has_long_name"),
        ("CREATE TABLE view AS FROM t", "defines"),
        ("SELECT 'CREATE VIEW v AS FROM t'", "defines"),
        ("SHOW ALL TABLES", "lists_tables"),
        ("SHOW TABLES FROM main", "lists_tables"),
        ("SELECT schema FROM t", "may_list_catalogs"),
        ("SELECT a /* show */ FROM t", "may_list_catalogs"),
        ("SELECT 'warehouse-7', 'shown' FROM t", "may_list_catalogs"),
        ("INSERT INTO t VALUES ('drop')", "may_make_functions"),
        ("DELETE FROM t WHERE a = 'attach'", "may_attach"),
    ],
)
def test_what_is_no_word_of_it_does_not_count(sql: str, fact: str) -> None:
    assert not getattr(classify(sql), fact)


@over(
    ("sql", "scope", "span"),
    [
        ("REFRESH", (), None),
        ("refresh ; ", (), None),
        ("REFRESH /* all */ a . b", ("a", "b"), Span(18, 23)),
    ],
)
def test_a_refresh_names_what_to_forget(
    sql: str, scope: tuple[str, ...], span: Span | None
) -> None:
    assert classify(sql).own == RefreshStatement(scope, span)


@over(
    ("sql", "is_listing"),
    [
        ("SHOW TABLES", True),
        ("SHOW ALL TABLES", True),
        ("SHOW DATABASES", True),
        ("FROM duckdb_views()", True),
        ("FROM pg_catalog.pg_class", True),
        ("FROM duckdb_settings()", False),
        ("SELECT tables FROM t", False),
    ],
)
def test_what_tells_of_all_databases_is_known(sql: str, is_listing: bool) -> None:
    assert lists_databases(sql) is is_listing


def test_statements_of_ours_have_their_place_among_the_others() -> None:
    session = Session()
    text = "SELECT $a; REFRESH b;\nSHOW PROVIDERS; SELECT 2 -- end"
    statements = session.split(text)
    session.close()
    assert [text[each.offset :].startswith(each.sql) for each in statements] == [True] * 4
    assert [each.facts.own is not None for each in statements] == [False, True, True, False]
    assert [each.names for each in statements] == [{"a"}, set(), set(), set()]


@pytest.mark.parametrize("sql", ["SHOW PROVIDERS; SELECT nope", "SELECT 1; REFRESH nope"])
def test_a_fault_beside_them_is_told_of_its_place(sandbox: DemoServers, sql: str) -> None:
    with engine_of(sandbox.connections) as engine, pytest.raises(BindError) as caught:
        list(engine.run(sql))
    assert caught.value.span is not None
    assert sql[caught.value.offset + caught.value.span.start :] == "nope"
