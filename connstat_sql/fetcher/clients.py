"""The clients of an engine: made when first used, all on one event loop, closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connstat_sql.definitions import Provider
from connstat_sql.errors import ConfigError
from connstat_sql.fetcher.stream import Loop
from connstat_sql.transport import Client, Connection, Door


class Clients:
    """One client for each connection that is used. `provider` finds a provider by name."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        provider: Callable[[str], Provider | None],
        door: Door,
    ) -> None:
        self._connections = connections
        self._provider = provider
        self._door = door
        self._made: dict[str, Client] = {}
        self._loop: Loop | None = None

    @property
    def loop(self) -> Loop:
        """The event loop, running."""
        if self._loop is None:
            self._loop = Loop()
        return self._loop

    def open(self, name: str) -> Client:
        """The client of a connection. Raises ConfigError when the connection cannot be used."""
        if name not in self._made:
            self._made[name] = self.loop.call(self._make(name))
        return self._made[name]

    def made(self, name: str) -> Client:
        """The client of a connection that was opened before; callable on the loop."""
        return self._made[name]

    def close(self) -> None:
        """Close every client, then the loop."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        try:
            loop.still()
            for client in self._made.values():
                loop.call(client.close())
        finally:
            loop.close()
            self._made = {}

    async def _make(self, name: str) -> Client:
        connection = self._connections[name]
        provider = self._provider(connection.provider)
        if provider is None:
            raise ConfigError(f"connection {name} names the unknown provider {connection.provider}")
        return Client(provider, connection, self._door)
