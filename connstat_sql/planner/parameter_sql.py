"""What conjuncts say that one parameter equals → SQL for its values, over rows that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlglot import exp

from connstat_sql.definitions.model import quote
from connstat_sql.definitions.quoting import call, own, unnested
from connstat_sql.planner.model import mention_table
from connstat_sql.planner.relations import ReadableRows, options_among, terms_in
from connstat_sql.sql.binder import (
    ColumnField,
    Conjunct,
    EqualColumns,
    Expression,
    Term,
    Types,
    relations_of,
)
from connstat_sql.sql.binder.comparisons import Disjuncts, any_of
from connstat_sql.sql.binder.constants import INTEGERS, are_distinct
from connstat_sql.sql.binder.model import COLLATED, ScalarSubquery
from connstat_sql.sql.binder.render import field_text, is_told, relation_name, term_text
from connstat_sql.sql.nodes import find, walk
from connstat_sql.sql.statement import DIALECT


@dataclass(frozen=True, slots=True)
class Bound:
    """A value for a parameter: SQL for it, words for where it comes from, relations it reads.

    `source` stands in FROM behind those relations, where each of their rows gives several values.
    `grows` says that more rows of its sources only add values.
    """

    sql: str
    words: str
    relations: frozenset[int]
    source: str = ""
    grows: bool = True


@dataclass
class ParameterValues:
    """Finds values for the parameters of one access of a table, the relation `own`."""

    own: int
    types: Types
    rows: ReadableRows

    def of_column(self, name: str, equal: EqualColumns) -> Bound | None:
        """A column of another source that is there and equals one of ours."""
        for field in equal.of(ColumnField(self.own, name)):
            if field.relation != self.own and self.rows.is_there(field.relation):
                return Bound(
                    self.name(field), self.rows.described(field), frozenset({field.relation})
                )
        return None

    def of_expression(self, name: str, equal: EqualColumns) -> Bound | None:
        """The other side of an equality, where it is more than a column of the same type."""
        ours = ColumnField(self.own, name)
        pairs = (pair for field in equal.of(ours) for pair in equal.beside(field))
        for _, node, conjunct in sorted(pairs, key=itemgetter(0)):
            term = self._term(node, conjunct)
            if term is None or (isinstance(term, Expression) and not term.terms):
                continue  # a constant
            texts = self._texts([node], conjunct, self.types[name])
            if texts:
                relations = relations_of([term])
                return Bound(
                    texts[0], self._words(term, node), self.read(relations),
                    grows=not any(map(self.is_scalar, relations)),
                )  # fmt: skip
        return None

    def of_options(
        self, name: str, equal: EqualColumns, conjuncts: Sequence[Conjunct]
    ) -> Bound | None:
        """All that a column may equal, if a conjunct says so: `a = k OR a = '5'`, `a IN list`."""
        ours = {*equal.of(ColumnField(self.own, name))}
        for conjunct in conjuncts:
            if conjunct.relations <= {self.own}:
                continue
            options = options_among(conjunct, ours)
            selects = (
                self._selects(options, conjunct, self.types[name]) if options is not None else []
            )
            if options is not None and selects:
                relations = relations_of(terms_in(options.nodes, conjunct))
                alias, column = quote(own(f"any_{name}")), quote(own("one"))
                return Bound(
                    f"{alias}.{column}",
                    " or ".join(node.sql(dialect=DIALECT) for node in options.nodes),
                    self.read(relations),
                    f"({' UNION ALL '.join(selects)}) AS {alias}({column})",
                    not any(map(self.is_scalar, relations)),
                )
        return None

    def name(self, field: ColumnField) -> str:
        """SQL for a column of a relation."""
        text = field_text(field)
        if field.relation in self.rows.synthetic and not field.path:
            return f"CAST({text} AS {self.rows.types(field.relation).get(field.column, 'VARCHAR')})"
        return text

    def read(self, relations: frozenset[int]) -> frozenset[int]:
        """Of some relations those that are joined, not read for one value."""
        return frozenset(n for n in relations if not self.is_scalar(n))

    def is_scalar(self, number: int) -> bool:
        """Whether a relation stands for one value."""
        relation = self.rows.relation(number)
        return relation is not None and relation.is_scalar

    def is_faithful(self, term: Term) -> bool:
        """Whether equality with it is that of texts, not of some collation."""
        if isinstance(term, ScalarSubquery):
            relation = self.rows.relation(term.relation)
            return relation is None or COLLATED not in relation.types.values()
        if not isinstance(term, Expression):
            return True
        if find(term.node, exp.Collate) is not None:
            return False
        return all(map(self.is_faithful, term.terms.values()))

    # --- SQL for what stands beside a column -------------------------------------------------

    def _selects(self, options: Disjuncts, conjunct: Conjunct, wanted: str) -> list[str]:
        """Queries that answer all options as the wanted type; none where one cannot be told."""
        texts = self._texts(options.values, conjunct, wanted, options.are_mixed)
        if texts is None:
            return []
        selects = [f"SELECT {unnested(texts)}"] if texts else []
        for node in options.lists:
            listed = self._text(node, conjunct)
            of = self._types([listed], conjunct, [node])[0] if listed else ""
            element = of.rpartition("[")[0]
            taken = call("unnest", self._tried(listed, node, conjunct))
            value = self._cast(taken, element, wanted) if of.endswith("]") else ""
            if not value:
                return []
            selects.append(f"SELECT {value}")
        for node in options.queries:
            answers = self._answers(node, conjunct, wanted)
            if not answers:
                return []
            selects.append(answers)
        return selects

    def _answers(self, node: exp.Expr, conjunct: Conjunct, wanted: str) -> str:
        """The rows of a subquery of one column, that is read by itself."""
        terms = terms_in([node], conjunct)
        term = terms[0] if len(terms) == 1 else None
        relation = self.rows.relation(term.relation) if isinstance(term, ScalarSubquery) else None
        if not isinstance(term, ScalarSubquery) or term.beside or relation is None:
            return ""
        if relation.node is None or len(relation.types) != 1:
            return ""
        (of,) = relation.types.values()
        column = quote(own("row"))
        value = self._cast(column, of, wanted) if self.is_faithful(term) else ""
        inner = self.rows.scalar_text(relation.id)
        return f"SELECT {value} FROM {inner} AS {quote(own('rows'))}({column})" if value else ""

    def _texts(
        self, nodes: Sequence[exp.Expr], conjunct: Conjunct, wanted: str, are_mixed: bool = False
    ) -> list[str] | None:
        """The values of expressions as the wanted type; None where equality means another thing."""
        sqls = [self._text(node, conjunct) for node in nodes]
        if not all(sqls):
            return None
        texts = []
        for sql, of in zip(sqls, self._types(sqls, conjunct, nodes), strict=True):
            is_same = of == wanted or {of, wanted} <= INTEGERS
            if are_mixed and not is_same:
                return None
            value = self._cast(sql, of, wanted)
            if not value:
                return None
            texts.append(value)
        return [self._tried(text, node, conjunct) for text, node in zip(texts, nodes, strict=True)]

    def _tried(self, value: str, node: exp.Expr, conjunct: Conjunct) -> str:
        """NULL for rows of which DuckDB cannot tell the value: for them no equality is true.

        Other predicates may rule them out; within a transaction a failure would end that.
        """
        terms = terms_in([node], conjunct)
        is_plain = not terms or isinstance(conjunct.terms.get(id(node)), ColumnField)
        if is_plain or any(map(self.is_scalar, relations_of(terms))) or find(node, exp.Query):
            return value
        return f"TRY({value})"

    def _term(self, node: exp.Expr, conjunct: Conjunct) -> Term | None:
        """What an expression is; None where it cannot be read here."""
        term = conjunct.terms.get(id(node))
        if term is None:
            if not is_told(node) or any_of(node) is not None:
                return None
            if isinstance(node, (exp.All, exp.Tuple)):
                return None
            keys = {id(part) for part in walk(node)} & conjunct.terms.keys()
            term = Expression(node, {key: conjunct.terms[key] for key in keys})
        is_ours = self.own in relations_of([term])
        return None if is_ours or not self.is_faithful(term) else term

    def _text(self, node: exp.Expr, conjunct: Conjunct) -> str:
        term = self._term(node, conjunct)
        return "" if term is None else term_text(term, self.name, self.rows.scalar_text)

    def _words(self, term: Term, node: exp.Expr) -> str:
        if isinstance(term, ColumnField):
            return self.rows.described(term)
        return (term.node if isinstance(term, Expression) else node).sql(dialect=DIALECT)

    # --- types -------------------------------------------------------------------------------

    def _cast(self, sql: str, of: str, wanted: str) -> str:
        """A value as the wanted type, "" where equality would mean something else."""
        if of == wanted:
            return sql
        if of == "VARCHAR" or are_distinct(of, wanted):
            return f"TRY_CAST({sql} AS {wanted})"
        return ""

    def _types(
        self, sqls: Sequence[str], conjunct: Conjunct, nodes: Sequence[exp.Expr]
    ) -> Sequence[str]:
        """The types of values, "" where nobody can tell, or where some text has a collation."""
        if not sqls:
            return []
        read = sorted(self.read(relations_of(terms_in(nodes, conjunct))))
        if any(COLLATED in self.rows.types(number).values() for number in read):
            return [""] * len(sqls)
        listed = ", ".join(
            f"{self._over_empty(sql)} AS {quote(own(f'v{place}'))}"
            for place, sql in enumerate(sqls)
        )
        sources = ", ".join(map(self._empty, read))
        described = self.rows.questions.describe(
            f"SELECT {listed}" + (f" FROM {sources}" if sources else "")
        )
        types = [*(described or {}).values()]
        return types if len(types) == len(sqls) else [""] * len(sqls)

    def _empty(self, number: int) -> str:
        columns = ", ".join(
            f"CAST(NULL AS {of or 'VARCHAR'}) AS {quote(name)}"
            for name, of in self.rows.types(number).items()
        )
        return f"(SELECT {columns} WHERE false) AS {relation_name(number)}"

    def _over_empty(self, sql: str) -> str:
        """A subquery in a value reads tables that are not there yet: its type is what counts."""
        for place, table in enumerate(self.rows.query.tables):
            mention = mention_table(place)
            if mention in sql:
                types = {c.name: str(c.type) for c in table.live.resource.all_columns}
                types |= dict.fromkeys(table.hidden, "VARCHAR")
                columns = ", ".join(f"CAST(NULL AS {of}) AS {quote(n)}" for n, of in types.items())
                sql = sql.replace(mention, f"(SELECT {columns} WHERE false)")
        return sql
