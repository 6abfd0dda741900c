"""A list that stops at just as many rows as a page may have is noted, unless it is known to end."""

from typing import Any

import httpx

from tests.tabled import over
from tests.unit.fetch.test_verdict import SERVICE, answer, depot

LIST = SERVICE.replace(SERVICE[SERVICE.index("        paging:") :], "")
TOKEN = "{style: token, request: t, response: nxt}"
HEADER = "{style: token, request: t, response: {header: X-Next}}"
SIZED = "{style: token, request: t, response: meta.next, size: {query: per, max: 40}}"
ALL = "SELECT id FROM depot.stock.crates"


@over(
    ("words", "count", "headers", "is_noted"),
    [
        ("", 100, {}, True), ("", 20, {}, True), ("", 99, {}, False), ("", 0, {}, False),
        ("query: {per: 37}", 37, {}, True), ("query: {per: 37}", 36, {}, False),
        ("", 3, {"Link": '<http://depot.test/crates?p=2>; rel="next"'}, True),
        ("", 3, {"Link": '<http://depot.test/crates?p=1>; rel="prev"'}, False),
        ("paging: null", 100, {}, False),
        (f"paging: {TOKEN}", 100, {}, True), (f"paging: {TOKEN}", 99, {}, False),
        (f"paging: {TOKEN}", 100, {"X-Next": ""}, True),
        (f"paging: {HEADER}", 100, {}, True), (f"paging: {HEADER}", 100, {"X-Next": ""}, False),
        ("paging: {style: link, response: links.next}", 50, {}, True),
        ("paging: {style: link_header}", 100, {}, True),
        ("paging: {style: link_header}", 100, {"Link": '</c>; rel="prev"'}, False),
        (f"paging: {SIZED}", 40, {}, True), (f"paging: {SIZED}", 100, {}, True),
        (f"paging: {SIZED}", 20, {}, False),
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
    assert [f"stopped at exactly {count} rows" in note for note in result.notes] == [
        True
    ] * is_noted


PAGED = "{style: page, request: p, last_page: short, size: {query: per, max: 40}}"


@over(
    ("words", "beside", "sign"),
    [
        ("", {"next_cursor": "k7"}, "`next_cursor`"), ("", {"nextPageToken": ""}, ""),
        ("", {"@odata.nextLink": "https://depot.test/c?s=1"}, "`@odata.nextLink`"),
        ("", {"paging": {"next": {"after": "1", "url": "/c"}}}, "`paging.next`"),
        ("", {"_links": {"next": {"href": "/c?p=2"}, "self": {"href": "/c"}}}, "`_links.next`"),
        ("", {"links": [{"rel": "next", "href": "/c?p=2"}]}, "`links.next`"),
        ("", {"has_more": True}, "`has_more`: true"), ("", {"has_more": False}, ""),
        ("", {"isLast": False}, "`isLast`: false"),
        ("", {"meta": {"last_page": 2}}, "`meta.last_page`: 2"),
        ("", {"total": 7}, "`total`: 7"), ("", {"total": 3}, ""), ("", {"stats": {"total": 7}}, ""),
        ("paging: null", {"has_more": True}, ""), (f"paging: {TOKEN}", {"next": "k7"}, "`next`"),
        (f"paging: {TOKEN}", {"next": "k7", "nxt": None}, ""),
        ("paging: {style: link, response: n, done: end}", {"end": True, "more": True}, ""),
        (f"paging: {PAGED}", {"total": 7}, "`total`: 7"), (f"paging: {PAGED}", {"total": 3}, ""),
    ],
)  # fmt: skip
def test_an_answer_that_says_itself_that_it_goes_on_is_noted(
    words: str, beside: dict[str, Any], sign: str
) -> None:
    body = {"crates": [{"id": str(n)} for n in range(3)], **beside}
    service = f"{LIST}        {words}\n"
    (*notes,) = answer(depot(lambda _: httpx.Response(200, json=body), service), ALL).notes
    assert [f"after 3 rows, though the answer holds {sign}:" in note for note in notes] == (
        [True] if sign else []
    )


COUNTED = "{style: offset, request: from, total: hits.total, size: {query: n, max: 9}}"
IN_HEADER = COUNTED.replace("hits.total", "{header: X-Total}")


@over(
    ("paging", "total", "is_noted"),
    [(COUNTED, 10_000, True), (COUNTED, 9_999, False), (IN_HEADER, 10_000, True)],
)
def test_a_total_at_which_searches_stop_counting_is_noted(
    paging: str, total: int, is_noted: bool
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("from", 0))
        rows = [{"id": str(n)} for n in range(start, min(start + 2500, total))]
        said = {"X-Total": str(total)}
        return httpx.Response(200, json={"crates": rows, "hits": {"total": total}}, headers=said)

    result = answer(depot(handler, f"{LIST}        paging: {paging}\n"), ALL)
    assert result.table.num_rows == total
    assert [f"is exactly {total:,}, where" in note for note in result.notes] == [True] * is_noted


def test_a_service_may_say_that_none_of_its_lists_has_pages() -> None:
    body = {"crates": [{"id": str(n)} for n in range(50)]}
    service = LIST.replace("service: stock", "service: stock\npaging: null")
    assert answer(depot(lambda _: httpx.Response(200, json=body), service), ALL).notes == ()


@over(("end", "is_noted"), [({"nxt": None}, False), ({"nxt": ""}, False), ({"next": None}, True)])
def test_a_full_page_is_the_last_where_the_answer_says_so(end: Any, is_noted: bool) -> None:
    body = {"crates": [{"id": str(n)} for n in range(100)], **end}
    service = f"{LIST}        paging: {TOKEN}\n"
    (*notes,) = answer(depot(lambda _: httpx.Response(200, json=body), service), ALL).notes
    assert ["the answer has no `nxt`" in note for note in notes] == [True] * is_noted


def test_only_the_first_page_of_a_list_is_suspicious() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        rows = {"crates": [{"id": request.url.query.decode() + str(n)} for n in range(50)]}
        return httpx.Response(200, json=rows if "t=" in str(request.url) else {**rows, "nxt": "2"})

    result = answer(depot(handler, f"{LIST}        paging: {TOKEN}\n"), ALL)
    assert (result.table.num_rows, result.notes) == (100, ())
