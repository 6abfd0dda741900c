"""Ways to prove who we are, as definitions say them; redirects, and errors within successes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.definitions.loader import Library
from connstat_sql.errors import FetchError, Status, Unauthorized, UnexpectedShape
from connstat_sql.transport import Attempt, Client, ClientOptions, Request, Response
from tests.conftest import FakeClock
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of, problems_of

SECRET = "k/e+y secret%2F"
QUOTED = ("k/e%2By%20secret%252F", "k%2Fe%2By%20secret%252F", "k%2Fe%2By+secret%252F")
PROVIDER = """provider: p
description: d
base_url: http://api.test
settings:
  id: {default: "a:b é"}
  key: {secret: true}
"""
OAUTH = '{token_url: "http://auth.test/token", client_id: "{id}", client_secret: "{key}"'


@dataclass
class Wire:
    """An API that answers as told; what was asked of it, and what was told of that."""

    answer: Callable[[httpx.Request], httpx.Response]
    asked: list[httpx.Request] = field(default_factory=list)
    sent: list[Attempt] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def send(self, root: Path, words: str, *requests: Request) -> list[Response]:
        """The answers to requests of a provider that says such words."""
        library = Library([folder_of(root, {"provider.yaml": PROVIDER + words})])
        table = {"provider": "p", "key": SECRET}
        connection = find_connections(Setup(connections={"one": table}), library, {})["one"]
        provider = library.provider("p")
        assert provider is not None
        client_options = ClientOptions(
            self.clock, {}, httpx.MockTransport(self.respond), observe=self.sent.append
        )

        async def main() -> list[Response]:
            client = Client(provider, connection, client_options)
            try:
                return [await client.send(request) for request in requests]
            finally:
                await client.close()

        return asyncio.run(main())


def get(path: str = "/x", **more: Any) -> Request:
    return Request("p.s.t", "GET", f"http://api.test{path}", **more)


def shown(wire: Wire, error: FetchError | None = None) -> str:
    lines = " ".join(str(attempt.line) for attempt in wire.sent)
    return lines if error is None else f"{lines} {error.message} {error.hint} {error.request}"


def assert_nothing_secret(text: str) -> None:
    assert not [secret for secret in (SECRET, *QUOTED) if secret in text]


# --- a key in the query --------------------------------------------------------------------------

IN_QUERY = 'auth: [{query: {name: api key, value: "{key}"}}]'


def test_a_key_of_the_query_is_sent_once_and_shown_nowhere(tmp_path: Path) -> None:
    wire = Wire(lambda _: httpx.Response(200, json=[]))
    asked = [
        get(), get(query=(("a", "1"), ("api key", "old"))),
        get(raw_query="b=%2f&api+key=old&api%20key=older&c"),
    ]  # fmt: skip
    wire.send(tmp_path, IN_QUERY, *asked)
    assert [parse_qsl(call.url.query.decode(), keep_blank_values=True) for call in wire.asked] == [
        [("api key", SECRET)], [("a", "1"), ("api key", SECRET)],
        [("b", "/"), ("c", ""), ("api key", SECRET)],
    ]  # fmt: skip
    assert_nothing_secret(shown(wire))


@over("body", [f"no {SECRET}", *(f"at /x?api+key={secret}" for secret in QUOTED)])
def test_an_error_that_repeats_the_key_is_told_without_it(tmp_path: Path, body: str) -> None:
    wire = Wire(lambda _: httpx.Response(400, text=body))
    with pytest.raises(Status, match="…") as caught:
        wire.send(tmp_path, IN_QUERY, get())
    assert_nothing_secret(shown(wire, caught.value))


# --- where tokens come from ----------------------------------------------------------------------


def tokens(body: Any = None, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    """A server of tokens and an API in one."""
    token = {"access_token": "tok", "expires_in": 60} if body is None else body

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.test":
            return httpx.Response(status, json=token)
        return httpx.Response(200, json=[])

    return answer


BASIC = base64.b64encode(b"a%3Ab+%C3%A9:k%2Fe%2By+secret%252F").decode()
FORM = {"grant_type": "client_credentials", "client_id": "a:b é", "client_secret": SECRET}


@over(
    "words, login, fields",
    [
        ("}", None, FORM),
        (", send: json}", None, FORM),
        (", send: basic}", f"Basic {BASIC}", {"grant_type": "client_credentials"}),
        (", send: basic, fields: {scope: a b}}", f"Basic {BASIC}",
         {"grant_type": "client_credentials", "scope": "a b"}),
        (", fields: {grant_type: account, audience: x}}", None,
         {**FORM, "grant_type": "account", "audience": "x"}),
        (', send: json, fields: {client_id: null, clientId: "{id}", grant_type: null}}', None,
         {"client_secret": SECRET, "clientId": "a:b é"}),
    ],
)  # fmt: skip
def test_a_token_is_asked_for_as_the_definition_says(
    tmp_path: Path, words: str, login: str | None, fields: Mapping[str, str]
) -> None:
    wire = Wire(tokens())
    wire.send(tmp_path, f"auth: [{{client_credentials: {OAUTH}{words}}}]", get())
    asked, used = wire.asked
    content = asked.content.decode()
    is_json = "send: json" in words
    assert asked.headers["Content-Type"].endswith("json" if is_json else "x-www-form-urlencoded")
    assert (json.loads(content) if is_json else dict(parse_qsl(content))) == fields
    assert asked.headers.get("Authorization") == login
    assert used.headers["Authorization"] == "Bearer tok"
    assert_nothing_secret(shown(wire))


@over(
    "words, body, header, value",
    [
        (", token: data.0.token", {"data": [{"token": "t1"}]}, "Authorization", "Bearer t1"),
        (", scheme: Token", {"access_token": "t2"}, "Authorization", "Token t2"),
        (", header: X-Auth, scheme: ''", {"access_token": "t3"}, "X-Auth", "t3"),
        ("", {"access_token": "t4", "token_type": "bearer", "expires_in": "60"}, "Authorization",
         "Bearer t4"),
    ],
)  # fmt: skip
def test_a_token_is_found_and_carried_as_the_definition_says(
    tmp_path: Path, words: str, body: Any, header: str, value: str
) -> None:
    wire = Wire(tokens(body, 201))
    wire.send(tmp_path, f"auth: [{{client_credentials: {OAUTH}{words}}}}}]", get(), get())
    assert len(wire.asked) == 3
    assert wire.asked[-1].headers[header] == value


def test_a_token_of_another_header_is_renewed_after_a_401(tmp_path: Path) -> None:
    tokens = iter(("t1", "t2"))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.test":
            return httpx.Response(200, json={"d": {"t": next(tokens), "life": 3600}})
        return httpx.Response(200 if request.headers["X-Auth"] == "t2" else 401, json=[])

    wire = Wire(answer)
    words = ", header: X-Auth, scheme: '', token: d.t, expires_in: d.life"
    wire.send(tmp_path, f"auth: [{{client_credentials: {OAUTH}{words}}}}}]", get(), get())
    assert [call.url.path for call in wire.asked] == ["/token", "/x", "/token", "/x", "/x"]


@over(
    "status, body, kind, says",
    [
        (401, {"error": "invalid_client"}, Unauthorized, "answered 401: invalid_client"),
        (400, {"error": "e", "error_description": f"bad {SECRET}"}, Unauthorized, "400: bad …"),
        (200, {"error": "unsupported"}, UnexpectedShape, "without a token: unsupported"),
        (200, {"access_token": "a\nb"}, UnexpectedShape, "answered without a token"),
        (200, {"access_token": 7}, UnexpectedShape, "answered without a token"),
        (200, [], UnexpectedShape, "answered without a token"),
    ],
)
def test_no_token_is_told_in_the_words_of_who_gives_none(
    tmp_path: Path, status: int, body: Any, kind: type[FetchError], says: str
) -> None:
    wire = Wire(tokens(body, status))
    with pytest.raises(kind) as caught:
        wire.send(tmp_path, f"auth: [{{client_credentials: {OAUTH}, send: basic}}}}]", get())
    assert says in caught.value.message
    assert_nothing_secret(shown(wire, caught.value))
    assert BASIC not in shown(wire, caught.value)


# --- answers that lead elsewhere -----------------------------------------------------------------

FOLLOW = "redirects: same_origin"


def leading(**places: str) -> Callable[[httpx.Request], httpx.Response]:
    """`/a` leads to `places["a"]`, and so on; what leads nowhere is an answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        place = places.get(request.url.path.strip("/"))
        if place is None:
            return httpx.Response(200, json=[])
        return httpx.Response(int(places.get("status", "302")), headers={"Location": place})

    return answer


