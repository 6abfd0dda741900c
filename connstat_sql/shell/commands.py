"""The commands of the shell as a table: `.help` and the completion are made of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from connstat_sql.errors import ConfigError
from connstat_sql.shell import file_commands, inspection_commands, settings
from connstat_sql.shell.session import Next, Shell, Step


class ArgumentKind(str, Enum):
    """What a command's argument is, for whoever completes it."""

    NOTHING = "nothing"
    TABLE = "table"
    PATH = "path"
    FORMAT = "format"
    SAVED = "saved query"
    CHOICE = "choice"
    COMMAND = "command"
    SQL = "sql"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command. `usage` shows its arguments, `help` says in a line what it does.

    `aliases` are its other names; `takes` is what its first argument is, and `choices` are the
    words that it may be where it is one of some.
    """

    name: str
    usage: str
    help: str
    action: Callable[[Shell, str], Next | None]
    takes: ArgumentKind = ArgumentKind.NOTHING
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


_SWITCH = ("on", "off")


def _leave(_shell: Shell, _argument: str) -> Next:
    return Next(Step.LEAVE)


def _help(shell: Shell, argument: str) -> None:
    if argument:
        shell.display.text(described(find(argument if argument[0] in ".\\" else f".{argument}")))
        return
    width = max(len(f"{command.name} {command.usage}") for command in COMMANDS.values())
    lines = [
        f"{f'{command.name} {command.usage}':<{width}}  {command.help}"
        for command in COMMANDS.values()
    ]
    shell.display.text("\n".join((*lines, "", *_KEYS)))


_KEYS = (
    "A statement ends with ; and Enter; Alt-Enter runs it as it stands. Tab completes.",
    "Ctrl-R searches what was typed, Ctrl-C stops a statement, Ctrl-D leaves.",
    "Commands of psql work too: .help COMMAND tells its other names.",
)

_ALL = (
    ShellCommand(
        ".tables", "[PATTERN]", "The tables there are; * and % stand for anything",
        inspection_commands.tables, ArgumentKind.TEXT, ("\\dt", "\\dv"),
    ),
    ShellCommand(
        ".describe", "TABLE", "Columns and parameters of a table",
        inspection_commands.describe, ArgumentKind.TABLE, ("\\d", "\\d+", ".schema", ".desc"),
    ),
    ShellCommand(
        ".explain", "SQL", "Which requests a statement would send; none is sent",
        inspection_commands.explain, ArgumentKind.SQL,
    ),
    ShellCommand(
        ".connections", "", "The connections, and whether they answered",
        inspection_commands.connections, aliases=("\\conninfo", "\\l"),
    ),
    ShellCommand(
        ".errors", "", "The requests that failed in the last partial answer",
        inspection_commands.errors,
    ),
    ShellCommand(
        ".mode", "[FORMAT]", "How rows are shown", settings.mode, ArgumentKind.FORMAT, (".format",)
    ),
    ShellCommand(
        ".expanded", "[on|off|auto]", "A line for each value, or as it fits",
        settings.expanded, ArgumentKind.CHOICE, ("\\x",), (*_SWITCH, "auto"),
    ),
    ShellCommand(
        ".output", "[FILE]", "Rows go to a file; without FILE, to the screen again",
        settings.output, ArgumentKind.PATH, ("\\o",),
    ),
    ShellCommand(
        ".once", "FILE", "Rows of the next statement go to a file",
        settings.once, ArgumentKind.PATH,
    ),
    ShellCommand(
        ".chart", "[FILE]", "The last answer as bars; FILE ends in .svg or .png",
        inspection_commands.chart, ArgumentKind.PATH,
    ),
    ShellCommand(
        ".pager", "[on|off]", "Long answers go through $PAGER",
        settings.switch("pager"), ArgumentKind.CHOICE, choices=_SWITCH,
    ),
    ShellCommand(
        ".timer", "[on|off]", "Rows, requests and time after each statement",
        settings.switch("timer"), ArgumentKind.CHOICE, ("\\timing",), _SWITCH,
    ),
    ShellCommand(
        ".trace", "[on|off]", "Each request as it is answered",
        settings.switch("trace"), ArgumentKind.CHOICE, choices=_SWITCH,
    ),
    ShellCommand(
        ".partial", "[on|off]", "Keep good rows when some requests fail",
        settings.switch("partial"), ArgumentKind.CHOICE, choices=_SWITCH,
    ),
    ShellCommand(
        ".max-requests", "[N]", "Request budget of one statement", settings.max_requests,
        ArgumentKind.TEXT,
    ),
    ShellCommand(
        ".max-age", "[SECONDS|off]", "Accept rows fetched at most so long ago", settings.max_age,
        ArgumentKind.TEXT,
    ),
    ShellCommand(
        ".keys", "[emacs|vi]", "Keys as in Emacs or vi",
        settings.keys, ArgumentKind.CHOICE, choices=("emacs", "vi"),
    ),
    ShellCommand(
        ".saved", "[NAME]", "The saved queries, or one of them in full",
        file_commands.saved, ArgumentKind.SAVED,
    ),
    ShellCommand(
        ".run", "NAME [PARAM=VALUE …]", "Run a saved query", file_commands.run, ArgumentKind.SAVED
    ),
    ShellCommand(
        ".save", "[-f] NAME [TITLE]", "Save the last statement; -f writes over the one there is",
        file_commands.save, ArgumentKind.TEXT,
    ),
    ShellCommand(
        ".read", "FILE", "Run a file of statements and commands",
        file_commands.read, ArgumentKind.PATH, ("\\i",),
    ),
    ShellCommand(
        ".edit", "[FILE]", "The last statement, or a file, in $EDITOR; it comes back to the prompt",
        file_commands.edit, ArgumentKind.PATH, ("\\e",),
    ),
    ShellCommand(
        ".help", "[COMMAND]", "This, or more on one command", _help, ArgumentKind.COMMAND,
        ("\\?", "\\h", "help"),
    ),
    ShellCommand(
        ".quit", "", "Leave; so does Ctrl-D", _leave,
        aliases=(".exit", "\\q", "quit", "exit"),
    ),
)  # fmt: skip

COMMANDS: Mapping[str, ShellCommand] = {command.name: command for command in _ALL}
"""The commands by name, in the order of `.help`."""
BY_WORD: Mapping[str, ShellCommand] = {
    word: command for command in COMMANDS.values() for word in (command.name, *command.aliases)
}
"""The commands by every word that calls them."""
WORDS_ALONE = frozenset(word for word in BY_WORD if word.isalpha())
"""Words that are commands only where nothing else stands in the line."""


def find(word: str) -> ShellCommand:
    """The command a word calls. Raises ConfigError, with the nearest, where there is none."""
    command = BY_WORD.get(word.lower())
    if command is not None:
        return command
    begun = {
        command.name: command for key, command in BY_WORD.items() if key.startswith(word.lower())
    }
    if len(begun) == 1 and len(word) > 2:
        return next(iter(begun.values()))
    close = [*begun, *difflib.get_close_matches(word.lower(), BY_WORD, n=3)]
    hint = f"did you mean  {'  or  '.join(dict.fromkeys(close))}  ?" if close else ""
    raise ConfigError(f"there is no command {word}", hint=hint or ".help lists the commands")


def described(command: ShellCommand) -> str:
    """What there is to tell of a command."""
    lines = [f"{command.name} {command.usage}".rstrip(), f"  {command.help}."]
    if command.choices:
        lines.append(f"  It takes: {', '.join(command.choices)}.")
    if command.aliases:
        lines.append(f"  Also: {'  '.join(command.aliases)}")
    return "\n".join(lines)


def perform(line: str, shell: Shell) -> Next | None:
    """Do what a line says that is a command; what is to come next, if anything.

    Raises a ConnstatError.
    """
    word, _, argument = line.strip().rstrip(";").rstrip().partition(" ")
    return find(word).action(shell, argument.strip())
