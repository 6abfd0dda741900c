"""Servers that tell back the credentials they got, in every writing: none of it is shown."""

from __future__ import annotations

import base64
import html
import json
import logging
import random
import re
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import quote, quote_plus

from connstat_sql import LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from connstat_sql.errors import ConnstatError, PlanError
from tests.attack.outcome import Outcome
from tests.soak.run import HurriedClock

DEFINITIONS = Path(__file__).parent / "definitions"
SECRET = "w7K/q+Zp=9?v<Rt&d\"Lm\\4x'Ñ 8yB%c"
LOGIN = "ada-of-the-mirror"
CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "bearer": {"token": "w7K/q+Zp=9_vRtd-Lm4x~8yBc5"},
    "basic": {"username": LOGIN, "password": SECRET},
    "key": {"key": SECRET},
    "client": {"client_id": "mirrors", "client_secret": SECRET},
}
TOKENS = tuple(f"tok{number}+Hq7/Vd2_Xs9-Jn4~{number}Gw6Kf3Z" for number in range(50))
SHOWN = 8
"""What so many letters in a row of a credential were written as may not be seen."""

Write = Callable[[str], str]


def _all(form: str) -> Write:
    return lambda text: "".join(form % ord(letter) for letter in text)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wrapped(text: str) -> str:
    return "\r\n".join(re.findall(".{1,20}", _b64(text)))


FORMS: Mapping[str, Write] = {
    "plain": str,
    "upper": str.upper,
    "start": lambda text: text[: len(text) // 2],
    "end": lambda text: text[len(text) // 2 :],
    "URL": quote,
    "URL, all": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "URL, each letter": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "URL, three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "JSON": json.dumps,
    "JSON, twice": lambda text: json.dumps(json.dumps(text)),
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON for HTML": lambda text: re.sub(
        "[<>&'=+]", lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text)
    ),
    "JSON, each letter": _all("\\u%04x"),
    "Python": lambda text: ascii(text.encode()),
    "hexadecimal escapes": _all("\\x%02x"),
    "octal escapes": _all("\\%03o"),
    "HTML": html.escape,
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "HTML, numbers": _all("&#%d;"),
    "HTML, hexadecimal": _all("&#x%X;"),
    "HTML of JSON": lambda text: html.escape(json.dumps(text)),
    "JSON of URL": lambda text: json.dumps(quote(text)),
    "base64": _b64,
    "base64, login": lambda text: _b64(f"{LOGIN}:{text}"),
    "base64, wrapped": _wrapped,
    "base64, twice": lambda text: _b64(_b64(text)),
    "base64, for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of URL": lambda text: _b64(quote(text, safe="")),
    "URL of base64": lambda text: quote(_b64(text), safe=""),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, colons": lambda text: text.encode().hex(":"),
    "hexadecimal, blanks": lambda text: text.encode().hex(" ").upper(),
    "hexadecimal, bytes": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
}

IN_ROWS = ("plain", "URL", "URL, all", "base64", "base64, for URLs", "hexadecimal")
"""Writings that are seen in a value of a row which becomes part of a request."""


