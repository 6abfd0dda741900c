"""The first rows of a table as HTML, for a notebook: every value is escaped, nothing is loaded."""

from __future__ import annotations

from html import escape

import duckdb
import pyarrow as pa

from connstat_sql.definitions.quoting import quote

MOST_ROWS = 60
_LONGEST = 400
_LEFT, _RIGHT = (f' style="text-align: {side}"' for side in ("left", "right"))


def html_table(table: pa.Table, words: str) -> str:
    """The first rows, and below them some words on all."""
    aligned = [_RIGHT if _is_number(one.type) else _LEFT for one in table.schema]
    heads = "".join(
        f"<th{side}>{_plain(name)}</th>"
        for name, side in zip(table.column_names, aligned, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(map(_cell, row, aligned))}</tr>\n"
        for row in zip(*_texts(table), strict=True)
    )
    head = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n"
    return f"<table>\n{head if heads else ''}</table>\n<p>{escape(words)}</p>"


def _texts(table: pa.Table) -> list[list[str | None]]:
    """The first values of each column as DuckDB writes them."""
    if not table.num_columns:
        return []
    names = [f"c{number}" for number in range(table.num_columns)]
    first = table.slice(0, MOST_ROWS).rename_columns(names)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        casts = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name in names)
        texts = connection.from_arrow(first).project(casts).to_arrow_table()
    return [column.to_pylist() for column in texts.columns]


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(type_) for is_kind in kinds)


def _cell(text: str | None, side: str) -> str:
    if text is None:
        return f"<td{side}><em>NULL</em></td>"
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return f"<td{side}>{_plain(short)}</td>"


def _plain(text: str) -> str:
    return escape(
        "".join(
            one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text
        )
    )
