"""`connstat top`: the fleet on one screen, live."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Any

import click

from connstat_sql.cli.context import Globals, pass_globals, report_errors
from connstat_sql.cli.durations import SECONDS
from connstat_sql.extras import lacking
from connstat_sql.output.stderr import Narrator


@click.command("top")
@click.option(
    "--every",
    type=SECONDS,
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="From one refresh to the next: 2s, 1m.",
)
@click.option(
    "--connection",
    "connections",
    metavar="NAME",
    multiple=True,
    show_default="all",
    help="Only this connection; repeatable.",
)
@click.option(
    "--provider",
    "providers",
    metavar="NAME",
    multiple=True,
    show_default="all",
    help="Only connections of this provider; repeatable.",
)
@click.option(
    "--where",
    default="",
    metavar="PREDICATE",
    help="Only these rows of inventory.connectors.connectors: SQL.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Request budget of one refresh.",
)
@click.option(
    "--timeout",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For one request.",
)
@click.option(
    "--deadline",
    type=SECONDS,
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="For one refresh; what has not answered by then is shown as unreachable.",
)
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """The fleet on one screen, live: worst first, with counts and root causes.

    Keys: ? shows them all, q quits. Each refresh asks every cluster anew, for one list; which
    clusters there are is asked once a minute, and by r. A cluster that does not answer is shown as
    unreachable, with its rows as they were last known.
    """
    _check_terminal()
    from connstat_sql.top.query import FleetQuery
    from connstat_sql.top.worker import Refresher

    question = FleetQuery(options["connections"], options["providers"], options["where"])
    quiet = Narrator(sys.stderr, level=-1)  # the screen is ours: nothing is written across it
    with report_errors(quiet):
        if find_spec("textual") is None:
            raise lacking("connstat top", "top")
        from connstat_sql.top.app import Top

        app = Top(
            lambda tell: Refresher(
                lambda: globals_.open(quiet, timeout=options["timeout"]),
                question,
                tell,
                max_requests=options["max_requests"],
                deadline=options["deadline"],
            ),
            question,
            every=options["every"],
            is_ascii=(sys.stderr.encoding or "").lower().replace("-", "") != "utf8",
        )
        ended_by = app.run()
        if ended_by is not None:
            raise ended_by


def _check_terminal() -> None:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise click.ClickException(
            "top needs a terminal for the whole screen. For rows without one, run a saved query:  "
            "connstat run NAME  (connstat saved lists them)"
        )
    if os.environ.get("TERM", "dumb") == "dumb":
        raise click.ClickException(
            "top needs a terminal that can draw on the whole screen, and TERM says that this one "
            "cannot. For rows, run a saved query:  connstat run NAME  (connstat saved lists them)"
        )
