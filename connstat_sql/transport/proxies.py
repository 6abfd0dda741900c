"""Which proxy a request goes through."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from connstat_sql.errors import ConfigError
from connstat_sql.transport.configuration import Connection, is_plain_url
from connstat_sql.transport.resolving import Resolver


@dataclass(frozen=True, slots=True)
class Proxy:
    """An http proxy. `login` is what its Proxy-Authorization header says; None: it wants none."""

    url: str
    login: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of a connection, by the scheme of what is asked for.

    `excepted` are the hosts that are asked directly, as NO_PROXY lists them: each with all names
    below it, with or without a port, and `*` for all.
    """

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    excepted: tuple[str, ...] = ()

    def find(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for a host; None when there is none between."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or any(_covers(one, host, port) for one in self.excepted):
            return None
        return proxy


def proxies_of(resolver: Resolver, environment: Mapping[str, str]) -> Proxies:
    """The connection's own `proxy` is for every host; without one the environment's count.

    Those are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Raises ConfigError.
    """
    connection = resolver.connection
    if connection.proxy:
        own = _proxy(connection, "proxy", resolver.resolve(connection.proxy))
        return Proxies({"http": own, "https": own})
    found = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", "all_proxy"):
            url = environment.get(name) or environment.get(name.upper()) or ""
            if url:
                full = url if "://" in url else f"http://{url}"
                found[scheme] = _proxy(connection, name.upper(), full)
                break
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    items = (item.strip().lower().lstrip(".") for item in excepted.split(","))
    return Proxies(found, tuple(item for item in items if item))


def _covers(item: str, host: str, port: int | None) -> bool:
    """Whether an item of NO_PROXY speaks of a host, which is in lower case, without brackets."""
    if item in ("*", host, f"[{host}]", f"{host}:{port}", f"[{host}]:{port}"):
        return True
    return host.endswith(f".{item}") or f"{host}:{port}".endswith(f".{item}")


def _proxy(connection: Connection, key: str, url: str) -> Proxy:
    scheme, _, rest = url.partition("://")
    _, _, place = rest.rpartition("@")
    plain = f"{scheme}://{place}"
    if not is_plain_url(plain):
        raise ConfigError(f"{connection.place}: {key} is not the URL of an http proxy")
    login = urlsplit(url) if "@" in rest else None
    if login is None:
        return Proxy(plain)
    text = f"{unquote(login.username or '')}:{unquote(login.password or '')}"
    return Proxy(plain, f"Basic {base64.b64encode(text.encode()).decode()}")
