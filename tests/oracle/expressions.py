"""Expressions over other columns that a parameter may equal."""

from __future__ import annotations

from tests.oracle.pieces import Writer
from tests.oracle.predicates import Columns

NUMERIC = frozenset({"INTEGER", "BIGINT"})


def is_fitting(of: str, other: str) -> bool:
    """Whether two types are the same, numbers being one."""
    return of == other or {of, other} <= NUMERIC


def alike(fields: Columns, of: str) -> list[str]:
    """The fields of a type."""
    return [name for name, other in fields if is_fitting(of, other)]


def value_from(w: Writer, fields: Columns, of: str) -> str:
    """An expression of a type over the given fields; "" when there is none."""
    same = alike(fields, of)
    told = _told_of_a_row(w, fields, of) if w.maybe(0.06) else ""
    if told:
        return told
    if same and w.maybe(0.7):
        return w.pick(*same)
    texts, numbers, days = (alike(fields, one) for one in ("VARCHAR", "INTEGER", "DATE"))
    forms: list[str] = []
    if of == "VARCHAR":
        forms += [form.format(w.pick(*texts)) for form in _TEXT_OF_TEXT] if texts else []
        forms += [f"CAST({w.pick(*numbers)} AS VARCHAR)"] if numbers else []
        forms += [f"strftime({w.pick(*days)}, '%d')"] if days else []
    elif of == "DATE":
        forms += [form.format(w.pick(*days)) for form in _DAY_OF_DAY] if days else []
        forms += [f"TRY_CAST('2026-01-0' || {w.pick(*numbers)} AS DATE)"] if numbers else []
    else:
        forms += [form.format(w.pick(*numbers)) for form in _NUMBER_OF_NUMBER] if numbers else []
        forms += [f"TRY_CAST({w.pick(*texts)} AS INTEGER)"] if texts else []
        forms += [f"CAST(day({w.pick(*days)}) AS INTEGER)"] if days else []
    return w.pick(*forms) if forms else ""


def _told_of_a_row(w: Writer, fields: Columns, of: str) -> str:
    """A subquery that gives a value for each row of the given fields; "" when there is none."""
    texts = alike(fields, "VARCHAR")
    if not texts or of not in ("VARCHAR", "INTEGER"):
        return ""
    table, name, key = "notes", *(("k", "x") if of == "INTEGER" else ("x", "y"))
    path = table
    if w.left > 0 and w.maybe(0.5):
        table, name, key = "groups", "size" if of == "INTEGER" else "g", "g"
        path = f"{w.pick(*w.heads)}.w.groups"
        w.left -= 1
    w.sources += 1
    w.tables.add(table)
    aggregate = w.pick(f"max(q.{name})", f"min(q.{name})")
    if of == "INTEGER":
        aggregate = w.pick(aggregate, "CAST(count(*) AS INTEGER)")
    inner = f"{key} {w.pick('=', '=', '=', '<>', '>=')} {w.pick(*texts)}"
    return f"(SELECT {aggregate} FROM {path} q WHERE q.{inner})"


_TEXT_OF_TEXT = (
    "lower({0})", "split_part({0}, '/', 1)", "({0} || '')", "coalesce({0}, 'a')", "trim({0})",
    "CASE WHEN {0} = 'A' THEN 'a' ELSE {0} END", "nullif({0}, 'a')", "concat({0}, '')",
)  # fmt: skip
_DAY_OF_DAY = ("({0} + 0)", "CAST({0} AS DATE)", "coalesce({0}, DATE '2026-01-01')", "least({0})")
_NUMBER_OF_NUMBER = ("({0} + 0)", "CAST({0} AS INTEGER)", "coalesce({0}, 5)", "abs({0})")


def transformed(values: set[str]) -> set[str]:
    """All that the expressions above can make of values, as text."""
    found = values | {value.lower() for value in values} | {v.partition("/")[0] for v in values}
    found |= {value.strip() for value in values} | {"", "a", "5", "2026-01-01"}
    found |= {str(count) for count in range(50)} | {f"2026-01-0{n}" for n in range(1, 10)}
    for value in values:
        if value.isdigit() or value.lstrip("0").isdigit():
            found |= {str(int(value)), f"2026-01-0{int(value)}"}
        if value.startswith("2026-"):
            found |= {value[8:10], str(int(value[8:10])), value[:10]}
    return found
