"""How rows are to look, and what there is to tell beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal


@dataclass(frozen=True, slots=True)
class TerminalStyle:
    """What the place can show to which rows are written.

    `width` and `height` are the terminal's, in cells and lines; None: it is no terminal, and
    nothing is shortened. `color` allows ANSI colours. `ascii` says that nothing but ASCII can be
    shown. `expanded` writes a line for each value (`"auto"`: where a table would not fit the
    width). `whole` is what the reader types to see values in full, told where some are not.
    `footer` counts the rows below a table, and says how to see what is cut; columns that are left
    out are told without it too.
    """

    width: int | None = None
    height: int | None = None
    color: bool = False
    ascii: bool = False
    expanded: Literal["auto"] | bool = "auto"
    whole: str = r"\x"
    footer: bool = True

    @property
    def is_terminal(self) -> bool:
        """Whether somebody looks at it, on a screen that control characters could change."""
        return self.width is not None

    @classmethod
    def of(cls, out: IO[Any], environment: Mapping[str, str]) -> TerminalStyle:
        """What a stream can show: a terminal with its size, colours and letters, or anything."""
        if not out.isatty():
            return cls()
        try:
            size = os.get_terminal_size(out.fileno())
        except (OSError, ValueError):
            size = os.terminal_size((80, 24))
        is_simple = environment.get("TERM") == "dumb"
        return cls(
            size.columns or 80,
            size.lines or 24,
            color=not is_simple and not environment.get("NO_COLOR"),
            ascii=not _speaks_unicode(environment),
            whole="-F vertical",
        )


def _speaks_unicode(environment: Mapping[str, str]) -> bool:
    """By the locale, as `locale` reads it, and by what Python has found out about stdout."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if "utf" not in encoding.lower():
        return False
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "utf-8")
    return "utf" in locale.lower()


@dataclass(frozen=True, slots=True)
class About:
    """What a page tells beside the rows.

    `sql` is the statement and `title` its name ("": none is known). `complete` is the verdict;
    `errors` say what is missing, a line each, `notes` what else there is to know. `seconds` and
    `requests` are what it cost; `at` is when it was asked (None: nobody says).
    """

    sql: str = ""
    complete: bool = True
    seconds: float = 0.0
    requests: int = 0
    at: datetime | None = None
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    title: str = ""
