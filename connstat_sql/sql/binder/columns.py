"""Which columns of a live table a statement uses, its hidden ones among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from connstat_sql.definitions.model import HIDDEN_COLUMNS, Resource
from connstat_sql.definitions.quoting import is_own
from connstat_sql.errors import BindError, Span
from connstat_sql.sql.duckdb_only import Unread
from connstat_sql.sql.nodes import find_all, is_natural, named_children
from connstat_sql.sql.statement import TableMention

HIDDEN = tuple(HIDDEN_COLUMNS)


Spoken = Counter[tuple[str, tuple[str, ...]]]
"""How often predicates and joins speak of a name, with what stands before it."""


@dataclass(frozen=True, slots=True)
class MentionedNames:
    """What a statement names, and where: read in one walk of its tree, asked about per mention.

    Names are in lower case. `every` holds all that could name a column, a superset; `columns` the
    columns by their last part, `qualifiers` the parts before it; `stars` those of a SELECT's own
    list, by the SELECT's id, neither `count(*)` nor `EXISTS (SELECT *)` among them; `using` the
    columns that joins go by.
    """

    tree: exp.Expr
    every: set[str] = field(default_factory=set)
    columns: dict[str, list[exp.Column]] = field(default_factory=dict)
    qualifiers: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    stars: dict[int, list[exp.Star]] = field(default_factory=dict)
    using: set[str] = field(default_factory=set)
    spoken: Spoken = field(default_factory=Counter)
    selects: list[exp.Select] = field(default_factory=list)
    tables: list[exp.Table] = field(default_factory=list)
    ctes: list[exp.CTE] = field(default_factory=list)
    qualified: list[exp.Column] = field(default_factory=list)
    """Columns named with a schema."""
    untold: list[exp.Expr] = field(default_factory=list)
    """What takes columns without naming them: by a pattern, by a place, all of them."""
    branches: dict[int, UnionBranch] = field(default_factory=dict)
    """The branch of a set operation that a table stands in, by the table's id.

    Not of those in a CTE, which may be read in any other branch.
    """


@dataclass(eq=False, slots=True)
class Chain:
    """Set operations on set operations, taken as one; `above` is the branch that they stand in."""

    above: UnionBranch | None
    spoken: Spoken = field(default_factory=Counter)


@dataclass(eq=False, slots=True)
class UnionBranch:
    """One branch of a chain."""

    chain: Chain
    spoken: Spoken = field(default_factory=Counter)

    @property
    def around(self) -> Iterator[UnionBranch]:
        """The branch, and those that its chain stands in."""
        branch: UnionBranch | None = self
        while branch is not None:
            yield branch
            branch = branch.chain.above


_NOTED = (
    exp.Identifier, exp.Var, exp.Join, exp.Table, exp.Select, exp.CTE,
    exp.Columns, exp.Pivot, exp.PositionalColumn, exp.Summarize, exp.Describe,
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """Where the walk is: in which SELECT and branch, and whether in a predicate or a CTE.

    `chain` is that of the set operation whose side comes next.
    """

    block: exp.Select | None = None
    is_spoken: bool = False
    is_in_cte: bool = False
    branch: UnionBranch | None = None
    chain: Chain | None = None


def names_in(tree: exp.Expr) -> MentionedNames:
    """Walk a tree once."""
    names = MentionedNames(tree)
    pending: list[tuple[exp.Expr, _Place]] = [(tree, _Place())]
    while pending:
        node, place = pending.pop()
        if isinstance(node, exp.Column):
            _note_column(names, node, place)
        elif isinstance(node, exp.Star):
            is_counted = isinstance(node.parent, exp.Count)
            block = place.block
            if block is not None and not is_counted and not _asks_for_any_row(block):
                names.stars.setdefault(id(block), []).append(node)
        elif isinstance(node, _NOTED):
            _note(names, node, place)
        pending += _below(node, place)
    return names


def _below(node: exp.Expr, place: _Place) -> Iterator[tuple[exp.Expr, _Place]]:
    """What a node consists of, each with its place."""
    chain, branch = place.chain, place.branch
    if chain is not None and not isinstance(node, exp.SetOperation):
        branch, chain = UnionBranch(chain), None
    elif chain is None and isinstance(node, exp.SetOperation):
        chain = Chain(branch)
    block = node if isinstance(node, exp.Select) else place.block
    speaks = place.is_spoken or isinstance(node, (exp.Where, exp.Having, exp.Qualify, Unread))
    is_in_cte = place.is_in_cte or isinstance(node, exp.CTE)
    inner = _Place(block, speaks, is_in_cte, branch)
    for key, child in named_children(node):
        at = inner
        if key == "on" and isinstance(node, exp.Join):
            at = _Place(block, True, is_in_cte, branch)
        elif chain is not None and key in ("this", "expression"):
            at = _Place(block, speaks, is_in_cte, branch, chain)
        yield child, at


def _asks_for_any_row(block: exp.Select) -> bool:
    """Whether it is asked only if it has a row, and its columns do not tell how many it has."""
    tells = block.args.get("distinct") or block.args.get("group")
    return isinstance(block.parent, exp.Exists) and not tells


def _note_column(names: MentionedNames, column: exp.Column, place: _Place) -> None:
    *before, name = (part.name.lower() for part in column.parts)
    names.columns.setdefault(name, []).append(column)
    names.qualifiers.setdefault(name, set()).add(tuple(before))
    if len(before) > 1:
        names.qualified.append(column)
    if place.is_spoken:
        _speak(names, name, tuple(before), place)


def _speak(names: MentionedNames, name: str, qualifier: tuple[str, ...], place: _Place) -> None:
    said = name, qualifier
    names.spoken[said] += 1
    for branch in place.branch.around if place.branch is not None else ():
        branch.spoken[said] += 1
        branch.chain.spoken[said] += 1


def _note(names: MentionedNames, node: exp.Expr, place: _Place) -> None:
    if isinstance(node, (exp.Identifier, exp.Var)):
        if not isinstance(node.parent, exp.Anonymous):  # that is the name of a function, in quotes
            names.every.add(node.name.lower())
    elif isinstance(node, exp.Join):
        using = node.args.get("using") or []
        for column in using:
            names.using.add(column.name.lower())
            _speak(names, column.name.lower(), (), place)
    elif isinstance(node, exp.Table):
        names.tables.append(node)
        if place.branch is not None and not place.is_in_cte:
            names.branches[id(node)] = place.branch
    elif isinstance(node, exp.Select):
        names.selects.append(node)
    elif isinstance(node, exp.CTE):
        names.ctes.append(node)
    else:
        names.untold.append(node)


def used_columns(
    names: MentionedNames, mention: TableMention, resource: Resource
) -> tuple[str, ...]:
    """The columns that may be used, in the definition's order; all where that cannot be told."""
    every = tuple(column.name for column in resource.all_columns)
    block = enclosing_block(mention.node)
    if block is None or mention.node.args.get("pivots") or _takes_all(names, block, mention.node):
        return every
    if not has_own_names(mention.node):
        return every  # the place of a column counts
    return tuple(name for name in every if name.lower() in names.every)


