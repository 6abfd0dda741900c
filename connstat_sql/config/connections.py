"""Connections: `connstat.toml` or the environment → one frozen value for each.

References (`${NAME}`, `${file:PATH}`) are kept as they are written and resolved when a request
needs them (`resolving`), so nothing here ever holds a value that was kept elsewhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connstat_sql.config.durations import seconds_of
from connstat_sql.config.urls import read_url
from connstat_sql.definitions.limits import RequestLimit
from connstat_sql.definitions.model import Provider
from connstat_sql.definitions.versions import numbers_of
from connstat_sql.errors import ConfigError

CONFIG_NAME = "connstat.toml"
ENVIRONMENT = "the environment"
REFERENCE = re.compile(r"\$\{(file:[^}]+|[A-Za-z_][A-Za-z0-9_]*)\}")
FILES = ("ca_file", "client_cert", "client_key")
_NUMBERS = ("max_concurrency", "rate", "host_concurrency", "host_rate")
_TIMES = ("timeout", "connect_timeout", "max_age")
_NOT_PLAIN = re.compile(
    r"[\s\x00-\x20\x7f\\@?#]|%(?![2-9A-F][0-9A-F])|%7f|/(\.|%2e){1,2}(?=/|$)", re.IGNORECASE
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_BETWEEN_URLS = re.compile(r"[\s,]*,\s*(?=https?://|\$\{)", re.IGNORECASE)
_SECRET_HEADER = re.compile("auth|cookie|key|secret|token", re.IGNORECASE)
_HOST_GLOB = re.compile(r"[A-Za-z0-9.*?_\[\]:-]+")


@dataclass(frozen=True, slots=True)
class Connection:
    """One account, organisation or cluster of a provider.

    `settings` and the other texts may hold references; those not among `said` are the provider's
    variables, as the connection itself does not say them.

    Where `max_concurrency`, `rate` (requests a second), `host_concurrency`, `host_rate` and
    entries of `families` are None, what the provider declares holds. `timeout` and
    `connect_timeout` are in seconds, `max_age` is how old rows may be that are used again, in
    seconds (each None: what is asked for elsewhere). `base_url` may be several, with commas
    between them: workers of one cluster. `server_version` is what its server would say of itself
    ("": it is asked, where that matters). `origin` says where all this was written, for messages.
    """

    name: str
    provider: str
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    base_url: str = field(default="", repr=False)
    verify: bool = True
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_concurrency: int | None = None
    rate: float | None = None
    host_concurrency: int | None = None
    host_rate: float | None = None
    families: Mapping[str, RequestLimit] = field(default_factory=dict)
    timeout: float | None = None
    connect_timeout: float | None = None
    max_age: float | None = None
    trusted_hosts: tuple[str, ...] = ()
    server_version: str = ""
    origin: str = ENVIRONMENT
    said: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """How messages call it."""
        return f"{self.origin}: connection {self.name}"

    @property
    def address(self) -> str:
        """What to look at where nobody answers as expected: the variable, or the `base_url`."""
        names = [name for name in REFERENCE.findall(self.base_url) if name[:5] != "file:"]
        return " and ".join(names) or f"base_url of the connection {self.name}"


def build_connection(
    name: str,
    table: Mapping[str, Any],
    provider: Provider | None,
    origin: str,
    known: Iterable[str],
    folder: Path = Path(),
    environment: Mapping[str, str] | None = None,
) -> Connection:
    """Check one connection's table against its provider; nothing is resolved yet.

    What it does not say is taken from the provider's variables, where they are set. Files that it
    names are looked for from `folder`.
    """
    where = f"{origin}: connection {name}"
    table = _with_one_text(where, table)
    if provider is None:
        raise _unknown_provider(where, table.get("provider"), tuple(known))
    settings = {setting.name for setting in provider.settings}
    for key, value in table.items():
        _check_option(where, key, value, settings)
    if "client_key" in table and "client_cert" not in table:
        raise ConfigError(f"{where}: `client_key` without `client_cert`")
    options = {key: table[key] for key in _NUMBERS if key in table}
    options |= {key: _seconds(where, key, table[key]) for key in _TIMES if key in table}
    options |= {key: str(folder / table[key]) for key in FILES if key in table}
    own = {key: located(table[key], folder) for key in table if key in settings}
    taken = _references(provider, environment or {})
    return Connection(
        name=name,
        provider=provider.name,
        settings=taken | own,
        said=frozenset(own),
        base_url=_base_url(provider, table, taken),
        verify=table.get("verify", True),
        proxy=table.get("proxy"),
        headers={key: located(text, folder) for key, text in table.get("headers", {}).items()},
        families=_families(table.get("families", {}), provider, where),
        trusted_hosts=(*provider.trusted_hosts, *table.get("trusted_hosts", ())),
        server_version=table.get("server_version", ""),
        origin=origin,
        **options,
    )


def _with_one_text(where: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table, with several base URLs as one text, as a variable has them."""
    urls = table.get("base_url")
    if not isinstance(urls, list):
        return table
    for url in urls:
        check_type(where, "base_url", url, str, "a text, or a list of texts")
    if not urls:
        raise ConfigError(f"{where}: `base_url` is an empty list", hint="name a worker, or more")
    return {**table, "base_url": ", ".join(urls)}


