"""Tables as DuckDB itself draws them."""

from __future__ import annotations

import contextlib
import io

import pyarrow as pa

from connstat_sql.output.rows import registered

_UNLIMITED = 2**31
DRAWN_BY_DUCKDB = 9_999
"""Rows that DuckDB draws, whatever it is asked for; of more it would leave out the rest."""


def box(table: pa.Table) -> str:
    """DuckDB's own drawing, with every column in full, and every row as far as DuckDB goes."""
    if not table.column_names:
        return ""
    with registered(table) as rows, contextlib.redirect_stdout(io.StringIO()) as drawn:
        rows.show(max_rows=_UNLIMITED, max_width=_UNLIMITED, max_col_width=_UNLIMITED)
    return drawn.getvalue().rstrip("\n") + "\n"
