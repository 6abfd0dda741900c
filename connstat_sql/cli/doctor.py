"""`connstat doctor`: what works, what does not, and what to do."""

from __future__ import annotations

import click

from connstat_sql.cli.context import Globals, pass_globals, told
from connstat_sql.definitions import literal
from connstat_sql.diagnostics import API_FAILED, DONE, USAGE, exit_code
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnectionFailed, ConnstatError
from connstat_sql.result import Options

_UNREACHABLE = "check base_url and the network, and that the server runs"


@click.command("doctor")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True
)
@pass_globals
def command(globals_: Globals, timeout: float) -> None:
    """Test each connection: reachable, authorised, how fast; what is wrong and what to do."""
    with told(globals_.narrator):
        engine = globals_.open(timeout=timeout)
        try:
            codes = [_examine(engine, name) for name in engine.catalog.connections]
            _tell_unused(engine)
        finally:
            engine.close()
    if not codes:
        raise click.exceptions.Exit(USAGE)
    raise click.exceptions.Exit(max(codes))


def _examine(engine: Engine, name: str) -> int:
    """One line for a connection, and the exit code that it stands for."""
    provider = engine.catalog.definitions.provider(engine.catalog.connections[name])
    if provider is None or provider.probe is None:
        click.echo(f"{name}  not tested: its provider declares no probe")
        return DONE
    sql = f"SELECT count(*) FROM {provider.probe} WHERE _connection = {literal(name)}"
    try:
        *_, result = engine.run(sql, None, Options(max_requests=100))
    except ConnstatError as error:
        click.echo(f"{name}  FAILED  {error.message}")
        todo = _UNREACHABLE if isinstance(error, ConnectionFailed) else error.hint
        if todo:
            click.echo(f"{' ' * len(name)}  do: {todo}")
        return min(exit_code(error), API_FAILED)
    rows = result.fetchall()[0][0]
    milliseconds = result.seconds * 1000 / max(result.requests, 1)
    click.echo(f"{name}  ok  {milliseconds:.0f} ms a request, {rows:,} rows in {provider.probe}")
    return DONE


def _tell_unused(engine: Engine) -> None:
    """Providers without a connection, and what would make one."""
    used = set(engine.catalog.connections.values())
    for name in engine.catalog.definitions.providers:
        provider = engine.catalog.definitions.provider(name)
        if provider is None or name in used:
            continue
        variables = [setting.env for setting in provider.settings if setting.env]
        ways = [f"set {', '.join(variables)}"] if variables else []
        click.echo(f"{name}  no connection: {' or '.join((*ways, 'write it in connstat.toml'))}")
