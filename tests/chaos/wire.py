"""What the chaos API adds to calls and answers: counted calls, and answers that break HTTP."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from connstat_sql.demo.wire import DemoRequest, DemoResponse, bounded, json_answer

MOST = 1_000_000
HIDDEN = "[hidden]"
_SECRET = re.compile(
    "auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE
)


class Refused(Exception):
    """An argument that the chaos API cannot work with; its text is the message of a 400."""

    def answer(self) -> DemoResponse:
        """The 400 that says so."""
        return json_answer({"message": str(self)}, 400)


@dataclass(frozen=True, slots=True)
class Asked(DemoRequest):
    """A call with its place among all calls, and among the tries of the same request."""

    number: int = 1
    """Counts the calls of all tables, from one."""
    attempt: int = 1
    """Counts this very request since it last had an answer without a fault, from one."""

    def whole(self, name: str, default: int, lowest: int = 0, highest: int = MOST) -> int:
        """A query argument that is a whole number. Raises Refused."""
        number = bounded(self.argument(name) or str(default), lowest, highest)
        if number is None:
            raise Refused(f"{name} must be a whole number from {lowest} to {highest}")
        return number

    def header(self, name: str) -> str:
        """A query argument that can stand in a header of the answer. Raises Refused."""
        text = self.argument(name)
        if not (text.isascii() and text.isprintable()):
            raise Refused(f"{name} must be printable ASCII to stand in a header")
        return text

    def choice(self, name: str, *allowed: str) -> str:
        """A query argument that is one of some words, the first unless told. Raises Refused."""
        word = self.argument(name) or allowed[0]
        if word not in allowed:
            raise Refused(f"{name} must be one of {', '.join(allowed)}")
        return word

    @property
    def arguments_given(self) -> dict[str, list[str]]:
        """All query arguments by name, in order."""
        arguments: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            arguments.setdefault(name, []).append(value)
        return arguments

    def query_without(self, name: str, *more: tuple[str, str]) -> str:
        """The query without an argument, and with more of them."""
        arguments = self.arguments_given.items()
        kept = [(key, value) for key, values in arguments if key != name for value in values]
        return urlencode([*kept, *more])

    @property
    def headers_shown(self) -> dict[str, str]:
        """The request's headers, with those that may hold a credential hidden."""
        return {
            name: HIDDEN if _SECRET.search(name) else value for name, value in self.headers.items()
        }


@dataclass(frozen=True, slots=True)
class RudeAnswer(DemoResponse):
    """An answer that the server does not send as HTTP wants it."""

    delay: float = 0.0
    """Seconds before it is sent."""
    pieces: Iterable[bytes] | None = None
    """Bytes to write as they are, after which the connection is closed; None: a plain answer."""
    pause: float = 0.0
    """Seconds before each piece."""
    reset: bool = False
    """Reset the connection at its end, or at once where there are no pieces."""


def head_of(answer: DemoResponse, *headers: str) -> bytes:
    """The status line and exactly these header lines beside the type."""
    lines = (f"HTTP/1.1 {answer.status} Chaos", f"Content-Type: {answer.content_type}", *headers)
    return "\r\n".join((*lines, "", "")).encode()


def raw_answer(answer: DemoResponse, headers: tuple[str, ...], body: bytes) -> RudeAnswer:
    """An answer with exactly these header lines beside its type, and exactly these bytes."""
    return RudeAnswer(answer.status, pieces=(head_of(answer, *headers) + body,))
