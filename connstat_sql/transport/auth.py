"""Proof of who we are: the headers that each request of a connection carries."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from connstat_sql.definitions import AuthKind
from connstat_sql.errors import ConfigError, FetchError, Unauthorized, UnexpectedShape
from connstat_sql.transport.door import Request
from connstat_sql.transport.resolving import Resolver

RENEW_BEFORE = 60.0
"""Seconds before a token's end at which a new one is fetched; half its life when that is short."""
REFUSED_FOR = 30.0
"""Seconds in which a refused client id and secret are not tried again."""

Ask = Callable[[Request], Awaitable[bytes]]
"""Sends a request that carries no credentials; raises FetchError unless the answer is a success."""


class Credentials(Protocol):
    """What a connection proves itself with, along with the headers that it always sends."""

    async def headers(self, ask: Ask, table: str) -> Mapping[str, str]:
        """Headers for a request of a table. Raises FetchError when there are none to be had."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """After a 401 with these headers: whether others may be had."""

    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may repeat."""


def make_credentials(resolver: Resolver, now: Callable[[], float]) -> Credentials:
    """The credentials of a connection. `now` is in seconds. Raises ConfigError."""
    auth = resolver.auth()
    always, secrets = resolver.headers(), tuple(resolver.secrets())
    if auth.kind is AuthKind.CLIENT_CREDENTIALS:
        options = dict(auth.options)
        token_url = resolver.url(options.pop("token_url"))
        form = {name: resolver.fill(template) for name, template in options.items()}
        origin = _Origin(token_url, form, resolver.connection.name)
        return ClientCredentials(origin, always, secrets, now)
    options_filled = {name: resolver.fill(template) for name, template in auth.options}
    proof: dict[str, str] = {}
    if auth.kind is AuthKind.BASIC:
        name, password = options_filled["username"], options_filled["password"]
        if ":" in name:
            raise ConfigError(f"{resolver.connection.place}: a user name cannot hold a colon")
        encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
        proof, secrets = {"Authorization": f"Basic {encoded}"}, (*secrets, encoded)
    elif auth.kind is AuthKind.BEARER:
        proof = {"Authorization": f"Bearer {options_filled['token']}"}
    elif auth.kind is AuthKind.HEADER:
        proof = {options_filled["name"]: options_filled["value"]}
    for header, value in proof.items():
        resolver.check_header(header, value)
    return FixedHeaders({**always, **proof}, secrets)


class FixedHeaders:
    """The same headers always: basic, bearer, API key, or none at all."""

    def __init__(self, proof: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        self._proof = proof
        self._secrets = secrets

    def __repr__(self) -> str:
        return "FixedHeaders()"

    async def headers(self, _ask: Ask, _table: str) -> Mapping[str, str]:
        """The headers."""
        return self._proof

    def renew(self, _refused: Mapping[str, str]) -> bool:
        """There are no others."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Passwords, keys and tokens."""
        return self._secrets


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a connection's token comes from, and with what it is asked for."""

    url: str
    form: Mapping[str, str] = field(repr=False)
    connection: str


class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749 §4.4).

    One token serves all requests of a connection; it is fetched once however many requests wait
    for it, renewed before its end, and once more after a 401. It lives in memory only.
    """

    def __init__(
        self,
        origin: _Origin,
        always: Mapping[str, str],
        secrets: tuple[str, ...],
        now: Callable[[], float],
    ) -> None:
        self._origin = origin
        self._always = always
        self._secrets = secrets
        self._now = now
        self._token: str | None = None
        self._renew_at = 0.0
        self._refusal: tuple[Unauthorized, float] | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"ClientCredentials({self._origin.url})"

    async def headers(self, ask: Ask, table: str) -> Mapping[str, str]:
        """The token as a header, fetched when there is none or its end is near."""
        async with self._lock:
            if self._token is None or self._now() >= self._renew_at:
                self._repeat_refusal()
                await self._fetch(ask, table)
            return {**self._always, "Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused, unless it has been replaced already."""
        if refused.get("Authorization") == f"Bearer {self._token}":
            self._token = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """The client secret and the token."""
        return (*self._secrets, self._token) if self._token else self._secrets

    async def _fetch(self, ask: Ask, table: str) -> None:
        request = Request(
            table=table,
            method="POST",
            url=self._origin.url,
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=urlencode({"grant_type": "client_credentials", **self._origin.form}).encode(),
        )
        try:
            self._keep(await ask(request))
        except FetchError as error:
            if error.status in (400, 401, 403):
                raise self._refused(error, request) from error
            raise

    def _keep(self, body: bytes) -> None:
        try:
            answer = msgspec.json.decode(body, type=_Token)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = _Token("")
        token = answer.access_token
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise UnexpectedShape(
                f"{self._origin.url} answered without a token",
                connection=self._origin.connection,
                hint="check token_url of the connection",
            )
        lifetime = answer.seconds()
        self._token = token
        self._renew_at = self._now() + max(lifetime - RENEW_BEFORE, lifetime / 2)

    def _refused(self, error: FetchError, request: Request) -> Unauthorized:
        refused = Unauthorized(
            f"{self._origin.url} gave no token: {error.message}",
            table=error.table,
            connection=self._origin.connection,
            request=request.line,
            status=error.status,
            attempts=error.attempts,
            hint="check client id and secret of the connection",
        )
        self._refusal = (refused, self._now())
        return refused

    def _repeat_refusal(self) -> None:
        """A wrong secret is tried once, however many requests wait for a token."""
        if self._refusal is None:
            return
        error, at = self._refusal
        if self._now() - at < REFUSED_FOR:
            raise Unauthorized(
                error.message, table=error.table, connection=error.connection,
                request=error.request, status=error.status, hint=error.hint,
            )  # fmt: skip
        self._refusal = None


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None

    def seconds(self) -> float:
        """How long it lives; an hour when the answer does not say."""
        try:
            found = float(3600 if self.expires_in is None else self.expires_in)
        except ValueError:
            return 0.0
        return max(found, 0.0) if math.isfinite(found) else 0.0
