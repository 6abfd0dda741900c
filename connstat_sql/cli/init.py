"""`connstat init`: asks provider by provider, tests what it is told, writes connstat.toml."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import tomllib

from connstat_sql.bootstrap import CONFIG_NAME, Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.cli.context import Globals, pass_globals, report_errors
from connstat_sql.cli.doctor import Finding, Watch, examine, lines_on
from connstat_sql.cli.program import program
from connstat_sql.config.connections import default
from connstat_sql.definitions.loader import Library
from connstat_sql.definitions.model import Auth, Provider
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConfigError, counted
from connstat_sql.extras import typed
from connstat_sql.files import write_new, written_whole
from connstat_sql.transport import is_plain_url, read_config

TIMEOUT = 10.0
"""Seconds for one request of a test."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$\{file:[^}]+\}")
_LIKELY_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
Table = dict[str, str]


@click.command("init")
@pass_globals
def command(globals_: Globals) -> None:
    """Ask for each provider's connections, test them, and write connstat.toml.

    Keys and passwords are not asked for: the file names the variables, or the mounted files, that
    hold them. Ctrl-C leaves everything as it was.
    """
    target = Path(globals_.config or CONFIG_NAME)
    with report_errors(globals_.narrator):
        try:
            _init(globals_, target)
        except click.Abort:
            click.echo("\nended before the last answer: nothing has been written", err=True)
            raise


def _init(globals_: Globals, target: Path) -> None:
    is_new = not os.path.lexists(target)
    before = None if is_new else _before(target)
    if not os.access(target.absolute().parent, os.W_OK):
        raise ConfigError(f"nothing can be written to {target.absolute().parent}")
    library = Wiring(globals_.setup() if before else Setup(providers=_folders(globals_)),
                     os.environ).library  # fmt: skip
    dialogue = _Dialogue(
        library, target.absolute().parent, taken=set(before.connections) if before else set()
    )
    click.echo("Keys and passwords stay where they are: the file only names what holds them.\n")
    for name in library.providers:
        provider = library.provider(name)
        if provider is not None and provider.settings:
            dialogue.ask_about(provider)
    if not dialogue.tables:
        click.echo(f"\nNo connection, so {typed(target)} is not written.")
        return
    text = _toml(dialogue.tables)
    _write(target, f"{before.text.rstrip()}\n\n{text}" if before else text, is_new=is_new)
    click.echo(f"\n{typed(target)} has {counted(len(dialogue.tables), 'new connection')}. Next:")
    named = f" --config {typed(target)}" if globals_.config else ""
    click.echo(f"  {program()}{named} doctor")
    click.echo(f'  {program()}{named} query "FROM inventory.connectors.connectors"')


# --- the file ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Before:
    """The file as it is, which the new connections are written behind."""

    text: str
    connections: tuple[str, ...]


def _before(target: Path) -> _Before | None:
    """What is kept of the file that is there; None: nothing, as it is to be replaced."""
    known = read_config(target)
    names = tuple(known.connections)
    click.echo(f"{typed(target)} is there already, with {', '.join(names) or 'no connection'}.")
    what = click.prompt(
        "Add to it, replace it, or stop?", type=click.Choice(["add", "replace", "stop"]),
        default="add",
    )  # fmt: skip
    if what == "stop":
        raise click.Abort
    return _Before(target.read_text("utf-8-sig"), names) if what == "add" else None


def _write(target: Path, text: str, *, is_new: bool) -> None:
    """Write the file, whole or not at all; where there was none, over nothing."""
    try:
        tomllib.loads(text)
        if is_new:
            write_new(target, text.encode(), 0o600)
        else:
            with written_whole(target) as file:
                file.write(text.encode())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{target} cannot be added to: {error}") from error
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror or error}") from error


def _folders(globals_: Globals) -> tuple[Path, ...]:
    return tuple(map(Path, globals_.providers))


def _toml(tables: Mapping[str, Table]) -> str:
    blocks = (
        "\n".join((f"[connections.{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}"
                                              for key, value in table.items()), ""))
        for name, table in tables.items()
    )  # fmt: skip
    return "\n".join(blocks)


