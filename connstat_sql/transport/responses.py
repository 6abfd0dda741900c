"""What came of an attempt → an error of ours that repeats no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Raw

from connstat_sql.config.urls import read_url
from connstat_sql.definitions.model import Path
from connstat_sql.errors import ConnectionFailed, FetchError, RateLimited, Status, Unauthorized
from connstat_sql.redaction import hidden
from connstat_sql.redaction.credentials import scrubbed
from connstat_sql.transport.errors import explain, plain
from connstat_sql.transport.messages import Request

SAID_LENGTH = 500
SAID_LENGTH_OF_TEXT = 200
_READ = 4 * SAID_LENGTH
"""Characters that are looked at for secrets before a text is cut."""
NOT_WHOLE = {
    202: "it was accepted and is not there yet: ask again later",
    206: "it is a part of the answer: something may have asked for a range, or cuts answers short",
    207: "it holds answers of several kinds, of which some may have failed",
    208: "it leaves out what it says was told before",
}
"""Successes that are no whole answers, and what to make of them."""


class RawResponse(msgspec.Struct, frozen=True):
    """An HTTP answer of any status, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ResponseErrors:
    """Turns what went wrong on one connection into errors that repeat no secret.

    `errors` are the paths of the message in an error body; `timeout` is in seconds; `address` is
    what to look at where something else than the API answers.
    """

    connection: str
    errors: tuple[Path, ...]
    timeout: float
    address: str

    def refused(
        self,
        request: Request,
        reply: RawResponse,
        retry_after: float | None,
        secrets: Iterable[str],
    ) -> FetchError:
        """An answer that is not a success."""
        status = reply.status
        kind: type[FetchError] = Status
        hint = ""
        if status in (401, 403):
            kind, hint = Unauthorized, f"check the credentials of the connection {self.connection}"
        elif status == 429:
            kind, hint = RateLimited, "ask for less at a time, or wait"
            if retry_after:
                hint = f"the API asks to wait {retry_after:.0f} s"
        elif status in NOT_WHOLE:
            hint = NOT_WHOLE[status]
        elif 300 <= status < 400:
            return self._redirected(request, reply, secrets)
        elif status == 404 or reply.body.lstrip()[:1] == b"<":
            hint = f"check {self.address}"
        said = error_message(reply.body, self.errors, lambda text: hidden(scrubbed(text, secrets)))
        said = "" if said == f"HTTP {status}" else said
        how = " with an error" if status < 300 and status not in NOT_WHOLE else ""
        return kind(
            f"{self.connection} answered {status}{how}" + (f": {said}" if said else ""),
            table=request.table, connection=self.connection, request=request.line,
            status=status, hint=hint,
        )  # fmt: skip

    def _redirected(
        self, request: Request, reply: RawResponse, secrets: Iterable[str]
    ) -> FetchError:
        """An answer that leads elsewhere, which is told without what may be secret in it."""
        place = location(request, reply)
        words, hint = "", f"redirects are not followed: check {self.address}"
        if place is not None and origin_of(place) is not None:
            words = f": it leads to {scrubbed(plain(shown(place)), secrets)[:SAID_LENGTH]}"
            hint = self._way_on(request.url, place)
        return Status(
            f"{self.connection} answered {reply.status}{words}",
            table=request.table, connection=self.connection, request=request.line,
            status=reply.status, hint=hint,
        )  # fmt: skip

    def _way_on(self, url: str, place: str) -> str:
        """What to do about an answer that leads to another place."""
        own, other = origin_of(url), origin_of(place)
        if own is not None and own == other:
            return (
                "redirects are not followed, but for a GET once where the definition says  "
                "redirects: same_origin"
            )
        if own is not None and other is not None and own[1] == other[1]:
            host = urlsplit(place).netloc.rpartition("@")[2]
            return (
                f"redirects are not followed: check {self.address}, {other[0]}://{host} may be the "
                "right one"
            )
        return (
            "redirects are not followed: a login or a proxy may answer, check the credentials and "
            f"{self.address}"
        )

    def failed(
        self, request: Request, error: BaseException, secrets: Iterable[str]
    ) -> ConnectionFailed:
        """No whole answer."""
        origin = origin_of(request.url)
        failure = explain(error, origin[1] if origin else "", self.timeout, self.address)
        failed = ConnectionFailed(
            f"{self.connection} did not answer: {scrubbed(failure.words, secrets)}",
            table=request.table,
            connection=self.connection,
            request=request.line,
            hint=failure.hint,
        )
        failed.is_worth_retrying = failure.is_worth_retrying
        failed.is_down = failure.is_down
        return failed


def location(request: Request, reply: RawResponse) -> str | None:
    """The URL that an answer leads to; None where it says none."""
    target = reply.headers.get("Location", "").strip()
    try:
        return urljoin(request.full_url, target) if target else None
    except ValueError:
        return None


def shown(url: str) -> str:
    """A URL without login, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    path = parts.path.partition(";")[0]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a URL; None where it has none that a request could go to."""
    try:
        return read_url(url.partition("?")[0].partition("#")[0]).origin
    except (ValueError, KeyError):
        return None


def value_at(body: bytes, path: Path) -> object:
    """The value at a path of a JSON body, opened no further than that; None when there is none.

    >>> value_at(b'{"errors": [{"text": "no such town"}]}', ("errors", "0", "text"))
    'no such town'
    """
    text: bytes | Raw = body
    try:
        for key in path:
            if bytes(memoryview(text)[:1]) == b"[" and key.isdecimal():
                text = msgspec.json.decode(text, type=list[Raw])[int(key)]
            else:
                text = msgspec.json.decode(text, type=dict[str, Raw])[key]
        return msgspec.json.decode(text)
    except (LookupError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def is_json(body: bytes) -> bool:
    """Whether a body is one JSON value."""
    try:
        msgspec.json.decode(body, type=Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None without one."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - now
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, seconds)


def error_message(
    body: bytes, paths: tuple[Path, ...], scrub: Callable[[str], str] = lambda text: text
) -> str:
    """The message in an error body: at the first declared path that holds text, else its start.

    `scrub` takes secrets out of it, before it is cut.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    for path in paths:
        words = _at(value, path)
        if isinstance(words, str) and words:
            return scrub(plain(words[:_READ]))[:SAID_LENGTH]
    if body.lstrip()[:1] == b"<":
        return "(an HTML page)"
    if value is not None:
        return ""
    return scrub(plain(body[:_READ].decode("utf-8", "replace")))[:SAID_LENGTH_OF_TEXT]


def _at(value: object, path: Path) -> object:
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
