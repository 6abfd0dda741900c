"""Connectors and fleets for the tests of `connstat top`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from connstat_sql.top.model import COLUMNS, Fleet, FleetConnector, Outage, changes, compared

SCHEMA = pa.schema(
    [
        (name, pa.int64() if name.startswith("tasks_") else pa.string())
        for name in COLUMNS
        if name != "observed_at"
    ]
    + [("observed_at", pa.timestamp("us", "UTC"))]
)


def connector(
    name: str, health: str = "HEALTHY", connection: str = "plant_a", **more: object
) -> FleetConnector:
    """A connector as the table gives it."""
    state = {"HEALTHY": "RUNNING", "UNHEALTHY": "FAILED", "INACTIVE": "PAUSED"}
    fields: dict[str, object] = {
        "provider": "kafka_connect", "scope_1": connection, "scope_2": "",
        "state": state.get(health, "RUNNING"), "tasks_running": 1, "tasks_failed": 0,
        "tasks_total": 1, "cause_group": more.get("cause", ""), **more,
    }  # fmt: skip
    return FleetConnector(health=health, connection=connection, name=name, **fields)  # type: ignore[arg-type]


def fleet(
    connectors: Sequence[FleetConnector],
    outages: Sequence[Outage] = (),
    before: Fleet | None = None,
    at: float = 1000.0,
) -> Fleet:
    """What a refresh makes of connectors."""
    shown = compared(before, connectors, outages, at)
    asked = frozenset(
        (
            *(connector.connection for connector in connectors),
            *(outage.connection for outage in outages),
        )
    )
    return replace(
        Fleet(shown, tuple(outages), asked, at), seconds=0.25, requests=2, changes=changes(shown)
    )


def table(connectors: Sequence[FleetConnector]) -> pa.Table:
    """The connectors as the statement answers them."""
    fields = dict(zip(COLUMNS, FleetConnector.__struct_fields__, strict=False))
    return pa.table(
        {
            name: [getattr(connector, fields[name]) or None for connector in connectors]
            for name in COLUMNS
        },
        schema=pa.schema([SCHEMA.field(name) for name in COLUMNS]),
    )
