"""Lines that are commands of the shell → candidates: names, and what the arguments may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connstat_sql.saved import SavedParam, SavedQuery
from connstat_sql.shell.completion.ranking import Candidate, ranked

_LINE = re.compile(r"\s*(?P<name>[.\\][\w.?+-]*)(?P<rest>\s.*)?", re.DOTALL)
_MOST_FILES = 1000


class CommandSyntax(Protocol):
    """A command as the shell declares it."""

    @property
    def name(self) -> str:
        """What calls it."""

    @property
    def usage(self) -> str:
        """Its arguments."""

    @property
    def help(self) -> str:
        """What it does, in a line."""

    @property
    def takes(self) -> str:
        """What its argument is."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names."""

    @property
    def choices(self) -> tuple[str, ...]:
        """Words that the argument may be, where it is one of some."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command that is being typed: its name, where that begins, and what stands behind it.

    `rest` is None while the name itself is typed.
    """

    name: str
    start: int
    rest: str | None


def command_line(text: str) -> Line | None:
    """The command in a text before the cursor, or None: it is SQL."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    rest = found["rest"]
    if rest is None:
        return Line(found["name"], found.start("name"), None)
    return Line(found["name"], found.start("name"), rest[1:])


def command_names(commands: Mapping[str, CommandSyntax], word: str) -> list[Candidate]:
    """Commands that begin like a word, by the names of that kind: `.` or a backslash."""
    found = []
    for one in commands.values():
        for name in dict.fromkeys((one.name, *one.aliases)):
            if name[:1] == word[:1]:
                shown = f"{name} {one.usage}".rstrip()
                found.append(Candidate(name, shown, one.help, (name, name[1:])))
    begun = [one for one in found if one.text.startswith(word.lower())]
    return ranked(begun or found, word[1:])


def words_alone(commands: Mapping[str, CommandSyntax], word: str) -> list[Candidate]:
    """Commands that are plain words, such as `quit`, once a letter of one is there."""
    begun = word.lower()
    return [
        Candidate(name, name, one.help, (name,))
        for one in commands.values()
        for name in one.aliases
        if begun and name.isalpha() and name.startswith(begun)
    ]


def find(commands: Mapping[str, CommandSyntax], name: str) -> CommandSyntax | None:
    """The command of that name, or None."""
    lower = name.lower()
    return next(
        (one for one in commands.values() if lower in (one.name.lower(), *one.aliases)), None
    )


def words(choices: Iterable[str], word: str, meta: str = "") -> list[Candidate]:
    """Some words, those that fit."""
    return ranked((Candidate(one, one, meta, (one,)) for one in choices), word)


# --- saved queries --------------------------------------------------------------------------------


def saved_names(saved: Iterable[object], word: str) -> list[Candidate]:
    """Names of saved queries, with their titles where they are known."""
    found = []
    for one in saved:
        name = one.name if isinstance(one, SavedQuery) else str(one)
        title = one.title if isinstance(one, SavedQuery) else "saved query"
        found.append(Candidate(name, name, title, (name,)))
    return ranked(found, word)


def saved_params(query: SavedQuery, given: Iterable[str], word: str) -> list[Candidate]:
    """Parameters of a saved query that are not given yet."""
    names = set(given)
    found = (
        Candidate(f"{one.name}=", one.name, _about(one), (one.name,), 0 if one.is_required else 5)
        for one in query.params
        if one.name not in names
    )
    return ranked(found, word)


def saved_values(param: SavedParam, known: Iterable[Candidate], word: str) -> list[Candidate]:
    """Values for a parameter of a saved query."""
    own = [Candidate(value, value, "allowed", (value,), -5) for value in param.allowed]
    if param.default is not None and param.default not in param.allowed:
        own.append(Candidate(param.default, param.default, "default", (param.default,), -4))
    return ranked([*own, *known], word)


def _about(one: SavedParam) -> str:
    start = "required" if one.is_required else ""
    default = f"default {one.default}" if one.default is not None else ""
    return " · ".join(part for part in (start, one.type, default, one.description) if part)


# --- files ----------------------------------------------------------------------------------------


def files(word: str, here: Path) -> list[Candidate]:
    """Files and folders whose path begins like a word, from a working directory."""
    folder, _, name = word.rpartition("/")
    base = here / Path(f"{folder}/" if word.startswith("/") and not folder else folder).expanduser()
    prefix = f"{folder}/" if "/" in word else ""
    return ranked(_listed(base, prefix, is_hidden=name.startswith(".")), name)


def _listed(base: Path, prefix: str, *, is_hidden: bool) -> Iterator[Candidate]:
    try:
        found = sorted(base.iterdir())[:_MOST_FILES]
    except OSError:
        return
    for path in found:
        if is_hidden or not path.name.startswith("."):
            shown = path.name + ("/" if path.is_dir() else "")
            yield Candidate(prefix + shown, shown, "", (path.name,))
