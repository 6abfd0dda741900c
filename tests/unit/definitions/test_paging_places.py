"""Cursors wherever they are: bodies, headers, last rows, whole links; and what ends such lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from connstat_sql.definitions.model import (
    KEY,
    InBody,
    InHeader,
    InLastRow,
    JsonBody,
    Method,
    Paging,
    PagingStyle,
    Resource,
    RowsPath,
    Shape,
    TableName,
    Template,
)
from connstat_sql.errors import ConnectionFailed, FetchError, UnexpectedShape
from connstat_sql.fetch import Fetch
from tests.tabled import over
from tests.unit.fetch.test_paging import World, body, numbers, reader

TOKEN = Paging(PagingStyle.TOKEN, "after", ("next",))
IN_BODY = replace(TOKEN, request=InBody(("page", "after")))
LAST = replace(TOKEN, response=InLastRow(("n",)))
LINK = Paging(PagingStyle.LINK, None, ("next",))
LINK_HEADER = Paging(PagingStyle.LINK_HEADER, None)


def fetch(paging: Paging, rows: RowsPath | None = None, text: str = '{"a":1}') -> Fetch:
    verb = "POST" if isinstance(paging.request, InBody) else "GET"
    method = Method(
        "list", Template(("/v1/t",)), verb, rows=rows or RowsPath(at=(("rows",),)), paging=paging,
        body=JsonBody(text) if verb == "POST" else None,
    )  # fmt: skip
    return Fetch("one", Resource(TableName("p", "s", "t"), "", (), (), (method,)), method, {})


def walk(
    paging: Paging, *answers: httpx.Response, rows: RowsPath | None = None
) -> tuple[list[Any], list[str]]:
    """The numbers of all pages, and what was asked: queries, or bodies where there are any."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.content:
            asked.append(request.content.decode())
        else:
            asked.append(request.url.raw_path.decode())
        return answers[min(len(asked), len(answers)) - 1]

    wanted = fetch(paging, rows)
    pages = World(answer).pages(wanted)
    assert reader(wanted.method).rows == wanted.method.rows
    return numbers(pages), asked


def page(*numbers: int, **more: Any) -> httpx.Response:
    return body(list(numbers), **more)


def with_link(response: httpx.Response, header: str) -> httpx.Response:
    response.headers["Link"] = header
    return response


def array(*rows: Any) -> httpx.Response:
    return httpx.Response(200, json=list(rows))


# --- where cursors go and come from --------------------------------------------------------------


@over(
    "cursor, sent",
    [
        ("b", '"b"'), ("é\"", '"é\\""'), (7, "7"), (1.5, "1.5"), (2**60 + 1, str(2**60 + 1)),
        ([1, "x", None], '[1,"x",null]'), ({"k": {"S": "1"}}, '{"k":{"S":"1"}}'),
    ],
)  # fmt: skip
def test_a_cursor_goes_into_a_body_as_it_came(cursor: Any, sent: str) -> None:
    found, asked = walk(IN_BODY, page(1, next=cursor), page(2))
    assert found == [1, 2]
    assert asked == ['{"a":1}', f'{{"a":1,"page":{{"after":{sent}}}}}']


@over("empty", [None, "", [], {}, False])
def test_an_empty_cursor_is_the_end(empty: Any) -> None:
    assert walk(IN_BODY, page(1, next="a"), page(2, next=empty))[0] == [1, 2]


@over("cursor", [{"k": 1}, [1]])
def test_an_object_or_a_list_cannot_stand_in_a_query(cursor: Any) -> None:
    with pytest.raises(UnexpectedShape, match="no token of a query string") as caught:
        walk(TOKEN, page(1, next=cursor))
    assert "request: {body: KEY}" in caught.value.hint


def test_an_empty_page_is_the_end_where_the_definition_says_so() -> None:
    on = [page(1, 2, next="a"), page(3, next="b"), page(next="c"), page(next="d")]
    ended = replace(TOKEN, empty_is_last=True)
    assert walk(ended, *on) == ([1, 2, 3], ["/v1/t", "/v1/t?after=a", "/v1/t?after=b"])
    with pytest.raises(UnexpectedShape, match="without rows") as caught:
        walk(TOKEN, *on)
    assert "last_page: empty" in caught.value.hint
    short = replace(ended, size_key="n", size=2, short_is_last=True)
    assert walk(short, *on) == ([1, 2, 3], ["/v1/t?n=2", "/v1/t?n=2&after=a"])


