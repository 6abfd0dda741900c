"""How requests prove who we are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from connstat_sql.definitions.places import Path
from connstat_sql.definitions.templates import Template


class AuthKind(str, Enum):
    """How requests prove who we are."""

    NONE = "none"
    BASIC = "basic"  # username, password
    BEARER = "bearer"  # token
    HEADER = "header"  # name, value
    QUERY = "query"  # name, value
    CLIENT_CREDENTIALS = "client_credentials"  # token_url, client_id, client_secret, further fields


class Sending(str, Enum):
    """How client id and secret are sent to where tokens come from (RFC 6749, 2.3.1)."""

    FORM = "form"  # in a form
    JSON = "json"  # in a JSON object
    BASIC = "basic"  # as HTTP Basic, and the further fields in a form


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How a token is asked for, where it is in the answer, and how requests then carry it.

    A `scheme` of "" is none: the header holds the token alone.
    """

    send: Sending = Sending.FORM
    token: Path = ("access_token",)
    expires_in: Path = ("expires_in",)
    header: str = "Authorization"
    scheme: str = "Bearer"


@dataclass(frozen=True, slots=True)
class Auth:
    """One way to authenticate: `options` are texts with settings in them.

    It applies to a connection that has every setting named in it. `rules` are those of client
    credentials.
    """

    kind: AuthKind
    options: tuple[tuple[str, Template], ...] = ()
    rules: TokenRules = TokenRules()

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings it needs, each once."""
        return tuple(dict.fromkeys(name for _, value in self.options for name in value.params))
