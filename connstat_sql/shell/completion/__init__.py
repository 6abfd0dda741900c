"""Completion that knows: tables, columns in scope, values that rows had, what is still missing.

A key press is answered in four steps, each pure over the values of the one before:

    text, cursor ─ read ─▶ CursorStatement ─ place ─▶ CompletionPlace ─ Candidates.at ─▶ menu
              (tokens.py)   (parser.py, context.py)   (over `Metadata` and `ObservedValues`)

`loader.py` makes `Metadata` of the engine, on a worker beside the typing: the catalog, and lists of
what is in it. `values.py` remembers what rows had, and asks for more when, and only when, somebody
asks by a key.

Scopes come of the tolerant parser alone, not of the binder: the binder takes 44 of 100 texts that
are being typed from front to back, and 65 of those that are changed in between, at five times the
cost, and it needs the lock that a running statement holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from connstat_sql.shell.background_engine import Worker
from connstat_sql.shell.completion.commands import CommandSyntax
from connstat_sql.shell.completion.completer import KnowingCompleter

if TYPE_CHECKING:
    from connstat_sql.engine import Engine

__all__ = ["KnowingCompleter", "make_completer"]


def make_completer(
    engine_when_ready: Callable[[], Engine | None],
    lock: threading.RLock,
    saved: Iterable[object],
    commands: Mapping[str, CommandSyntax],
    worker: Worker | None = None,
) -> KnowingCompleter:
    """A completer for prompt_toolkit, to be asked on a thread of its own.

    `engine_when_ready` gives the engine once it is open, and None before; `lock` is held by
    whoever uses it. `saved` are saved queries (`saved.SavedQueries`) or their names, `commands`
    those of the shell by name. It learns on `worker` (None: one of its own).
    """
    completer = KnowingCompleter(engine_when_ready, lock, saved, commands, worker=worker)
    completer.learner.known()  # so that the values of the first statement are remembered too
    return completer
