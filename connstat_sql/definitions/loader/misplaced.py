"""Where the words of definitions and connections belong, for those that stand elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import msgspec

from connstat_sql.definitions.loader.documents import (
    ColumnDocument,
    LimitsDocument,
    MethodDocument,
    PagingDocument,
    ParamDocument,
    ProviderDocument,
    ResourceDocument,
    RowsDocument,
    ServiceDocument,
)

_DOCUMENTS = (
    (ProviderDocument, "at the top of provider.yaml"),
    (LimitsDocument, "under `limits` in provider.yaml"),
    (ServiceDocument, "at the top of the service's file"),
    (ResourceDocument, "in a resource"),
    (MethodDocument, "under a method"),
    (PagingDocument, "under `paging`"),
    (RowsDocument, "under `rows`"),
    (ParamDocument, "under a parameter"),
    (ColumnDocument, "under a column"),
)
CONNECTION_WORDS = frozenset({
    "ca_file", "client_cert", "client_key", "connect_timeout", "host_concurrency", "host_rate",
    "max_age", "max_concurrency", "proxy", "timeout", "verify",
})  # fmt: skip
"""What a connection alone says."""
_COMMON = 2
"""A word with more homes than these is a common one, and stands elsewhere by chance."""


def homes_of(word: str, known: Collection[str] = ()) -> str:
    """Where a word belongs that is none of those known at a place; "" where it is no word of ours.

    One that is `known` there belongs there.
    """
    homes = [] if word in known else list(_homes().get(word, ()))
    if word in CONNECTION_WORDS and word not in known:
        homes.append("in a connection of connstat.toml")
    return f"`{word}` stands {' or '.join(homes)}" if 0 < len(homes) <= _COMMON else ""


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    homes: dict[str, tuple[str, ...]] = {}
    for document, place in _DOCUMENTS:
        for field in msgspec.structs.fields(document):
            homes[field.encode_name] = (*homes.get(field.encode_name, ()), place)
    return homes