class Mirror:
    """A server whose path says where credentials are told back; `written` says how."""

    def __init__(self) -> None:
        self.written: Write = str
        self.reflected: dict[str, int] = {}
        """What was told back, and how many letters of it may not be seen in a row."""
        self._count, self._lock = 0, Lock()
        self._used: list[str] = []

    def answer(self, head: str, body: str) -> bytes:
        """The answer to a request."""
        path = head.split(" ", 2)[1].partition("?")[0]
        secrets = self._secrets(head, body)
        if path == "/token":
            return self._token(secrets)
        said = self._said(secrets[0]) if secrets else "nothing"
        _, table, place = path.split("/", 2) if path.count("/") > 1 else ("", "", "message")
        if table == "details":
            return _json({"message": said}, 400)
        return PLACES.get(place, PLACES["message"])(said, self._url(head))

    def _token(self, secrets: list[str]) -> bytes:
        with self._lock:
            self._count += 1
            token = TOKENS[self._count % len(TOKENS)]
        if self._count % 3 == 0:
            said = self._said(secrets[0])
            return _json({"error_description": said}, 200 if self._count % 2 else 401)
        return _json({"access_token": token, "expires_in": 30})

    def _said(self, secret: str) -> str:
        said = self.written(secret)
        kept = said.removeprefix(_b64(f"{LOGIN}:"))
        self.reflected[kept] = SHOWN * -(-len(kept) // len(secret))
        return said

    def _secrets(self, head: str, body: str) -> list[str]:
        """What a request holds, the older token where it has one."""
        login = re.search(r"(?im)^authorization: (\w+) (\S+)", head)
        if login is None:
            return [SECRET] if "apikey=" in head or "client_secret" in body else []
        if login[1] == "Basic":
            return [SECRET]
        if login[2] in TOKENS and login[2] not in self._used[-1:]:
            self._used.append(login[2])
            return self._used[-2:]
        return [login[2]]

    def _url(self, head: str) -> str:
        host = re.search(r"(?im)^host: (\S+)", head)
        return f"http://{host[1] if host else ''}"


def _raw(head: str, body: str = "") -> bytes:
    encoded = body.encode()
    return f"{head}\r\nContent-Length: {len(encoded)}\r\n\r\n".encode() + encoded


def _json(body: object, status: int = 200) -> bytes:
    return _raw(f"HTTP/1.1 {status} X\r\nContent-Type: application/json", json.dumps(body))


def _line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", text)


ITEM = {"number": 1, "kind": "a"}
PLACES: Mapping[str, Callable[[str, str], bytes]] = {
    "message": lambda said, _: _json({"message": f"you sent {said}!"}, 401),
    "long": lambda said, _: _json({"message": "x" * 490 + said}, 500),
    "text": lambda said, _: _raw("HTTP/1.1 500 X\r\nContent-Type: text/plain", f"no: {said}"),
    "at-a-cut": lambda said, _: _raw("HTTP/1.1 500 X", "x" * 190 + said),
    "page": lambda said, _: _raw("HTTP/1.1 403 X", f"<html>{said}"),
    "success": lambda said, _: _json({"ok": False, "message": said}),
    "not-whole": lambda said, _: _json({"items": [ITEM], "unreachable": [said]}),
    "later": lambda said, _: _json({"message": said}, 202),
    "reason": lambda said, _: _raw(f"HTTP/1.1 418 {_line(said)}"),
    "garbled": lambda said, _: _raw(f"HTTP/1.1 {_line(said)} OK"),
    "no-head": lambda said, _: said.encode() + b"\r\n\r\n",
    "header": lambda said, _: _raw(f"HTTP/1.1 200 OK\r\n{_line(said)} : {_line(said)}", "{}"),
    "packed": lambda said, _: _raw(f"HTTP/1.1 200 OK\r\nContent-Encoding: {_line(said)}", "{}"),
    "type": lambda said, _: _raw(f"HTTP/1.1 200 OK\r\nContent-Type: {_line(said)}", "<x>"),
    "length": lambda said, _: f"HTTP/1.1 200 OK\r\nContent-Length: {_line(said)}\r\n\r\n".encode(),
    "chunks": lambda said, _: (
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{_line(said)}\r\n{said}".encode()
    ),
    "wait": lambda said, _: _raw(f"HTTP/1.1 429 X\r\nRetry-After: {_line(said)}", said),
    "elsewhere": lambda said, _: _raw(f"HTTP/1.1 302 X\r\nLocation: http://o.test/{_line(said)}"),
    "host": lambda said, _: _raw(f"HTTP/1.1 302 X\r\nLocation: http://{_line(said)}.o.test/"),
    "here": lambda said, url: _raw(f"HTTP/1.1 302 X\r\nLocation: {url}/links/{_line(said)}"),
    "scheme": lambda said, url: _raw(
        f"HTTP/1.1 302 X\r\nLocation: https{url[4:]}/{_line(said)}?x={_line(said)}"
    ),
    "number": lambda said, _: _json({"items": [{"number": said}]}),
    "name": lambda said, _: _json({said: [], "items": {said: said}}),
    "names": lambda said, _: _json({"items": [{**ITEM, said: 1, "number": {said: 1}}]}),
    "no-json": lambda said, _: _raw("HTTP/1.1 200 OK", '{"items": [' + said),
    "next": lambda said, _: _json({"items": [ITEM], "next": said}),
    "next-in-path": lambda said, url: _json({"items": [ITEM], "next": f"{url}/links/{said}"}),
    "next-in-query": lambda said, url: _json({"items": [ITEM], "next": f"{url}/links/x?a={said}"}),
    "next-elsewhere": lambda said, _: _json({"items": [ITEM], "next": f"http://o.test/{said}"}),
    "next-login": lambda said, _: _json({"items": [ITEM], "next": f"http://{said}@o.test/"}),
    "row": lambda said, _: _json({"items": [{"number": 1, "kind": re.sub(r"\s+", "", said)}]}),
}
STATEMENTS = (
    "SELECT number FROM {name}.tell.tokens WHERE place = '{place}'",
    "SELECT number FROM {name}.tell.links WHERE place = '{place}'",
    "SELECT d.number FROM {name}.tell.tokens t JOIN {name}.tell.details d ON d.kind = t.kind"
    " WHERE t.place = '{place}'",
)


@contextmanager
def mirroring() -> Iterator[tuple[str, Mirror]]:
    """Serve until the end: the URL."""
    mirror = Mirror()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    raw, _ = listening.accept()
                    with raw, suppress(OSError):
                        raw.settimeout(5)
                        head, body = _request(raw)
                        if head:
                            raw.sendall(mirror.answer(head, body))

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", mirror
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _request(raw: socket.socket) -> tuple[str, str]:
    received = b""
    while b"\r\n\r\n" not in received and (piece := raw.recv(65536)):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]) and (piece := raw.recv(65536)):
        body += piece
    return head.decode("latin-1"), body.decode()


