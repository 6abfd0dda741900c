"""Comparisons of masked values: what of them was not compared, as notes.

A predicate over a masked column is evaluated on what can be seen, so that "no row" may mean that
the secret was not looked at. Names are followed through aliases, not scopes: a note too many is
no harm, and there is one only where a value that was compared holds a mask.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from sqlglot import exp

from connstat_sql.database.session import Session
from connstat_sql.definitions.model import VARCHAR, MapOf, Redaction, SqlType, literal, quote
from connstat_sql.definitions.quoting import call
from connstat_sql.errors import counted
from connstat_sql.planner import Plan, scan_table
from connstat_sql.sql.nodes import children, find, find_all, walk

_MASK = r"\*{4}[0-9a-f]{8}"
_KINDS = (Redaction.KEYS, Redaction.VALUE)
_COMPARING = (
    exp.Predicate, exp.RegexpLike, exp.RegexpILike, exp.Contains, exp.StartsWith, exp.EndsWith,
    exp.StrPosition, exp.ArrayContains, exp.RegexpFullMatch,
)  # fmt: skip
_NAMED = frozenset({
    "contains", "prefix", "suffix", "ends_with", "regexp_full_match", "list_contains", "array_has",
    "list_has", "position", "instr", "list_has_any", "list_has_all", "list_position",
})  # fmt: skip
_OF_KEYS = frozenset({"mapkeys", "cardinality", "mapcontains", "len", "length", "count"})
Key = str | None
"""The key of a MAP whose value is compared; None: any of them, or there is none."""


def unseen(plan: Plan, session: Session) -> tuple[str, ...]:
    """Notes on what a statement that has just run compared without seeing it."""
    tree = plan.query.statement.tree
    columns = set(_columns(plan))
    if tree is None or not columns:
        return ()
    names = {name.lower() for _, _, name, _ in columns}
    compared = _compared(tree, names)
    notes: dict[str, int] = {}
    for scan, table, name, of in sorted(columns, key=str):
        for word, key in sorted(compared, key=str):
            if word == name.lower() or word not in names:
                place = f"{table}.{name}" + ("" if key is None else f" ({key})")
                notes[place] = max(notes.get(place, 0), _count(session, scan, name, of, key))
    return tuple(
        f"{place} is masked in {counted(count, 'row')}: only what can be seen of it was compared, "
        "not the secrets"
        for place, count in notes.items()
        if count
    )


def _columns(plan: Plan) -> Iterator[tuple[str, str, str, SqlType]]:
    """Masked columns that the statement uses: scan, table, name and type."""
    for placement in plan.placements:
        for column in placement.table.live.resource.columns:
            if column.redaction in _KINDS and column.name in placement.table.columns:
                table = str(placement.table.live.resource.table)
                yield placement.scan, table, column.name, column.type


def _compared(tree: exp.Expr, names: set[str]) -> set[tuple[str, Key]]:
    """Masked columns, or other names for them, that are compared with something else."""
    masked = _followed(tree, names)
    compared: set[tuple[str, Key]] = set()
    for node in walk(tree):
        if not _is_comparing(node):
            continue
        sides = [(side, [*_masked_in(side, masked)]) for side in children(node)]
        others = [side for side, inside in sides if not inside]
        if others and len(others) < len(sides) and not all(map(_is_about_masks, others)):
            compared.update(mention for _, inside in sides for mention in inside)
    return compared


def _is_comparing(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _NAMED
    if not isinstance(node, _COMPARING) or isinstance(node, (exp.Is, exp.SubqueryPredicate)):
        return False
    return find(node, exp.Subquery) is None


def _followed(tree: exp.Expr, names: set[str]) -> set[str]:
    """The names, and the aliases of whatever is made of something of such a name."""
    masked = {name.lower() for name in names}
    aliases = [alias for alias in find_all(tree, exp.Alias) if alias.alias]
    while True:
        further = {
            alias.alias.lower() for alias in aliases if any(_masked_in(alias.this, masked))
        } - masked
        if not further:
            return masked
        masked |= further


def _masked_in(node: exp.Expr, masked: set[str]) -> Iterator[tuple[str, Key]]:
    """Mentions of masked names in an expression, with the key that is taken out of a MAP."""
    for column in find_all(node, exp.Column):
        parts = [part.name.lower() for part in column.parts]
        if parts[-1] == "key" or masked.isdisjoint(parts) or _is_of_keys(column, node):
            continue
        above = column.parent
        key = above.expressions[0] if isinstance(above, exp.Bracket) else None
        is_known = isinstance(key, exp.Literal) and key.is_string
        name = next(part for part in reversed(parts) if part in masked)
        yield name, key.name if is_known and key is not None else None


def _is_of_keys(column: exp.Expr, until: exp.Expr) -> bool:
    """Whether nothing but keys or a number of them is taken of it."""
    node: exp.Expr | None = column
    while node is not None:
        name = node.name if isinstance(node, exp.Anonymous) else node.key
        if name.lower().replace("_", "") in _OF_KEYS:
            return True
        node = None if node is until else node.parent
    return False


def _is_about_masks(node: exp.Expr) -> bool:
    """Whether it is the look of a mask, so that masks are what is to be compared."""
    texts = [constant.name for constant in find_all(node, exp.Literal) if constant.is_string]
    return bool(texts) and all(text.startswith(("****", r"\*", r"^\*", "%****")) for text in texts)


def _count(session: Session, scan: str, name: str, of: SqlType, key: Key) -> int:
    """Rows of a scan in which a mask stands in a column, or at a key of it."""
    text = f"CAST({quote(name)} AS VARCHAR)"
    if key is not None and of == MapOf(VARCHAR):
        text = call("list_extract", call("map_extract", quote(name), literal(key)), "1")
    is_masked = call("regexp_matches", text, literal(_MASK))
    sql = f"SELECT {call('count', '*')} FROM {scan_table(scan)} WHERE {is_masked}"
    try:
        return int(session.duckdb.execute(sql).fetchall()[0][0])
    except duckdb.Error:  # a note is not worth an answer
        return 0