def spoken_columns(
    names: MentionedNames, mention: TableMention, resource: Resource
) -> frozenset[str]:
    """Columns that a predicate may speak of where the mention is read: in no other branch."""
    branch = names.branches.get(id(mention.node))
    around = [*branch.around] if branch is not None else []
    own = {column.name.lower() for column in resource.all_columns}
    others = (
        _others(names, mention.node) if any(param.default for param in resource.params) else set()
    )
    spoken = set[str]()
    for said, count in names.spoken.items():
        name, qualifier = said
        if name in own and name not in spoken and qualifier not in others:
            aside = sum(outer.chain.spoken[said] - outer.spoken[said] for outer in around)
            if count > aside:
                spoken.add(name)
    return frozenset(spoken)


def _others(names: MentionedNames, node: exp.Table) -> set[tuple[str, ...]]:
    """What names columns of other tables alone: no CTE, and no source that is made of others."""
    made = {cte.alias.lower() for cte in names.ctes}
    for alias in find_all(names.tree, exp.TableAlias):
        if not isinstance(alias.parent, exp.Table):
            made.add(alias.name.lower())
    called = {table.alias_or_name.lower() for table in names.tables if table is not node}
    of_ctes = {table.alias_or_name.lower() for table in names.tables if table.name.lower() in made}
    others: set[tuple[str, ...]] = {(name,) for name in called - made - of_ctes}
    return others - {*_qualifiers(node)}


def used_hidden(names: MentionedNames, mention: TableMention) -> tuple[str, ...]:
    """The hidden columns that are named on a mention, or named without saying on which."""
    alias = mention.node.args.get("alias")
    renamed = (
        {column.name.lower() for column in alias.args.get("columns") or []} if alias else set()
    )
    qualifiers = {*_qualifiers(mention.node)}
    return tuple(
        name
        for name in HIDDEN
        if name not in renamed
        and (name in names.using or names.qualifiers.get(name, set()) & qualifiers)
    )


def refuse_own_names(names: MentionedNames, sql: str) -> None:
    """Raise BindError where a statement uses a name that SQL made for it uses."""
    for name in sorted(name for name in names.every if is_own(name)):
        start = sql.lower().find(name.lower())
        raise BindError(
            f"the name {name} is taken: names that end in a backslash are made for statements "
            "over live tables",
            sql=sql,
            span=Span(start, start + len(name)),
            hint="choose another name",
        )


