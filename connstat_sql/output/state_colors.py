"""What columns tell: a name, a reason, a state, and what a state means: good, bad, worth a look."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Tone(Enum):
    """How a state looks; the value is its name in a page, `ansi` its colour in a terminal."""

    GOOD = "good"
    BAD = "bad"
    ODD = "odd"

    @property
    def ansi(self) -> str:
        """What switches a terminal to the colour."""
        return {"good": "\033[32m", "bad": "\033[1;31m", "odd": "\033[33m"}[self.value]


RESET = "\033[0m"
_GOOD = (
    "RUNNING HEALTHY OK ACTIVE READY UP CONNECTED ENABLED SUCCESS COMPLETE COMPLETED PROVISIONED"
)
_BAD = "FAILED UNHEALTHY ERROR DOWN BROKEN UNREACHABLE CRITICAL FAILURE DEAD"
_ODD = (
    "DEGRADED PAUSED STOPPED RESTARTING UNASSIGNED UNKNOWN PROVISIONING DELETING DELETED DESTROYED "
    "NOT_INSTALLED TRANSITION INACTIVE CREATING UPDATING PENDING PARTIAL WARNING DISCONNECTED "
    "DISABLED SUSPENDED NONE"
)
_TONES = {
    word: tone
    for words, tone in ((_GOOD, Tone.GOOD), (_BAD, Tone.BAD), (_ODD, Tone.ODD))
    for word in words.split()
}
_STATES = re.compile(r"(?:.*_)?(?:state|status|health)", re.IGNORECASE)
_NAMES = re.compile(r"(?:.*_)?name|table|connector|query", re.IGNORECASE)
_REASONS = re.compile(
    r"(?:.*_)?(?:cause|error|error_summary|reason|message|why|command)|external_url", re.IGNORECASE
)
_INSIDE = re.compile(
    r"""((?:^[\s-]*|['"])\w*(?:state|status|health)['"]?: ?['"]?)(\w+)""", re.IGNORECASE
)


def tells_state(column: str) -> bool:
    """Whether a column of that name holds states."""
    return _STATES.fullmatch(column) is not None


def tells_name(column: str) -> bool:
    """Whether a column of that name says what a row is about."""
    return _NAMES.fullmatch(column) is not None


def tells_reason(column: str) -> bool:
    """Whether a column of that name says why something is so, or what to do about it."""
    return _REASONS.fullmatch(column) is not None


@lru_cache(maxsize=4096)
def tone_of(state: str) -> Tone | None:
    """What a state means, also one with its type before it (`STATE_READY`); None: no state."""
    word = state.strip().upper()
    return _TONES.get(word) or _TONES.get(word.rpartition("STATE_")[2])


def colored(text: str) -> str:
    """A drawn state, perhaps with blanks around, in its colour."""
    tone = tone_of(text)
    return f"{tone.ansi}{text}{RESET}" if tone else text


def colored_inside(text: str) -> str:
    """Text of a nested value, its fields that hold states in colour."""
    return _INSIDE.sub(lambda match: match[1] + colored(match[2]), text)