def test_a_first_page_of_a_usual_length_shows_what_the_server_gives_at_most() -> None:
    """It was asked for 200 rows and gives 20 a page: shorter than that is the last."""
    rows = [page(*range(20)), page(*range(20, 40)), page(40)]
    asked = ["/v1/t?n=200", "/v1/t?n=200&from=20", "/v1/t?n=200&from=40"]
    sized = {"size_key": "n", "size": 200, "short_is_last": True}
    paging = Paging(PagingStyle.OFFSET, "from", **sized)  # type: ignore[arg-type]
    assert walk(paging, *rows) == (list(range(41)), asked)
    assert walk(paging, page(*range(19)))[1] == asked[:1]


@over("first", [0, 1])
@over("words", [{}, {"total": ("total",)}, {"total_pages": ("pages",)}])
def test_a_server_that_does_not_heed_the_number_is_an_error(words: Any, first: int) -> None:
    """So is one that gives its first page for the numbers 0 and 1."""
    same = page(1, 2, total=4, pages=2)
    for style in (PagingStyle.PAGE, PagingStyle.OFFSET):
        with pytest.raises(UnexpectedShape, match="same rows as a page before") as caught:
            walk(Paging(style, "p", first=first, **words), same, same)
        assert "`first: 1`" in caught.value.hint


def test_a_flag_that_is_not_there_is_said_so() -> None:
    with pytest.raises(UnexpectedShape, match="`more` is not there") as caught:
        walk(replace(TOKEN, more=("more",)), page(1, next="a"))
    assert "leaves it out on the last page" in caught.value.hint


def test_a_number_is_a_cursor_of_a_query() -> None:
    assert walk(TOKEN, page(1, next=9), page(2))[1] == ["/v1/t", "/v1/t?after=9"]


def test_offsets_and_page_numbers_in_a_body_are_numbers_also_where_the_answer_is_an_array() -> None:
    sized = {"size_key": InBody(("take",)), "size": 2, "short_is_last": True}
    offsets = Paging(PagingStyle.OFFSET, InBody(("skip",)), **sized)  # type: ignore[arg-type]
    found, asked = walk(offsets, array({"n": 1}, {"n": 2}), array({"n": 3}), rows=RowsPath())
    assert found == [1, 2, 3]
    assert asked == ['{"a":1,"take":2}', '{"a":1,"take":2,"skip":2}']
    pages = Paging(PagingStyle.PAGE, InBody(("p", "no")), first=1, **sized)  # type: ignore[arg-type]
    _, asked = walk(pages, array({"n": 1}, {"n": 2}), array(), rows=RowsPath())
    assert asked == ['{"a":1,"take":2,"p":{"no":1}}', '{"a":1,"take":2,"p":{"no":2}}']


def test_headers_hold_cursors_both_ways() -> None:
    paging = replace(TOKEN, request=InHeader("X-Go-On"), response=InHeader("x-next"))
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-go-on"))
        more = {"X-Next": "c 1"} if len(seen) == 1 else {}
        return httpx.Response(200, json={"rows": [{"n": len(seen)}]}, headers=more)

    assert numbers(World(answer).pages(fetch(paging))) == [1, 2]
    assert seen == [None, "c 1"]


def test_totals_and_flags_may_stand_in_headers() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["p"])
        return httpx.Response(200, json={"rows": [{"n": number}]}, headers={"X-Pages": "3"})

    paging = Paging(PagingStyle.PAGE, "p", first=1, total_pages=InHeader("X-Pages"))
    assert sorted(numbers(World(answer).pages(fetch(paging)))) == [1, 2, 3]


# --- the last row --------------------------------------------------------------------------------


def test_the_last_rows_cursor_is_beside_the_row_where_an_element_holds_it() -> None:
    rows = RowsPath(item=("row",))
    paging = replace(
        LAST, response=InLastRow(("cursor",)), size_key="n", size=2, short_is_last=True
    )
    first = array({"row": {"n": 1}, "cursor": "a"}, {"row": {"n": 2}, "cursor": "b"})
    found, asked = walk(paging, first, array({"row": {"n": 3}, "cursor": "c"}), rows=rows)
    assert (found, asked) == ([1, 2, 3], ["/v1/t?n=2", "/v1/t?n=2&after=b"])


@over(
    "paging, answers, pages",
    [
        (LAST, [page(1), page(2), page()], 3),
        (replace(LAST, size_key="n", size=2), [page(1, 2), page(3), page()], 3),
        (replace(LAST, size_key="n", size=2, short_is_last=True), [page(1, 2), page(3)], 2),
        (replace(LAST, size_key="n", size=2), [page(1, 2), page()], 2),
        (replace(LAST, more=("more",)), [page(1, more=True), page(2, more=False)], 2),
        (replace(LAST, done=("done",)), [page(1, done=False), page(2, done=True)], 2),
        (replace(LAST, done=("done",)), [page(1, done="false"), page(2, done=1)], 2),
        (LAST, [page()], 1),
    ],
)
def test_a_list_by_its_last_rows_ends(
    paging: Paging, answers: list[httpx.Response], pages: int
) -> None:
    assert len(walk(paging, *answers)[1]) == pages


