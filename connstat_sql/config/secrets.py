"""References and templates → values, when a request needs them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from connstat_sql.config.connections import (
    CONFIG_NAME,
    ENVIRONMENT,
    REFERENCE,
    Connection,
    check_url,
    default,
    urls_of,
)
from connstat_sql.definitions.model import Auth, Provider, Template
from connstat_sql.errors import ConfigError

_OF_THIS_PROCESS = secrets.token_bytes(32)
"""Without it, secrets could be found out by trying which have that digest."""


class Resolver:
    """Values of a connection's settings, looked up in the environment handed in."""

    def __init__(
        self, provider: Provider, connection: Connection, environment: Mapping[str, str]
    ) -> None:
        self.provider = provider
        self.connection = connection
        self._environment = environment

    def resolve(self, text: str) -> str:
        """Replace `${NAME}` and `${file:PATH}`; raises ConfigError naming what is not there."""
        return resolved(text, self.connection.place, self._environment)

    def setting(self, name: str) -> str | None:
        """A setting's value: the connection's own, else the definition's default, else None."""
        if name == "base_url":
            return self.base_url()
        if name in self.connection.settings:
            return self.resolve(self.connection.settings[name])
        return default(self.provider, name)

    def base_url(self) -> str:
        """The connection's URL, or the first of several."""
        return self.base_urls()[0]

    def base_urls(self) -> tuple[str, ...]:
        """The URLs of the connection, any of which can answer, without a slash at the end."""
        written = self.connection.base_url
        if not written:
            raise self._lacking(["base_url"])
        urls = urls_of(self.resolve(written)) or (self.resolve(written),)
        checked = (self._url(url, "base_url", written).rstrip("/") for url in urls)
        return tuple(dict.fromkeys(checked))

    def fill(self, template: Template) -> str:
        """A template's text with the connection's settings in it; never an empty one."""
        return template.filled(self._checked_setting)

    def url(self, template: Template) -> str:
        """A template that makes a URL which gets our credentials."""
        written = template.filled(lambda name: self.connection.settings.get(name, ""))
        return self._url(self.fill(template), " and ".join(template.params), written or None)

    def headers(self) -> dict[str, str]:
        """The headers that definition and connection add to each request."""
        headers = {name: self.fill(template) for name, template in self.provider.headers}
        headers |= {name: self.resolve(text) for name, text in self.connection.headers.items()}
        for name, value in headers.items():
            self.check_header(name, value)
        return headers

    def check_header(self, name: str, value: str) -> None:
        """Raise ConfigError unless the value can stand in a header."""
        if not re.fullmatch(r"[\x20-\x7e]*", value):
            raise ConfigError(
                f"{self.connection.place}: the header {name} would hold a line break or a letter "
                "outside ASCII"
            )

    def auth(self) -> Auth:
        """The provider's first way to authenticate whose settings this connection gives.

        What the connection says itself goes before the provider's variables. A way with some of
        its settings comes before one without any: half a login is an error.
        """
        alternatives = self.provider.auth
        for names in (self.connection.said, frozenset(self.connection.settings)):
            begun = [auth for auth in alternatives if names.intersection(self._needed(auth))]
            whole = [auth for auth in begun if not self._missing(auth)]
            if whole:
                return max(whole, key=lambda auth: names.issuperset(self._needed(auth)))
            if begun:
                raise self._lacking(self._missing(begun[0]))
        ready = next((auth for auth in alternatives if not self._missing(auth)), None)
        if ready is None:
            raise self._lacking(self._missing(alternatives[0]))
        return ready

    def secrets(self) -> Iterator[str]:
        """Values that no message may repeat."""
        for setting in self.provider.settings:
            if setting.is_secret and setting.name in self.connection.settings:
                yield self.resolve(self.connection.settings[setting.name])
        for text in self.connection.headers.values():
            yield self.resolve(text)

    def identity(self) -> str:
        """What tells this account from others of the process, and gives nothing of it away."""
        connection = self.connection
        own = sorted((name, self.resolve(text)) for name, text in connection.settings.items())
        headers = sorted(self.headers().items())
        account = (self.provider.name, self.base_urls(), own, headers, connection.client_cert)
        return hashlib.blake2b(repr(account).encode(), key=_OF_THIS_PROCESS).hexdigest()

    def _url(self, text: str, key: str, written: str | None) -> str:
        check_url(text, self.connection.place, key, written)
        return text

    def _checked_setting(self, name: str) -> str:
        value = self.setting(name)
        if value is None:
            raise ConfigError(f"{self.connection.place}: {name} is not set")
        if not value:
            raise ConfigError(f"{self.connection.place}: {name} is empty", hint=f"set {name}")
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise ConfigError(f"{self.connection.place}: {name} holds a control character")
        return value

    def _needed(self, auth: Auth) -> list[str]:
        return [name for name in auth.settings if default(self.provider, name) is None]

    def _missing(self, auth: Auth) -> list[str]:
        return [name for name in self._needed(auth) if name not in self.connection.settings]

    def _lacking(self, names: list[str]) -> ConfigError:
        """Settings that are nowhere, and where they were looked for."""
        connection, known = self.connection, self.provider.variables
        variables = [known[name] for name in names if name in known]
        table, file = f"[connections.{connection.name}]", ""
        looked = []
        if connection.origin == ENVIRONMENT:
            file = f" of {CONFIG_NAME}"
        else:
            looked.append(f"not in {table}")
        if variables:
            looked.append(
                f"{' and '.join(variables)} {'is' if len(variables) == 1 else 'are'} not set"
            )
        remedies = [f"set {' and '.join(variables)}"] if variables else []
        remedies.append(f"write {' and '.join(names)} in {table}{file}")
        return ConfigError(
            f"{connection.place} has no {' and no '.join(names)}: {', and '.join(looked)}",
            hint=", or ".join(remedies),
        )


def resolved(text: str, place: str, environment: Mapping[str, str]) -> str:
    """The text with `${NAME}` and `${file:PATH}` replaced, for what is written at a place.

    Raises ConfigError naming what is not there.
    """
    return REFERENCE.sub(lambda match: _looked_up(match[1], place, environment), text)


def _looked_up(name: str, place: str, environment: Mapping[str, str]) -> str:
    if name.startswith("file:"):
        path = Path(name.removeprefix("file:"))
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"{place}: {path} cannot be read: {why}") from error
    value = environment.get(name)
    if not value:
        raise ConfigError(
            f"{place} needs the environment variable {name}, which is not set",
            hint=f"export {name}=…",
        )
    return value
