"""Proof of who we are: the headers, or the key of the query, that each request carries."""

from __future__ import annotations

import asyncio
import base64
import math
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.model import AuthKind, Path, Sending, TokenRules
from connstat_sql.errors import ConfigError, FetchError, Unauthorized, UnexpectedShape
from connstat_sql.redaction import hidden
from connstat_sql.redaction.credentials import scrubbed
from connstat_sql.transport.errors import plain
from connstat_sql.transport.messages import Request
from connstat_sql.transport.responses import SAID_LENGTH, value_at

RENEW_BEFORE = 60.0
"""Seconds before a token's end at which a new one is fetched; half its life when that is short."""
REMEMBERED = 8
"""Tokens of which an answer may repeat one: those before the last may still be valid."""
REFUSED_FOR = 30.0
"""Seconds in which a refused client id and secret are not tried again."""
LIFETIME = 3600.0
"""Seconds for which a token holds whose answer does not say."""

Ask = Callable[[Request], Awaitable[bytes]]
"""Sends a request that carries no credentials; raises FetchError unless the answer is a success."""


class Credentials(Protocol):
    """What a connection proves itself with, along with the headers that it always sends."""

    query: tuple[tuple[str, str], ...]
    """What is added to the query string of each request, and never shown."""

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
        fields = {name: resolver.fill(template) for name, template in options.items()}
        origin = _Origin(token_url, fields, auth.rules, resolver.connection.name)
        return ClientCredentials(origin, always, (*written(secrets), *origin.secrets()), now)
    options_filled = {name: resolver.fill(template) for name, template in auth.options}
    proof: dict[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
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
    elif auth.kind is AuthKind.QUERY:
        query = ((options_filled["name"], options_filled["value"]),)
        secrets = (*secrets, options_filled["value"])
    for header, value in proof.items():
        resolver.check_header(header, value)
    return FixedProof({**always, **proof}, query, tuple(written(secrets)))


def written(secrets: tuple[str, ...]) -> Iterator[str]:
    """The secrets, each also as a URL would hold it."""
    for secret in secrets:
        yield from dict.fromkeys(
            (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
        )


class FixedProof:
    """The same headers and query always: basic, bearer, API key, or none at all."""

    def __init__(
        self,
        proof: Mapping[str, str],
        query: tuple[tuple[str, str], ...],
        secrets: tuple[str, ...],
    ) -> None:
        self.query = query
        self._proof = proof
        self._secrets = secrets

    def __repr__(self) -> str:
        return "FixedProof()"

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
    fields: Mapping[str, str] = field(repr=False)
    rules: TokenRules
    connection: str

    def request(self, table: str) -> Request:
        """The request for a token."""
        fields = dict(self.fields)
        headers: tuple[tuple[str, str], ...] = ()
        if self.rules.send is Sending.BASIC:
            login = _login(fields.pop("client_id"), fields.pop("client_secret"))
            headers = (("Authorization", f"Basic {login}"),)
        kind, body = "x-www-form-urlencoded", urlencode(fields).encode()
        if self.rules.send is Sending.JSON:
            kind, body = "json", msgspec.json.encode(fields)
        return Request(
            table=table, method="POST", url=self.url, body=body,
            headers=(*headers, ("Content-Type", f"application/{kind}")),
        )  # fmt: skip

    def secrets(self) -> tuple[str, ...]:
        """What stands for the client secret in the request."""
        if self.rules.send is not Sending.BASIC:
            return ()
        return (_login(self.fields["client_id"], self.fields["client_secret"]),)


def _login(client_id: str, client_secret: str) -> str:
    """Both as HTTP Basic wants them, each quoted as in a form first (RFC 6749, 2.3.1)."""
    return base64.b64encode(
        f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
    ).decode()


class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749 §4.4).

    One token serves all requests of a connection; it is fetched once however many requests wait
    for it, renewed before its end, and once more after a 401. It lives in memory only.
    """

    query: tuple[tuple[str, str], ...] = ()

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
        self._tokens: deque[str] = deque(maxlen=REMEMBERED)
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
            return {**self._always, **self._proof()}

    def _proof(self) -> Mapping[str, str]:
        rules = self._origin.rules
        return {rules.header: f"{rules.scheme} {self._token}".strip()}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused, unless it has been replaced already."""
        if self._proof().items() <= refused.items():
            self._token = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """The client secret, the token and those before it."""
        return (*self._secrets, *self._tokens)

    async def _fetch(self, ask: Ask, table: str) -> None:
        request = self._origin.request(table)
        try:
            self._keep(await ask(request))
        except FetchError as error:
            if error.status in (400, 401, 403):
                raise self._refused(error, request) from error
            raise

    def _keep(self, body: bytes) -> None:
        rules = self._origin.rules
        token = value_at(body, rules.token)
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise UnexpectedShape(
                f"{self._origin.url} answered without a token{self._error_words(body)}",
                connection=self._origin.connection,
                hint="check token_url of the connection",
            )
        lifetime = _seconds(value_at(body, rules.expires_in))
        self._token = token
        self._tokens.append(token)
        self._renew_at = self._now() + max(lifetime - RENEW_BEFORE, lifetime / 2)

    def _error_words(self, body: bytes) -> str:
        """What an answer without a token says of itself, a colon before it; "" without words."""
        for path in ERRORS:
            words = value_at(body, path)
            if isinstance(words, str) and words:
                said = hidden(scrubbed(plain(words[: 4 * SAID_LENGTH]), self.secrets()))
                return f": {said[:SAID_LENGTH]}"
        return ""

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


ERRORS: tuple[Path, ...] = (("error_description",), ("error",))
"""Where the words of an error are, of those who give tokens (RFC 6749, 5.2)."""


def _seconds(lifetime: Any) -> float:
    """How long a token lives."""
    try:
        seconds = float(LIFETIME if lifetime is None else lifetime)
    except (TypeError, ValueError):
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
