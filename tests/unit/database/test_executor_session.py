"""DuckDB behind one door: its errors become ours, constants are folded, catalogs are declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.database.errors import translated
from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.database.values import Value
from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.errors import (
    BindError,
    ConstraintViolated,
    EngineFault,
    ExecuteError,
    ExecutionFailed,
    InvalidValue,
    ParseError,
    QueryError,
    Span,
    Unsupported,
    WrongUse,
)
from connstat_sql.sql.shows import values_table
from tests.examples import examples
from tests.oracle.stages import open_stages


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    """For what leaves nothing behind."""
    opened = Session()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def declared(library: Library) -> Iterator[Session]:
    """With every table that is shipped, declared twice."""
    opened = Session()
    for _ in range(2):
        opened.declare(Catalog(library, {}))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def library() -> Library:
    return Library([shipped_providers()])


def plain(sql: str) -> SourceText:
    return SourceText(sql)


def subclasses(kind: type[Any]) -> Iterator[Any]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


KINDS: list[type[duckdb.Error]] = sorted(
    {duckdb.Error, *subclasses(duckdb.Error)}, key=lambda kind: str(kind.__name__)
)
JSON_TEXT = 'Some Error: {"exception_type":"Some","exception_message":"it broke","position":"7"}'


class TestErrors:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("text", ["plain words", "Some Error: it broke", JSON_TEXT])
    def test_every_class_of_duckdb_becomes_one_of_ours(
        self, kind: type[duckdb.Error], text: str
    ) -> None:
        for otherwise in (ExecuteError, BindError):
            error = translated(kind(text), plain("SELECT 1, 2"), otherwise, 3)
            assert isinstance(error, QueryError)
            assert error.requests_sent == 3
            assert error.message in ("plain words", "it broke")
            assert (error.span is not None) == (text == JSON_TEXT)

    @pytest.mark.parametrize(
        ("kind", "ours"),
        [
            (duckdb.ParserException, ParseError),
            (duckdb.SyntaxException, ParseError),
            (duckdb.BinderException, BindError),
            (duckdb.CatalogException, BindError),
            (duckdb.ConversionException, InvalidValue),
            (duckdb.ConstraintException, ConstraintViolated),
            (duckdb.InternalException, EngineFault),
            (duckdb.OutOfMemoryException, ExecutionFailed),
            (duckdb.TransactionException, ExecutionFailed),
            (duckdb.InvalidInputException, WrongUse),
            (duckdb.NotImplementedException, Unsupported),
            (duckdb.PermissionException, ExecuteError),
        ],
    )
    def test_the_kind_says_what_is_at_fault(
        self, kind: type[duckdb.Error], ours: type[QueryError]
    ) -> None:
        error = translated(kind("it broke"), plain("SELECT 1"), ExecuteError, 0)
        assert type(error) is ours
        assert type(error) in (ParseError, BindError) or isinstance(error, ExecuteError)

    @pytest.mark.parametrize("argument", [object(), {1: object()}, [1, "x", object()]])
    def test_an_argument_that_is_no_value_is_an_error_of_ours(
        self, shared: Session, argument: Any
    ) -> None:
        with pytest.raises(QueryError):
            shared.run(plain("SELECT $a"), {"a": argument})

    @pytest.mark.parametrize(
        ("sql", "ours", "said", "word"),
        [
            ("SELECT 'é', x", BindError, '"x" was not found', "x"),
            ("SELEC 1", ParseError, "syntax error", "SELEC"),
            ("SELECT 'ß', CAST('x' AS INT)", InvalidValue, "Could not convert", "CAST"),
            ("SELECT $ñame", WrongUse, "not provided", "$ñame"),
            ("SELECT {'a': 1}.nosuch", BindError, 'key "nosuch"', "nosuch"),
            ("SELECT 'é' FROM nosuch", BindError, "nosuch does not exist", "nosuch"),
            ("INSERT INTO nosuch SELECT 'é'", BindError, "nosuch does not exist", "nosuch"),
            ("SELECT error('mine')", WrongUse, "mine", None),
            ("FROM 'no.csv'", ExecutionFailed, "No files found", "no.csv"),
        ],
    )
    def test_messages_are_words_with_a_place(
        self, shared: Session, sql: str, ours: type[QueryError], said: str, word: str | None
    ) -> None:
        with pytest.raises(QueryError) as caught:
            shared.run(plain(sql), None)
        error = caught.value
        assert type(error) is ours
        assert said in error.message
        assert "Error:" not in error.message
        found = None if error.span is None else sql[error.span.start : error.span.end]
        assert found == word

    @pytest.mark.parametrize("sql", ["SELECT 1", "SELECT nosuch", "SELEC", "SELECT 1::INT[]"])
    def test_errors_as_json_is_off_again_for_users_of_the_connection(
        self, shared: Session, sql: str
    ) -> None:
        for act in (shared.split, lambda text: shared.run(plain(text), None)):
            with suppress(QueryError):
                act(sql)
            with pytest.raises(duckdb.BinderException) as caught:
                shared.duckdb.execute("SELECT nosuch")
            assert '{"exception_type"' not in str(caught.value)

    def test_an_aborted_transaction_says_what_to_do(self, session: Session) -> None:
        session.run(plain("BEGIN"), None)
        with pytest.raises(ExecuteError):
            session.run(plain("SELECT CAST('x' AS INT)"), None)
        with pytest.raises(ExecuteError, match="ROLLBACK"):
            session.run(plain("SELECT 1"), None)
        session.drop("TABLE", "whatever")
        session.run(plain("ROLLBACK"), None)
        assert session.run(plain("SELECT 1 AS a"), None).to_pylist() == [{"a": 1}]

    def test_python_variables_are_no_tables(self, shared: Session) -> None:
        somewhere = shared.run(plain("SELECT 1 AS a"), None)
        with pytest.raises(BindError):
            shared.run(plain("FROM somewhere"), None)
        assert somewhere.num_rows == 1


class TestPlaces:
    @settings(max_examples=examples(40), deadline=None)
    @given(before=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20))
    def test_they_count_characters_not_bytes(self, shared: Session, before: str) -> None:
        quoted = before.replace("'", "''")
        sql = f"SELECT '{quoted}', nosuch_word"
        with pytest.raises(BindError) as caught:
            shared.run(plain(sql), None)
        start = sql.rindex("nosuch_word")
        assert caught.value.span == Span(start, start + len("nosuch_word"))


class TestChecking:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT nosuch FROM {0}", "SELECT a + 1 FROM {0}", "SELECT a FROM {0} WHERE a > b",
            "SELECT t.c FROM {0} AS t", "SELECT {0}.nosuch FROM {0}", "SELECT $x FROM {0}",
            "SELECT a FROM {0} UNION SELECT a, b FROM {0}", "SELECT nosuch(a) FROM {0}",
            "FROM nosuch, {0}",
            "(SELECT (SELECT a, b FROM {0}))",
        ],
    )  # fmt: skip
    def test_a_query_is_refused_alike_whether_it_is_bound_or_planned(
        self, shared: Session, sql: str
    ) -> None:
        (name,) = shared.empty_tables(["a VARCHAR, b DATE"]).values()
        found = []
        for is_query in (True, False):
            with pytest.raises(QueryError) as caught:
                shared.check(plain(sql.format(name)), None, is_query=is_query)
            assert "_connstat" not in caught.value.message
            found.append((type(caught.value), caught.value.message, caught.value.span))
        assert found[0] == found[1]

    def test_nothing_runs(self, session: Session) -> None:
        session.run(plain("CREATE SEQUENCE s"), None)
        session.check(plain("SELECT nextval('s')"), None, is_query=True)
        session.check(plain("CREATE TABLE made AS SELECT nextval('s')"), None)
        assert session.run(plain("SELECT nextval('s') AS n"), None).to_pylist() == [{"n": 1}]
        with pytest.raises(BindError):
            session.run(plain("FROM made"), None)

    def test_tables_to_bind_to_are_made_once(self, session: Session) -> None:
        first = session.empty_tables(["a INTEGER", "b DATE", "a INTEGER"])
        assert len({*first.values()}) == 2
        made = session.duckdb.execute("SELECT table_oid FROM duckdb_tables()").fetchall()
        assert session.empty_tables(["b DATE", "a INTEGER"]) == first
        assert session.duckdb.execute("SELECT table_oid FROM duckdb_tables()").fetchall() == made

    @pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
    @pytest.mark.parametrize("is_known", [True, False])
    def test_they_are_there_whatever_becomes_of_a_transaction(
        self, session: Session, end: str, is_known: bool
    ) -> None:
        if is_known:
            session.empty_tables(["a INTEGER"])
        for _ in range(2):
            session.run(plain("BEGIN"), None)
            for _ in range(2):
                self.bind_to(session, "a INTEGER")
            session.declare(Catalog(Library([]), {}))
            self.bind_to(session, "a INTEGER")
            session.run(plain(end), None)
            self.bind_to(session, "a INTEGER")

    def bind_to(self, session: Session, columns: str) -> None:
        (name,) = session.empty_tables([columns]).values()
        session.check(plain(f"SELECT a FROM {name}"), None, is_query=True)

    def test_whoever_looks_at_the_catalog_sees_none_of_them(self, session: Session) -> None:
        session.empty_tables(["a INTEGER"])
        for begin, end in (("SELECT 1", "SELECT 1"), ("BEGIN", "ROLLBACK"), ("BEGIN", "COMMIT")):
            session.run(plain(begin), None)
            session.declare(Catalog(Library([]), {}))
            assert session.run(plain("SHOW TABLES"), None).num_rows == 0
            session.run(plain(end), None)
            session.declare(Catalog(Library([]), {}))
            assert session.run(plain("SHOW TABLES"), None).num_rows == 0
            session.empty_tables(["a INTEGER"])


class TestDescribing:
    def test_a_column_without_a_name_is_named_as_it_is_written(self, tmp_path: Path) -> None:
        sql = """DESCRIBE SELECT (SELECT max(n) FROM zoo.w.items), (SELECT min(n) FROM ZOO.W.items)
            FROM zoo.w.items AS i, zoo.w.subs"""
        with open_stages(tmp_path) as stages:
            for text in (sql, "BEGIN", sql, "ROLLBACK", sql):
                *_, result = stages.engine.run(text)
        assert result.table["column_name"].to_pylist() == [
            "(SELECT max(n) FROM zoo.w.items)",
            "(SELECT min(n) FROM ZOO.W.items)",
        ]


class TestFolding:
    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("SELECT 'x'", ((Value("x", "VARCHAR"),),)),
            ("SELECT lower('X') || 'b'", ((Value("xb", "VARCHAR"),),)),
            ("SELECT 7", ((Value("7", "INTEGER"),),)),
            ("SELECT NULL", ((Value(None, '"NULL"'),),)),
            ("SELECT NULL::VARCHAR", ((Value(None, "VARCHAR"),),)),
            ("SELECT DATE '2026-01-01'", ((Value("2026-01-01", "DATE"),),)),
            ("SELECT 1.50", ((Value("1.50", "DECIMAL(3,2)"),),)),
            ("SELECT 'a', 2", ((Value("a", "VARCHAR"), Value("2", "INTEGER")),)),
            ("SELECT 1 AS a, 2 AS a", ((Value("1", "INTEGER"), Value("2", "INTEGER")),)),
            ("VALUES ('a'), ('b')", ((Value("a", "VARCHAR"),), (Value("b", "VARCHAR"),))),
            ("SELECT unnest(['a', 'b'])", ((Value("a", "VARCHAR"),), (Value("b", "VARCHAR"),))),
            ("SELECT 'x' WHERE false", ()),
        ],
    )
    def test_a_constant_is_its_text_and_its_type(
        self, shared: Session, sql: str, expected: Any
    ) -> None:
        assert shared.fold(sql, None) == expected

    @pytest.mark.parametrize(
        "sql", ["SELECT nosuch", "SELEC", "SELECT CAST('x' AS INT)", "SELECT $gone", "SELECT ?"]
    )
    def test_what_duckdb_refuses_folds_to_nothing(self, shared: Session, sql: str) -> None:
        assert shared.fold(sql, None) is None

    def test_arguments_are_taken_by_name_and_by_number(self, shared: Session) -> None:
        assert shared.fold("SELECT $a", {"a": "x", "b": 1}) == ((Value("x", "VARCHAR"),),)
        assert shared.fold("SELECT $2", ["x", "y"]) == ((Value("y", "VARCHAR"),),)
        assert shared.fold("SELECT upper($1)", ["x", "y"]) == ((Value("X", "VARCHAR"),),)
        assert shared.fold("SELECT 'x'", {"a": "x"}) == ((Value("x", "VARCHAR"),),)

    def test_variables_of_the_session_count(self, session: Session) -> None:
        session.run(plain("SET VARIABLE v = 'x'"), None)
        assert session.fold("SELECT getvariable('v')", None) == ((Value("x", "VARCHAR"),),)

    def test_volatile_functions_and_own_macros_are_known(self, session: Session) -> None:
        assert {"random", "uuid", "nextval"} <= session.volatile()
        assert "mine" not in session.volatile()
        session.run(plain("CREATE MACRO mine() AS random()"), None)
        session.forget_functions()
        assert "mine" in session.volatile()


class TestSplitting:
    def test_statements_know_their_place_and_their_parameters(self, shared: Session) -> None:
        text = "SELECT $é; -- ; no\nSELECT ';' ; SELECT $b, $a"
        pieces = shared.split(text)
        assert [piece.names for piece in pieces] == [{"é"}, set(), {"a", "b"}]
        assert all(text[piece.offset :].startswith(piece.sql) for piece in pieces)
        assert pieces[2].arguments_of({"a": 1, "b": 2, "c": 3}) == {"a": 1, "b": 2}
        assert pieces[1].arguments_of({"a": 1}) is None

    @pytest.mark.parametrize("sql", ["", ";", " ;; ", "-- nothing"])
    def test_no_statement_is_no_piece(self, shared: Session, sql: str) -> None:
        assert shared.split(sql) == ()

    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("SELECT 1", False),
            ("CREATE TABLE t (a INT)", True),
            ("CREATE TABLE t AS SELECT 1", True),
            ("SET threads = 1", True),
            ("BEGIN", True),
            ("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)", True),
            ("CREATE TABLE t (a INT); INSERT INTO t VALUES (1) RETURNING a", False),
            ("EXPLAIN SELECT 1", False),
        ],
    )
    def test_what_answers_without_rows_is_known(
        self, session: Session, sql: str, expected: bool
    ) -> None:
        for piece in session.split(sql):
            table = session.run(plain(piece.sql), None)
        assert piece.answers_rows(table) is not expected


class TestDeclaring:
    def test_each_table_has_its_types_and_comments(
        self, declared: Session, library: Library
    ) -> None:
        for resource in library.tables():
            table = resource.table
            where = f"""database_name = '{table.provider}' AND schema_name = '{table.service}'
                AND {{}} = '{table.resource}'"""
            found = declared.duckdb.execute(
                "SELECT column_name, data_type, comment FROM duckdb_columns() "
                f"WHERE {where.format('table_name')} ORDER BY column_index"
            ).fetchall()
            expected = [
                (one.name, str(one.type), one.description or None) for one in resource.all_columns
            ]
            assert [(name, comment) for name, _, comment in found] == [
                (name, comment) for name, _, comment in expected
            ]
            described = declared.duckdb.execute(
                f"SELECT comment FROM duckdb_views() WHERE {where.format('view_name')}"
            ).fetchone()
            assert described == (resource.description,)

    def test_none_of_them_can_be_read(self, declared: Session, library: Library) -> None:
        for resource in library.tables():
            with pytest.raises(ExecuteError, match=f"{resource.table} is live"):
                declared.run(plain(f"SELECT count(*) FROM {resource.table}"), None)

    @pytest.mark.parametrize(
        "rows", [[], [("a", None)], [("it's", "é"), ("", "x\ny")]], ids=["none", "null", "odd"]
    )
    def test_rows_of_text_become_sql(self, shared: Session, rows: list[Any]) -> None:
        table = shared.run(plain(values_table(("a", 'b"c'), rows)), None)
        assert table.column_names == ["a", 'b"c']
        assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_a_limit_holds_beside_a_table_without_rows(session: Session) -> None:
    session.duckdb.execute(
        "CREATE TABLE names AS SELECT 'r' || range AS y, range AS k FROM range(8)"
    )
    session.duckdb.execute("CREATE TABLE nothing (k BIGINT, x VARCHAR)")
    sql = """SELECT n.y FROM (FROM nothing WHERE k IS NOT DISTINCT FROM 7 AND x = 'A') AS e
        RIGHT JOIN names AS n ON n.k = e.k UNION ALL SELECT x FROM nothing WHERE false LIMIT 4"""
    with session.without_statistics():
        assert session.run(SourceText(sql), None).num_rows == 4
    assert session.duckdb.execute("SELECT current_setting('disabled_optimizers')").fetchall() in (
        [("",)],
        [(None,)],
    )
