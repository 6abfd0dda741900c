"""What a kept fetch is known by: the shape of its rows, whose they are, and what was asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.model import Method, Provider, Redaction, Resource, TableName
from connstat_sql.errors import ConnstatError
from connstat_sql.fetch import Fetch
from connstat_sql.transport import Connection

VERSION = 3
"""Of what is kept and how: rows of another version are never read."""


@dataclass(frozen=True, slots=True)
class CachedShape:
    """Rows of one method of one table, as they are kept: all columns that the method serves.

    `columns` are names and DuckDB types. `name` holds a digest of the definition, so that rows
    that were read by another one are never found.
    """

    name: str
    table: TableName
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name, _ in self.columns)


def cached_shape(resource: Resource, method: Method, *, is_public: bool = False) -> CachedShape:
    """The kind of a method's rows; with `is_public` without the columns that hold credentials."""
    columns = dict(_columns(resource, method))
    if is_public:
        columns = {n: of for n, of in columns.items() if n not in redacted(resource)}
    written = repr((VERSION, resource.columns, resource.params, method, tuple(columns)))
    digest = hashlib.sha256(written.encode()).hexdigest()[:16]
    return CachedShape(f"rows_{digest}", resource.table, tuple(columns.items()))


def served(resource: Resource, method: Method) -> tuple[str, ...]:
    """All columns that a method's rows have: what a scan fetches so that its rows can be kept."""
    return tuple(name for name, _ in _columns(resource, method))


def _columns(resource: Resource, method: Method) -> Iterator[tuple[str, str]]:
    for column in resource.columns:
        if method.columns.get(column.name, column.path) is not None:
            yield column.name, str(column.type)
    for param in resource.params:
        if param.name in method.fills and param.name not in method.required:
            yield param.name, str(param.type)


def redacted(resource: Resource) -> frozenset[str]:
    """Columns that hold credentials, masked or not: they never reach the disk.

    Texts that may quote some do, masked; rows in clear text are in no file at all.
    """
    kinds = (Redaction.KEYS, Redaction.VALUE)
    return frozenset(c.name for c in resource.columns if c.redaction in kinds)


def keys_of(fetch: Fetch, account: str) -> tuple[str, ...]:
    """The keys of fetches whose rows hold those of this one: its own, and that without filters.

    Arguments that make no request are not in it: the rows are the same for each of their values.
    """
    filters = sorted(
        [filter_.column, repr(filter_.key), list(values)] for filter_, values in fetch.filters
    )
    own = _key(fetch, account, filters)
    return (own, _key(fetch, account, [])) if filters else (own,)


def _key(fetch: Fetch, account: str, filters: Sequence[Sequence[object]]) -> str:
    asked = {name: fetch.arguments[name] for name in sorted(fetch.method.required)}
    return json.dumps([fetch.connection, account, asked, filters], ensure_ascii=True)


def is_public(fetch: Fetch) -> bool:
    """Whether a fetch may be told on disk: a filter on a credential may not."""
    return redacted(fetch.resource).isdisjoint(filter_.column for filter_, _ in fetch.filters)


def account_of(provider: Provider, connection: Connection, environment: Mapping[str, str]) -> str:
    """Sixteen digits that differ for connections of one name that see different rows.

    Of each credential go 16 bits of a slow hash into it: enough to tell two accounts apart, too
    little to find the credential. "" when the connection cannot be used; what is wrong with it is
    said where it is used.
    """
    resolver = Resolver(provider, connection, environment)
    secret = {setting.name for setting in provider.settings if setting.is_secret}
    try:
        said = [",".join(resolver.base_urls())]
        for name in sorted({setting.name for setting in provider.settings}):
            value = resolver.setting(name) if name in connection.settings else None
            said.append(_short(value, said[0]) if value and name in secret else str(value))
        for name, text in sorted(connection.headers.items()):
            said += [name, _short(resolver.resolve(text), said[0])]
    except ConnstatError:
        return ""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def accounts(
    connections: Mapping[str, Connection],
    provider: Callable[[str], Provider | None],
    environment: Mapping[str, str],
) -> Callable[[str], str]:
    """Connection's name → its `account_of`, found out once."""

    @cache
    def account(name: str) -> str:
        connection = connections[name]
        definition = provider(connection.provider)
        return "" if definition is None else account_of(definition, connection, environment)

    return account


def _short(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=2).hex()
