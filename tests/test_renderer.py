"""Every format prints what is there, exactly."""

from __future__ import annotations

import io
import json

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pytest

from connstat_sql.renderer import FORMATS, render
from connstat_sql.session import Session
from connstat_sql.translation import RunText


def answer(sql: str, format_: str, width: int | None = None) -> bytes:
    session = Session()
    try:
        table = session.run(RunText(sql, sql), None)
    finally:
        session.close()
    out = io.BytesIO()
    render(table, format_, out, width=width)
    return out.getvalue()


def test_json_keeps_numbers_exact_and_times_in_utc() -> None:
    sql = (
        "SELECT 1.10::DECIMAL(5,2) AS money, 12345678901234567890123::HUGEINT AS big, "
        "9007199254740993 AS beyond, TIMESTAMPTZ '2026-01-01 10:00:00+02' AS at, "
        "DATE '2026-01-02' AS day, NULL AS nothing"
    )
    text = answer(sql, "jsonl").decode()
    assert text == (
        '{"money":1.10,"big":12345678901234567890123,"beyond":9007199254740993,'
        '"at":"2026-01-01T08:00:00Z","day":"2026-01-02","nothing":null}\n'
    )


def test_json_nests_structs_lists_maps_and_json() -> None:
    sql = """SELECT {'a': [1, NULL], 'b': MAP {'k.x': 'v'}} AS s,
             '{"deep": [1.50, null]}'::JSON AS j, [{'j': '{"x":1}'::JSON}] AS l"""
    assert json.loads(answer(sql, "jsonl")) == {
        "s": {"a": [1, None], "b": {"k.x": "v"}},
        "j": {"deep": [1.5, None]},
        "l": [{"j": {"x": 1}}],
    }


def test_json_of_no_rows_is_an_empty_array() -> None:
    assert json.loads(answer("SELECT 1 AS a WHERE false", "json")) == []


def test_columns_of_the_same_name_are_all_there() -> None:
    assert json.loads(answer("SELECT 1 AS a, 2 AS a", "jsonl")) == {"a": 1, "a_1": 2}


def test_markdown_escapes_what_would_break_the_table() -> None:
    text = answer("SELECT 'a|b' AS x, E'one\\ntwo' AS y, NULL AS z", "markdown").decode()
    assert text.splitlines() == [
        "| x | y | z |",
        "| --- | --- | --- |",
        "| a\\|b | one<br>two |  |",
    ]


def test_a_table_shows_every_row_and_fits_a_terminal() -> None:
    drawn = answer(
        "SELECT range AS n, repeat('x', 300) AS wide FROM range(1000)", "table", width=80
    )
    lines = drawn.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("x…" in line or "xxx" in line for line in lines) == 1000


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_takes_every_kind_of_value(format_: str) -> None:
    sql = (
        "SELECT [1] AS l, {'a': 'é'} AS s, MAP {'k': 1} AS m, now() AS t, "
        "1.5::DECIMAL(9,3) AS d, ''::BLOB AS b"
    )
    assert answer(sql, format_)


def test_parquet_and_arrow_come_back_as_they_were(tmp_path: object) -> None:
    sql = "SELECT 1 AS a, {'b': [1, 2]} AS c"
    table = pa.ipc.open_stream(answer(sql, "arrow")).read_all()
    assert table.to_pylist() == [{"a": 1, "c": {"b": [1, 2]}}]
    file = f"{tmp_path}/rows.parquet"
    with open(file, "wb") as out:  # noqa: PTH123
        out.write(answer(sql, "parquet"))
    assert duckdb.connect().execute(f"SELECT c.b[2] FROM '{file}'").fetchall() == [(2,)]
