"""FROM clauses: joins of every kind, in brackets or not, and how they give parameters values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.oracle.expressions import is_fitting, value_from
from tests.oracle.pieces import Source, Writer
from tests.oracle.predicates import Columns
from tests.oracle.sources import mention, source

Want = tuple[Source, str, str]
"""A column that still needs values: its source, its qualified name and its type."""

_KINDS = (
    "JOIN", "JOIN", "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN",
    "FULL JOIN", "SEMI JOIN", "ANTI JOIN", ",", ",", "CROSS JOIN", "NATURAL JOIN",
    "NATURAL LEFT JOIN", "ASOF JOIN", "ASOF LEFT JOIN", "POSITIONAL JOIN", "LATERAL",
)  # fmt: skip
_FEEDS_RIGHT = frozenset({"JOIN", "INNER JOIN", "LEFT JOIN", "SEMI JOIN", "ANTI JOIN"})
_FEEDS_LEFT = frozenset({"JOIN", "INNER JOIN", "RIGHT JOIN", "SEMI JOIN"})


@dataclass(frozen=True, slots=True)
class From:
    """A FROM clause: what can be seen of it, and which of its columns still want values.

    `starless`: the pairing of its rows is left to chance, so that `*` is no fixed answer.
    `chain` is what ON can see: the part after the last comma.
    """

    clause: str
    scope: tuple[Source, ...]
    wants: tuple[Want, ...] = ()
    starless: bool = False
    chain: tuple[Source, ...] = ()

    @property
    def fields(self) -> Columns:
        """All columns that can be seen, qualified."""
        return tuple(one for source in self.scope for one in source.fields)

    @property
    def near(self) -> Columns:
        """The columns that ON can see."""
        return tuple(one for source in self.chain or self.scope for one in source.fields)


def joined(w: Writer, depth: int, count: int) -> From:
    """So many sources, joined."""
    found = _part(w, depth)
    for _ in range(count - 1):
        kind = w.pick(*_KINDS)
        if kind == "LATERAL":
            found = _lateral(w, depth, found)
        elif kind.startswith("ASOF"):
            found = _asof(w, found, kind)
        elif kind.startswith("POSITIONAL"):
            found = _positional(w, depth, found)
        elif kind in (",", "CROSS JOIN"):
            found = _crossed(w, depth, found, kind)
        else:
            found = _conditional(w, depth, found, kind)
    return found


def _part(w: Writer, depth: int, *, closed: bool = False) -> From:
    """One side of a join: a source, or a join in brackets."""
    if depth > 0 and w.left > 1 and w.maybe(0.1):
        inside = _conditional(w, 0, _part(w, 0, closed=closed), w.pick("JOIN", "LEFT JOIN"))
        if not (closed and inside.wants):
            return replace(inside, clause=f"({inside.clause})")
    one = source(w, depth, closed=closed)
    types = dict(one.columns)
    wants = tuple((one, f"{one.name}.{want}", types[want]) for want in one.wants)
    return From(one.sql, (one,), wants)


def _merged(left: From, right: From, clause: str, wants: Sequence[Want]) -> From:
    scope = (*left.scope, *right.scope)
    chain = (*(left.chain or left.scope), *right.scope)
    return From(clause, scope, tuple(wants), left.starless or right.starless, chain)


def _crossed(w: Writer, depth: int, left: From, kind: str) -> From:
    right = _part(w, depth)
    clause = f"{left.clause}{'' if kind == ',' else ' '}{kind} {right.clause}"
    found = _merged(left, right, clause, (*left.wants, *right.wants))
    return replace(found, chain=right.scope) if kind == "," else found


def _conditional(w: Writer, depth: int, left: From, kind: str) -> From:
    """A join with ON, USING or NATURAL."""
    is_natural = kind.startswith("NATURAL")
    right = _part(w, depth, closed=is_natural)
    common = _common(left, right)
    if is_natural and (w.hidden or not common or _is_ambiguous(left, right)):
        kind = kind.removeprefix("NATURAL ")
    elif is_natural:
        clause = f"{left.clause} {kind} {right.clause}"
        return _merged(left, right, clause, (*left.wants, *right.wants))
    if common and w.maybe(0.25):
        names = w.some(common, 1, 2)
        clause = f"{left.clause} {kind} {right.clause} USING ({', '.join(names)})"
        wants = [*left.wants, *(one for one in right.wants if one[1].split(".")[-1] not in names)]
    else:
        on, wants = _on(w, left, right, kind)
        clause = f"{left.clause} {kind} {right.clause} ON {on}"
    if kind in ("SEMI JOIN", "ANTI JOIN"):
        wants = [one for one in wants if one in left.wants]
        return replace(left, clause=clause, wants=tuple(wants))
    return _merged(left, right, clause, wants)


def _common(left: From, right: From) -> list[str]:
    """Columns that both sides have once, of one type."""
    ours = [one for source in left.chain or left.scope for one in source.columns]
    theirs = [one for source in right.scope for one in source.columns]
    names, others = [name for name, _ in ours], [name for name, _ in theirs]
    return [
        name
        for name, of in ours
        if names.count(name) == 1 and others.count(name) == 1 and (name, of) in theirs
    ]


def _is_ambiguous(left: From, right: From) -> bool:
    """Whether NATURAL would meet a name that stands for two columns, or for two types."""
    ours = [one for source in left.chain or left.scope for one in source.columns]
    theirs = [one for source in right.scope for one in source.columns]
    shared = {name for name, _ in ours} & {name for name, _ in theirs}
    return shared != set(_common(left, right))


def _on(w: Writer, left: From, right: From, kind: str) -> tuple[str, list[Want]]:
    """An ON clause, and what still wants values after it."""
    bound: list[tuple[str, str]] = []
    pending: list[Want] = []
    for want in right.wants:
        value = value_from(w, left.near, want[2]) if w.maybe(0.6) else ""
        if value and kind in _FEEDS_RIGHT:
            bound.append((want[1], value))
        else:
            pending.append(want)
    for want in left.wants:
        is_near = want[0] in (left.chain or left.scope)
        value = value_from(w, right.fields, want[2]) if w.maybe(0.4) and is_near else ""
        if value and kind in _FEEDS_LEFT and not right.wants:
            bound.append((want[1], value))
        else:
            pending.append(want)
    parts = _equalities(w, bound) if w.maybe(0.85) else _one_of_several(w, left, right, bound)
    both = (*left.near, *right.fields)
    if not parts or w.maybe(0.3):
        parts += _pairs(w, left, right)
    if kind in ("SEMI JOIN", "ANTI JOIN"):
        parts += [w.predicates.binding(f, of) for s, f, of in pending if s in right.scope]
    if not parts or w.maybe(0.3):
        parts.append(w.predicates.any(both, depth=1))
    w.chance.shuffle(parts)
    return " AND ".join(parts), pending


def _equalities(w: Writer, bound: list[tuple[str, str]]) -> list[str]:
    """The equalities one by one, or as tuples."""
    if len(bound) > 1 and w.maybe(0.4):
        ours, theirs = zip(*bound, strict=True)
        return [f"({', '.join(ours)}) = ({', '.join(theirs)})"]
    return [" = ".join(w.some(pair, 2)) for pair in bound]


def _one_of_several(w: Writer, left: From, right: From, bound: list[tuple[str, str]]) -> list[str]:
    """Columns that equal a value of the other side or something else: a constant, a list."""
    types = dict((*left.near, *right.fields))
    return [_one_of(w, column, value, types[column]) for column, value in bound]


def _one_of(w: Writer, column: str, value: str, of: str) -> str:
    constant = w.constants.plain(of)
    form = w.pick(
        "({0} = {1} OR {0} = {2})", "({0} = {2} OR {0} = {1})", "{0} IN ({1}, {2})",
        "list_contains([{1}, {2}], {0})", "{0} = ANY([{1}, {2}])", "{0} IN [{1}]",
        "({0} = ANY([{1}]) OR {0} = {2})", "({0} = {1} OR {0} IN (SELECT {2}))",
        "({0} = {1} OR {0} >= {2})",
    )  # fmt: skip
    return form.format(column, value, constant)


def _pairs(w: Writer, left: From, right: From) -> list[str]:
    """Equalities between columns of both sides, of parents and children more often than not."""
    links = [
        (a, b)
        for a, x in left.near
        for b, y in right.fields
        if x == y and _is_related(a.split(".")[-1], b.split(".")[-1])
    ]
    anyhow = [(a, b) for a, x in left.near for b, y in right.fields if is_fitting(x, y)]
    options = links if links and w.maybe(0.75) else anyhow
    return _equalities(w, w.some(options, 1, 1, 2)) if options else []


_RELATED = ({"g", "grp"}, {"sub", "part"}, {"toy", "name"}, {"x", "grp"}, {"k", "code"})


def _is_related(one: str, other: str) -> bool:
    return one == other or {one, other} in _RELATED


def _lateral(w: Writer, depth: int, left: From) -> From:
    form = w.pick(", {}", " CROSS JOIN {}", " LEFT JOIN {} ON true", " JOIN {} ON true")
    outer = left.fields if form.startswith(",") else left.near
    made = w.select(w, max(0, depth - 1), outer=outer)
    name = w.name("l")
    one = Source(f"LATERAL ({made.sql}) AS {name}", name, made.columns)
    found = _merged(left, From(one.sql, (one,)), left.clause + form.format(one.sql), left.wants)
    return replace(found, chain=(one,)) if form.startswith(",") else found


def _positional(w: Writer, depth: int, left: From) -> From:
    """By position: only one side is spoken of, as nothing says which rows meet."""
    if left.wants:
        return _conditional(w, depth, left, "LEFT JOIN")
    right = _part(w, depth, closed=True)
    clause = f"{left.clause} POSITIONAL JOIN {right.clause}"
    seen = w.pick(left, right)
    return From(clause, seen.scope, (), starless=True)


def _asof(w: Writer, left: From, kind: str) -> From:
    """An ASOF join whose right side has no ties."""
    texts = [name for name, of in left.near if of == "VARCHAR"]
    numbers = [name for name, of in left.near if is_fitting(of, "INTEGER")]
    if not texts:
        return left
    name = w.name("r")
    if numbers and w.maybe(0.5):
        inner = mention(w, "codes", closed=True)
        equal, nearest, columns = "lang", "code", (("lang", "VARCHAR"), ("code", "INTEGER"))
    else:
        inner = mention(w, "subs", closed=True)
        equal, nearest, columns = "grp", "sub", (("grp", "VARCHAR"), ("sub", "VARCHAR"))
    if inner.name.count(".") or {equal, nearest} - dict(inner.columns).keys():
        return left
    listed = f"{inner.name}.{equal}, {inner.name}.{nearest}"
    one = f"(SELECT {listed} FROM {inner.sql} GROUP BY ALL) AS {name}"
    reach = w.pick(*(numbers if nearest == "code" else texts))
    on = [f"{w.pick(*texts)} = {name}.{equal}", f"{reach} {w.pick('>=', '>')} {name}.{nearest}"]
    right = From(one, (Source(one, name, columns),))
    return _merged(left, right, f"{left.clause} {kind} {one} ON {' AND '.join(on)}", left.wants)
