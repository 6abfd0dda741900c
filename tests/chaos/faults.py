"""What can be wrong with an answer of the chaos API: a good answer in, what is sent out."""

import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from itertools import chain

import msgspec

from connstat_sql.demo.wire import JSON, DemoResponse, json_answer
from tests.chaos.wire import (
    Asked,
    Refused,
    RudeAnswer,
    head_of,
    raw_answer,
)

LONGEST_DELAY = 60_000
LARGEST = 10_000
_HTML = b"<!doctype html>\n<html><body><h1>We will be right back</h1></body></html>\n"
_CHUNK = 50
_SPACES = b" " * 1_000_000
_WINDOWS = {"gzip": 31, "deflate": 15}
_GARBAGE = b"\x1f\x8b\x08\x00" + bytes(range(7, 255, 13))
"""Begins as gzip does, and is not."""


def status(asked: Asked, good: DemoResponse) -> DemoResponse:
    """An error status with what the request says of Retry-After, message and another header."""
    failing = asked.whole("at_page", 0)
    if failing and failing != _page_of(good):
        return good
    code = asked.whole("status", 503, 200, 599)
    headers = {}
    if wait := asked.header("retry_after"):
        headers["Retry-After"] = _date_in(wait) if wait.startswith("+") else wait
    if further := asked.header("header"):
        name, colon, value = further.partition(":")
        if not (colon and name.replace("-", "").isalnum()):
            raise Refused("header must be written like Name: value")
        headers[name] = value.strip()
    if code in (204, 304):
        return DemoResponse(code, headers=headers)
    message = asked.argument("message") or f"this is try {asked.attempt}, and it fails as told"
    return json_answer({"message": message}, code, headers)


def _page_of(answer: DemoResponse) -> int:
    items = msgspec.json.decode(answer.body)["items"]
    return int(items[0]["page"]) if items else 1


def _date_in(text: str) -> str:
    seconds = text[1:]
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 9):
        raise Refused("retry_after in the form of a date is written like +5")
    return formatdate(time.time() + int(seconds), usegmt=True)


def cut(asked: Asked, good: DemoResponse) -> DemoResponse:
    """Some bytes come, and the connection is closed, or reset.

    What promises more than that is the length, the chunks, or (`close`) nothing but the JSON.
    """
    framing = asked.choice("framing", "length", "chunks", "close")
    head, body = _framed(good, framing)
    kept = body[: asked.whole("bytes", 20)]
    is_reset = asked.choice("ending", "close", "reset") == "reset"
    return RudeAnswer(good.status, pieces=(head, kept), reset=is_reset)


def _framed(good: DemoResponse, framing: str) -> tuple[bytes, bytes]:
    """The head and the body of an answer on the wire."""
    if framing == "close":
        return head_of(good, "Connection: close"), good.body
    if framing == "length":
        return head_of(good, f"Content-Length: {len(good.body)}"), good.body
    parts = [good.body[at : at + _CHUNK] for at in range(0, len(good.body), _CHUNK)]
    body = b"".join(map(_chunk, (*parts, b"")))
    return head_of(good, "Transfer-Encoding: chunked"), body


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def length(asked: Asked, good: DemoResponse) -> DemoResponse:
    """The whole body comes, but Content-Length says more or less than that."""
    promised = max(0, len(good.body) + asked.whole("off", 5, -1_000_000))
    return raw_answer(good, (f"Content-Length: {promised}",), good.body)


def closing(_asked: Asked, good: DemoResponse) -> DemoResponse:
    """The right answer, after which a connection that could be kept is closed unannounced."""
    return raw_answer(good, (f"Content-Length: {len(good.body)}",), good.body)


def huge(asked: Asked, good: DemoResponse) -> DemoResponse:
    """The right answer behind so many megabytes of spaces, made while they are sent."""
    megabytes = asked.whole("megabytes", 1, highest=LARGEST)
    spaces = (_SPACES for _ in range(megabytes))
    if asked.choice("framing", "length", "chunks") == "length":
        size = megabytes * len(_SPACES) + len(good.body)
        head = head_of(good, f"Content-Length: {size}")
        return RudeAnswer(good.status, pieces=chain((head,), spaces, (good.body,)))
    head = head_of(good, "Transfer-Encoding: chunked")
    chunks = map(_chunk, chain(spaces, (good.body, b"")))
    return RudeAnswer(good.status, pieces=chain((head,), chunks))


