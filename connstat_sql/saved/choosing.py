"""Values worth offering for a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connstat_sql.saved.values import SavedParam, SavedQuery

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


def choices(query: SavedQuery, param: SavedParam, engine: Engine) -> list[str]:  # noqa: ARG001
    """The values worth offering: those allowed, else what the query for them answers.

    They are texts, each once, in the order of that query, without NULLs; empty when nobody says.
    Running it may send requests. Raises a ConnstatError.
    """
    if param.allowed or param.choices is None:
        return list(param.allowed)
    found: list[str] = []
    for result in engine.run(param.choices):
        if result.has_rows and result.table.num_columns:
            listed = result.table.column(0).to_pylist()
            found = [_text(one) for one in listed if one is not None]
    return list(dict.fromkeys(found))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
