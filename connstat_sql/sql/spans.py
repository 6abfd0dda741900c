"""Which stretch of the text each node of sqlglot's tree was read from.

What we run ourselves is cut out of the user's text: sqlglot's own spelling of a tree may mean
something else to DuckDB.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

from sqlglot import exp
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokens import Token  # type: ignore[attr-defined]

from connstat_sql.errors import ConfigError

KNOWN_NAMES = frozenset(
    name.lower() for name in (*DuckDBParser.FUNCTIONS, *DuckDBParser.FUNCTION_PARSERS)
)
"""Functions that the parser gives a meaning of its own."""
NOTED = (
    "_parse_statement", "_parse_select", "_parse_cte", "_parse_disjunction", "_parse_conjunction",
    "_parse_equality", "_parse_bitwise", "_parse_unary", "_parse_field", "_parse_lambda",
    "_parse_types",
)  # fmt: skip
"""The steps of the parser that read a query, an operand, or a chain of operators."""
_CHAINED = (
    exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub, exp.Mul,
    exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.DPipe, exp.Collate, exp.BitwiseAnd, exp.BitwiseOr,
    exp.BitwiseLeftShift, exp.BitwiseRightShift,
)  # fmt: skip
"""Operators of which several stand side by side, from their first operand to their last."""
_KEY, _INSTEAD, _BEFORE = "stretch", "instead", "before"


class SourceText:
    """The text of a tree; copies of the tree share it.

    It has `$1`, `$2`, … for each `?`, at the places `marks` of the user's own text.
    """

    __slots__ = ("marks", "sql")

    def __init__(self) -> None:
        self.sql = ""
        self.marks: Sequence[int] = ()

    def place(self, own: int) -> int:
        """Where in the text a place of the user's own text is."""
        if not self.marks:
            return own
        before = bisect(self.marks, own - 1)
        return own + sum(len(str(number)) for number in range(1, before + 1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceText) and self.sql == other.sql

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: object) -> SourceText:
        """Itself: nobody changes it."""
        return self


class Stretch(NamedTuple):
    """From `start` to before `end`."""

    text: SourceText
    start: int
    end: int

    @property
    def sql(self) -> str:
        """What is written there."""
        return self.text.sql[self.start : self.end]


class NotingParser(DuckDBParser):
    """Notes for each operand, operator, query and source the tokens that it was read from."""

    def __new__(cls, *_: Any, **__: Any) -> NotingParser:
        """Raises ConfigError where sqlglot's own parser is a compiled one: it has no heirs."""
        try:
            return super().__new__(cls)
        except TypeError as error:
            raise ConfigError(
                "SQL cannot be read: the parser of sqlglot is a compiled one here, of sqlglotc",
                hint="pip uninstall sqlglotc",
            ) from error

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.text = SourceText()

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        self.text.sql = sql
        return super().parse(raw_tokens, sql)

    def _noted(self, node: Any, index: int, first: exp.Expr | None = None) -> Any:
        """The node, which begins at the token of this index, or where its first part does."""
        if not isinstance(node, exp.Expr):
            return node
        begun = stretch_of(first) if first is not None else None
        if first is not None and begun is None:
            return node
        if begun is None and index >= self._index:
            return node
        start = self._tokens[index].start if begun is None else begun.start
        node.meta[_KEY] = Stretch(self.text, start, self._tokens[self._index - 1].end + 1)
        return node

    def _parse_range(self, this: exp.Expr | None = None, parse_is: bool = False) -> exp.Expr | None:
        index = self._index
        node = self._noted(super()._parse_range(this, parse_is), index, this)
        return cast("exp.Expr | None", node)

    def _parse_join(self, *args: Any, **options: Any) -> exp.Join | None:
        before = self._tokens[self._index - 1].end + 1
        node = super()._parse_join(*args, **options)
        if node is not None:
            node.meta[_BEFORE] = before
        return node

    def _parse_table(self, *args: Any, **options: Any) -> exp.Expr | None:
        """A source of FROM: without the joins that the tree has inside it."""
        index = self._index
        node: Any = self._noted(super()._parse_table(*args, **options), index)
        joins = node.args.get("joins") if node is not None else None
        if joins:
            node.meta[_KEY] = node.meta[_KEY]._replace(end=joins[0].meta[_BEFORE])
        return cast("exp.Expr | None", node)


def _noting(name: str) -> Callable[..., Any]:
    """A method of the parser that notes what it has read."""
    method = getattr(DuckDBParser, name)

    def parse(self: NotingParser, *args: Any, **options: Any) -> Any:
        index = self._index
        return self._noted(method(self, *args, **options), index)

    return parse


for _name in NOTED:
    setattr(NotingParser, _name, _noting(_name))


def stretch_of(node: exp.Expr) -> Stretch | None:
    """The stretch of a node; None for what nobody wrote, or where the tree does not tell."""
    stretch: Stretch | None = node.meta_get(_KEY)
    if stretch is None and isinstance(node, _CHAINED):
        first, last = stretch_of(node.this), stretch_of(node.expression)
        if first is not None and last is not None and first.text is last.text:
            return first._replace(end=last.end)
    return stretch


def name_in(text: SourceText, node: exp.Column | exp.Table, first: int = 0) -> Stretch | None:
    """Where the name of a column or a table stands, from one of its parts on."""
    begun, ended = (
        node.parts[place].meta_get(key) for place, key in ((first, "start"), (-1, "end"))
    )
    if begun is None or ended is None:
        return None
    return Stretch(text, text.place(begun), text.place(ended) + 1)


def put_in_place(node: exp.Expr, of: exp.Expr) -> exp.Expr:
    """Mark a node as one that a copy of the tree has where the text has another."""
    node.meta[_INSTEAD] = stretch_of(of) or node.meta_get(_INSTEAD)
    return node


def instead_of(node: exp.Expr) -> Stretch | None:
    """Where in the text stands what a node was put in the place of."""
    stretch: Stretch | None = node.meta_get(_INSTEAD)
    return stretch


def replaced(whole: Stretch, edits: Iterable[tuple[Stretch, str]]) -> str:
    """A stretch with other SQL in some places."""
    parts, position = [], whole.start
    for place, sql in sorted(edits, key=lambda edit: edit[0].start):
        parts += [whole.text.sql[position : place.start], sql]
        position = place.end
    return "".join([*parts, whole.text.sql[position : whole.end]])
