"""Where something is in a body, as YAML says it → a path, and what is no path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connstat_sql.definitions.loader.documents import PathText
from connstat_sql.definitions.model import KEY, Path

_ELEMENT = re.compile(r"\[(\d+)\]|\.(\d+)(?=\.|$)")


def path_of(text: PathText) -> Path:
    """`a.b` → ("a", "b"); `$` → (); `$key` → the key of a map; a list is taken as it is."""
    if isinstance(text, list):
        return tuple(text)
    if text in ("$", ""):
        return ()
    return KEY if text == "$key" else tuple(text.removeprefix("$.").split("."))


def path_faults(text: PathText, *, of_row: bool = False) -> Iterator[tuple[str, str]]:
    """Why a text is no path, in the ways of other languages, with what to write instead.

    Those `of_row` lead to columns, for which no element of an array is taken.
    """
    if isinstance(text, list):
        return
    plain = text.removeprefix("$.")
    shown = f"`{text}` is no path"
    if "[*]" in text or "[]" in text:
        yield f"{shown}: it leads to an array as a whole", re.sub(r"\[\*?\]", "", plain)
    elif "[-1]" in text or ".-1" in text:
        yield f"{shown}: it leads to a last element", "{last_row: id} for a cursor in the last row"
    elif text.startswith("/") and len(text) > 1:
        yield f"{shown}: a dot is between keys", plain.strip("/").replace("/", ".")
    elif of_row and _ELEMENT.search(plain):
        at = _ELEMENT.search(plain)
        assert at is not None
        number = int(at[1] or at[2]) + 1
        yield (
            f"{shown} of a column, which takes no element of an array",
            f"the array as a column, `{plain[: at.start()]}`, and its element [{number}] in SQL",
        )
    elif _ELEMENT.search(plain) and "[" in plain:
        dotted = _ELEMENT.sub(lambda element: f".{element[1] or element[2]}", plain)
        yield f"{shown}: the number of an element is a key", dotted
