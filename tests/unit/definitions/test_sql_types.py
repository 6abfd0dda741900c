"""Texts of types: what is understood, that DuckDB agrees, and what is refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.loader.types import (
    MAX_DEPTH,
    SCALARS,
    UnknownType,
    is_literal_of,
    parse_type,
    suggestion_for,
)
from connstat_sql.definitions.model import (
    JSON,
    TIMESTAMPTZ,
    VARCHAR,
    ListOf,
    MapOf,
    Scalar,
    SqlType,
    Struct,
    literal,
    quote,
)
from tests.examples import examples
from tests.tabled import over

DUCKDB = duckdb.connect()
NAMES = st.one_of(
    st.sampled_from(["a", "A b", "a.b", "select", "é", "$x", "x'y", "1st", "a,b", "(", "[]"]),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'),
        min_size=1, max_size=5,
    ),
)  # fmt: skip
SCALAR_TYPES = st.one_of(
    st.sampled_from(sorted(set(SCALARS.values()), key=str)),
    st.integers(1, 38).flatmap(
        lambda w: st.integers(0, w - 1).map(lambda s: Scalar(f"DECIMAL({w},{s})"))
    ),
)
TYPES = st.recursive(
    SCALAR_TYPES,
    lambda inner: st.one_of(
        inner.map(ListOf),
        inner.map(MapOf),
        st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda p: p[0].lower())
        .map(tuple)
        .map(Struct),
    ),
    max_leaves=5,
)


@settings(max_examples=examples(90), deadline=None)
@given(TYPES)
def test_a_printed_type_reads_as_the_same_type(of: SqlType) -> None:
    assert parse_type(str(of)) == of


@settings(max_examples=examples(70), deadline=None)
@given(TYPES)
def test_duckdb_takes_a_printed_type_and_prints_it_alike(of: SqlType) -> None:
    DUCKDB.execute(f"CREATE OR REPLACE TEMP TABLE t (c {of})")
    described = DUCKDB.execute("DESCRIBE t").fetchone()
    assert described is not None
    assert parse_type(described[1]) == of


@over(
    ("text", "of"),
    [
        ("varchar", VARCHAR),
        (" JSON ", JSON),
        ("timestamptz", TIMESTAMPTZ),
        ("Timestamp  With\tTime Zone", TIMESTAMPTZ),
        ("decimal( 38 , 12 )", Scalar("DECIMAL(38,12)")),
        ("INTEGER[][]", ListOf(ListOf(Scalar("INTEGER")))),
        ("map(varchar,json)[ ]", ListOf(MapOf(JSON))),
        ("STRUCT(\n id INTEGER,\n \"a.b\" VARCHAR[])",
         Struct((("id", Scalar("INTEGER")), ("a.b", ListOf(VARCHAR))))),
        ("STRUCT(struct STRUCT(map VARCHAR))", Struct((("struct", Struct((("map", VARCHAR),))),))),
    ],
)  # fmt: skip
def test_types_are_read_in_any_case_and_spacing(text: str, of: SqlType) -> None:
    assert parse_type(text) == of


@over(
    ("text", "message"),
    [
        ("", "the type ends too early"),
        ("VARCHA", "`VARCHA` is not a type that a column may have"),
        ("VARCHAR(10)", "`10)` is not part of a type"),
        ("VARCHAR x", "unexpected `x` after the type"),
        ("INTEGER[3]", "`[3]` is not part of a type"),
        ("DECIMAL", "`DECIMAL` is not a type that a column may have"),
        ("DECIMAL(39,2)", "width is 1 to 38"),
        ("DECIMAL(4,4)", "scale less than width"),
        ("DECIMAL(0,0)", "width is 1 to 38"),
        (f"DECIMAL({'9' * 5000},2)", "is not part of a type"),
        ("MAP(INTEGER, VARCHAR)", "the keys of a MAP are VARCHAR"),
        ("MAP(VARCHAR)", "expected `,`, found `)`"),
        ("STRUCT()", "a field name is missing before `)`"),
        ("STRUCT(a INTEGER", "the type ends too early"),
        ("STRUCT(a INTEGER, A INTEGER)", "a STRUCT names a field twice"),
        ('STRUCT("" INTEGER)', "is not part of a type"),
        ('STRUCT("a""b" INTEGER)', "field names have no double quotes"),
        ('STRUCT("a\\b" INTEGER)', "field names have no double quotes"),
        ('STRUCT("a\nb" INTEGER)', "field names have no double quotes"),
        ("STRUCT(a " * (MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        ("STRUCT(a " * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ("INTEGER" + "[]" * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ("((((", "`(` is not a type"),
        ("'; DROP TABLE x", "is not part of a type"),
    ],
)
def test_what_is_no_type_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(UnknownType) as caught:
        parse_type(text)
    assert message in str(caught.value)


@settings(max_examples=examples(120), deadline=None)
@given(st.text(st.sampled_from('STRUCT(MAP, DECIMAL)[]INTEGER "xé\\1\n'), max_size=30))
def test_any_text_is_a_type_that_duckdb_takes_or_is_refused(text: str) -> None:
    try:
        of = parse_type(text)
    except UnknownType:
        return
    DUCKDB.execute(f"CREATE OR REPLACE TEMP TABLE t (c {of})")


@over(
    ("word", "meant"),
    [("VARCHA", "VARCHAR"), ("string", "VARCHAR"), ("int", "INTEGER"),
     ("timestamptzz", "TIMESTAMPTZ"), ("DECIMAL", "DECIMAL(p,s)"), ("datetime", "TIMESTAMPTZ"),
     ("object", "STRUCT(name type, …)")],
)  # fmt: skip
def test_a_word_that_is_no_type_has_a_suggestion(word: str, meant: str) -> None:
    assert suggestion_for(word) == f"did you mean `{meant}`?"


@over(
    ("of", "text", "fits"),
    [("INTEGER", "-5", True), ("UBIGINT", "x", False), ("BOOLEAN", "true", True),
     ("BOOLEAN", "yes", False), ("DATE", "2026-11-01", True), ("DATE", "2026-11-31", False),
     ("VARCHAR", "anything", True)],
)  # fmt: skip
def test_a_default_is_held_against_its_type(of: str, text: str, fits: bool) -> None:
    assert is_literal_of(parse_type(of), text) is fits


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
@settings(max_examples=examples(100), deadline=None)
def test_quoted_names_and_texts_mean_themselves_in_sql(text: str) -> None:
    row = DUCKDB.execute(f"SELECT {literal(text)} AS {quote(text)}")
    assert row.description is not None
    assert row.description[0][0] == text
    assert row.fetchall() == [(text,)]
