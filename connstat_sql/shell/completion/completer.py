"""The completer itself: a document → completions; whatever goes wrong, typing goes on."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from connstat_sql.definitions.model import TableName
from connstat_sql.errors import ConnstatError
from connstat_sql.saved import SavedParam, SavedQueries, SavedQuery
from connstat_sql.shell.background_engine import Worker
from connstat_sql.shell.completion import commands as command_lines
from connstat_sql.shell.completion.context import CompletionPlace, WantedKind, place
from connstat_sql.shell.completion.loader import Learner
from connstat_sql.shell.completion.metadata import KnownField
from connstat_sql.shell.completion.ranking import Candidate
from connstat_sql.shell.completion.suggestions import Candidates
from connstat_sql.shell.completion.values import (
    Lookup,
    LookupResult,
    ObservedValues,
    ValueQuery,
    question,
)

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.shell.commands import ShellCommand

log = logging.getLogger(__name__)
_LONGEST_META = 100
_WORD = re.compile(r"\S*\Z")
_CHOICES = TableName("", "saved", "choices")
"""Under which the choices of saved queries' parameters are remembered; no table is called so."""


class KnowingCompleter(Completer):
    """Completes SQL and commands out of what the engine knows and what was fetched before."""

    def __init__(
        self,
        ready: Callable[[], Engine | None],
        lock: threading.RLock,
        saved: Callable[[], SavedQueries],
        commands: Mapping[str, ShellCommand],
        now: Callable[[], float] = time.monotonic,
        worker: Worker | None = None,
    ) -> None:
        """For prompt_toolkit, to be asked on a thread of its own.

        `ready` gives the engine once it is open, and None before; `lock` is held by whoever uses
        it. `saved` finds the saved queries, `commands` are those of the shell by name, `now` is a
        clock in seconds. It learns on `worker` (None: one of its own).
        """
        self._saved = saved
        self._commands = commands
        self.values = ObservedValues(now)
        self.learner = Learner(ready, lock, self.values, now, worker)
        self._lookup = Lookup(ready, lock, self.values, now)
        self._candidates: Candidates | None = None
        self._requested = ""

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """What may stand at the cursor, the likeliest first."""
        try:
            completions = self._completions(
                document.text, document.cursor_position, complete_event.completion_requested
            )
        except Exception:  # whatever it is: whoever types must not be stopped by it
            log.exception("completion failed")
            return
        yield from completions

    def _completions(self, text: str, cursor: int, is_requested: bool) -> list[Completion]:
        is_again = is_requested and self._requested == text[:cursor]
        self._requested = text[:cursor] if is_requested else ""
        line = command_lines.command_line(text[:cursor])
        if line is not None:
            return self._in_line(line, text, cursor, is_requested)
        return self._in_sql(text, cursor, is_requested, is_again)

    # --- SQL ---------------------------------------------------------------------------------

    def _in_sql(
        self, text: str, cursor: int, is_requested: bool, is_again: bool
    ) -> list[Completion]:
        at = place(text, cursor)
        if at.wanted is WantedKind.FILE:
            return _written(command_lines.files(at.word, Path()), at, cursor)
        if at.wanted is WantedKind.STATEMENT and not at.word and not is_requested:
            return []  # whoever has just ended a statement has no use for a menu
        offers = self._offers()
        candidates = offers.at(at)
        if at.wanted is WantedKind.STATEMENT and text[:cursor].strip() == at.word:
            begun = [
                candidate
                for candidate in candidates
                if candidate.text.lower().startswith(at.word.lower())
            ]
            alone = command_lines.words_alone(self._commands, at.word)
            candidates = [
                *begun,
                *alone,
                *(candidate for candidate in candidates if candidate not in begun),
            ]
        if at.wanted not in (WantedKind.VALUE, WantedKind.MAP_KEY):
            return _written(candidates, at, cursor)
        result = LookupResult()
        listing = question(offers.known, at) if at.wanted is WantedKind.VALUE else None
        if listing is not None and is_requested and (not candidates or is_again):
            result = self._lookup.ask(listing)
            candidates = offers.at(at)
        if listing is not None:
            answer = self._lookup.answer(listing)
            candidates.sort(key=lambda candidate: candidate.text not in answer)
        column = offers.known.resolve(at.compared, at.scope)
        if column is not None:
            candidates = self.values.with_age(candidates, column, is_now=result.is_now)
        return [*_written(candidates, at, cursor), *_hint(result, candidates)]

    def _offers(self) -> Candidates:
        known = self.learner.known()
        if self._candidates is None or self._candidates.known is not known:
            self._candidates = Candidates(known, self.values)
        return self._candidates

    # --- commands ----------------------------------------------------------------------------

    def _in_line(
        self, line: command_lines.Line, text: str, cursor: int, is_requested: bool
    ) -> list[Completion]:
        if line.rest is None:
            names = command_lines.command_names(self._commands, line.name)
            return _plain(names, line.start - cursor)
        command = command_lines.find(self._commands, line.name)
        if command is None:
            return []
        word = _WORD.search(line.rest).group()  # type: ignore[union-attr]
        if command.takes == "sql":
            return self._in_sql(line.rest + text[cursor:], len(line.rest), is_requested, False)
        if command.takes == "table":
            prefix = "DESCRIBE "
            return self._in_sql(prefix + line.rest, len(prefix + line.rest), is_requested, False)
        if command.takes == "saved query":
            return self._in_saved(line.rest, word, is_requested)
        return _plain(self._arguments(command, word), -len(word))

    def _arguments(self, command: ShellCommand, word: str) -> list[Candidate]:
        if command.takes == "path":
            return command_lines.files(word, Path())
        if command.takes == "command":
            return command_lines.words((known.name for known in self._commands.values()), word)
        if command.takes == "format":
            from connstat_sql.output.render import FORMATS

            return command_lines.words(FORMATS, word, "format")
        return command_lines.words(command.choices, word)

    def _in_saved(self, rest: str, word: str, is_requested: bool) -> list[Completion]:
        """`.run NAME param=value`: whichever of the three is being typed."""
        name, _, typed = rest.lstrip().partition(" ")
        if not typed and not rest.endswith(" "):
            return _plain(command_lines.saved_names(self._saved(), word), -len(word))
        try:
            query = self._saved().find(name)
        except ConnstatError:
            return []
        key, equals, value = word.partition("=")
        if not equals:
            used = (pair.partition("=")[0] for pair in typed.split())
            return _plain(command_lines.saved_params(query, used, word), -len(word))
        param = query.param(key)
        return self._saved_values(query, param, value, is_requested) if param is not None else []

    def _saved_values(
        self, query: SavedQuery, param: SavedParam, value: str, is_requested: bool
    ) -> list[Completion]:
        of = KnownField(param.name, table=_CHOICES, path=(query.name, param.name))
        candidates = command_lines.saved_values(param, self.values.candidates(of, value), value)
        result = LookupResult()
        if is_requested and param.choices and not candidates:
            listing = ValueQuery(param.choices.strip().rstrip(";"), _CHOICES, of.path)
            result = self._lookup.ask(listing)
            candidates = command_lines.saved_values(param, self.values.candidates(of, value), value)
        candidates = [
            replace(
                candidate, text=f'"{candidate.text}"' if " " in candidate.text else candidate.text
            )
            for candidate in self.values.with_age(candidates, of, is_now=result.is_now)
        ]
        return [*_plain(candidates, -len(value)), *_hint(result, candidates)]


