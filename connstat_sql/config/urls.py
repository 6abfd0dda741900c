"""URLs as they are read when something is sent to them."""

from __future__ import annotations

import re
from typing import NamedTuple

_PORTS = {"http": 80, "https": 443}
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PLAIN = re.compile(
    rf"((https?)://((?!xn--)[a-z][a-z0-9-]*(?:\.(?!xn--)[a-z0-9-]+)*|{_BYTE}(?:\.{_BYTE}){{3}})"
    r"(?::([0-9]{1,5}))?)(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*)?"
)
"""Those with nothing to misread, which are nearly all; the first group is scheme, host and port."""
_LABEL = r"[a-zA-Z0-9_\x80-\U0010ffff-]+"
_NAME = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?)?")
"""A host that all who read it read alike: no escapes, brackets or empty labels; or none at all."""


class Url(NamedTuple):
    """What a URL says of where it leads; `port` None: the usual one of the scheme."""

    scheme: str
    host: str
    port: int | None
    has_login: bool = False

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host in small letters, port. Raises KeyError for a scheme without a usual one."""
        port = _PORTS[self.scheme] if self.port is None else self.port
        return self.scheme, self.host.lower(), port


def read_url(text: str) -> Url:
    """Read a URL. Raises ValueError when it is none."""
    plain = PLAIN.fullmatch(text)
    if plain is not None:
        _, scheme, host, port = plain.groups()
        number = int(port) if port else None
        return Url(scheme, host, None if number == _PORTS[scheme] else number)
    from ipaddress import IPv6Address  # both are slow to import: when needed

    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    if ":" in url.host:
        IPv6Address(url.host)
    elif not _NAME.fullmatch(url.host):
        raise ValueError("a host that is neither a name nor an address")
    return Url(url.scheme, url.host, url.port, bool(url.userinfo))


def tidied(text: str) -> str:
    """A URL of which everything that cannot be sent as it is has been quoted. Raises ValueError."""
    import httpx

    try:
        return str(httpx.URL(text))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