def urls_of(text: str) -> tuple[str, ...]:
    """The URLs that a text holds, with commas between them."""
    return tuple(url for url in _BETWEEN_URLS.split(text.strip(" ,")) if url)


def _families(
    tables: Mapping[str, Mapping[str, Any]], provider: Provider, where: str
) -> dict[str, RequestLimit]:
    """Limits of method families, which the provider declares."""
    declared = provider.limits.families
    for name, table in tables.items():
        if name not in declared:
            what = f"the family `{name}`, which {provider.name} does not declare"
            raise unknown(f"{where}: `families` names {what}", name, declared)
        check_type(where, f"families.{name}", table, dict, "a table")
        for key in table:
            if key not in ("max_concurrency", "rate"):
                known = ("max_concurrency", "rate")
                raise unknown(f"{where}: unknown key `families.{name}.{key}`", key, known)
            _CHECKS[key](where, f"families.{name}.{key}", table[key])
    return {
        name: RequestLimit(table.get("max_concurrency"), table.get("rate"))
        for name, table in tables.items()
    }


def unknown(message: str, word: str, known: Iterable[str]) -> ConfigError:
    """An error about a word, with the known one that comes close, or all of them."""
    close = difflib.get_close_matches(word, known, n=1)
    listed = ", ".join(sorted(known)) or "none"
    return ConfigError(message, hint=f"did you mean `{close[0]}`?" if close else f"known: {listed}")


def environment_connection(provider: Provider, environment: Mapping[str, str]) -> Connection | None:
    """The connection that a provider's variables make, or None when none of them is set."""
    taken = _references(provider, environment)
    if not taken:
        return None
    return Connection(
        provider.name,
        provider.name,
        taken,
        base_url=_base_url(provider, {}, taken),
        trusted_hosts=provider.trusted_hosts,
    )