def _plain(candidates: Iterable[Candidate], start: int) -> list[Completion]:
    return [
        Completion(candidate.text, start, candidate.shown, _meta(candidate))
        for candidate in candidates
    ]


def _written(candidates: Iterable[Candidate], at: CompletionPlace, cursor: int) -> list[Completion]:
    """Completions for a place; what is in quotes gets the closing one, unless it is there."""
    start = at.start - cursor
    if not at.is_quoted:
        return _plain(candidates, start)
    is_text = at.wanted in (WantedKind.VALUE, WantedKind.MAP_KEY, WantedKind.FILE)
    closing = "" if at.is_closed else "'" if is_text else '"'
    return [
        Completion(
            (candidate.text.replace("'", "''") if is_text else candidate.text)
            + ("" if candidate.text.endswith("/") else closing),
            start, candidate.shown, _meta(candidate),
        )
        for candidate in candidates
    ]  # fmt: skip


def _hint(result: LookupResult, candidates: Sequence[Candidate]) -> list[Completion]:
    """What came of a look-up, as lines that insert nothing.

    There are two, as one alone that changes nothing would not be shown; and one beside a value
    that would else be inserted before anybody has read what it cost.
    """
    if result.said:
        next_step = "type the value, or press the key again in a minute"
        lines_ = (result.said, next_step)
        return [Completion("", 0, "", _short(line)) for line in lines_]
    if result.is_now and len(candidates) == 1:
        return [Completion("", 0, "", candidates[0].meta)]
    return []


def _meta(candidate: Candidate) -> str:
    return _short(candidate.meta)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_META else f"{text[: _LONGEST_META - 1]}…"
