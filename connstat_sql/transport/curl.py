"""What `curl` needs to be taken for a connection, as words of a shell that hold no secret.

A reference to a variable or a file stays one: the shell looks it up. A secret that is written
down in its place is a variable here, which whoever pastes the command sets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from connstat_sql.config.connections import REFERENCE, Connection, default
from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.auth import Sending
from connstat_sql.definitions.model import AuthKind, Provider, Template, TokenRules
from connstat_sql.errors import ConfigError

_PLAIN = re.compile(r"[\w .:/@%+=,-]*")
"""What means itself between double quotes, also to a shell that people type into."""
_TOKEN = "${CONNECT_TOKEN}"


def curl_options(provider: Provider, connection: Connection) -> str:
    """The words that stand between `curl` and a URL of the connection."""
    return " ".join(_options(provider, connection))


def _options(provider: Provider, connection: Connection) -> Iterator[str]:
    yield from _login(provider, connection)
    for name, value in provider.headers:
        yield f"-H {_word([f'{name}: ', *_filled(value, provider, connection)])}"
    for name, text in connection.headers.items():
        yield f"-H {_word([f'{name}: ', *_secret(text, f'CONNECT_{name}')])}"
    if not connection.verify:
        yield "-k"
    for option, path in (
        ("--cacert", connection.ca_file),
        ("--cert", connection.client_cert),
        ("--key", connection.client_key),
    ):
        if path:
            yield f"{option} {_word(_parts(path))}"
    if connection.proxy:
        has_login = "@" in connection.proxy
        yield f"-x {_word(_secret(connection.proxy, 'CONNECT_PROXY', is_secret=has_login))}"


def _login(provider: Provider, connection: Connection) -> Iterator[str]:
    try:
        auth = Resolver(provider, connection, {}).auth()
    except ConfigError:  # a login that is not whole
        return
    options = {
        name: _filled(value, provider, connection)
        for name, value in auth.options
        if isinstance(value, Template)
    }
    if auth.kind is AuthKind.BASIC:
        yield f"-u {_word([*options['username'], ':', *options['password']])}"
    elif auth.kind is AuthKind.BEARER:
        yield f"-H {_word(['Authorization: Bearer ', *options['token']])}"
    elif auth.kind is AuthKind.HEADER:
        yield f"-H {_word([*options['name'], ': ', *options['value']])}"
    elif auth.kind is AuthKind.CLIENT_CREDENTIALS:
        header = f"{auth.rules.header}: {auth.rules.scheme}".strip() + " "
        fetched = _fetched(auth.rules, options)
        yield f'-H "{header}{fetched}"' if fetched else f"-H {_word([header, _TOKEN])}"
    elif auth.kind is AuthKind.QUERY:
        yield f"--url-query {_word([*options['name'], '=', *options['value']])}"


def _fetched(rules: TokenRules, options: Mapping[str, Iterable[str]]) -> str:
    """A command in a command that asks for the token; "" where a form would not do."""
    if rules.send is not Sending.FORM or len(rules.token) != 1:
        return ""
    fields = {name: parts for name, parts in options.items() if name != "token_url"}
    words = [
        f"--data-urlencode {_word([f'{name}=', *parts])}"
        for name, parts in {"grant_type": ["client_credentials"], **fields}.items()
    ]
    place = rf's/.*"{re.escape(rules.token[0])}" *: *"\([^"]*\)".*/\1/p'
    command = " ".join(["curl -sS", *words, _word(options["token_url"])])
    return f"$({command} | sed -n '{place}')"


def _filled(template: Template, provider: Provider, connection: Connection) -> Iterator[str]:
    """A template with the connection's settings, in pieces; secrets as references."""
    secret = {setting.name for setting in provider.settings if setting.is_secret}
    for index, part in enumerate(template.parts):
        if index % 2 == 0:
            yield part
            continue
        text = connection.settings.get(part) or default(provider, part) or ""
        variable = provider.variables.get(part) or f"CONNECT_{part}"
        yield from _secret(text, variable, is_secret=part in secret)


def _secret(text: str, variable: str, *, is_secret: bool = True) -> Iterator[str]:
    """A text in pieces; where it holds more than references, and is secret, a variable."""
    if is_secret and REFERENCE.sub("", text):
        yield f"${{{re.sub(r'[^A-Z0-9]', '_', variable.upper())}}}"
    else:
        yield from _parts(text)


def _parts(text: str) -> Iterator[str]:
    """What stands between references, and each of them as it is written."""
    place = 0
    for match in REFERENCE.finditer(text):
        yield text[place : match.start()]
        yield match[0]
        place = match.end()
    yield text[place:]


def _word(parts: Iterable[str]) -> str:
    """Pieces as a single word of a shell: literal texts, and references that it looks up."""
    listed = [part for part in parts if part]
    if all(REFERENCE.fullmatch(part) or _PLAIN.fullmatch(part) for part in listed):
        text = "".join(map(_looked_up, listed))
        return '"' + re.sub(r"\$\{(\w+)\}(?=:\$|$)", r"$\1", text) + '"'
    return "".join(
        f'"{_looked_up(part)}"' if REFERENCE.fullmatch(part) else shlex.quote(part)
        for part in listed
    )


def _looked_up(part: str) -> str:
    match = REFERENCE.fullmatch(part)
    if match is None:
        return part
    file = match[1].removeprefix("file:")
    return f"$(cat {shlex.quote(file)})" if file != match[1] else f"${{{match[1]}}}"
