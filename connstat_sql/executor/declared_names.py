"""Names of settings, NULL where plugins declare them secret: what has no name is masked whole.

What was learnt of a page stands beside its rows; a page of which nothing was learnt costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa

from connstat_sql.definitions.model import JSON, Column, MapOf
from connstat_sql.definitions.quoting import own
from connstat_sql.fetch import names_key

LEARNT = own("learnt")
"""The column that holds what was learnt, JSON or ""."""


def names_of_entries(column: Column, settings: pa.MapArray, learnt: pa.StringArray) -> pa.Array:
    """The keys of maps of settings, NULL where they are declared secret."""
    if not any(learnt.unique().to_pylist()):
        return settings.keys
    return pa.array(_known_keys(column, settings, learnt), pa.string())


def _known_keys(
    column: Column, settings: pa.MapArray, learnt: pa.StringArray
) -> Iterator[str | None]:
    secret, keys, items = column.secret_keys, settings.keys.to_pylist(), settings.items
    assert secret is not None
    offsets = settings.offsets.to_pylist()
    yield from keys[: offsets[0]]
    for (begin, end), said in zip(pairwise(offsets), learnt.to_pylist(), strict=True):
        own_keys = keys[begin:end]
        if not said or secret.setting not in own_keys:
            yield from own_keys
            continue
        owner = items[begin + own_keys.index(secret.setting)].as_py()
        if column.type == MapOf(JSON) and owner is not None:
            owner = json.loads(owner)
        names = _names(said, column.name, str(owner))
        yield from (None if key in names else key for key in own_keys)
    yield from keys[offsets[-1] :]


def names_of_rows(
    column: Column, names: pa.ChunkedArray, owners: Sequence[str], learnt: pa.StringArray
) -> pa.ChunkedArray:
    """The names of settings that are rows, NULL where they are declared secret."""
    if not any(learnt.unique().to_pylist()):
        return names
    rows = zip(names.to_pylist(), owners, learnt.to_pylist(), strict=True)
    known = [
        None if said and name in _names(said, column.name, owner) else name
        for name, owner, said in rows
    ]
    return pa.chunked_array([pa.array(known, pa.string())])


def _names(said: str, column: str, owner: str) -> frozenset[str]:
    return _by_key(said).get(names_key(column, owner), frozenset())


@lru_cache(maxsize=16)
def _by_key(said: str) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in json.loads(said).items()}