def refuse_rowid(
    names: MentionedNames, mention: TableMention, resource: Resource, sql: str
) -> None:
    """Raise BindError where a mention's rowid is named, which is there only while it is checked."""
    block = enclosing_block(mention.node)
    if mention.is_unread:
        _refuse_unread(names, mention, resource, sql)
    if block is None or "rowid" not in names.columns:
        return
    if any(column.name == "rowid" for column in resource.all_columns):
        return
    for column in names.columns["rowid"]:
        if column.find_ancestor(exp.Select) is block and refers_to(column, mention.node):
            raise BindError(
                f"{resource.table} is live: its rows have no rowid",
                sql=sql,
                span=mention.span,
                hint="number them:  row_number() OVER (ORDER BY …)",
            )


def refuse_whole_rows(
    names: MentionedNames,
    mention: TableMention,
    live: Mapping[int, Resource],
    hidden: Sequence[str],
    sql: str,
) -> None:
    """Raise BindError where a whole row is named beside a hidden column, which would be in it.

    `live` is the table of each live mention, by the identity of its node.
    """
    alias, resource = mention.node.alias_or_name.lower(), live[id(mention.node)]
    block = enclosing_block(mention.node)
    if not hidden or block is None or _has_column(resource, alias):
        return
    for column in names.columns.get(alias, ()):
        is_row = len(column.parts) == 1 and not _is_own_output(column)
        if is_row and _is_seen_from(column, block, live):
            raise BindError(
                f"{hidden[0]} cannot be named beside a whole row, which it is no part of",
                sql=sql,
                span=mention.span,
                hint=f"take the rows first:  FROM (SELECT * FROM {resource.table} …) AS {alias}",
            )


def _is_seen_from(column: exp.Column, block: exp.Select, live: Mapping[int, Resource]) -> bool:
    """Whether a name may be that of a source of this block: no live table nearer has the column."""
    around = column.find_ancestor(exp.Select)
    while around is not None and around is not block:
        nearer = (live.get(id(source)) for _, source, _ in sources_of(around))
        if any(
            resource is not None and _has_column(resource, column.name.lower())
            for resource in nearer
        ):
            return False
        around = around.find_ancestor(exp.Select)
    return around is block


def _has_column(resource: Resource, name: str) -> bool:
    return any(column.name.lower() == name for column in resource.all_columns)


def _refuse_unread(
    names: MentionedNames, mention: TableMention, resource: Resource, sql: str
) -> None:
    """Raise BindError where a column may be meant that is no column of a table for everybody."""
    own = {column.name for column in resource.all_columns}
    for name in (*HIDDEN, "rowid"):
        if name in names.columns and name not in own:
            raise BindError(
                f"{name} cannot be used here: this statement cannot be taken apart",
                sql=sql,
                span=mention.span,
                hint="take the rows first:  CREATE TEMP TABLE mine AS SELECT …",
            )


def _takes_all(names: MentionedNames, block: exp.Select, node: exp.Table) -> bool:
    if names.untold or id(block) in names.stars or joins_naturally(block):
        return True
    name = node.alias_or_name.lower()
    return any(not _is_own_output(column) for column in names.columns.get(name, ()))


def _is_own_output(column: exp.Column) -> bool:
    """Whether ORDER BY goes by what its SELECT makes under that name, not by a source's row."""
    order = column.parent.parent if isinstance(column.parent, exp.Ordered) else None
    block = order.parent if isinstance(order, exp.Order) else None
    if len(column.parts) > 1 or not isinstance(block, exp.Select):
        return False
    made = (item.alias.lower() for item in block.expressions if isinstance(item, exp.Alias))
    return column.name.lower() in made


def joins_naturally(block: exp.Select) -> bool:
    """Whether sources of a block are joined by columns that nobody names."""
    clauses = (clause for clause, _, _ in sources_of(block))
    return any(map(is_natural, clauses))


def sources_of(block: exp.Select) -> Iterator[tuple[exp.Expr, exp.Expr, str]]:
    """FROM and each JOIN of a block, what it names, and the name of that in the block.

    Also those inside parentheses and other joins; parentheses may bear the name.
    """
    clauses = [block.args.get("from_"), *(block.args.get("joins") or [])]
    pending = [(clause, "") for clause in clauses if clause is not None]
    while pending:
        clause, around = pending.pop(0)
        source = clause.this
        while source is not None:
            pending += [(join, around) for join in source.args.get("joins") or []]
            if not (isinstance(source, exp.Subquery) and isinstance(source.this, _SOURCES)):
                yield clause, source, around or source.alias_or_name
                break
            around, source = around or source.alias, source.this


_SOURCES = (exp.Table, exp.Subquery)


def _qualifiers(source: exp.Expr) -> Iterator[tuple[str, ...]]:
    """What may stand before a column of this source: nothing, or one of its names."""
    yield ()
    if source.args.get("alias") or not isinstance(source, exp.Table):
        yield (source.alias_or_name.lower(),)
        return
    parts = tuple(part.name.lower() for part in source.parts)
    yield from (parts[start:] for start in range(len(parts)))


def refers_to(column: exp.Column, source: exp.Expr) -> bool:
    """Whether a column's qualifier, if it has one, names this source."""
    return tuple(part.name.lower() for part in column.parts[:-1]) in _qualifiers(source)


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
