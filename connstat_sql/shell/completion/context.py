"""Text and cursor → what is wanted there: the pure half of completion that knows SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Any

from connstat_sql.definitions.lexer import Lexeme
from connstat_sql.shell.completion.parser import (
    JOIN_WORDS,
    SOURCE_CLAUSES,
    FromSource,
    Query,
    SelectScope,
    compared_names,
    cut_clauses,
    is_query,
    read_query,
)
from connstat_sql.shell.completion.tokens import (
    Bracketed,
    CursorStatement,
    Inside,
    Item,
    chain_before,
    chain_from,
    grouped,
    is_cursor,
    is_symbol,
    is_too_deep,
    item_at,
    name_of,
    read,
    word_of,
)

OPERATORS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">=", "~", "~~", "->", "->>"})
TEXT_OPERATORS = frozenset({"LIKE", "ILIKE", "GLOB", "SIMILAR TO", "SIMILAR"})
OPERAND_NEXT = frozenset(
    {"AND", "OR", "NOT", "ON", "BY", "WHEN", "THEN", "ELSE", "CASE", "BETWEEN", "IN", "LIKE",
     "ILIKE", "DISTINCT", "ALL", "IS", "GROUP BY", "ORDER BY", "PARTITION BY", "SELECT", "WHERE",
     "HAVING", "QUALIFY", "SET", "RETURNING", "GLOB", "EXCLUDE", "FILTER", "INTERVAL", "XOR"}
)  # fmt: skip
_STATEMENT_NEXT = frozenset(
    {"EXPLAIN", "ANALYZE", "AS", "UNION", "ALL", "EXCEPT", "INTERSECT", "NAME"}
)
_OF_ELEMENTS = frozenset(
    {"unnest", "list_first", "list_last", "list_extract", "any_value", "first"}
)


class WantedKind(Enum):
    """What kind of thing belongs at the cursor."""

    NOTHING = "nothing"
    STATEMENT = "statement"
    TABLE = "table"
    AFTER_TABLE = "after table"
    OPERAND = "operand"
    OPERATOR = "operator"
    JOIN_COLUMN = "join column"
    VALUE = "value"
    MAP_KEY = "map key"
    FILE = "file"
    PARAMETER = "parameter"
    SHOW = "show"
    PROVIDER = "provider"
    SERVICE = "service"
    STAR_COLUMN = "star column"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class CompletionScope:
    """What names mean at a place: sources from the inside out, and the queries of WITHs.

    `named` are seen by name in lower case. `outputs` keeps their columns, so that a query
    that is mentioned again and again is looked into once; a key of it is an `id`.
    """

    sources: tuple[FromSource, ...] = ()
    named: Mapping[str, Query] = field(default_factory=dict)
    outputs: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CompletionPlace:
    """What is wanted at the cursor, of which `word` has been typed, from `start` on.

    `qualifier` are the parts before it, as in `a.b.|`; `is_element` says that it is an element of
    that: `a.b[1].|`, `unnest(a.b).|`. `clause` is the keyword that rules here.
    `compared` is the column that a value is for. `equalities` are names of columns that predicates
    speak of, with the text that each is equal to. `is_quoted` is true between quotes, `is_closed`
    where they are closed already.
    `scope` is what can be named; `last` the source that was named right before.
    `outputs` are names that the SELECT gives, `clauses` those it has, `parameters` the `$` names
    of the text, and `after` is what stands before the cursor.
    """

    wanted: WantedKind
    word: str = ""
    start: int = 0
    qualifier: tuple[str, ...] = ()
    is_element: bool = False
    clause: str = ""
    compared: tuple[str, ...] = ()
    equalities: Mapping[str, str | None] = field(default_factory=dict)
    is_quoted: bool = False
    is_closed: bool = False
    is_lower: bool = False
    scope: CompletionScope = field(default_factory=CompletionScope)
    last: FromSource | None = None
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    clauses: frozenset[str] = frozenset()
    after: str = ""


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

    @property
    def here(self) -> Item:
        """The item at which it goes on."""
        return self.group.items[self.at]

    @property
    def opener(self) -> Item | None:
        """What stands before that item: of brackets, what they belong to."""
        return item_at(self.group.items, self.at - 1)


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


@dataclass(slots=True)
class _Level:
    """A query around the cursor; the branch and the clause that the cursor is in.

    `branch` is None, and `clause` "", where it stands between branches.
    """

    query: Query
    branch: SelectScope | None = None
    clause: str = ""

    @classmethod
    def of(cls, step: _Step) -> _Level:
        """The query that the brackets of a step hold."""
        query = read_query(step.group.items)
        for branch in query.branches:
            for clause in branch.clauses:
                if any(item is step.here for item in clause.items):
                    return cls(query, branch, clause.word)
        return cls(query)


class _Finder:
    """Finds what is wanted at the cursor of one reading."""

    def __init__(self, reading: CursorStatement) -> None:
        self.reading = reading
        self.path = _path(grouped(reading.tokens))
        self.items, self.at = self.path[-1].group.items, self.path[-1].at
        self.levels = [
            _Level.of(step)
            for depth, step in enumerate(self.path)
            if not depth or is_query(step.group)
        ]
        self.qualifier: tuple[str, ...] = ()
        self.compared: tuple[str, ...] = ()
        """The column that a value is for."""
        self.is_element = False
        self.first = self.at
        """Where the dotted name at the cursor begins."""
        if self._follows_dot():
            self._read_qualifier()
        self.before = item_at(self.items, self.first - 1)
        own = self.levels[-1]
        self.clause = own.clause
        self.branch = own.branch or (own.query.branches[-1] if own.query.branches else None)

    def place(self) -> CompletionPlace:
        """The place."""
        branch = self.branch or SelectScope((), (), ())
        return CompletionPlace(
            self._wanted(),
            self.reading.word,
            self.reading.start,
            self.qualifier,
            self.is_element,
            self.clause,
            is_quoted=self.reading.inside is not Inside.CODE,
            is_closed=self.reading.is_closed,
            is_lower=self._is_lower(),
            scope=self._scope(),
            equalities=dict(self._equalities(branch)),
            outputs=tuple(output.name for output in branch.outputs if output.name),
            parameters=tuple(self._parameters()),
            clauses=frozenset(clause.word for clause in branch.clauses),
            after=self._after(),
            compared=self.compared,
            last=branch.sources[-1] if branch.sources else None,
        )

    def _after(self) -> str:
        """What stands before the dotted name at the cursor."""
        if isinstance(self.before, Bracketed):
            return ")"
        return word_of(self.before) or (self.before.text if self.before else "")

    def _read_qualifier(self) -> None:
        before = item_at(self.items, self.at - 2)
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
        return is_symbol(item_at(self.items, self.at - 1), ".")

    def _scope(self) -> CompletionScope:
        sources: list[FromSource] = []
        named: dict[str, Query] = {}
        for level in self.levels:
            named.update(level.query.named)
            if level.branch is not None:
                sources = [*level.branch.sources, *sources]
        return CompletionScope(tuple(sources), named)

    def _is_lower(self) -> bool:
        word = self.reading.word
        if word and self.reading.inside is Inside.CODE:
            return word.islower()
        known = (
            token.text
            for token in self.reading.tokens
            if word_of(token) in SOURCE_CLAUSES or word_of(token) == "SELECT"
        )
        return next(known, "").islower()

    # --- what is wanted ----------------------------------------------------------------------

    def _wanted(self) -> WantedKind:
        if self.reading.inside is Inside.STRING:
            return self._in_string()
        if is_symbol(self.before, "$") and not self.qualifier:
            return WantedKind.PARAMETER
        if self.first == 0 and len(self.path) == 1:
            return WantedKind.NOTHING if self.qualifier else WantedKind.STATEMENT
        if self.clause == "SHOW":
            return self._in_show()
        if len(self.path) > 1 and not is_query(self.path[-1].group):
            return self._in_brackets()
        if self.clause in SOURCE_CLAUSES:
            return self._in_sources(self._clause_items())
        if self.clause == "":
            return self._in_start()
        return self._in_expression()

    def _clause_items(self) -> Sequence[Item]:
        """The items of the clause in these brackets that stand before the dotted name."""
        return list(cut_clauses(self.items[: self.first]))[-1].items

    def _in_start(self) -> WantedKind:
        words = {word_of(item) for item in self.items[: self.first]}
        if words & {"DROP", "TABLE", "ALTER"} and word_of(self.before) in ("TABLE", "VIEW"):
            return WantedKind.TABLE
        is_after_with = isinstance(self.before, Bracketed) and "WITH" in words
        is_next = word_of(self.before) in _STATEMENT_NEXT
        return WantedKind.STATEMENT if is_next or is_after_with or not self.first else (
            WantedKind.NOTHING
        )  # fmt: skip

    def _in_show(self) -> WantedKind:
        words = [word_of(item) for item in self._clause_items()]
        if words[-1:] not in (["IN"], ["FROM"]):
            return WantedKind.SHOW
        if not self.qualifier:
            return WantedKind.PROVIDER
        is_service = "TABLES" in words and len(self.qualifier) == 1
        return WantedKind.SERVICE if is_service else WantedKind.NOTHING

    def _in_sources(self, items: Sequence[Item]) -> WantedKind:
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
            return WantedKind.NOTHING
        if on == "ON":
            return self._in_expression()
        if wants_source:
            return WantedKind.TABLE
        return WantedKind.NOTHING if word_of(self.before) == "AS" else WantedKind.AFTER_TABLE

    def _in_brackets(self) -> WantedKind:
        opener = self.path[-2].opener
        if self.path[-1].group.bracket in {"[", "{"}:
            return self._in_expression()
        if word_of(opener) == "USING":
            return WantedKind.JOIN_COLUMN
        if word_of(opener) in ("EXCLUDE", "EXCEPT", "REPLACE") and self.clause == "SELECT":
            return WantedKind.STAR_COLUMN
        if self.clause in SOURCE_CLAUSES and _may_be_source(opener, "LATERAL"):
            return self._in_sources(self.items[: self.first])
        if not self.first and not self.qualifier and word_of(opener) in ("IN", "AS", "EXISTS"):
            return WantedKind.OPERAND
        return self._in_expression()

    def _in_expression(self) -> WantedKind:
        is_named = word_of(self.before) == "AS"
        if is_named or is_symbol(self.before, "::"):
            is_cast = len(self.path) > 1 and not is_query(self.path[-1].group)
            return WantedKind.TYPE if is_cast or not is_named else WantedKind.NOTHING
        is_operand = self._follows_dot() or self._needs_operand()
        return WantedKind.OPERAND if is_operand else WantedKind.OPERATOR

    def _needs_operand(self) -> bool:
        before = self.before
        if before is None:
            return True
        if isinstance(before, Bracketed):
            return False
        if before.kind == "sign":
            return not (before.text == "*" and self._is_star())
        word = word_of(before)
        return word != "" and (
            word in OPERAND_NEXT or word in SOURCE_CLAUSES or word == self.clause
        )  # fmt: skip

    def _is_star(self) -> bool:
        """Whether the `*` before the cursor stands for all columns."""
        earlier = item_at(self.items, self.first - 2)
        return earlier is None or is_symbol(earlier, ",") or is_symbol(earlier, ".") or (
            word_of(earlier) in ("SELECT", "DISTINCT")
        )  # fmt: skip

    # --- inside a string ---------------------------------------------------------------------

    def _in_string(self) -> WantedKind:
        bracket = self.path[-1].group.bracket
        parent = self.path[-2] if len(self.path) > 1 else None
        opener = parent.opener if parent is not None else None
        if bracket == "[" and parent is not None:
            return self._of_column(WantedKind.MAP_KEY, parent.group.items, parent.at)
        if bracket == "(" and word_of(opener) == "IN" and parent is not None:
            return self._of_column(WantedKind.VALUE, parent.group.items, parent.at - 1)
        is_file = word_of(opener).startswith("READ_")
        is_source = self.clause in SOURCE_CLAUSES and _may_be_source(self.before)
        if is_file or is_source:
            return WantedKind.FILE
        before = self.before
        is_compared = isinstance(before, Lexeme) and before.text in OPERATORS
        if is_compared or word_of(before) in TEXT_OPERATORS:
            return self._of_column(WantedKind.VALUE, self.items, self.first - 1)
        return WantedKind.NOTHING

    def _of_column(self, wanted: WantedKind, items: Sequence[Item], end: int) -> WantedKind:
        """What is wanted, if what it is wanted for is a column: the name that ends there."""
        while word_of(item_at(items, end - 1)) in ("NOT", "SIMILAR"):
            end -= 1
        self.compared = chain_before(items, end)
        return wanted if self.compared else WantedKind.NOTHING

    # --- what is there already ---------------------------------------------------------------

    def _equalities(self, branch: SelectScope) -> Iterator[tuple[str, str | None]]:
        """Columns that predicates of the branch compare, in lower case; with text, if it is one."""
        for clause in branch.clauses:
            if clause.word in ("FROM", "WHERE", "PIVOT", "UPDATE", "SET"):
                yield from compared_names(clause.items)

    def _parameters(self) -> Iterator[str]:
        for token, following in pairwise(self.reading.tokens):
            name = name_of(following)
            if is_symbol(token, "$") and name is not None:
                yield name


def _may_be_source(before: Item | None, *words: str) -> bool:
    """Whether what stands behind something may name a table."""
    is_first = before is None or is_symbol(before, ",")
    return is_first or word_of(before) in {"JOIN", *words, *SOURCE_CLAUSES}
