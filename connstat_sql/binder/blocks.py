"""One SELECT block: the sources of its FROM, who owns a column, and which predicates reach whom.

Everything that depends on the kinds of joins is here: `Block.conjuncts` is the table of
`semantics`, "How the superset is found", as far as one block goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

Types = Mapping[str, str]
"""Columns and their DuckDB types."""

Field = tuple[int, str]
"""A column of a source: the source's place in its block, and the column's name."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which kinds of joins let ON restrict a side, and keep WHERE from restricting the right."""

    on_right: frozenset[str] = frozenset({"INNER", "LEFT", "SEMI", "ANTI"})
    on_left: frozenset[str] = frozenset({"INNER", "SEMI", "RIGHT"})
    closed_right: frozenset[str] = frozenset({"ASOF", "SEMI", "ANTI"})
    closed_block: frozenset[str] = frozenset({"POSITIONAL"})


KINDS = Kinds()


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A predicate, with the places of the sources that it may speak of."""

    predicate: exp.Expr
    visible: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a FROM clause.

    `kind` says how it is joined ("FROM" for the first), `chain` which part between commas it is
    in. `types` are None unless it is a live table under its own column names.
    """

    node: exp.Expr
    kind: str
    chain: int
    on: exp.Expr | None
    using: frozenset[str]
    is_natural: bool
    types: Types | None


