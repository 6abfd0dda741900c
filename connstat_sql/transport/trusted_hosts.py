"""Which hosts get our credentials: the connection's own, trusted ones, and no other."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from connstat_sql.config.connections import Connection
from connstat_sql.config.urls import PLAIN, Url, read_url
from connstat_sql.errors import ConnectionFailed
from connstat_sql.transport.messages import Request

Origin = tuple[str, str, int]
"""Scheme, host in small letters, port."""


class TrustedHosts:
    """Looks at where the requests of a connection would go."""

    def __init__(self, connection: Connection, base_urls: Sequence[str]) -> None:
        origins = [read_url(url).origin for url in base_urls]
        self.own = origins[0]
        self._owns = frozenset(origins)
        self._name = connection.name
        self._trusted = tuple(_glob(host.lower()) for host in connection.trusted_hosts)
        self._known: dict[str, Origin] = {}

    def check(self, request: Request) -> Origin:
        """The origin that a request goes to; raises ConnectionFailed when it may not go there."""
        plain = PLAIN.fullmatch(request.url)
        known = self._known.get(plain[1]) if plain else None
        if known is not None:
            return known
        try:
            url = read_url(request.url)  # read as it will be read when it is sent
            problem, hint = self._why_not(url)
        except ValueError:
            problem, hint = f"a request of {self._name} would go to something that is not a URL", ""
        if problem:
            raise ConnectionFailed(
                problem, table=request.table, connection=self._name, request=request.line, hint=hint
            )
        origin = url.origin
        if plain:
            self._known[plain[1]] = origin
        return origin

    def _why_not(self, url: Url) -> tuple[str, str]:
        """Why a URL does not get our credentials, with a hint; ("", "") when it does."""
        if url.scheme not in ("http", "https") or url.has_login or not url.host:
            return f"a request of {self._name} would go to something that is not a plain URL", ""
        if url.origin in self._owns:
            return "", ""
        if url.scheme == "http" and self.own[0] == "https":
            return f"{url.host} would get the credentials of {self._name} without encryption", ""
        if any(fnmatch.fnmatchcase(url.host.lower(), pattern) for pattern in self._trusted):
            return "", ""
        return (
            f"{url.host} is not a host that may get the credentials of {self._name}",
            f'add  trusted_hosts = ["{url.host}"]  to the connection if it is yours',
        )


def _glob(host: str) -> str:
    """A glob of hosts; an address in brackets, as URLs have it, is no choice of letters."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") and ":" in host else host
