"""What can be wrong with an answer of the chaos API: a good answer in, what is sent out."""

import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

import msgspec

from connstat_sql.sandbox.chaos_wire import Asked, Refused, RudeAnswer, raw_answer
from connstat_sql.sandbox.wire import JSON, Answer, json_answer

LONGEST_DELAY = 60_000
_HTML = b"<!doctype html>\n<html><body><h1>We will be right back</h1></body></html>\n"
_GARBAGE = b"\x1f\x8b\x08\x00" + bytes(range(7, 255, 13))
"""Begins as gzip does, and is not."""


def status(asked: Asked, good: Answer) -> Answer:
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
        return Answer(code, headers=headers)
    message = asked.argument("message") or f"this is try {asked.attempt}, and it fails as told"
    return json_answer({"message": message}, code, headers)


def _page_of(answer: Answer) -> int:
    items = msgspec.json.decode(answer.body)["items"]
    return int(items[0]["page"]) if items else 1


def _date_in(text: str) -> str:
    seconds = text[1:]
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 9):
        raise Refused("retry_after in the form of a date is written like +5")
    return formatdate(time.time() + int(seconds), usegmt=True)


def cut(asked: Asked, good: Answer) -> Answer:
    """The whole length is promised, some bytes come, and the connection is closed."""
    kept = asked.whole("bytes", 20)
    return raw_answer(good, (f"Content-Length: {len(good.body)}",), good.body[:kept])


def length(asked: Asked, good: Answer) -> Answer:
    """The whole body comes, but Content-Length says more or less than that."""
    promised = max(0, len(good.body) + asked.whole("off", 5, -1_000_000))
    return raw_answer(good, (f"Content-Length: {promised}",), good.body)


def html(asked: Asked, _good: Answer) -> Answer:
    """A web page, as a login or a proxy shows it."""
    return Answer(asked.whole("status", 200, 200, 599), _HTML, "text/html; charset=utf-8")


def empty(asked: Asked, _good: Answer) -> Answer:
    """No body at all."""
    return Answer(asked.whole("status", 204, 200, 599))


def slow(asked: Asked, good: Answer) -> Answer:
    """The right answer, later."""
    milliseconds = asked.whole("milliseconds", 10, highest=LONGEST_DELAY)
    return RudeAnswer(good.status, good.body, delay=milliseconds / 1000)


def reset(_asked: Asked, good: Answer) -> Answer:
    """No answer: the connection is reset."""
    return RudeAnswer(good.status, reset=True)


def packing(asked: Asked, good: Answer) -> Answer:
    """Bytes that claim to be packed, and are not, or not all of them."""
    return replace(good, body=_GARBAGE, headers={"Content-Encoding": asked.header("packing")})


def chunks(asked: Asked, good: Answer) -> Answer:
    """Chunks whose size is no number, or whose end never comes."""
    size = f"{len(good.body):x}\r\n".encode()
    bodies = {"garbage": b"zz\r\n" + good.body + b"\r\n0\r\n\r\n", "endless": size + good.body}
    kind = asked.argument("kind", "garbage")
    if kind not in bodies:
        raise Refused(f"kind must be one of {', '.join(bodies)}")
    return raw_answer(good, ("Transfer-Encoding: chunked",), bodies[kind])


def redirect(asked: Asked, _good: Answer) -> Answer:
    """Somewhere else is where the rows are said to be: here again, or another host."""
    code = asked.whole("status", 302, 300, 399)
    target = asked.header("location") or f"/chaos/pages/tokens?{asked.query_without('times')}"
    return Answer(code, headers={"Location": target})


def wrong(asked: Asked, good: Answer) -> Answer:
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
    return Answer(200, msgspec.json.encode(body), JSON)


FAULTS: dict[str, Callable[[Asked, Answer], Answer]] = {
    "status": status,
    "cut": cut,
    "length": length,
    "html": html,
    "empty": empty,
    "slow": slow,
    "reset": reset,
    "packing": packing,
    "chunks": chunks,
    "redirect": redirect,
}