def _references(provider: Provider, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that a provider's variables supply, as references to them."""
    return {
        name: f"${{{variable}}}"
        for name, variable in provider.variables.items()
        if environment.get(variable)
    }


def _base_url(provider: Provider, table: Mapping[str, Any], taken: Mapping[str, str]) -> str:
    """What a connection says itself, the variable, and what the definition says, in this order."""
    own: str = table.get("base_url") or ""
    return own or taken.get("base_url") or default(provider, "base_url") or provider.base_url


def default(provider: Provider, setting: str) -> str | None:
    """What the definition says for a setting that a connection leaves out."""
    return next((s.default for s in provider.settings if s.name == setting), None)


def located(text: str, folder: Path) -> str:
    """The text with the files of its references found from the folder."""
    return REFERENCE.sub(
        lambda match: f"${{file:{folder / match[1][5:]}}}" if match[1][:5] == "file:" else match[0],
        text,
    )


def _unknown_provider(where: str, provider: object, known: tuple[str, ...]) -> ConfigError:
    listed = f"providers: {', '.join(known)}"
    if not provider:
        return ConfigError(f"{where} does not say its `provider`", hint=listed)
    close = difflib.get_close_matches(str(provider), known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else listed
    return ConfigError(f"{where} names the unknown provider `{provider}`", hint=hint)


def cautions(connection: Connection, provider: Provider | None) -> Iterator[str]:
    """What is unwise in a connection as it is written in a file, though it works."""
    if not connection.verify:
        yield (
            f"{connection.place}: `verify = false`: whoever is on the way to the server can read "
            "the credentials and change the answers; set ca_file instead"
        )
    secret = (
        {setting.name: setting.env for setting in provider.settings if setting.is_secret}
        if provider
        else {}
    )
    texts = {name: connection.settings[name] for name in connection.said if name in secret}
    texts |= {f"headers.{name}": text for name, text in connection.headers.items()
              if _SECRET_HEADER.search(name)}  # fmt: skip
    if connection.proxy and "@" in connection.proxy:
        texts["proxy"] = connection.proxy
    for name, text in sorted(texts.items()):
        if text and not REFERENCE.search(text):
            variable = secret.get(name) or "NAME"
            yield (
                f"{connection.place}: `{name}` stands in the file in clear text; write "
                f'"${{{variable}}}" for a variable, "${{file:PATH}}" for a file'
            )


# --- checks of what is written -------------------------------------------------------------------


def check_url(text: str, where: str, key: str, shown: str | None = None) -> None:
    """Raise ConfigError unless the text is the http or https URL of a host, and no more.

    `shown` is what the message repeats instead of the text.
    """
    shown = _without_login(text if shown is None else shown)
    if "@" in text:
        raise ConfigError(
            f"{where}: {key} holds a user or password: {shown}",
            hint="write them as settings of the connection",
        )
    if not is_plain_url(text):
        raise ConfigError(
            f"{where}: {key} is not an http or https URL: {shown}",
            hint="write it like  https://host:8083  without ? and #",
        )


def is_plain_url(text: str) -> bool:
    """Whether a text is scheme, host, and perhaps port and path, with nothing to misread."""
    if _NOT_PLAIN.search(text):
        return False
    try:
        url = read_url(text)
        port_is_usable = url.port is None or 0 < url.port < 65536
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and port_is_usable


def _without_login(text: str) -> str:
    return "…@" + text.rpartition("@")[2] if "@" in text else text


def _check_option(where: str, key: str, value: Any, settings: set[str]) -> None:
    known = {*settings, *_CHECKS}
    if key not in known:
        error = unknown(f"{where}: unknown key `{key}`", key, known)
        raise _with_home(error, key, known)
    usual = _check_url_option if key.endswith("_url") else _check_text
    _CHECKS.get(key, usual)(where, key, value)


def _with_home(error: ConfigError, key: str, known: set[str]) -> ConfigError:
    """The error about a key of a connection, with where definitions say such a thing."""
    from connstat_sql.definitions.loader.misplaced import homes_of  # for the error alone

    home = homes_of(key, known)
    is_near = error.hint.startswith("did you mean")
    error.hint = f"{error.hint} {home}" if home and is_near else home or error.hint
    return error


def _check_text(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, str, "text")
    check_references(where, key, value)


def check_references(where: str, key: str, text: str) -> None:
    """Raise ConfigError where something begins like a reference and is none."""
    if "${" in REFERENCE.sub("", text):
        raise ConfigError(
            f"{where}: `{key}` holds a reference that cannot be read",
            hint="write  ${NAME}  for a variable,  ${file:PATH}  for a file",
        )


def _check_file(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, str, "text")


def _check_url_option(where: str, key: str, value: Any) -> None:
    _check_text(where, key, value)
    if value and not REFERENCE.search(value):
        login, _, rest = value.rpartition("@") if key == "proxy" else ("", "", value)
        scheme = login.partition("//")[0]
        for url in urls_of(rest) if key == "base_url" else (rest,):
            check_url(f"{scheme}//{url}" if login else url, where, key)


def _check_headers(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, dict, "a table")
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigError(f"{where}: `{name}` is not the name of a header")
        _check_text(where, f"{key}.{name}", text)


def _check_hosts(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, list, "a list")
    for host in value:
        if not isinstance(host, str):
            raise ConfigError(f"{where}: `{key}` holds something else than text")
        if not _HOST_GLOB.fullmatch(host):
            raise ConfigError(
                f"{where}: `{_without_login(host)}` is not a host",
                hint='write hosts like  a.example  or  "*.example"',
            )


def _check_count(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, int, "a whole number")
    if value < 1:
        raise ConfigError(f"{where}: `{key}` is below 1")


def _check_version(where: str, key: str, value: Any) -> None:
    if not isinstance(value, str) or not numbers_of(value):
        raise ConfigError(
            f"{where}: `{key}` is not a version in quotes", hint=f'such as  {key} = "2.1"'
        )


def _check_rate(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, (int, float), "a number")
    if not 0 < value < float("inf"):
        raise ConfigError(f"{where}: `{key}` is not above 0", hint="it is in requests a second")


def _check_seconds(where: str, key: str, value: Any) -> None:
    if not 0 < _seconds(where, key, value) < float("inf"):
        raise ConfigError(f"{where}: `{key}` is not above 0", hint="it is in seconds")


def _check_age(where: str, key: str, value: Any) -> None:
    if not 0 <= _seconds(where, key, value) < float("inf"):
        raise ConfigError(f"{where}: `{key}` is below 0", hint="it is in seconds")


def _seconds(where: str, key: str, value: Any) -> float:
    """A time, as options take it: a number of seconds, or a text such as `5s` or `1m30s`."""
    if not isinstance(value, str):
        check_type(where, key, value, (int, float), "a number, or a time like 5s")
        number: float = value
        return number
    try:
        return seconds_of(value, may_be_none=True)
    except ValueError as error:
        raise ConfigError(f"{where}: `{key}`: {error}") from None


def _check_tables(where: str, key: str, value: Any) -> None:
    check_type(where, key, value, dict, "a table")


def _check_flag(where: str, key: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: `{key}` is not true or false")


def check_type(
    where: str, key: str, value: Any, wanted: type | tuple[type, ...], words: str
) -> None:
    """Raise ConfigError unless a value is of the kind that the words say."""
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ConfigError(f"{where}: `{key}` is not {words}")


_CHECKS: dict[str, Callable[[str, str, Any], None]] = {
    "provider": _check_text, "base_url": _check_url_option,
    "proxy": _check_url_option, "ca_file": _check_file, "client_cert": _check_file,
    "client_key": _check_file, "verify": _check_flag, "headers": _check_headers,
    "max_concurrency": _check_count, "rate": _check_rate, "trusted_hosts": _check_hosts,
    "host_concurrency": _check_count, "host_rate": _check_rate, "families": _check_tables,
    "timeout": _check_seconds, "connect_timeout": _check_seconds, "max_age": _check_age,
    "server_version": _check_version,
}  # fmt: skip
