"""All four APIs on one loopback port, over one consistent world that a seed determines.

The same servers are behind ``connstat demo``, the tests and the documents::

    with DemoServers(world=World.seeded(7)) as servers:
        servers.connections["plant_a"]["base_url"]

Nothing in it is real: every credential is an obvious fake, and it never leaves the loopback.
"""

from connstat_sql.demo.connectors import DemoConnector, Scenario, Task
from connstat_sql.demo.faults import Fault, RequestRecord
from connstat_sql.demo.server import DemoServers
from connstat_sql.demo.world import World

__all__ = ["DemoConnector", "DemoServers", "Fault", "RequestRecord", "Scenario", "Task", "World"]
