"""An API over the eight tables: lists in pages, lists of one owner, single rows, filters."""

from __future__ import annotations

import httpx

from tests.shop.api import Api, json_of, matching, not_found, page

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


class WholesaleApi(Api):
    """The API over the eight tables."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """A list, a single row, or the rows of one owner."""
        first, *rest = request.url.path.strip("/").split("/")
        query = dict(request.url.params)
        table, key = OWN_KEY[first]
        if not rest:
            return page(matching(self.tables[table], FILTERS.get(first, {}), query), request)
        owner = self.owned(table, key, rest[0])
        if not owner:
            return not_found(request)
        if len(rest) == 1:
            return json_of(owner[0].body)
        return page(self.owned(*OWNED[first, rest[1]], rest[0]), request)
