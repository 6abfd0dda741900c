"""`connstat check`: a saved query as a monitoring check; its rows are a problem."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connstat_sql.cli.completion import complete_names, complete_pairs
from connstat_sql.cli.console import show_error
from connstat_sql.cli.context import Globals, each, pass_globals
from connstat_sql.cli.durations import SECONDS
from connstat_sql.cli.parameters import read_pairs
from connstat_sql.cli.statement import (
    STDOUT,
    budget_option,
    check_output,
    connect_timeout_option,
    max_age_option,
    timeout_option,
)
from connstat_sql.cli.watch import failures_of, is_sql_given, query_to_run, words_of, write
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnstatError, QueryError
from connstat_sql.files import NotOurs, written_whole
from connstat_sql.monitor.format import first_rows
from connstat_sql.monitor.nagios import (
    MOST_SERIES,
    Outcome,
    Range,
    ServiceState,
    Thresholds,
    metrics,
    range_of,
    report,
)
from connstat_sql.monitor.nagios import status_of as status_of_rows
from connstat_sql.output.rows import texts_of
from connstat_sql.output.stderr import INTERRUPTED, Narrator
from connstat_sql.result import Options, Result
from connstat_sql.saved import SavedQuery, Severity, results_of

if TYPE_CHECKING:
    import pyarrow as pa

DEADLINE = 55.0
"""Seconds; less than the minute in which cron starts the next, and than most plug-ins may take."""


class PlugIn(click.Command):
    """A command that exits as plug-ins do: whatever keeps it from an answer is 3, UNKNOWN.

    1 and 2 would say that it had found something out.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        with _unknown(is_silent="--prometheus" in args):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _unknown(is_silent=bool(ctx.params.get("prometheus"))):
            return super().invoke(ctx)


@contextmanager
def _unknown(*, is_silent: bool) -> Iterator[None]:
    """What goes wrong is told on stderr, and in a plug-in's words on stdout unless silent."""
    try:
        yield
    except (click.exceptions.Exit, click.exceptions.Abort):
        raise
    except Exception as error:
        if isinstance(error, click.ClickException):
            show_error(error)
            said = error.format_message()
        else:
            click.echo(traceback.format_exc(), err=True, nl=False)
            said = f"this is a fault of connstat: {type(error).__name__}"
        if not is_silent:
            with suppress(click.ClickException):  # it may be stdout that is at fault
                _write(
                    report(Outcome("check", ServiceState.UNKNOWN, Thresholds(), failures=(said,)))
                )
        raise click.exceptions.Exit(ServiceState.UNKNOWN) from error


