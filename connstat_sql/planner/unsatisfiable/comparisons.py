"""What a statement compares with what: pairs that are to be equal, and tests of one text.

Only expressions of one column and constants count, made of what is the same each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.database.source_map import Edit
from connstat_sql.definitions.quoting import literal
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.nodes import children, find_all, walk

VALUE = "v"
"""The column of the values that are tried."""
_EQUALITIES = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_TESTS = (
    exp.Like, exp.ILike, exp.Glob, exp.SimilarTo, exp.RegexpLike, exp.RegexpILike,
    exp.RegexpFullMatch, exp.StartsWith, exp.EndsWith, exp.Contains,
)  # fmt: skip
_NAMED_TESTS = frozenset({"prefix", "suffix"})
_PLAIN = (
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Paren, exp.Placeholder, exp.Parameter,
    exp.Dot, exp.Bracket, exp.StructExtract, exp.Explode, exp.Lower, exp.Upper, exp.Trim, exp.Cast,
    exp.DataType, exp.DataTypeParam, exp.Coalesce, exp.Concat, exp.DPipe, exp.Left, exp.Right,
    exp.Replace, exp.Substring, exp.Reverse, exp.Collate, exp.Var, exp.Escape,
)  # fmt: skip
_PLAIN_NAMES = frozenset({"ltrim", "rtrim", "nfc_normalize", "strip_accents"})
_BRANCHES = re.compile(r"[\w ^$.-]+(?:\|[\w ^$.-]+)+")
"""A pattern of some texts, one or the other."""


@dataclass(frozen=True, slots=True)
class Equality:
    """Two expressions that are to be equal; with `is_wanted`, rows of which they are."""

    left: exp.Expr
    right: exp.Expr
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A predicate on one text: LIKE, a regular expression, `starts_with` and their kin."""

    node: exp.Expr


def equalities(tree: exp.Expr) -> Iterator[Equality]:
    """Each pair of expressions that a statement compares, both ways round."""
    for node in find_all(tree, *_EQUALITIES, exp.In, exp.ArrayContains, exp.Case):
        is_wanted = not isinstance(node, (exp.NEQ, exp.NullSafeNEQ)) and not node.find_ancestor(
            exp.Not
        )
        if isinstance(node, exp.In):
            pairs = [(node.this, option) for option in node.expressions]
            pairs += [(right, left) for left, right in pairs]
        elif isinstance(node, exp.ArrayContains):
            pairs = [(node.expression, node.this)]
        elif isinstance(node, exp.Case):
            pairs = [(node.this, branch.this) for branch in node.args["ifs"]] if node.this else []
        else:
            pairs = [(node.this, node.expression), (node.expression, node.this)]
        for left, right in pairs:
            yield from _paired(left, right, is_wanted)


def _paired(left: exp.Expr, right: exp.Expr, is_wanted: bool) -> Iterator[Equality]:
    left, right = left.unnest(), right.unnest()
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        if len(left.expressions) == len(right.expressions):
            for part, other in zip(left.expressions, right.expressions, strict=True):
                yield from _paired(part, other, is_wanted)
        return
    if isinstance(right, (exp.Any, exp.Array, exp.Tuple)):
        inner = [right.this] if isinstance(right, exp.Any) else right.expressions
        for option in inner:
            yield from _paired(left, option, is_wanted)
        return
    yield Equality(left, right, is_wanted)


def matches(tree: exp.Expr) -> Iterator[Match]:
    """Each predicate that a text may fit."""
    for node in find_all(tree, *_TESTS, exp.Anonymous):
        if isinstance(node, exp.Anonymous) and node.name.lower() not in _NAMED_TESTS:
            continue
        is_escaped = isinstance(node.parent, exp.Escape) and node.parent.this is node
        yield Match(node.parent if is_escaped and node.parent else node)


def subject_of(node: exp.Expr) -> exp.Expr | None:
    """The one column, or field of one, in an expression that has the same value each time."""
    subjects: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if is_subject(part):
            subjects.append(part)
        elif isinstance(part, (*_PLAIN, *_TESTS)) or (
            isinstance(part, exp.Anonymous) and part.name.lower() in _PLAIN_NAMES | _NAMED_TESTS
        ):
            waiting += children(part)
        else:
            return None
    return subjects[0] if len(subjects) == 1 else None


def is_subject(node: exp.Expr) -> bool:
    """Whether a node is a column, or a field of one."""
    while isinstance(node, (exp.Dot, exp.Bracket, exp.StructExtract, exp.Paren, exp.Explode)):
        if isinstance(node, exp.Dot) and not isinstance(node.expression, exp.Identifier):
            return False
        if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier):
            return True
        if isinstance(node, exp.Bracket) and isinstance(node.this, exp.Identifier):
            return True
        node = node.this
    return isinstance(node, exp.Column)


def is_constant(node: exp.Expr) -> bool:
    """Whether an expression has no column in it, and the same value each time."""
    return all(isinstance(part, _PLAIN) and not isinstance(part, exp.Column) for part in walk(node))


def tried(node: exp.Expr, subject: exp.Expr, *edits: Edit) -> str | None:
    """The text of an expression with a value in the place of its column."""
    whole, place = excerpt_of(node), excerpt_of(subject)
    if whole is None or place is None:
        return None
    return whole.edited([Edit(place.span, VALUE), *edits])


def pattern_of(match: Match) -> exp.Expr:
    """What the text is to be like."""
    node = match.node.this if isinstance(match.node, exp.Escape) else match.node
    pattern: exp.Expr = node.expressions[-1] if isinstance(node, exp.Anonymous) else node.expression
    return pattern


def ways_of(match: Match, subject: exp.Expr) -> Iterator[tuple[str, str]]:
    """SQL that a value has to fit, of a pattern with branches for each; with the branch, or ""."""
    node = match.node.this if isinstance(match.node, exp.Escape) else match.node
    pattern = pattern_of(match)
    place = excerpt_of(pattern)
    branches = [""]
    if isinstance(node, (exp.RegexpLike, exp.RegexpFullMatch)) and isinstance(pattern, exp.Literal):
        text = str(pattern.this)
        branches = text.split("|") if place and _BRANCHES.fullmatch(text) else branches
    for branch in branches:
        edits = [Edit(place.span, literal(branch))] if place is not None and branch else []
        sql = tried(match.node, subject, *edits)
        if sql is not None:
            yield (f"NOT ({sql})" if node.args.get("negate") else sql), branch
