"""What travels between the demo's server and its APIs: requests, responses, routes, page tokens."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """A request as one API sees it. ``path`` is raw, still encoded, below the API's prefix."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def segments(self) -> tuple[str, ...]:
        """The decoded parts of the path; an encoded slash stays inside its part."""
        return tuple(unquote(part) for part in self.path.strip("/").split("/"))

    def arguments(self, name: str) -> tuple[str, ...]:
        """Every value given for a query parameter."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return tuple(value for key, value in pairs if key == name)

    def argument(self, name: str, default: str = "") -> str:
        """The first value given for a query parameter."""
        return next(iter(self.arguments(name)), default)


@dataclass(frozen=True, slots=True)
class DemoResponse:
    """A response before it is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Api(Protocol):
    """One vendor's API under one prefix."""

    names: tuple[str, ...]
    """What a fault or a count may call it; the first is the one on record."""
    prefix: str
    edition: int
    """Changes whenever the same call may get another answer than before."""
    headers: Mapping[str, str]
    """Sent with every answer."""

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """The answer to a call without valid credentials; None lets the call pass."""

    def read(self, call: DemoRequest) -> DemoResponse:
        """The answer to a call with valid credentials."""

    def failure(self, status: int, call: DemoRequest, /) -> DemoResponse:
        """What the vendor sends with an error status."""


Handler = Callable[..., DemoResponse]


class Router:
    """Finds the handler of a path; ``{}`` in a route stands for one part and is handed over."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        self._routes = tuple((route.split("/"), handler) for route, handler in routes.items())

    def answer(self, call: DemoRequest) -> DemoResponse | None:
        """The handler's answer, or None when no route fits."""
        segments = call.segments
        for route, handler in self._routes:
            if len(route) == len(segments) and all(
                part in ("{}", segment) for part, segment in zip(route, segments, strict=True)
            ):
                taken = [
                    segment for part, segment in zip(route, segments, strict=True) if part == "{}"
                ]
                return handler(call, *taken)
        return None


def routed(
    call: DemoRequest,
    reads: Router,
    restarts: Router,
    failure: Callable[[int, DemoRequest], DemoResponse],
) -> DemoResponse:
    """Answers a GET, and the POST that restarts a connector; all else is a failure."""
    if call.method == "POST" and call.path.endswith("/restart"):
        return restarts.answer(call) or failure(404, call)
    if call.method != "GET":
        return failure(405, call)
    return reads.answer(call) or failure(404, call)


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> DemoResponse:
    """An answer with a JSON body."""
    return DemoResponse(status, msgspec.json.encode(body), headers=headers or {})


def token_at(kind: str, offset: int) -> str:
    """An opaque page token; it fits only lists of the same kind.

    >>> token = token_at("topics", 20)
    >>> offset_of("topics", token), offset_of("users", token)
    (20, None)
    """
    return base64.urlsafe_b64encode(f"{kind}@{offset}".encode()).decode().rstrip("=")


def offset_of(kind: str, token: str) -> int | None:
    """Where the page of a token starts; None for a token that was not given out for the kind."""
    try:
        padded = token + "=" * (-len(token) % 4)
        of_kind, _, offset = base64.urlsafe_b64decode(padded).decode().rpartition("@")
    except (binascii.Error, ValueError):
        return None
    return int(offset) if of_kind == kind and offset.isdecimal() else None


def bounded(text: str, lowest: int, highest: int) -> int | None:
    """The whole number in ``text``, or None when it is none or out of bounds."""
    digits = text.removeprefix("-")
    number = int(text) if digits.isascii() and digits.isdecimal() else None
    return number if number is not None and lowest <= number <= highest else None
