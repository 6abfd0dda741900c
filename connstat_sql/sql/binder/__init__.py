"""Statement + catalog → `BoundQuery`: names resolved, predicates understood, no request sent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from connstat_sql.database.source_map import Edit
from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.definitions.lexer import names_within
from connstat_sql.definitions.model import HIDDEN_COLUMNS, Resource
from connstat_sql.errors import BindError, ParseError, Span
from connstat_sql.sql.binder.clause_rules import UnstableFunctions
from connstat_sql.sql.binder.columns import (
    HIDDEN,
    MentionedNames,
    names_in,
    refuse_own_names,
    refuse_rowid,
    refuse_whole_rows,
    spoken_columns,
    used_columns,
    used_hidden,
)
from connstat_sql.sql.binder.comparisons import equal_nodes
from connstat_sql.sql.binder.constants import Constants
from connstat_sql.sql.binder.dml import queries_of
from connstat_sql.sql.binder.from_clause import FromClauses
from connstat_sql.sql.binder.intervals import around_all, ticks_of
from connstat_sql.sql.binder.model import (
    BoundQuery,
    BoundTable,
    ColumnField,
    Conjunct,
    Expression,
    Fold,
    Interval,
    Questions,
    Relation,
    Row,
    TableAccess,
    Term,
    Types,
    relations_of,
)
from connstat_sql.sql.binder.pushdown import Pushdown, PushedPredicates, substituted
from connstat_sql.sql.binder.restrictions import EqualColumns, Restriction
from connstat_sql.sql.binder.rules import RULES_OF_SQL, Rules
from connstat_sql.sql.binder.scopes import LiveMention
from connstat_sql.sql.binder.sources import Sources
from connstat_sql.sql.binder.stars import star_edits
from connstat_sql.sql.binder.unused import idle_mentions
from connstat_sql.sql.nodes import around
from connstat_sql.sql.statement import Statement, TableMention
from connstat_sql.sql.statement import TableUse as Purpose

__all__ = [
    "HIDDEN",
    "RULES_OF_SQL",
    "BoundQuery",
    "BoundTable",
    "ColumnField",
    "Conjunct",
    "Constants",
    "EqualColumns",
    "Expression",
    "Fold",
    "Interval",
    "Questions",
    "Relation",
    "Row",
    "Rules",
    "TableAccess",
    "Term",
    "Types",
    "around_all",
    "bind",
    "bindable_types",
    "equal_nodes",
    "relations_of",
    "substituted",
    "ticks_of",
]  # fmt: skip


def bind(
    statement: Statement, catalog: Catalog, questions: Questions, rules: Rules = RULES_OF_SQL
) -> BoundQuery:
    """Find the live tables of a statement and what restricts each, by the given rules.

    Raises BindError for a name that leads nowhere and for writing to a live table; ParseError for
    SQL that names a live table and that only DuckDB can read. No request is sent here.

    >>> from connstat_sql.database.session import Session
    >>> from connstat_sql.definitions.loader import Library, shipped_providers
    >>> from connstat_sql.sql.introspection import Introspection
    >>> from connstat_sql.sql.statement import parse
    >>> catalog = Catalog(Library([shipped_providers()]), {"plant_a": "kafka_connect"})
    >>> table = "kafka_connect.connect.connector_status"
    >>> sql = f"SELECT type FROM {table} WHERE connector_name = 'a' || 'b'"
    >>> (bound,) = bind(parse(sql), catalog, Introspection(Session(), sql, None)).tables
    >>> bound.columns, bound.accesses[0].rows
    (('type', 'connector_name'), ({'connector_name': 'ab'},))
    """
    tree = statement.tree
    if tree is None:
        _refuse_unreadable(statement, catalog)
        return BoundQuery(statement, ())
    resolved = [(mention, _resolve(statement, mention, catalog)) for mention in statement.mentions]
    lives = [(mention, live) for mention, live in resolved if live is not None]
    if not lives:
        return BoundQuery(statement, ())
    names = names_in(tree)
    refuse_own_names(names, statement.sql)
    for mention, live in lives:
        refuse_rowid(names, mention, live.resource, statement.sql)
    return _bound(statement, names, lives, questions, rules)


def _bound(
    statement: Statement,
    names: MentionedNames,
    lives: Sequence[tuple[TableMention, LiveTable]],
    questions: Questions,
    rules: Rules,
) -> BoundQuery:
    hidden = [used_hidden(names, mention) for mention, _ in lives]
    mentions = {
        id(mention.node): LiveMention(place, mention.node, _types(live.resource, hidden[place]))
        for place, (mention, live) in enumerate(lives)
    }
    resources = {id(mention.node): live.resource for mention, live in lives}
    for place, (mention, _) in enumerate(lives):
        refuse_whole_rows(names, mention, resources, hidden[place], statement.sql)
    functions = UnstableFunctions(questions.volatile(), questions.aggregates(), questions)
    sources = Sources(questions, functions, mentions)
    constants = Constants(questions)
    pushdown = Pushdown(rules, sources.relations, constants)
    from_clauses = FromClauses(sources, rules)
    before = {} if isinstance(names.tree, exp.Query) else from_clauses.ctes_of(names.tree)
    for query in queries_of(names.tree):
        pushdown.push(from_clauses.query(query, None, before))
    unread, crowded = _unread_ctes(names), sources.crowded
    idle = idle_mentions(names.tree, [mention.node for mention, _ in lives])
    tables, equal_columns = [], dict[frozenset[int], EqualColumns]()
    for place, (mention, live) in enumerate(lives):
        accesses = [
            _access(pushed, live, sources, constants, equal_columns)
            for pushed in _pushed(place, mention, pushdown, crowded, unread)
            if id(mention.node) not in idle
        ]
        tables.append(
            BoundTable(
                mention,
                live,
                accesses=tuple(accesses),
                columns=used_columns(names, mention, live.resource),
                hidden=hidden[place],
                spoken=spoken_columns(names, mention, live.resource),
            )
        )
    by_node = {id(table.mention.node): table.hidden for table in tables if table.hidden}
    edits = [*star_edits(names, by_node, statement.sql), *_qualifier_edits(names, tables)]
    places = {key: mention.place for key, mention in mentions.items()}
    return BoundQuery(
        statement,
        tuple(tables),
        tuple(edits),
        sources.relations,
        places,
        frozenset(sources.missing),
    )


def _pushed(
    place: int,
    mention: TableMention,
    pushdown: Pushdown,
    crowded: frozenset[int],
    unread: frozenset[int],
) -> list[PushedPredicates]:
    """What was pushed down to a mention; one that nothing reached is not restricted."""
    pushed = pushdown.pushed.get(place, [])
    if place in crowded:
        return [PushedPredicates(None)]
    if pushed or _ctes_around(mention.node) & unread:
        return pushed
    return [PushedPredicates(None)]


def _unread_ctes(names: MentionedNames) -> frozenset[int]:
    """CTEs, by the id of their nodes, that nothing reads but themselves and others like them."""
    ctes = names.ctes
    readers: dict[str, list[frozenset[int]]] = {cte.alias.lower(): [] for cte in ctes}
    for table in names.tables if ctes else ():
        if len(table.parts) == 1 and table.name.lower() in readers:
            readers[table.name.lower()].append(_ctes_around(table))
    unread = {id(cte) for cte in ctes}
    has_changed = True
    while has_changed:
        has_changed = False
        for cte in ctes:
            if id(cte) in unread and any(
                not (outer - {id(cte)}) & unread and id(cte) not in outer
                for outer in readers[cte.alias.lower()]
            ):
                unread.discard(id(cte))
                has_changed = True
    return frozenset(unread)


def _ctes_around(node: exp.Expr) -> frozenset[int]:
    return frozenset(id(outer) for outer in around(node) if isinstance(outer, exp.CTE))


def _access(
    pushed: PushedPredicates,
    live: LiveTable,
    sources: Sources,
    constants: Constants,
    equal_columns: dict[frozenset[int], EqualColumns],
) -> TableAccess:
    if pushed.relation is None:
        return TableAccess(0, (), None)
    types = bindable_types(live.resource)
    restriction = Restriction(
        pushed.relation, types, sources.relations, constants, equal_columns, missing=sources.missing
    )
    rows = restriction.rows(pushed.conjuncts)
    limit = pushed.limit
    return TableAccess(
        pushed.relation,
        pushed.conjuncts,
        rows,
        limit.rows if limit else None,
        limit.columns if limit else frozenset(),
        limit.order if limit else None,
        tuple(sorted(restriction.misfits)),
        restriction.intervals(pushed.conjuncts, bounded_types(live.resource)),
    )


def bindable_types(resource: Resource) -> dict[str, str]:
    """Columns whose equality can save requests, with their types: parameters, keys and filters.

    Not those of floating point, where equal values have different texts.
    """
    wanted = {param.name for param in resource.params}
    wanted |= {name for method in resource.choices for name in method.required}
    wanted |= {
        filter_.column.lower()
        for method in resource.choices
        for filter_ in method.filters
        if filter_.key
    }
    return {
        name: kind
        for name, kind in {**_types(resource, ()), "_connection": "VARCHAR"}.items()
        if (name in wanted or name == "_connection") and kind not in ("DOUBLE", "FLOAT", "REAL")
    }


def bounded_types(resource: Resource) -> dict[str, str]:
    """Columns whose bounds some method can be told, with their types."""
    bounded = {
        filter_.column.lower()
        for method in resource.choices
        for filter_ in method.filters
        if filter_.bounds is not None
    }
    return {name: kind for name, kind in _types(resource, ()).items() if name in bounded}


def _types(resource: Resource, hidden: Sequence[str]) -> dict[str, str]:
    columns = {column.name.lower(): str(column.type) for column in resource.all_columns}
    return {**columns, **{name: HIDDEN_COLUMNS[name] for name in hidden}}


def _is_made(mention: TableMention, tree: exp.Expr | None) -> bool:
    """Whether a statement is the CREATE of what is mentioned."""
    made = tree.this if isinstance(tree, exp.Create) else None
    return (
        any(node is mention.node for node in (made, made.this))
        if isinstance(made, exp.Expr)
        else False
    )


def _resolve(statement: Statement, mention: TableMention, catalog: Catalog) -> LiveTable | None:
    resolved = catalog.resolve(mention.parts)
    if isinstance(resolved, NoSuchTable) and _is_made(mention, statement.tree):
        raise BindError(
            f"{mention.parts[0]} is live and read-only",
            sql=statement.sql,
            span=mention.span,
            hint="leave out what stands before the last name: that is a table of your own",
        )
    if isinstance(resolved, NoSuchTable):
        raise BindError(
            resolved.missing,
            sql=statement.sql,
            span=mention.span,
            hint=f"there is  {', '.join(resolved.candidates)}" if resolved.candidates else "",
        )
    if resolved is None:
        return None
    if mention.use is Purpose.WRITE:
        raise BindError(
            f"{'.'.join(mention.parts)} is live and read-only",
            sql=statement.sql,
            span=mention.span,
            hint="copy it first:  CREATE TABLE mine AS SELECT * FROM …",
        )
    if mention.use is Purpose.DEFINE:
        raise BindError(
            "this kind of definition over live tables is not understood",
            sql=statement.sql,
            span=mention.span,
            hint="CREATE VIEW … AS SELECT … , or CREATE MACRO … AS TABLE SELECT …",
        )
    return resolved


def _refuse_unreadable(statement: Statement, catalog: Catalog) -> None:
    """What only DuckDB can read runs as it is, unless it names a live table."""
    for name in names_within(statement.sql):
        if isinstance(catalog.resolve(name.parts[:3]), LiveTable):
            table = ".".join(name.parts[:3])
            raise ParseError(
                f"this statement names the live table {table} in a way that cannot be planned",
                sql=statement.sql,
                span=Span(name.start, name.end),
                hint=_instead(statement.sql, table),
            )


def _instead(sql: str, name: str) -> str:
    """What to write in place of a statement that only DuckDB reads."""
    word = sql.split(maxsplit=1)[0].upper()
    if word == "SHOW":
        return f"DESCRIBE {name}"
    if word == "EXPLAIN":
        return "EXPLAIN SELECT … , without options:  its rows are the plan as text"
    return f"take its rows first:  CREATE TEMP TABLE mine AS FROM {name} WHERE …"


def _qualifier_edits(names: MentionedNames, tables: list[BoundTable]) -> list[Edit]:
    """`provider.service.table.column` → `table.column`: the run text names tables otherwise."""
    if not names.qualified:
        return []
    edits = []
    live = {tuple(part.lower() for part in table.mention.parts) for table in tables}
    tails = {table[start:] for table in live for start in range(len(table))}
    for column in names.qualified:
        *before, last, _ = column.parts
        written = tuple(part.name.lower() for part in (*before, last))
        if written in tails and all("start" in part.meta for part in column.parts):
            edits.append(Edit(Span(before[0].meta["start"], last.meta["start"]), ""))
    return edits
