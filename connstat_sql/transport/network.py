"""The real network of one connection: pool, TLS, proxies."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Union

import httpx

from connstat_sql.errors import ConfigError
from connstat_sql.transport.configuration import Connection, is_plain_url
from connstat_sql.transport.resolving import Resolver

KEEP_ALIVE = 30.0
LONGEST_HEADER = 65536

Mounts = dict[str, Union[httpx.AsyncBaseTransport, None]]


def network(
    resolver: Resolver, concurrency: int, environment: Mapping[str, str]
) -> tuple[httpx.AsyncBaseTransport, Mounts]:
    """The transport for most hosts, and those for hosts that a variable sends another way.

    The connection's own `proxy` is for every host; without one HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
    and NO_PROXY count. Raises ConfigError.
    """
    connection = resolver.connection
    context = _tls(resolver)
    if connection.proxy:
        url = resolver.resolve(connection.proxy)
        return _transport(concurrency, context, _proxy(connection, "proxy", url)), {}
    mounts: Mounts = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", "all_proxy"):
            url = environment.get(name) or environment.get(name.upper()) or ""
            if url:
                proxy = _proxy(connection, name.upper(), url if "://" in url else f"http://{url}")
                mounts[f"{scheme}://"] = _transport(concurrency, context, proxy)
                break
    direct = _transport(concurrency, context, None)
    if mounts:
        excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        mounts |= dict.fromkeys(_patterns(excepted), direct)
    return direct, mounts


def _patterns(excepted: str) -> list[str]:
    """NO_PROXY in httpx's words: `a.example` is that host and all below it."""
    found = []
    for item in excepted.split(","):
        host = item.strip().lstrip(".")
        if host == "*":
            return ["http://", "https://"]
        if host:
            is_name = not host.replace(".", "").replace(":", "").isdigit() and host != "localhost"
            found += [f"all://{host}", *([f"all://*.{host}"] if is_name else [])]
    return found


def _transport(
    concurrency: int, context: ssl.SSLContext, proxy: httpx.Proxy | None
) -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def session() -> aiohttp.ClientSession:
        made = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=concurrency, ssl=context, keepalive_timeout=KEEP_ALIVE
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )
        made._retry_connection = False  # tries again unseen and uncounted; that is for us to do
        return made

    return AiohttpTransport(client=session, verify=context, proxy=proxy)


def _proxy(connection: Connection, key: str, url: str) -> httpx.Proxy:
    scheme, _, rest = url.partition("://")
    if is_plain_url(f"{scheme}://{rest.rpartition('@')[2]}"):
        try:
            return httpx.Proxy(url)
        except (ValueError, httpx.InvalidURL):
            pass
    raise ConfigError(f"{connection.place}: {key} is not the URL of an http proxy") from None


def _speaks_no_tls(resolver: Resolver) -> bool:
    """Whether every request goes to a plain http host; loading the authorities takes a while."""
    connection = resolver.connection
    says_tls = connection.ca_file or connection.client_cert or connection.proxy
    is_alone = not connection.trusted_hosts and not says_tls
    return is_alone and resolver.base_url().startswith("http://")


def _tls(resolver: Resolver) -> ssl.SSLContext:
    connection = resolver.connection
    if _speaks_no_tls(resolver):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # knows no authority: TLS would fail
    at = ""
    try:
        at = connection.ca_file or ""
        context = ssl.create_default_context(cafile=connection.ca_file)
        if connection.client_cert:
            at = connection.client_cert
            context.load_cert_chain(
                connection.client_cert,
                connection.client_key,
                password="",  # an encrypted key is an error, never a question on the terminal
            )
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        raise ConfigError(f"{connection.place}: {at} cannot be used for TLS: {why}") from error
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
