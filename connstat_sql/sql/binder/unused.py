"""Live tables that stand only in columns which nobody reads: no row of them is wanted.

DuckDB evaluates the text as it is written; what stands in such a column may be anything. Whatever
is not understood counts as read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from connstat_sql.sql.nodes import (
    around,
    children,
    find,
    find_all,
    is_edited,
    is_natural,
    is_star,
    named_children,
    outermost_queries,
)

Wanted = frozenset[str] | None
"""Names that may be read of a query's columns, and maybe others; None: all are."""

_MAKING_ROWS = (
    exp.Explode, exp.Unnest, exp.Posexplode, exp.Inline, exp.Anonymous, exp.Star, exp.Columns,
)  # fmt: skip
"""What changes the number of rows, or might."""
_NUMBERED = re.compile(r"(.+)_\d+", re.DOTALL)
_UNTOLD = (
    exp.Columns, exp.Pivot, exp.PositionalColumn, exp.Summarize, exp.Describe,
)  # fmt: skip


def idle_mentions(tree: exp.Expr, mentions: Sequence[exp.Table]) -> frozenset[int]:
    """Of some mentions of tables those, by the ids of their nodes, of which nobody reads a row."""
    known: dict[int, bool] = {}
    if (
        not any(_is_in_a_column(mention, known) for mention in mentions)
        or find(tree, *_UNTOLD) is not None
    ):
        return frozenset()
    search = _Search(frozenset(column.name.lower() for column in find_all(tree, exp.Column)))
    for table in find_all(tree, exp.Table):
        search.mentions.setdefault(table.name.lower(), []).append(table)
    for query in outermost_queries(tree):
        search.visit(query, None)
    return frozenset(id(mention) for mention in mentions if search.is_idle(mention))


@dataclass
class _Search:
    """Goes from the outside in.

    `columns` are all names of columns, `mentions` the tables by their names. `ctes` is what is read
    of CTEs by the mentions of them that were `seen`, by their ids.
    """

    columns: frozenset[str]
    mentions: dict[str, list[exp.Table]] = field(default_factory=dict)
    idle: set[int] = field(default_factory=set)
    ctes: dict[str, Wanted] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def is_idle(self, node: exp.Expr) -> bool:
        """Whether a node stands in a column that nobody reads."""
        return any(id(ancestor) in self.idle for ancestor in around(node))

    def visit(self, query: exp.Expr, wanted: Wanted) -> None:
        """A query of whose columns so many are read; its CTEs after all that may name them."""
        clause = query.args.get("with_")
        self._body(query, wanted)
        if clause is None:
            return
        for cte in reversed(clause.expressions):
            is_plain = not clause.args.get("recursive") and not cte.args["alias"].columns
            self.visit(cte.this, self._read_of(cte.alias.lower()) if is_plain else None)

    def _read_of(self, name: str) -> Wanted:
        """What is read of a CTE, once everything that may name it has been visited."""
        for table in self.mentions.get(name, []):
            if id(table) not in self.seen and not self.is_idle(table):
                return None
        return self.ctes.get(name, frozenset())

    def _body(self, query: exp.Expr, wanted: Wanted) -> None:
        if isinstance(query, exp.Select):
            self._select(query, wanted, [])
        elif isinstance(query, exp.SetOperation):
            self._set_operation(query, wanted)
        elif isinstance(query, exp.Subquery) and not _has_more(query):
            self.visit(query.this, wanted)
        else:
            self._opaque(*(part for key, part in named_children(query) if key != "with_"))

    def _opaque(self, *nodes: exp.Expr) -> None:
        """Pieces of the statement that may read every column of what they name."""
        for inner in outermost_queries(*nodes):
            self.visit(inner, None)
        for node in nodes:
            for table in find_all(node, exp.Table):
                self.ctes[table.name.lower()] = None
                self.seen.add(id(table))

    def _set_operation(self, query: exp.SetOperation, wanted: Wanted) -> None:
        """UNION ALL: a column that is not read of the whole is not read of any branch."""
        is_all = isinstance(query, exp.Union) and query.args.get("distinct") is False
        branches = [*_branches(query)] if is_all and not _has_more(query) else []
        selects = [branch for branch in branches if isinstance(branch, exp.Select)]
        if not branches or len(selects) < len(branches) or wanted is None:
            self._opaque_branches(query)
            return
        if query.args.get("by_name"):
            for select in selects:
                self.visit(select, wanted)
            return
        places = _named_places(selects[0], wanted)
        for select in selects:
            is_told = not select.args.get("with_") and not any(map(is_star, select.expressions))
            if places is not None and is_told:
                self._select(select, frozenset(), places)
            else:
                self.visit(select, None)

    def _opaque_branches(self, query: exp.SetOperation) -> None:
        """A set operation that compares whole rows; a long chain of them is no deep tree."""
        pending: list[exp.Expr] = [query]
        while pending:
            branch = pending.pop()
            if isinstance(branch, exp.SetOperation) and (
                branch is query or not branch.args.get("with_")
            ):
                pending += [branch.expression, branch.this]
                others = ("with_", "this", "expression")
                self._opaque(*(part for key, part in named_children(branch) if key not in others))
            else:
                self.visit(branch, None)

    # --- one SELECT --------------------------------------------------------------------------

    def _select(self, select: exp.Select, wanted: Wanted, places: Sequence[int]) -> None:
        """A SELECT of which columns are read by their names, or by their places."""
        stars = [item for item in select.expressions if is_star(item)]
        if any(map(is_edited, stars)) or _reads_all(select):
            wanted = None
        if wanted is not None:
            self._note_idle(select, wanted, places)
        sources = [*_sources(select)]
        own = {id(source) for source in sources}
        texts = {id(source): self._names(source, frozenset()) for source in sources}
        common = self._names(select, frozenset({*own, id(select.args.get("with_"))}))
        joins_naturally = any(map(is_natural, select.args.get("joins") or []))
        for source in sources:
            read: Wanted = common.union(*(t for key, t in texts.items() if key != id(source)))
            if joins_naturally or (stars and wanted is None):
                read = None
            elif stars and wanted is not None and read is not None:
                read |= wanted
            self._source(source, read)
        self._others(select, own)

    def _source(self, source: exp.Expr, read: Wanted) -> None:
        alias = source.args.get("alias")
        name = source.alias_or_name.lower() or "unnamed_subquery"
        if name in self.columns or (alias is not None and alias.args.get("columns")):
            read = None
        if isinstance(source, exp.Table):
            known = self.ctes.get(name := source.name.lower(), frozenset[str]())
            self.ctes[name] = None if known is None or read is None else known | read
            self.seen.add(id(source))
        elif isinstance(source, exp.Subquery) and not _has_more(source):
            self.visit(source.this, read)
        else:
            self._opaque(source)

    def _others(self, select: exp.Select, own: set[int]) -> None:
        """Queries that stand in no FROM, and whatever else names a CTE there."""
        pending = [part for key, part in named_children(select) if key != "with_"]
        while pending:
            inner = pending.pop()
            if id(inner) in self.idle or id(inner) in own:
                continue
            if isinstance(inner, exp.Query):
                self.visit(inner, None)
                continue
            if isinstance(inner, exp.Table):
                self._opaque(inner)
            pending += children(inner)

    def _note_idle(self, select: exp.Select, wanted: frozenset[str], places: Sequence[int]) -> None:
        """Mark the columns that neither the reader nor another part of the SELECT speaks of."""
        unread = {
            place: item
            for place, item in enumerate(select.expressions)
            if place not in places
            and item.alias_or_name
            and item.alias_or_name.lower() not in wanted
            and find(item, *_MAKING_ROWS) is None
        }
        aside = [*unread.values(), *_sources(select), select.args.get("with_")]
        spoken = self._names(select, frozenset(map(id, aside)))
        has_grown = True
        while has_grown:  # a column may be named by others beside it
            read = [p for p, item in unread.items() if item.alias_or_name.lower() in spoken]
            for place in read:
                spoken |= self._names(unread.pop(place), frozenset())
            has_grown = bool(read)
        self.idle |= {id(item) for item in unread.values()}

    def _names(self, node: exp.Expr, without: frozenset[int]) -> frozenset[str]:
        """All names in a piece of the statement, a superset of those of columns."""
        names: set[str] = set()
        pending = [node]
        while pending:
            inner = pending.pop()
            if id(inner) in without or id(inner) in self.idle:
                continue
            if isinstance(inner, (exp.Identifier, exp.Var)):
                names.update(_stems(inner.name.lower()))
            pending += children(inner)
        return frozenset(names)


