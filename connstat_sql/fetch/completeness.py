"""What an answer says about itself: that there is no such row, or that a part of it is missing."""

from __future__ import annotations

import msgspec

from connstat_sql.decode import Body, OpenBody
from connstat_sql.definitions.marks import says
from connstat_sql.definitions.model import InHeader, InLastRow, PagingStyle, Shape
from connstat_sql.errors import FetchError, Incomplete, Status, UnexpectedShape, counted
from connstat_sql.fetch.link_header import next_link
from connstat_sql.fetch.page_facts import USUAL_SIZES, place_of
from connstat_sql.fetch.request import NO_PATH, Fetch
from connstat_sql.fetch.undeclared_markers import (
    has_no_rows,
    sign_of_fault,
    sign_of_more,
    sign_of_part,
)
from connstat_sql.redaction import hidden
from connstat_sql.transport import Client, Request, Response, is_json

LONGEST_WORDS = 300
"""Characters of what an API says of the parts that are missing."""
_READ = 4 * LONGEST_WORDS
"""So many are read, as secrets are taken out of them before they are cut."""
_LED = (PagingStyle.TOKEN, PagingStyle.LINK, PagingStyle.LINK_HEADER)
"""Styles of paging in which an answer leads to the next page."""
_CAPS = frozenset({"10000", "50000", "100000"})
"""Rows after which searches give no more, and some count no more."""
_WORDS = ("message", "detail", "reason", "error", "title", "name")
"""Where people put the words in an object that tells of a fault."""


def check_no_row(fetch: Fetch, request: Request, answer: Response, client: Client) -> None:
    """Raise FetchError where a status that means "no such row" means something else."""
    is_page = answer.body.lstrip()[:1] == b"<"
    if answer.status < 300:
        return
    if is_page or client.provider.error_mark.encode() not in answer.body:
        how = "with a web page" if is_page else "in words that are not its own"
        raise Status(
            f"{client.connection.name} answered {answer.status} {how}: it may be "
            "starting, or something else answers at its address",
            table=request.table, connection=client.connection.name, request=request.line,
            status=answer.status, attempts=answer.attempts,
            hint=f"check {client.connection.address}",
        )  # fmt: skip
    phrases = fetch.method.no_row_says or client.provider.no_row_says
    if phrases and not says(answer.body.decode("utf-8", "replace"), phrases):
        error = client.refused(request, answer)
        error.hint = f"that is no word of a row: check {client.connection.address}"
        raise with_version(error, fetch)


def with_version(error: FetchError, fetch: Fetch) -> FetchError:
    """The error; of a request that its server does not know, with the version that does.

    It does not know the path, or answers in another shape as it does not heed the query. What
    somebody before the server says, such as a gateway, tells nothing of its version.
    """
    since = fetch.method.since
    is_unknown = error.status in NO_PATH or isinstance(error, UnexpectedShape)
    if since and is_unknown and error.is_own:
        error.message += f"; {request_of(fetch)} came with version {since}"
        error.args = (error.message,)
        error.hint = f"its version may be older than {since}" + (error.hint and f"; {error.hint}")
    return error


def is_own_success(answer: Response, client: Client) -> bool:
    """Whether a success in another shape may be an older server's: JSON that tells of no error."""
    return is_json(answer.body) and not client.words(answer)


def request_of(fetch: Fetch) -> str:
    """The verb and the path of a method, and what it always asks, as its definition has them."""
    method = fetch.method
    always = [
        f"{item.key}={value}" for item in method.query for value in item.values if not value.params
    ]
    return f"{method.verb} {method.path}" + ((always and f"?{'&'.join(always)}") or "")


def check_silent_fault(fetch: Fetch, request: Request, answer: Response, client: Client) -> str:
    """The key of a fault or of a missing part, of which the definition does not speak; or "".

    Raises Status where a fault stands in place of rows: an error with a success for a status.
    """
    opened = OpenBody(answer.body)
    key = sign_of_fault(opened, fetch.resource, fetch.method)
    marks = (*client.provider.incomplete, *fetch.method.incomplete)
    declared = {mark.at[0] for mark in marks}
    if not key or client.provider.failed or key in declared:
        key = sign_of_part(opened, fetch.resource, fetch.method)
        return "" if key in declared else key
    if not has_no_rows(opened, fetch.resource, fetch.method):
        return key
    error = client.refused(request, answer)
    error.hint = (
        f"if `{key}` is none, the definition says what is:  failed: [{{at: ok, when: false}}]  in "
        "provider.yaml"
    )
    raise error


