"""An API over the 24 tables: lists in pages, single rows by key, rows of one owner, filters.

Its paths and filters are those of the definition; the rows are those of the full copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from tests.shop.api import Api, json_of, matching, not_found, page
from tests.tpcds.texts import SHOP


@dataclass(frozen=True, slots=True)
class Route:
    """What a path answers: a table's rows, those whose `column` is in the path ("": all).

    `filters` are query keys and the columns they are compared with.
    """

    table: str
    column: str
    filters: Mapping[str, str]


class RetailApi(Api):
    """The API over the 24 tables."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """A list, a single row, or the rows of one owner."""
        first, *rest = request.url.path.strip("/").split("/")
        route = _routes()[first, "".join(rest[1:]), bool(rest)]
        if not rest:
            query = dict(request.url.params)
            return page(matching(self.tables[route.table], route.filters, query), request)
        rows = self.owned(route.table, route.column, rest[0])
        if len(rest) == 2:
            return page(rows, request)
        return json_of(rows[0].body) if rows else not_found(request)


@cache
def _routes() -> Mapping[tuple[str, str, bool], Route]:
    """By first segment, last one, and whether a key stands between or behind them."""
    found = {}
    for resource in SHOP.resources():
        for method in resource.methods:
            first, *rest = str(method.path).strip("/").split("/")
            found[first, "".join(rest[1:]), bool(rest)] = Route(
                resource.table.resource,
                "".join(method.path.params),
                {str(one.key): one.column for one in method.filters},
            )
    return found
