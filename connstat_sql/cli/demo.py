"""`connstat demo`: the main job on the embedded sandbox, with nothing to configure."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click

from connstat_sql.bootstrap import CONFIG_NAME, Setup, open_engine
from connstat_sql.cli.context import Globals, pass_globals, report_errors
from connstat_sql.cli.program import program
from connstat_sql.cli.shell import run_alone
from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import counted
from connstat_sql.output.render import TerminalStyle, render

SHOWN = ("01-what-is-broken", "02-one-connector", "03-cost-of-failure")
SYSTEMS = "Confluent Cloud, Redpanda Cloud, two Kafka Connect clusters and AeonTel"


@click.command("demo")
@click.option("--seed", type=int, default=7, show_default=True, help="Which world to serve.")
@click.option("--shell", "mode", flag_value="shell", help="Open the shell on the sandbox.")
@click.option("--serve", "mode", flag_value="serve", help="Keep the sandbox until Ctrl-C.")
@pass_globals
def command(globals_: Globals, seed: int, mode: str | None) -> None:
    """Four connector systems in one SQL answer, on an embedded sandbox; nothing to configure.

    Three queries are shown with their rows, and with what they cost. Nothing is left behind.
    """
    with report_errors(globals_.narrator), DemoServers(world=World.seeded(seed)) as servers:
        if mode == "shell":
            _play(replace(globals_, connections=servers.connections))
        elif mode == "serve":
            _serve(servers)
        else:
            _show_all(servers)


def _show_all(servers: DemoServers) -> None:
    click.echo(f"Four systems answer over HTTP at {servers.url}, each as its vendor's API does:")
    click.echo(f"{SYSTEMS}.\n")
    engine = open_engine(Setup(connections=servers.connections), EngineOptions(environment={}))
    try:
        for name in SHOWN:
            _show(engine, (examples() / f"{name}.sql").read_text(encoding="utf-8"))
    finally:
        engine.close()
    run = program()
    steps = {
        f"{run} demo --shell": "ask the same sandbox yourself",
        f"{run} init": "connect your own systems: writes connstat.toml",
        f"{run} providers list": "every table there is",
    }
    width = max(map(len, steps))
    click.echo("The sandbox is gone. What next:")
    click.echo("\n".join(f"  {step:<{width}}  {what}" for step, what in steps.items()))


def _play(globals_: Globals) -> None:
    """The shell on the demo servers, or the script on standard input."""
    if sys.stdin is not None and sys.stdin.isatty():
        click.echo(f"{SYSTEMS},")
        click.echo("on a sandbox that is gone when you leave. Try")
        click.echo("  SELECT provider, connector_name, health, error_summary")
        click.echo("  FROM inventory.connectors.connectors ORDER BY health;\n")
    code = run_alone(globals_)
    if code is None:
        raise click.UsageError("the shell needs a terminal, or a script on standard input")
    raise click.exceptions.Exit(code)


def _serve(servers: DemoServers) -> None:
    """Keep the servers up, with a configuration of them for other commands, until told to end."""
    with tempfile.TemporaryDirectory(prefix="connstat-demo-") as folder:
        config = _written(Path(folder), servers.connections)
        run = f"{program()} --config {shlex.quote(str(config))}"
        click.echo(f"{SYSTEMS} answer at {servers.url} until Ctrl-C.")
        click.echo("In another terminal:")
        click.echo(f"  {run}")
        click.echo(f'  {run} query "FROM inventory.connectors.clusters"')
        sys.stdout.flush()
        _wait()


def _wait() -> None:
    """Until Ctrl-C, or until whoever started this asks it to end."""
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), end)
    with suppress(KeyboardInterrupt):
        over.wait()


def _written(folder: Path, connections: Mapping[str, Mapping[str, object]]) -> Path:
    """A configuration of the connections, whose secrets stand in files beside it."""
    lines = []
    for name, table in connections.items():
        lines.append(f"[connections.{name}]")
        for key, value in table.items():
            text = value
            if key in ("api_key", "api_secret", "client_secret", "password"):
                (folder / f"{name}.{key}").write_text(str(value), encoding="utf-8")
                text = f"${{file:{name}.{key}}}"
            lines.append(f"{key} = {json.dumps(text)}")
    config = folder / CONFIG_NAME
    config.write_text("\n".join((*lines, "")), encoding="utf-8")
    return config


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
    style = replace(TerminalStyle.of(sys.stdout, os.environ), footer=False)
    render(result.table, "table", sys.stdout.buffer, style=style)
    sys.stdout.buffer.flush()
    verdict = "complete" if result.complete else "partial"
    cost = f"{counted(result.requests, 'request')} in {seconds * 1000:.0f} ms"
    click.echo(f"{counted(result.table.num_rows, 'row')}, {verdict}: {cost}\n")
