"""Views and macros over live tables, written out where a text mentions them.

What comes out is SQL over the live tables themselves, with the meaning that DuckDB gives the
text: a macro's body sees the CTEs and the search path of its caller, a view's body its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set

from sqlglot import exp

from connstat_sql.database.source_map import Edit, SourceText, excerpt, leading_back
from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.lexer import names_within
from connstat_sql.definitions.model import TableName, quote
from connstat_sql.errors import BindError, ConfigError, PlanError, QueryError, Span
from connstat_sql.sql.binder.columns import names_in, used_columns
from connstat_sql.sql.duckdb_only import Syntax
from connstat_sql.sql.nodes import find_all, span_of
from connstat_sql.sql.statement import (
    MAX_LENGTH,
    Statement,
    TableMention,
    TableUse,
    number_edits,
    parse,
)
from connstat_sql.sql.views.create_statements import (
    Definition,
    MacroCall,
    parameter_texts,
    read_calls,
    read_definition,
)
from connstat_sql.sql.views.create_statements import with_arguments as with_values
from connstat_sql.sql.views.declared import reached_by, select_of
from connstat_sql.sql.views.lookup import CatalogLookup, Found, Path, home_of

MAX_DEPTH = 50
MAX_GROWTH = 200_000
_SELECTS_KEPT = 100
_WITHOUT_ROWS = (exp.Alter, exp.Drop, exp.Comment)
_Chain = tuple["tuple[int | str, str]", ...]
"""Views and macros that lie around each other, by number in DuckDB's catalog or by full name."""
Columns = tuple[TableName, "str | None", "tuple[str, ...]"]
"""A view that a definition declares, the connection that is named, and the columns of it."""


