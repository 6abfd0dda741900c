"""Values worth offering for a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connstat_sql.definitions.spellings import plain_text
from connstat_sql.saved.model import SavedParam, SavedQuery

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.result import Options, Result


def choices(query: SavedQuery, param: SavedParam, engine: Engine) -> list[str]:  # noqa: ARG001
    """The values worth offering: those allowed, else what the query for them answers.

    They are texts, each once, in the order of that query, without NULLs; empty when nobody says.
    Running it may send requests. Raises a ConnstatError.
    """
    if param.allowed or param.choices is None:
        return list(param.allowed)
    return offered(param, engine)[0]


def offered(
    param: SavedParam, engine: Engine, options: Options | None = None
) -> tuple[list[str], list[Result]]:
    """What the query for a parameter's choices answers: texts, and the results they are from."""
    texts: list[str] = []
    results = list(engine.run(param.choices or "", None, options))
    for result in results:
        if result.has_rows and result.table.num_columns:
            listed = result.table.column(0).to_pylist()
            texts = [plain_text(value) for value in listed if value is not None]
    return list(dict.fromkeys(texts)), results