def _stems(name: str) -> Iterator[str]:
    """A name, and those it may stand for: of two columns `a` the second is called `a_1`."""
    yield name
    while (match := _NUMBERED.fullmatch(name)) is not None:
        name = match[1]
        yield name


# --- syntax --------------------------------------------------------------------------------------


def _is_in_a_column(node: exp.Expr, known: dict[int, bool]) -> bool:
    """Whether it stands in the select list of some query; what is found on the way is `known`."""
    is_in_column, passed = False, []
    for ancestor in around(node):
        if id(ancestor) in known:
            is_in_column = known[id(ancestor)]
            break
        passed.append(id(ancestor))
        if ancestor.arg_key == "expressions" and isinstance(ancestor.parent, exp.Select):
            is_in_column = True
            break
    known.update(dict.fromkeys(passed, is_in_column))
    return is_in_column


def _reads_all(select: exp.Select) -> bool:
    """Whether a clause may speak of columns without naming them."""
    if select.args.get("distinct") is not None:
        return True
    for key in ("group", "order"):
        clause = select.args.get(key)
        if clause is None:
            continue
        if clause.args.get("all") or find(clause, exp.Literal, exp.All) is not None:
            return True
        if any(word.name.upper() == "ALL" for word in find_all(clause, exp.Identifier, exp.Var)):
            return True
    return False


def _has_more(query: exp.Expr) -> bool:
    """Whether something stands around a query or behind it, its name aside."""
    keys = ("order", "limit", "offset", "fetch", "joins", "pivots", "sample", "laterals", "with_")
    return any(query.args.get(key) for key in keys) or not isinstance(query.this, exp.Query)


def _branches(query: exp.SetOperation) -> Iterator[exp.Expr]:
    """The branches of a chain of the same kind, from the first on."""
    by_name = bool(query.args.get("by_name"))
    pending: list[exp.Expr] = [query]
    while pending:
        branch = pending.pop()
        is_all = isinstance(branch, exp.Union) and branch.args.get("distinct") is False
        if is_all and bool(branch.args.get("by_name")) == by_name and not _has_more(branch):
            pending += [branch.expression, branch.this]
        elif isinstance(branch, exp.Subquery) and not branch.alias and not _has_more(branch):
            pending.append(branch.this)
        else:
            yield branch


def _named_places(select: exp.Select, wanted: frozenset[str]) -> list[int] | None:
    """Where the wanted columns stand; None where a star hides it."""
    if any(is_star(item) for item in select.expressions):
        return None
    return [
        place
        for place, item in enumerate(select.expressions)
        if not item.alias_or_name or item.alias_or_name.lower() in wanted
    ]


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    first = select.args.get("from_")
    for clause in (first, *(select.args.get("joins") or [])):
        if clause is not None and isinstance(clause.this, exp.Expr):
            yield clause.this
