"""On a terminal a table fits, says what it leaves out, and shows what matters."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from connstat_sql.output.render import TerminalStyle, render
from connstat_sql.output.state_colors import Tone, tells_state, tone_of
from connstat_sql.output.table import shares
from tests.examples import examples
from tests.unit.output.test_output import answer

GREEN, RED, YELLOW, DIM, RESET = "\033[32m", "\033[1;31m", "\033[33m", "\033[2m", "\033[0m"
COLORS = re.compile("\033\\[[0-9;]*m")


def lines_of(sql: str, style: TerminalStyle, format_: str = "table") -> list[str]:
    return answer(sql, format_, style).decode().splitlines()


# --- fitting -------------------------------------------------------------------------------------


def test_a_table_shows_every_row_and_fits_a_terminal() -> None:
    sql = "SELECT range AS n, repeat('x', 300) AS wide FROM range(1000)"
    lines = lines_of(sql, TerminalStyle(width=80))
    assert {len(line) for line in lines[:-1]} == {80}
    assert sum("x…" in line for line in lines) == 1000
    assert lines[-1] == r"1,000 rows; \x shows in full what is cut"


def test_a_table_that_fits_is_no_wider_than_it_needs_to_be() -> None:
    sql = "SELECT 'orders' AS name, 7 AS n, NULL AS x, '' AS y UNION ALL SELECT 'a', 123, NULL, 'z'"
    assert lines_of(sql, TerminalStyle(width=80)) == [
        "┌────────┬─────┬──────┬───┐",
        "│ name   │   n │ x    │ y │",
        "├────────┼─────┼──────┼───┤",
        "│ orders │   7 │ NULL │   │",
        "│ a      │ 123 │ NULL │ z │",
        "└────────┴─────┴──────┴───┘",
        "2 rows",
    ]


def test_short_columns_keep_their_width_and_long_ones_share_the_rest() -> None:
    assert shares([(5, 5), (100, 12), (200, 12)], 65) == [5, 30, 30]
    assert shares([(5, 5), (10, 5)], 100) == [5, 10]
    assert shares([(30, 30), (100, 12)], 50) == [30, 20]


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 12)), min_size=1, max_size=12),
    st.integers(1, 400),
)
@settings(max_examples=examples(60), deadline=None)
def test_shares_fill_what_there_is_and_take_from_nobody_below_the_least(
    wanted: list[tuple[int, int]], spare: int
) -> None:
    columns = [(max(natural, least), least) for natural, least in wanted]
    available = sum(least for _, least in columns) + spare
    widths = shares(columns, available)
    assert sum(widths) == min(available, sum(natural for natural, _ in columns))
    for (natural, least), width in zip(columns, widths, strict=True):
        assert least <= width <= natural


def test_numbers_and_times_are_not_cut_where_text_can_be() -> None:
    sql = (
        "SELECT repeat('x', 90) AS text, 1234567890123 AS n, TIMESTAMP '2026-01-02 03:04:05' AS at "
        "FROM range(2)"
    )
    row = lines_of(sql, TerminalStyle(width=60))[3]
    assert "1234567890123 │ 2026-01-02 03:04:05 │" in row


def test_columns_that_do_not_fit_are_named() -> None:
    sql = "SELECT " + ", ".join(f"repeat('v', 30) AS column_{i}" for i in range(9))
    lines = lines_of(
        f"{sql} FROM range(3)", TerminalStyle(width=50, expanded=False, whole="-F vertical")
    )
    assert max(map(len, lines[:-1])) <= 50
    assert lines[-1] == (
        "3 rows; +6 columns (column_3, column_4, column_5, column_6, column_7, …): "
        "-F vertical shows them"
    )


NAMED = """SELECT 'UNHEALTHY' AS health, 'kafka_connect' AS provider, 'a plant' AS _connection,
'orders-postgres-source-' || i AS connector_name, 7 AS failed, repeat('p', 60) AS plugin_class,
['a', 'b'] AS topics, 'PSQLException: slot ' || i || ' is gone' AS error_summary
FROM range(10, 99) AS r(i)"""


@pytest.mark.parametrize("width", [80, 100, 140])
def test_names_and_reasons_keep_their_width_and_what_is_between_gives(width: int) -> None:
    lines = lines_of(NAMED, TerminalStyle(width=width, height=24))
    assert all(f"orders-postgres-source-{i}" in lines[i - 7] for i in range(10, 99))
    assert all(f"PSQLException: slot {i} is gone" in lines[i - 7] for i in range(10, 99))
    assert {len(line) for line in lines[:-1]} <= {*range(width + 1)}
    assert "columns (" in lines[-1] or "pppp…" in lines[3]


def test_a_reason_wider_than_its_column_goes_on_in_further_lines() -> None:
    reason = "ConnectException: Connection to the warehouse was refused as its certificate is old"
    sql = f"SELECT 'a' || i AS name, repeat('x', 90) AS plugin, '{reason}' AS error_summary"
    lines = lines_of(f"{sql} FROM range(3) AS r(i)", TerminalStyle(width=80, expanded=False))
    assert {len(line) for line in lines[:-1]} == {80}
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines[3:-2]]
    firsts = [number for number, cell in enumerate(cells) if cell[0]]
    assert [cells[number][0] for number in firsts] == ["a0", "a1", "a2"]
    assert " ".join(cell[-1] for cell in cells[: firsts[1]]) == reason
    assert "plugin" in lines[-1] or "cut" in lines[-1]
    assert "…" in "".join(lines_of("SELECT 'a' AS name, repeat('why ', 200) AS cause FROM range(2)",
                                   TerminalStyle(width=60, expanded=False)))  # fmt: skip


def test_a_reason_longer_than_the_screen_leaves_room_for_names_and_states() -> None:
    sql = NAMED.replace("' is gone'", "repeat(' is gone', 50)")
    lines = lines_of(sql, TerminalStyle(width=80, height=24))
    assert lines[3].startswith(
        "│ UNHEALTHY │ orders-postgres-source-10 │ PSQLException: slot 10 is "
    )
    names = ", ".join(f"repeat('{i}', 70) AS name_{i}" for i in range(1))
    (row,) = (
        one
        for one in lines_of(f"SELECT {names}, 'b' AS b FROM range(2)", TerminalStyle(width=40))[3:4]
    )
    assert len(row) == 40


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["name", "cause", "n", "state", "message", "x", "a_name"]),
            st.integers(0, 120),
        ),
        min_size=1,
        max_size=9,
    ),
    st.integers(20, 200),
)
@settings(max_examples=examples(60), deadline=None)
def test_a_table_fits_whatever_its_columns_are_called(
    columns: list[tuple[str, int]], width: int
) -> None:
    names = [f"{'x' * number}{name}" for number, (name, _) in enumerate(columns)]
    table = pa.table(
        {name: ["v" * size] * 3 for name, (_, size) in zip(names, columns, strict=True)}
    )
    out = io.BytesIO()
    render(table, "table", out, style=TerminalStyle(width=width, expanded=False))
    *lines, _ = out.getvalue().decode().split("\n")[:-1]
    assert max(map(len, lines)) <= width


def test_rows_too_wide_for_a_table_are_expanded_where_they_are_few() -> None:
    sql = "SELECT " + ", ".join(f"repeat('v', 30) AS column_{i}" for i in range(9))
    few = lines_of(f"{sql} FROM range(2)", TerminalStyle(width=50, height=24))
    many = lines_of(f"{sql} FROM range(200)", TerminalStyle(width=50, height=24))
    assert few[0].startswith("─[ ROW 1 ]─")
    assert many[0].startswith("┌")
    assert "+6 columns" in many[-1]


def test_one_row_with_a_long_text_is_shown_in_full() -> None:
    lines = lines_of(
        "SELECT 'x' AS name, E'first\\n\\tsecond\\n' AS trace", TerminalStyle(width=80)
    )
    assert lines[1:] == ["name  │ x", "trace │ first", "      │     second", "1 row"]


def test_lines_of_a_text_are_marked_in_a_table() -> None:
    sql = "SELECT E'one\\r\\ntwo\\tthree' AS x FROM range(2)"
    assert "│ one⏎two three │" in lines_of(sql, TerminalStyle(width=80))
    assert "| one\\ntwo three |" in lines_of(sql, TerminalStyle(width=80, ascii=True))


def test_without_unicode_everything_is_ascii() -> None:
    sql = "SELECT 'größe' AS \"naïve\", repeat('日', 50) AS wide, {'a': '…'} AS s FROM range(2)"
    for style in (
        TerminalStyle(width=40, ascii=True),
        TerminalStyle(width=40, ascii=True, expanded=True),
        TerminalStyle(width=30, ascii=True, expanded=False),
    ):
        lines = lines_of(sql, style)
        assert all(line.isascii() for line in lines)
        assert max(map(len, lines[:-1])) <= 40


def test_wide_letters_take_two_cells() -> None:
    rows = "('日本語', 1), ('e' || chr(769), 2), ('\N{WOMAN}\u200d\N{GIRL}', 3), ('abc', 4)"
    sql = f"SELECT * FROM (VALUES {rows}) t(x, n)"
    lines = lines_of(sql, TerminalStyle(width=80))
    assert {cell_len(line) for line in lines[:-1]} == {14}


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), min_size=1, max_size=5),
    st.integers(12, 60),
    st.booleans(),
)
@settings(max_examples=examples(40), deadline=None)
def test_no_text_breaks_the_frame(rows: list[tuple[str, str]], width: int, ascii_: bool) -> None:
    readable = [tuple(t.encode("utf-8", "replace").decode() for t in row) for row in rows]
    table = pa.table({"a": [a for a, _ in readable], "b": [b for _, b in readable]})
    out = io.BytesIO()
    render(table, "table", out, style=TerminalStyle(width=width, ascii=ascii_, expanded=False))
    *lines, _ = out.getvalue().decode().split("\n")[:-1]
    assert len(lines) == len(rows) + 4
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
    assert cell_len(lines[0]) <= max(width, 22)


def test_nothing_is_said_of_an_answer_without_columns() -> None:
    out = io.BytesIO()
    render(pa.table({}), "table", out, style=TerminalStyle(width=80))
    assert out.getvalue() == b""


# --- expanded ------------------------------------------------------------------------------------


def test_nested_values_are_laid_out_when_they_are_long() -> None:
    sql = (
        "SELECT {'state': 'FAILED', 'tasks': [{'id': 0, 'trace': E'a: b\\nCaused by: c'}, "
        "{'id': 1, 'trace': NULL}], 'none': []} AS connector, {'id': 1} AS short, "
        '\'{"price": 1.50, "long": "x\\ny"}\'::JSON AS json'
    )
    assert lines_of(sql, TerminalStyle(width=46), "vertical")[1:] == [
        "connector │ state: FAILED",
        "          │ tasks:",
        "          │   - id: 0",
        "          │     trace:",
        "          │       a: b",
        "          │       Caused by: c",
        "          │   - id: 1",
        "          │     trace: NULL",
        "          │ none: []",
        "short     │ {'id': 1}",
        'json      │ {"price": 1.50, "long": "x\\ny"}',
        "1 row",
    ]


def test_a_line_that_is_folded_stays_where_it_begins() -> None:
    sql = "SELECT {'trace': E'a\\n\\tat x.y.Zebra(Zebra.java:12)\\n'} AS x"
    assert lines_of(sql, TerminalStyle(width=30), "vertical")[1:-1] == [
        "x │ trace:",
        "  │   a",
        "  │     at x.y.Zebra(Zebra.jav",
        "  │     a:12)",
    ]


def test_rows_and_columns_told_without_a_footer_are_those_left_out() -> None:
    sql = "SELECT repeat('v', 30) AS a, repeat('v', 30) AS b, repeat('v', 30) AS c FROM range(2)"
    assert (
        lines_of(sql, TerminalStyle(width=30, expanded=False, footer=False))[-1]
        == "+2 columns (b, c)"
    )
    assert lines_of(sql, TerminalStyle(width=60, expanded=False, footer=False))[-1].startswith("└")


def test_long_values_are_folded_and_nothing_is_lost() -> None:
    lines = lines_of("SELECT repeat('abcde', 30) AS x", TerminalStyle(width=44), "vertical")
    assert max(map(len, lines)) <= 44
    assert "".join(line[4:] for line in lines[1:-1]) == "abcde" * 30


# --- colours -------------------------------------------------------------------------------------


def test_states_have_colours_and_null_is_dim() -> None:
    sql = """SELECT * FROM (VALUES ('RUNNING', 'HEALTHY', {'state': 'FAILED', 'n': 1}),
             ('FAILED', 'DEGRADED', NULL), (NULL, 'strange', NULL)) t(task_state, health, c)"""
    text = "\n".join(lines_of(sql, TerminalStyle(width=80, color=True)))
    assert f"{GREEN}RUNNING   {RESET}" in text
    assert f"{RED}FAILED    {RESET}" in text
    assert f"{YELLOW}DEGRADED{RESET}" in text
    assert f"{{'state': {RED}FAILED{RESET}, 'n': 1}}" in text
    assert f"{DIM}NULL      {RESET}" in text
    assert " strange " in text


def test_colours_take_no_room() -> None:
    sql = "SELECT 'RUNNING' AS state, repeat('x', 99) AS t, {'state': 'FAILED'} AS c FROM range(2)"
    for expanded in (True, False):
        plain = lines_of(sql, TerminalStyle(width=60, expanded=expanded))
        colored = lines_of(sql, TerminalStyle(width=60, color=True, expanded=expanded))
        assert plain != colored
        assert [COLORS.sub("", line) for line in colored] == plain


def test_without_colour_there_is_no_escape() -> None:
    assert "\033" not in "".join(lines_of("SELECT 'FAILED' AS state", TerminalStyle(width=60)))


def test_only_states_are_coloured() -> None:
    text = "".join(
        lines_of("SELECT 'FAILED' AS words, 1 AS n", TerminalStyle(width=60, color=True))
    )
    assert RED not in text


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("running", Tone.GOOD),
        ("CONNECTOR_HOLISTIC_STATE_UNHEALTHY", Tone.BAD),
        ("STATE_READY", Tone.GOOD),
        ("NOT_INSTALLED", Tone.ODD),
        ("orders", None),
        ("", None),
    ],
)
def test_a_state_has_a_tone(state: str, tone: Tone | None) -> None:
    assert tone_of(state) is tone


def test_columns_of_states_are_known_by_their_names() -> None:
    assert all(map(tells_state, ("state", "raw_state", "Health", "status", "setup_state")))
    assert not any(map(tells_state, ("statement", "estate", "state_since", "name")))


# --- what a stream can show ----------------------------------------------------------------------


def test_what_is_no_terminal_is_written_in_full() -> None:
    assert TerminalStyle.of(io.BytesIO(), {"TERM": "xterm"}) == TerminalStyle()


class Screen(io.BytesIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_taken_as_the_environment_says() -> None:
    screen, utf = Screen(), {"TERM": "xterm", "LANG": "de_DE.UTF-8"}
    assert TerminalStyle.of(screen, utf).color
    assert not TerminalStyle.of(screen, {**utf, "NO_COLOR": "1"}).color
    assert not TerminalStyle.of(screen, {**utf, "TERM": "dumb"}).color
    assert TerminalStyle.of(screen, {**utf, "LC_ALL": "C"}).ascii
    assert not TerminalStyle.of(screen, utf).ascii
    assert TerminalStyle.of(screen, utf).width == 80
