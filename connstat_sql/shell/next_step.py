"""What whoever reads lines is to do after a command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """What comes next."""

    LEAVE = "leave the shell"
    READ = "run the script that is given"
    WRITE = "let the user go on writing the text that is given"
    KEYS = "use the keys of the editor that is given"


@dataclass(frozen=True, slots=True)
class Next:
    """A step, with the text or the name of a file that it needs."""

    step: Step
    text: str = ""
