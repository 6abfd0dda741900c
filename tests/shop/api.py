"""An API over full copies: what its rows, its filters and its pages look like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import duckdb
import httpx

from tests.shop.copies import Shop


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the API writes it, and its values as text."""

    body: str
    values: Mapping[str, str | None]


@dataclass
class Api:
    """Answers requests out of full copies; `asked` are their URLs, in order."""

    tables: Mapping[str, Sequence[Row]]
    asked: list[str] = field(default_factory=list)
    _owned: dict[tuple[str, str], dict[str | None, list[Row]]] = field(default_factory=dict)

    @classmethod
    def over(cls, shop: Shop, copies: duckdb.DuckDBPyConnection) -> Self:
        """The API over all rows of the shop's tables."""
        return cls(
            {
                resource.table.resource: [
                    Row(body, json.loads(values)) for body, values in shop.bodies(copies, resource)
                ]
                for resource in shop.resources()
            }
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API answers."""
        self.asked.append(str(request.url))
        return self.respond(request)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request that has been noted."""
        raise NotImplementedError

    def owned(self, table: str, column: str, value: str) -> list[Row]:
        """The rows of a table whose column has that value."""
        if (table, column) not in self._owned:
            found = self._owned[table, column] = {}
            for row in self.tables[table]:
                found.setdefault(row.values[column], []).append(row)
        return self._owned[table, column].get(value, [])


def matching(
    rows: Sequence[Row], filters: Mapping[str, str], query: Mapping[str, str]
) -> Sequence[Row]:
    """The rows that the filters of a query string leave; `filters`: query keys and columns."""
    for key, column in filters.items():
        if key in query:
            wanted = query[key].split(",")
            rows = [row for row in rows if row.values[column] in wanted]
    return rows


def page(rows: Sequence[Row], request: httpx.Request) -> httpx.Response:
    """The page that a request asks for; where the next one is, in every style at once."""
    query = request.url.params
    size = int(query.get("page_size", len(rows) or 1))
    start = int(query.get("page_token", query.get("after", query.get("offset", "0"))))
    if "page" in query:
        start = (int(query["page"]) - 1) * size
    after = start + size
    has_more = after < len(rows)
    listed = ",".join(row.body for row in rows[start:after])
    token = f',"next_page_token":"{after}"' if has_more else ""
    link = {"Link": f'<{request.url.copy_set_param("after", after)}>; rel="next"'}
    return json_of(f'{{"rows":[{listed}]{token}}}', link if has_more else {})


def not_found(request: httpx.Request) -> httpx.Response:
    """That there is no such thing."""
    return httpx.Response(404, json={"message": f"no such thing: {request.url.path}"})


def json_of(body: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer that is JSON already."""
    return httpx.Response(
        200, content=body.encode(), headers={"Content-Type": "application/json", **(headers or {})}
    )
