"""What came of an attempt → an error of ours; the one place that knows httpx's and aiohttp's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from connstat_sql.definitions import Path, RetryRule
from connstat_sql.errors import ConnectionFailed, FetchError, RateLimited, Status, Unauthorized
from connstat_sql.transport.door import Request

LONGEST_RETRY_AFTER = 60.0
SAID_LENGTH = 500
LONGEST_WORDS = 200
SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer of any status, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns what went wrong on one connection into errors that repeat no secret.

    `errors` are the paths of the message in an error body; `timeout` is in seconds.
    """

    connection: str
    errors: tuple[Path, ...]
    timeout: float

    def refused(
        self, request: Request, reply: Reply, retry_after: float | None, secrets: Iterable[str]
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
        elif 300 <= status < 400:
            hint = "redirects are not followed: check the connection's base_url"
        said = scrubbed(error_message(reply.body, self.errors), secrets)
        return kind(
            f"{self.connection} answered {status}" + (f": {said}" if said else ""),
            table=request.table, connection=self.connection, request=request.line,
            status=status, hint=hint,
        )  # fmt: skip

    def failed(
        self, request: Request, error: BaseException, secrets: Iterable[str]
    ) -> ConnectionFailed:
        """No whole answer."""
        failed = ConnectionFailed(
            f"{self.connection} did not answer: {scrubbed(_words(error, self.timeout), secrets)}",
            table=request.table,
            connection=self.connection,
            request=request.line,
            hint="connstat doctor  tests each connection",
        )
        failed.is_worth_retrying = not _is_hopeless(error)
        return failed


def is_worth_retrying(
    reply: Reply, rules: tuple[RetryRule, ...], retry_after: float | None
) -> bool:
    """Whether the definition says so, and the API does not ask for too long a wait."""
    text = reply.body[:4096].decode("utf-8", "replace")
    worth = any(reply.status in rule.statuses and rule.message in text for rule in rules)
    return worth and (retry_after or 0.0) <= LONGEST_RETRY_AFTER


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None without one."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - now
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, seconds)


def error_message(body: bytes, paths: tuple[Path, ...]) -> str:
    """The message in an error body: at the first declared path that holds text, else its start."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    for path in paths:
        found = _at(value, path)
        if isinstance(found, str) and found:
            return _plain(found[:SAID_LENGTH])
    if body.lstrip()[:1] == b"<":
        return "(an HTML page)"
    return _plain(body[:200].decode("utf-8", "replace")) if value is None else ""


def _at(value: object, path: Path) -> object:
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _plain(text: str) -> str:
    """One line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets that the other side repeats in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text


# --- errors of the wire --------------------------------------------------------------------------


def wire_errors() -> tuple[type[Exception], ...]:
    """Everything that sending and reading can raise. (aiohttp is slow to import: when needed.)"""
    import aiohttp
    from aiohttp.http_exceptions import HttpProcessingError

    return (
        httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError,
        asyncio.TimeoutError, aiohttp.ClientError, HttpProcessingError, ValueError, EOFError,
    )  # fmt: skip


def _is_hopeless(error: BaseException) -> bool:
    """Whether another try would end the same: a certificate, a URL that nobody can send."""
    hopeless = (ssl.SSLError, httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)
    return any(isinstance(one, hopeless) for one in _causes(error))


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _words(error: BaseException, timeout: float) -> str:
    causes = _causes(error)
    deepest = next((_said(one) for one in reversed(causes) if _said(one)), type(error).__name__)
    # What aiohttp raised says more than what it was mapped to: a reset is not a time-out.
    own = [one for one in causes if not type(one).__module__.startswith("httpx")] or causes
    names = " ".join(type(one).__name__ for one in own)
    if any(isinstance(one, (asyncio.TimeoutError, httpx.TimeoutException)) for one in own):
        return f"no answer within {timeout:g} s"
    if "Certificate" in names or "SSL" in names:
        return f"TLS: {deepest}"
    for kinds, words in _PLAIN_WORDS:
        if any(isinstance(one, kinds) for one in own):
            return words
    if "ServerDisconnected" in names:
        return "the connection was closed before the answer"
    if "Payload" in names or "ReadError" in names or "TransferEncoding" in names:
        return "the answer was cut short"
    if any(type(one).__module__ == "aiohttp.http_exceptions" for one in own):
        return "the answer is not HTTP"  # what aiohttp says of it repeats what it has read
    return _plain(deepest[:LONGEST_WORDS])


_PLAIN_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "the connection was refused"),
    (socket.gaierror, "its host is not known"),
)


def _said(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
