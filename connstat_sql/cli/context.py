"""What every command shares: the global options, opening an engine, ending with the right code."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from connstat_sql.errors import ConnstatError, Interrupted
from connstat_sql.output.stderr import INTERRUPTED, Narrator, exit_code

if TYPE_CHECKING:
    from connstat_sql.bootstrap import Setup
    from connstat_sql.engine import Engine
    from connstat_sql.executor.stats import Progress
    from connstat_sql.output.protected_files import Input
    from connstat_sql.transport import Attempt

T = TypeVar("T")
_CTRL_C_IN_DUCKDB = "Query interrupted"
"""What it makes of a KeyboardInterrupt that comes while it writes a file."""


@dataclass(frozen=True, slots=True)
class Globals:
    """The options before the command."""

    config: str | None
    providers: tuple[str, ...]
    level: int
    progress: bool
    is_sandboxed: bool = False
    connections: Mapping[str, Mapping[str, Any]] | None = field(default=None, repr=False)
    """Those to use in place of the configuration's (None: the configuration's)."""

    @property
    def narrator(self) -> Narrator:
        """Writes to stderr, as the options say and the terminal can bear."""
        return Narrator.of_terminal(
            sys.stderr, os.environ, level=self.level, progress=self.progress
        )

    def setup(self) -> Setup:
        """Connections and definitions as the options say."""
        from connstat_sql.bootstrap import Setup

        return Setup(
            config=Path(self.config) if self.config else None,
            connections=self.connections,
            providers=tuple(map(Path, self.providers)),
            user=Path(click.get_app_dir("connstat")),
        )

    def inputs(self) -> Iterator[Input]:
        """Files that are read, which no answer takes the place of. Raises ConfigError."""
        from connstat_sql.cli.input_files import inputs_of

        return inputs_of(self.setup(), os.environ)

    def open(
        self,
        narrator: Narrator,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        reveal: bool = False,
        trace: bool = False,
        sandboxed: bool = False,
        observe: Callable[[Attempt], None] = lambda _: None,
    ) -> Engine:
        """An engine over the real environment and network, which tells the narrator how it goes.

        With `trace` each attempt is told, and no progress; else `observe` takes the attempts.
        """
        from connstat_sql.bootstrap import EngineOptions, open_engine, told_configuration

        def nothing(_: Sequence[Progress]) -> None:
            """Lines of a trace tell enough."""

        options = EngineOptions(
            environment=os.environ,
            observe=narrator.trace if trace else observe,
            progress=nothing if trace else narrator.progress,
            timeout=timeout,
            connect_timeout=connect_timeout,
            shares_limits=True,
            mask_key=os.environ.get("CONNSTAT_MASK_KEY"),
            is_sandboxed=self.is_sandboxed or sandboxed,
            waiting=narrator.waiting,
        )
        setup = self.setup()
        if narrator.level > 0:
            narrator.say(told_configuration(setup, os.environ))
        return open_engine(setup, options, reveal=reveal)


pass_globals = click.make_pass_decorator(Globals)


@contextmanager
def report_errors(narrator: Narrator, *, trace: bool = False) -> Iterator[None]:
    """Errors become a message on stderr and the exit code that stands for them.

    With -v the log is told too, of a trace the part on what comes between attempts. No line of
    progress is left behind, however it ends.
    """
    try:
        with ExitStack() as stack:
            stack.callback(narrator.end_progress)
            if narrator.level > 0 or trace:
                from connstat_sql.output.logs import told_logs

                name = "connstat_sql" if narrator.level > 0 else "connstat_sql.transport"
                fold = narrator.level == 1 and not trace
                logs = told_logs(narrator.log, name, debug=narrator.level > 1, fold=fold)
                stack.enter_context(logs)
            yield
    except BrokenPipeError as error:  # a reader that has gone (`| head`) is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from error
    except ConnstatError as error:
        narrator.error(error)
        raise click.exceptions.Exit(exit_code(error)) from error
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error, RuntimeError) and str(error) != _CTRL_C_IN_DUCKDB:
            raise
        narrator.interrupted()
        raise click.exceptions.Exit(INTERRUPTED) from error


class Interruptible(Protocol):
    """What can be asked, from a signal handler too, to end the statement that it runs."""

    def interrupt(self) -> None:
        """End it soon, by an Interrupted in the thread that runs it."""


def each(results: Iterator[T], engine: Interruptible) -> Iterator[T]:
    """The results, one by one. While one is awaited, Ctrl-C ends the statement in good order.

    That is `engine.interrupt()`; a second Ctrl-C does not wait for it. Raises KeyboardInterrupt
    either way.
    """
    nothing = object()
    while True:
        with _ctrl_c_interrupts(engine):
            result = next(results, nothing)
        if result is nothing:
            return
        yield result  # type: ignore[misc]  # it is no `nothing`


@contextmanager
def _ctrl_c_interrupts(engine: Interruptible) -> Iterator[None]:
    """Where Python's own Ctrl-C is in force, put ours in its place for a while.

    Nothing is looked for that could be freed while hundreds of requests let go: it takes longer.
    """
    is_main = threading.current_thread() is threading.main_thread()
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_main or not is_default:
        yield
        return
    presses = 0

    def press(_number: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            raise KeyboardInterrupt
        gc.disable()
        engine.interrupt()

    signal.signal(signal.SIGINT, press)
    try:
        yield
    except Interrupted as error:
        if presses:
            raise KeyboardInterrupt from error
        raise
    finally:
        if presses:
            gc.enable()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if presses:  # it had ended already, and nobody waits for the rest
        raise KeyboardInterrupt
