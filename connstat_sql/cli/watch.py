"""`connstat watch`: a query again and again, and what has changed each time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from connstat_sql.cli.completion import complete_names, complete_pairs, saved_queries
from connstat_sql.cli.context import Globals, each, pass_globals
from connstat_sql.cli.durations import AGE, SECONDS
from connstat_sql.cli.parameters import read_pairs
from connstat_sql.cli.query import read_sql
from connstat_sql.cli.statement import (
    budget_option,
    connect_timeout_option,
    opened_engine,
    reveal_option,
    strict_option,
    timeout_option,
    trace_option,
)
from connstat_sql.config.durations import in_words
from connstat_sql.definitions.lexer import split
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    ConnstatError,
    FetchError,
    Interrupted,
    QueryError,
    counted,
)
from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.monitor.diff import Memory, RowChange, Snapshot, WatchRun, watch
from connstat_sql.monitor.format import jsonl, text
from connstat_sql.monitor.independence import is_independent
from connstat_sql.monitor.rows import Identity, check_columns, written
from connstat_sql.monitor.schedule import Pace, RealPace, beats
from connstat_sql.output.stderr import Narrator
from connstat_sql.result import Options, Result
from connstat_sql.saved import Prepared, SavedQuery, prepare, results_of

_COLORS = {
    ChangeKind.APPEARED: "yellow", ChangeKind.CHANGED: "yellow", ChangeKind.GONE: "cyan",
    ChangeKind.UNREACHABLE: "red", ChangeKind.REACHABLE: "green",
}  # fmt: skip


def _columns(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


@click.command("watch")
@click.argument("name", required=False, shell_complete=complete_names)
@click.argument("pairs", nargs=-1, metavar="[PARAM=VALUE]...", shell_complete=complete_pairs)
@click.option("--sql", help="Watch this statement in place of a saved query.")
@click.option("-f", "--file", type=click.Path(dir_okay=False), help="Or the one in this file.")
@click.option(
    "--every",
    type=SECONDS,
    default="60s",
    show_default=True,
    help="Time from one run to the next, such as 500ms, 60s, 5m or 1h30m.",
)
@click.option(
    "-F", "--format", "format_", type=click.Choice(["text", "jsonl"]), default="text",
    show_default=True, help="A line each, for people or as a JSON object.",
)  # fmt: skip
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", show_default="until Ctrl-C",
    help="End after so many runs.",
)  # fmt: skip
@click.option(
    "--once-at-start", "start", type=click.Choice(["show", "hide"]), default="hide",
    show_default=True, help="Whether the rows of the first run are printed, as present.",
)  # fmt: skip
@click.option(
    "--key", callback=_columns, metavar="COLUMNS",
    show_default="the query's, else the whole row",
    help="Columns that tell rows apart, comma-joined.",
)  # fmt: skip
@click.option(
    "--state", metavar="COLUMN", show_default="the query's, else all",
    help="Tell changes of this column alone.",
)  # fmt: skip
@click.option(
    "--ignore", callback=_columns, metavar="COLUMNS", show_default="none",
    help="Columns that never count, comma-joined.",
)  # fmt: skip
@budget_option
@strict_option
@timeout_option
@connect_timeout_option
@click.option(
    "--deadline", type=SECONDS, metavar="SECONDS", show_default="none", help="For one whole run."
)
@click.option(
    "--max-age",
    type=AGE,
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Accept rows fetched at most so long ago.",
)
@trace_option
@reveal_option
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """Run a saved query again and again, and print what changes, until Ctrl-C.

    Rows appear, are gone, or change, each with the time. With the key of the query (key: in its
    front matter, or --key) a row is known again; without, a row that differs is another one.
    Nothing is said of rows that could not be looked at: while a connection does not answer its
    rows stay as they were last known, and that it is unreachable, and reachable again, is told
    instead. This needs _connection among the columns; where rows depend on several connections
    (joins, counts over all), nothing is said of any row until all answer.

    \b
    -F jsonl prints objects with the keys
        at       time, ISO 8601 in UTC
        change   present, appeared, gone, changed, unreachable, reachable
        key      the key columns; null where the whole row is the key
        row      the row as it is; null when gone
        before   the row as it was; null when new
        changed  names of the columns that changed

    A run that fails is told on stderr, and the next one tried; a fault of the query ends it. A
    run that takes longer than a beat is not overtaken.
    """  # noqa: D301 - click reads the backspace
    narrator = globals_.narrator
    with opened_engine(globals_, narrator, options) as engine:
        query, prepared = query_to_run(globals_, engine, options)
        encoding = "utf-8" if options["format_"] == "jsonl" else None

        def out(line: str) -> None:
            write(f"{line}\n", encoding)

        watching = Watching(engine, narrator, query, prepared, options, RealPace(), out)
        for seen in watching.seen():
            watching.tell(seen)


# --- what is watched ------------------------------------------------------------------------------


def query_to_run(
    globals_: Globals, engine: Engine, options: Mapping[str, Any]
) -> tuple[SavedQuery, Prepared]:
    """The query, saved or as given by a command's options, and what to run."""
    words = words_of(options)
    if is_sql_given(options):
        sql = read_sql(options["sql"], options["file"])
        file = Path(options["file"] or "sql")
        return SavedQuery(file.stem, "", sql, file), Prepared(sql, read_pairs(words))
    query = saved_queries(globals_).find(options["name"])
    return query, prepare(query, read_pairs(words), engine)


