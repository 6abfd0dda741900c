"""The prompt: one statement or command, as it is written with prompt_toolkit."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, DummyCompleter, DynamicCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import completion_is_selected, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style

from connstat_sql.repl.commands import WORDS_ALONE
from connstat_sql.repl.highlighting import STYLE, SqlColors
from connstat_sql.repl.shell import GRACE
from connstat_sql.repl.statements import is_blank, is_command, is_ended

_STYLE = {
    **STYLE,
    "bottom-toolbar": "noreverse ansibrightblack",
    "bottom-toolbar.bad": "ansired",
    "bottom-toolbar.good": "ansigreen",
    "prompt": "bold",
    "auto-suggestion": "ansibrightblack",
}
_VI = re.compile(r"^\s*set\s+editing-mode\s+vi\b", re.MULTILINE)


class Prompt:
    """Asks for one text after the other.

    `mark` is what stands before the `>`; `toolbar` answers the line at the bottom;
    `is_looking_up` says whether the completion uses the engine, and `stop` ends that;
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
        on_first: Callable[[], None],
    ) -> None:
        self.colors = SqlColors()
        self.completer: Completer = DummyCompleter()
        self._mark = mark
        self._is_looking_up = is_looking_up
        self._stop = stop
        self._on_first: Callable[[], None] | None = on_first
        self._asked = threading.Event()
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
            complete_while_typing=True,
            auto_suggest=None if is_plain else AutoSuggestFromHistory(),
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=self._keys(),
            bottom_toolbar=toolbar,
            editing_mode=EditingMode.VI if wants_vi(environment) else EditingMode.EMACS,
            enable_open_in_editor=True,
            tempfile_suffix=".sql",
            search_ignore_case=True,
        )
        self._session.app.after_render += self._rendered

    def ask(self, text: str = "") -> str:
        """What is written, beginning with a text. Raises KeyboardInterrupt or EOFError."""
        self._asked.clear()
        try:
            return self._session.prompt(default=text)
        finally:
            self._asked.set()

    def use_keys(self, name: str) -> None:
        """Keys as in `vi` or `emacs`."""
        self._session.editing_mode = EditingMode.VI if name == "vi" else EditingMode.EMACS

    def warm(self) -> None:
        """There is an engine, or there will be none: look again, and let the completion learn."""
        self._session.app.invalidate()
        any(self.completer.get_completions(Document("SELECT "), CompleteEvent()))

    def _message(self) -> StyleAndTextTuples:
        return [("class:prompt", f"connstat{self._mark()}> ")]

    def _continuation(self, width: int, _line: int, wraps: int) -> StyleAndTextTuples:
        """Before each further line; not where a long one goes on in the next row."""
        return [("class:prompt", ("" if wraps else "...> ").rjust(width))]

    def _rendered(self, _: object) -> None:
        on_first, self._on_first = self._on_first, None
        if on_first is not None:
            on_first()

    # --- keys --------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        is_writing = has_focus(DEFAULT_BUFFER)
        keys.add("enter", filter=is_writing & completion_is_selected)(_take_completion)
        keys.add("enter", filter=is_writing & ~completion_is_selected)(self._enter)
        keys.add("escape", "enter", filter=is_writing)(self._run)
        keys.add("tab", filter=is_writing)(_complete)
        keys.add("c-c", filter=is_writing)(self._interrupt)
        return keys

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
        """End what the completion is looking up: the prompt would wait for it."""
        if self._is_looking_up():
            threading.Thread(target=self._stop_lookup, daemon=True).start()

    def _stop_lookup(self) -> None:
        while not self._asked.wait(GRACE) and self._is_looking_up():
            self._stop()


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


def _complete(event: KeyPressEvent) -> None:
    """Open the menu, or go to the next in it."""
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(insert_common_part=True)
