"""What the requests of a connection go over: the network, or what was handed in for it."""

from __future__ import annotations

from connstat_sql.config.secrets import Resolver
from connstat_sql.transport.messages import Door
from connstat_sql.transport.wire import Bounds, Wire


def open_wire(resolver: Resolver, door: Door, bounds: Bounds) -> Wire:
    """The network as a connection wants it, or what was handed in instead. Raises ConfigError."""
    if door.transport is not None:
        from connstat_sql.transport.httpx_backend import HandedIn

        return HandedIn(door.transport, bounds)
    from connstat_sql.transport.aiohttp_backend import open_network  # slow to import: when needed

    return open_network(resolver, door.environment, bounds)
