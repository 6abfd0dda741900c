"""A list that stops at just as many rows as a page may have is noted, unless it is known to end."""

from typing import Any

import httpx

from tests.tabled import over
from tests.test_verdict import SERVICE, answer, depot

LIST = SERVICE.replace(SERVICE[SERVICE.index("        paging:") :], "")
ALL = "SELECT id FROM depot.stock.crates"


@over(
    ("words", "count", "headers", "is_noted"),
    [
        ("", 100, {}, True), ("", 20, {}, True), ("", 99, {}, False), ("", 0, {}, False),
        ("query: {per: 37}", 37, {}, True), ("query: {per: 37}", 36, {}, False),
        ("", 3, {"Link": '<http://depot.test/crates?p=2>; rel="next"'}, True),
        ("", 3, {"Link": '<http://depot.test/crates?p=1>; rel="prev"'}, False),
        ("paging: null", 100, {}, False),
        ("paging: {style: token, request: t, response: next}", 100, {}, False),
    ],
)  # fmt: skip
def test_a_list_that_stops_at_a_page_is_noted(
    words: str, count: int, headers: dict[str, Any], is_noted: bool
) -> None:
    body = {"crates": [{"id": str(n)} for n in range(count)]}

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body, headers=headers)

    result = answer(depot(handler, f"{LIST}        {words}\n"), ALL)
    assert result.table.num_rows == count
    assert [f"stopped at exactly {count} rows" in one for one in result.notes] == [True] * is_noted


def test_a_service_may_say_that_none_of_its_lists_has_pages() -> None:
    body = {"crates": [{"id": str(n)} for n in range(50)]}
    service = LIST.replace("service: stock", "service: stock\npaging: null")
    assert answer(depot(lambda _: httpx.Response(200, json=body), service), ALL).notes == ()
