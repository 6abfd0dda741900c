"""`connstat demo`: the main job on the embedded sandbox, with nothing to configure."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from connstat_sql.cli.context import Globals, pass_globals, told
from connstat_sql.engine import Engine, Outside
from connstat_sql.errors import counted
from connstat_sql.opening import Setup, open_engine
from connstat_sql.renderer import Look, render
from connstat_sql.sandbox import Sandbox, World

SHOWN = ("01-failed-behind-running", "02-one-connector", "03-cost-of-failure")
NEXT = """\
The sandbox is gone. With your own systems, set their variables or write connstat.toml:
  export KAFKA_CONNECT_URL=http://localhost:8083
  connstat doctor
  connstat query "SELECT name, connector.state FROM kafka_connect.connect.connector_status"
  connstat providers list"""


@click.command("demo")
@click.option("--seed", type=int, default=7, show_default=True, help="Which world to serve.")
@pass_globals
def command(globals_: Globals, seed: int) -> None:
    """Four connector systems in one SQL answer, on an embedded sandbox; nothing to configure.

    Three queries are shown with their rows, and with what they cost. Nothing is left behind.
    """
    with told(globals_.narrator), Sandbox(world=World.seeded(seed)) as sandbox:
        click.echo(
            f"Four systems answer over HTTP at {sandbox.url}, each as its vendor's API does:"
        )
        click.echo("Confluent Cloud, Redpanda Cloud, two Kafka Connect clusters and AeonTel.\n")
        engine = open_engine(Setup(connections=sandbox.connections), Outside(environment={}))
        try:
            for name in SHOWN:
                _show(engine, (examples() / f"{name}.sql").read_text(encoding="utf-8"))
        finally:
            engine.close()
    click.echo(NEXT)


def examples() -> Path:
    """The folder of example queries, in an installed package or in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "examples"


def _show(engine: Engine, sql: str) -> None:
    """A query, its answer, and what it cost."""
    click.echo(sql.strip())
    started = time.monotonic()
    *_, result = engine.run(sql)
    seconds = time.monotonic() - started
    sys.stdout.flush()
    look = replace(Look.of(sys.stdout, os.environ), footer=False)
    render(result.table, "table", sys.stdout.buffer, look=look)
    sys.stdout.buffer.flush()
    verdict = "complete" if result.complete else "partial"
    cost = f"{counted(result.requests, 'request')} in {seconds * 1000:.0f} ms"
    click.echo(f"{counted(result.table.num_rows, 'row')}, {verdict}: {cost}\n")
