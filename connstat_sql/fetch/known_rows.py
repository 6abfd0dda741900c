"""Which rows there are, by the method that knows: a list may leave some out, a read invent one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from connstat_sql.decode import OpenBody
from connstat_sql.decode.body import decoded, descend
from connstat_sql.definitions.model import KEY, Method, Path, RowsPath, Shape
from connstat_sql.errors import UnexpectedShape
from connstat_sql.fetch.completeness import check_no_row
from connstat_sql.fetch.request import Fetch, build_request
from connstat_sql.fetch.request_body import put
from connstat_sql.fetch.responses import Responses
from connstat_sql.transport import Client, Request, Response


class KnownRows(msgspec.Struct, frozen=True):
    """The keys of all rows, and the method, the request and the answer that they are from."""

    method: Method
    request: Request
    answer: Response
    keys: tuple[str, ...]


def key_of(fetch: Fetch) -> str:
    """The parameter that tells rows apart."""
    return next(iter(fetch.resource.method(fetch.method.known_by).fills))


async def ask_known_rows(
    fetch: Fetch, name: str, responses: Responses, client: Client
) -> KnownRows:
    """Ask a list of keys, once in a statement. Raises FetchError and PlanError."""
    method, param = fetch.resource.method(name), key_of(fetch)
    other = replace(fetch, method=method, filters=(), order=(), page_size=None)
    request = build_request(other, client.base_url, None)
    answer = await responses.ask(fetch.connection, request, client, keep=True)
    if answer.status in method.no_row:
        check_no_row(other, request, answer, client)
        return KnownRows(method, request, answer, ())
    try:
        keys = tuple(keys_in(answer.body, method.rows, method.fills[param]))
    except UnexpectedShape as error:
        raise UnexpectedShape(
            f"{request.table}: {client.plain(error.message)}", table=request.table,
            connection=fetch.connection, request=request.line, status=answer.status,
            attempts=answer.attempts,
        ) from None  # fmt: skip
    return KnownRows(method, request, answer, keys)


def keys_in(body: bytes, rows: RowsPath, path: Path) -> Iterator[str]:
    """The key of each row of a body."""
    for key, text in OpenBody(body).rows(rows):
        if path == KEY:
            yield str(key)  # a plain one: that of a decoded map refuses an equal one
            continue
        value = descend(text, path)
        key_value = None if value is None else decoded(value, Any)
        if isinstance(key_value, bool) or not isinstance(key_value, (str, int)):
            raise UnexpectedShape(f"a row has no key at `{'.'.join(path) or '$'}`")
        yield str(key_value)


def is_hollow(body: bytes, rows: RowsPath) -> bool:
    """Whether the rows hold nothing, so that they may be of a thing that is not there."""
    return all(_is_hollow(decoded(text, Any)) for _, text in OpenBody(body).rows(rows))


def _is_hollow(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_hollow, value.values()))
    return value is None or value in ("", [])


def body_of(fetch: Fetch, keys: Iterable[str], known: KnownRows | None) -> bytes:
    """A body as the API would send it, of rows that it left out.

    `known` is a list that has what is known of them; without it their keys are.
    """
    method, param = fetch.method, key_of(fetch)
    there = {} if known is None else _elements(fetch, known)
    shape = method.rows.shape
    elements: dict[str, object] = {}
    for key in keys:
        row: dict[str, Any] = {}
        for path, value in there.get(key, ()):
            put(row, path, value)
        if shape is not Shape.MAP and param in method.fills:
            put(row, method.fills[param], key)
        elements[key] = _nested(method.rows.item, row)
    listed: object = elements if shape is Shape.MAP else list(elements.values())
    if shape is Shape.OBJECT:
        listed = next(iter(elements.values()))
    return msgspec.json.encode(_nested(method.rows.at[0], listed))


def _elements(fetch: Fetch, known: KnownRows) -> dict[str, list[tuple[Path, msgspec.Raw]]]:
    """Of each row of another list what both methods serve, with where it is in ours."""
    ours, other, body = fetch.method, known.method, known.answer.body
    served = [
        (ours.columns.get(column.name, column.path), other.columns.get(column.name, column.path))
        for column in fetch.resource.columns
    ]
    pairs = [
        (mine, theirs) for mine, theirs in served
        if mine and mine != KEY and theirs is not None and theirs != KEY
    ]  # fmt: skip
    keys = keys_in(body, other.rows, other.fills[key_of(fetch)])
    elements = {}
    for key, (_, text) in zip(keys, OpenBody(body).rows(other.rows), strict=True):
        values = ((mine, descend(text, theirs)) for mine, theirs in pairs)
        elements[key] = [(mine, msgspec.Raw(value)) for mine, value in values if value is not None]
    return elements


def _nested(path: Path, value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value
