"""Where something is in a body, as YAML says it → a path."""

from __future__ import annotations

from connstat_sql.definitions import KEY, Path
from connstat_sql.loader.documents import PathText


def path_of(text: PathText) -> Path:
    """`a.b` → ("a", "b"); `$` → (); `$key` → the key of a map; a list is taken as it is."""
    if isinstance(text, list):
        return tuple(text)
    if text in ("$", ""):
        return ()
    return KEY if text == "$key" else tuple(text.removeprefix("$.").split("."))
