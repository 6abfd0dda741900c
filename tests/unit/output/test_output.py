"""Every format prints what is there, exactly."""

from __future__ import annotations

import io
import json

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pytest

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.output.box import DRAWN_BY_DUCKDB, box
from connstat_sql.output.render import BINARY, FORMATS, TerminalStyle, render
from connstat_sql.output.table import framed

EVERY_TYPE = """
SELECT true AS yes, 1::TINYINT AS tiny, 12345678901234567890123::HUGEINT AS huge,
  1.10::DECIMAL(5,2) AS money, 1.5::DOUBLE AS real, 'a|é' AS words, '' AS empty, NULL AS nothing,
  E'one\\ntwo' AS lines, DATE '2026-01-02' AS day, TIME '10:00' AS hour,
  TIMESTAMP '2026-01-02 03:04:05' AS stamp, TIMESTAMPTZ '2026-01-01 10:00:00+02' AS at,
  INTERVAL 3 day AS span, '\\x00A'::BLOB AS bytes, [1, NULL] AS list,
  {'state': 'FAILED', 'id': 7} AS struct, MAP {'k.x': 'v'} AS map,
  '{"deep": [1.50, null]}'::JSON AS json,
  '00000000-0000-0000-0000-000000000001'::UUID AS uuid, 'x'::ENUM('x') AS word
"""
"""A row with a value of each type there is."""

GOLDEN = {
    "csv": (
        "yes,tiny,huge,money,real,words,empty,nothing,lines,day,hour,stamp,at,span,bytes,list,"
        "struct,map,json,uuid,word\n"
        'true,1,12345678901234567890123,1.10,1.5,a|é,"",,"one\ntwo",2026-01-02,10:00:00,'
        '2026-01-02 03:04:05,2026-01-01 08:00:00+00,3 days,\\x00A,"[1, NULL]",'
        '"{\'state\': FAILED, \'id\': 7}",{k.x=v},"{""deep"": [1.50, null]}",'
        "00000000-0000-0000-0000-000000000001,x\n"
    ),
    "jsonl": (
        '{"yes":true,"tiny":1,"huge":12345678901234567890123,"money":1.10,"real":1.5,'
        '"words":"a|é","empty":"","nothing":null,"lines":"one\\ntwo","day":"2026-01-02",'
        '"hour":"10:00:00","stamp":"2026-01-02T03:04:05","at":"2026-01-01T08:00:00Z",'
        '"span":[0,3,0],"bytes":"AEE=","list":[1,null],"struct":{"state":"FAILED","id":7},'
        '"map":{"k.x":"v"},"json":{"deep": [1.50, null]},'
        '"uuid":"00000000-0000-0000-0000-000000000001","word":"x"}\n'
    ),
    "markdown": (
        "| yes | tiny | huge | money | real | words | empty | nothing | lines | day | hour | stamp "
        "| at | span | bytes | list | struct | map | json | uuid | word |\n"
        "|" + " --- |" * 21 + "\n"
        "| true | 1 | 12345678901234567890123 | 1.10 | 1.5 | a\\|é |  |  | one<br>two | 2026-01-02 "
        "| 10:00:00 | 2026-01-02 03:04:05 | 2026-01-01 08:00:00+00 | 3 days | \\\\x00A "
        "| [1, NULL] | {'state': FAILED, 'id': 7} | {k.x=v} | {\"deep\": [1.50, null]} "
        "| 00000000-0000-0000-0000-000000000001 | x |\n"
    ),
    "vertical": """\
─[ ROW 1 ]──────────────────────────────────────────────────
yes     │ true
tiny    │ 1
huge    │ 12345678901234567890123
money   │ 1.10
real    │ 1.5
words   │ a|é
empty   │
nothing │ NULL
lines   │ one
        │ two
day     │ 2026-01-02
hour    │ 10:00:00
stamp   │ 2026-01-02 03:04:05
at      │ 2026-01-01 08:00:00+00
span    │ 3 days
bytes   │ \\x00A
list    │ [1, NULL]
struct  │ {'state': FAILED, 'id': 7}
map     │ {k.x=v}
json    │ {"deep": [1.50, null]}
uuid    │ 00000000-0000-0000-0000-000000000001
word    │ x
""",
}