class _RangeType(click.ParamType):  # type: ignore[type-arg]  # generic in later releases alone
    """A range in the syntax of plug-ins."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Range:
        """Say what is wrong with one that is none."""
        if isinstance(value, Range):
            return value
        try:
            return range_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("check", cls=PlugIn)
@click.argument("name", required=False, shell_complete=complete_names)
@click.argument("pairs", nargs=-1, metavar="[PARAM=VALUE]...", shell_complete=complete_pairs)
@click.option("--sql", help="Check this statement in place of a saved query.")
@click.option("-f", "--file", type=click.Path(dir_okay=False), help="Or the one in this file.")
@click.option(
    "-w", "--warning", type=_RangeType(), show_default="the query's severity",
    help="How many rows are no WARNING.",
)  # fmt: skip
@click.option(
    "-c", "--critical", type=_RangeType(), show_default="the query's severity",
    help="How many rows are not CRITICAL.",
)  # fmt: skip
@click.option(
    "--rows", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
    help="Rows to show below the line.",
)  # fmt: skip
@click.option("--prometheus", is_flag=True, help="Metrics in the text format of Prometheus.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False),
    help="File for the metrics, written whole or not at all; stdout gets none. - is stdout.",
)  # fmt: skip
@click.option(
    "--deadline", type=SECONDS, metavar="SECONDS", default=DEADLINE, show_default=True,
    help="For the whole check; what has not answered by then is missing.",
)  # fmt: skip
@timeout_option
@connect_timeout_option
@budget_option
@max_age_option
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """Run a saved query as a monitoring check: its rows are a problem.

    Prints a line in the way of Monitoring Plugins, with perfdata behind a bar, and then the first
    rows. Without -w and -c any row is as bad as the query says (severity: in its front matter;
    CRITICAL where it says nothing). With one of them, only what is given counts.

    \b
    RANGE     is a problem when there are
    10        more than 10 rows (or fewer than 0)
    10:       fewer than 10
    ~:10      more than 10
    10:20     fewer than 10 or more than 20
    @10:20    10 to 20

    When some requests fail, the rows that came still count: if they are a problem however many
    are missing it is told, with what is missing. Else it is UNKNOWN, never OK.

    The metrics are connstat_check_rows, _status, _complete, _requests, _duration_seconds and
    _timestamp_seconds, labelled with the query and its arguments; alert on an old timestamp too.
    Where the query says its key, connstat_check_row is there for each of the first 100 rows, with
    a label for each column of the key, and connstat_check_rows_left_out says how many more.
    """  # noqa: D301 - click reads the backspace
    narrator = globals_.narrator
    output = options["output"]
    if output not in (None, STDOUT):
        try:
            check_output(output, globals_.inputs, options["file"])
        except NotOurs as refusal:
            said = f"{output} cannot be written: {refusal.strerror}"
            raise click.ClickException(said) from refusal
    outcome, error = _outcome(globals_, narrator, options)
    narrator.end_progress()
    if options["prometheus"] or options["output"]:
        if error is not None:
            narrator.error(error)
        _hand_over(outcome, options["output"])
    else:
        _write(report(outcome))
    raise click.exceptions.Exit(int(outcome.status))


def _outcome(
    globals_: Globals, narrator: Narrator, options: Mapping[str, Any]
) -> tuple[Outcome, ConnstatError | None]:
    """What the check finds out; and what kept it from finding out anything, if something did."""
    started = time.monotonic()
    arguments = read_pairs(words_of(options))
    name = "sql" if is_sql_given(options) else options["name"]
    limits = Thresholds.of(options["warning"], options["critical"], Severity.CRITICAL)
    try:
        engine = globals_.open(
            narrator, timeout=options["timeout"], connect_timeout=options["connect_timeout"]
        )
        try:
            query, results = _run(globals_, engine, options)
        finally:
            engine.close()
        for result in results if narrator.level > 0 else ():
            narrator.result(result)
        limits = Thresholds.of(options["warning"], options["critical"], query.severity)
        outcome = _found(query, results, limits, options["rows"])
    except ConnstatError as error:
        said = tuple(line for line in (error.message, error.hint and f"hint: {error.hint}") if line)
        outcome, wrong = Outcome(name, ServiceState.UNKNOWN, limits, failures=said), error
        return _timed(outcome, started, arguments), wrong
    except KeyboardInterrupt:
        narrator.interrupted()
        raise click.exceptions.Exit(INTERRUPTED) from None
    return _timed(outcome, started, arguments), None


def _run(
    globals_: Globals, engine: Engine, options: Mapping[str, Any]
) -> tuple[SavedQuery, Sequence[Result]]:
    query, prepared = query_to_run(globals_, engine, options)
    how = Options(
        partial=True,
        max_requests=options["max_requests"],
        deadline=options["deadline"],
        max_age=options["max_age"],
    )
    return query, list(each(results_of(query, prepared, engine, how), engine))


def _found(query: SavedQuery, results: Sequence[Result], limits: Thresholds, shown: int) -> Outcome:
    last = next((result for result in reversed(results) if result.has_rows), None)
    if last is None:
        raise QueryError("there are no rows to count", hint="end with a SELECT")
    failures = tuple(f"{name}: {why}" for name, why in failures_of(list(results)).items())
    doubts = tuple(doubt for result in results for doubt in _doubts(result))
    rows = last.table.num_rows
    status = status_of_rows(rows, limits, complete=not failures)
    return Outcome(
        query.name,
        ServiceState.UNKNOWN if doubts and status is ServiceState.OK else status,
        limits,
        rows,
        tuple(first_rows(last.table, shown, query.key)),
        failures + doubts,
        sum(result.requests for result in results),
        keys=tuple(_keys(last.table, query.key)),
    )


def _doubts(result: Result) -> Iterator[str]:
    """Why no row may mean nothing: a value that cannot be there, a list that may go on, nobody."""
    yield from result.doubts
    yield from result.open_ends
    for scan in result.scans:
        if scan.no_row and scan.no_row >= scan.fetches and not scan.rows:
            yield f"{scan.table}: what was asked for is not there, says the API"
    is_asked = any(scan.requests or scan.kept for scan in result.scans)
    if result.plan is not None and not is_asked and not result.doubts and not result.errors:
        yield "no API was asked, as nothing can fit all of its conditions"


def _keys(table: pa.Table, key: Sequence[str]) -> Iterator[dict[str, str]]:
    """What tells the first rows apart, as far as the query says it and they have it."""
    wanted = {name.lower() for name in key}
    names = [name for name in table.column_names if name.lower() in wanted]
    if not names:
        return
    for row in zip(*texts_of(table.select(names).slice(0, MOST_SERIES)), strict=True):
        yield {name: text for name, text in zip(names, row, strict=True) if text is not None}


def _timed(outcome: Outcome, started: float, arguments: Mapping[str, str]) -> Outcome:
    seconds = time.monotonic() - started
    return replace(outcome, seconds=seconds, at=time.time(), arguments=arguments)


# --- where it goes --------------------------------------------------------------------------------


def _hand_over(outcome: Outcome, output: str | None) -> None:
    """The metrics to stdout or a file."""
    if output is None or output == STDOUT:
        _write(metrics(outcome))
        return
    try:
        with written_whole(Path(output)) as out:
            out.write(metrics(outcome).encode())
    except OSError as error:
        said = f"{output} cannot be written: {error.strerror}; {outcome.query} is "
        raise click.ClickException(said + outcome.status.name) from error


def _write(text: str) -> None:
    """To stdout; a reader that has gone still gets the exit code."""
    try:
        write(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
