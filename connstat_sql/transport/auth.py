"""Proof of who we are, on each request: one httpx auth class a kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

import httpx
import msgspec

from connstat_sql.definitions import AuthKind, Template
from connstat_sql.errors import ConfigError, Unauthorized
from connstat_sql.transport.configuration import Resolver

RENEW_BEFORE = 60.0
"""Seconds before a token's end at which a new one is fetched."""


def make_auth(resolver: Resolver, now: Callable[[], float]) -> httpx.Auth | None:
    """The auth of a connection; None when its API asks for none. `now` is in seconds."""
    auth = resolver.auth()
    options = {name: fill(template, resolver) for name, template in auth.options}
    if auth.kind is AuthKind.BASIC:
        return httpx.BasicAuth(options["username"], options["password"])
    if auth.kind is AuthKind.BEARER:
        return HeaderAuth("Authorization", f"Bearer {options['token']}")
    if auth.kind is AuthKind.HEADER:
        return HeaderAuth(options["name"], options["value"])
    if auth.kind is AuthKind.CLIENT_CREDENTIALS:
        return ClientCredentials(options.pop("token_url"), options, resolver.connection.name, now)
    return None


def fill(template: Template, resolver: Resolver) -> str:
    """A template's text with the connection's settings in it."""
    filled = []
    for index, part in enumerate(template.parts):
        value = resolver.setting(part) if index % 2 else part
        if value is None:
            raise ConfigError(f"connection {resolver.connection.name}: {part} is not set")
        filled.append(value)
    text = "".join(filled)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        names = ", ".join(template.params)
        raise ConfigError(
            f"connection {resolver.connection.name}: {names} holds a control character"
        )
    return text


class HeaderAuth(httpx.Auth):
    """A fixed header: bearer tokens and API keys."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Set the header."""
        request.headers[self._name] = self._value
        yield request


class ClientCredentials(httpx.Auth):
    """OAuth 2.0 client credentials (RFC 6749 §4.4).

    One token serves all requests of a connection; it is fetched once however many requests wait
    for it, renewed before its end, and once more after a 401. It lives in memory only.
    """

    def __init__(
        self, token_url: str, form: Mapping[str, str], connection: str, now: Callable[[], float]
    ) -> None:
        self._token_url = token_url
        self._form = {"grant_type": "client_credentials", **form}
        self._connection = connection
        self._now = now
        self._token: str | None = None
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with the token; after a 401 fetch a new one and send once more."""
        for last in (False, True):
            async with self._lock:
                if self._token is None or self._now() > self._ends - RENEW_BEFORE:
                    answer = yield self._token_request()
                    self._keep(answer.status_code, await answer.aread())
                token = self._token
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != 401 or last:
                return
            async with self._lock:
                if self._token == token:
                    self._token = None

    def _token_request(self) -> httpx.Request:
        return httpx.Request("POST", self._token_url, data=dict(self._form))

    def _keep(self, status: int, body: bytes) -> None:
        try:
            answer = msgspec.json.decode(body)
            token, lifetime = answer["access_token"], float(answer.get("expires_in", 3600))
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError):
            token, lifetime = None, 0.0
        if status != 200 or not isinstance(token, str):
            raise Unauthorized(
                f"{self._token_url} gave no token (status {status})",
                connection=self._connection,
                status=status,
                attempts=1,
                hint="check the client id and secret of the connection",
            )
        self._token = token
        self._ends = self._now() + lifetime