@over(
    "place, asked",
    [
        ("/b", "/b"), ("http://api.test/b?c=%2F&d", "/b?c=%2F&d"), ("b/c?d#e", "/b/c?d"),
        ("http://ann:pw@API.test:80/b", "/b"), ("?q=1", "/a?q=1"), ("//api.test/", "/"),
    ],
)  # fmt: skip
def test_a_get_is_followed_once_within_its_origin_where_that_is_allowed(
    tmp_path: Path, place: str, asked: str
) -> None:
    if asked.startswith("/a"):
        wire = Wire(lambda call: httpx.Response(200, json=[]) if call.url.query else httpx.Response(
            307, headers={"Location": place}))  # fmt: skip
    else:
        wire = Wire(leading(a=place))
    wire.send(tmp_path, f"{FOLLOW}\nauth: [{{bearer: {{token: '{{key}}'}}}}]", get("/a"))
    assert [call.url.raw_path.decode() for call in wire.asked] == ["/a", asked]
    assert {call.headers["Authorization"] for call in wire.asked} == {f"Bearer {SECRET}"}
    assert [str(attempt.line) for attempt in wire.sent] == [
        "GET http://api.test/a", f"GET http://api.test{asked}"
    ]  # fmt: skip


def test_a_place_that_repeats_the_key_is_followed_and_told_without_it(tmp_path: Path) -> None:
    wire = Wire(leading(a=f"/b?x=1&api+key={QUOTED[2]}"))
    wire.send(tmp_path, f"{FOLLOW}\n{IN_QUERY}", get("/a"))
    assert dict(wire.asked[1].url.params) == {"x": "1", "api key": SECRET}
    assert_nothing_secret(shown(wire))


