"""What a statement was answered once it need not ask again: same request, sent once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.definitions.loader.builder import template_of
from connstat_sql.definitions.model import (
    VARCHAR,
    Auth,
    AuthKind,
    Column,
    Filter,
    JsonBody,
    Method,
    Paging,
    PagingStyle,
    Provider,
    QueryItem,
    Resource,
    Scalar,
    SqlType,
    TableName,
)
from connstat_sql.errors import FetchError, PlanError, Status, UnexpectedShape
from connstat_sql.fetch import (
    Clients,
    FailedFetch,
    Fetch,
    Page,
    PageStream,
    RequestBudget,
    Responses,
)
from connstat_sql.transport import ClientOptions, Connection
from tests.conftest import FakeClock
from tests.examples import examples
from tests.fakes.fetch_loops import tasks_of
from tests.streaming import batches, unanswered

PROVIDER = Provider("p", "", "", (), (Auth(AuthKind.NONE),), ("s",), retries=())
TOKENS = Paging(PagingStyle.TOKEN, "after", ("next",))


def get(path: str = "/t", **more: Any) -> Method:
    return Method("get", template_of(path), **{"paging": TOKENS, **more})


def fetch(method: Method, table: str = "t", connection: str = "one", **arguments: str) -> Fetch:
    resource = Resource(TableName("p", "s", table), "", (), (), (method,))
    return Fetch(connection, resource, method, arguments)


def reader(method: Method, column: str = "id", of: SqlType = VARCHAR) -> RowReader:
    return RowReader(
        method.rows, (FieldLayout.of_column(Column(column, of, (column,)), (column,)),)
    )


def paged(request: httpx.Request, rows: Sequence[Any], size: int) -> httpx.Response:
    """A page of rows that are listed by token."""
    start = int(request.url.params.get("after", "0"))
    body: dict[str, Any] = {"rows": list(rows[start : start + size])}
    if start + size < len(rows):
        body["next"] = str(start + size)
    return httpx.Response(200, json=body)


@dataclass
class World:
    """Connections over one mocked wire, and what one statement asks through them."""

    clients: Clients
    seen: list[str]
    budget: RequestBudget
    answers: Responses
    failures: list[FailedFetch] | None = None

    @property
    def stream(self) -> PageStream:
        return PageStream(
            self.clients.loop,
            self.clients.made,
            self.answers,
            FakeClock().now,
            is_partial=self.failures is not None,
        )

    def pages(self, fetches: Sequence[Fetch], using: RowReader, **how: Any) -> list[Page]:
        how["failures"] = self.failures
        pages = [page for some in batches(self.stream, fetches, using, **how) for page in some]
        assert tasks_of(self.clients.loop) == 0
        return pages


@contextmanager
def world(
    answer: Callable[[httpx.Request], httpx.Response] | httpx.AsyncBaseTransport,
    *,
    connections: Sequence[str] = ("one", "two"),
    url: str = "http://{name}",
    concurrency: int = 8,
    budget: int = 1000,
) -> Iterator[World]:
    """A world whose connections answer alike; each has a host of its own, or `url`."""
    seen: list[str] = []

    def noted(request: httpx.Request) -> httpx.Response:
        assert not isinstance(answer, httpx.AsyncBaseTransport)
        seen.append(f"{request.url.host}{request.url.raw_path.decode()}")
        return answer(request)

    is_wire = isinstance(answer, httpx.AsyncBaseTransport)
    wire = answer if isinstance(answer, httpx.AsyncBaseTransport) else httpx.MockTransport(noted)
    made = {
        name: Connection(name, "p", base_url=url.format(name=name), max_concurrency=concurrency)
        for name in connections
    }
    clients = Clients(made, lambda _: PROVIDER, ClientOptions(FakeClock(), {}, wire))
    try:
        for name in connections:
            clients.open(name)
        answers = Responses(RequestBudget(budget))
        yield World(clients, [] if is_wire else seen, answers.budget, answers)
    finally:
        clients.close()


def values(pages: Sequence[Page], column: str = "id") -> list[Any]:
    return [row[column] for page in pages for text in page.texts for row in json.loads(text)]


ROWS = [{"id": f"r{n}", "state": "UP" if n % 2 else "DOWN"} for n in range(7)]


def listed(request: httpx.Request) -> httpx.Response:
    return paged(request, ROWS, 3)


def rows_at(*path: str) -> Any:
    return replace(Method("x", template_of("/")).rows, at=(path,))


LIST = get("/c/{cluster}", rows=rows_at("rows"))


# --- across tables -------------------------------------------------------------------------------


def test_what_another_table_was_answered_is_read_anew_and_not_sent_again() -> None:
    with world(listed) as api:
        sent = api.pages([fetch(LIST, "names", cluster="k")], reader(LIST), keep=True)
        other = replace(LIST, name="list")
        asked = fetch(other, "states", cluster="k", more="x")
        kept = api.pages([asked], reader(other, "state"))
        assert api.seen == ["one/c/k", "one/c/k?after=3", "one/c/k?after=6"]
    assert values(sent) == [row["id"] for row in ROWS]
    assert values(kept, "state") == [row["state"] for row in ROWS]
    assert [(page.attempts, page.size > 0, page.is_reused) for page in sent] == [
        (1, True, False)
    ] * 3  # fmt: skip
    assert [(page.attempts, page.size, page.is_reused) for page in kept] == [(0, 0, True)] * 3
    assert [page.fetch for page in kept] == [asked] * 3
    assert [(page.url, page.observed_at) for page in kept] == [
        (page.url, page.observed_at) for page in sent
    ]
    assert api.budget.sent == 3


def test_only_what_is_told_to_be_kept_is_kept() -> None:
    with world(listed) as api:
        for _ in range(2):
            pages = api.pages([fetch(LIST, cluster="k")], reader(LIST))
            assert values(pages) == [row["id"] for row in ROWS]
            assert not any(page.is_reused for page in pages)
        assert len(api.seen) == api.budget.sent == 6


def test_pages_that_were_not_kept_are_fetched() -> None:
    with world(listed) as api:
        api.pages([fetch(LIST, cluster="k")], reader(LIST), keep=True, limit=1)
        assert api.seen == ["one/c/k"]
        pages = api.pages([fetch(LIST, cluster="k")], reader(LIST))
        assert values(pages) == [row["id"] for row in ROWS]
        assert [page.is_reused for page in pages] == [True, False, False]
        assert api.seen == ["one/c/k", "one/c/k?after=3", "one/c/k?after=6"]


def test_what_is_kept_costs_nothing_of_the_budget() -> None:
    with world(listed, budget=3) as api:
        api.pages([fetch(LIST, cluster="k")], reader(LIST), keep=True)
        for _ in range(2):
            assert len(api.pages([fetch(LIST, cluster="k")], reader(LIST), keep=True)) == 3
        with pytest.raises(PlanError, match="budget of 3 requests is used up"):
            api.pages([fetch(LIST, cluster="other")], reader(LIST))


POST = get("/t", verb="POST", body=JsonBody('{"a": 1}'), rows=rows_at("rows"), paging=None)
DIFFERENT = [
    fetch(POST, connection="two"),
    fetch(replace(POST, verb="GET", body=None)),
    fetch(replace(POST, body=JsonBody('{"a": 2}'))),
    fetch(replace(POST, path=template_of("/u"))),
    fetch(replace(POST, headers=(("X-A", template_of("b")),))),
    fetch(replace(POST, query=(QueryItem("a", (template_of("b"),)),))),
    replace(fetch(POST), order=(("sort", "id"),)),
    replace(fetch(POST), filters=((Filter("id", "q"), ("x",)),)),
    fetch(replace(POST, base_url=template_of("http://one:81"))),
]


@pytest.mark.parametrize("other", DIFFERENT)
def test_whatever_is_sent_makes_a_request_another(other: Fetch) -> None:
    with world(listed) as api:
        api.pages([fetch(POST)], reader(POST), keep=True)
        assert unanswered(api.stream, [fetch(POST)]) == 0
        assert unanswered(api.stream, [other]) == 1


def test_a_body_that_another_table_reads_otherwise_may_be_at_fault_for_it_alone() -> None:
    with world(listed) as api:
        api.pages([fetch(LIST, "good", cluster="k")], reader(LIST), keep=True)
        with pytest.raises(UnexpectedShape, match="column id is BIGINT") as caught:
            api.pages([fetch(LIST, "bad", cluster="k")], reader(LIST, of=Scalar("BIGINT")))
        assert (caught.value.table, caught.value.attempts) == ("p.s.bad", 0)
        assert len(api.seen) == 3


# --- counting before ----------------------------------------------------------------------------


def test_unanswered_counts_first_pages_that_would_be_sent_each_once() -> None:
    with world(listed) as api:
        known = fetch(LIST, cluster="k")
        fresh = [
            fetch(LIST, cluster="a"),
            fetch(LIST, cluster="a", x="1"),
            fetch(LIST, cluster="b"),
        ]
        assert unanswered(api.stream, [known, *fresh]) == 3
        api.pages([known], reader(LIST), keep=True)
        assert unanswered(api.stream, [known, *fresh]) == 2
        assert unanswered(api.stream, [known]) == 0
        assert unanswered(api.stream, []) == 0
        assert len(api.seen) == 3


def test_unanswered_refuses_what_cannot_be_sent_and_leaves_failures_to_the_run() -> None:
    elsewhere = get("/t", base_url=template_of("{url}"))
    with world(listed) as api:
        with pytest.raises(PlanError, match="path segment"):
            unanswered(api.stream, [fetch(LIST, cluster="..")])
        assert unanswered(api.stream, [fetch(elsewhere, url="nonsense")]) == 0
        with pytest.raises(FetchError, match="not a plain http"):
            api.pages([fetch(elsewhere, url="nonsense")], reader(elsewhere))
        assert api.seen == []


# --- statuses ------------------------------------------------------------------------------------

ONE = get("/t", paging=None, no_row=frozenset({404}), rows=rows_at("rows"))
STRICT = replace(ONE, no_row=frozenset())


def missing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(404, json={"message": "none"})


def test_a_kept_404_is_no_row_for_another_that_declares_it() -> None:
    with world(missing) as api:
        api.pages([fetch(ONE)], reader(ONE), keep=True)
        (page,) = api.pages([fetch(ONE, "other")], reader(ONE))
        assert (page.is_no_row, page.is_reused, page.count) == (True, True, 0)
        assert len(api.seen) == 1


def test_a_kept_404_is_an_error_for_another_that_does_not_declare_it() -> None:
    with world(missing) as api:
        api.pages([fetch(ONE)], reader(ONE), keep=True)
        assert unanswered(api.stream, [fetch(STRICT, "strict")]) == 1
        with pytest.raises(Status) as caught:
            api.pages([fetch(STRICT, "strict")], reader(STRICT))
        assert (caught.value.table, caught.value.status) == ("p.s.strict", 404)


def test_a_404_that_was_an_error_for_one_is_no_row_for_another() -> None:
    with world(missing) as api:
        api.failures = []
        assert api.pages([fetch(STRICT)], reader(STRICT), keep=True) == []
        (page,) = api.pages([fetch(ONE)], reader(ONE))
        assert page.is_no_row
        assert [failure.error.status for failure in api.failures] == [404]


def test_a_failure_is_not_kept() -> None:
    failing = [httpx.Response(500)]
    with world(lambda _: failing.pop(0) if failing else httpx.Response(404)) as api:
        api.failures = []
        assert api.pages([fetch(ONE)], reader(ONE), keep=True) == []
        (page,) = api.pages([fetch(ONE)], reader(ONE), keep=True)
        assert page.is_no_row
        assert not page.is_reused
        assert len(api.failures) == 1
        assert len(api.seen) == 2


# --- at the same time ----------------------------------------------------------------------------


def test_arguments_that_the_request_does_not_carry_cost_nothing() -> None:
    asked = [fetch(LIST, cluster="k", name=f"n{n}") for n in range(20)]
    with world(listed) as api:
        pages = api.pages(asked, reader(LIST))
        assert api.seen == ["one/c/k", "one/c/k?after=3", "one/c/k?after=6"]
    for each in asked:
        mine = [page for page in pages if page.fetch is each]
        assert values(mine) == [row["id"] for row in ROWS]
    assert sum(page.attempts for page in pages) == 3
    assert sum(page.is_reused for page in pages) == 57


def test_a_failure_of_a_shared_request_is_one_for_each_fetch() -> None:
    asked = [fetch(STRICT, name=f"n{n}") for n in range(3)]
    with world(missing) as api:
        api.failures = []
        assert api.pages(asked, reader(STRICT)) == []
        assert [failure.fetch for failure in api.failures] == asked
        assert len(api.seen) == 1


def test_connections_share_nothing() -> None:
    asked = [fetch(LIST, cluster="k"), fetch(LIST, connection="two", cluster="k")]
    with world(listed, url="http://both") as api:
        assert len(api.pages(asked, reader(LIST), keep=True)) == 6
        assert api.seen.count("both/c/k") == 2
        api.answers = Responses(api.budget)
        api.pages(asked[:1], reader(LIST), keep=True)
        assert [unanswered(api.stream, [each]) for each in asked] == [0, 1]


RUNS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=5, unique=True),
        st.booleans(),
        st.none() | st.integers(0, 8),
    ),
    max_size=5,
)


@settings(max_examples=examples(30), deadline=None)
@given(RUNS)
def test_rows_never_depend_on_what_is_kept_and_nothing_kept_is_sent_again(
    runs: list[tuple[list[tuple[str, str]], bool, int | None]],
) -> None:
    clusters = {"a": ROWS, "b": ROWS[:2], "c": []}
    kept: set[str] = set()
    with world(lambda request: paged(request, clusters[request.url.path[-1]], 3)) as api:
        for pairs, keep, limit in runs:
            before = len(api.seen)
            asked = [fetch(LIST, cluster=cluster, name=name) for cluster, name in pairs]
            pages = api.pages(asked, reader(LIST), keep=keep, limit=limit)
            sent = api.seen[before:]
            assert len(set(sent)) == len(sent)
            assert not kept & set(sent)
            kept |= set(sent) if keep else set()
            for each in asked:
                whole = [row["id"] for row in clusters[each.arguments["cluster"]]]
                mine = values([page for page in pages if page.fetch is each])
                assert mine == (whole if limit is None else whole[: len(mine)])
            every = sum(len(clusters[cluster]) for cluster, _ in pairs)
            wanted = every if limit is None else min(limit, every)
            assert sum(page.count for page in pages) >= wanted
        assert api.budget.sent == len(api.seen)
