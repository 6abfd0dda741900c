"""DuckDB's own reading of SQL, and its plans, as the JSON that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def nodes_of(syntax: Any) -> Iterator[dict[str, Any]]:
    """All nodes, however deep, in no order."""
    pending = [syntax]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node
