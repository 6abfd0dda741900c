"""Where in the text each node of sqlglot's tree was read from.

What we run ourselves is cut out of the user's text: sqlglot's own spelling of a tree may mean
something else to DuckDB.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

from sqlglot import exp
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.source_map import Edit, excerpt
from connstat_sql.errors import ConfigError, Span

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
_KEY, _INSTEAD, _BEFORE = "excerpt", "instead", "before"


class ParsedText:
    """The text of a tree, and the edits that put `$1`, `$2`, … for each `?` in it.

    Copies of the tree share it.
    """

    __slots__ = ("numbers", "sql")

    def __init__(self) -> None:
        self.sql = ""
        self.numbers: Sequence[Edit] = ()

    def numbers_in(self, span: Span) -> Sequence[Edit]:
        """The edits of each `?` that stands in a span."""
        first, last = (
            bisect_left(self.numbers, place, key=lambda edit: edit.span.start)
            for place in (span.start, span.end)
        )
        return self.numbers[first:last]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParsedText) and self.sql == other.sql

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: object) -> ParsedText:
        """Itself: nobody changes it."""
        return self


class Excerpt(NamedTuple):
    """What stands at a span of a text."""

    text: ParsedText
    span: Span

    @property
    def sql(self) -> str:
        """What is written there, each `?` with its number."""
        return self.edited(())

    def edited(self, edits: Iterable[Edit]) -> str:
        """The same with other SQL in some places."""
        edits = [*edits]
        numbers = [
            number
            for number in self.text.numbers_in(self.span)
            if not any(edit.span.holds(number.span) for edit in edits)
        ]
        return excerpt(self.text.sql, self.span, [*edits, *numbers])


def numbered(tokens: Iterable[Token]) -> tuple[list[Token], list[Edit]]:
    """Tokens with `$` and a number for each `?`, and the edits that make the text the same.

    sqlglot's nodes for `?` do not say which one it is.
    """
    listed, edits = list[Token](), list[Edit]()
    for token in tokens:
        if token.token_type is not TokenType.PLACEHOLDER:
            listed.append(token)
            continue
        number = str(len(edits) + 1)
        sign = Token(TokenType.PARAMETER, "$", start=token.start, end=token.end)
        digits = Token(TokenType.NUMBER, number, start=token.start, end=token.end)
        digits.comments.extend(token.comments)
        listed += [sign, digits]
        edits.append(Edit(Span(token.start, token.end + 1), f"${number}"))
    return listed, edits


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
        self.text = ParsedText()

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        tokens, self.text.numbers = numbered(raw_tokens)
        self.text.sql = sql
        return super().parse(tokens, sql)

    def _noted(self, node: Any, index: int, first: exp.Expr | None = None) -> Any:
        """The node, which begins at the token of this index, or where its first part does."""
        if not isinstance(node, exp.Expr):
            return node
        begun = excerpt_of(first) if first is not None else None
        if first is not None and begun is None:
            return node
        if begun is None and index >= self._index:
            return node
        start = self._tokens[index].start if begun is None else begun.span.start
        node.meta[_KEY] = Excerpt(self.text, Span(start, self._tokens[self._index - 1].end + 1))
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
            start = node.meta[_KEY].span.start
            node.meta[_KEY] = Excerpt(self.text, Span(start, joins[0].meta[_BEFORE]))
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


def excerpt_of(node: exp.Expr) -> Excerpt | None:
    """What a node was read from; None for what nobody wrote, or where the tree does not tell."""
    noted: Excerpt | None = node.meta_get(_KEY)
    if noted is None and isinstance(node, _CHAINED):
        first, last = excerpt_of(node.this), excerpt_of(node.expression)
        if first is not None and last is not None and first.text is last.text:
            return Excerpt(first.text, Span(first.span.start, last.span.end))
    return noted


def name_in(text: ParsedText, node: exp.Column | exp.Table, first: int = 0) -> Excerpt | None:
    """Where the name of a column or a table stands, from one of its parts on."""
    begun, ended = (
        node.parts[place].meta_get(key) for place, key in ((first, "start"), (-1, "end"))
    )
    if begun is None or ended is None:
        return None
    return Excerpt(text, Span(begun, ended + 1))


def put_in_place(node: exp.Expr, of: exp.Expr) -> exp.Expr:
    """Mark a node as one that a copy of the tree has where the text has another."""
    node.meta[_INSTEAD] = excerpt_of(of) or node.meta_get(_INSTEAD)
    return node


def instead_of(node: exp.Expr) -> Excerpt | None:
    """What stands in the text where a node was put in its place."""
    replaced: Excerpt | None = node.meta_get(_INSTEAD)
    return replaced
