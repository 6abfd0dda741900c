"""How this very program is called again, for commands that are printed to be pasted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from connstat_sql.extras import python, typed

NAME = "connstat"


def program(called: str = "", here: Path | None = None, search: str | None = None) -> str:
    """The command that runs this program, quoted for a shell.

    `called` is how it was called this time ("": as `sys.argv` says), `here` the working directory
    and `search` where commands are looked for (None: those of the process).
    """
    file = Path(called or next(iter(sys.argv), ""))
    if file.stem.lower() != NAME or not file.is_file():
        return f"{python()} -m connstat_sql"
    on_path = shutil.which(NAME, path=search)
    if on_path is not None and Path(on_path).absolute() == file.absolute():
        return NAME
    return typed(file, here)
