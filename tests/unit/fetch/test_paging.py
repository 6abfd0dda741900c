"""Walks through pages: every style to its end, and what ends them in an error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.definitions.model import (
    Auth,
    AuthKind,
    Method,
    Paging,
    PagingStyle,
    Path,
    Provider,
    Resource,
    RowsPath,
    Scalar,
    Shape,
    TableName,
    Template,
)
from connstat_sql.errors import FetchError, PlanError, UnexpectedShape
from connstat_sql.fetch import Fetch, Page, RequestBudget, Responses
from connstat_sql.fetch.pages import PageReader
from connstat_sql.fetch.paginators import LONGEST_CURSOR
from connstat_sql.transport import Client, ClientOptions, Connection
from tests.conftest import FakeClock
from tests.examples import examples

PROVIDER = Provider("p", "", "", (), (Auth(AuthKind.NONE),), ("s",), retries=())
ORIGIN = "http://one.test"

Answer = Callable[[httpx.Request], "httpx.Response | Awaitable[httpx.Response]"]


@dataclass
class World:
    """A server that answers as told, and what was asked of it."""

    answer: Answer
    budget: RequestBudget = field(default_factory=lambda: RequestBudget(1000))
    concurrency: int = 4
    asked: list[str] = field(default_factory=list)

    async def respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.query.decode())
        answer = self.answer(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    def client(self) -> Client:
        connection = Connection("one", "p", base_url=ORIGIN, max_concurrency=self.concurrency)
        return Client(
            PROVIDER, connection, ClientOptions(FakeClock(), {}, httpx.MockTransport(self.respond))
        )

    def pages(self, fetch: Fetch, limit: int | None = None) -> list[Page]:
        """All pages of a fetch, with everything closed behind them."""

        async def collect(pages: AsyncGenerator[Page, None]) -> list[Page]:
            return [page async for page in pages]

        collected: list[Page] = self.run(fetch, collect, limit)
        return collected

    def run(
        self,
        fetch: Fetch,
        use: Callable[[AsyncGenerator[Page, None]], Awaitable[Any]],
        limit: int | None = None,
    ) -> Any:
        async def main() -> Any:
            client = self.client()
            page_reader = PageReader(reader(fetch.method), Responses(self.budget), limit=limit)
            try:
                async with aclosing(all_pages(page_reader, fetch, client)) as pages:
                    return await use(pages)
            finally:
                assert len(asyncio.all_tasks()) == 1
                await client.close()

        return asyncio.run(main())


async def all_pages(
    page_reader: PageReader, fetch: Fetch, client: Client
) -> AsyncGenerator[Page, None]:
    first, following = await page_reader.begin(fetch, client)
    yield first
    if following is not None:
        async with aclosing(following):
            async for page in following:
                yield page


def listing(paging: Paging | None, rows: RowsPath | None = None, size: int | None = None) -> Fetch:
    rows = rows if rows is not None else RowsPath(at=(("rows",),))
    method = Method("list", Template(("/t",)), rows=rows, paging=paging)
    return Fetch("one", Resource(TableName("p", "s", "t"), "", (), (), (method,)), method, {},
                 page_size=size)  # fmt: skip


def reader(method: Method) -> RowReader:
    path = () if method.rows.shape is Shape.SCALARS else ("n",)
    return RowReader(method.rows, (FieldLayout("n", Scalar("BIGINT"), path),))


def numbers(pages: list[Page]) -> list[Any]:
    rows = [row for page in pages for text in page.texts for row in json.loads(text)]
    assert len(rows) == sum(page.count for page in pages)
    return [row["n"] for row in rows]


def body(numbers: range | list[int], **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"rows": [{"n": n, "id": {"k": n}} for n in numbers],
                                     **more})  # fmt: skip


SIZE = 5
TOKENS = Paging(PagingStyle.TOKEN, "after", ("next",), size_key="n", size=SIZE)
FLAGGED = replace(TOKENS, more=("more",))
LINKS = replace(TOKENS, style=PagingStyle.LINK)
HEADERS = Paging(PagingStyle.LINK_HEADER, "after", size_key="n", size=SIZE)
OFFSETS = Paging(PagingStyle.OFFSET, "from", size_key="n", size=SIZE)
FLAGGED_OFFSETS = replace(OFFSETS, more=("more",), size_key=None, size=None)
NUMBERS = Paging(PagingStyle.PAGE, "page", size_key="n", size=SIZE, first=1)
FLAGGED_NUMBERS = replace(NUMBERS, more=("more",), first=0)
TOTALS = replace(OFFSETS, total=("total",))
SHORT_OFFSETS = replace(OFFSETS, short_is_last=True)
SHORT_NUMBERS = replace(NUMBERS, short_is_last=True)
NUMBER_TOTALS = replace(NUMBERS, total=("total",))
OFFSET_PAGES = replace(OFFSETS, total_pages=("pages",))
PAGES = replace(NUMBERS, total_pages=("pages",))
STYLES = {
    "tokens": TOKENS, "flagged tokens": FLAGGED, "links": LINKS, "link headers": HEADERS,
    "offsets": OFFSETS, "flagged offsets": FLAGGED_OFFSETS, "page numbers": NUMBERS,
    "flagged page numbers": FLAGGED_NUMBERS, "totals": TOTALS, "totals by number": NUMBER_TOTALS,
    "pages by offset": OFFSET_PAGES, "pages by number": PAGES, "short offsets": SHORT_OFFSETS,
    "short page numbers": SHORT_NUMBERS,
}  # fmt: skip


def honest(paging: Paging, total: int, most: int = SIZE) -> Answer:
    """A list of so many rows, in every style at once, with at most so many on a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        size = min(int(asked.get("n", most)), most)
        if paging.style is PagingStyle.PAGE:
            start = (int(asked["page"]) - paging.first) * size
        else:
            start = int(asked.get("from", asked.get("after", "0")))
        end, is_last = start + size, start + size >= total
        link = f"{ORIGIN}/elsewhere?x=1&after={end}"
        token = {} if is_last else {"next": link if paging.style is PagingStyle.LINK else str(end)}
        answer = body(range(start, min(end, total)), more=not is_last, total=total,
                      pages=-(-total // size), **token)  # fmt: skip
        if not is_last:
            answer.headers["Link"] = f'<{ORIGIN}/before>; rel="prev", <{link}>; rel="next"'
        return answer

    return answer


@settings(max_examples=examples(100), deadline=None)
@given(
    style=st.sampled_from(sorted(STYLES)),
    total=st.integers(0, 40),
    most=st.integers(1, 8),
    concurrency=st.integers(1, 5),
    has_key=st.booleans(),
)
def test_an_honest_list_is_read_to_its_end_and_each_page_is_asked_for_once(
    style: str, total: int, most: int, concurrency: int, has_key: bool
) -> None:
    paging = STYLES[style]
    if paging.short_is_last:
        most = max(most, SIZE)  # the definition vouches for a server that gives what is asked
    world = World(honest(paging, total, most), concurrency=concurrency)
    key = ("id", "k") if has_key else None
    received = numbers(world.pages(listing(replace(paging, key=key))))
    assert sorted(received) == list(range(total))
    assert len(set(world.asked)) == len(world.asked) == world.budget.sent
    size = min(most, paging.size or most)
    pages = -(-total // size)
    if paging.short_is_last:
        pages = total // size + 1
    elif style in ("offsets", "page numbers"):
        pages += 1  # nothing but an empty page says that there are no more
    assert len(world.asked) == max(1, pages)


@settings(max_examples=examples(100), deadline=None)
@given(
    style=st.sampled_from(sorted(STYLES)),
    total=st.integers(0, 40),
    limit=st.integers(1, 45),
    concurrency=st.integers(1, 5),
)
def test_with_a_limit_no_page_beyond_it_is_asked_for_and_rows_keep_their_order(
    style: str, total: int, limit: int, concurrency: int
) -> None:
    world = World(honest(STYLES[style], total), concurrency=concurrency)
    received = numbers(world.pages(listing(STYLES[style]), limit))
    assert received == list(range(min(total, -(-limit // SIZE) * SIZE)))
    is_short = STYLES[style].total is None and STYLES[style].more is None and total < limit
    assert len(world.asked) <= max(1, -(-min(total, limit) // SIZE)) + is_short


# --- servers that are not honest -----------------------------------------------------------------

TEXTS = st.sampled_from(["", "a", "b", "c", "0", "5", "é", "\x00", "x" * 20_000, "?after=a",
                         "http://one.test/?after=b", "https://one.test/?after=c", "//evil/?after=a",
                         "http://[", "/t?after=%ff", "http://one.test:99999/?after=q"])  # fmt: skip
ANYTHING = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(-3, 9), st.just(10**40), st.floats(0, 9),
    st.just([]), st.just({"a": 1}),
)  # fmt: skip
LIKELY = st.sampled_from(["a", "b", "c", "http://one.test/?after=a", "/t?after=b"])
BODIES = st.fixed_dictionaries(
    {"rows": st.lists(st.integers(0, 4), max_size=6, unique=True)},
    optional={"next": LIKELY | ANYTHING, "link": LIKELY | TEXTS, "more": ANYTHING,
              "total": ANYTHING, "pages": ANYTHING},
)  # fmt: skip
STEADY = st.fixed_dictionaries(
    {"next": LIKELY, "link": LIKELY, "more": st.just(True), "total": st.integers(0, 60),
     "pages": st.integers(0, 20)},
)  # fmt: skip


@settings(max_examples=examples(200), deadline=None)
@given(
    style=st.sampled_from(sorted(STYLES)),
    steady=st.just({}) | STEADY,
    bodies=st.lists(BODIES, min_size=1, max_size=8),
    limit=st.none() | st.integers(0, 20),
    key=st.sampled_from([None, ("n",), ("id", "k"), ("nowhere",), ()]),
    any_host=st.booleans(),
    empty_pages=st.integers(0, 3),
    budget=st.integers(0, 12),
)
def test_a_walk_ends_whatever_the_server_answers(
    style: str,
    steady: dict[str, Any],
    bodies: list[dict[str, Any]],
    limit: int | None,
    key: Path | None,
    any_host: bool,
    empty_pages: int,
    budget: int,
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        """The bodies in turn, round and round; what they do not say, they say alike."""
        fields = {**steady, **bodies[(len(world.asked) - 1) % len(bodies)]}
        response = body(fields.pop("rows"), **fields)
        if "link" in fields and fields["link"].isprintable():
            response.headers["Link"] = f'<{fields["link"]}>; rel="next"'.encode().decode("latin-1")
        return response

    paging = replace(STYLES[style], key=key, any_host=any_host, empty_pages=empty_pages)
    world = World(answer, RequestBudget(budget))
    with suppress(FetchError, PlanError):
        world.pages(listing(paging), limit)
    assert len(world.asked) == len(set(world.asked)) == world.budget.sent <= budget


def said(paging: Paging, *bodies: httpx.Response, rows: RowsPath | None = None) -> UnexpectedShape:
    """What is said of a list that answers with these, and the last of them for ever."""
    world = World(lambda _: bodies[min(len(world.asked), len(bodies)) - 1])
    with pytest.raises(UnexpectedShape) as caught:
        world.pages(listing(paging, rows))
    assert caught.value.hint
    assert caught.value.request is not None
    assert len(world.asked) <= len(bodies) + 1
    return caught.value


@pytest.mark.parametrize(
    ("paging", "bodies", "says"),
    [
        (TOKENS, [body([1], next="a"), body([2], next="b"), body([3], next="a")],
         "p.s.t, page 3: the API repeats its after, which would lead round in a circle"),
        (TOKENS, [body([1], next="a"), body([], next="b")],
         "p.s.t, page 2: 1 page without rows, and the API says that there are more"),
        (replace(TOKENS, empty_pages=2),
         [body([1], next="a"), body([], next="b"), body([2], next="c"), body([], next="d"),
          body([], next="e"), body([], next="f")],
         "p.s.t, page 6: 3 pages without rows, and the API says that there are more"),
        (replace(FLAGGED_OFFSETS, empty_pages=9), [body([1], more=True), body([], more=True)],
         "p.s.t, page 2: 1 page without rows, and the API says that there are more"),
        (FLAGGED_OFFSETS, [body([], more=True)],
         "p.s.t: 1 page without rows, and the API says that there are more"),
        (FLAGGED, [body([1], more=True)],
         "p.s.t: there are more pages, but `next` holds no token"),
        (FLAGGED, [body([1], more="yes")], "p.s.t: `more` says neither true nor false"),
        (replace(FLAGGED, style=PagingStyle.LINK), [body([1], more=True)],
         "p.s.t: there are more pages, but no link leads to the next"),
        (TOKENS, [body([1], next=True)], "p.s.t: `next` holds something that is no token"),
        (TOKENS, [body([1], next="a"), body([2], next={"a": 1})],
         "p.s.t, page 2: `next` holds something that is no token"),
        (TOKENS, [body([1], next="x" * (LONGEST_CURSOR + 1))],
         "p.s.t: the after of the next page comes in 16,385 characters; more than 16,384"),
        (LINKS, [body([1], next=f"{ORIGIN}/?after={'x' * LONGEST_CURSOR}")],
         "p.s.t: the after of the next page comes in 16,407 characters"),
        (LINKS, [body([1], next=7)], "p.s.t: the link to the next page is no text"),
        (LINKS, [body([1], next="http://[")], "p.s.t: the link to the next page is no URL"),
        (LINKS, [body([1], next=f"{ORIGIN}/t?page=2")],
         "p.s.t: the link to the next page has no after"),
        (replace(TOKENS, key=("id",)), [body([1], next="a"), httpx.Response(
            200, json={"rows": [{"n": 1}]})],
         "p.s.t, page 2: a row has no `id`, which tells rows apart"),
        (replace(TOKENS, key=("id", "k")), [httpx.Response(200, json={"rows": [
            {"n": 1, "id": {"k": None}}]})], "p.s.t: a row has no `id.k`, which tells rows apart"),
        (replace(TOKENS, key=("n",)), [body([1, 2, 1])],
         "p.s.t: two rows of the page have the same `n`, so it is not their key"),
        (TOKENS, [body([1], next="a"), httpx.Response(200, json={"rows": 3})],
         "p.s.t, page 2: expected an array at `rows`"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_page_is_said_with_the_table_and_the_page(
    paging: Paging, bodies: list[httpx.Response], says: str
) -> None:
    assert said(paging, *bodies).message.startswith(says)


FOREIGN = [
    "https://one.test/t?after=2", "http://one.test:81/t?after=2", "http://two.test/t?after=2",
    "//two.test/t?after=2", "ftp://one.test/t?after=2", "http://one.test@two.test/t?after=2",
    "http://one.test.two.test/?after=2",
]  # fmt: skip
OWN = [
    "http://one.test/t?after=2", "http://one.test:80/other?after=2", "/t?after=2", "?after=2",
    "t?after=2", "HTTP://ONE.TEST/t?after=2", "//one.test/t?x=1&after=2#part",
    "http://user:pw@one.test/t?after=2",
]  # fmt: skip


def linked(link: str) -> Answer:
    """Two pages with a link to the second in the body and in a header."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "after" in request.url.params:
            return body([2])
        answer = body([1], next=link)
        answer.headers["Link"] = f'<{link}>; rel="next"'
        return answer

    return answer


@pytest.mark.parametrize("paging", [LINKS, HEADERS], ids=["body", "header"])
@pytest.mark.parametrize("link", FOREIGN)
def test_a_link_to_another_origin_is_an_error_unless_it_is_expected(
    paging: Paging, link: str
) -> None:
    world = World(linked(link))
    with pytest.raises(UnexpectedShape, match=r"leads to .*, not to http://one.test:80") as caught:
        world.pages(listing(paging))
    assert "any_host: true" in caught.value.hint
    assert world.asked == ["n=5"]
    world = World(linked(link))
    assert numbers(world.pages(listing(replace(paging, any_host=True)))) == [1, 2]
    assert world.asked == ["n=5", "n=5&after=2"]


@pytest.mark.parametrize("paging", [LINKS, HEADERS], ids=["body", "header"])
@pytest.mark.parametrize("link", OWN)
def test_a_link_to_our_own_origin_gives_its_token(paging: Paging, link: str) -> None:
    world = World(linked(link))
    assert numbers(world.pages(listing(paging))) == [1, 2]
    assert world.asked == ["n=5", "n=5&after=2"]


def test_what_a_foreign_link_holds_is_not_told() -> None:
    error = said(LINKS, body([1], next="http://me:pw@two.test/t?after=2&secret=s3"))
    assert "'http://two.test:80'" in error.message
    assert not any(word in f"{error.message}{error.hint}" for word in ("pw", "s3", "me:"))


def test_an_endless_list_is_ended_by_the_budget_and_its_pages_are_told() -> None:
    world = World(lambda _: body([len(world.asked)], next=str(len(world.asked))), RequestBudget(7))
    with pytest.raises(PlanError) as caught:
        world.pages(listing(TOKENS))
    assert "7 requests is used up" in caught.value.message
    assert "7 pages of one list were read, and it goes on" in caught.value.message
    assert "--max-requests" in caught.value.hint
    assert caught.value.requests_sent == len(world.asked) == 7


def test_a_budget_that_is_gone_before_the_first_page_tells_of_no_page() -> None:
    with pytest.raises(PlanError) as caught:
        World(honest(TOKENS, 9), RequestBudget(0)).pages(listing(TOKENS))
    assert "read" not in caught.value.message
