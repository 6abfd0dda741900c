"""What is asked of DuckDB while one statement is bound and planned."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

import duckdb

from connstat_sql.binder import Arguments, Types, Value
from connstat_sql.session import Session

T = TypeVar("T")
log = logging.getLogger("connstat_sql.defects")
_INTERVAL = re.compile(r"(?<=INTERVAL )'(\d+)'")
_FROM_NOUGHT = re.compile(r"\b(RANGE|GENERATE_SERIES)\(0, (?=[^,]*\))")
_BINDING = (duckdb.BinderException, duckdb.CatalogException)
_BESIDE = re.compile(r"Binder Error: Referenced (table|column) ")
_PLACES = ("query_location", "query_location_length", "alias")
_TEXTS_KEPT = 500
_STATEMENTS_KEPT = 10
_LONGEST_KEPT = 100_000


@dataclass
class Asking:
    """The questions of one statement: its text and its arguments are the same for all of them."""

    session: Session
    sql: str
    arguments: Arguments
    defects: list[str] = field(default_factory=list)
    """Questions that DuckDB could not read, in its words: ours are at fault, not the statement."""
    _doubtful: dict[str, str] = field(default_factory=dict)

    def fold(self, sql: str) -> tuple[tuple[Value, ...], ...] | None:
        """The rows of a constant query, or None when DuckDB cannot tell them."""
        return self.session.fold(sql, self.arguments, partial(self._note, sql))

    def describe(self, sql: str) -> Types | None:
        """The columns that a query would have, or None when DuckDB cannot tell them."""
        return self.session.describe(sql, self.arguments, partial(self._note, sql))

    def _note(self, sql: str, error: duckdb.Error) -> None:
        """Why a question has no answer, where that may be a fault of the question.

        A piece of the statement may speak of what is beside it, and then is not read by itself.
        """
        words = str(error).partition("\n")[0]
        if isinstance(error, (duckdb.ParserException, duckdb.SyntaxException)):
            self._tell(words, sql)
        elif isinstance(error, _BINDING) and _BESIDE.search(words) is None:
            self._doubtful[sql] = words

    def confirm(self) -> None:
        """The statement itself binds: so what could not be bound of it was asked wrongly."""
        for sql, words in self._doubtful.items():
            self._tell(words, sql)
        self._doubtful.clear()

    def _tell(self, words: str, sql: str) -> None:
        """Such a question costs requests wherever its answer would have saved some."""
        self.defects.append(words)
        log.error("a question of ours that DuckDB cannot read: %s: %s", words, sql[:2000])

    def volatile(self) -> frozenset[str]:
        """Names of functions whose value may change from one evaluation to the next."""
        return self.session.volatile()

    def aggregates(self) -> frozenset[str]:
        """Names of functions over many rows, and of those that make rows."""
        return self.session.aggregates()

    def has_collations(self) -> bool:
        """Whether any local table compares text in a way of its own."""
        return self.session.has_collations()

    def is_written(self, sql: str) -> bool:
        """Whether DuckDB reads a piece of SQL somewhere in the statement.

        The piece comes from another parser; what DuckDB does not find in its own reading of the
        statement may mean something else.
        """
        texts = (sql, _INTERVAL.sub(r"\1", sql), _FROM_NOUGHT.sub(r"\1(", sql))
        return any(self._is_piece(text) for text in dict.fromkeys(texts))

    def _is_piece(self, sql: str) -> bool:
        texts = [f"SELECT {sql}", f"SELECT * FROM {sql}"]
        if sql.lstrip().upper().startswith(("SELECT", "WITH", "(", "FROM", "VALUES")):
            texts.insert(0, sql)
        return any(self._number(text) in self._pieces for text in texts)

    def _number(self, text: str) -> int | None:
        """The digest of what a text was made for; None when DuckDB cannot read it."""
        known = self.session.numbers
        if text in known:
            return known[text]
        read = self.session.syntax_of(text)
        if read is None:  # it may be an aborted transaction that is in the way
            return None
        number = _digest(_piece(read), self.session.aliases(), set())
        _keep(known, text, number, _TEXTS_KEPT)
        return number

    @cached_property
    def _pieces(self) -> frozenset[int]:
        """Everything that the statement consists of, in DuckDB's reading, as digests."""
        known = self.session.pieces
        if self.sql in known:
            return known[self.sql]
        read = self.session.syntax_of(self.sql)
        if read is None:
            return frozenset()
        found: set[int] = set()
        _digest(read, self.session.aliases(), found)
        pieces = frozenset(found)
        _keep(known, self.sql, pieces, _STATEMENTS_KEPT)
        return pieces


def _keep(known: dict[str, T], text: str, value: T, most: int) -> None:
    """Keep what is known of a text, until there are too many of them; not of an endless one."""
    if len(known) >= most:
        known.clear()
    if len(text) <= _LONGEST_KEPT:
        known[text] = value


def _piece(read: Any) -> Any:
    """What `SELECT piece`, `SELECT * FROM piece` or a whole query was made for."""
    node = read[0]["node"]
    listed = node.get("select_list") or []
    source = node.get("from_table") or {}
    if len(listed) == 1 and source.get("type") == "EMPTY":
        return listed[0]
    return node


def _digest(node: Any, aliases: Mapping[str, str], found: set[int]) -> int:
    """A number for a piece of syntax, equal for equal pieces; those of all its parts in `found`."""
    if isinstance(node, dict):
        inside = tuple(
            (key, _digest(_named(key, value, aliases), aliases, found))
            for key, value in node.items()
            if key not in _PLACES
        )
        number = hash(inside)
        found.add(number)
        return number
    if isinstance(node, list):
        return hash((list, *(_digest(one, aliases, found) for one in node)))
    return hash((type(node).__name__, node))


@lru_cache(maxsize=1000)
def _type_named(name: str) -> str:
    """The name that DuckDB gives a type itself: TIMESTAMPTZ has more than one."""
    try:
        return str(duckdb.sqltype(name))
    except duckdb.Error:
        return name.upper()


def _named(key: str, value: Any, aliases: Mapping[str, str]) -> Any:
    if key == "function_name":
        return aliases.get(value, value)
    if key == "type_name":
        return _type_named(value)
    return "" if key == "qualified_name" else value
