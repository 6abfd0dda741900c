"""Names and statements in a text, as DuckDB's own lexer has them."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.lexer import lexed, names, read_name, split, spoken
from tests.examples import examples

PARTS = (
    "a", "b1", "é", "x$", "from", '"q r"', '"d""q"', ".", ".", " ", "\n", "\r", "/**/", "/* . */",
    "/* /* a.b */ c */", "-- d.e\n", "-- f.g\r", "'t.u.v'", "'it''s a.b.c'", "E'\\'.x'", "e'a'",
    "x'aa'", "N'",
    "1", "1.5", "2e3", "0x1F", "(", ")", ",", ";", "-", "*", "$$ a.b.c $$", "$n$;$n$", "$1", "$p",
)  # fmt: skip
NAMES = ("identifier", "keyword")


def names_of_duckdb(text: str) -> list[str]:
    """The texts of its identifiers and words, quotes and blanks off."""
    raw, pieces = text.encode(), duckdb.tokenize(text)
    ends = [*(at for at, _ in pieces[1:]), len(raw)]
    words = (
        raw[at:end].decode().rstrip()
        for (at, kind), end in zip(pieces, ends, strict=False)
        if kind.name in NAMES
    )
    return [word[1:-1].replace('""', '"') if word[0] == '"' else word for word in words]


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
@settings(max_examples=examples(200), deadline=None)
@example("a/**/.b -- c\n. c")
@example("x 1.a")
@example("E'\\'', (FROM \"a.b\")")
def test_the_names_are_those_that_duckdb_reads(text: str) -> None:
    try:
        duckdb.extract_statements(text)
    except duckdb.ParserException as error:
        assume("unterminated" not in str(error))
        assume("zero-length" not in str(error))
    assert [part for name in names(text) for part in name.parts] == names_of_duckdb(text)


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
@settings(max_examples=examples(100), deadline=None)
def test_nothing_is_lost_or_read_twice(text: str) -> None:
    for is_exact in (True, False):
        assert "".join(lexeme.text for lexeme in lexed(text, is_exact=is_exact)) == text
    assert [text[begin : begin + len(part)] for part, begin in split(text)] == [
        part for part, _ in split(text)
    ]
    for name in names(text):
        assert read_name(spoken(text[name.start : name.end])) == name.parts


@pytest.mark.parametrize(
    ("text", "name", "before"),
    [
        ("SELECT 1 FROM a . b -- c.d\n . e WHERE x", "a . b -- c.d\n . e", "from"),
        ('JOIN/**/a/*.*/."b c".d', 'a/*.*/."b c".d', "join"),
        ("f('x.y.z', a.b.c)", "a.b.c", ","),
    ],
)
def test_a_name_knows_its_place(text: str, name: str, before: str) -> None:
    (found,) = (one for one in names(text) if len(one.parts) == 3)
    assert (text[found.start : found.end], found.before) == (name, before)


@pytest.mark.parametrize(
    "text", ["'a", "'a''", "E'a", "E'a\\", "E'a\\'", '"a', "$$a", "$x$a$$", "/* /* */"]
)
def test_what_does_not_end_is_open(text: str) -> None:
    assert [(lexeme.kind, lexeme.text) for lexeme in lexed(f"1 {text}")][2:] == [("open", text)]


def test_a_long_text_is_passed_over_in_long_stretches() -> None:
    rows = ", ".join(f"({number}, 'id-{number}.x', 1.5)" for number in range(1000))
    text = f"INSERT INTO t VALUES {rows}"
    assert sum(1 for _ in lexed(text, is_exact=False)) < 10
    assert [name.parts for name in names(text)] == [("INSERT",), ("INTO",), ("t",), ("VALUES",)]
