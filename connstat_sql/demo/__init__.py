"""All four APIs on one loopback port, over one consistent world that a seed determines.

The same sandbox serves ``connstat demo``, the tests and the documents::

    with Sandbox(world=World.seeded(7)) as sandbox:
        sandbox.connections["plant_a"]["base_url"]

Nothing in it is real: every credential is an obvious fake, and it never leaves the loopback.
"""

from connstat_sql.demo.connectors import DemoConnector, Scenario, Task
from connstat_sql.demo.faults import Fault, RequestRecord
from connstat_sql.demo.server import Sandbox
from connstat_sql.demo.world import World

__all__ = ["DemoConnector", "Fault", "RequestRecord", "Sandbox", "Scenario", "Task", "World"]
