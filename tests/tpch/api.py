"""An API over the eight tables: lists in pages, lists of one owner, single rows, filters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import httpx

from tests.tpch.data import bodies, resources

OWN_KEY = {
    "regions": ("region", "r_regionkey"), "nations": ("nation", "n_nationkey"),
    "suppliers": ("supplier", "s_suppkey"), "customers": ("customer", "c_custkey"),
    "parts": ("part", "p_partkey"), "orders": ("orders", "o_orderkey"),
}  # fmt: skip
"""First segment of a path → table and key."""
OWNED = {
    ("nations", "suppliers"): ("supplier", "s_nationkey"),
    ("nations", "customers"): ("customer", "c_nationkey"),
    ("customers", "orders"): ("orders", "o_custkey"),
    ("parts", "offers"): ("partsupp", "ps_partkey"),
    ("suppliers", "offers"): ("partsupp", "ps_suppkey"),
    ("orders", "lines"): ("lineitem", "l_orderkey"),
    ("parts", "lines"): ("lineitem", "l_partkey"),
    ("suppliers", "lines"): ("lineitem", "l_suppkey"),
}
"""First and last segment of a path → table, and the column that says whose rows they are."""
FILTERS = {
    "regions": {"name": "r_name"}, "nations": {"name": "n_name"},
    "customers": {"segment": "c_mktsegment"},
    "parts": {"brand": "p_brand", "container": "p_container", "type": "p_type", "size": "p_size"},
}  # fmt: skip
"""First segment of a list → query keys and the columns they are compared with."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the API writes it, and its values as text."""

    body: str
    values: Mapping[str, str]


@dataclass
class Api:
    """Answers requests out of full copies; `asked` are their URLs, in order."""

    tables: Mapping[str, Sequence[Row]]
    asked: list[str] = field(default_factory=list)
    _owned: dict[tuple[str, str], dict[str, list[Row]]] = field(default_factory=dict)

    @classmethod
    def over(cls, copies: duckdb.DuckDBPyConnection) -> Api:
        """The API over all rows of the eight tables."""
        return cls(
            {
                resource.table.resource: [
                    Row(body, json.loads(values)) for body, values in bodies(copies, resource)
                ]
                for resource in resources()
            }
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API answers."""
        self.asked.append(str(request.url))
        first, *rest = request.url.path.strip("/").split("/")
        query = dict(request.url.params)
        table, key = OWN_KEY[first]
        if not rest:
            return _page(_matching(self.tables[table], FILTERS.get(first, {}), query), request)
        owner = self._rows(table, key).get(rest[0])
        if owner is None:
            return httpx.Response(404, json={"message": f"no such thing: {request.url.path}"})
        if len(rest) == 1:
            return _json(owner[0].body)
        return _page(self._rows(*OWNED[first, rest[1]]).get(rest[0], []), request)

    def _rows(self, table: str, column: str) -> Mapping[str, list[Row]]:
        """The rows of a table by the values of a column."""
        if (table, column) not in self._owned:
            found = self._owned[table, column] = {}
            for row in self.tables[table]:
                found.setdefault(row.values[column], []).append(row)
        return self._owned[table, column]


def _matching(
    rows: Sequence[Row], filters: Mapping[str, str], query: Mapping[str, str]
) -> Sequence[Row]:
    for key, column in filters.items():
        if key in query:
            wanted = query[key].split(",")
            rows = [row for row in rows if row.values[column] in wanted]
    return rows


def _page(rows: Sequence[Row], request: httpx.Request) -> httpx.Response:
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
    return _json(f'{{"rows":[{listed}]{token}}}', link if has_more else {})


def _json(body: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(
        200, content=body.encode(), headers={"Content-Type": "application/json", **(headers or {})}
    )
