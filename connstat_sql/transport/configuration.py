"""Connections: `connstat.toml` or the environment → one frozen value for each.

References (`${NAME}`, `${file:PATH}`) are kept as they are written and resolved when a request
needs them, so no value of a secret lives in a `Connection`.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connstat_sql.definitions import Auth, AuthKind, Provider
from connstat_sql.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG_NAME = "connstat.toml"
CONFIG_VARIABLE = "CONNSTAT_CONFIG"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_OPTIONS = {
    "provider": str, "base_url": str, "ca_file": str, "client_cert": str, "client_key": str,
    "verify": bool, "proxy": str, "headers": dict, "max_concurrency": int, "trusted_hosts": list,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Connection:
    """One account, organisation or cluster of a provider.

    `settings` are texts with references; `origin` says where they come from, for messages.
    """

    name: str
    provider: str
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    base_url: str = ""
    verify: bool = True
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_concurrency: int | None = None
    trusted_hosts: tuple[str, ...] = ()
    origin: str = "the environment"


def find_config(given: Path | None, environment: Mapping[str, str], user: Path) -> Path | None:
    """The configuration file: the one given, `$CONNSTAT_CONFIG`, here, or the user's.

    `user` is the user's configuration directory. None when there is no file. Raises ConfigError
    when one is named and does not exist.
    """
    named = given or (
        Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None
    )
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"there is no configuration file {named}")
        return named
    return next((p for p in (Path(CONFIG_NAME), user / CONFIG_NAME) if p.is_file()), None)


def read_config(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The `[connections.NAME]` tables of a configuration file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    unknown = sorted(set(document) - {"connections"})
    if unknown:
        raise ConfigError(f"{path}: unknown table [{unknown[0]}]", hint="write [connections.NAME]")
    connections = document.get("connections", {})
    if not isinstance(connections, dict) or not all(
        isinstance(c, dict) for c in connections.values()
    ):
        raise ConfigError(f"{path}: connections are tables", hint="write [connections.NAME]")
    return connections


def build_connection(
    name: str,
    table: Mapping[str, Any],
    provider: Provider | None,
    origin: str,
    known: Iterable[str],
) -> Connection:
    """Check one connection's table against its provider; nothing is resolved yet."""
    where = f"{origin}: connection {name}"
    if provider is None:
        given = table.get("provider")
        what = f"names the unknown provider `{given}`" if given else "does not say its `provider`"
        raise ConfigError(f"{where} {what}", hint=f"providers: {', '.join(known)}")
    settings = {setting.name for setting in provider.settings}
    for key, value in table.items():
        _check_option(where, key, value, settings)
    base_url = table.get("base_url") or _default(provider, "base_url") or provider.base_url
    if base_url and not _REFERENCE.search(base_url):
        check_url(base_url, where)
    return Connection(
        name=name,
        provider=provider.name,
        settings={key: str(value) for key, value in table.items() if key in settings},
        base_url=base_url,
        trusted_hosts=(*provider.trusted_hosts, *map(str, table.get("trusted_hosts", ()))),
        headers={str(k): str(v) for k, v in table.get("headers", {}).items()},
        origin=origin,
        **{
            key: table[key]
            for key in (
                "verify",
                "ca_file",
                "client_cert",
                "client_key",
                "proxy",
                "max_concurrency",
            )
            if key in table
        },
    )


def environment_connection(provider: Provider, environment: Mapping[str, str]) -> Connection | None:
    """The connection that a provider's variables make, or None when none of them is set."""
    variables = {s.name: s.env for s in provider.settings if s.env}
    given = {name: f"${{{env}}}" for name, env in variables.items() if environment.get(env)}
    if not given:
        return None
    base_url = given.get("base_url") or provider.base_url
    return Connection(
        provider.name, provider.name, given, base_url, trusted_hosts=provider.trusted_hosts
    )


def check_url(text: str, where: str) -> None:
    """Raise ConfigError unless the text is an http or https URL of a host."""
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        )
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f]", text):
        raise ConfigError(f"{where}: base_url is not an http or https URL: {_without_login(text)}")
    if parts.username or parts.password:
        raise ConfigError(
            f"{where}: base_url holds a user or password: {_without_login(text)}",
            hint="write them as settings of the connection",
        )


def _without_login(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", text)


def _check_option(where: str, key: str, value: Any, settings: set[str]) -> None:
    known = {*settings, *_OPTIONS}
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(sorted(known))}"
        raise ConfigError(f"{where}: unknown key `{key}`", hint=hint)
    wanted = _OPTIONS.get(key, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: `{key}` is not {_TYPE_WORDS[wanted]}")


_TYPE_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    dict: "a table",
    list: "a list",
}


# --- resolving, when a request needs it ----------------------------------------------------------


class Resolver:
    """Values of a connection's settings, looked up in the environment handed in."""

    def __init__(self, provider: Provider, connection: Connection, environment: Mapping[str, str]):
        self.provider = provider
        self.connection = connection
        self._environment = environment

    def resolve(self, text: str) -> str:
        """Replace `${NAME}` and `${file:PATH}`; raises ConfigError naming what is not there."""
        return _REFERENCE.sub(self._look_up, text)

    def setting(self, name: str) -> str | None:
        """A setting's value: the connection's own, else the definition's default, else None."""
        if name == "base_url":
            return self.base_url()
        if name in self.connection.settings:
            return self.resolve(self.connection.settings[name])
        return _default(self.provider, name)

    def base_url(self) -> str:
        """The connection's URL without a slash at the end."""
        url = self.resolve(self.connection.base_url)
        where = f"{self.connection.origin}: connection {self.connection.name}"
        if not url:
            raise ConfigError(f"{where} has no base_url")
        check_url(url, where)
        return url.rstrip("/")

    def auth(self) -> Auth:
        """The provider's first way to authenticate whose settings this connection gives."""
        for auth in self.provider.auth:
            if all(self._is_given(name) for name in auth.settings):
                return auth
        missing = self._missing()
        raise ConfigError(
            f"connection {self.connection.name}: {' and '.join(missing)}",
            hint=f"set it, or write it in {CONFIG_NAME} under [connections.{self.connection.name}]",
        )

    def _is_given(self, name: str) -> bool:
        return name in self.connection.settings or _default(self.provider, name) is not None

    def _missing(self) -> list[str]:
        """What the first way to authenticate lacks, in words that name the variables."""
        first = next(auth for auth in self.provider.auth if auth.kind is not AuthKind.NONE)
        variables = {setting.name: setting.env for setting in self.provider.settings}
        return [
            f"{variables.get(name) or name} is not set"
            for name in first.settings
            if not self._is_given(name)
        ]

    def _look_up(self, match: re.Match[str]) -> str:
        name = match[1]
        where = f"{self.connection.origin}: connection {self.connection.name}"
        if name.startswith("file:"):
            path = Path(name.removeprefix("file:"))
            try:
                return path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"{where}: {path} cannot be read: {error}") from error
        value = self._environment.get(name)
        if not value:
            raise ConfigError(
                f"{where} needs the environment variable {name}, which is not set",
                hint=f"export {name}=…",
            )
        return value


def _default(provider: Provider, name: str) -> str | None:
    return next((s.default for s in provider.settings if s.name == name), None)
