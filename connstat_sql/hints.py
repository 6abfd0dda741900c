"""Hints in the words of whoever reads them: they are written in those of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connstat_sql.errors import ConnstatError

_OPTION = re.compile(
    r"--(?P<number>max-requests|deadline|timeout|connect-timeout|max-age)(?: (?P<value>[\d.]+))?"
    r"|--(?P<switch>partial|strict|reveal|sandboxed)|--(?P<text>config)"
    r"|-p (?P<name>\w+)=VALUE"
)


def in_python(hint: str) -> str:
    """A hint for whoever calls a function.

    >>> in_python("raise it with  --max-requests 5000")
    'raise it with  max_requests=5000'
    """
    return _OPTION.sub(_as_argument, hint)


def in_shell(hint: str) -> str:
    """A hint for whoever types into the shell, which has commands for some of the options.

    >>> in_shell("raise it with  --max-requests 5000")
    'raise it with  .max-requests 5000'
    """
    return _OPTION.sub(_as_command, hint)


@contextmanager
def worded(words: Callable[[str], str]) -> Iterator[None]:
    """Errors that pass have their hints in other words."""
    try:
        yield
    except ConnstatError as error:
        error.hint = words(error.hint)
        raise


def _as_argument(match: re.Match[str]) -> str:
    if match["number"]:
        name = match["number"].replace("-", "_")
        return f"{name}={match['value']}" if match["value"] else name
    if match["switch"]:
        return f"{match['switch']}=True"
    return "config=" if match["text"] else f'{{"{match["name"]}": VALUE}}'


def _as_command(match: re.Match[str]) -> str:
    if match["number"] in ("max-requests", "max-age"):
        return f".{match['number']} {match['value'] or ''}".rstrip()
    if match["switch"] == "partial":
        return ".partial on"
    return "write it in the place of the name" if match["name"] else match[0]
