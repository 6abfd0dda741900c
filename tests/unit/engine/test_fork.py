"""A process that was forked is told that what it has is another's; it hangs at nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a process cannot be doubled here"),
]
_PARENT = """
import os, signal
import connstat_sql
from connstat_sql.errors import ExecuteError
from connstat_sql.demo import DemoServers, World

SQL = "SELECT count(*) > 1 FROM plant_a.connect.connectors"

def refused(act):
    try:
        act()
    except ExecuteError as error:
        return "another process" in error.message and "after the fork" in error.hint
    return False

def connect():
    return connstat_sql.connect(connections=connections, environment={})

sandbox = DemoServers(World.seeded(7))
sandbox.__enter__()  # and left by the parent alone
connections = {"plant_a": sandbox.connections["plant_a"]}
con = connect()
assert con.sql(SQL).fetchall() == [(True,)]
child = os.fork()
if child == 0:
    signal.alarm(30)
    assert refused(lambda: con.sql(SQL))
    assert refused(lambda: con.sql("SELECT 1"))
    assert refused(lambda: con.explain(SQL))
    con.close()
    with connect() as own:
        assert own.sql(SQL).fetchall() == [(True,)]
    os._exit(0)  # as multiprocessing does: DuckDB itself does not take a fork apart in good order
assert os.waitpid(child, 0)[1] == 0
assert con.sql(SQL).fetchall() == [(True,)]
con.close()
sandbox.__exit__(None, None, None)
"""


def test_a_forked_process_opens_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PARENT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