def is_sql_given(options: Mapping[str, Any]) -> bool:
    """Whether the statement itself is given, not the name of a saved one."""
    return options["sql"] is not None or options["file"] is not None


def words_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that give values to parameters."""
    name: str | None = options["name"]
    words: tuple[str, ...] = options["pairs"]
    if is_sql_given(options):
        return words if name is None else (name, *words)
    if name is None or "=" in name:
        raise click.UsageError("give the NAME of a saved query, --sql or -f FILE")
    return words


# --- watching it ----------------------------------------------------------------------------------


class Watching:
    """Runs a query on its beats, and tells what each run has changed."""

    def __init__(
        self,
        engine: Engine,
        narrator: Narrator,
        query: SavedQuery,
        prepared: Prepared,
        options: Mapping[str, Any],
        pace: Pace,
        out: Callable[[str], None],
    ) -> None:
        """`options` are those of the command; `out` takes lines.

        Raises QueryError; nothing is sent.
        """
        self._out = out
        self._engine, self._narrator = engine, narrator
        self._query, self._prepared, self._command_options = query, prepared, options
        self._options = Options(
            partial=True,
            max_requests=options["max_requests"],
            strict=options["strict"],
            deadline=options["deadline"],
            max_age=options["max_age"],
        )
        self._apart = is_independent(prepared.sql, engine.session.aggregates())
        self._pace = pace
        key = options["key"] or query.key
        identity = Identity(key, options["state"] or query.state, options["ignore"])
        self._memory = Memory(identity, tells_present=options["start"] == "show")
        self._check_columns(identity)
        self._said: set[str] = set()
        self._wrong = ""

    def _check_columns(self, identity: Identity) -> None:
        """Raise QueryError before the first request where a column is not in the result."""
        is_named = bool(identity.key or identity.ignored)
        if not is_named or len(split(self._prepared.sql)) != 1:
            return
        try:
            described = f"DESCRIBE {self._prepared.sql}"
            (result,) = self._engine.run(described, self._prepared.arguments or None)
        except QueryError:
            return  # the statement's own run says it better, and where
        check_columns([str(name) for name, *_ in result], identity)

    def seen(self) -> Iterator[WatchRun]:
        """One run after the other. Raises what is at fault with the query, not with a run."""
        times = beats(self._command_options["every"], self._pace, self._command_options["count"])
        return watch(self._look, self._memory, times)

    def tell(self, seen: WatchRun) -> None:
        """Changes to stdout, a line each; what else there is to know to stderr."""
        self._narrator.end_progress()
        for change in seen.changes:
            self._print(change)
        self._remark(seen)

    def _look(self) -> Snapshot:
        """One run. What keeps it from its end is told, unless the query is to blame."""
        try:
            results = list(each(self._results(), self._engine))
        except (FetchError, Interrupted) as error:
            return self._failed(error)
        result = next((result for result in reversed(results) if result.has_rows), None)
        if result is None:
            raise QueryError("there are no rows to watch", hint="end with a SELECT")
        failures = failures_of(results)
        wrong = [f"{name}: {why}" for name, why in failures.items()]
        wrong += [doubt for result in results for doubt in result.doubts]
        self._narrate(results, "\n".join(wrong))
        return Snapshot(self._pace.now(), result.table, failures, self._apart)

    def _results(self) -> Iterator[Result]:
        """Of a run; names are looked up with the first, as later it is told what has gone."""
        if not self._memory.has_begun:
            return results_of(self._query, self._prepared, self._engine, self._options)
        arguments = self._prepared.arguments or None
        return self._engine.run(self._prepared.sql, arguments, self._options)

    def _failed(self, error: ConnstatError) -> Snapshot:
        if self._wrong != error.message or self._narrator.level > 0:
            self._narrator.end_progress()
            self._narrator.error(error)
        self._wrong = error.message
        connection = getattr(error, "connection", "")
        return Snapshot(self._pace.now(), None, {connection: error.message} if connection else {})

    def _narrate(self, results: list[Result], wrong: str) -> None:
        """Notes and failures, once as long as they stay the same; with -v always."""
        self._narrator.end_progress()
        if self._narrator.level > 0 or (wrong and wrong != self._wrong):
            for result in results:
                self._narrator.result(result)
        self._wrong = wrong

    def _remark(self, seen: WatchRun) -> None:
        every = in_words(self._command_options["every"])
        if self._memory.has_begun:
            rows = counted(self._memory.count, "row")
            self._once("begun", f"watching {self._query.name} every {every}: {rows} now")
        if seen.snapshot.failures and not self._apart:
            self._once(
                "apart",
                "note: its rows depend on several connections, or do not tell theirs, so that "
                "nothing is said of any until all answer; a plain SELECT with _connection among "
                "its columns would go on with the others",
            )
        if seen.missed:
            missed = counted(seen.missed, "beat")
            self._once("missed", f"note: a run took longer than {every}; {missed} left out")
        shared = self._memory.shared_key
        if shared is not None:
            self._once(
                "shared",
                f"warning: several rows have the key {jsonl_of(shared)}: their changes are told as "
                "gone and appeared; add a column that tells them apart to --key",
            )

    def _once(self, topic: str, line: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            self._narrator.say(line)

    def _print(self, change: RowChange) -> None:
        if self._command_options["format_"] == "jsonl":
            self._out(jsonl(change))
        else:
            self._out(text(change, _painted) if _is_colored() else text(change))


def write(said: str, encoding: str | None = None) -> None:
    """Text to stdout at once, in the letters that it has (or in an encoding).

    Raises BrokenPipeError when nobody reads it, click.ClickException for all else.
    """
    if sys.stdout is None:
        raise click.ClickException("stdout is closed: there is nowhere to write to")
    known = encoding or sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.buffer.write(said.encode(known, "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"stdout cannot be written: {error.strerror}") from error


def failures_of(results: list[Result]) -> dict[str, str]:
    """Connections that did not give all they were asked for, with what is wrong first of all."""
    messages: dict[str, list[str]] = {}
    for result in results:
        for failure in sorted(result.errors, key=lambda failure: failure.error.attempts == 0):
            messages.setdefault(failure.fetch.connection, []).append(
                failure.error.message.removeprefix(f"{failure.fetch.connection} ")
            )
    return {
        name: said[0] if len(said) == 1 else f"{said[0]} (and {len(said) - 1:,} more)"
        for name, said in messages.items()
    }


def jsonl_of(key: Mapping[str, Any]) -> str:
    """A key in a message."""
    return written(key)


def _is_colored() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _painted(kind: ChangeKind, word: str) -> str:
    return click.style(word, fg=_COLORS.get(kind))
