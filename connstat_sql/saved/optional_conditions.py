"""Which stretch of the SQL an absent parameter takes with it.

It is the smallest condition between ANDs of a WHERE, HAVING, QUALIFY or ON that mentions it, and
TRUE stands in its place, in the user's own text. The stretch is found among the tokens, and then
proved: the edited text must read as the original's tree with exactly that condition replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.errors import Span
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.source_map import SourceMap, rewritten
from connstat_sql.sql.statement import dialect_of

_CLAUSES = {TokenType.WHERE, TokenType.HAVING, TokenType.QUALIFY, TokenType.ON}
_ENDS = _CLAUSES | {
    TokenType.SELECT, TokenType.FROM, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.LIMIT,
    TokenType.OFFSET, TokenType.WINDOW, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT,
    TokenType.JOIN, TokenType.LEFT, TokenType.RIGHT, TokenType.FULL, TokenType.INNER,
    TokenType.CROSS, TokenType.NATURAL, TokenType.ASOF, TokenType.SEMI, TokenType.ANTI,
    TokenType.POSITIONAL, TokenType.SEMICOLON, TokenType.COMMA, TokenType.WITH,
    TokenType.TABLE_SAMPLE, TokenType.USING, TokenType.FETCH, TokenType.RETURNING,
    TokenType.PIVOT, TokenType.UNPIVOT, TokenType.LATERAL,
}  # fmt: skip
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_CHANGES = (exp.Update, exp.Delete, exp.Merge)
_COMMANDS = {TokenType.COMMAND, TokenType.EXECUTE, TokenType.RENAME, TokenType.FETCH}
_COMMAND = re.compile(r"EXPLAIN\s+ANALYZE\b|\w+", re.IGNORECASE)
_MARK = "_mention_"
TRUE = "TRUE"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a parameter cannot be left out: `place` is where it stands, `hint` what to do."""

    name: str
    place: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Mention:
    """One `$name` in the SQL."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class TokenText:
    """SQL as tokens; a `$` and its name are one token here, of the type PARAMETER.

    `plain` is the SQL with spaces for words that keep the parser from reading on, as EXPLAIN does.
    `is_read` is false when it cannot be cut into tokens; then there are none.
    """

    sql: str
    plain: str
    tokens: tuple[Token, ...]
    mentions: tuple[Mention, ...]
    is_read: bool = True

    @property
    def question_mark(self) -> int | None:
        """Where a parameter without a name stands; None when there is none."""
        marks = (one for one in self.tokens if one.token_type is TokenType.PLACEHOLDER)
        return next((one.start for one in marks), None)

    @property
    def is_empty(self) -> bool:
        """Whether there is no statement in it."""
        return self.is_read and all(one.token_type is TokenType.SEMICOLON for one in self.tokens)


@lru_cache(maxsize=1000)
def read_text(sql: str) -> TokenText:
    """The tokens of some SQL, and its parameters; not those in strings and comments."""
    try:
        plain, found = _tokens(sql)
    except SqlglotError:
        return TokenText(sql, sql, (), (), is_read=False)
    tokens: list[Token] = []
    mentions: list[Mention] = []
    for token in found:
        before = tokens[-1] if tokens else None
        is_name = before is not None and before.token_type is TokenType.PARAMETER
        if is_name and before is not None and before.end + 1 == token.start and before.text == "$":
            mentions.append(Mention(token.text, Span(before.start, token.end + 1)))
            tokens[-1] = _joined(before, token)
        else:
            tokens.append(token)
    return TokenText(sql, plain, tuple(tokens), tuple(mentions))


def _tokens(sql: str) -> tuple[str, list[Token]]:
    """The tokens of some SQL; what stands behind a command's word would be one, as a string."""
    while True:
        found: list[Token] = sqlglot.tokenize(sql, read=dialect_of(sql))
        hidden = [one for one, then in pairwise(found) if _hides(one, then)]
        if not hidden:
            return sql, found
        for word in hidden:
            match = _COMMAND.match(sql, word.start)
            end = match.end() if match else word.end + 1
            sql = f"{sql[: word.start]}{' ' * (end - word.start)}{sql[end:]}"


def _hides(word: Token, then: Token) -> bool:
    return word.token_type in _COMMANDS and then.token_type is TokenType.STRING


def _joined(mark: Token, name: Token) -> Token:
    return Token(TokenType.PARAMETER, f"${name.text}", start=mark.start, end=name.end)


@dataclass(frozen=True, slots=True)
class Removal:
    """The SQL with TRUE in place of `spans`; or why that is not to be, and then it is as it was.

    Each span comes with the name of its parameter. `origin` leads places back to the SQL as it was
    (None: they are the same).
    """

    sql: str
    spans: tuple[tuple[str, Span], ...]
    refusals: tuple[Refusal, ...] = ()
    origin: SourceMap | None = None