def table_of(sql: str) -> pa.Table:
    session = Session()
    try:
        return session.run(SourceText(sql), None)
    finally:
        session.close()


def answer(sql: str, format_: str, style: TerminalStyle = TerminalStyle()) -> bytes:  # noqa: B008  # frozen
    out = io.BytesIO()
    render(table_of(sql), format_, out, style=style)
    return out.getvalue()


@pytest.mark.parametrize("format_", GOLDEN)
def test_a_value_of_each_type_is_written_the_same_for_ever(format_: str) -> None:
    assert answer(EVERY_TYPE, format_).decode() == GOLDEN[format_]


def test_without_a_terminal_a_table_is_what_duckdb_draws() -> None:
    assert answer("SELECT 1 AS n, NULL AS x, E'a\\nb' AS y", "table").decode() == (
        "┌───────┬────────┬─────────┐\n"
        "│   n   │   x    │    y    │\n"
        '│ int32 │ "null" │ varchar │\n'
        "├───────┼────────┼─────────┤\n"
        "│     1 │ NULL   │ a\\nb    │\n"
        "└───────┴────────┴─────────┘\n"
    )


def test_of_a_long_answer_no_row_is_left_out_without_a_terminal() -> None:
    rows = DRAWN_BY_DUCKDB + 2_000
    lines = answer(f"SELECT range AS n FROM range({rows})", "table").decode().splitlines()
    assert len(lines) == rows + 5
    assert lines[-2] == f"│ {rows - 1} │"


def test_a_long_table_looks_like_a_short_one() -> None:
    table = table_of(f"{EVERY_TYPE.rstrip()}, 'again' AS yes")
    assert "\n".join(framed(table)) + "\n" == box(table)


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


@pytest.mark.parametrize("width", [None, 60])
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_takes_every_kind_of_value(format_: str, width: int | None) -> None:
    assert answer(EVERY_TYPE, format_, TerminalStyle(width=width))
    assert (
        answer(f"FROM ({EVERY_TYPE}) WHERE false", format_, TerminalStyle(width=width)) is not None
    )


@pytest.mark.parametrize("format_", sorted({*FORMATS} - {*BINARY, "html"}))
def test_a_terminal_obeys_no_value(format_: str) -> None:
    sql = (
        "SELECT concat('a', chr(27), '[2J', chr(155), '31m', chr(7), chr(8238), 'b') AS x, "
        "{'y': concat(chr(27), 'c')} AS \"\x1b]0;title\x07\", '{\"k\": \"\x9b\"}'::JSON AS j"
    )
    for style in (
        TerminalStyle(width=200),
        TerminalStyle(width=20),
        TerminalStyle(width=200, expanded=True),
    ):
        text = answer(sql, format_, style).decode()
        assert not set(text) & {"\x1b", "\x9b", "\x07", "\u202e"}, style


def test_json_on_a_terminal_says_the_same() -> None:
    sql = "SELECT concat('a', chr(155), chr(8238), 'é') AS x"
    on_terminal = json.loads(answer(sql, "json", TerminalStyle(width=80)))
    assert on_terminal == json.loads(answer(sql, "json")) == [{"x": "a\x9b\u202eé"}]


def test_without_a_terminal_a_value_is_written_as_it_is() -> None:
    assert answer("SELECT concat('a', chr(27), 'b') AS x", "csv") == b"x\na\x1bb\n"


def test_types_that_were_noted_of_other_columns_are_not_believed() -> None:
    table = table_of("SELECT 'a' AS x, 1 AS n").select(["n"])
    out = io.BytesIO()
    render(table, "table", out, style=TerminalStyle(width=40))
    assert "│ 1 │" in out.getvalue().decode()


def test_parquet_and_arrow_come_back_as_they_were(tmp_path: object) -> None:
    sql = "SELECT 1 AS a, {'b': [1, 2]} AS c"
    table = pa.ipc.open_stream(answer(sql, "arrow")).read_all()
    assert table.to_pylist() == [{"a": 1, "c": {"b": [1, 2]}}]
    file = f"{tmp_path}/rows.parquet"
    with open(file, "wb") as out:  # noqa: PTH123
        out.write(answer(sql, "parquet"))
    assert duckdb.connect().execute(f"SELECT c.b[2] FROM '{file}'").fetchall() == [(2,)]
