"""Values as DuckDB reads them, masked as rows are."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from connstat_sql.definitions.model import Column
from connstat_sql.executor.redaction import Redactor

SHOWN = "shown"


def masked(
    db: duckdb.DuckDBPyConnection,
    column: Column,
    value: str,
    by: str | None = None,
    source: str = "",
    *,
    key: str = "k",
    **params: Any,
) -> list[Any]:
    """What a column holds by SQL, masked; `source` is a FROM, `by` stands beside `value`.

    It stays there as the view `SHOWN`, column `v`.
    """
    sql = f"SELECT CAST({value} AS {column.type}) AS v, {by or 'NULL'} AS k {source}"
    rows = db.sql(sql, params=params or None).to_arrow_table()
    seen = Redactor(key).column(column, rows["v"], rows["k"] if by else None)
    db.register("shown_rows", pa.table({"v": seen}))
    db.execute(
        f"CREATE OR REPLACE TEMP VIEW {SHOWN} AS SELECT CAST(v AS {column.type}) AS v "
        "FROM shown_rows"
    )
    return [value for (value,) in db.execute(f"FROM {SHOWN}").fetchall()]