@lru_cache(maxsize=1000)
def remove(sql: str, names: tuple[str, ...]) -> Removal:
    """The SQL without the conditions of these parameters, or why it cannot be made."""
    if not names:
        return Removal(sql, ())
    text, wanted = read_text(sql), frozenset(name.lower() for name in names)
    for is_careful in (False, True):
        found = _Marked(text).remove(wanted, is_careful=is_careful)
        if found is not None:
            return found
    if len(names) == 1:
        first = next(one for one in text.mentions if one.name.lower() in wanted)
        refusal = _refusal(first, "stands where its condition cannot be told")
        return Removal(sql, (), (refusal,))
    refusals = [one for name in names for one in remove(sql, (name,)).refusals]
    return Removal(sql, (), tuple(refusals))


class _Marked:
    """A text whose mentions are told apart by names of their own, and its trees."""

    def __init__(self, text: TokenText) -> None:
        self._text = text
        edits = {one.span: f"${_MARK}{place}" for place, one in enumerate(text.mentions)}
        self._sql = rewritten(text.plain, edits)[0]
        self._tokens = read_text(self._sql).tokens
        self._inside = _insides(self._tokens)
        self._trees = _trees(self._sql)
        self._nodes = {
            str(node.this): node for tree in self._trees or () for node in _placeholders(tree)
        }
        self._places = {
            token.text: place
            for place, token in enumerate(self._tokens)
            if token.token_type is TokenType.PARAMETER
        }

    def remove(self, names: Set[str], *, is_careful: bool) -> Removal | None:
        """The SQL without the conditions of parameters; None where it cannot be proved.

        Without care the smallest stretches are taken, which are the right ones mostly; with care
        those that read as their conditions do.
        """
        conditions: dict[int, exp.Expr] = {}
        stretches: dict[tuple[int, int], str] = {}
        refusals: dict[str, Refusal] = {}
        for number, mention in enumerate(self._text.mentions):
            if mention.name.lower() not in names or mention.name in refusals:
                continue
            condition = self._condition(number, mention)
            if isinstance(condition, Refusal):
                refusals[mention.name] = condition
                continue
            stretch = self._stretch(number, condition if is_careful else None)
            if stretch is None:
                return None
            conditions[id(condition)] = condition
            stretches[stretch] = mention.name
        if refusals:
            return Removal(self._text.sql, (), tuple(refusals.values()))
        return self._proved(list(conditions.values()), _outermost(stretches))

    def _proved(
        self, conditions: list[exp.Expr], stretches: dict[tuple[int, int], str]
    ) -> Removal | None:
        """The removal, when the edited text reads as the trees without the conditions."""
        edited = _edited(self._sql, self._tokens, stretches)[0]
        for condition in conditions:
            condition.replace(exp.Boolean(this=True))
        if _trees(edited) != self._trees:
            return None
        sql, origin, spans = _edited(self._text.sql, self._text.tokens, stretches)
        return Removal(sql, tuple(zip(stretches.values(), spans, strict=True)), origin=origin)

    def _condition(self, number: int, mention: Mention) -> exp.Expr | Refusal:
        node = self._nodes.get(f"{_MARK}{number}")
        if self._trees is None or node is None:
            return _refusal(mention, "stands in SQL whose conditions cannot be told apart")
        condition = _condition_around(node)
        if condition is None:
            return _refusal(mention, "stands in no condition of a WHERE, HAVING, QUALIFY or ON")
        if condition.find_ancestor(*_CHANGES) is not None:
            return _refusal(mention, "would without a value change every row of a table")
        if isinstance(condition, exp.Or):
            hint = "put parentheses around all that goes without it"
            return _refusal(mention, "stands in an OR that is not in parentheses", hint)
        return self._shared(condition, mention) or condition

    def _shared(self, condition: exp.Expr, mention: Mention) -> Refusal | None:
        for node in _placeholders(condition):
            number = str(node.this).removeprefix(_MARK)
            other = self._text.mentions[int(number)].name if number.isdigit() else str(node.this)
            if other.lower() != mention.name.lower():
                why = f"shares a condition with ${other}, which would go with it"
                hint = f"give each its own, with AND between them, or {mention.name} a default"
                return _refusal(mention, why, hint)
        return None

    def _stretch(self, number: int, condition: exp.Expr | None) -> tuple[int, int] | None:
        """The first and the last token of a condition; of None: as it seems."""
        found = _stretches(self._tokens, self._inside, self._places[f"${_MARK}{number}"])
        for first, last in found:
            if condition is None:
                return first, last
            written = self._sql[self._tokens[first].start : self._tokens[last].end + 1]
            trees = _trees(f"SELECT 1 WHERE {written}")
            where = trees[0].args.get("where") if trees and len(trees) == 1 else None
            if where is not None and where.this == condition:
                return first, last
        return None


