"""Bodies of requests: parameters filled in with the types that they have, paging put in place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from connstat_sql.definitions.bodies import PLACEHOLDER
from connstat_sql.definitions.model import JSON, JsonBody, Path, Scalar
from connstat_sql.errors import PlanError

Placed = tuple[Path, bytes]
"""A place in a body, and the JSON that stands there."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def json_body(
    body: JsonBody | None,
    arguments: Mapping[str, str],
    type_of: Callable[[str], Scalar],
    placed: Sequence[Placed],
) -> bytes:
    """The bytes of a JSON body; `type_of` answers a parameter's type. Raises PlanError.

    >>> body = JsonBody('{"filter": {"id": "{id}"}}', ("id",))
    >>> types = {"id": Scalar("BIGINT")}
    >>> json_body(body, {"id": "7"}, types.__getitem__, [(("page", "size"), b"50")])
    b'{"filter":{"id":7},"page":{"size":50}}'
    """
    if body is not None and not body.params and not placed:
        return body.text.encode()  # as it was written
    value: Any = {} if body is None else json.loads(body.text)
    if body is not None and body.params:
        value = _filled(value, arguments, type_of)
    for path, text in placed:
        put(value, path, Raw(text))
    return msgspec.json.encode(value)


def _filled(value: Any, arguments: Mapping[str, str], type_of: Callable[[str], Scalar]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, arguments, type_of) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, arguments, type_of) for inner in value]
    if not isinstance(value, str):
        return value
    whole = PLACEHOLDER.fullmatch(value)
    if whole is not None and whole[1] in arguments:
        return typed(whole[1], arguments[whole[1]], type_of(whole[1]))
    return PLACEHOLDER.sub(lambda match: sendable(arguments[match[1]]), value)


def typed(name: str, text: str, of: Scalar) -> Any:
    """A parameter's value as JSON has it."""
    kind = str(of)
    if kind == "BOOLEAN":
        return text == "true"
    if of == JSON:
        try:
            msgspec.json.decode(sendable(text).encode())
        except (msgspec.DecodeError, RecursionError):
            raise PlanError(f"{name} is not JSON: {text[:100]!r}") from None
        return Raw(text.encode())
    if kind.endswith("INT") or kind.partition("(")[0] in ("INTEGER", "FLOAT", "DOUBLE", "DECIMAL"):
        if not _NUMBER.fullmatch(text):
            raise PlanError(f"{name} is {text[:100]}, which is no number that JSON has")
        return Raw(text.encode())
    return sendable(text)


def sendable(text: str) -> str:
    """The text. Raises PlanError when it cannot be sent as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PlanError(f"{text!r} is not text that can be sent") from None
    return text


def put(body: Any, path: Path, value: object) -> None:
    """Put a value at a path; the loader has seen to it that nothing else stands in the way."""
    for key in path[:-1]:
        body = body[int(key)] if isinstance(body, list) else body.setdefault(key, {})
    body[path[-1]] = value
