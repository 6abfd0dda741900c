"""Commands that change how the shell is set; without an argument they say how it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connstat_sql.errors import ConfigError
from connstat_sql.output.protected_files import refuse_inputs
from connstat_sql.shell.display import check_writable, writable
from connstat_sql.shell.session import Next, Shell, Step

_ON = {"on": True, "true": True, "1": True, "yes": True}
_OFF = {"off": False, "false": False, "0": False, "no": False}


def mode(shell: Shell, argument: str) -> None:
    """The format of what is shown."""
    from connstat_sql.output.render import BINARY, FORMATS

    if argument:
        names = {"line": "vertical", "markdown": "markdown", "md": "markdown", "box": "table"}
        wanted = names.get(argument.lower(), argument.lower())
        if wanted not in FORMATS:
            raise ConfigError(
                f"there is no format {argument}", hint=f"there is  {', '.join(FORMATS)}"
            )
        if wanted in (*BINARY, "html") and shell.is_interactive and shell.settings.output is None:
            raise ConfigError(
                f"{wanted} is not for a terminal", hint=f".output rows.{wanted}  comes first"
            )
        shell.settings.format = wanted
    shell.narrator.say(f"rows are shown as {shell.settings.format}")


def expanded(shell: Shell, argument: str) -> None:
    """A line for each value, or a table; a switch without an argument."""
    now = shell.settings.expanded
    if argument.lower() == "auto":
        shell.settings.expanded = "auto"
    else:
        shell.settings.expanded = switched(argument, now is True)
    words = {"auto": "where a table would not fit", True: "always", False: "never"}
    shell.narrator.say(f"a line for each value: {words[shell.settings.expanded]}")


def output(shell: Shell, argument: str) -> None:
    """Rows go to a file from now on."""
    shell.settings.output = target = target_of(argument, shell) if argument else None
    if target is None:
        shell.narrator.say("rows go to the screen")
        return
    try:
        check_writable(target)
    except ConfigError:
        shell.settings.output = None  # and not the file of before, which was to be left
        raise
    shell.settings.begun.discard(target)
    shell.narrator.say(f"rows go to {target}; .output alone ends it")


def once(shell: Shell, argument: str) -> None:
    """Rows of the next answer go to a file."""
    if not argument:
        raise ConfigError(".once needs a file", hint=".once rows.csv")
    target = target_of(argument, shell)
    check_writable(target)
    shell.settings.once = target


def switch(name: str) -> Callable[[Shell, str], None]:
    """The command that turns one of the settings on and off, which has its name."""

    def turn(shell: Shell, argument: str) -> None:
        is_on = switched(argument, getattr(shell.settings, name))
        setattr(shell.settings, name, is_on)
        shell.narrator.say(f"{name} {'on' if is_on else 'off'}")

    return turn


def max_requests(shell: Shell, argument: str) -> None:
    """The request budget of a statement."""
    if argument:
        try:
            wanted = int(argument.replace(",", "").replace("_", ""))
        except ValueError:
            wanted = -1
        if wanted < 0:
            raise ConfigError(
                f".max-requests takes a number, not {argument}", hint=".max-requests 1000"
            )
        shell.settings.max_requests = wanted
    budget = shell.settings.options().max_requests
    shell.narrator.say(f"a statement may send {budget:,} requests")


def max_age(shell: Shell, argument: str) -> None:
    """How old rows may be."""
    if argument.lower() in ("off", "none"):
        shell.settings.max_age = None
    elif argument:
        from connstat_sql.config.durations import seconds_of

        try:
            wanted = seconds_of(argument, may_be_none=True)
        except ValueError as error:
            raise ConfigError(
                f".max-age takes seconds, not {argument}", hint=".max-age 60, or 5m"
            ) from error
        shell.settings.max_age = wanted
    age = shell.settings.max_age
    words = "as each connection says" if age is None else f"at most {age:g} s"
    shell.narrator.say(f"how old rows may be: {words}")


def keys(shell: Shell, argument: str) -> Next | None:
    """Keys as in Emacs or vi."""
    names = {"vi": "vi", "vim": "vi", "emacs": "emacs"}
    if argument.lower() not in names:
        raise ConfigError(".keys takes vi or emacs", hint=".keys vi")
    shell.narrator.say(f"keys as in {names[argument.lower()]}")
    return Next(Step.KEYS, names[argument.lower()])


def switched(argument: str, now: bool) -> bool:
    """What a switch is set to; without an argument it is turned. Raises ConfigError."""
    if not argument:
        return not now
    state = {**_ON, **_OFF}.get(argument.lower())
    if state is None:
        raise ConfigError(f"it is on or off, not {argument}")
    return state


def target_of(argument: str, shell: Shell) -> Path:
    """The file for answers that an argument names. Raises ConfigError for one that is read."""
    target = path_of(argument, shell)
    with writable(target):
        refuse_inputs(target, shell.context.inputs())
    return target


def path_of(argument: str, shell: Shell) -> Path:
    """The file that an argument names, with or without quotes, from the working directory."""
    text = argument
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return shell.context.here / Path(text).expanduser()
