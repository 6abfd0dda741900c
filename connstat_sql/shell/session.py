"""The shell itself: it runs statements, shows what they answer, and knows how it is set.

What reads lines, from a person or a script, comes from elsewhere; so does what a command does.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Protocol

from connstat_sql.definitions.lexer import names
from connstat_sql.errors import ConnstatError, counted
from connstat_sql.hints import in_shell, worded
from connstat_sql.output.stderr import (
    DONE,
    INTERRUPTED,
    PARTIAL,
    QUERY_AT_FAULT,
    Narrator,
    exit_code,
)
from connstat_sql.shell.background_engine import LateEngine, Worker
from connstat_sql.shell.display import Display, Settings

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.executor.stats import Progress
    from connstat_sql.output.protected_files import Input
    from connstat_sql.result import Options, Result
    from connstat_sql.saved import SavedQueries, SavedQuery
    from connstat_sql.transport import Attempt, RetryNotice

_INTERRUPTED_IN_DUCKDB = "Query interrupted"
"""What it makes of a KeyboardInterrupt that comes while it writes a file."""
LONGEST_LEARNING = 5.0
"""Seconds."""
GRACE = 0.2
"""Seconds that a look-up of the completion has to end by itself, once somebody waits for it."""
_TRANSACTION_WORDS = ("begin", "start", "commit", "rollback", "abort", "end", "transaction")


class Step(Enum):
    """What comes next."""

    LEAVE = "leave the shell"
    READ = "run the script that is given"
    WRITE = "let the user go on writing the text that is given"
    KEYS = "use the keys of the editor that is given"


@dataclass(frozen=True, slots=True)
class Next:
    """A step, with the text or the name of a file that it needs."""

    step: Step
    text: str = ""


class ShellNarrator(Narrator):
    """A narrator that keeps off the screen while somebody types.

    `is_running` says whether a statement runs, `is_tracing` whether its requests are told.

    Requests of the completion are counted and remembered like all others, but not told: the
    screen is the prompt's then. `reached` says of each connection that was asked whether it gave
    any answer, the last time.
    """

    is_running = False
    is_tracing = False
    reached: Mapping[str, bool] = MappingProxyType({})
    _silent: frozenset[str] = frozenset()

    def progress(self, scans: Sequence[Progress]) -> None:
        """How far a statement has come."""
        if self.is_running and not self.is_tracing:
            super().progress(scans)

    def waiting(self, waiting: RetryNotice) -> None:
        """A request waits for long, of a statement."""
        if self.is_running:
            super().waiting(waiting)

    def observe(self, sent: Attempt) -> None:
        """An attempt has ended: on another thread."""
        if sent.status is None:
            self._silent |= {sent.connection}
        else:
            self._silent -= {sent.connection}
            self.reached = {**self.reached, sent.connection: True}
        if self.is_tracing and self.is_running:
            self.trace(sent)

    def settle(self, *, is_cut_short: bool) -> None:
        """A statement has ended; what was cut short says nothing of who did not answer."""
        silent, self._silent = self._silent, frozenset()
        if not is_cut_short:
            self.reached = {**self.reached, **dict.fromkeys(silent, False)}


class Each(Protocol):
    """Hands results on one by one, while Ctrl-C ends the statement in good order."""

    def __call__(self, results: Iterator[Result], engine: Engine, /) -> Iterator[Result]:
        """Raises KeyboardInterrupt after a Ctrl-C."""


@dataclass(frozen=True, slots=True)
class ShellContext:
    """What a shell is handed: an engine when it wants one, streams, environment and folders.

    `open` opens an engine that tells the narrator, `each` is how Ctrl-C reaches a statement;
    `out` takes rows. `here` is the working directory, `user` the user's configuration directory,
    `providers` finds further folders of definitions, `inputs` the files that no answer is written
    in place of. `has_connections` says that there are some, so that nobody is told to make any.
    """

    open: Callable[[ShellNarrator], Engine]
    each: Each
    narrator: ShellNarrator
    out: BinaryIO
    environment: Mapping[str, str] = field(repr=False)
    here: Path
    user: Path
    providers: Callable[[], tuple[Path, ...]] = tuple
    inputs: Callable[[], Iterable[Input]] = tuple
    has_connections: bool = False


class Shell:
    """Runs what is typed. `is_interactive`: somebody looks, and goes on after an error."""

    def __init__(self, context: ShellContext, *, is_interactive: bool) -> None:
        self.context = context
        self.is_interactive = is_interactive
        self.narrator = context.narrator
        self.settings = Settings()
        self.display = Display(self.settings, context.out, context.environment, is_interactive)
        self.lock = threading.RLock()
        """Held by whoever uses the engine: a statement, or a look-up of the completion."""
        self.words: frozenset[str] = frozenset()
        """Names of providers and connections in lower case, once the engine is there."""
        self.known_connections: tuple[str, ...] = ()
        self.worker = Worker()
        """It opens the engine and learns from it."""
        self.engine = LateEngine(self._opened, self.worker)
        self.code = DONE
        """What the last line came to, as an exit code."""
        self.statement = ""
        """The last SQL that was run, as it was typed."""
        self.last: Result | None = None
        self.transaction = ""
        """`*` within a transaction, `!` within one that has failed, else nothing."""

    def close(self) -> None:
        """Close the engine; nobody gets at it any more.

        What the worker is at is waited for: DuckDB ends the process when it is closed under its
        feet.
        """
        if not self.worker.close(LONGEST_LEARNING):
            return  # the process is about to end, and leaves it behind
        engine = self.engine.ready()
        if engine is not None:
            self._take(engine)
            engine.close()

    # --- running -----------------------------------------------------------------------------

    def run(
        self,
        sql: str,
        arguments: Mapping[str, object] | None = None,
        *,
        options: Options | None = None,
        is_asked_for: bool = True,
        query: SavedQuery | None = None,
    ) -> None:
        """Run statements and show each answer. Raises a ConnstatError, or KeyboardInterrupt.

        `options` None means: as the shell is set. One that nobody has asked for in these words
        does not become the last statement. `query` is the saved query that it is.
        """
        if is_asked_for:
            self.statement, self.last = sql, None
        is_partial = False
        with self.engine_held() as engine:
            is_cut_short = True
            try:
                chosen = _keeping_errors(sql, options or self.settings.options())
                if query is None:
                    results = engine.run(sql, arguments, chosen)
                else:
                    from connstat_sql.saved import Prepared, results_of

                    results = results_of(query, Prepared(sql, arguments or {}), engine, chosen)
                for result in self.context.each(results, engine):
                    self.narrator.end_progress()
                    if is_asked_for:
                        self.last = result
                    is_partial = is_partial or not result.complete
                    self.show(result)
                is_cut_short = False
            except ConnstatError:
                is_cut_short = False
                raise
            finally:
                self.narrator.settle(is_cut_short=is_cut_short)
                self._look_for_transaction(engine, sql)
        if is_partial:
            self.code = PARTIAL

    def show(self, result: Result) -> None:
        """The rows where they go, everything else to stderr."""
        if result.has_rows:
            note = self.display.show(result, self.statement)
            if note:
                self.narrator.say(note)
        self.narrator.result(result)
        if self.settings.timer:
            self.narrator.say(summary(result))

    @contextmanager
    def engine_held(self) -> Iterator[Engine]:
        """The engine, for this thread alone; a look-up of the completion is ended for it."""
        engine = self.engine.get()
        self._take(engine)
        try:
            self.narrator.is_running, self.narrator.is_tracing = True, self.settings.trace
            yield engine
        finally:
            self.narrator.is_running = False
            self.lock.release()

    def _take(self, engine: Engine) -> None:
        """Take the lock, from a look-up of the completion if need be."""
        while not self.lock.acquire(timeout=GRACE):
            engine.interrupt()

    def attempt(self, act: Callable[[], None]) -> bool:
        """Do something and tell what goes wrong; `code` says how it went. Whether it went well."""
        self.code = DONE
        try:
            with worded(in_shell):
                act()
        except ConnstatError as error:
            self.code = exit_code(error)
            self.narrator.end_progress()
            self.narrator.error(error)
        except KeyboardInterrupt:
            self._interrupted()
        except BrokenPipeError:
            if not self.is_interactive:
                raise
        except Exception as error:
            if str(error) == _INTERRUPTED_IN_DUCKDB:
                self._interrupted()
            elif not self.is_interactive:
                raise
            else:  # a fault of ours is no reason to throw away what somebody has set up
                self._tell_fault(error)
        return self.code == DONE

    def _interrupted(self) -> None:
        self.code = INTERRUPTED
        self.narrator.end_progress()
        self.narrator.interrupted()

    def _tell_fault(self, error: Exception) -> None:
        self.code = QUERY_AT_FAULT
        self.narrator.end_progress()
        if self.narrator.level > 0:
            self.narrator.log("".join(traceback.format_exception(error)).rstrip())
        kind = type(error).__name__
        self.narrator.log(f"error: this is a fault of connstat itself: {kind}: {error}")
        self.narrator.log("hint: connstat -v shows where; the shell goes on")

    # --- what is known -----------------------------------------------------------------------

    def saved(self) -> SavedQueries:
        """The saved queries, looked for anew: files come and go."""
        from connstat_sql.saved import standard_queries

        context = self.context
        return standard_queries(context.here, context.user, context.providers())

    def _opened(self) -> Engine:
        """An engine, with what the prompt shows of connections read beside it."""
        engine = self.context.open(self.narrator)
        with suppress(ConnstatError):  # the statement that needs what is broken will say it
            catalog = engine.catalog
            self.known_connections = tuple(catalog.connections)
            names = (*catalog.definitions.providers, *catalog.connections)
            self.words = frozenset(name.lower() for name in names)
        return engine

    def _look_for_transaction(self, engine: Engine, sql: str) -> None:
        """Whether a transaction is open now; chosen only where it may have changed."""
        text = sql.lower()
        if not self.transaction and not any(word in text for word in _TRANSACTION_WORDS):
            return
        try:
            engine.session.confirm_transaction(sql)
            self.transaction = "*" if engine.session.is_in_transaction() else ""
        except ConnstatError:
            self.transaction = "!"


def _keeping_errors(sql: str, options: Options) -> Options:
    """A statement on `_errors` alone asks for those of the one before: they are not forgotten."""
    mentioned = [name.parts for name in names(sql)]
    is_on_errors = any(parts[-1].lower() == "_errors" for parts in mentioned)
    is_on_live = any(len(parts) > 2 for parts in mentioned)
    return replace(options, partial=False) if is_on_errors and not is_on_live else options


def summary(result: Result) -> str:
    """Rows, requests and time of an answer in words."""
    rows = f"{counted(result.table.num_rows, 'row')}, " if result.has_rows else ""
    return f"{rows}{counted(result.requests, 'request')}, {duration(result.seconds)}"


def duration(seconds: float) -> str:
    """`240 ms`, `3.1 s`."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
