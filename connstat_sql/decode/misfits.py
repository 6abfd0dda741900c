"""A value that does not fit → where it is and what it looks like, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from connstat_sql.redaction import hidden

SAMPLE_LENGTH = 80
ANY_KEY = "*"
"""Stands in a path for the key of a MAP, which msgspec does not tell."""

Keys = tuple["str | int", ...]


class _Verbatim(str):
    """A number as it stands in the text."""

    __slots__ = ()


def locate(text: bytes, place: str) -> tuple[Keys, Any]:
    """Msgspec's `$.tasks[1].id` in a row's text → keys, and the value there.

    Below a MAP the value is that of the MAP. Raises LookupError when it cannot be found.

    >>> locate(b'{"tasks": [{"id": 0}, {"id": "one"}]}', "$.tasks[1].id")
    (('tasks', 1, 'id'), 'one')
    """
    value = json.loads(text, parse_float=_Verbatim, parse_int=_Verbatim)
    for match in _walks(value, place.removeprefix("$")):
        return match
    raise LookupError(place)


def _walks(value: Any, place: str) -> Iterator[tuple[Keys, Any]]:
    """Ways to read a place: its keys are not quoted, so `.a.b` may be one key or two."""
    if not place:
        yield (), value
    elif place.startswith("[...]"):
        yield (ANY_KEY,), value
    elif place.startswith("[") and isinstance(value, list):
        number, _, rest = place[1:].partition("]")
        for keys, inner in _walks(value[int(number)], rest):
            yield (int(number), *keys), inner
    elif isinstance(value, dict):
        for key in sorted(value, key=len, reverse=True):
            if place.startswith(f".{key}"):
                for keys, inner in _walks(value[key], place[len(key) + 1 :]):
                    yield (key, *keys), inner


def shown(keys: Keys) -> str:
    """Keys as people write them: `$.tasks[1].id`, `$.config.*`, `$."a.b"`."""
    steps = (
        f"[{key}]" if isinstance(key, int) else f".{json.dumps(key)}" if "." in key else f".{key}"
        for key in keys
    )
    return "$" + "".join(steps)


def outline(value: Any) -> str:
    """What kind of value it is, which tells no secret."""
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(value)}" if value else "an empty object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, _Verbatim):
        return "a number"
    if isinstance(value, bool):
        return "a boolean"
    return "null" if value is None else "a string"


def sample(value: Any) -> str:
    """What a value looks like; of objects and arrays the outline only."""
    if isinstance(value, _Verbatim):
        text = str(value)
    elif isinstance(value, (dict, list)):
        text = outline(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
        text = hidden(text[: 4 * SAMPLE_LENGTH])
    return text if len(text) <= SAMPLE_LENGTH else text[:SAMPLE_LENGTH] + "…"
