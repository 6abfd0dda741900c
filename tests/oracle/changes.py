"""Statements that change a local table by the rows of live ones; what is compared is the table."""

from __future__ import annotations

from tests.oracle.expressions import alike
from tests.oracle.pieces import Query, Writer
from tests.oracle.sources import source

_COPY = "CREATE OR REPLACE TABLE changed AS SELECT DISTINCT x, y, k FROM notes"
_FIELDS = (("changed.x", "VARCHAR"), ("changed.y", "VARCHAR"), ("changed.k", "INTEGER"))


def change(w: Writer) -> Query:
    """An UPDATE, DELETE, MERGE or INSERT, whose outcome does not depend on the order of rows."""
    w.constants.style = ""
    w.tables.add("notes")
    beside = source(w, 0, closed=True)
    texts = alike(beside.fields, "VARCHAR") or ["'a'"]
    conditions = [f"{w.pick(*texts)} = {w.pick('changed.x', 'changed.y')}"]
    if w.maybe(0.6):
        conditions.append(w.predicates.any((*beside.fields, *_FIELDS), w.pick(0, 1, 2)))
    on = " AND ".join(w.some(conditions, len(conditions)))
    setup = (*w.setup, _COPY, _statement(w, beside.sql, on, w.pick(*texts)))
    said = frozenset(w.constants.said)
    return Query("FROM changed", None, said, frozenset(w.tables), setup)


def _statement(w: Writer, beside: str, on: str, text: str) -> str:
    merge = f"MERGE INTO changed USING {beside} ON {on}"
    added = f"INSERT VALUES ({text}, 'n', 3)"
    return w.pick(
        f"UPDATE changed SET k = 9 FROM {beside} WHERE {on}",
        f"UPDATE changed SET k = (SELECT count(*) FROM {beside} WHERE {on})",
        f"DELETE FROM changed USING {beside} WHERE {on}",
        f"DELETE FROM changed WHERE EXISTS (SELECT 1 FROM {beside} WHERE {on})",
        f"INSERT INTO changed SELECT {text}, NULL, 1 FROM {beside}, changed WHERE {on}",
        f"{merge} WHEN MATCHED THEN DELETE",
        f"{merge} WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN {added}",
        f"{merge} WHEN NOT MATCHED THEN {added}",
        f"{merge} WHEN NOT MATCHED BY SOURCE THEN DELETE",
        f"{merge} WHEN NOT MATCHED BY SOURCE THEN UPDATE SET k = 8 WHEN MATCHED THEN DELETE",
        f"{merge} WHEN MATCHED AND changed.k > 1 THEN DELETE "
        f"WHEN NOT MATCHED BY TARGET AND {text} <> 'a' THEN {added}",
    )
