"""What is asked of DuckDB while one statement is bound and planned."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import cached_property, partial

import duckdb
from sqlglot import exp

from connstat_sql.database.session import Session
from connstat_sql.database.values import Arguments, Value
from connstat_sql.sql.binder import Types
from connstat_sql.sql.excerpts import KNOWN_NAMES, excerpt_of
from connstat_sql.sql.parentheses import bracketed

log = logging.getLogger("connstat_sql.defects")
_BINDING = (duckdb.BinderException, duckdb.CatalogException)
_BESIDE = re.compile(r"Binder Error: (Referenced (table|column)|Circular reference to CTE) ")
_PLACES = re.compile(r'"query_location(?:_length)?":\d+,?')
_CALLED = re.compile(r'"function_name":"((?:[^"\\]|\\.)*)"')
_TEXTS_KEPT = 500
_LONGEST_KEPT = 100_000


@dataclass
class Introspection:
    """The questions of one statement: its text and its arguments are the same for all of them."""

    session: Session
    sql: str
    arguments: Arguments
    defects: list[str] = field(default_factory=list)
    """Questions that DuckDB could not read, in its words: ours are at fault, not the statement."""
    _doubtful: dict[str, str] = field(default_factory=dict)
    _grouped: dict[int, tuple[exp.Expr, bool]] = field(default_factory=dict)
    _units: dict[int, tuple[exp.Expr, exp.Expr]] = field(default_factory=dict)

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

    def is_grouped_alike(self, node: exp.Expr) -> bool:
        """Whether DuckDB groups the operators of a node's text as its tree does."""
        unit = self._unit(node)
        return self._has_same_groups(unit) or (unit is not node and self._has_same_groups(node))

    def calls_hiding(self, node: exp.Expr) -> bool:
        """Whether a node's text calls a function of the user's own under a name of DuckDB's."""
        if not self._hiding or not (self._hides_in(self._unit(node))):
            return False
        return self._hides_in(node)

    def is_same(self, sql: str, other: str) -> bool:
        """Whether DuckDB reads two expressions as the very same."""
        if sql == other:
            return True
        read = self._reading(f"SELECT {sql}")
        return bool(read) and read == self._reading(f"SELECT {other}")

    def called(self, sql: str) -> frozenset[str] | None:
        """The functions that DuckDB sees in a query; None where it cannot read it."""
        if "(" not in sql and not self._hiding:
            return frozenset()
        read = self._reading(sql)
        return _functions(read) if read else None

    @cached_property
    def _hiding(self) -> frozenset[str]:
        """Functions of the user's own with names that DuckDB, or the tree, knows otherwise."""
        return self.session.own_functions(KNOWN_NAMES)

    def _unit(self, node: exp.Expr) -> exp.Expr:
        """The outermost query around a node; the node itself where it stands in none."""
        passed, unit, above = list[exp.Expr](), node, node.parent
        while above is not None and id(above) not in self._units:
            if isinstance(above, exp.Query):
                passed.append(above)
                unit = above
            above = above.parent
        if above is not None:
            unit = self._units[id(above)][1]
        self._units.update((id(query), (query, unit)) for query in passed)
        return unit

    def _hides_in(self, node: exp.Expr) -> bool:
        if isinstance(node, (exp.Column, exp.Literal)):
            return False
        written = excerpt_of(node)
        read = self._reading(_read_as(node, written.sql)) if written is not None else ""
        return not read or not self._hiding.isdisjoint(_functions(read))

    def _has_same_groups(self, node: exp.Expr) -> bool:
        if id(node) not in self._grouped:
            self._grouped[id(node)] = node, self._is_grouped_alike(node)
        return self._grouped[id(node)][1]

    def _is_grouped_alike(self, node: exp.Expr) -> bool:
        written = excerpt_of(node)
        if written is None:
            return False
        text = bracketed(node)
        if text is None:
            return True
        sql = _read_as(node, text)
        own, other = self._reading(_read_as(node, written.sql)), self._reading(sql)
        if own and not other:
            self._tell("parentheses that do not stand around anything", sql)
        return own == other != ""

    def _reading(self, sql: str) -> str:
        """What DuckDB reads in a query, without the places; "" when it cannot."""
        known = self.session.readings
        if sql in known:
            return known[sql]
        reading = self.session.reading_of(sql)
        if reading is None:  # it may be an aborted transaction that is in the way
            return ""
        read = _PLACES.sub("", reading)
        _keep(known, sql, read)
        return read


def _read_as(node: exp.Expr, text: str) -> str:
    return text if isinstance(node, exp.Query) else f"SELECT {text}"


def _functions(read: str) -> frozenset[str]:
    return frozenset(map(str.lower, _CALLED.findall(read)))


def _keep(known: dict[str, str], text: str, read: str) -> None:
    """Keep what is known of a text, until there are too many of them; not of an endless one."""
    if len(known) >= _TEXTS_KEPT:
        known.clear()
    if len(text) <= _LONGEST_KEPT:
        known[text] = read