def stops_at_a_page(fetch: Fetch, request: Request, answer: Response, body: Body) -> str:
    """Why a list may go on though nothing leads to a next page; "" where it is known to end.

    Its first page holds just as many rows as were asked for or as pages usually have, or says in
    usual words that more follow; and the definition says nothing about further pages, or looks for
    them at a place that the answer does not have.
    """
    method = fetch.method
    if method.is_one_page or method.rows.shape is Shape.OBJECT:
        return ""
    lacks = _why_it_ends(fetch, answer, body)
    rows = counted(body.received, "row")
    sign = sign_of_more(body, method.rows) if lacks else ""
    if sign:
        return f"a list stopped after {rows}, though the answer holds {sign}: {lacks}"
    goes_on = method.paging is None and next_link(answer.headers.get("Link", "")) is not None
    if lacks and (goes_on or _is_full(fetch, request, body.received)):
        return f"a list stopped at exactly {rows}, and {lacks}"
    return _where_it_counts_no_further(fetch, answer, body)


def _where_it_counts_no_further(fetch: Fetch, answer: Response, body: Body) -> str:
    """A total at which searches usually stop counting, and what pages they give; "" otherwise."""
    place = None if fetch.method.paging is None else fetch.method.paging.total
    if place is None or isinstance(place, InLastRow):
        return ""
    if isinstance(place, InHeader):
        total = answer.headers.get(place.name, "")
    else:
        total = str(body.opened.value(place))
    if total not in _CAPS:
        return ""
    return f"{place_of(place)} is exactly {int(total):,}, where some APIs count no further"


def _why_it_ends(fetch: Fetch, answer: Response, body: Body) -> str:
    """What makes a first page the last, where the API has said nothing; "" where it has."""
    paging = fetch.method.paging
    if paging is None:
        return "its definition says nothing of further pages (`paging`)"
    place = _place_that_lacks(fetch, answer, body)
    if place:
        return f"the answer has no {place}, where its next page would be"
    has_word = (paging.more, paging.done, paging.total, paging.total_pages) != (None,) * 4
    is_short = paging.short_is_last and not has_word and body.received < (paging.size or 0)
    if is_short and body.received not in USUAL_SIZES:
        return "its definition says that a short page is the last (`last_page`)"
    return ""


def _is_full(fetch: Fetch, request: Request, received: int) -> bool:
    """Whether so many rows are as many as a page can hold, as far as that is known."""
    paging = fetch.method.paging
    if paging is not None and paging.size is not None:
        return received >= paging.size
    asked = {value for _, value in request.query}
    return received in USUAL_SIZES or (received > 1 and str(received) in asked)


def _place_that_lacks(fetch: Fetch, answer: Response, body: Body) -> str:
    """Where nothing stands, not even null, though the next page is looked for there alone."""
    paging = fetch.method.paging
    assert paging is not None
    if paging.style not in _LED or paging.more is not None or paging.done is not None:
        return ""
    if paging.style is PagingStyle.LINK_HEADER:
        return "" if answer.headers.get("Link") else "header `Link`"
    if isinstance(paging.response, InHeader):
        stands = paging.response.name in answer.headers
    else:
        stands = isinstance(paging.response, InLastRow) or bool(body.opened.find(paging.response))
    return "" if stands else place_of(paging.response).removeprefix("the ")


def incomplete(
    fetch: Fetch, request: Request, answer: Response, client: Client
) -> Incomplete | None:
    """What the API says of its own answer where it is not whole; None where it is."""
    marks = (*client.provider.incomplete, *fetch.method.incomplete)
    opened = OpenBody(answer.body)
    for mark in marks:
        place = ".".join(mark.at)
        value = opened.value(mark.at)
        if mark.speaks(value):
            words = hidden(client.plain(_words(value)))[:LONGEST_WORDS]
            return Incomplete(
                f"{client.connection.name} says that its answer is not whole: {place}: {words}",
                table=request.table, connection=client.connection.name, request=request.line,
                status=answer.status, attempts=answer.attempts,
                hint="--partial keeps the rows that came, and says what is missing",
            )  # fmt: skip
    return None


def _words(value: object) -> str:
    """What a value says to people: its texts, or the messages in it, else its JSON."""
    if isinstance(value, str):
        return value[:_READ]
    if isinstance(value, dict):
        said = next((value[key] for key in _WORDS if isinstance(value.get(key), str)), None)
        if said:
            return str(said)[:_READ]
    if isinstance(value, list) and value:
        said = "; ".join(map(_words, value[:5])) + ("; …" if len(value) > 5 else "")
        return said[:_READ]
    return msgspec.json.encode(value).decode()[:_READ]
