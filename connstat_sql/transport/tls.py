"""Whose certificates a connection believes, and which one it shows."""

from __future__ import annotations

import ssl
from functools import cache

from connstat_sql.config.secrets import Resolver
from connstat_sql.errors import ConfigError


def tls_of(resolver: Resolver) -> ssl.SSLContext:
    """The TLS of a connection. Raises ConfigError."""
    connection = resolver.connection
    if _speaks_no_tls(resolver):
        return _trusting_nobody()
    if not (connection.ca_file or connection.client_cert) and connection.verify:
        return _usual()
    at = ""
    try:
        at = connection.ca_file or ""
        context = _speaking_http_1(ssl.create_default_context(cafile=connection.ca_file))
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


@cache
def _usual() -> ssl.SSLContext:
    """The machine's authorities: reading them takes a while, so a fleet of hosts shares them."""
    return _speaking_http_1(ssl.create_default_context())


def _speaking_http_1(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, which says what is spoken: a server of HTTP/2 alone ends it before a request."""
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def _trusting_nobody() -> ssl.SSLContext:
    """A context that knows no authority: TLS would fail."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _speaks_no_tls(resolver: Resolver) -> bool:
    """Whether every request goes to a plain http host; then no authority need be known."""
    connection = resolver.connection
    says_tls = connection.ca_file or connection.client_cert or connection.proxy
    is_alone = not connection.trusted_hosts and not says_tls
    return is_alone and all(url.startswith("http://") for url in resolver.base_urls())
