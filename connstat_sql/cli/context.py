"""What every command shares: the global options, opening an engine, ending with the right code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connstat_sql.diagnostics import Narrator, exit_code
from connstat_sql.errors import ConnstatError

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.opening import Setup
    from connstat_sql.transport import Sent


@dataclass(frozen=True, slots=True)
class Globals:
    """The options before the command."""

    config: str | None
    providers: tuple[str, ...]
    level: int
    progress: bool

    @property
    def narrator(self) -> Narrator:
        """Writes to stderr, in colour on a terminal unless NO_COLOR is set."""
        color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        return Narrator(level=self.level, color=color)

    def setup(self) -> Setup:
        """Connections and definitions as the options say."""
        from connstat_sql.opening import Setup

        return Setup(
            config=Path(self.config) if self.config else None,
            providers=tuple(map(Path, self.providers)),
            user=Path(click.get_app_dir("connstat")),
        )

    def open(
        self,
        *,
        timeout: float = 30.0,
        reveal: bool = False,
        observe: Callable[[Sent], None] = lambda _: None,
    ) -> Engine:
        """An engine over the real environment and network."""
        from connstat_sql.engine import Outside
        from connstat_sql.opening import open_engine

        outside = Outside(
            environment=os.environ,
            observe=observe,
            timeout=timeout,
            mask_key=os.environ.get("CONNSTAT_MASK_KEY"),
        )
        return open_engine(self.setup(), outside, reveal=reveal)


pass_globals = click.make_pass_decorator(Globals)


@contextmanager
def told(narrator: Narrator) -> Iterator[None]:
    """Errors become a message on stderr and the exit code that stands for them."""
    try:
        yield
    except BrokenPipeError as error:  # a reader that has gone (`| head`) is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from error
    except ConnstatError as error:
        narrator.error(error)
        raise click.exceptions.Exit(exit_code(error)) from error
    except KeyboardInterrupt as error:
        narrator.interrupted()
        raise click.exceptions.Exit(exit_code(error)) from error
