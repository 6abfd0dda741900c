"""Which names of settings are those of secrets: by pattern, and by what connectors document.

The patterns are RE2's, which reads them in linear time, and Python's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import tomllib

_BEFORE_KEY = (
    "access|account|admin|aes|api|app|application|auth|authentication|client|consumer|cosmos"
    "|credential|customer|decryption|encrypt(ion)?|function|hec|hmac|ingest(ion)?|instrumentation"
    "|integration|license|master|pem|pgp|private|rsa|sas|service|shared|signing|ssh|sse|ssl|storage"
    "|subscription|webhook|workspace|adls|write|bot|server|pvt|keystore|certificate|pagerduty[._-][a-z._-]*routing"
)
_SECRET = (
    r"passw(or)?[dt]|passphrase|passcode|pass[._-]?(phrase|code|word|key)|(db|user|admin|root|my)pass$|secret|token"
    r"|credential|authorization|assertion$|(^|[._-])bearer$|cookie|user[._-]?info|shared[._-]?access"
    r"|(^|[._-])(pass|pwd|passwd|pswd|psw|pin|psk|pat|jwt|sas)$|(?-i:[a-z](Pass|Pwd|Sas))$"
    rf"|({_BEFORE_KEY})[._-]?keys?([^a-z]|id|value|$)"
    r"|(data|crypto|cipher)[._-]?keys?$|^key$"
    r"|(^|[._-])(salt|nkey[._-]?seed|session[._-]?id)$|insights?[._-](insert|query)[._-]?key$"
    r"|(^|[._-])license$|(account|keyfile|key)[._-]json$"
)
_PARTLY = (
    r"(connection|redis)[._-]?(uri|string)$|(^|[._-])dsn$|jaas\.config$"
    r"|(^|[._-])(keyfile|creds|pem)$"
)
_HOOKS = r"web[._-]?hooks?([._-]?(url|uri|endpoint|address))?$"
_ENDS = (
    "class|classes|type|types|provider|providers|location|path|paths|file|filename|url|uri"
    "|days"
    "|endpoint|endpoints|host|hosts|port|region|ms|seconds|secs|minutes|interval|timeout|ttl"
    "|enable|enabled|mode|format|converter|serializer|deserializer|manager|expiry|expiration"
    "|lifetime|algorithm|name|names|arn|username|source|strategy|field|fields|column|columns"
    "|property|properties|pointer|topic|topics|prefix|suffix|scope|scopes|audience|length|size"
    "|count|limit|version|required|optional|policy|method|handler|pattern|regex|encoding|separator"
    "|delimiter|project|attribute|exchange|queue|spec|profile|domain"
)
_PUBLIC = (
    rf"([._-]({_ENDS})|(?-i:[a-z](Class|Type|Provider|Location|Path|File|Url|Uri|URL|Endpoint"
    r"|Region|Name|Field|Column|Topic|Ms|Enabled|Mode|Format|Algorithm|Scope|Arn)))$"
    r"|tokeni[sz]|max[._-]tokens$|auth\.mode$"
    r"|secrets?[._-]?manager[._-]([\w.-]*[._-])?(id|stage|param|endpoint[\w.-]*)$|kms[._-]key"
    r"|tokens?[._-]per[._-]"
)


class Evidence(StrEnum):
    """How an entry of the published list came about; the list itself says what the words mean."""

    READ = "read"
    SEEN = "seen"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class DocumentedConnector:
    """What a connector documents: the names of its secret settings, by `sources`, URLs.

    `classes` are values of `connector.class`, by which plugins are known.
    """

    name: str
    classes: tuple[str, ...]
    sources: tuple[str, ...]
    known: Evidence
    secrets: tuple[str, ...]


@cache
def documented() -> tuple[DocumentedConnector, ...]:
    """The connectors of the published list."""
    text = Path(__file__).with_name("documented.toml").read_text(encoding="utf-8")
    return tuple(
        DocumentedConnector(
            entry["name"],
            tuple(entry["classes"]),
            tuple(entry["sources"]),
            Evidence(entry["known"]),
            tuple(entry["secrets"]),
        )
        for entry in tomllib.loads(text)["connectors"]
    )


def _names_of_their_own() -> Iterator[str]:
    """Documented names that the patterns do not tell."""
    secret, public = re.compile(f"(?i)({_SECRET})"), re.compile(f"(?i)({_PUBLIC})")
    partly = re.compile(f"(?i)({_PARTLY}|{_HOOKS})")
    for connector in documented():
        for name in connector.secrets:
            if not partly.search(name) and (not secret.search(name) or public.search(name)):
                yield name.lower()


@cache
def secret_keys() -> str:
    """The pattern of names whose values are secrets, unless `public_keys` has them too."""
    return f"(?i)({_SECRET}|{_documented()})"


@cache
def public_keys() -> str:
    """The pattern of names that speak about secrets and hold none."""
    return f"(?i)({_PUBLIC})"


def partly_secret_keys() -> str:
    """The pattern of names whose values hold secrets beside what is none, such as a URL."""
    return f"(?i)({_PARTLY})"


def hook_keys() -> str:
    """The pattern of names of URLs whose path is a secret."""
    return f"(?i)({_HOOKS})"


@cache
def documented_keys() -> str:
    """The pattern of documented names that go before `public_keys`."""
    return f"(?i){_documented()}"


@cache
def _documented() -> str:
    names = sorted(set(_names_of_their_own()))
    return f"^({'|'.join(map(re.escape, names))})$"


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, (secret_keys(), public_keys(), documented_keys())))


def is_secret_name(name: str) -> bool:
    """Whether the name of a setting tells that its whole value is a secret."""
    secret, public, documented_ = _compiled()
    if not secret.search(name):
        return False
    return not public.search(name) or documented_.search(name) is not None
