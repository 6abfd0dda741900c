"""The SQL behind the view: the one statement of a refresh, and those on one connector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connstat_sql.definitions.model import literal
from connstat_sql.top.filter import FleetFilter
from connstat_sql.top.model import COLUMNS, HEALTHS, FleetConnector

CONNECTORS = "inventory.connectors.connectors"
CLUSTERS = "inventory.connectors.clusters"
LOOKED_AT = (
    "provider", "_connection", "scope_1", "scope_2", "connector_name", "connector_id",
    "connector_type", "plugin_class", "plugin_version", "raw_state", "raw_health",
    "state", "health", "tasks_max",
    "tasks_total", "tasks_running", "tasks_failed", "worker", "error_summary", "error_trace",
    "topics", "tasks", "config", "enabled", "observed_at",
    "external_url",
)  # fmt: skip
"""Of one connector: what its own cluster is asked for. Two times are left out: a predicate does not
reach the requests of a statement that names them, and all clusters would be asked."""

_WRITTEN = {
    "_connection": '"_connection"',
    "error_group": "cause_group(error_summary) AS error_group",
}


@dataclass(frozen=True, slots=True)
class FleetQuery:
    """Which part of the fleet is asked for; empty fields ask for all of it.

    `where` is a predicate of SQL over the connectors, as its user wrote it.
    """

    connections: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    where: str = ""

    def sql(self) -> str:
        """The statement of a refresh: the columns of the list, in no order."""
        return self._statement(self._predicates())

    def clusters(self) -> str:
        """A statement for the clusters whose connectors are asked for, and maybe more of them."""
        where = "\n  AND ".join(self._scope())
        return f"SELECT scope_1, scope_2\nFROM {CLUSTERS}" + (f"\nWHERE {where}" if where else "")

    def shown(self, wanted: FleetFilter) -> str:
        """The same for people, with what is wanted as predicates, and in the view's first order."""
        healths = ", ".join(map(literal, HEALTHS))
        order = (
            f"ORDER BY list_position([{healths}], health), tasks_failed DESC, provider, "
            '"_connection", connector_name'
        )
        return f"{self._statement((*self._predicates(), *wanted.predicates()))}\n{order};"

    def of(self, connector: FleetConnector) -> tuple[str, dict[str, object]]:
        """The statement for all that its own cluster says of a connector, and its arguments."""
        arguments: dict[str, object] = {"connection": connector.connection, "name": connector.name}
        predicates = ['"_connection" = $connection', "connector_name = $name"]
        for column in ("scope_1", "scope_2"):
            value = getattr(connector, column)
            if value:
                predicates.append(f"{column} = ${column}")
                arguments[column] = value
        where = " AND ".join(predicates)
        return f"SELECT {_listed(LOOKED_AT)}\nFROM {CONNECTORS}\nWHERE {where}", arguments

    def _statement(self, predicates: Iterable[str]) -> str:
        where = "\n  AND ".join(predicates)
        return f"SELECT {_listed(COLUMNS)}\nFROM {CONNECTORS}" + (
            f"\nWHERE {where}" if where else ""
        )

    def _predicates(self) -> tuple[str, ...]:
        own = (f"({self.where}\n)",) if self.where else ()  # the line may end in a comment
        return (*self._scope(), *own)

    def _scope(self) -> tuple[str, ...]:
        conditions = []
        if self.connections:
            conditions.append(f'"_connection" IN ({", ".join(map(literal, self.connections))})')
        if self.providers:
            conditions.append(f"provider IN ({', '.join(map(literal, self.providers))})")
        return tuple(conditions)


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(_WRITTEN.get(name, name) for name in columns)
