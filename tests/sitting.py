"""The shell in a pseudo-terminal over the sandbox, and what it is to stand at its prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connstat_sql.demo import DemoServers
from tests.terminal import Terminal
from tests.unit.cli.test_cli import toml_of

PROMPT = "connstat>"


def home_at(folder: Path, sandbox: DemoServers) -> Path:
    """A home with a configuration of the sandbox."""
    text = toml_of(sandbox.connections)
    (folder / "connstat.toml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def shell(
    home: Path, *, columns: int = 100, rows: int = 30, **environment: str
) -> Iterator[Terminal]:
    """The shell, standing at its first prompt."""
    around = {"HOME": str(home), **environment}
    with Terminal("-m", "connstat_sql", environment=around, columns=columns, rows=rows) as terminal:
        terminal.wait_for(PROMPT)
        yield terminal


def at_prompt(terminal: Terminal, prompt: str = PROMPT) -> None:
    """Wait until nothing stands behind the prompt that the cursor is at."""
    terminal.wait_until(
        lambda: terminal.lines[terminal.cursor[0]] == prompt, f"an empty prompt {prompt}"
    )


def press_until(terminal: Terminal, key: str, holds: Callable[[], bool]) -> None:
    """Press a key again and again: it is not taken while the completion is at work."""
    presses = 0

    def pressed() -> bool:
        nonlocal presses
        if holds():
            return True
        presses += 1
        if presses % 10 == 1:
            terminal.press(key)
        return False

    terminal.wait_until(pressed, "what the key does")


def history_of(home: Path) -> str:
    return (home / ".local" / "state" / "connstat" / "history").read_text(encoding="utf-8")
