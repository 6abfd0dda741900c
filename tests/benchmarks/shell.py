"""The shell's start: seconds from the process to a prompt that stands, in a pseudo-terminal."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.terminal import Terminal

PROMPT = b"connstat>"


def to_prompt() -> float:
    """Seconds until the first prompt of a shell without configuration."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "CONNSTAT_HISTORY": str(Path(home) / "history")}
        started = time.perf_counter()
        with Terminal("-m", "connstat_sql", environment=environment) as terminal:
            terminal.wait_until(lambda: PROMPT in terminal.written, "a prompt")
            return time.perf_counter() - started


def to_first_answer() -> float:
    """Seconds until the answer to a statement that is typed as soon as the prompt stands."""
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        with Terminal("-m", "connstat_sql", environment={"HOME": home}) as terminal:
            terminal.wait_until(lambda: PROMPT in terminal.written, "a prompt")
            terminal.enter("SELECT 1 AS one;")
            terminal.wait_for("1 row")
            return time.perf_counter() - started


def back_after_interrupt(slow: str, home: Path) -> float:
    """Seconds from Ctrl-C during a statement to the next prompt."""
    with Terminal("-m", "connstat_sql", environment={"HOME": str(home)}) as terminal:
        terminal.wait_until(lambda: PROMPT in terminal.written, "a prompt")
        terminal.enter(slow)
        terminal.wait_for("0 requests, 0 rows")
        prompts = terminal.written.count(PROMPT)
        started = time.perf_counter()
        terminal.press("ctrl-c")
        terminal.wait_until(lambda: terminal.written.count(PROMPT) > prompts, "a prompt")
        return time.perf_counter() - started
