"""Rows of a body: which values fit which type, and what DuckDB makes of them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pytest

from connstat_sql.decode import ROWS, ROWS_PER_TEXT, FieldLayout, RowReader, pages_table
from connstat_sql.definitions.loader.types import parse_type
from connstat_sql.definitions.model import (
    KEY,
    Column,
    Mismatch,
    Path,
    Redaction,
    RowsPath,
    Shape,
    quote,
)
from connstat_sql.errors import UnexpectedShape
from tests.tabled import over

DUCKDB = duckdb.connect(config={"python_enable_replacements": "false"})
DUCKDB.execute("SET TimeZone = 'UTC'")


def decode(reader: RowReader, body: bytes) -> list[tuple[Any, ...]]:
    """The rows of a body as DuckDB decodes them, in a table of the declared types."""
    types = ", ".join(f"{quote(field.name)} {field.type}" for field in reader.fields)
    DUCKDB.execute(f"CREATE OR REPLACE TEMP TABLE decoded ({types or 'nothing BOOLEAN'})")
    read = reader.read(body)
    DUCKDB.register("pages", pages_table([(text, {}) for text in read.texts], ()))
    structure = reader.structure.replace("'", "''")
    values = ", ".join(value for _, value in reader.select_list("r")) or "NULL"
    inserted = DUCKDB.execute(
        f"INSERT INTO decoded SELECT {values} FROM "
        f"(SELECT unnest(from_json({quote(ROWS)}, '[{structure}]')) AS r FROM pages)"
    ).fetchone()
    assert inserted == (read.count,)
    return DUCKDB.execute("FROM decoded").fetchall()


def column(name: str, of: str, path: Path | None = None, mismatch: str = "error") -> FieldLayout:
    return FieldLayout(name, parse_type(of), (name,) if path is None else path, Mismatch(mismatch))


def value(of: str, text: str, mismatch: str = "error") -> Any:
    """The value of one column of one row."""
    rows = decode(
        RowReader(RowsPath(), [column("c", of, None, mismatch)]), f'[{{"c":{text}}}]'.encode()
    )
    return rows[0][0]


FITS: list[tuple[str, str, Any]] = [
    ("VARCHAR", '""', ""),
    ("VARCHAR", r'"\ud83d\ude00 é \u0041"', "😀 é A"),
    ("VARCHAR", r'"a\u0000b"', "a\0b"),
    ("VARCHAR", "null", None),
    ("BOOLEAN", "true", True),
    ("TINYINT", '"-128"', -128),
    ("UTINYINT", "255", 255),
    ("INTEGER", "2147483647", 2147483647),
    ("INTEGER", '"-2147483648"', -2147483648),
    ("INTEGER", '"2000000000"', 2000000000),
    ("INTEGER", '"007"', 7),
    ("BIGINT", '"9223372036854775807"', 9223372036854775807),
    ("BIGINT", "-9223372036854775808", -9223372036854775808),
    ("BIGINT", "9007199254740993", 9007199254740993),
    ("UBIGINT", "18446744073709551615", 18446744073709551615),
    ("UBIGINT", '"18446744073709551615"', 18446744073709551615),
    ("HUGEINT", "-170141183460469231731687303715884105728", -(2**127)),
    ("HUGEINT", '"170141183460469231731687303715884105727"', 2**127 - 1),
    ("DOUBLE", "1e300", 1e300),
    ("DOUBLE", '"-1.5e-3"', -0.0015),
    ("FLOAT", "0.5", 0.5),
    ("DECIMAL(4,2)", "99.99", Decimal("99.99")),
    ("DECIMAL(4,2)", '"-99.99"', Decimal("-99.99")),
    ("DECIMAL(4,2)", "1.005", Decimal("1.01")),
    ("DECIMAL(4,2)", "1e1", Decimal("10.00")),
    ("DECIMAL(2,1)", '"0.99"', Decimal("1.0")),
    ("DECIMAL(38,12)", "9.1101905051400536e-07", Decimal("0.000000911019")),
    ("DECIMAL(18,0)", "999999999999999999", Decimal("999999999999999999")),
    ("DECIMAL(38,0)", f'"{"9" * 38}"', Decimal("9" * 38)),
    ("DECIMAL(38,12)", "2.2479999999999998", Decimal("2.248000000000")),
    ("DECIMAL(38,12)", "12345678901234567.123456789012", Decimal("12345678901234567.123456789012")),
    ("DATE", '"0001-01-01"', date(1, 1, 1)),
    ("TIMESTAMP", '"2026-11-01 10:00:00"', datetime(2026, 11, 1, 10)),
    ("TIMESTAMPTZ", '"2026-11-01T10:00:00+02:00"', datetime(2026, 11, 1, 8, tzinfo=timezone.utc)),
    (
        "TIMESTAMPTZ",
        '"2026-11-01T10:00:00.1234569Z"',
        datetime(2026, 11, 1, 10, 0, 0, 123456, timezone.utc),
    ),
    ("UUID", '"550E8400-e29b-41d4-a716-446655440000"', UUID("550e8400e29b41d4a716446655440000")),
    ("JSON", '{"a":1,"a":[12345678901234567890123]}', '{"a":1,"a":[12345678901234567890123]}'),
    ("JSON", "null", None),
    ("INTEGER[]", '[1,null,"3"]', [1, None, 3]),
    ("INTEGER[][]", "[[1],[],null]", [[1], [], None]),
    ("STRUCT(a INTEGER, b VARCHAR)[]", '[{"b":"x","z":0},null,{}]',
     [{"a": None, "b": "x"}, None, {"a": None, "b": None}]),
    ("STRUCT(a INTEGER)", '{"A":2}', {"a": None}),
    ("STRUCT(a INTEGER)", '{"a":1,"A":2,"a":3}', {"a": 1}),
    ('STRUCT("a.b" INTEGER, "c\'d" INTEGER)', '{"a.b":2,"c\'d":3}', {"a.b": 2, "c'd": 3}),
    ("MAP(VARCHAR, VARCHAR)", '{"a":"1","A":null,"":""}', {"a": "1", "A": None, "": ""}),
    ("MAP(VARCHAR, STRUCT(x INTEGER))", '{"a":{"x":1},"b":{}}', {"a": {"x": 1}, "b": {"x": None}}),
    ("MAP(VARCHAR, JSON)", '{"a":[1],"b":"x"}', {"a": "[1]", "b": '"x"'}),
]  # fmt: skip


@over(("of", "text", "expected"), FITS)
def test_a_value_that_fits_arrives_as_it_is(of: str, text: str, expected: Any) -> None:
    assert value(of, text) == expected


MISFITS = [
    ("VARCHAR", "1"), ("VARCHAR", "{}"), ("BOOLEAN", "1"), ("BOOLEAN", '"true"'),
    ("INTEGER", "1.5"), ("INTEGER", "1.0"), ("INTEGER", "1e3"), ("INTEGER", "true"),
    ("INTEGER", "2147483648"), ("INTEGER", '"2147483648"'), ("INTEGER", '"-2147483649"'),
    ("INTEGER", '"1.5"'), ("INTEGER", '""'), ("INTEGER", '" 1"'), ("INTEGER", r'"1\n"'),
    ("TINYINT", '"128"'), ("UTINYINT", '"-1"'), ("USMALLINT", "-1"),
    ("BIGINT", "9223372036854775808"), ("BIGINT", '"9223372036854775808"'),
    ("UBIGINT", "-1"), ("UBIGINT", "18446744073709551616"), ("UBIGINT", '"18446744073709551616"'),
    ("HUGEINT", str(2**127)), ("HUGEINT", f'"{2**127}"'), ("HUGEINT", "1e30"), ("HUGEINT", "true"),
    ("DOUBLE", "1e400"), ("DOUBLE", '"1e400"'), ("DOUBLE", '"nan"'), ("DOUBLE", '"inf"'),
    ("FLOAT", "1e39"), ("FLOAT", '"1e39"'),
    ("DECIMAL(4,2)", "100"), ("DECIMAL(4,2)", "99.995"), ("DECIMAL(4,2)", '"99.995"'),
    ("DECIMAL(4,2)", '"100"'), ("DECIMAL(4,2)", "1e400"), ("DECIMAL(4,2)", '"1e1"'),
    ("DECIMAL(4,2)", "true"), ("DECIMAL(2,1)", "10"), ("DECIMAL(38,0)", "1e38"),
    ("DECIMAL(38,0)", "1" + "0" * 38), ("DECIMAL(18,0)", "1000000000000000000"),
    ("DATE", '"2026-02-30"'), ("DATE", '"2026-1-1"'), ("DATE", '"10000-01-01"'), ("DATE", "5"),
    ("DATE", '"2026-01-01T00:00:00Z"'),
    ("TIMESTAMP", '"2026-01-01T00:00:00Z"'), ("TIMESTAMP", '"2026-01-01T00:00:00+02:00"'),
    ("TIMESTAMPTZ", '"2026-01-01T00:00:00"'), ("TIMESTAMPTZ", "1767225600"),
    ("TIMESTAMPTZ", '"2026-01-01t00:00:00Z"'), ("TIMESTAMPTZ", '"2026-01-01T00:00:00z"'),
    ("TIMESTAMPTZ", '"2026-01-01T23:59:60Z"'), ("TIMESTAMPTZ", '"2026-02-30T00:00:00Z"'),
    ("TIMESTAMPTZ", '"10000-01-01T00:00:00Z"'), ("TIMESTAMPTZ", '"2026-01-01"'),
    ("UUID", '"550e8400"'), ("INTEGER[]", "{}"), ("INTEGER[]", "[1,1.5]"), ("INTEGER[]", "1"),
    ("STRUCT(a INTEGER)", "[]"), ("STRUCT(a INTEGER)", '{"a":"x"}'),
    ("STRUCT(t TIMESTAMPTZ)", '{"t":"2026-01-01t00:00:00z"}'),
    ("MAP(VARCHAR, INTEGER)", '{"a":"x"}'), ("MAP(VARCHAR, INTEGER)", "[]"),
    ("MAP(VARCHAR, VARCHAR)", '{"a":"1","a":"1"}'),
    ("MAP(VARCHAR, VARCHAR)", r'{"a":"1","\u0061":"2"}'),
    ("STRUCT(m MAP(VARCHAR, JSON))[]", '[{"m":{"a":1,"b":2,"a":3}}]'),
]  # fmt: skip


@over(("of", "text"), MISFITS)
def test_a_value_that_does_not_fit_is_an_error_that_names_the_column(of: str, text: str) -> None:
    with pytest.raises(UnexpectedShape, match=r"^column c\b"):
        value(of, text)


@over(("of", "text"), MISFITS)
def test_where_null_is_declared_a_value_that_does_not_fit_is_null(of: str, text: str) -> None:
    assert value(of, text, "null") is None


@over(("of", "text", "expected"), FITS)
def test_where_null_is_declared_a_value_that_fits_stays(of: str, text: str, expected: Any) -> None:
    assert value(of, text, "null") == expected


@over(
    ("text", "expected"),
    [
        ('"x"', "x"), ('""', ""), ("null", None), ("true", "true"), ("1.50", "1.50"),
        ("12345678901234567890123", "12345678901234567890123"), ("1e400", "1e400"),
        ('{ "a": [1, "é"] }', '{"a":[1,"é"]}'), (r'"a\u0000\"b"', 'a\0"b'),
    ],
)  # fmt: skip
def test_where_text_is_declared_any_value_is_its_text(text: str, expected: str | None) -> None:
    assert value("VARCHAR", text, "text") == expected


def test_a_number_that_duckdb_would_make_null_of_in_a_decimal_is_an_error() -> None:
    with pytest.raises(UnexpectedShape, match=r"123\.4e-2"):
        value("DECIMAL(4,2)", "123.4e-2")
    assert value("VARCHAR", '"123.4e-2"') == "123.4e-2"


def test_a_missing_key_is_null_whatever_is_declared() -> None:
    fields = [
        column("a", "INTEGER"), column("b", "INTEGER", ("x", "y")),
        column("c", "INTEGER", None, "null"), column("d", "VARCHAR", None, "text"),
    ]  # fmt: skip
    assert (
        decode(RowReader(RowsPath(), fields), b'[{},{"x":null},{"x":{"z":1},"other":{"a":9}}]')
        == [(None, None, None, None)] * 3
    )


def test_many_rows_are_cut_into_texts_and_none_is_lost() -> None:
    body = b"[" + b",".join(b'{"n":%d}' % n for n in range(2 * ROWS_PER_TEXT + 1)) + b"]"
    reader = RowReader(RowsPath(), [column("n", "INTEGER")])
    assert len(reader.read(body).texts) == 3
    assert decode(reader, body) == [(n,) for n in range(2 * ROWS_PER_TEXT + 1)]


# --- what an error says --------------------------------------------------------------------------


def explained(fields: list[FieldLayout], body: str, rows: RowsPath | None = None) -> str:
    with pytest.raises(UnexpectedShape) as caught:
        RowReader(rows or RowsPath(), fields).read(body.encode())
    return caught.value.message


@over(
    ("field", "body", "message"),
    [
        (column("n", "INTEGER"), '[{"n":"x"}]', 'column n is INTEGER, but $.n holds "x"'),
        (column("n", "INTEGER"), '[{"n":1.50}]', "column n is INTEGER, but $.n holds 1.50"),
        (
            column("tasks", "STRUCT(id INTEGER)[]"), '[{"tasks":[{"id":1},{"id":[1,2]}]}]',
            'column tasks is STRUCT("id" INTEGER)[], but $.tasks[1].id holds an array of 2',
        ),
        (
            column("x", "STRUCT(m MAP(VARCHAR, INTEGER))"), '[{"x":{"m":{"k":"v"}}}]',
            'column x is STRUCT("m" MAP(VARCHAR, INTEGER)), but $.x.m.* holds '
            "an object with the keys k",
        ),
        (column("a.b", "INTEGER"), '[{"a":{"b":1},"a.b":"x"}]',
         'column a.b is INTEGER, but $."a.b" holds "x"'),
        (column("n", "INTEGER", ("spec", "n")), '[{"spec":7}]',
         "column n is at $.spec.n, but $.spec holds a number"),
        (column("n", "INTEGER"), "[7]", "column n is at $.n, but $ holds a number"),
        (column("n", "INTEGER"), '[{"n":"%s"}]' % ("y" * 200),
         f'column n is INTEGER, but $.n holds "{"y" * 79}…'),
        (FieldLayout("id", parse_type("VARCHAR"), ("meta", "id"), is_required=True),
         '[{"meta":{}}]',
         "$.meta has no `id`, which gives the parameter id"),
        (FieldLayout("id", parse_type("VARCHAR"), ("meta", "id"), is_required=True), "[{}]",
         "$ has no `meta`, which gives the parameter id"),
        (FieldLayout("id", parse_type("VARCHAR"), ("id",), is_required=True), '[{"id":null}]',
         "parameter id is VARCHAR, but $.id holds null"),
        (column("m", "MAP(VARCHAR, VARCHAR)"), '[{"m":{"a":"1","a":"2"}}]',
         "column m: the key `a` stands twice in one object"),
    ],
)  # fmt: skip
def test_an_error_names_column_path_and_sample(field: FieldLayout, body: str, message: str) -> None:
    assert explained([field], body) == message


@over(
    ("path", "body"),
    [
        (("a", "b"), '[{"a":{"b":["hush"]}}]'),
        (("a", "b"), '[{"a":{"b":7001}}]'),
        (("a", "b"), '[{"a":"hush"}]'),
        (("a", "b"), '["hush"]'),
        (("a.b",), '[{"a.b":["hush"]}]'),
        (("a.b",), '[{"a":"hush"}]'),
    ],
)
def test_a_redacted_value_is_in_no_message(path: Path, body: str) -> None:
    secret = Column("c", parse_type("VARCHAR"), path, redaction=Redaction.VALUE)
    message = explained(
        [column("d", "INTEGER", ("a", "d")), FieldLayout.of_column(secret, path)], body
    )
    assert "hush" not in message
    assert "7001" not in message


def test_a_sample_of_an_object_shows_its_keys_only() -> None:
    assert explained([column("n", "INTEGER")], '[{"n":{"password":"hush"}}]') == (
        "column n is INTEGER, but $.n holds an object with the keys password"
    )


@over("at", [KEY, ()])
def test_in_a_wrapped_row_paths_read_as_in_the_body(at: Path) -> None:
    fields = [column("k", "JSON", at), column("n", "INTEGER")]
    message = explained(fields, '{"x":{"n":"y"}}', RowsPath(Shape.MAP))
    assert message == 'column n is INTEGER, but $.n holds "y"'
