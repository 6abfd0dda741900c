"""The prompt at its keys: handed an input, an output and a completion that take their time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from connstat_sql.shell.prompt import Prompt, is_short

PATIENCE = 30.0


@dataclass
class Slow(Completer):
    """Offers words once it is let go; `heard` says which texts it was asked for, and how."""

    words: tuple[str, ...] = ("connectors",)
    go: threading.Event = field(default_factory=threading.Event)
    heard: list[tuple[str, bool]] = field(default_factory=list)
    on_heard: Callable[[str, bool], None] = lambda _text, _is_requested: None

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        said = (document.text, complete_event.completion_requested)
        self.heard.append(said)
        self.on_heard(*said)
        assert self.go.wait(PATIENCE)
        word = document.text.rpartition(" ")[2]
        for one in self.words:
            if one.startswith(word):
                yield Completion(one, -len(word))


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


def prompt_of(
    completer: Completer | None,
    on_first: Callable[[], None] = lambda: None,
    edit: Callable[[str], str | None] = lambda _: None,
) -> Prompt:
    prompt = Prompt(
        InMemoryHistory(["SELECT 'before';"]),
        {},
        mark=lambda: "",
        toolbar=lambda: [("", "")],
        is_looking_up=lambda: False,
        stop=lambda: None,
        edit=edit,
        on_first=on_first,
    )
    if completer is not None:
        prompt.completer = completer
    return prompt


@contextmanager
def pressing(
    keys: PipeInput, text: str, when: Callable[[], bool], act: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Press keys as soon as something holds; Ctrl-C where it never does."""
    is_over = threading.Event()

    def press() -> None:
        deadline = time.monotonic() + PATIENCE
        while not when():
            if is_over.wait(0.01):
                return
            if time.monotonic() > deadline:
                keys.send_text("\x03")
                return
        act()
        keys.send_text(text)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_tab_pressed_while_the_menu_is_still_sought_is_not_lost(keys: PipeInput) -> None:
    slow = Slow()

    def heard(_text: str, is_requested: bool) -> None:
        if not is_requested and not slow.go.is_set():
            keys.send_text("\t")
            slow.go.set()

    slow.on_heard = heard
    prompt = prompt_of(slow)
    keys.send_text("FROM conn")
    with pressing(keys, ";\r", lambda: prompt.text.endswith("connectors")):
        assert prompt.ask() == "FROM connectors;"


def test_what_was_written_before_there_was_a_completion_gets_its_menu(keys: PipeInput) -> None:
    late = Slow()
    late.go.set()
    prompt = prompt_of(None)

    def opened() -> None:
        prompt.completer = late
        prompt.warm()

    keys.send_text("FROM conn")
    with (
        pressing(keys, "", lambda: prompt.text == "FROM conn", opened),
        pressing(keys, "\x1b\r", lambda: prompt.has_menu),
    ):
        assert prompt.ask() == "FROM conn"
    assert ("FROM conn", False) in late.heard


def test_a_search_that_began_before_there_was_a_completion_is_no_reason_for_none(
    keys: PipeInput,
) -> None:
    early, late = Slow(words=()), Slow()
    late.go.set()
    prompt = prompt_of(early)

    def opened() -> None:
        prompt.completer = late
        prompt.warm()
        early.go.set()

    keys.send_text("FROM conn")
    with (
        pressing(keys, "", lambda: ("FROM conn", False) in early.heard, opened),
        pressing(keys, "\x1b\r", lambda: prompt.has_menu),
    ):
        assert prompt.ask() == "FROM conn"


def test_up_goes_to_the_history_where_a_menu_has_opened_by_itself(keys: PipeInput) -> None:
    slow = Slow(words=("x", "xx"))
    slow.go.set()
    prompt = prompt_of(slow)
    keys.send_text("x")
    with pressing(keys, "\x1b[A\x1b[A\r", lambda: prompt.has_menu):
        assert prompt.ask() == "SELECT 'before';"


def test_a_huge_text_is_left_in_peace() -> None:
    assert is_short("SELECT 1")
    assert not is_short("SELECT 1, " * 10_000)


class Closing(Completer):
    """Offers one value, with the quote that closes it."""

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        word = document.text.rpartition("'")[2]
        if complete_event.completion_requested and document.text.count("'") == 1:
            yield Completion("WELL'", -len(word))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("health = 'W\t';", "health = 'WELL';"),  # the completion has closed it, and so do fingers
        ("health = '';", "health = '';"),
        ("health = 'it''s';", "health = 'it''s';"),
        ("health = 'a' OR 'b';", "health = 'a' OR 'b';"),
    ],
)
def test_a_quote_that_a_completion_has_closed_is_not_closed_again(
    keys: PipeInput, typed: str, text: str
) -> None:
    prompt = prompt_of(Closing())
    before, tab, after = typed.partition("\t")
    until = f"{before[:-1]}WELL'" if tab else before
    rest = after if tab else ""
    keys.send_text(before + tab)
    with pressing(keys, f"{rest}\r", when=lambda: prompt.text == until):
        assert prompt.ask() == text


@pytest.mark.parametrize(("mode", "pressed"), [("emacs", "\x18\x05"), ("vi", "\x1bv")])
def test_an_editor_has_what_is_written_and_gives_it_back(
    keys: PipeInput, mode: str, pressed: str
) -> None:
    prompt = prompt_of(None, edit=lambda text: f"{text} + 41;")
    prompt.use_keys(mode)
    keys.send_text(f"SELECT 1{pressed}")
    with pressing(keys, "\x1b\r", lambda: prompt.text == "SELECT 1 + 41;"):
        assert prompt.ask() == "SELECT 1 + 41;"


def test_an_editor_that_gives_nothing_back_leaves_what_is_written(keys: PipeInput) -> None:
    edited: list[str] = []
    prompt = prompt_of(None, edit=edited.append)
    keys.send_text("SELECT 2\x18\x05")
    with pressing(keys, ";\r", lambda: edited == ["SELECT 2"]):
        assert prompt.ask() == "SELECT 2;"
