"""Where a statement ends, and what of a script is a command: as DuckDB's own lexer has it."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from connstat_sql.shell.prompt import is_whole
from connstat_sql.shell.script import is_blank, is_ended, script_parts
from tests.examples import examples

PARTS = (
    "SELECT 1", ";", " ", "\n", "'", '"', "--", "/*", "*/", "$$", "$a$", "$1", "e'", "E'", "\\",
    "a", "a$", "é", "''", ".", "-", "/", "*", "x'", "\r\n", "\t", "_",
)  # fmt: skip
LEXER = duckdb.connect()


def tokenized(text: str) -> list[tuple[int, str]]:
    raw = text.encode()
    found = [(at, str(kind).rpartition(".")[2]) for at, kind in duckdb.tokenize(text)]
    return [(len(raw[:at].decode(errors="ignore")), kind) for at, kind in found]


def duckdb_says_ended(text: str) -> bool | None:
    """Whether the last token is a `;`; None: something is open, which its parser refuses."""
    try:
        LEXER.extract_statements(text)
    except duckdb.ParserException as error:
        if "unterminated" in str(error):
            return None
        assume("zero-length" not in str(error))  # it looks no further then
    told = [one for one in tokenized(text) if one[1] != "comment"]
    return bool(told) and text[told[-1][0]] == ";"


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
@settings(max_examples=examples(200), deadline=None)
@example("SELECT 1 /* a /* b */ ;")
@example("SELECT 1 /* a /* b */ */;")
@example("SELECT e'\\';'")
@example("SELECT e'\\'';")
@example("SELECT '\\';")
@example("SELECT $a$;$b$;$a$;")
@example("SELECT a$$;$$")
@example("SELECT 1$$;")
@example("SELECT 1_0$$;")
@example("SELECT 1e5$$;")
@example("SELECT $1$$;")
@example("SELECT 'it''s;';  -- done")
def test_a_statement_ends_where_duckdb_ends_it(text: str) -> None:
    said = duckdb_says_ended(text)
    assert is_ended(text) is bool(said)


@pytest.mark.parametrize("text", ["", " \n ", "-- only a remark", "/* a */ ;", ";;"])
def test_blanks_comments_and_semicolons_are_no_statement(text: str) -> None:
    assert is_blank(text)
    assert is_whole(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT ';'", False),
        ("SELECT 1; -- and more", True),
        ("SELECT 1; SELECT 2", False),
        (".tables", True),
        ("\\d", True),
        ("  .help", True),
        ("help", True),
        ("quit", True),
        ("helping", False),
        (".5 + 1", False),
    ],
)
def test_enter_runs_what_is_whole_and_goes_on_with_the_rest(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


def test_a_script_is_statements_and_commands_in_order() -> None:
    script = """\
.timer on
SELECT 'a
.not a command
';
SELECT 1;
\\x off
SELECT
.5;
-- the end
"""
    assert [(one.text.strip(), one.line, one.is_command) for one in script_parts(script)] == [
        (".timer on", 1, True),
        ("SELECT 'a\n.not a command\n';\nSELECT 1;", 2, False),
        ("\\x off", 6, True),
        ("SELECT\n.5;\n-- the end", 7, False),
    ]


@given(st.lists(st.sampled_from((*PARTS, "\n.read x\n", "\n")), max_size=10).map("".join))
@settings(max_examples=examples(200), deadline=None)
def test_no_statement_of_a_script_is_lost(script: str) -> None:
    at = 0
    for part in script_parts(script):
        text = part.text.strip()
        found = script.index(text, at)
        assert is_blank(script[at:found])
        at = found + len(text)
    assert is_blank(script[at:])
