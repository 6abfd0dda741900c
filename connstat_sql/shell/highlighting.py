"""Colours of SQL while it is typed: DuckDB's own keywords and functions, and our providers.

Pygments is imported once there is time for it; until then the text is plain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from connstat_sql.definitions.quoting import call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connstat_sql.engine import Engine

STYLE = {
    "pygments.keyword": "ansibrightblue",
    "pygments.name.function": "ansicyan",
    "pygments.name.class": "ansigreen",
    "pygments.literal.string": "ansiyellow",
    "pygments.literal.number": "ansimagenta",
    "pygments.comment": "ansibrightblack italic",
    "pygments.error": "",
    "command": "ansibrightblue",
}
_WORDS = f"""
SELECT {call("lower", "keyword_name")}, true FROM {call("duckdb_keywords")}
  WHERE keyword_category <> 'unreserved'
UNION SELECT {call("lower", "type_name")}, true FROM {call("duckdb_types")} WHERE internal
UNION SELECT {call("lower", "function_name")}, false FROM {call("duckdb_functions")}
"""
_LONG = 10_000
"""Characters of a text that is plain: its colours would make each key press slow."""
_FURTHER = frozenset(
    re.findall(
        r"\w+",
        "show describe summarize pivot unpivot explain analyze insert update delete set reset use"
        " with copy attach detach pragma install load values refresh providers services tables"
        " over partition by recursive replace exclude first last nulls begin commit rollback",
    )
)


class SqlColors(Lexer):
    """A lexer that is plain until it has been taught."""

    def __init__(self) -> None:
        self._real: Lexer | None = None

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The coloured text of each line."""
        text = document.text.lstrip()
        if text[:1] in ("\\", "."):
            lines = document.lines
            return lambda number: _command_line(lines[number] if number < len(lines) else "")
        if self._real is None or len(text) > _LONG:
            lines = document.lines
            return lambda number: [("", lines[number] if number < len(lines) else "")]
        return self._real.lex_document(document)

    def invalidation_hash(self) -> Hashable:
        """Another one once it has been taught."""
        return id(self._real)

    def learn(
        self, keywords: frozenset[str], functions: frozenset[str], ours: frozenset[str]
    ) -> None:
        """Colour these words, all in lower case, each kind in its own way. Takes a moment."""
        from prompt_toolkit.lexers import PygmentsLexer
        from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]
        from pygments.token import Keyword, Name, Token  # type: ignore[import-untyped]

        class DuckLexer(SqlLexer):  # type: ignore[misc]
            """Words are what DuckDB says they are."""

            def get_tokens_unprocessed(
                self, text: str, stack: tuple[str, ...] = ("root",)
            ) -> Iterator[tuple[int, object, str]]:
                is_after_dot = False
                for at, kind, value in super().get_tokens_unprocessed(text, stack):
                    word, now = value.lower(), kind
                    if kind in Name or kind in Keyword:
                        is_call = text[at + len(value) : at + len(value) + 1] == "("
                        is_named = text[at + len(value) : at + len(value) + 1] == "."
                        now = Token.Text
                        if is_call and word in functions:
                            now = Name.Function
                        elif is_named and word in ours and not is_after_dot:
                            now = Name.Class
                        elif word in keywords and not is_after_dot and not is_named:
                            now = Keyword
                    is_after_dot = value.endswith(".")
                    yield at, now, value

        self._real = PygmentsLexer(DuckLexer, sync_from_start=True)


def words_of(engine: Engine) -> tuple[frozenset[str], frozenset[str]]:
    """DuckDB's keywords and its functions, in lower case; a statement may run meanwhile."""
    with engine.session.duckdb.cursor() as beside:
        rows = beside.execute(_WORDS).fetchall()
    keywords = frozenset(name for name, is_keyword in rows if is_keyword)
    return keywords | _FURTHER, frozenset(name for name, is_keyword in rows if not is_keyword)


def _command_line(line: str) -> StyleAndTextTuples:
    word, space, rest = line.partition(" ")
    return [("class:command", word), ("", space + rest)]