class Writer:
    """Writes out one statement; `made` are the definitions by number in DuckDB's catalog.

    `selects` keeps the SELECTs of views that definitions declare, from one statement to the next;
    `syntax_of` is how DuckDB reads a text.
    """

    def __init__(
        self,
        names: CatalogLookup,
        made: Mapping[int, Definition],
        catalog: Catalog,
        selects: dict[Columns, str],
        syntax_of: Syntax,
    ) -> None:
        self._names = names
        self._made = made
        self._catalog = catalog
        self._selects = selects
        self._syntax_of = syntax_of
        self._views: dict[int, str] = {}
        self._looks = 0
        self._parsed: dict[str, Statement] = {}

    def written_out(self, statement: Statement) -> SourceText:
        """A statement's text over the live tables themselves; its own when nothing is replaced."""
        self._parsed[statement.sql] = statement
        source = self._calls(statement.source, (), ())
        with leading_back(source):
            return self._mentions(source, None, ())

    def short_names(self, statement: Statement, is_meant: Callable[[str, str], bool]) -> list[Edit]:
        """Whole names for those of fewer parts that mean live tables, by the search path.

        `is_meant` says of a name, and of the live table that it may mean, whether DuckDB agrees.
        """
        edits: list[Edit] = []
        for mention in statement.mentions:
            makes = mention.use is TableUse.WRITE and isinstance(statement.tree, exp.Create)
            if len(mention.parts) > 2 or mention.use is TableUse.DEFINE or makes:
                continue
            relation, span = self._names.relation(mention.parts), mention.span
            if relation is not None and self._is_live(_parts(relation)):
                name = statement.sql[span.start : span.end]
                if is_meant(name, ".".join(_parts(relation))):
                    edits.append(Edit(span, _full_name(relation)))
        return edits

    def is_live(self, sql: str, home: Path = (), above: frozenset[int] = frozenset()) -> bool:
        """Whether a text mentions a live table, or a view or macro that was made over some."""
        statement = self._parse(sql)
        if statement.tree is None:
            return any(self._is_live(name.parts[:3]) for name in names_within(sql))
        if any(self._is_live(mention.parts) for mention in statement.mentions):
            return True
        if any(True for _ in self._known_calls(sql, statement.tree, home)):
            return True
        views = [self._names.relation(mention.parts, home) for mention in statement.mentions]
        if any(self._is_live(_parts(view)) for view in views if view):
            return True
        return any(self._is_over_live(view, above) for view in views if view and view.sql)

    def _is_over_live(self, view: Found, above: frozenset[int]) -> bool:
        if view.oid in self._made:
            return True
        definition = read_definition(view.sql)
        if definition is None or view.oid in above:
            return False
        return self.is_live(definition.query, home_of(view), above | {view.oid})

    # --- macros: their text, put where the call stands ---------------------------------------

    def _calls(self, source: SourceText, home: Path, chain: _Chain) -> SourceText:
        sql = source.sql
        tree = self._parse(sql).tree
        known = [] if tree is None else [*self._known_calls(sql, tree, home)]
        if not known:
            return source
        edits = {*number_edits(sql)}  # a macro may use its arguments in another order, or twice
        for call, macro, definition in sorted(known, key=lambda entry: _length(entry[0].span)):
            texts = [excerpt(sql, argument.span, edits) for argument in call.arguments]
            try:
                values = parameter_texts(call, definition.params, texts, sql)
                deeper = _deeper(chain, (macro.oid, macro.name), "macro")
                query = SourceText(with_values(definition.query, values))
                body = self._calls(query, home, deeper).sql
            except QueryError as error:
                _place(error, sql, call.span, chain)
                raise
            alias = "" if call.has_alias else f" AS {call.name}"
            edits = {edit for edit in edits if not call.span.holds(edit.span)}
            edits.add(Edit(call.span, f"({body}){alias}"))
            _check_length(edits, sql, call.span)
        return source.edited(edits)

    def _known_calls(
        self, sql: str, tree: exp.Expr, home: Path
    ) -> list[tuple[MacroCall, Found, Definition]]:
        known = []
        for call in read_calls(sql, tree):
            macro = self._names.macro(call.parts, home)
            definition = self._made.get(macro.oid) if macro else None
            if macro and definition:
                known.append((call, macro, definition))
        return known

    # --- views: a derived table, put where the name stands -----------------------------------

    def _mentions(self, source: SourceText, home: Path | None, chain: _Chain) -> SourceText:
        """`home` is where a view looks for names first; None for a statement, whose names stay."""
        sql = source.sql
        statement = self._parse(sql)
        tree = statement.tree
        if tree is None or isinstance(tree, _WITHOUT_ROWS):
            return source
        edits = self._tables(statement, chain)
        for mention in statement.mentions:
            if mention.use is not TableUse.READ or self._is_live(mention.parts):
                continue
            self._looks += 1
            relation = self._names.relation(mention.parts, home or ())
            if relation is None:
                continue
            if relation.sql and self._is_over_live(relation, frozenset()):
                try:
                    text = self._view(relation, chain)
                except QueryError as error:
                    _place(error, sql, mention.span, chain)
                    raise
                edits.add(derived(sql, mention, text, self._definition(relation).columns))
                # `main.v.a` → `v.a`: what stands for the view is in no schema
                edits |= {*_full_qualifiers(tree, mention, _parts(relation))}
                _check_length(edits, sql, mention.span)
            elif home is not None:
                edits.add(Edit(mention.span, _full_name(relation)))
        return source.edited(edits)

    def _tables(self, statement: Statement, chain: _Chain) -> set[Edit]:
        """Views that definitions declare, each with the columns that the statement may use."""
        views = [
            (mention, live)
            for mention in statement.mentions
            if mention.use is TableUse.READ and (live := view_of(self._catalog, mention.parts))
        ]
        names = names_in(statement.tree) if views and statement.tree is not None else None
        edits: set[Edit] = set()
        for mention, live in views:
            assert names is not None, "mentions come from a tree"
            columns = used_columns(names, mention, live.resource)
            try:
                text = self._select(live, columns, chain)
            except QueryError as error:
                _place(error, statement.sql, mention.span, chain)
                raise
            edits.add(derived(statement.sql, mention, text, ""))
            edits |= {*_full_qualifiers(names.tree, mention, mention.parts)}
            _check_length(edits, statement.sql, mention.span)
        return edits

    def _select(self, live: LiveTable, columns: tuple[str, ...], chain: _Chain) -> str:
        """The SELECT of a view that a definition declares, over the live tables themselves."""
        resource = live.resource
        key = (resource.table, live.connection, columns)
        if not chain and key in self._selects:
            return self._selects[key]
        deeper = _deeper(chain, (str(resource.table), str(resource.table)), "view")
        parts = self._catalog.parts(resource.table)
        if resource.view is not None and resource.view.is_union and not parts:
            raise ConfigError(
                f"nothing is connected that {resource.table} has rows of",
                hint="connstat doctor  says what each provider needs",
            )
        reached = reached_by(resource, parts, self._catalog.is_provider)
        if reached is not None:
            raise ConfigError(
                f"{resource.table} may read tables of providers alone, not {reached}",
                hint="it says so in its definition, or in parts.yaml of a provider",
            )
        text = select_of(resource, columns, parts)
        if self._parse(text).tree is None:
            raise BindError(
                f"the SQL that {resource.table} is made of cannot be read",
                hint=f"see {resource.table.provider}/{resource.table.service}.yaml, and parts.yaml "
                "of the providers that give to it",
            )
        if live.connection is not None:
            text = self._of_connection(text, resource.table.provider, live.connection)
        before = self._looks
        text = self._mentions(SourceText(text), (), deeper).sql
        if self._looks == before:  # else it is made of what DuckDB's catalog says now
            if len(self._selects) >= _SELECTS_KEPT:
                self._selects.clear()
            self._selects[key] = text
        return text

    def _of_connection(self, text: str, provider: str, connection: str) -> str:
        """The SELECT over one connection of its provider, not all of them."""
        return (
            SourceText(text)
            .edited(
                Edit(mention.span, ".".join(map(quote, (connection, *mention.parts[1:]))))
                for mention in self._parse(text).mentions
                if len(mention.parts) == 3 and mention.parts[0].lower() == provider
            )
            .sql
        )

    def _parse(self, sql: str) -> Statement:
        """A text, parsed once: its tree is only read here."""
        if sql not in self._parsed:
            self._parsed[sql] = parse(sql, syntax_of=self._syntax_of)
        return self._parsed[sql]

    def _is_live(self, parts: tuple[str, ...]) -> bool:
        return isinstance(self._catalog.resolve(parts), LiveTable)

    def _view(self, view: Found, chain: _Chain) -> str:
        """A view's SELECT over the live tables themselves."""
        if view.oid not in self._views:
            deeper = _deeper(chain, (view.oid, view.name), "view")
            home = home_of(view)
            source = self._calls(SourceText(self._definition(view).query), home, deeper)
            self._views[view.oid] = self._mentions(source, home, deeper).sql
        return self._views[view.oid]

    def _definition(self, view: Found) -> Definition:
        definition = self._made.get(view.oid) or read_definition(view.sql)
        assert definition is not None, "only views that can be read are written out"
        return definition