def _refusal(mention: Mention, why: str, hint: str = "") -> Refusal:
    hint = hint or f"give {mention.name} a default, or say  required: true"
    message = f"${mention.name} is optional, and {why}"
    return Refusal(mention.name, mention.span.start, message, hint)


def _outermost(stretches: Mapping[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """The stretches that lie in no other, in order; the others go with those around them."""
    return {
        one: stretches[one]
        for one in sorted(stretches)
        if not any(
            other != one and other[0] <= one[0] and one[1] <= other[1] for other in stretches
        )
    }


def _edited(
    sql: str, tokens: Sequence[Token], stretches: Iterable[tuple[int, int]]
) -> tuple[str, SourceMap, list[Span]]:
    spans = [Span(tokens[first].start, tokens[last].end + 1) for first, last in stretches]
    return *rewritten(sql, dict.fromkeys(spans, TRUE)), spans


# --- trees -------------------------------------------------------------------------------------


def _trees(sql: str) -> list[exp.Expr] | None:
    try:
        found = [tree for tree in sqlglot.parse(sql, read=dialect_of(sql)) if tree is not None]
    except (SqlglotError, RecursionError, ValueError):
        return None
    return found


def _placeholders(tree: exp.Expr) -> Iterator[exp.Expr]:
    yield from find_all(tree, exp.Placeholder, exp.Parameter)


def _condition_around(node: exp.Expr) -> exp.Expr | None:
    """The smallest condition between ANDs that holds a node; None when it is in no clause."""
    path = [node]
    while (parent := path[-1].parent) is not None:
        if _is_clause(parent, path[-1]):
            return _smallest(path)
        path.append(parent)
    return None


def _is_clause(parent: exp.Expr, child: exp.Expr) -> bool:
    if isinstance(parent, (exp.Where, exp.Having, exp.Qualify)):
        return parent.this is child
    return isinstance(parent, exp.Join) and parent.args.get("on") is child


def _smallest(path: list[exp.Expr]) -> exp.Expr:
    """Of the nodes from a mention up to its clause, the condition that goes."""
    found = path[-1]
    for node in reversed(path):
        if isinstance(node.parent, exp.And) or node is path[-1]:
            found = node
        if not isinstance(node, (exp.And, exp.Paren)):
            break
    return found


# --- tokens ------------------------------------------------------------------------------------


def _stretches(
    tokens: Sequence[Token], inside: Mapping[int, tuple[int, int]], place: int
) -> Iterator[tuple[int, int]]:
    """Stretches around a token that may be one condition, from the smallest to the largest.

    Each begins behind an AND, a clause's word or an opening bracket, and ends before something
    that may follow a condition.
    """
    while place >= 0:
        first, last = inside[place]
        begin, ends = _edges(tokens, inside, place, first, last)
        for end in ends:
            yield begin, end
        place = first - 1


def _insides(tokens: Sequence[Token]) -> Mapping[int, tuple[int, int]]:
    """For each token the first and the last of those in the same innermost brackets."""
    found: dict[int, tuple[int, int]] = {}
    open_: list[list[int]] = [[]]
    starts = [0]
    for place, token in enumerate(tokens):
        if token.token_type in _CLOSING and len(open_) > 1:
            members = open_.pop()
            start = starts.pop()
            found.update((one, (start, place - 1)) for one in members)
        open_[-1].append(place)
        if token.token_type in _OPENING:
            open_.append([])
            starts.append(place + 1)
    while open_:
        members, start = open_.pop(), starts.pop()
        found.update((one, (start, len(tokens) - 1)) for one in members)
    return found


def _edges(
    tokens: Sequence[Token],
    inside: Mapping[int, tuple[int, int]],
    place: int,
    first: int,
    last: int,
) -> tuple[int, list[int]]:
    """Where a condition around a token begins, and where it may end, in the same brackets."""
    begin, ends, is_between = first, list[int](), False
    for one in range(first, last + 1):
        kind = tokens[one].token_type
        if inside[one] != (first, last) or one == place:
            continue
        if kind is TokenType.BETWEEN:
            is_between = True
            continue
        is_and = kind is TokenType.AND and not is_between
        if kind is TokenType.AND:
            is_between = False
        if one < place and (is_and or kind in _CLAUSES):
            begin = one + 1
        elif one > place and (is_and or kind in _ENDS):
            ends.append(one - 1)
            if is_and:
                return begin, ends
    return begin, [*ends, last]
