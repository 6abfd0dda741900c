"""CREATE VIEW, CREATE MACRO and calls of macros, read token by token: what sqlglot cannot parse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from sqlglot import exp
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.source_map import Edit, SourceText
from connstat_sql.errors import BindError, Span
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.statement import parse, tokens

_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


class DefinedKind(str, Enum):
    """What a statement defines; only the first two stand for tables."""

    VIEW = "view"
    MACRO = "macro"
    SCALAR = "scalar macro"
    SEVERAL = "macro with several signatures"


@dataclass(frozen=True, slots=True)
class MacroParam:
    """A parameter of a macro, in lower case.

    `type` is "" where none is declared, `default` None where an argument must be given.
    """

    name: str
    type: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A view or macro as its author wrote it.

    `name` is where the text names it, `body` where the SELECT stands. `columns` are those that a
    view renames, as text with parentheses, or "".
    """

    kind: DefinedKind
    sql: str
    name: Span
    parts: tuple[str, ...]
    columns: str
    params: tuple[MacroParam, ...]
    body: Span

    @property
    def query(self) -> str:
        """The SELECT that it stands for."""
        return self.sql[self.body.start : self.body.end]


@dataclass(frozen=True, slots=True)
class MacroArgument:
    """What a call gives a macro: `name` is "" where it is given by its place."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class MacroCall:
    """A call of a table function: `span` is all of it, `parts` its dotted name."""

    span: Span
    parts: tuple[str, ...]
    name: str
    arguments: tuple[MacroArgument, ...]
    has_alias: bool


class _NotThis(Exception):
    """The text is another statement after all."""


class _TokenReader:
    """Goes through tokens one by one."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self.sql = sql
        self.tokens = tokens
        self.at = 0

    def word(self, ahead: int = 0) -> str:
        """The token's text in upper case, "" at the end and for quoted names and strings."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        is_text = token.token_type in (TokenType.IDENTIFIER, TokenType.STRING)
        return "" if is_text else str(token.text).upper()

    def takes(self, *words: str) -> str:
        """The token, passed by, when it is one of these words; else ""."""
        word = self.word()
        if word in words:
            self.at += 1
            return word
        return ""

    def needs(self, *words: str) -> str:
        return self.takes(*words) or _another()

    def name(self) -> tuple[Span, tuple[str, ...]]:
        """A dotted name."""
        first = self.at
        parts = [self._part()]
        while self.takes("."):
            parts.append(self._part())
        return self.span(first, self.at), tuple(parts)

    def _part(self) -> str:
        if self.at >= len(self.tokens):
            _another()
        self.at += 1
        return str(self.tokens[self.at - 1].text)

    def inner(self) -> list[tuple[int, int]]:
        """What stands between parentheses, cut at the commas: from and up to which token."""
        first = self.at
        parts = [[first + 1, first + 1]]
        depth = 1
        while depth:
            self.at += 1
            if self.at == len(self.tokens):
                _another()
            kind = self.tokens[self.at].token_type
            depth += (kind in _OPENING) - (kind in _CLOSING)
            if depth == 1 and kind is TokenType.COMMA:
                parts.append([self.at + 1, self.at + 1])
            elif depth:
                parts[-1][1] = self.at + 1
        self.at += 1
        return [(start, end) for start, end in parts if end > start]

    def span(self, first: int, end: int) -> Span:
        return Span(self.tokens[first].start, self.tokens[end - 1].end + 1)

    def text(self, first: int, end: int) -> str:
        span = self.span(first, end)
        return self.sql[span.start : span.end]


def _another() -> NoReturn:
    raise _NotThis


def read_definition(sql: str) -> Definition | None:
    """The view or macro that a statement creates; None for every other statement.

    >>> definition = read_definition("CREATE VIEW mine AS FROM confluent.connect.connectors")
    >>> definition.kind.value, definition.parts, definition.query
    ('view', ('mine',), 'FROM confluent.connect.connectors')
    """
    words = [token for token in tokens(sql) if token.token_type is not TokenType.SEMICOLON]
    try:
        return _definition(_TokenReader(sql, words))
    except _NotThis:
        return None


def _definition(reader: _TokenReader) -> Definition:
    reader.needs("CREATE")
    if reader.takes("OR"):
        reader.needs("REPLACE")
    reader.takes("TEMP", "TEMPORARY")
    is_view = reader.needs("VIEW", "MACRO", "FUNCTION") == "VIEW"
    if reader.takes("IF"):
        reader.needs("NOT")
        reader.needs("EXISTS")
    name, parts = reader.name()
    columns, params = "", []
    if reader.word() == "(":
        first = reader.at
        inside = reader.inner()
        columns = reader.text(first, reader.at)
        params = [] if is_view else [_param(reader, *places) for places in inside]
    reader.needs("AS")
    kind = (
        DefinedKind.VIEW
        if is_view
        else DefinedKind.MACRO
        if reader.takes("TABLE")
        else DefinedKind.SCALAR
    )
    first = reader.at
    if first == len(reader.tokens):
        _another()
    if not is_view and reader.word() == "(":
        reader.inner()
        kind = DefinedKind.SEVERAL if reader.word() == "," else kind
    body = reader.span(first, len(reader.tokens))
    return Definition(
        kind, reader.sql, name, parts, columns if is_view else "", tuple(params), body
    )


def _param(reader: _TokenReader, first: int, end: int) -> MacroParam:
    """`x`, `x INTEGER`, `x := 'd'` or both."""
    marks = [i for i in range(first, end) if str(reader.tokens[i].text) in (":=", "=>")]
    mark = marks[0] if marks else end
    default = reader.text(mark + 1, end) if marks and mark + 1 < end else None
    kind = reader.text(first + 1, mark) if mark > first + 1 else ""
    return MacroParam(str(reader.tokens[first].text).lower(), kind, default)


def read_calls(sql: str, tree: exp.Expr) -> Iterator[MacroCall]:
    """The calls of functions in place of tables; those within others too."""
    starts = dict(_starts(tree))
    if not starts:
        return
    words = tokens(sql)
    for index, token in enumerate(words):
        if token.start in starts:
            reader = _TokenReader(sql, words)
            reader.at = index
            try:
                yield _call(reader, starts[token.start])
            except _NotThis:
                continue


def _starts(tree: exp.Expr) -> Iterator[tuple[int, bool]]:
    """Where the name of each such call begins, and whether the call has an alias."""
    for node in find_all(tree, exp.Table, exp.Lateral):
        if not isinstance(node.this, exp.Func):
            continue
        names = [node.args.get("catalog"), node.args.get("db"), node.this]
        start = next((name.meta.get("start") for name in names if name is not None), None)
        if start is not None:
            yield start, bool(node.args.get("alias"))


def _call(reader: _TokenReader, has_alias: bool) -> MacroCall:
    first = reader.at
    span, parts = reader.name()
    name = reader.text(reader.at - 1, reader.at)
    if reader.word() != "(":
        _another()
    arguments = []
    for start, end in reader.inner():
        reader_at, reader.at = reader.at, start
        named = end - start > 2 and reader.word(1) in (":=", "=>")
        key = str(reader.tokens[start].text).lower() if named else ""
        arguments.append(MacroArgument(key, reader.span(start + 2 if named else start, end)))
        reader.at = reader_at
    span = Span(span.start, reader.span(first, reader.at).end)
    return MacroCall(span, parts, name, tuple(arguments), has_alias)


# --- a macro's body with its arguments -----------------------------------------------------------


def parameter_texts(
    call: MacroCall, params: Sequence[MacroParam], texts: Sequence[str], sql: str
) -> dict[str, str]:
    """The text for each parameter of a macro. Raises BindError for what does not fit."""
    values: dict[str, str] = {}
    by_place = [param.name for param in params]
    for place, (argument, text) in enumerate(zip(call.arguments, texts, strict=True)):
        name = argument.name or (by_place[place] if place < len(by_place) else "")
        if not argument.name and any(argument.name for argument in call.arguments[:place]):
            raise _misfit(call, params, "an argument without a name follows one with a name", sql)
        if name not in by_place or name in values:
            what = f"no parameter {argument.name}" if argument.name else "fewer parameters"
            what = f"{name} only once" if name in values else what
            raise _misfit(call, params, f"it has {what}", sql)
        values[name] = text
    for param in params:
        value = values.get(param.name, param.default)
        if value is None:
            raise _misfit(call, params, f"it needs {param.name}", sql)
        values[param.name] = f"CAST({value} AS {param.type})" if param.type else _grouped(value)
    return values


def _misfit(call: MacroCall, params: Sequence[MacroParam], what: str, sql: str) -> BindError:
    shown = ", ".join(
        param.name + (f" := {param.default}" if param.default is not None else "")
        for param in params
    )
    return BindError(
        f"the call of macro {call.name} does not fit: {what}",
        sql=sql,
        span=call.span,
        hint=f"it is  {call.name}({shown})",
    )


def _grouped(text: str) -> str:
    """An argument where an operator may stand beside it."""
    is_simple = re.fullmatch(r"'[^']*'|\$?\w+|\w+(\.\w+)*|\[[^\[\]]*\]", text)
    return text if is_simple else f"({text})"


def with_arguments(body: str, values: Mapping[str, str]) -> str:
    """A macro's body with its parameters replaced, as DuckDB replaces them: name by name."""
    tree = parse(body).tree
    if tree is None or not values:
        return body
    edits = []
    for column in find_all(tree, exp.Column):
        name = column.name.lower()
        if len(column.parts) != 1 or name not in values or "start" not in column.this.meta:
            continue
        if not _is_bound_nearer(column, name):
            meta = column.this.meta
            start, text = meta["start"], values[name]
            if text.startswith("(") and _begins_list(body[:start], text):
                text = f"CASE WHEN true THEN {text} END"
            edits.append(Edit(Span(start, meta["end"] + 1), text))
    return SourceText(body).edited(edits).sql


def _begins_list(before: str, text: str) -> bool:
    """Whether what stands in parentheses here would be a list of values, or a query of many rows.

    To DuckDB a macro's argument is one value: `a IN p` asks whether that has `a` in it.
    """
    *_, last, opened = ("", "", *(token.text.upper() for token in tokens(before)))
    if opened != "(":
        return opened == "IN"
    inner = parse(f"SELECT {text}").tree
    is_query = isinstance(inner, exp.Select) and isinstance(
        inner.expressions[0].unnest(), (exp.Query, exp.Values)
    )
    return last in ("IN", "ANY", "ALL", "SOME") and is_query


def _is_bound_nearer(column: exp.Column, name: str) -> bool:
    """Whether it is the variable of `[x FOR x IN …]`, or a name in `* EXCLUDE (x)`."""
    below: exp.Expr = column
    above = column.parent
    while above is not None:
        if isinstance(above, exp.Comprehension) and below.arg_key != "iterator":
            variable = above.expression
            if variable is not None and variable.name.lower() == name:
                return True
        if isinstance(above, exp.Star) and below.arg_key in ("except_", "rename"):
            return True
        below, above = above, above.parent
    return False