def head(asked: Asked, good: DemoResponse) -> DemoResponse:
    """The right answer under one very long header, or very many headers."""
    count = asked.whole("count", 1_000)
    is_line = asked.choice("kind", "line", "many") == "line"
    lines = ("X-Long: " + "x" * count,) if is_line else [f"X-{n}: x" for n in range(count)]
    return raw_answer(good, (*lines, f"Content-Length: {len(good.body)}"), good.body)


def html(asked: Asked, _good: DemoResponse) -> DemoResponse:
    """A web page, as a login or a proxy shows it."""
    return DemoResponse(asked.whole("status", 200, 200, 599), _HTML, "text/html; charset=utf-8")


def empty(asked: Asked, _good: DemoResponse) -> DemoResponse:
    """No body at all."""
    return DemoResponse(asked.whole("status", 204, 200, 599))


def slow(asked: Asked, good: DemoResponse) -> DemoResponse:
    """The right answer, all of it later, or byte by byte from the head on, or from the body on."""
    seconds = asked.whole("milliseconds", 10, highest=LONGEST_DELAY) / 1000
    kind = asked.choice("kind", "answer", "head", "body")
    if kind == "answer":
        return RudeAnswer(good.status, good.body, delay=seconds)
    head = head_of(good, f"Content-Length: {len(good.body)}")
    at_once = b"" if kind == "head" else head
    rest = (head + good.body)[len(at_once) :]
    drops = (rest[at : at + 1] for at in range(len(rest)))
    return RudeAnswer(good.status, pieces=chain((at_once,), drops), pause=seconds)


def reset(_asked: Asked, good: DemoResponse) -> DemoResponse:
    """No answer: the connection is reset."""
    return RudeAnswer(good.status, reset=True)


def packing(asked: Asked, good: DemoResponse) -> DemoResponse:
    """Bytes that claim to be packed, and are not, or not all of them, or hold far too many."""
    name = asked.header("packing")
    headers = {"Content-Encoding": name}
    kind = asked.choice("kind", "garbage", "cut", "bomb", "good")
    if kind == "garbage":
        return replace(good, body=_GARBAGE, headers=headers)
    if name not in _WINDOWS:
        raise Refused(f"only {' and '.join(_WINDOWS)} can be packed here, not {name}")
    megabytes = asked.whole("megabytes", 100, highest=LARGEST) if kind == "bomb" else 0
    packed = _packed(_WINDOWS[name], megabytes, good.body)
    if kind == "cut":
        packed = packed[: len(packed) // 2]
    return replace(good, body=packed, headers=headers)


@lru_cache
def _packed(window: int, megabytes: int, body: bytes) -> bytes:
    """So many megabytes of spaces and the body, in zlib's words for a way of packing."""
    packer = zlib.compressobj(1, wbits=window)
    spaces = (packer.compress(_SPACES) for _ in range(megabytes))
    return b"".join((*spaces, packer.compress(body), packer.flush()))


def chunks(asked: Asked, good: DemoResponse) -> DemoResponse:
    """Chunks whose size is no number, or whose end never comes."""
    kind = asked.choice("kind", "garbage", "endless")
    size = f"{len(good.body):x}\r\n".encode()
    body = b"zz\r\n" + good.body + b"\r\n0\r\n\r\n" if kind == "garbage" else size + good.body
    return raw_answer(good, ("Transfer-Encoding: chunked",), body)


def redirect(asked: Asked, _good: DemoResponse) -> DemoResponse:
    """Somewhere else is where the rows are said to be: here again, or another host."""
    code = asked.whole("status", 302, 300, 399)
    target = asked.header("location") or f"/chaos/pages/tokens?{asked.query_without('times')}"
    return DemoResponse(code, headers={"Location": target})


def wrong(asked: Asked, good: DemoResponse) -> DemoResponse:
    """One value of one row is replaced by any JSON."""
    column, number = asked.argument("wrong_column"), asked.whole("wrong_row", 1)
    if not column:
        return good
    try:
        value = msgspec.json.decode(asked.argument("wrong_value", "null"))
    except msgspec.DecodeError:
        raise Refused("wrong_value must be JSON, a text in double quotes") from None
    body = msgspec.json.decode(good.body)
    for each in body["items"]:
        if each["number"] == number:
            each[column] = value
    return DemoResponse(200, msgspec.json.encode(body), JSON)


FAULTS: dict[str, Callable[[Asked, DemoResponse], DemoResponse]] = {
    "status": status,
    "cut": cut,
    "length": length,
    "closing": closing,
    "huge": huge,
    "head": head,
    "html": html,
    "empty": empty,
    "slow": slow,
    "reset": reset,
    "packing": packing,
    "chunks": chunks,
    "redirect": redirect,
}