class _Log(logging.Handler):
    """Keeps what every library logs, tracebacks as well."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def _logging() -> Iterator[list[str]]:
    log, root = _Log(), logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        yield log.lines
    finally:
        root.removeHandler(log)
        root.setLevel(level)


def run(count: int, seed: int) -> Outcome:
    """So many statements to a server that tells back what it got."""
    outcome, source = Outcome(), random.Random(seed)
    with mirroring() as (url, mirror), _logging() as logged:
        tables = {
            name: {"provider": "mirror", "base_url": url, **table}
            for name, table in CONNECTIONS.items()
        }
        tables["client"]["token_url"] = f"{url}/token"
        setup = Setup(connections=tables, providers=(DEFINITIONS,))
        outside = EngineOptions(environment={}, clock=HurriedClock(), timeout=2)
        with LiveDatabase(open_engine(setup, outside)) as con:
            for number in outcome.turns(count):
                name = [*CONNECTIONS][number % len(CONNECTIONS)]
                form, place = source.choice([*FORMS]), source.choice([*PLACES])
                if place == "row":
                    form = source.choice(IN_ROWS)
                mirror.written = FORMS[form]
                mirror.reflected.clear()
                logged.clear()
                sql = source.choice(STATEMENTS).format(name=name, place=place)
                seen = "\n".join((*_shown(con, sql, source, outcome), *logged))
                own = (SECRET, *TOKENS, CONNECTIONS["bearer"]["token"])
                secrets = {**dict.fromkeys(own, SHOWN), **mirror.reflected}
                shown = [part for secret in secrets.items() if (part := _part(*secret, seen))]
                if shown:
                    at = seen.index(shown[0])
                    where = seen[max(0, at - 150) : at + 60]
                    outcome.failures.append(f"{place}, {form}, {name}: {shown[0]!r} in {where!r}")
    return outcome


def _part(secret: str, size: int, seen: str) -> str:
    """A part of a credential that is seen."""
    parts = (secret[at : at + size] for at in range(len(secret) - size + 1))
    return next((part for part in parts if part in seen), "")


def _shown(con: LiveDatabase, sql: str, source: random.Random, outcome: Outcome) -> Iterator[str]:
    """What a person or a log may come to see of a statement, but for rows."""
    way = source.choice(("rows", "partial", "analyze"))
    try:
        if way == "analyze":
            yield str(con.sql(f"EXPLAIN ANALYZE {sql}").fetchall())
        result = con.sql(sql, partial=way != "rows")
        yield from (f"{error.error} {error.error!r} {vars(error.error)}" for error in result.errors)
        yield str(con.sql("SELECT * EXCLUDE arguments FROM _errors").fetchall())
        outcome.ends["rows"] += 1
    except PlanError:  # a value of a row, which no path can hold
        outcome.ends["PlanError"] += 1
    except ConnstatError as error:
        outcome.ends[type(error).__name__] += 1
        yield f"{error} {error!r} {error.hint} {vars(error)}"
        yield "".join(traceback.format_exception(error))
