"""DuckDB's word on what was taken out of some SQL: the same statement, but for conditions."""

from __future__ import annotations

from typing import Any

from connstat_sql.database.session import Session

_PLACES = {"query_location", "query_location_length"}
_TRUE = {"kind": "BOOLEAN", "text": "true"}


def agrees(session: Session, whole: str, left: str) -> bool:
    """Whether DuckDB reads what is left as the whole with TRUE in place of some of it.

    SQL of which it does not show its reading, such as anything but a SELECT, is taken on trust in
    the other parser.
    """
    first, second = session.told_syntax(whole), session.told_syntax(left)
    if not isinstance(first, list) or not isinstance(second, list):
        return True
    return _alike([one["node"] for one in first], [one["node"] for one in second])


def _alike(whole: Any, left: Any) -> bool:
    if isinstance(left, dict) and left.get("literal") == _TRUE:
        return True
    if isinstance(whole, dict) and isinstance(left, dict):
        return whole.keys() == left.keys() and all(
            key in _PLACES or _alike(value, left[key]) for key, value in whole.items()
        )
    if isinstance(whole, list) and isinstance(left, list):
        return len(whole) == len(left) and all(map(_alike, whole, left))
    return bool(whole == left)
