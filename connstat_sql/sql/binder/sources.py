"""Sources of FROM → relations: what columns they have, and whether they can be read alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlglot import exp

from connstat_sql.definitions.model import literal, quote
from connstat_sql.definitions.quoting import call
from connstat_sql.sql.binder.clause_rules import UnstableFunctions, calls
from connstat_sql.sql.binder.columns import HIDDEN
from connstat_sql.sql.binder.contents import Contents
from connstat_sql.sql.binder.model import (
    COLLATED,
    Beside,
    Conjunct,
    Outputs,
    Questions,
    Relation,
    ScalarSubquery,
    Types,
    type_of,
)
from connstat_sql.sql.binder.query_tree import Opaque, Query, SetOperation
from connstat_sql.sql.binder.render import relation_text, written
from connstat_sql.sql.binder.scopes import Cte, LiveMention, Scope, empty_sources, sources_beside
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.nodes import around, find, find_all

MAX_READINGS = 16
"""Times that one CTE is looked into: a chain of CTEs that each name the last twice doubles."""


@dataclass
class Sources:
    """Makes relations; `live` gives the live mentions by the id of their nodes."""

    questions: Questions
    functions: UnstableFunctions
    live_mentions: Mapping[int, LiveMention]
    relations: dict[int, Relation] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    _readings: dict[int, int] = field(default_factory=dict)
    _steady: dict[int, bool] = field(default_factory=dict)
    _types: dict[object, Types | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._contents = Contents(self.functions.volatile)

    def live_place(self, node: exp.Expr) -> int | None:
        """The place of a live mention, None for anything else."""
        mention = self.live_mentions.get(id(node))
        return mention.place if mention is not None else None

    def live(self, node: exp.Table, place: int) -> Relation:
        """A live table."""
        return self._add(types=self.live_mentions[id(node)].types, mention=place)

    def renamed(self, node: exp.Table, relation: Relation) -> Mapping[str, str] | None:
        """A live table's columns by the names that `AS t(a, b)` gives them; None: it gives none."""
        aliases = ", ".join(map(quote, _column_aliases(node)))
        if not aliases:
            return None
        own = [name for name in relation.types if name not in HIDDEN]
        listed = ", ".join(f"NULL AS {quote(name)}" for name in own)
        names = self.questions.describe(f"SELECT * FROM (SELECT {listed}) AS t({aliases})")
        return dict(zip(names, own, strict=True)) if names else None

    def local(self, node: exp.Expr, ctes: Mapping[str, Cte]) -> Relation:
        """A local table, file, function or list of values."""
        readable = self._readable(node, ctes)
        if readable is None:
            columns = node.args["alias"].args.get("columns") if node.args.get("alias") else None
            names = {column.name.lower(): "" for column in columns or []}
            return self._add(types=names, is_known=bool(names))
        types, used = readable
        if not self._needs(node, used):
            types = self._without_collations(types)
        return self._add(types=types, node=node, ctes=used, needs=self._needs(node, used))

    def derived(self, node: exp.Expr, query: Query, ctes: Mapping[str, Cte]) -> Relation:
        """A subquery: `node` is what stands in FROM."""
        readable = types = None
        if not isinstance(node, exp.Lateral):
            readable = self._readable(node, ctes)
            types = self._described(node, ctes, query) if readable is None else None
        return self._of_query(node, query, readable, _column_aliases(node), types)

    def of_cte(
        self, node: exp.Table, cte: Cte, query: Query | None, ctes: Mapping[str, Cte]
    ) -> Relation:
        """A mention of a CTE; None as its query means that it is not looked into."""
        names = _column_aliases(node) or [column.name for column in cte.node.args["alias"].columns]
        readable = types = None
        if not cte.is_itself:
            readable = self._readable(node, ctes)
            types = self._described(node, ctes, query) if readable is None and query else None
        return self._of_query(node, query or Opaque(()), readable, names, types)

    def scalar(self, node: exp.Expr, ctes: Mapping[str, Cte], scope: Scope) -> ScalarSubquery:
        """A subquery that stands for one value, in a place where `scope` can be named."""
        if not isinstance(node, exp.Subquery):
            return ScalarSubquery(self._add(types={}).id)
        if excerpt_of(node) is None and _is_bare(node):
            node = node.this  # the parentheses are those of IN
        readable = self._readable(node, ctes) if self._refuses_many else None
        beside: tuple[Beside, ...] = ()
        if readable is None and self._refuses_many:
            beside = sources_beside(node, scope)
            readable = self._readable(node, ctes, beside) if beside else None
        if readable is None:
            return ScalarSubquery(self._add(types={}, is_scalar=True).id)
        types, used = readable
        needs = self._needs(node, used)
        relation = self._add(types=types, node=node, ctes=used, needs=needs, is_scalar=True)
        return ScalarSubquery(relation.id, beside)

    @cached_property
    def _refuses_many(self) -> bool:
        """Whether a subquery of many rows is no value; else it is any one of them."""
        setting = literal("scalar_subquery_error_on_multiple_rows")
        rows = self.questions.fold(f"SELECT {call('current_setting', setting)}")
        return bool(rows and rows[0][0].text == "true")

    def may_read(self, cte: Cte) -> bool:
        """Whether a CTE is looked into once more."""
        count = self._readings[id(cte.node)] = self._readings.get(id(cte.node), 0) + 1
        return count <= MAX_READINGS

    @property
    def crowded(self) -> frozenset[int]:
        """Places of live mentions in CTEs that were not looked into for every mention of them."""
        many = {number for number, count in self._readings.items() if count > MAX_READINGS}
        return frozenset(
            mention.place
            for mention in (self.live_mentions.values() if many else ())
            if any(id(ancestor) in many for ancestor in around(mention.node.parent))
        )

    def whole_number(self, clause: exp.Expr | None, absent: int | None = None) -> int | None:
        """The number of LIMIT or OFFSET, where it is a plain one."""
        if clause is None:
            return absent
        number = clause.expression
        if clause.args.get("limit_options") or find(number, exp.Column, exp.Query):
            return None
        if any(not placeholder.name for placeholder in find_all(number, exp.Placeholder)):
            return None  # a `?` counts from the statement's start, not from that of a piece
        text = str(number.this) if isinstance(number, exp.Literal) else ""
        if not text and not calls(number, self.functions.volatile):
            folded = self.questions.fold(f"SELECT {written(number)}")
            text = (folded[0][0].text or "") if folded else ""
        return int(text) if text.isdigit() and len(text) < 10 else None

    def descends(self, said: bool | None) -> bool | None:
        """Which way ORDER BY sorts that says DESC, ASC or nothing; None where NULL is not last.

        Settings of the session have a say in it: DuckDB is given three rows to sort.
        """
        direction = {True: " DESC", False: " ASC", None: ""}[said]
        rows = f"(SELECT v FROM (VALUES (1), (NULL), (2)) AS t(v) ORDER BY v{direction} LIMIT 1"
        answer = self.questions.fold(f"SELECT {rows}), {rows} OFFSET 1)")
        first = [value.text for value in answer[0]] if answer else []
        return first[0] == "2" if first in (["1", "2"], ["2", "1"]) else None

    # --- whether and how a source can be read by itself --------------------------------------

    def _readable(
        self, node: exp.Expr, ctes: Mapping[str, Cte], beside: tuple[Beside, ...] = ()
    ) -> tuple[Types, tuple[exp.CTE, ...]] | None:
        """Its columns and the CTEs it needs; None when it depends on what else is beside it."""
        used = self._used_ctes(node, ctes)
        if used is None:
            return None
        if not all(map(self._is_stable, (node, *used))):
            return None
        types = self._described_as(node, used, beside)
        if types is None:
            return None
        if self._reads_local(node, used):
            types = self._without_collations(types)
        return types, used

    def _described(self, node: exp.Expr, ctes: Mapping[str, Cte], query: Query) -> Types | None:
        """The columns of what cannot be read by itself; None where DuckDB cannot tell them.

        Values that would not be the same twice have the same type twice.
        """
        outputs = query.outputs
        used = self._used_ctes(node, ctes)
        if outputs is None or used is None or isinstance(query, Opaque):
            return None
        if any(self._contents.of(part).hides for part in (node, *used)):
            return None
        if not all(self._is_as_written(part) for part in (node, *used)):
            return None
        types = self._described_as(node, used)
        if types is None or len(types) != len(outputs):
            return None
        return self._without_collations(types) if self._reads_local(node, used) else types

    def _described_as(
        self, node: exp.Expr, used: tuple[exp.CTE, ...], beside: tuple[Beside, ...] = ()
    ) -> Types | None:
        """The columns of a source, as DuckDB tells them; asked once for all mentions of a CTE."""
        own: object = id(node)
        if isinstance(node, exp.Table) and _is_name_alone(node):
            own = (node.name.lower(), *_column_aliases(node))
        key = (own, *map(id, used), beside)
        if key not in self._types:
            is_scalar = isinstance(node, exp.Subquery) and not node.alias
            probe = Relation(0, {}, node=node, ctes=used, is_scalar=is_scalar)
            text = f"SELECT * FROM {self._empty_text(probe)}"
            if beside:
                around = empty_sources(beside, self.relations)
                text = f"SELECT {self._empty_text(probe)} AS v FROM {around}"
            self._types[key] = self.questions.describe(text)
        return self._types[key]

    def _reads_local(self, node: exp.Expr, used: tuple[exp.CTE, ...]) -> bool:
        """Whether it names a table of the session, a file or a function."""
        ctes = {cte.alias.lower() for cte in used}
        return any(
            id(table) not in self.live_mentions
            and not (len(table.parts) == 1 and table.name.lower() in ctes)
            for part in (node, *used)
            for table in self._contents.of(part).tables
        )

    def _is_stable(self, node: exp.Expr) -> bool:
        """Whether reading it twice gives the same rows, and as DuckDB reads the user's text."""
        if id(node) not in self._steady:
            is_steady = self._contents.of(node).is_steady
            self._steady[id(node)] = is_steady and self._is_as_written(node)
        return self._steady[id(node)]

    def _is_as_written(self, node: exp.Expr) -> bool:
        """Whether there is a text to read, in which DuckDB sees what the tree shows."""
        return excerpt_of(node) is not None and self.functions.is_read_alike(node)

    def _used_ctes(self, node: exp.Expr, ctes: Mapping[str, Cte]) -> tuple[exp.CTE, ...] | None:
        """The CTEs that a piece of the query names, those first that others name."""
        begun: dict[str, exp.CTE] = {}
        used: list[exp.CTE] = []
        pending = [(ctes[name], False) for name in self._named_in(node, ctes)]
        while pending:
            cte, is_done = pending.pop()
            name = cte.node.alias.lower()
            if is_done:
                used.append(cte.node)
            elif cte.is_itself or begun.get(name, cte.node) is not cte.node:
                return None
            elif name not in begun:
                begun[name] = cte.node
                pending.append((cte, True))
                inner = self._named_in(cte.node.this, cte.ctes)
                pending += [(cte.ctes[other], False) for other in inner if other != name]
        return tuple(used)

    def _named_in(self, node: exp.Expr, ctes: Mapping[str, Cte]) -> list[str]:
        """The CTEs that a piece of the query names, of those that are in sight of it."""
        return [name for name in self._contents.of(node).free if name in ctes] if ctes else []

    def _needs(self, node: exp.Expr, used: tuple[exp.CTE, ...]) -> frozenset[int]:
        return frozenset(
            self.live_mentions[id(table)].place
            for part in (node, *used)
            for table in self._contents.of(part).tables
            if id(table) in self.live_mentions
        )

    def _empty_text(self, relation: Relation) -> str:
        """Its text over tables with the same columns and no rows."""
        return relation_text(relation, self._places, self._empty_rows.__getitem__)

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {key: mention.place for key, mention in self.live_mentions.items()}

    @cached_property
    def _empty_rows(self) -> Mapping[int, str]:
        """What stands for the live mention at each place."""
        rows = {}
        for mention in self.live_mentions.values():
            columns = (f"CAST(NULL AS {of}) AS {quote(name)}" for name, of in mention.types.items())
            rows[mention.place] = f"(SELECT {', '.join(columns)} WHERE false)"
        return rows

    def _without_collations(self, types: Types) -> Types:
        if not self._has_collations:
            return types
        return {name: COLLATED if of == "VARCHAR" else of for name, of in types.items()}

    @cached_property
    def _has_collations(self) -> bool:
        return self.questions.has_collations()

    # --- relations ---------------------------------------------------------------------------

    def _of_query(
        self,
        node: exp.Expr,
        query: Query,
        readable: tuple[Types, tuple[exp.CTE, ...]] | None,
        aliases: list[str],
        described: Types | None = None,
    ) -> Relation:
        outputs = query.outputs
        if readable is not None:
            types, used = readable
            needs = self._needs(node, used)
            inside = _inside(query, list(types))
            return self._add(
                types=types,
                node=node,
                ctes=used,
                needs=needs,
                inside=inside,
                invariants=_invariants(query),
            )
        names = [output.name for output in outputs or ()]
        names[: len(aliases)] = [alias.lower() for alias in aliases]
        is_known = outputs is not None and all(names) and len(set(names)) == len(names)
        terms = [output.term for output in outputs or ()]
        types = described or {
            name: type_of(term, self.relations)
            for name, term in zip(names, [*terms, *[None] * len(names)], strict=False)
        }
        return self._add(
            types=types,
            inside=_inside(query, names),
            invariants=_invariants(query),
            is_known=is_known,
        )

    def _add(self, *, types: Types, **parts: Any) -> Relation:
        """A relation under the next number; `parts` are those of `Relation`."""
        number = len(self.relations) + 1
        self.relations[number] = Relation(number, types, **parts)
        return self.relations[number]


def _is_bare(node: exp.Subquery) -> bool:
    """Whether it is a query in parentheses, and nothing else."""
    return {key for key, value in node.args.items() if value} == {"this"}


def _column_aliases(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [column.name for column in alias.args.get("columns") or []] if alias is not None else []


def _is_name_alone(node: exp.Table) -> bool:
    """Whether it is a name, with another name at most."""
    others = {key for key, value in node.args.items() if value} - {"this", "alias", "joins"}
    return isinstance(node.this, exp.Identifier) and not others


def _inside(query: Query, names: list[str]) -> Outputs:
    """What can be looked into: columns whose values are those of a row inside."""
    outputs = query.outputs
    if outputs is None or len(outputs) != len(names) or isinstance(query, (SetOperation, Opaque)):
        return {}
    return {
        name: output.term
        for name, output in zip(names, outputs, strict=True)
        if output.is_open and output.term is not None
    }


def _invariants(query: Query) -> tuple[Conjunct, ...]:
    return () if isinstance(query, (SetOperation, Opaque)) else query.invariants