def test_a_last_row_without_the_cursor_is_an_error() -> None:
    with pytest.raises(UnexpectedShape, match="the last row has no `uid`") as caught:
        walk(replace(LAST, response=InLastRow(("uid",))), page(1))
    assert "last_row" in caught.value.hint


def test_the_last_row_of_a_map_is_known_by_its_name() -> None:
    rows = RowsPath(Shape.MAP, at=(("rows",),))
    answers = [httpx.Response(200, json={"rows": one}) for one in ({"a": {"n": 1}}, {})]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return answers[len(asked) - 1]

    pages = World(answer).pages(fetch(replace(TOKEN, response=InLastRow(KEY)), rows))
    assert [page.count for page in pages] == [1, 0]
    assert asked == ["/v1/t", "/v1/t?after=a"]


# --- the first cursor, and one that comes again --------------------------------------------------

MARKS = replace(TOKEN, first_token="*", repeat_ends=True)


def test_a_first_cursor_is_sent_and_the_same_sent_back_is_the_end() -> None:
    found, asked = walk(MARKS, page(1, next="a"), page(2, next="b"), page(next="b"))
    assert found == [1, 2]
    assert asked == ["/v1/t?after=%2A", "/v1/t?after=a", "/v1/t?after=b"]
    assert walk(MARKS, page(next="*"))[1] == ["/v1/t?after=%2A"]


@over(
    "paging, cursors",
    [
        (MARKS, ["a", "b", "a"]), (MARKS, ["a", "*"]), (TOKEN, ["a", "a"]),
        (TOKEN, ["a", "b", "a"]), (IN_BODY, [{"k": 1}, {"k": 2}, {"k": 1}]),
        (LINK, ["?p=2", "?p=2"]),
    ],
)  # fmt: skip
def test_a_cursor_of_an_earlier_page_is_an_error_and_never_the_end(
    paging: Paging, cursors: list[Any]
) -> None:
    with pytest.raises(UnexpectedShape, match="round in a circle"):
        walk(paging, *(page(number, next=cursor) for number, cursor in enumerate(cursors)))


@over("end", [0, "0", -1, "END"])
def test_a_cursor_that_is_no_cursor_is_the_end(end: Any) -> None:
    paging = replace(TOKEN, first_token=0, ends=frozenset({"0", "-1", "END"}))
    found, asked = walk(paging, page(1, next=7), page(2, next=end))
    assert found == [1, 2]
    assert asked == ["/v1/t?after=0", "/v1/t?after=7"]
    with pytest.raises(UnexpectedShape, match="there are more pages, but `next` holds no token"):
        walk(replace(paging, more=("more",)), page(1, next=end, more=True))


def test_a_cursor_that_leads_back_tells_how_a_definition_says_that_it_ends() -> None:
    with pytest.raises(UnexpectedShape) as caught:
        walk(replace(TOKEN, first_token=0), page(1, next=7), page(2, next=0))
    assert caught.value.hint is not None
    assert "ends: [0]" in caught.value.hint


@over("end", [None, "", False, {}, []])
def test_a_link_that_is_none_is_the_end(end: Any) -> None:
    assert walk(LINK, page(1, next="/v1/t?p=2"), page(2, next=end))[0] == [1, 2]


def test_a_link_inside_an_object_is_told_with_its_path() -> None:
    with pytest.raises(UnexpectedShape, match="is no text") as caught:
        walk(LINK, page(1, next={"href": "/v1/t?p=2"}))
    assert "response: next.href" in caught.value.hint


@over("link", ["/v1/t", "http://one.test/v1/t", "?"])
def test_a_link_to_its_own_page_is_not_followed(link: str) -> None:
    world = World(lambda _: page(1, next=link))
    with pytest.raises(UnexpectedShape, match="round in a circle"):
        world.pages(fetch(LINK))
    assert len(world.asked) == 1


# --- whole links ---------------------------------------------------------------------------------


@over(
    "link, asked",
    [
        ("/q/01g-2000", "/q/01g-2000"), ("?page=2", "/v1/t?page=2"), ("u?x", "/v1/u?x"),
        ("http://one.test/v1/t?b=1,2&a=%2F%20+", "/v1/t?b=1,2&a=%2F%20+"),
        ("http://ann:pw@one.test:80/q#part", "/q"), (" /q ", "/q"), ("http://one.test", "/"),
    ],
)  # fmt: skip
def test_a_link_is_followed_as_it_is_on_the_own_host(link: str, asked: str) -> None:
    paging = replace(LINK, size_key="n", size=5)
    assert walk(paging, page(1, next=link), page(2)) == ([1, 2], ["/v1/t?n=5", asked])
    header = with_link(page(1), f'<{link}>; rel="next"')
    assert walk(LINK_HEADER, header, page(2)) == ([1, 2], ["/v1/t", asked])


