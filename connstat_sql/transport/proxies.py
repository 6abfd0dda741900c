"""Which proxy a request goes through."""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import unquote, urlsplit

from connstat_sql.config.connections import Connection, is_plain_url
from connstat_sql.config.secrets import Resolver
from connstat_sql.errors import ConfigError

_VARIABLES = {
    "http": ("http_proxy", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
_CURLS_PORT = 1080
"""The port of a proxy whose variable names none."""
_WITH_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([0-9]{1,5})")
_HAS_PORT = re.compile(r":[0-9]+$")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")
_BITS = re.compile(r"\+?([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An http proxy. `login` is what its Proxy-Authorization header says; None: it wants none."""

    url: str
    login: str | None = field(default=None, repr=False)

    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat: the login as its header has it, and the password."""
        if self.login is None:
            return ()
        encoded = self.login.removeprefix("Basic ")
        return (encoded, base64.b64decode(encoded).decode().partition(":")[2])


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of a connection, by the scheme of what is asked for.

    `excepted` are the hosts that are asked directly, as NO_PROXY lists them (`covers`).
    """

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    excepted: tuple[str, ...] = ()

    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat of any of them."""
        return tuple(secret for proxy in self.by_scheme.values() for secret in proxy.secrets())

    def find(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for a host; None when there is none between."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or any(covers(item, host, port) for item in self.excepted):
            return None
        return proxy


def proxies_of(resolver: Resolver, environment: Mapping[str, str]) -> Proxies:
    """The connection's own `proxy` is for every host; without one the environment's count.

    Those are read as curl reads them: http_proxy in small letters alone (a web server may have set
    the other to what a client says), HTTPS_PROXY, ALL_PROXY and NO_PROXY in small letters first.
    Raises ConfigError.
    """
    connection = resolver.connection
    if connection.proxy:
        own = _proxy(connection, "proxy", resolver.resolve(connection.proxy))
        return Proxies({"http": own, "https": own})
    by_scheme = {}
    for scheme, names in _VARIABLES.items():
        name = next((name for name in names if environment.get(name)), None)
        if name is not None:
            url = environment[name]
            full = url if "://" in url else f"http://{url}"
            by_scheme[scheme] = _proxy(connection, name, full, usual_port=_CURLS_PORT)
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return Proxies(by_scheme, tuple(item for item in re.split(r"[,\s]+", listed) if item))


@lru_cache(maxsize=4096)
def covers(item: str, host: str, port: int | None) -> bool:
    """Whether an item of NO_PROXY speaks of a host, which is in small letters, without brackets.

    A name stands for itself and all names below it, an address for itself, with `/` and a number of
    bits for its network, `*` for all. That is how curl reads it. What curl does not understand, and
    can mean one thing alone, is taken for that: to go around a proxy gives nothing away, to go
    through one may. Those are brackets, a port, `*` among others, and a network of no bits.
    """
    with_port = _WITH_PORT.fullmatch(item)
    if with_port is not None:
        if int(with_port[2]) != port:
            return False
        item = with_port[1]
    address = _address(host)
    if item == "*":
        return True
    if address is not None:
        network = _network(item.replace("[", "").replace("]", ""))
        return network is not None and address in network
    host, name = host.removesuffix("."), item.lower().removesuffix(".").removeprefix(".")
    return bool(name) and f".{host}".endswith(f".{name}")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, in any of the forms in which systems take one."""
    with suppress(ValueError):
        return ip_address(host.partition("%")[0])
    if _NUMBERS.fullmatch(host):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(host.removesuffix(".")))
    return None


def _network(item: str) -> IPv4Network | IPv6Network | None:
    place, _, rest = item.partition("/")
    bits = _BITS.match(rest)
    with suppress(ValueError):
        return ip_network(f"{place}/{bits[1]}" if bits else place, strict=False)
    return None


def _proxy(connection: Connection, key: str, url: str, usual_port: int | None = None) -> Proxy:
    scheme, _, rest = url.partition("://")
    _, _, place = rest.rpartition("@")
    plain = f"{scheme}://{place}"
    if not is_plain_url(plain):
        raise ConfigError(f"{connection.place}: {key} is not the URL of an http proxy")
    if usual_port is not None and scheme.lower() == "http":
        host, slash, path = place.partition("/")
        if not _HAS_PORT.search(host):
            plain = f"{scheme}://{host}:{usual_port}{slash}{path}"
    login = urlsplit(url) if "@" in rest else None
    if login is None:
        return Proxy(plain)
    text = f"{unquote(login.username or '')}:{unquote(login.password or '')}"
    return Proxy(plain, f"Basic {base64.b64encode(text.encode()).decode()}")
