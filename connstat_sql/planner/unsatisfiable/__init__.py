"""Predicates that no row can ever satisfy, because a column is compared with what it never holds.

A misspelt value, a connection that was renamed: the answer is empty and right, and no reason to
believe that all is well. The columns are those whose values are known beforehand: `_connection`,
the provider of a view over all of them, and whatever a definition gives `allowed` or `documented`
values. What is more than a plain comparison is tried by DuckDB on each of the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from connstat_sql.database.values import Value
from connstat_sql.definitions.catalog import Catalog, nearest_to, shortened
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.errors import BindError
from connstat_sql.planner.unsatisfiable.columns import CONNECTION, PossibleValues, Reader
from connstat_sql.planner.unsatisfiable.comparisons import (
    VALUE,
    Equality,
    Match,
    equalities,
    is_constant,
    is_subject,
    matches,
    pattern_of,
    subject_of,
    tried,
    ways_of,
)
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.statement import Statement

Arguments = Mapping[str, Any] | Sequence[Any] | None
Fold = Callable[[str, Arguments], tuple[tuple[Value, ...], ...] | None]
"""Rows of a constant query, or None where DuckDB refuses."""
_MISSPELT = 2
"""Letters by which a value differs from the one that was meant."""


def doubts_of(
    statement: Statement, arguments: Arguments, catalog: Catalog, fold: Fold
) -> tuple[str, ...]:
    """What to say of each comparison with a value that cannot be there.

    Raises BindError for a connection that is not configured, or not of the table's provider.
    """
    if statement.tree is None:
        return ()
    doubts = _Doubts(statement, arguments, catalog, fold, Reader(statement, catalog))
    return tuple(doubts.of(statement.tree))


@dataclass
class _Doubts:
    statement: Statement
    arguments: Arguments
    catalog: Catalog
    fold: Fold
    reader: Reader
    fitting: set[str] = field(default_factory=set)
    """Connections that some comparison can find."""
    misnamed: dict[str, PossibleValues] = field(default_factory=dict)

    def of(self, tree: exp.Expr) -> dict[str, None]:
        said: dict[str, None] = {}
        for equality in equalities(tree):
            said.update(dict.fromkeys(self._unequal(equality)))
        for name, known in self.misnamed.items():
            if name not in self.fitting:
                raise _no_such_connection(name, known.values, self.catalog, self.statement.sql)
        for match in matches(tree):
            said.update(dict.fromkeys(self._unfit(match)))
        return said

    # --- equalities ---------------------------------------------------------------------------

    def _unequal(self, equality: Equality) -> Iterator[str]:
        left, right = equality.left, equality.right
        subject = subject_of(left)
        known = None if subject is None else self.reader.known(subject)
        if subject is None or known is None:
            return
        texts = list(_texts(right, self.arguments))
        if not is_subject(left) or (not texts and is_constant(right)):
            yield from self._tried(left, subject, right, known)
            return
        for value in texts:
            if value in known.values:
                self.fitting.add(value)
            elif known.is_name and equality.is_wanted and subject.name.lower() == CONNECTION:
                self.misnamed.setdefault(value, known)
            else:
                yield from self._never(_said(left, known), value, known.values, known)

    def _tried(
        self, left: exp.Expr, subject: exp.Expr, right: exp.Expr, known: PossibleValues
    ) -> Iterator[str]:
        """Ask DuckDB for what each value becomes, and whether it is equal."""
        sql, other = tried(left, subject), excerpt_of(right)
        if sql is None or other is None or not is_constant(right):
            return
        rows = self._on_each(f"{sql}, ({sql}) = ({other.sql}), {other.sql}", known, and_null=True)
        if not rows or any(row[1].text == "true" for row in rows) or rows[0][2].text is None:
            return
        made = tuple(dict.fromkeys(row[0].text for row in rows if row[0].text is not None))
        yield from self._never(_said(left, known), rows[0][2].text, made, known)

    def _never(
        self, what: str, value: str, values: Sequence[str], known: PossibleValues
    ) -> Iterator[str]:
        """That something is never a value; where others may come, only when one is nearly it."""
        if known.is_closed:
            yield f"{what} is never {value[:60]!r}{nearest_to(value, values)}"
            return
        near = self._nearly(value, values)
        if near is not None:
            yield f"{what} is not known to be ever {value[:60]!r} (did you mean {near!r}?)"

    def _nearly(self, value: str, values: Sequence[str]) -> str | None:
        if value in values or len(value) < 2 * _MISSPELT:
            return None
        distance = call(
            "damerau_levenshtein", call("lower", VALUE), call("lower", literal(value[:100]))
        )
        rows = self.fold(
            f"SELECT {VALUE} FROM {_table(values)} WHERE {distance} <= {_MISSPELT} "
            f"ORDER BY {distance} LIMIT 1",
            None,
        )
        return rows[0][0].text if rows else None

    # --- tests --------------------------------------------------------------------------------

    def _unfit(self, match: Match) -> Iterator[str]:
        subject = subject_of(match.node)
        known = None if subject is None else self.reader.known(subject)
        patterns = list(_texts(pattern_of(match), self.arguments))
        if subject is None or known is None or not known.is_closed or not patterns:
            return
        for sql, branch in ways_of(match, subject):
            rows = self._on_each(sql, known, and_null=True)
            if rows and not any(row[0].text == "true" for row in rows):
                pattern = branch or patterns[0]
                near = nearest_to(pattern.strip("%_^$.*"), known.values)
                yield f"{_said(subject, known)} is never like {pattern[:60]!r}{near}"

    def _on_each(
        self, sql: str, known: PossibleValues, *, and_null: bool = False
    ) -> tuple[tuple[Value, ...], ...] | None:
        return self.fold(f"SELECT {sql} FROM {_table(known.values, and_null)}", self.arguments)


def _table(values: Sequence[str], and_null: bool = False) -> str:
    rows = [f"({literal(value)})" for value in values] + ["(NULL)"] * and_null
    return f"(VALUES {', '.join(rows)}) AS t({VALUE})"


def _said(node: exp.Expr, known: PossibleValues) -> str:
    """An expression as messages show it: a column by its name, what else there is as written."""
    if isinstance(node, exp.Column):
        return known.place or node.name
    written = excerpt_of(node)
    return node.name if written is None else " ".join(written.sql.split())[:60]


def _texts(node: exp.Expr, arguments: Arguments) -> Iterator[str]:
    """The texts that a literal is, or that are given for a parameter."""
    if isinstance(node, exp.Literal) and node.is_string:
        yield str(node.this)
    elif isinstance(node, (exp.Placeholder, exp.Parameter)):
        value = _argument(node.name, arguments)
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, str):
                yield item


def _argument(name: str, arguments: Arguments) -> Any:
    if isinstance(arguments, Mapping):
        return arguments.get(name)
    if arguments is not None and name.isdecimal() and 0 < int(name) <= len(arguments):
        return arguments[int(name) - 1]
    return arguments[0] if arguments is not None and len(arguments) == 1 else None


def _no_such_connection(
    name: str, known: Sequence[str], catalog: Catalog, sql: str = ""
) -> BindError:
    """The error for the name of a connection that a table has none of; `known` are its own."""
    of = catalog.connections.get(name)
    said = f"there is no connection {name[:60]!r}{nearest_to(name, known)}"
    if of is not None:
        said = f"the connection {name!r} is of {of}, and has no row of that table"
    return BindError(said, sql=sql, hint=f"connections:  {shortened(known)}")
