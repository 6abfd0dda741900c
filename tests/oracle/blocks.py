"""One SELECT: its sources, its WHERE, and how what it leaves open is given values."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.expressions import is_fitting, value_from
from tests.oracle.heads import Head, head, typed_head
from tests.oracle.joins import From, Want, joined
from tests.oracle.pieces import Made, Writer
from tests.oracle.predicates import Columns
from tests.oracle.subqueries import conjunct

_COMMENTS = ("", "", "", "", " /* é 日本 */", " -- it's zoo.w.items\n")
_VOLATILE = ("random() < 2", "random() >= 0", "uuid() IS NOT NULL", "random() < 0")


def block(
    w: Writer, depth: int, *, outer: Columns = (), is_open: bool = False,
    types: Sequence[str] = (), by_name: bool = False,
) -> Made:  # fmt: skip
    """A SELECT over one to four sources.

    `outer` are columns of blocks around it. `is_open` lets columns that want values be left to
    whoever reads it. `types` are those of its columns, when that matters; `by_name` as in
    `typed_head`.
    """
    found = joined(w, depth, w.pick(1, 1, 2) if outer else w.pick(1, 1, 2, 2, 2, 3, 4))
    conjuncts, exposed = bound(w, found, depth, outer, is_open=is_open)
    if types:
        exposed = _only_first(w, exposed, types[0], conjuncts)
    if outer and w.maybe(0.7):
        conjuncts += _correlation(w, found, outer)
    if w.maybe(0.45):
        conjuncts.append(w.predicates.any(_spelt(w, found), depth=w.pick(0, 1, 2)))
    if depth > 0 and w.left > 0 and w.maybe(0.18):
        conjuncts += conjunct(w, depth - 1, found.fields)
    if w.maybe(0.02):
        conjuncts.append(w.pick(*_VOLATILE))
    w.chance.shuffle(conjuncts)
    where = f" WHERE {' AND '.join(conjuncts)}" if conjuncts else ""
    top = (
        typed_head(w, found, types, exposed, by_name=by_name)
        if types
        else head(w, found, exposed, depth, is_inner=bool(outer))
    )
    return Made(_written(w, top, f"FROM {found.clause}{where}"), top.columns, top.wants)


def _written(w: Writer, top: Head, body: str) -> str:
    if top.listed == "*" and not top.tail and w.maybe(0.3):
        return body
    return f"SELECT {top.listed}{w.pick(*_COMMENTS)} {body}{top.tail}"


def bound(
    w: Writer, found: From, depth: int, outer: Columns, *, is_open: bool
) -> tuple[list[str], list[Want]]:
    """Conjuncts that give values to what wants them, and what is left to the reader."""
    conjuncts: list[str] = []
    exposed: list[Want] = []
    for want in found.wants:
        if is_open and w.maybe(0.6):
            exposed.append(want)
        elif not w.maybe(0.02):
            conjuncts += _values(w, found, want, depth, outer)
    conjuncts += _parents(w, found)
    return conjuncts, exposed


def _values(w: Writer, found: From, want: Want, depth: int, outer: Columns) -> list[str]:
    """A conjunct that gives a column its values."""
    source, column, of = want
    dice = w.chance.random()
    if dice < 0.45:
        waiting = {id(one) for one, _, _ in found.wants}
        others = [one for one in found.scope if one is not source and id(one) not in waiting]
        fields = (*outer, *(one for other in others for one in other.fields))
        value = value_from(w, fields, of)
        if value:
            return [" = ".join(w.some((column, value), 2))]
    if dice > 0.9 and depth > 0 and w.left > 0:
        made = w.select(w, 0, types=(of,))
        return [f"{column} IN ({made.sql})"]
    return [w.predicates.binding(column, of)]


def _parents(w: Writer, found: From) -> list[str]:
    """Values for parameters that have parents too, now and then: they prune the walk."""
    given: list[str] = []
    for source in found.scope:
        columns = dict(source.columns)
        for name in ("grp", "part", "name", "toy", "g"):
            if source.table and columns.get(name) == "VARCHAR" and w.maybe(0.15):
                given.append(w.predicates.binding(f"{source.name}.{name}", "VARCHAR"))
        if columns.get("grp") == columns.get("part") == "VARCHAR" and w.maybe(0.06):
            given.append(w.predicates.tuple_binding(source.name))
        if w.hidden and source.table and w.maybe(0.2):
            given.append(f"{source.name}._connection {w.pick(*_CONNECTIONS)}")
    return given


_CONNECTIONS = ("= 'conn_a'", "= 'conn_b'", "IN ('conn_b', 'zz')", "<> 'conn_a'", "= 'Conn_a'")


def _only_first(w: Writer, exposed: Sequence[Want], of: str, conjuncts: list[str]) -> list[Want]:
    """Of what is left open, one that can be the first column; the others get constants."""
    first = next((one for one in exposed if is_fitting(one[2], of)), None)
    conjuncts += [w.predicates.binding(one[1], one[2]) for one in exposed if one is not first]
    return [first] if first else []


def _correlation(w: Writer, found: From, outer: Columns) -> list[str]:
    pairs = [(a, b) for a, x in found.fields for b, y in outer if is_fitting(x, y)]
    return [" = ".join(w.some(pair, 2)) for pair in w.some(pairs, 1, 1, 2)]


def _spelt(w: Writer, found: From) -> Columns:
    """Columns as they may be written: qualified, or bare where one source has the name."""
    names = [name for source in found.scope for name, _ in source.columns]
    spelt = []
    for source in found.scope:
        for name, of in source.columns:
            is_bare = names.count(name) == 1 and w.maybe(0.25) and "JOIN" not in found.clause
            spelt.append((name if is_bare else f"{source.name}.{name}", of))
    return tuple(spelt)