@dataclass(frozen=True)
class Block:
    """A SELECT block; `live` gives the column types of each live table by the id of its node."""

    select: exp.Select
    live: Mapping[int, Types]
    kinds: Kinds = KINDS
    sources: tuple[Source, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", tuple(_sources(self.select, self.live)))

    def place_of(self, node: exp.Table) -> int:
        """The place of a mention among the sources."""
        return next(i for i, source in enumerate(self.sources) if source.node is node)

    def conjuncts(self, place: int) -> Iterator[Conjunct]:
        """The predicates that may restrict the source at a place."""
        if self._is_closed(place):
            return
        own = self.sources[place]
        where = self.select.args.get("where")
        if where is not None and own.kind not in self.kinds.closed_right:
            yield Conjunct(where.this, self._seen_by_where())
        for index, source in enumerate(self.sources):
            if source.on is not None and self._on_restricts(index, place):
                yield Conjunct(source.on, self._seen_by_on(index))

    def facts(self, place: int) -> Iterator[Conjunct]:
        """Predicates that hold together for every row of the source that matters.

        Told only where all joins are inner or left joins: WHERE, every ON of an inner join, and
        ON of the left join whose right side the source is.
        """
        if self._is_closed(place) or not self._is_plain():
            return
        where = self.select.args.get("where")
        if where is not None:
            yield Conjunct(where.this, self._seen_by_where())
        for index, source in enumerate(self.sources):
            if source.on is not None and (source.kind == "INNER" or index == place):
                yield Conjunct(source.on, self._seen_by_on(index))

    def pairs(self, place: int) -> Iterator[tuple[Field, Field]]:
        """Fields that USING makes equal, in the joins whose ON would be among the facts."""
        if self._is_closed(place) or not self._is_plain():
            return
        for index, source in enumerate(self.sources):
            if source.kind != "INNER" and index != place:
                continue
            before = [i for i in self._seen_by_on(index) if i != index]
            if any(self.sources[i].types is None for i in before):
                continue
            for name in source.using:
                left = next((i for i in before if name in (self.sources[i].types or {})), None)
                if left is not None and name in (source.types or {}):
                    yield (left, name), (index, name)

    def owns(self, place: int, column: exp.Column, visible: tuple[int, ...]) -> bool:
        """Whether a column is one of the source at a place, or merged from it by USING."""
        if place not in visible:
            return False
        if len(column.parts) > 1:
            return self._named(column, visible) == [place]
        name = column.name.lower()
        having = self._having(name, visible)
        joins = [self.sources[i] for i in visible]
        if len(having) > 1 or any(name in one.using or one.is_natural for one in joins):
            return place in having and self._is_merged(name, visible)
        return having == [place]

    def owner(self, column: exp.Column, visible: tuple[int, ...]) -> int | None:
        """The one source that a column belongs to; None when that cannot be told."""
        found = self._named(column, visible)
        if len(column.parts) == 1:
            if any(self.sources[i].types is None for i in visible):
                return None
            found = self._having(column.name.lower(), visible)
        return found[0] if len(found) == 1 else None

    def spoken(self, place: int) -> frozenset[str]:
        """Columns of a source that WHERE, ON or USING speak of, in any way."""
        named = {name for source in self.sources for name in source.using}
        clauses = [self.select.args.get("where"), *(source.on for source in self.sources)]
        for clause in clauses:
            for column in clause.find_all(exp.Column) if clause is not None else ():
                if refers_to(column, self.sources[place].node):
                    named.add(column.name.lower())
        return frozenset(named)

    # --- what is visible, and to whom --------------------------------------------------------

    def _is_closed(self, place: int) -> bool:
        """Whether nothing may restrict a source: its rows count by position, or by chance."""
        source = self.sources[place]
        node = source.node
        if source.types is None or self.select.args.get("sample"):
            return True
        if any(one.kind in self.kinds.closed_block for one in self.sources):
            return True
        return any(node.args.get(key) for key in ("pivots", "sample", "joins"))

    def _is_plain(self) -> bool:
        return all(
            source.kind in ("FROM", "INNER", "LEFT") and not source.is_natural
            for source in self.sources
        )

    def _on_restricts(self, index: int, place: int) -> bool:
        own, joined = self.sources[place], self.sources[index]
        if own.chain != joined.chain or place > index:
            return False
        if index == place:
            return joined.kind in self.kinds.on_right
        return joined.kind in self.kinds.on_left and own.kind not in self.kinds.closed_right

    def _seen_by_where(self) -> tuple[int, ...]:
        return tuple(i for i, one in enumerate(self.sources) if one.kind not in ("SEMI", "ANTI"))

    def _seen_by_on(self, index: int) -> tuple[int, ...]:
        chain = self.sources[index].chain
        seen = [i for i in self._seen_by_where() if i < index and self.sources[i].chain == chain]
        return (*seen, index)

    def _named(self, column: exp.Column, visible: Iterable[int]) -> list[int]:
        return [i for i in visible if refers_to(column, self.sources[i].node)]

    def _having(self, name: str, visible: Iterable[int]) -> list[int]:
        return [i for i in visible if name in (self.sources[i].types or {})]

    def _is_merged(self, name: str, visible: tuple[int, ...]) -> bool:
        """Whether USING or NATURAL makes one column of all that bear the name, of one type."""
        sources = [self.sources[i] for i in visible]
        if any(source.types is None for source in sources):
            return False
        having = [source for source in sources if name in (source.types or {})]
        if len({(source.types or {})[name] for source in having}) > 1:
            return False
        return all(
            (name in source.using or source.is_natural) and source.kind != "ASOF"
            for source in having[1:]
        )


def refers_to(column: exp.Column, source: exp.Expr) -> bool:
    """Whether a column's qualifier, if it has one, names this source."""
    qualifier = [part.name.lower() for part in column.parts[:-1]]
    if not qualifier:
        return True
    if source.args.get("alias") or not isinstance(source, exp.Table):
        return qualifier == [source.alias_or_name.lower()]
    names = [part.name.lower() for part in source.parts]
    return names[-len(qualifier) :] == qualifier


def enclosing_block(node: exp.Table) -> exp.Select | None:
    """The SELECT whose FROM or JOIN names the mention itself; None in any other place."""
    clause = node.parent
    if isinstance(clause, (exp.From, exp.Join)) and isinstance(clause.parent, exp.Select):
        return clause.parent
    return None


def has_own_names(node: exp.Table) -> bool:
    """Whether its columns bear the table's own names: `AS t(a, b)` would name them otherwise."""
    alias = node.args.get("alias")
    return alias is None or not alias.args.get("columns")


# --- reading a FROM clause -----------------------------------------------------------------------


def _sources(select: exp.Select, live: Mapping[int, Types]) -> Iterator[Source]:
    first = select.args.get("from_")
    if first is None:
        return
    chain = 0
    yield Source(first.this, "FROM", chain, None, frozenset(), False, _types(first.this, live))
    for join in select.args.get("joins") or []:
        chain += _is_comma(join)
        yield Source(
            join.this,
            _kind(join),
            chain,
            join.args.get("on"),
            frozenset(one.name.lower() for one in join.args.get("using") or []),
            str(join.args.get("method") or "").upper() == "NATURAL",
            _types(join.this, live),
        )


def _types(node: exp.Expr, live: Mapping[int, Types]) -> Types | None:
    if not isinstance(node, exp.Table) or not has_own_names(node):
        return None
    return live.get(id(node))


def _is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(key) for key in ("method", "side", "kind", "on", "using"))


def _kind(join: exp.Join) -> str:
    """One word for how a join treats its sides; NATURAL joins have no ON, so their side counts."""
    method, side, kind = (
        str(join.args.get(key) or "").upper() for key in ("method", "side", "kind")
    )
    if method in ("ASOF", "POSITIONAL"):
        return method
    if kind in ("SEMI", "ANTI"):
        return kind
    return side or "INNER"
