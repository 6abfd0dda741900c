"""The prompt: one statement or command, as it is written with prompt_toolkit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.application.current import set_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import CompleteEvent, Completer, DummyCompleter, DynamicCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import (
    Condition,
    completion_is_selected,
    emacs_insert_mode,
    emacs_mode,
    has_completions,
    has_focus,
    has_selection,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style

from connstat_sql.shell.commands import WORDS_ALONE
from connstat_sql.shell.highlighting import STYLE, SqlColors
from connstat_sql.shell.script import is_blank, is_command, is_ended
from connstat_sql.shell.session import GRACE

_STYLE = {
    **STYLE,
    "bottom-toolbar": "noreverse ansibrightblack",
    "bottom-toolbar.bad": "ansired",
    "bottom-toolbar.good": "ansigreen",
    "prompt": "bold",
    "auto-suggestion": "ansibrightblack",
}
_LONG = 10_000
"""Characters from which on neither colours nor completion come by themselves: keys are quicker."""
_SOON = 0.02
_VI = re.compile(r"^\s*set\s+editing-mode\s+vi\b", re.MULTILINE)


class Prompt:
    """Asks for one text after the other.

    `mark` is what stands before the `>`; `toolbar` answers the line at the bottom;
    `is_looking_up` says whether the completion uses the engine, and `stop` ends that; `edit` is
    what an editor makes of a text, or None;
    `on_first` is called once the first prompt stands.
    """

    def __init__(
        self,
        history: History,
        environment: Mapping[str, str],
        *,
        mark: Callable[[], str],
        toolbar: Callable[[], StyleAndTextTuples],
        is_looking_up: Callable[[], bool],
        stop: Callable[[], None],
        edit: Callable[[str], str | None],
        on_first: Callable[[], None],
    ) -> None:
        self.colors = SqlColors()
        self.completer: Completer = DummyCompleter()
        self._mark = mark
        self._is_looking_up = is_looking_up
        self._stop = stop
        self._edit = edit
        self._on_first: Callable[[], None] | None = on_first
        self._sought: CompletionState | None = None
        """Of the search that a key has asked for."""
        self._quoted = ""
        """What stood before the cursor when a quote was typed last."""
        is_plain = bool(environment.get("NO_COLOR"))
        self._session: PromptSession[str] = PromptSession(
            self._message,
            history=history,
            lexer=self.colors,
            style=Style.from_dict(_STYLE),
            include_default_pygments_style=False,
            color_depth=ColorDepth.DEPTH_1_BIT if is_plain else None,
            completer=DynamicCompleter(lambda: self.completer),
            complete_in_thread=True,
            complete_while_typing=Condition(lambda: is_short(self.text)),
            auto_suggest=None if is_plain else AutoSuggestFromHistory(),
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=self._keys(),
            bottom_toolbar=lambda: [*toolbar(), *self._how_it_ends()],
            editing_mode=EditingMode.VI if wants_vi(environment) else EditingMode.EMACS,
            enable_suspend=True,
            search_ignore_case=True,
        )
        self._session.app.after_render += self._rendered

    def ask(self, text: str = "") -> str:
        """What is written, beginning with a text. Raises KeyboardInterrupt or EOFError."""
        return self._session.prompt(default=text)

    @property
    def text(self) -> str:
        """What has been written so far."""
        return self._session.default_buffer.text

    @property
    def has_menu(self) -> bool:
        """Whether completions are offered now."""
        state = self._session.default_buffer.complete_state
        return state is not None and bool(state.completions)

    def use_keys(self, name: str) -> None:
        """Keys as in `vi` or `emacs`."""
        self._session.editing_mode = EditingMode.VI if name == "vi" else EditingMode.EMACS

    def warm(self) -> None:
        """There is an engine, or there will be none: look again, and let the completion learn."""
        app = self._session.app
        app.invalidate()
        any(self.completer.get_completions(Document("SELECT "), CompleteEvent()))
        if app.loop is not None:
            with suppress(RuntimeError):  # its prompt has ended
                app.loop.call_soon_threadsafe(self._offer)

    def _offer(self) -> None:
        """The menu, for what was written before there was anything to offer."""
        app, buffer = self._session.app, self._session.default_buffer
        if app.is_running and buffer.text and is_short(buffer.text):
            with set_app(app):
                app.create_background_task(self._seek(buffer, is_asked_for=False))

    def _message(self) -> StyleAndTextTuples:
        return [("class:prompt", f"connstat{self._mark()}> ")]

    def _continuation(self, width: int, _line: int, wraps: int) -> StyleAndTextTuples:
        """Before each further line; not where a long one goes on in the next row."""
        return [("class:prompt", ("" if wraps else "...> ").rjust(width))]

    def _how_it_ends(self) -> StyleAndTextTuples:
        """For the line at the bottom: what Enter alone does not do, once it has been pressed."""
        text = self.text
        is_going_on = "\n" in text and is_short(text) and not is_whole(text)
        return [("", "  |  ; and Enter runs it, Ctrl-C drops it")] if is_going_on else []

    def _rendered(self, _: object) -> None:
        on_first, self._on_first = self._on_first, None
        if on_first is not None:
            on_first()

    def _is_on_last_line(self) -> bool:
        return self._session.default_buffer.document.on_last_line

    # --- keys --------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        is_writing = has_focus(DEFAULT_BUFFER)
        keys.add("enter", filter=is_writing & completion_is_selected)(_take_completion)
        keys.add("enter", filter=is_writing & ~completion_is_selected)(self._enter)
        keys.add("escape", "enter", filter=is_writing)(self._run)
        keys.add("tab", filter=is_writing)(self._complete)
        is_open = is_writing & has_completions & ~completion_is_selected
        keys.add("up", filter=is_open)(_up)
        keys.add("down", filter=is_open & ~Condition(self._is_on_last_line))(_down)
        keys.add("c-c", filter=is_writing)(self._interrupt)
        is_in_editor = is_writing & ~has_selection
        keys.add("c-x", "c-e", filter=is_in_editor & emacs_mode)(self._open_editor)
        keys.add("v", filter=is_in_editor & vi_navigation_mode)(self._open_editor)
        is_typing = is_writing & (emacs_insert_mode | vi_insert_mode)
        for quote in "'\"":
            keys.add(quote, filter=is_typing)(self._quote)
        return keys

    def _open_editor(self, event: KeyPressEvent) -> None:
        """Let an editor have what is written; prompt_toolkit's own way outlives a signal."""
        event.app.create_background_task(self._let_edit(event.current_buffer))

    async def _let_edit(self, buffer: Buffer) -> None:
        text = await run_in_terminal(lambda: self._edit(buffer.text))
        if text is not None:
            buffer.document = Document(text, len(text))

    def _quote(self, event: KeyPressEvent) -> None:
        """A quote; one that a completion has just closed is not closed a second time."""
        buffer = event.current_buffer
        before = buffer.document.text_before_cursor
        is_closed = before.endswith(event.data) and before.count(event.data) % 2 == 0
        if is_closed and before != self._quoted:
            buffer.complete_state = None
        else:
            buffer.insert_text(event.data)
        self._quoted = buffer.document.text_before_cursor

    def _complete(self, event: KeyPressEvent) -> None:
        """Open the menu, or go to the next in it."""
        event.app.create_background_task(self._seek(event.current_buffer, is_asked_for=True))

    async def _seek(self, buffer: Buffer, *, is_asked_for: bool) -> None:
        """Ask for completions, once what was asked for while typing has come to its end.

        There is one search at a time; until it ends, another one would simply not begin. One that
        a key has asked for already is left to it.
        """
        document = buffer.document
        while buffer.document == document:
            state = buffer.complete_state
            if state is not None and state.completions:
                if is_asked_for:
                    buffer.complete_next()
                return
            if state is not None and state is self._sought:
                return
            buffer.complete_state = None
            buffer.start_completion(
                insert_common_part=is_asked_for,
                complete_event=CompleteEvent(
                    text_inserted=not is_asked_for, completion_requested=is_asked_for
                ),
            )
            await asyncio.sleep(0)
            if buffer.complete_state is not None:
                self._sought = buffer.complete_state if is_asked_for else None
                return
            await asyncio.sleep(_SOON)

    def _enter(self, event: KeyPressEvent) -> None:
        if is_whole(event.current_buffer.text):
            self._run(event)
        else:
            event.current_buffer.newline(copy_margin=False)

    def _run(self, event: KeyPressEvent) -> None:
        self._let_go()
        event.current_buffer.validate_and_handle()

    def _interrupt(self, event: KeyPressEvent) -> None:
        self._let_go()
        event.app.exit(exception=KeyboardInterrupt(), style="class:aborting")

    def _let_go(self) -> None:
        """End what the completion looks up and does not end soon: the prompt would wait for it."""
        if self._is_looking_up():
            asyncio.get_running_loop().call_later(GRACE, self._stop_lookup)

    def _stop_lookup(self) -> None:
        if self._is_looking_up():
            self._stop()
            self._let_go()


def is_short(text: str) -> bool:
    """Whether a text may be looked at as a whole at each key press."""
    return len(text) <= _LONG


def is_whole(text: str) -> bool:
    """Whether Enter runs what is written, rather than beginning another line."""
    stripped = text.strip()
    if is_command(text) or stripped.lower() in WORDS_ALONE:
        return True
    return is_blank(text) or is_ended(text)


def wants_vi(environment: Mapping[str, str]) -> bool:
    """Whether the user has told readline to use vi's keys."""
    said = environment.get("INPUTRC") or str(Path(environment.get("HOME", "")) / ".inputrc")
    try:
        return _VI.search(Path(said).read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def _take_completion(event: KeyPressEvent) -> None:
    """The completion stands in the text already; Enter closes the menu."""
    event.current_buffer.complete_state = None


def _up(event: KeyPressEvent) -> None:
    """A menu that opened by itself is no reason to lose the way up: a line, or in the history."""
    event.current_buffer.complete_state = None
    event.current_buffer.auto_up(count=event.arg)


def _down(event: KeyPressEvent) -> None:
    """Down within a text of several lines; in its last one, down goes into the menu."""
    event.current_buffer.complete_state = None
    event.current_buffer.auto_down(count=event.arg)
