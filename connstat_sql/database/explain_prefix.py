"""What stands in front of a statement that EXPLAIN is to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connstat_sql.definitions.lexer import Lexeme, spoken

_MOST = 64
"""Lexemes: more than any options have."""
_ANALYZE = ("analyze", "analyse")
_BEGIN = (
    "select", "from", "with", "values", "table", "pivot", "unpivot", "describe", "desc",
    "summarize", "show", "(", ")",
)  # fmt: skip
"""How brackets begin that hold the statement, or a part of it, and no options."""


@dataclass(frozen=True, slots=True)
class Explain:
    """`start` is where the statement itself begins; `options` are the words of those in brackets.

    `may_run` says that the statement may run, too: ANALYZE is among the words.
    """

    start: int
    options: tuple[str, ...]
    may_run: bool

    @property
    def mode(self) -> str | None:
        """Either "plan" or "analyze"; None where there are options that are DuckDB's alone."""
        if self.options[1:] or not {*self.options} <= {*_ANALYZE}:
            return None
        return "analyze" if self.may_run else "plan"


def read_explain(sql: str) -> Explain | None:
    """What an EXPLAIN says before its statement; None for every other statement."""
    first, *rest = spoken(sql, _MOST) or [Lexeme("open", "", 0)]
    if not first.says("explain"):
        return None
    is_analyze = bool(rest) and rest[0].says(*_ANALYZE)
    behind = rest[1:] if is_analyze else rest
    options = _options(behind)
    behind = behind[len(options) + 2 :] if options else behind
    start = behind[0].start if behind else len(sql)
    return Explain(start, options, is_analyze or not {*options}.isdisjoint(_ANALYZE))


def _options(lexemes: Sequence[Lexeme]) -> tuple[str, ...]:
    """The words in the brackets that begin there; () where they hold no options."""
    words = [lexeme.word for lexeme in lexemes]
    if words[:1] != ["("] or ")" not in words or words[1] in _BEGIN:
        return ()
    return tuple(words[1 : words.index(")")])