# --- the dialogue --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Dialogue:
    """Questions and answers, and the connections that come of them."""

    library: Library
    folder: Path
    taken: set[str]
    tables: dict[str, Table] = field(default_factory=dict)

    def ask_about(self, provider: Provider) -> None:
        """The connections of a provider."""
        click.echo(click.wrap_text(f"{provider.name}: {provider.description}."))
        question = f"  Connect {provider.name}?"
        is_set = any(os.environ.get(name) for name in provider.variables.values())
        while click.confirm(question, default=is_set):
            name, table = self._connection(provider)
            if self._is_kept(name, table):
                self.tables[name] = table
            question, is_set = f"  Another connection of {provider.name}?", False

    def _connection(self, provider: Provider) -> tuple[str, Table]:
        free = provider.name if provider.name not in self._names else None
        name = click.prompt(
            "  its name in SQL", default=free, value_proc=self._checked_name(provider)
        )
        table: Table = {"provider": provider.name}
        if not provider.base_url:
            described = _description(provider, "base_url")
            variable = provider.variables.get("base_url", "")
            usual = f"${{{variable}}}" if os.environ.get(variable) else None
            table["base_url"] = click.prompt(
                f"  base_url ({described})", default=usual, value_proc=_url
            )
        auth = _chosen_auth(provider)
        for setting in auth.settings if auth is not None else ():
            if default(provider, setting) is None and setting not in table:
                table[setting] = _reference(provider, setting)
        return name, table

    @property
    def _names(self) -> set[str]:
        return {name.lower() for name in (*self.taken, *self.tables)}

    def _checked_name(self, provider: Provider) -> Callable[[str], str]:
        def checked(text: str) -> str:
            if not _NAME.fullmatch(text):
                raise click.UsageError("a name is letters, digits and _, such as plant_a")
            if text.lower() in self._names:
                raise click.UsageError(f"there is a connection {text} already")
            if text.lower() in self.library.providers and text.lower() != provider.name:
                raise click.UsageError(f"{text} is the name of another provider")
            return text

        return checked

    def _is_kept(self, name: str, table: Table) -> bool:
        """Whether to keep a connection, once it has been tested."""
        finding, lines = _tested(name, table, self.library, self.folder)
        click.echo("\n".join(f"  {line}" for line in lines))
        if finding.error is None:
            return True
        may_be_right = isinstance(finding.error, ConfigError)  # a variable of another day
        return click.confirm("  Keep it all the same?", default=may_be_right)


def _tested(
    name: str, table: Table, library: Library, folder: Path
) -> tuple[Finding, Iterator[str]]:
    """What `connstat doctor` says of a connection; its files are looked for from the folder."""
    watch = Watch()
    wiring = _NewConnections({name: table}, library, folder)
    options = EngineOptions(
        environment=os.environ, timeout=TIMEOUT, observe=watch.observe, shares_limits=True
    )
    engine = Engine(wiring, options)
    try:
        (finding,) = examine(engine).values()
        return finding, lines_on(name, finding, watch, wiring.connections[name].address)
    finally:
        engine.close()


class _NewConnections(Wiring):
    """Connections that were just told of, over definitions that have been read already."""

    def __init__(self, tables: Mapping[str, Table], library: Library, folder: Path) -> None:
        super().__init__(Setup(connections=tables, here=folder), os.environ)
        self.library = library  # in place of reading them again


def _chosen_auth(provider: Provider) -> Auth | None:
    """How it is to know who we are: the one way there is, or the one that is chosen."""
    usable = [auth for auth in provider.auth if auth.settings]
    is_open = len(usable) < len(provider.auth)
    if not usable or (is_open and not click.confirm("  Does it ask for a login?", default=False)):
        return None
    if len(usable) == 1:
        return usable[0]
    named = {", ".join(_needed(provider, auth)): auth for auth in usable}
    for number, text in enumerate(named, 1):
        click.echo(f"  {number}  {text}")
    numbers = click.IntRange(1, len(named))
    choice: int = click.prompt(
        "  What do you have?", type=numbers, default=_ready(provider, usable)
    )
    return [*named.values()][choice - 1]


def _ready(provider: Provider, usable: list[Auth]) -> int:
    """The number of the first whose variables are all set, or 1."""
    for number, auth in enumerate(usable, 1):
        variables = [provider.variables.get(name, "") for name in _needed(provider, auth)]
        if all(os.environ.get(name) for name in variables):
            return number
    return 1


def _needed(provider: Provider, auth: Auth) -> list[str]:
    return [name for name in auth.settings if default(provider, name) is None]


def _description(provider: Provider, setting: str) -> str:
    return next(
        (declared.description for declared in provider.settings if declared.name == setting),
        "its URL",
    )


# --- answers -------------------------------------------------------------------------------------


def _url(text: str) -> str:
    text = text.strip()
    if _REFERENCE.fullmatch(text) or is_plain_url(text):
        return text
    raise click.UsageError("write it like  http://host:8083  or  ${NAME}, without user or password")


def _reference(provider: Provider, setting: str) -> str:
    """What holds a setting, as a reference."""
    variable = provider.variables.get(setting)
    described = _description(provider, setting)
    text: str = click.prompt(
        f"  the variable that holds {setting} ({described}), or file:PATH",
        default=variable, value_proc=_holder,
    )  # fmt: skip
    return f"${{{text}}}"


def _holder(text: str) -> str:
    """The name of a variable, or a file; never what they hold, which is not repeated either."""
    text = text.strip().removeprefix("${").removesuffix("}")
    if text.startswith("file:") and len(text) > len("file:") and "}" not in text:
        return text
    if _NAME.fullmatch(text) and (os.environ.get(text) or _LIKELY_VARIABLE.fullmatch(text)):
        return text
    raise click.UsageError(
        "that is no variable's name: write one such as CONNECT_PASSWORD, or file:PATH, "
        "and never the secret itself"
    )
