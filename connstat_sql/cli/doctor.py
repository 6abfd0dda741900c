"""`connstat doctor`: what works, what does not, and what to do."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import click

from connstat_sql.bootstrap import told_configuration
from connstat_sql.cli.console import say
from connstat_sql.cli.context import Globals, each, pass_globals, report_errors
from connstat_sql.cli.durations import SECONDS
from connstat_sql.definitions.model import Provider, literal
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnectionFailed, ConnstatError, counted
from connstat_sql.output.stderr import API_FAILED, DONE, USAGE, exit_code
from connstat_sql.result import Options

if TYPE_CHECKING:
    from connstat_sql.transport import Attempt

REQUESTS = 100
"""Budget of one connection's test."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found: rows in the probe, or what is wrong; neither when it was not tested.

    `failures` are base URLs of it that do not work, where another does, and why.
    """

    rows: int = 0
    error: ConnstatError | None = None
    probe: str = ""
    failures: Mapping[str, str] = field(default_factory=dict)


class Watch:
    """How long the answered requests of each connection took, in seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def observe(self, sent: Attempt) -> None:
        """One attempt that has ended."""
        if sent.status is not None:
            self._seconds[sent.connection].append(sent.seconds)

    def speed(self, connection: str) -> str:
        """The usual time of a request."""
        seconds = self._seconds.get(connection)
        return f"{median(seconds) * 1000:.0f} ms a request, " if seconds else ""


@click.command("doctor")
@click.option(
    "--timeout",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For one request.",
)
@pass_globals
def command(globals_: Globals, timeout: float) -> None:
    """Test each connection: reachable, authorised, how fast; what is wrong and what to do.

    All are tested side by side.
    """
    narrator, watch = globals_.narrator, Watch()
    with report_errors(narrator):
        say(told_configuration(globals_.setup(), os.environ))
        engine = globals_.open(narrator, timeout=timeout, observe=watch.observe)
        try:
            findings = examine(engine)
            narrator.end_progress()
            for name, finding in findings.items():
                address = engine.connections[name].address
                say("\n".join(lines_on(name, finding, watch, address)))
            _tell_unused(engine)
            for caution in engine.cautions:
                narrator.say(f"note: {caution}")
            if not findings:
                narrator.say("hint: connstat demo  shows it all with nothing to configure")
        finally:
            engine.close()
    codes = [
        DONE if finding.error is None else _code(finding.error) for finding in findings.values()
    ]
    raise click.exceptions.Exit(max(codes, default=USAGE))


def _code(error: ConnstatError) -> int:
    return min(exit_code(error), API_FAILED)


def examine(engine: Engine) -> dict[str, Finding]:
    """What is found of each connection; those that can be asked are asked at the same time."""
    findings: dict[str, Finding] = {}
    asked: dict[str, list[str]] = {}
    for name, of in engine.catalog.connections.items():
        provider = engine.catalog.definitions.provider(of)
        findings[name] = _before(engine, name, provider)
        if findings[name].probe:
            asked.setdefault(findings[name].probe, []).append(name)
    if asked:
        findings.update(_ask(engine, asked))
    return findings


def _before(engine: Engine, name: str, provider: Provider | None) -> Finding:
    """What can be said before anything is sent: a probe that waits for its answer, or not even."""
    if provider is None or provider.probe is None:
        return Finding()
    try:
        engine.clients.open(name)
        engine.explain(_probing(str(provider.probe), [name]))
    except ConnstatError as error:
        return Finding(error=error)
    return Finding(probe=str(provider.probe))


def _probing(probe: str, names: list[str]) -> str:
    listed = ", ".join(map(literal, names))
    return f"SELECT _connection, count(*) FROM {probe} WHERE _connection IN ({listed}) GROUP BY 1"


def _ask(engine: Engine, asked: Mapping[str, list[str]]) -> Iterator[tuple[str, Finding]]:
    """One statement over all connections, of which each may fail by itself."""
    sql = " UNION ALL ".join(_probing(probe, names) for probe, names in asked.items())
    count = sum(map(len, asked.values()))
    options = Options(partial=True, max_requests=REQUESTS * count, max_age=0.0)
    *_, result = each(engine.run(sql, None, options), engine)
    rows = dict(result.fetchall())
    errors = {failure.fetch.connection: failure.error for failure in result.errors}
    for probe, names in asked.items():
        for name in names:
            failures = engine.clients.made(name).base_urls.failures
            yield name, Finding(rows.get(name, 0), errors.get(name), probe, failures)


def lines_on(name: str, finding: Finding, watch: Watch, address: str) -> Iterator[str]:
    """The lines on one connection."""
    if finding.error is not None:
        yield f"{name}  FAILED  {finding.error.message}"
        request, todo = getattr(finding.error, "request", None), _todo(finding.error, address)
        if request is not None:
            yield f"{' ' * len(name)}  {request}"
        if todo:
            yield f"{' ' * len(name)}  do: {todo}"
    elif finding.probe:
        rows = counted(finding.rows, "row")
        yield f"{name}  ok  {watch.speed(name)}{rows} in {finding.probe}"
        for url, words in finding.failures.items():
            yield f"{' ' * len(name)}  {url} does not work, another is asked: {words}"
    else:
        yield f"{name}  not tested: its provider declares no probe"


def _todo(error: ConnstatError, address: str) -> str:
    """The next step; where nobody answered, the hint is short or would lead here."""
    is_vague = "connstat doctor" in error.hint or error.hint == f"check {address}"
    if isinstance(error, ConnectionFailed) and is_vague:
        return f"check {address} and the network, and that the server runs"
    return error.hint


def _has_views_alone(engine: Engine, provider: Provider) -> bool:
    """Whether nobody connects to a provider, as its tables are made of others."""
    definitions = engine.catalog.definitions
    services = (definitions.service(provider.name, name) for name in provider.services)
    return all(
        resource.view for service in services if service for resource in service.resources.values()
    )


def _tell_unused(engine: Engine) -> None:
    """Providers without a connection, and what would make one."""
    used = set(engine.catalog.connections.values())
    for name in engine.catalog.definitions.providers:
        provider = engine.catalog.definitions.provider(name)
        if provider is None or name in used or _has_views_alone(engine, provider):
            continue
        file = engine.catalog.file
        ways = [f"write it in {file or 'connstat.toml'}"]
        if not file:  # which says which connections there are
            ways = [*(f"set {' and '.join(names)}" for names in provider.ways_to_connect), *ways]
        say(f"{name}  no connection: {' or '.join(ways)}")
