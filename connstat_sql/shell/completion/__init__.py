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

from connstat_sql.shell.completion.completer import KnowingCompleter

__all__ = ["KnowingCompleter"]
