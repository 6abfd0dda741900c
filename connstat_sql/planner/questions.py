"""Small questions about resources, methods and the rows that restrict a mention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connstat_sql.definitions.model import ArrayStyle, Filter, Method, Param, Resource, literal
from connstat_sql.planner.model import Constant
from connstat_sql.planner.wire_values import sent_bounds, sent_value
from connstat_sql.sql.binder import BoundTable, Row, TableAccess, around_all
from connstat_sql.sql.binder.nulls import rejects_null

MAX_FILTER_LENGTH = 1_500
"""Characters of values that are passed on in one filter; a longer list is not passed on."""


def given_columns(rows: Sequence[Row] | None) -> dict[str, bool]:
    """Columns to which every alternative gives a value, in order."""
    if not rows:
        return {}
    kinds = dict.fromkeys(map(tuple, rows))
    return {name: True for name in rows[0] if all(name in kind for kind in kinds)}


def used_columns(tables: Sequence[BoundTable]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for table in tables for name in table.columns))


def wanted_params(resource: Resource, method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Parameters that need a value: asked for, or used and not filled from the row."""
    used = {p.name for p in resource.params if p.name in columns and p.name not in method.fills}
    asked = set(method.required)
    return tuple(p.name for p in resource.params if p.name in asked or p.name in used)


def fetched(resource: Resource, method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
    """What is read from the rows: used columns, and filled parameters.

    Those also that tell whose settings rows are, where it has to be known what is secret.
    """
    names = [column.name for column in resource.columns if column.name in columns]
    tells = any(c.secret_keys and c.redact_by and c.name in names for c in resource.columns)
    filled = [
        name for name in method.fills if (name in columns or tells) and name not in method.required
    ]
    for column in resource.columns:
        if column.redact_by is not None and column.name in names and column.redact_by not in names:
            names.append(column.redact_by)
    return (*names, *filled)


def unserved(method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, path in method.columns.items() if path is None and name in columns)


def may_use_left_out(resource: Resource, method: Method, accesses: Sequence[TableAccess]) -> bool:
    """Whether rows that a list leaves out could be in the answer, most of their columns NULL."""
    if not method.known_by or not method.fills:
        return False
    others = [resource.method(name) for name in (method.known_by, method.rest_from) if name]
    unknown = frozenset(
        column.name
        for column in resource.columns
        if all(other.columns.get(column.name, column.path) is None for other in others)
    )
    return not all(
        any(
            rejects_null(conjunct, frozenset({access.relation}), unknown)
            for conjunct in access.conjuncts
        )
        for access in accesses
        if access.rows != ()
    )


def spoken_columns(tables: Sequence[BoundTable]) -> frozenset[str]:
    """Columns of which any of the mentions says something: no default stands in for those."""
    return frozenset(name for table in tables for name in table.spoken)


def has_default(resource: Resource, name: str) -> bool:
    param = resource.param(name)
    return param is not None and param.default is not None


def default_values(
    resource: Resource, method: Method, constant: Constant, columns: tuple[str, ...]
) -> dict[str, str]:
    wanted = wanted_params(resource, method, columns)
    return {
        param.name: param.default
        for param in resource.params
        if param.name in wanted and param.default is not None and param.name not in constant.columns
    }


def with_defaults(constant: Constant, defaults: Mapping[str, str]) -> Constant:
    values = tuple(defaults.values())
    return Constant((*constant.columns, *defaults), tuple((*row, *values) for row in constant.rows))


def pushed_filters(
    resource: Resource, method: Method, accesses: Sequence[TableAccess]
) -> tuple[tuple[Filter, tuple[str, ...]], ...]:
    """Filters whose column every alternative fixes or bounds, with the values that are sent."""
    if not method.filters:
        return ()
    supplies = [access.rows for access in accesses]
    rows = [row for supply in supplies for row in supply or ()]
    columns = given_columns(rows) if None not in supplies else {}
    wanted = [access.intervals for access in accesses if access.rows != ()]
    intervals = around_all(wanted)
    pushed: list[tuple[Filter, tuple[str, ...]]] = []
    for filter_ in method.filters:
        column = resource.column(filter_.column)
        assert column is not None, "the loader has checked that"
        name = filter_.column.lower()
        if filter_.key and name in columns:
            values = dict.fromkeys(row[name] for row in rows)
            sent = [sent_value(value, filter_, column) for value in values]
            texts = tuple(text for text in sent if text is not None)
            if len(texts) == len(sent) and _is_carried(filter_, texts):
                pushed.append((filter_, texts))
                continue
        pushed += sent_bounds(intervals.get(name), filter_, column)
    return tuple(pushed)


def _is_carried(filter_: Filter, values: Sequence[str]) -> bool:
    """Whether values can be passed on: not more than a URL holds, and each as it is."""
    if filter_.several is ArrayStyle.COMMA and any("," in value for value in values):
        return False
    if len(values) > 1 and filter_.several is None:
        return False
    return sum(map(len, values)) + len(values) <= MAX_FILTER_LENGTH


def siblings(resource: Resource, param: Param) -> list[Param]:
    """Parameters that live in the same row of the same parent, the given one among them."""
    table = param.parent.table if param.parent else None
    return [p for p in resource.params if p.parent is not None and p.parent.table == table]


def example(param: Param | None, name: str) -> str:
    """A value for a hint, of the parameter's type."""
    if param is not None and param.default is not None:
        return literal(param.default)
    if param is not None and str(param.type) == "DATE":
        return "'2026-12-01'" if "end" in name else "'2026-11-01'"
    return "'…'"


def listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
