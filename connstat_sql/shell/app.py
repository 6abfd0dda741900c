"""The shell on a terminal: ask, run, show, and again, until its user leaves."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Protocol

from connstat_sql import __version__
from connstat_sql.errors import counted
from connstat_sql.output.stderr import DONE, INTERRUPTED
from connstat_sql.shell.commands import COMMANDS, WORDS_ALONE, perform
from connstat_sql.shell.script import is_blank, is_command, is_ended, read_script
from connstat_sql.shell.session import Next, Shell, ShellContext, Step, duration

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from connstat_sql.engine import Engine
    from connstat_sql.shell.prompt import Prompt

HINT = (
    "SHOW PROVIDERS;  and  .tables  tell what there is; Tab completes names, values.",
    "A statement ends with ;  and Ctrl-C stops it. The bottom line says how it went.",
)
HOW_TO_BEGIN = "Nothing configured yet?  connstat demo  shows it work, connstat doctor  helps."


class LineReader(Protocol):
    """Where lines come from."""

    def ask(self, text: str = "") -> str:
        """One text. Raises KeyboardInterrupt or EOFError."""

    def use_keys(self, name: str) -> None:
        """Keys as in `vi` or `emacs`."""


def run_shell(context: ShellContext, *, is_simple: bool) -> int:
    """The shell until its user leaves; 0. `is_simple`: the terminal can do no more than print."""
    shell = Shell(context, is_interactive=True)
    reader: LineReader = Lines(shell) if is_simple else _prompt(shell)
    try:
        _loop(shell, reader)
    finally:
        shell.close()
    return DONE


def _loop(shell: Shell, reader: LineReader) -> None:
    text = ""
    while True:
        try:
            line = reader.ask(text)
        except KeyboardInterrupt:
            text = ""
            continue
        except EOFError:
            return
        text = ""
        steps: list[Next] = []
        shell.attempt(partial(_do, shell, line, steps))
        for step in steps:
            if step.step is Step.LEAVE:
                return
            if step.step is Step.KEYS:
                reader.use_keys(step.text)
            if step.step is Step.WRITE:
                text = step.text


def _do(shell: Shell, line: str, steps: list[Next]) -> None:
    """Run what was written; what is left to do after it is added to `steps`."""
    if is_blank(line):
        return
    if not is_command(line) and line.strip().rstrip(";").lower() not in WORDS_ALONE:
        shell.run(line)
        return
    step = perform(line, shell)
    if step is not None and step.step is Step.READ:
        from pathlib import Path

        read_script(shell, Path(step.text))
    elif step is not None:
        steps.append(step)


# --- a terminal that can do no more than print ------------------------------------------------


class Lines:
    """Asks line by line, with nothing but a prompt."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        shell.narrator.say(banner())

    def ask(self, text: str = "") -> str:
        """Lines up to the end of a statement; a command is a line of its own."""
        gathered = [text] if text else []
        while True:
            mark = "      ...> " if gathered else f"connstat{self._shell.transaction}> "
            gathered.append(input(mark))
            whole = "\n".join(gathered)
            if len(gathered) == 1 and (is_command(whole) or whole.strip() in WORDS_ALONE):
                return whole
            if is_ended(whole) or is_blank(whole):
                return whole

    def use_keys(self, name: str) -> None:
        """There are none to choose here."""


# --- the prompt ----------------------------------------------------------------------------------


def _prompt(shell: Shell) -> Prompt:
    """The prompt; what takes time to import begins once it stands."""
    from prompt_toolkit.history import History, InMemoryHistory

    from connstat_sql.shell.history import DiskHistory, history_file
    from connstat_sql.shell.prompt import Prompt

    path = history_file(shell.context.environment)
    is_first = path is not None and not path.exists()
    history: History = InMemoryHistory()
    if path is not None:
        history = DiskHistory(path, lambda text: shell.narrator.say(f"note: {text}"), time.time)
    hint = HINT if shell.context.has_connections else (*HINT, HOW_TO_BEGIN)
    shell.narrator.say("\n".join((banner(), *(hint if is_first else ()))))
    prompt = Prompt(
        history,
        shell.context.environment,
        mark=lambda: shell.transaction,
        toolbar=lambda: toolbar(shell),
        is_looking_up=lambda: _is_held(shell),
        stop=lambda: _interrupt(shell),
        edit=lambda text: _edited(shell, text),
        on_first=lambda: shell.engine.begin(prompt.warm, partial(_teach, prompt, shell)),
    )
    return prompt


def _edited(shell: Shell, text: str) -> str | None:
    """What the user makes of a text in an editor; None, once it has been told, where nothing."""
    from connstat_sql.shell.file_commands import edited

    texts: list[str] = []
    shell.attempt(lambda: texts.append(edited(shell, text)))
    return texts[0] if texts else None


def banner() -> str:
    """The line above the first prompt."""
    return f"connstat {__version__}  .help lists the commands, Ctrl-D leaves"


def _is_held(shell: Shell) -> bool:
    """Whether another thread uses the engine."""
    if shell.lock.acquire(blocking=False):
        shell.lock.release()
        return False
    return True


def _interrupt(shell: Shell) -> None:
    engine = shell.engine.ready()
    if engine is not None:
        engine.interrupt()


def _teach(prompt: Prompt, shell: Shell, engine: Engine) -> None:
    """Colours and completion, once there is an engine; on the worker that opened it.

    Completion first: the values of the first statement are to be remembered.
    """
    from connstat_sql.shell.completion import KnowingCompleter
    from connstat_sql.shell.highlighting import words_of

    prompt.completer = completer = KnowingCompleter(
        shell.engine.ready, shell.lock, shell.saved, COMMANDS, worker=shell.worker
    )
    completer.learner.known()
    keywords, functions = words_of(engine)
    prompt.colors.learn(keywords, functions, shell.words)


# --- the line at the bottom ----------------------------------------------------------------------


def toolbar(shell: Shell) -> StyleAndTextTuples:
    """Connections, and what the last statement came to."""
    parts: list[tuple[str, str]] = [("", _connections(shell))]
    last = shell.last
    if shell.code != DONE and last is None:
        word = "interrupted" if shell.code == INTERRUPTED else "failed"
        parts.append(("class:bottom-toolbar.bad", word))
    if last is not None:
        is_complete = last.complete
        style = "class:bottom-toolbar.good" if is_complete else "class:bottom-toolbar.bad"
        parts.append((style, "complete" if is_complete else "partial"))
        rows = f"{counted(last.table.num_rows, 'row')}, " if last.has_rows else ""
        cost = f"{rows}{counted(last.requests, 'request')}, {duration(last.seconds)}"
        parts.append(("", cost))
    if shell.settings.output is not None:
        parts.append(("", f"to {shell.settings.output.name}"))
    if shell.transaction:
        parts.append(("", "in a transaction" if shell.transaction == "*" else "ROLLBACK is due"))
    shown: StyleAndTextTuples = []
    for style, text in parts:
        shown += [("", "  |  " if shown else ""), (style, text)]
    return shown


def _connections(shell: Shell) -> str:
    if shell.engine.ready() is None:
        return "opening ..." if shell.engine.is_opening else "not opened"
    known, reached = shell.known_connections, shell.narrator.reached
    if not known:
        return "no connection"
    lost = [name for name in known if reached.get(name) is False]
    text = f"{sum(reached.get(name, False) for name in known)} of "
    text += f"{counted(len(known), 'connection')} reached"
    return text + (f", not {', '.join(lost)}" if lost else "")
