"""Statements over a network on which things go wrong: exact rows, or an error of ours."""

from __future__ import annotations

from typing import Any

import connstat_sql
from connstat_sql.demo import DemoServers, World
from connstat_sql.errors import ConnstatError
from tests.attack.outcome import Outcome
from tests.fakes.fault_proxy import FAULTS, fault_proxy

SQL = "SELECT name, connector.state FROM plant.connect.connector_status ORDER BY ALL"


def run(count: int, seed: int) -> Outcome:
    """So many statements; afterwards memory, descriptors and threads are what they were."""
    outcome = Outcome()
    with DemoServers(World.seeded(7)) as sandbox:
        plant: dict[str, Any] = dict(sandbox.connections["plant_a"])
        with connstat_sql.connect(connections={"plant": plant}, environment={}) as con:
            wanted = con.sql(SQL).fetchall()
        port = int(plant["base_url"].split(":")[2].split("/")[0])
        with fault_proxy(port, seed) as proxy:
            plant["base_url"] = plant["base_url"].replace(f":{port}", f":{proxy.port}", 1)
            with connstat_sql.connect(
                connections={"plant": plant}, environment={}, timeout=1
            ) as con:
                for _ in outcome.turns(count):
                    _try(con, wanted, outcome)
            outcome.ends.update({f"hit by {fault}": n for fault, n in proxy.hit.items()})
    missed = set(FAULTS) - proxy.hit.keys()
    if missed and outcome.tried >= len(FAULTS):
        outcome.failures.append(f"never hit by {', '.join(sorted(missed))}")
    return outcome


def _try(con: connstat_sql.LiveDatabase, wanted: object, outcome: Outcome) -> None:
    try:
        rows = con.sql(SQL).fetchall()
    except ConnstatError as error:
        outcome.ends[type(error).__name__] += 1
    except BaseException as error:
        outcome.failures.append(f"{type(error).__name__}: {error}")
    else:
        outcome.ends["exact" if rows == wanted else "wrong"] += 1
        if rows != wanted:
            outcome.failures.append(f"other rows: {rows}")
