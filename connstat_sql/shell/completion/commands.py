"""Lines that are commands of the shell → candidates: names, and what the arguments may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connstat_sql.saved import SavedParam, SavedQuery
from connstat_sql.shell.completion.ranking import Candidate, ranked

if TYPE_CHECKING:
    from connstat_sql.shell.commands import ShellCommand

_LINE = re.compile(r"\s*(?P<name>[.\\][\w.?+-]*)(?P<rest>\s.*)?", re.DOTALL)
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A command that is being typed: its name, where that begins, and what stands behind it.

    `rest` is None while the name itself is typed.
    """

    name: str
    start: int
    rest: str | None


def command_line(text: str) -> Line | None:
    """The command in a text before the cursor, or None: it is SQL.

    >>> command_line(" .run fail")
    Line(name='.run', start=1, rest='fail')
    >>> command_line("SELECT 1") is None
    True
    """
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    rest = match["rest"]
    if rest is None:
        return Line(match["name"], match.start("name"), None)
    return Line(match["name"], match.start("name"), rest[1:])


def command_names(commands: Mapping[str, ShellCommand], word: str) -> list[Candidate]:
    """Commands that begin like a word, by the names of that kind: `.` or a backslash."""
    candidates = []
    for command in commands.values():
        for name in dict.fromkeys((command.name, *command.aliases)):
            if name[:1] == word[:1]:
                shown = f"{name} {command.usage}".rstrip()
                candidates.append(Candidate(name, shown, command.help, (name, name[1:])))
    begun = [candidate for candidate in candidates if candidate.text.startswith(word.lower())]
    return ranked(begun or candidates, word[1:])


def words_alone(commands: Mapping[str, ShellCommand], word: str) -> list[Candidate]:
    """Commands that are plain words, such as `quit`, once a letter of one is there."""
    begun = word.lower()
    return [
        Candidate(name, name, command.help, (name,))
        for command in commands.values()
        for name in command.aliases
        if begun and name.isalpha() and name.startswith(begun)
    ]


def find(commands: Mapping[str, ShellCommand], name: str) -> ShellCommand | None:
    """The command of that name, or None."""
    lower = name.lower()
    return next(
        (
            command
            for command in commands.values()
            if lower in (command.name.lower(), *command.aliases)
        ),
        None,
    )


def words(choices: Iterable[str], word: str, meta: str = "") -> list[Candidate]:
    """Some words, those that fit."""
    return ranked((Candidate(choice, choice, meta, (choice,)) for choice in choices), word)


# --- saved queries --------------------------------------------------------------------------------


def saved_names(saved: Iterable[SavedQuery], word: str) -> list[Candidate]:
    """Names of saved queries, with their titles."""
    names = (Candidate(query.name, query.name, query.title, (query.name,)) for query in saved)
    return ranked(names, word)


def saved_params(query: SavedQuery, used: Iterable[str], word: str) -> list[Candidate]:
    """Parameters of a saved query that are not given yet."""
    names = set(used)
    candidates = (
        Candidate(
            f"{param.name}=", param.name, _about(param), (param.name,),
            weight=0 if param.is_required else 5,
        )
        for param in query.params
        if param.name not in names
    )  # fmt: skip
    return ranked(candidates, word)


def saved_values(param: SavedParam, known: Iterable[Candidate], word: str) -> list[Candidate]:
    """Values for a parameter of a saved query."""
    own = [Candidate(value, value, "allowed", (value,), -5) for value in param.allowed]
    if param.default is not None and param.default not in param.allowed:
        own.append(Candidate(param.default, param.default, "default", (param.default,), -4))
    return ranked([*own, *known], word)


def _about(param: SavedParam) -> str:
    start = "required" if param.is_required else ""
    default = f"default {param.default}" if param.default is not None else ""
    return " · ".join(part for part in (start, param.type, default, param.description) if part)


# --- files ----------------------------------------------------------------------------------------


def files(word: str, here: Path) -> list[Candidate]:
    """Files and folders whose path begins like a word, from a working directory."""
    folder, _, name = word.rpartition("/")
    base = here / Path(f"{folder}/" if word.startswith("/") and not folder else folder).expanduser()
    prefix = f"{folder}/" if "/" in word else ""
    return ranked(_listed(base, prefix, is_hidden=name.startswith(".")), name)


def _listed(base: Path, prefix: str, *, is_hidden: bool) -> Iterator[Candidate]:
    try:
        paths = sorted(base.iterdir())[:_MOST_FILES]
    except OSError:
        return
    for path in paths:
        if is_hidden or not path.name.startswith("."):
            shown = path.name + ("/" if path.is_dir() else "")
            yield Candidate(prefix + shown, shown, "", (path.name,))
