"""Text and cursor → what is wanted there: the pure half of completion that knows SQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connstat_sql.shell.completion.brackets import (
    Bracketed,
    Item,
    chain_before,
    chain_from,
    grouped,
    is_cursor,
    is_name,
    is_symbol,
    is_too_deep,
    word_of,
)
from connstat_sql.shell.completion.places import CompletionPlace, CompletionScope, WantedKind
from connstat_sql.shell.completion.predicates import compared_names
from connstat_sql.shell.completion.scopes import (
    JOIN_WORDS,
    SOURCE_CLAUSES,
    FromSource,
    Query,
    SelectScope,
    cut_clauses,
    is_query,
    read_query,
)
from connstat_sql.shell.completion.tokens import CursorStatement, Inside, Token, TokenKind, read

OPERATORS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">=", "~", "~~", "->", "->>"})
TEXT_OPERATORS = frozenset({"LIKE", "ILIKE", "GLOB", "SIMILAR TO", "SIMILAR", "NOT LIKE"})
OPERAND_NEXT = frozenset(
    {"AND", "OR", "NOT", "ON", "BY", "WHEN", "THEN", "ELSE", "CASE", "BETWEEN", "IN", "LIKE",
     "ILIKE", "DISTINCT", "ALL", "IS", "GROUP BY", "ORDER BY", "PARTITION BY", "SELECT", "WHERE",
     "HAVING", "QUALIFY", "SET", "RETURNING", "GLOB", "EXCLUDE", "FILTER", "INTERVAL", "XOR"}
)  # fmt: skip


_Answer = tuple["WantedKind", tuple[str, ...]]
"""What is wanted, and the column that a value is for."""


_OF_ELEMENTS = frozenset(
    {"unnest", "list_first", "list_last", "list_extract", "any_value", "first"}
)


def place(text: str, cursor: int) -> CompletionPlace:
    """What is wanted at the cursor.

    >>> text = "SELECT name FROM plant.connect.connectors WHERE state = 'RUN"
    >>> at = place(text, len(text))
    >>> at.wanted.value, at.compared, at.word, [source.parts for source in at.scope.sources]
    ('value', ('state',), 'RUN', [('plant', 'connect', 'connectors')])
    """
    reading = read(text, cursor)
    if reading.inside is Inside.COMMENT or is_too_deep(reading.tokens):
        return CompletionPlace(WantedKind.NOTHING, start=cursor)
    return _Finder(reading).place()


@dataclass(slots=True)
class _Step:
    """One level of brackets on the path to the cursor: where in it the path goes on."""

    group: Bracketed
    at: int


def _path(group: Bracketed) -> list[_Step]:
    """The path from the statement to the cursor."""
    for at, item in enumerate(group.items):
        if is_cursor(item):
            return [_Step(group, at)]
        if isinstance(item, Bracketed):
            inner = _path(item)
            if inner:
                return [_Step(group, at), *inner]
    return []


class _Finder:
    """Finds what is wanted at the cursor of one reading."""

    def __init__(self, reading: CursorStatement) -> None:
        self.reading = reading
        root = grouped(reading.tokens)
        self.path = _path(root)
        self.items, self.at = self.path[-1].group.items, self.path[-1].at
        self.qualifier: tuple[str, ...] = ()
        self.is_element = False
        self.first = self.at
        """Where the dotted name at the cursor begins."""
        if self._follows_dot():
            self._read_qualifier()
        self.before = self.items[self.first - 1] if self.first else None
        self.branch, self.clause = self._ruling()

    def place(self) -> CompletionPlace:
        """The place."""
        wanted, compared = self._wanted()
        outputs = self.branch.outputs if self.branch else ()
        clauses = self.branch.clauses if self.branch else ()
        sources = self.branch.sources if self.branch else ()
        return CompletionPlace(
            wanted,
            self.reading.word,
            self.reading.start,
            self.qualifier,
            self.is_element,
            self.clause.upper(),
            is_quoted=self.reading.inside is not Inside.CODE,
            is_closed=self.reading.is_closed,
            is_lower=self._is_lower(),
            scope=self._scope(),
            equalities=dict(self._equalities()),
            outputs=tuple(output.name for output in outputs if output.name),
            parameters=tuple(self._parameters()),
            clauses=frozenset(clause.word for clause in clauses),
            after=word_of(self.before) or (
                self.before.text if isinstance(self.before, Token) else ")" if self.before else ""
            ),
            compared=compared,
            last=sources[-1] if sources else None,
        )  # fmt: skip

    def _read_qualifier(self) -> None:
        before = self.items[self.at - 2] if self.at >= 2 else None
        if not isinstance(before, Bracketed):
            self.qualifier = chain_before(self.items, self.at - 1)
            self.first = self.at - 2 * len(self.qualifier)
            return
        called = chain_before(self.items, self.at - 2)
        self.is_element = True
        self.first = self.at - 2 - max(2 * len(called) - 1, 0)
        if before.bracket == "[":
            self.qualifier = called
        elif len(called) == 1 and called[0].lower() in _OF_ELEMENTS:
            self.qualifier = chain_from(before.items)[0]

    # --- where it is -------------------------------------------------------------------------

    def _follows_dot(self) -> bool:
        return self.at > 0 and is_symbol(self.items[self.at - 1], ".")

    def _ruling(self) -> tuple[SelectScope | None, str]:
        """The branch around the cursor, and the clause of it that rules there."""
        for depth in range(len(self.path) - 1, -1, -1):
            step = self.path[depth]
            if depth == 0 or is_query(step.group):
                query = read_query(step.group.items)
                here = step.group.items[step.at]
                for branch in query.branches:
                    for clause in branch.clauses:
                        if any(item is here for item in clause.items):
                            return branch, clause.word
                return (query.branches[-1] if query.branches else None), ""
        return None, ""

    def _scope(self) -> CompletionScope:
        sources: list[FromSource] = []
        named: dict[str, Query] = {}
        for depth, step in enumerate(self.path):
            if depth and not is_query(step.group):
                continue
            query = read_query(step.group.items)
            named.update(query.named)
            here = step.group.items[step.at]
            own = [
                source
                for branch in query.branches
                if any(item is here for clause in branch.clauses for item in clause.items)
                for source in branch.sources
            ]
            sources = [*own, *sources]
        return CompletionScope(tuple(sources), named)

    def _is_lower(self) -> bool:
        word = self.reading.word
        if word and self.reading.inside is Inside.CODE:
            return word.islower()
        known = (
            token.text for token in self.reading.tokens if token.word in SOURCE_CLAUSES | {"SELECT"}
        )
        return next(known, "").islower()

    # --- what is wanted ----------------------------------------------------------------------

    def _wanted(self) -> _Answer:
        if self.reading.inside is Inside.STRING:
            return self._in_string()
        if is_symbol(self.before, "$") and not self.qualifier:
            return WantedKind.PARAMETER, ()
        if self.first == 0 and len(self.path) == 1:
            return (WantedKind.NOTHING if self.qualifier else WantedKind.STATEMENT), ()
        if self.clause == "SHOW":
            return self._in_show()
        group = self.path[-1].group
        if len(self.path) > 1 and not is_query(group):
            return self._in_brackets()
        if self.clause in SOURCE_CLAUSES:
            return self._in_sources(self._clause_items())
        if self.clause == "":
            return self._in_start()
        return self._in_expression()

    def _clause_items(self) -> Sequence[Item]:
        """The items of the clause in these brackets that stand before the dotted name."""
        return list(cut_clauses(self.items[: self.first]))[-1].items

    def _in_start(self) -> _Answer:
        words = {word_of(item) for item in self.items[: self.first]}
        if words & {"DROP", "TABLE", "ALTER"} and word_of(self.before) in ("TABLE", "VIEW"):
            return WantedKind.TABLE, ()
        if word_of(self.before) in {"EXPLAIN", "ANALYZE", "AS", "UNION", "ALL", "EXCEPT",
                                    "INTERSECT", "BY NAME", "NAME"}:  # fmt: skip
            return WantedKind.STATEMENT, ()
        if isinstance(self.before, Bracketed) and "WITH" in words:
            return WantedKind.STATEMENT, ()
        if not self.first:
            return WantedKind.STATEMENT, ()
        return WantedKind.NOTHING, ()

    def _in_show(self) -> _Answer:
        words = [word_of(item) for item in self._clause_items()]
        if words[-1:] == ["IN"] or words[-1:] == ["FROM"]:
            is_tables = "TABLES" in words
            if not self.qualifier:
                return WantedKind.PROVIDER, ()
            return (
                WantedKind.SERVICE if is_tables and len(self.qualifier) == 1 else WantedKind.NOTHING
            ), ()
        return WantedKind.SHOW, ()

    def _in_sources(self, items: Sequence[Item]) -> _Answer:
        on = None
        wants_source = True
        for at, item in enumerate(items):
            word = word_of(item)
            if is_symbol(item, ",") and on is None:
                wants_source = True
            elif word in JOIN_WORDS and (word == "JOIN" or at + 1 == len(items)):
                wants_source, on = word == "JOIN" or wants_source, None
            elif word in ("ON", "USING"):
                on = word
            elif word not in JOIN_WORDS:
                wants_source = False
        if self.clause in ("DESCRIBE", "DESC", "SUMMARIZE", "REFRESH") and items:
            return WantedKind.NOTHING, ()
        if on == "ON":
            return self._in_expression()
        if wants_source:
            return WantedKind.TABLE, ()
        if word_of(self.before) == "AS":
            return WantedKind.NOTHING, ()
        return WantedKind.AFTER_TABLE, ()

    def _in_brackets(self) -> _Answer:
        group, parent = self.path[-1].group, self.path[-2]
        opener = parent.group.items[parent.at - 1] if parent.at else None
        if group.bracket in {"[", "{"}:
            return self._in_expression()
        if word_of(opener) == "USING":
            return WantedKind.JOIN_COLUMN, ()
        if word_of(opener) in ("EXCLUDE", "EXCEPT", "REPLACE") and self.clause == "SELECT":
            return WantedKind.STAR_COLUMN, ()
        is_source = self.clause in SOURCE_CLAUSES and self._is_joined_group(parent)
        if is_source:
            return self._in_sources(self.items[: self.first])
        if not self.first and not self.qualifier and word_of(opener) in ("IN", "AS", "EXISTS"):
            return WantedKind.OPERAND, ()
        return self._in_expression()

    def _is_joined_group(self, parent: _Step) -> bool:
        """Whether brackets stand where a table may stand."""
        opener = parent.group.items[parent.at - 1] if parent.at else None
        return opener is None or is_symbol(opener, ",") or word_of(opener) in {
            "JOIN", "LATERAL", *SOURCE_CLAUSES
        }  # fmt: skip

    def _in_expression(self) -> _Answer:
        if word_of(self.before) == "AS" or is_symbol(self.before, "::"):
            is_type = len(self.path) > 1 and not is_query(self.path[-1].group)
            return (
                WantedKind.TYPE if is_type or not word_of(self.before) else WantedKind.NOTHING
            ), ()
        if self._follows_dot() or self._needs_operand():
            return WantedKind.OPERAND, ()
        return WantedKind.OPERATOR, ()

    def _needs_operand(self) -> bool:
        before = self.before
        if before is None:
            return True
        if isinstance(before, Bracketed):
            return False
        if before.kind is TokenKind.SYMBOL:
            return not (before.text == "*" and self._is_star())
        word = before.word
        if word in OPERAND_NEXT or word in SOURCE_CLAUSES:
            return True
        return word != "" and word == self.clause

    def _is_star(self) -> bool:
        """Whether the `*` before the cursor stands for all columns."""
        earlier = self.items[self.first - 2] if self.first >= 2 else None
        return earlier is None or is_symbol(earlier, ",") or is_symbol(earlier, ".") or (
            word_of(earlier) in ("SELECT", "DISTINCT")
        )  # fmt: skip

    # --- inside a string ---------------------------------------------------------------------

    def _in_string(self) -> _Answer:
        group = self.path[-1].group
        parent = self.path[-2] if len(self.path) > 1 else None
        opener = parent.group.items[parent.at - 1] if parent and parent.at else None
        if group.bracket == "[" and parent is not None:
            chain = chain_before(parent.group.items, parent.at)
            return (WantedKind.MAP_KEY, chain) if chain else (WantedKind.NOTHING, ())
        if group.bracket == "(" and word_of(opener) in ("IN", "NOT IN") and parent is not None:
            end = parent.at - 1
            if end and word_of(parent.group.items[end - 1]) == "NOT":
                end -= 1
            return WantedKind.VALUE, chain_before(parent.group.items, end)
        if (is_name(opener) and word_of(opener).startswith("READ_")) or self._names_source():
            return WantedKind.FILE, ()
        return self._compared()

    def _names_source(self) -> bool:
        is_source = self.clause in SOURCE_CLAUSES and len(self.path[-1].group.items) > 0
        return (is_source and (self.before is None or is_symbol(self.before, ",")
                or word_of(self.before) in {"JOIN", *SOURCE_CLAUSES}))  # fmt: skip

    def _compared(self) -> _Answer:
        before = self.before
        is_operator = isinstance(before, Token) and (
            (before.kind is TokenKind.SYMBOL and before.text in OPERATORS)
            or before.word in TEXT_OPERATORS
        )
        if not is_operator:
            return WantedKind.NOTHING, ()
        end = self.first - 1
        while end and word_of(self.items[end - 1]) in ("NOT", "SIMILAR"):
            end -= 1
        chain = chain_before(self.items, end)
        return (WantedKind.VALUE, chain) if chain else (WantedKind.NOTHING, ())

    # --- what is there already ---------------------------------------------------------------

    def _equalities(self) -> Iterator[tuple[str, str | None]]:
        """Columns that predicates of the branch compare, in lower case; with text, if it is one."""
        if self.branch is None:
            return
        for clause in self.branch.clauses:
            if clause.word in ("FROM", "WHERE", "PIVOT", "UPDATE", "SET"):
                yield from compared_names(clause.items)

    def _parameters(self) -> Iterator[str]:
        tokens = self.reading.tokens
        for token, name in itertools.pairwise(tokens):
            if token.kind is TokenKind.SYMBOL and token.text == "$" and name.kind is TokenKind.NAME:
                yield name.text
