"""The clients of an engine: made when first used, all on one event loop, closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connstat_sql.definitions.model import Provider
from connstat_sql.errors import ConfigError, NotUsable
from connstat_sql.fetch.stream import Loop
from connstat_sql.transport import Client, ClientOptions, Connection


class Clients:
    """One client for each connection that is used. `provider` finds a provider by name."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        provider: Callable[[str], Provider | None],
        options: ClientOptions,
    ) -> None:
        self._connections = connections
        self._provider = provider
        self._options = options
        self._made: dict[str, Client] = {}
        self._unusable: dict[str, Client] = {}
        self._loop: Loop | None = None

    @property
    def loop(self) -> Loop:
        """The event loop, running."""
        if self._loop is None:
            self._loop = Loop()
        return self._loop

    def are_here(self) -> bool:
        """Whether this is the thread that sends requests, which nobody may hold up."""
        return self._loop is not None and self._loop.is_here()

    def open(self, name: str) -> Client:
        """The client of a connection. Raises ConfigError when the connection cannot be used."""
        if name not in self._made:
            self._made[name] = self.loop.call(self._make(name))
        return self._made[name]

    def open_all(self, names: Sequence[str]) -> None:
        """Open those that can be used; what others are asked fails with what is wrong with them.

        Raises ConfigError when none can be used.
        """
        self._unusable = {}
        first: ConfigError | None = None
        for name in names:
            try:
                self.open(name)
            except ConfigError as error:
                first = first or error
                connection = self._connections[name]
                provider = self._provider(connection.provider)
                if provider is not None:
                    self._unusable[name] = NoClient(provider, connection, self._options, error)
        if first is not None and len(self._unusable) == len(names):
            raise first

    def made(self, name: str) -> Client:
        """The client of a connection that was opened before; callable on the loop."""
        return self._unusable.get(name) or self._made[name]

    def versions(self) -> dict[str, str]:
        """The servers' versions by connection, as far as connections or answers have told them."""
        versions = {
            name: connection.server_version for name, connection in self._connections.items()
        }
        for name, client in self._made.items():
            versions[name] = versions[name] or "".join([*client.versions.values()][:1])
        return {name: version for name, version in versions.items() if version}

    def close(self) -> None:
        """Close every client, then the loop."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        try:
            loop.cancel_all()
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
        return Client(provider, connection, self._options)


class NoClient(Client):
    """Stands in for the client of a connection that cannot be used: it sends nothing."""

    def __init__(
        self, provider: Provider, connection: Connection, options: ClientOptions, error: ConfigError
    ) -> None:
        self.provider = provider
        self.connection = connection
        self.concurrency = 1
        self.versions = {}
        self._options = options
        self._error = error

    @property
    def base_url(self) -> str:
        """There is none. Raises NotUsable."""
        name, error = self.connection.name, self._error
        raise NotUsable(error.message, connection=name, hint=error.hint)

    def waits(self) -> float:
        """Nothing is waited for."""
        return 0.0