@over(
    "words, request, places, says, hint, requests",
    [
        ("", get("/a"), {"a": "/b?token=s3cr3t#x"}, "it leads to http://api.test/b", "same_origin",
         1),
        (FOLLOW, get("/a"), {"a": "/b", "b": "/c"}, "it leads to http://api.test/c", "", 2),
        (FOLLOW, Request("p.s.t", "POST", "http://api.test/a", body=b"{}"), {"a": "/b"},
         "it leads to http://api.test/b", "", 1),
        (FOLLOW, get("/a"), {"a": "https://me:s3cr3t@login.test/o;jsessionid=s3cr3t?t=s3cr3t"},
         "it leads to https://login.test/o", "a login or a proxy may answer", 1),
        (FOLLOW, get("/a"), {"a": "https://api.test/a"}, "it leads to https://api.test/a",
         "https://api.test may be the right one", 1),
        (FOLLOW, get("/a"), {"a": "http://api.test:81/a"}, "http://api.test:81/a", "base_url", 1),
        (FOLLOW, get("/a"), {"a": "//api.test.evil.test/"}, "http://api.test.evil.test/", "", 1),
        (FOLLOW, get("/a"), {"a": "javascript:alert(1)"}, "one answered 302", "", 1),
        (FOLLOW, get("/a"), {"a": f"/{QUOTED[1]}", "status": "300"}, "http://api.test/…", "", 1),
        (FOLLOW, get("/a"), {"a": "", "status": "304"}, "one answered 304", "base_url", 1),
        (FOLLOW, get("/a"), {"a": "http://["}, "one answered 302", "base_url", 1),
    ],
)  # fmt: skip
def test_where_an_answer_leads_is_told_without_what_is_secret(
    tmp_path: Path, words: str, request: Request, places: dict[str, str], says: str, hint: str,
    requests: int,
) -> None:  # fmt: skip
    wire = Wire(leading(**places))
    auth = "auth: [{bearer: {token: '{key}'}}]"
    with pytest.raises(Status) as caught:
        wire.send(tmp_path, f"{words}\n{auth}", request)
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert len(wire.asked) == requests
    assert "s3cr3t" not in shown(wire, caught.value)
    assert_nothing_secret(shown(wire, caught.value))


