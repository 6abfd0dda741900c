"""What the requests of a connection go over: the network, or what was handed in for it."""

from __future__ import annotations

from connstat_sql.config.secrets import Resolver
from connstat_sql.transport.messages import ClientOptions
from connstat_sql.transport.wire import Backend, ExchangeLimits


def open_backend(resolver: Resolver, options: ClientOptions, limits: ExchangeLimits) -> Backend:
    """The network as a connection wants it, or what was handed in instead. Raises ConfigError."""
    if options.transport is not None:
        from connstat_sql.transport.httpx_backend import HttpxBackend

        return HttpxBackend(options.transport, limits)
    from connstat_sql.transport.aiohttp_backend import open_network  # slow to import: when needed

    return open_network(resolver, options.environment, limits)
