"""What the SQL of a definition reaches: tables of providers, and nothing else of the machine.

Definitions come from elsewhere and their SQL runs as part of the user's own. A file, a URL, a
variable or a setting that it read could go out as the value of a parameter. So what may stand for a
table is listed here, and all else is refused when the definition is read. Tokens tell enough: where
a table is due is told by the words and brackets around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connstat_sql.definitions.lexer import Lexeme, spoken

_MAKE_ROWS = (
    "unnest", "range", "generate_series", "repeat", "repeat_row", "json_each", "json_tree",
)  # fmt: skip
"""What makes rows of values, and reads nothing."""
_READS = re.compile(
    r"(?:read|parquet|sniff|duckdb|pragma|sqlite|postgres|mysql|iceberg|delta|http|load|import"
    r"|export|copy|python|write|json_execute|arrow|pandas)_\w+|\w+_(?:scan\w*|attach|query)"
    r"|glob|getenv|getvariable|current_setting|current_query|query(?:_table)?|which_secret"
    r"|nextval|currval"
)
"""Functions that look at files, the network or the session, or run a text as SQL."""
_OF_THE_SESSION = ("memory", "temp", "system")
"""Databases that DuckDB always has."""
_BEGIN = ("select", "with", "from", "values")
_NO_TABLES = (
    "select", "with", "values", "where", "group", "having", "order", "limit", "offset", "window",
    "qualify", "union", "intersect", "except",
)  # fmt: skip
"""Words behind which no table is due."""
_TAKES_ONE = ("summarize", "describe", "desc", "show", "table", "pivot", "unpivot")
"""Words that a table may follow where a query can begin."""
_HAS_OWN_FROM = ("extract", "trim", "ltrim", "rtrim", "substring", "overlay", "position")
_OPEN, _CLOSE = ("(", "[", "{"), (")", "]", "}")
_PARTS = 3
_NO_LEXEME = Lexeme("end", "", -1)


@dataclass(slots=True)
class _Bracket:
    """One that is open: the function whose values it holds, and whether it lists tables now."""

    call: str = ""
    is_list: bool = False


def outside_reach(
    sql: str, *, is_source: bool, is_provider: Callable[[str], bool] | None = None
) -> str | None:
    """What a piece of a definition's SQL reaches that it may not; None where there is nothing.

    `is_source` says that it stands after FROM; else it is a value. `is_provider` tells
    of the first part of a table's name whether it is one (None: that is not known yet).
    """
    return next(_Reach(sql, is_provider or _is_no_own_database).faults(is_source=is_source), None)


def _is_no_own_database(head: str) -> bool:
    return head not in _OF_THE_SESSION


class _Reach:
    def __init__(self, sql: str, is_provider: Callable[[str], bool]) -> None:
        self._is_provider = is_provider
        self._tokens = spoken(sql)
        self._queries = {
            token.name.lower()
            for number, token in enumerate(self._tokens)
            if self._is_query(number)
        }
        self._open = [_Bracket()]
        self._awaits_table = False

    def _at(self, number: int) -> Lexeme:
        is_there = 0 <= number < len(self._tokens)
        return self._tokens[number] if is_there else _NO_LEXEME

    def _is_query(self, number: int) -> bool:
        """Whether `name AS (`, perhaps with columns, begins a query of a WITH."""
        following = number + 1
        if self._at(number).kind == "name" and self._at(following).says("("):
            while self._at(following).kind != "end" and not self._at(following).says(")"):
                following += 1
            following += 1
        if self._at(number).kind != "name" or not self._at(following).says("as"):
            return False
        while self._at(following + 1).says("not", "materialized"):
            following += 1
        return self._at(following + 1).says("(")

    def faults(self, *, is_source: bool) -> Iterator[str]:
        """What it reaches, in the order of the text."""
        self._open[0].is_list = self._awaits_table = is_source
        number = 0
        while number < len(self._tokens):
            token = self._tokens[number]
            if token.says(";") or token.text.startswith("$"):
                yield f"`{token.text}`: it is one piece of a statement"
            if token.kind == "open":
                yield f"`{token.text[:40]}`: it does not end"
            is_call = token.kind == "name" and self._at(number + 1).says("(")
            if is_call and _READS.fullmatch(token.name.lower()):
                yield f"`{token.name.lower()}(…)`: it reads what is no table of a provider"
            if self._takes_one(number):
                self._awaits_table = True
            elif self._awaits_table and not token.says("(", "lateral"):
                yield from self._table(number)
                number = self._end_of_name(number)
                continue
            else:
                self._follow(number)
            number += 1

    def _takes_one(self, number: int) -> bool:
        """Whether `(SUMMARIZE 'file')` or the like begins there."""
        is_first = self._at(number - 1).says("(") or (number == 0 and self._awaits_table)
        is_name = self._at(number + 1).says(".", ",", ")", "", "(", "as")
        return is_first and self._at(number).says(*_TAKES_ONE) and not is_name

    def _table(self, number: int) -> Iterator[str]:
        """What is wrong with what stands for a table."""
        self._awaits_table = False
        token = self._at(number)
        if token.kind == "text":
            yield f"{token.text[:40]}: it is a file or a URL, and no table of a provider"
        if token.says(*_BEGIN):
            self._follow(number)
            return
        if token.kind != "name":
            return
        end = self._end_of_name(number)
        parts = [self._at(place).name.lower() for place in range(number, end, 2)]
        shown = ".".join(parts)[:60]
        if self._at(end).says("("):
            if parts[-1] not in _MAKE_ROWS:
                yield f"`{shown}(…)`: it is no table of a provider"
        elif not self._is_table(parts):
            yield f"`{shown}`: it is not provider.service.table"

    def _is_table(self, parts: list[str]) -> bool:
        if len(parts) == 1:
            return parts[0] in self._queries
        is_whole = len(parts) == _PARTS and all(re.fullmatch(r"\w+", part) for part in parts)
        return is_whole and self._is_provider(parts[0])

    def _end_of_name(self, number: int) -> int:
        end = number + 1
        while self._at(end).says(".") and self._at(end + 1).kind == "name":
            end += 2
        return end

    def _follow(self, number: int) -> None:
        """What a token says of those behind it."""
        token, before, here = self._at(number), self._at(number - 1), self._open[-1]
        if token.says(*_OPEN):
            call = before.name.lower() if before.kind == "name" and token.says("(") else ""
            self._open.append(_Bracket(call, is_list=self._awaits_table))
        elif token.says(*_CLOSE):
            del self._open[-1 if len(self._open) > 1 else len(self._open) :]
        elif token.says(","):
            self._awaits_table = here.is_list
        elif before.says("."):
            return
        elif token.says("join"):
            self._awaits_table = True
        elif token.says("from"):
            is_compared = before.says("distinct") and self._at(number - 2).says("is", "not")
            if not is_compared and here.call not in _HAS_OWN_FROM:
                here.is_list = self._awaits_table = True
        elif token.says(*_NO_TABLES):
            here.is_list = False