@over("link", ["http://two.test/q", "https://one.test/q", "//two.test/q", "http://one.test:81/q"])
def test_a_link_elsewhere_is_sent_nothing_unless_the_host_is_trusted(link: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"is not a host|without encryption") as caught:
        walk(LINK, page(1, next=link))
    assert "trusted_hosts" in caught.value.hint or "encryption" in caught.value.message
    there = replace(LINK, any_host=True)
    assert walk(there, page(1, next=link), page(2))[1] == ["/v1/t", "/q"]


@over("link", ["ftp://one.test/q", "http://[", 7, "javascript:alert(1)"])
def test_what_is_no_link_is_an_error(link: Any) -> None:
    with pytest.raises(FetchError):
        walk(LINK, page(1, next=link))


def test_attributes_say_whether_a_link_is_followed() -> None:
    paging = replace(LINK_HEADER, attributes=(("results", "true"),))
    on, off = (f'<?p={n}>; rel="next"; results="{at}"' for n, at in ((2, "TRUE"), (3, "false")))
    assert walk(paging, with_link(page(1), on), with_link(page(2), off))[0] == [1, 2]
    with pytest.raises(UnexpectedShape, match="does not say its `results`"):
        walk(paging, with_link(page(1), '<?p=2>; rel="next"'))


# --- bodies that leave no room -------------------------------------------------------------------


@over(
    "paging, answers, says",
    [
        (TOKEN, [array({"n": 1})], "nothing can stand at `next`, for the body is an array"),
        (replace(TOKEN, response=("meta", "next")), [array({"n": 1})],
         "nothing can stand at `meta.next`, for the body is an array"),
        (replace(TOKEN, response=("rows", "next")), [page(1)],
         "nothing can stand at `rows.next`, for `rows` is an array"),
        (replace(TOKEN, more=("rows", "more")), [page(1, next="a")],
         "nothing can stand at `rows.more`, for `rows` is an array"),
    ],
)  # fmt: skip
def test_a_cursor_that_the_body_cannot_hold_is_an_error_and_never_the_end(
    paging: Paging, answers: list[httpx.Response], says: str
) -> None:
    with pytest.raises(UnexpectedShape) as caught:
        walk(paging, *answers, rows=RowsPath(at=(("rows",), ())))
    assert says in caught.value.message


LINKS = replace(LINK, response=("links[rel=next]", "href"))


@over(
    "paging, told, pages",
    [
        (replace(LINK, response=("@odata", "nextLink")), {"@odata.nextLink": "?p=2"}, 2),
        (replace(LINK, response=("a", "b", "c")), {"a": {"b.c": "?p=2"}}, 2),
        (replace(LINK, response=("a", "b", "c")), {"a": {"b": {}}, "a.b.c": "?p=2"}, 2),
        (replace(TOKEN, response=("links", "0", "at")), {"links": [{"at": "x"}]}, 2),
        (replace(TOKEN, response=("links", "1", "at")), {"links": [{"at": "x"}]}, 1),
        (LINKS, {"links": [{"rel": "self", "href": "?p=1"}, {"rel": "next", "href": "?p=2"}]}, 2),
        (LINKS, {"links": [{"rel": "self", "href": "?p=1"}]}, 1),
        (LINKS, {"links": []}, 1),
        (LINKS, {"links": None}, 1),
    ],
)
def test_keys_with_dots_and_elements_of_arrays_are_found(
    paging: Paging, told: dict[str, Any], pages: int
) -> None:
    assert len(walk(paging, page(1, **told), page(2))[1]) == pages


@over(
    "links, says",
    [
        ([{"relation": "next", "href": "?p=2"}], "no element of `links` has `rel`"),
        ({"next": "?p=2"}, "`links` is an object, and no array"),
    ],
)
def test_a_list_of_links_of_another_kind_is_an_error(links: Any, says: str) -> None:
    with pytest.raises(UnexpectedShape, match=says):
        walk(LINKS, page(1, links=links))


@over("missing", [{}, {"meta": None}, {"meta": {}}])
def test_what_could_hold_a_cursor_and_does_not_is_the_last_page(missing: dict[str, Any]) -> None:
    assert walk(replace(TOKEN, response=("meta", "next")), page(1, **missing))[0] == [1]