# --- errors within successes ---------------------------------------------------------------------


@over(
    "words, body, says",
    [
        ("failed: [{at: ok, when: false}]", {"ok": False, "error": "no_such"}, "no_such"),
        ("failed: [{at: ok, unless: true}]", {"error": "no_such"}, "no_such"),
        ("failed: [error]", {"error": "boom", "rows": []}, "boom"),
        ("failed: [error.code]", {"error": {"code": 7}}, ""),
        ("failed: [{at: 0.status, when: [fail, error]}]", [{"status": "fail"}], ""),
        ("failed: [{at: ok, unless: true}]", [], ""),
    ],
)
def test_a_success_that_says_it_is_an_error_is_one(
    tmp_path: Path, words: str, body: Any, says: str
) -> None:
    wire = Wire(lambda _: httpx.Response(200, json=body))
    with pytest.raises(Status, match="one answered 200 with an error") as caught:
        wire.send(tmp_path, f"{words}\nerrors: [error]", get())
    assert says in caught.value.message
    assert len(wire.asked) == 1


@over("body", [{"ok": True}, {"ok": True, "error": None}, {"ok": True, "error": ""}])
def test_a_success_that_says_so_is_an_answer(tmp_path: Path, body: Any) -> None:
    wire = Wire(lambda _: httpx.Response(200, json=body))
    assert wire.send(tmp_path, "failed: [{at: ok, unless: true}, error]", get())


def test_an_error_in_a_success_may_be_worth_another_try(tmp_path: Path) -> None:
    wire = Wire(lambda _: httpx.Response(200, json={"ok": len(wire.asked) > 2, "error": "slow"}))
    words = "failed: [{at: ok, when: false}]\nretry: [{status: [200], message: slow}]"
    assert wire.send(tmp_path, words, get())[0].attempts == 3


# --- what cannot be ------------------------------------------------------------------------------


@over(
    "words, says",
    [
        ("auth: [{query: {name: k}}]", "`value` is missing"),
        ('auth: [{query: {name: k, value: "{kee}"}}]', "names `kee`, which is not a setting"),
        (f"auth: [{{client_credentials: {OAUTH}, send: jsn}}}}]", "`jsn` is not one of"),
        (f"auth: [{{client_credentials: {OAUTH}, token: $}}}}]", "`token` is the whole answer"),
        (f"auth: [{{client_credentials: {OAUTH}, header: 'a b'}}}}]", "not the name of a header"),
        (f"auth: [{{client_credentials: {OAUTH}, fields: {{token_url: x}}}}}}]", "is no field"),
        (f"auth: [{{client_credentials: {OAUTH}, send: basic, fields: {{client_id: null}}}}}}]",
         "`client_id` is sent as HTTP Basic"),
        ("failed: [$]", "is the whole body"),
        ("redirects: always", "`always` is not one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path: Path, words: str, says: str) -> None:
    problems = problems_of(tmp_path, {"provider.yaml": f"{PROVIDER}{words}\n"})
    assert len(problems) == 1, problems
    assert says in problems[0]
    assert problems[0].startswith("provider.yaml:7:")