def view_of(catalog: Catalog, parts: tuple[str, ...]) -> LiveTable | None:
    """The view that a definition declares under a name, or None."""
    live = catalog.resolve(parts)
    return live if isinstance(live, LiveTable) and live.resource.view else None


def _deeper(chain: _Chain, link: tuple[int | str, str], kind: str) -> _Chain:
    deeper = (*chain, link)
    path = " → ".join(name for _, name in deeper)
    if link in chain:
        raise BindError(
            f"{kind} {link[1]} is made of itself: {path}", hint="define one of them anew"
        )
    if len(deeper) > MAX_DEPTH:
        raise PlanError(
            f"views and macros lie more than {MAX_DEPTH} deep within each other",
            hint="copy the rows half-way:  CREATE TABLE mine AS SELECT …",
        )
    return deeper


def _place(error: QueryError, sql: str, span: Span, chain: _Chain) -> None:
    """A fault inside of a definition is told of its mention in the statement."""
    if not chain:
        error.sql, error.span = sql, span


def _check_length(edits: Set[Edit], sql: str, span: Span) -> None:
    length = sum(len(edit.text) for edit in edits)
    if length > MAX_GROWTH or length + len(sql) > MAX_LENGTH:
        raise PlanError(
            f"the views and macros, written out, are longer than {MAX_GROWTH:,} characters",
            sql=sql,
            span=span,
            hint="copy the rows of one of them:  CREATE TABLE mine AS SELECT …",
        )


# --- edits ---------------------------------------------------------------------------------------


def _length(span: Span) -> int:
    return span.end - span.start


def derived(sql: str, mention: TableMention, text: str, columns: str) -> Edit:
    """A view's SELECT in place of its name, under the same name."""
    name = f" AS {quote(mention.node.this.name)}"  # `a.b.all` may stand without quotes, `all` not
    parent, span = mention.node.parent, mention.span
    whole = f"SELECT * FROM ({text}){name}{columns}"
    table = re.search(r"\btable\s+$", sql[: span.start], re.IGNORECASE)
    if isinstance(parent, exp.Copy):
        return Edit(span, f"({whole})")
    if isinstance(parent, exp.Schema):  # COPY v (a, b) TO …
        listed = ", ".join(
            sql[span_of(column).start : span_of(column).end] for column in parent.expressions
        )
        end = sql.index(")", max(span_of(column).end for column in parent.expressions)) + 1
        return Edit(Span(span.start, end), f"(SELECT {listed} FROM ({text}){name}{columns})")
    if isinstance(parent, exp.Summarize) or table:
        return Edit(Span(table.start() if table else span.start, span.end), whole)
    inner = f"({whole})" if columns and mention.has_alias else f"({text})"
    return Edit(span, inner if mention.has_alias else f"{inner}{name}{columns}")


def _full_qualifiers(
    tree: exp.Expr, mention: TableMention, name: tuple[str, ...]
) -> Iterator[Edit]:
    full = tuple(part.lower() for part in name)
    if mention.has_alias:
        return
    for column in find_all(tree, exp.Column):
        parts = column.parts
        names = tuple(part.name.lower() for part in parts)
        for count in (3, 2):
            if len(parts) > count and names[:count] == full[-count:] and "start" in parts[0].meta:
                span = Span(parts[0].meta["start"], parts[count - 1].meta["start"])
                yield Edit(span, "")
                break


def _parts(relation: Found) -> tuple[str, ...]:
    return relation.database, relation.schema, relation.name


def _full_name(relation: Found) -> str:
    return ".".join(map(quote, _parts(relation)))
