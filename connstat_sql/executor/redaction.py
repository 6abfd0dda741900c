"""Credentials in rows → masks, before DuckDB has a table of them.

A mask is `****` and eight hexadecimal digits of a keyed hash: equal values have equal masks, so
comparing configurations still works, and nothing of the value can be read from it. It stands where
the secret stood: of a URL with a password all the rest stays. What holds no secret stays as it is:
empty text, references such as `${file:/secrets:pw}`, and what the vendor has masked itself.

Names of settings are NULL where plugins declare them secret: what has no name is masked whole.
What was learnt of a page stands beside its rows; a page of which nothing was learnt costs nothing.

The key of the hash never reaches DuckDB: no log, plan, profile or error of it can hold it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.compute as pc

from connstat_sql.definitions.model import (
    JSON,
    VARCHAR,
    Column,
    ListOf,
    MapOf,
    Redaction,
    SqlType,
    Struct,
)
from connstat_sql.definitions.quoting import own
from connstat_sql.fetch import names_key
from connstat_sql.redaction.arrays import cut, in_json, shown, whole

_DIGITS = 8
_TEXTS = (pa.large_string(), pa.string_view())
_VIEWS = (pa.ListViewType, pa.LargeListViewType)
_Inner = Callable[[SqlType, pa.Array], pa.Array]


class Redactor:
    """Masks columns by one key: equal secrets have equal masks in all of them."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def column(
        self,
        column: Column,
        values: pa.ChunkedArray,
        by: pa.ChunkedArray | None,
        names: pa.Array | None = None,
    ) -> pa.Array:
        """A column's values with their credentials masked.

        `by` are those of the column that says which credential each is (None: there is none).
        `names` stand for the keys of its maps, NULL where all of a value is secret.
        """
        array = together(values)
        if column.redaction is Redaction.KEYS:
            return self._inside(column.type, array, names)
        if column.redaction is Redaction.TEXT:
            return self._texts(column.type, array)
        return whole(array, self._mask) if by is None else self._shown(together(by), array)

    def _mask(self, secret: str) -> str:
        hashed = hashlib.sha256(self._key + secret.encode()).hexdigest()
        return f"****{hashed[:_DIGITS]}"

    def _shown(self, names: pa.Array, values: pa.Array) -> pa.Array:
        return shown(names, values, self._mask)

    def _inside(self, of: SqlType, values: pa.Array, names: pa.Array | None = None) -> pa.Array:
        """Masks the entries of every MAP inside a value whose keys or values tell of secrets."""
        if isinstance(of, MapOf) and of.value in (VARCHAR, JSON):
            keys = values.keys if names is None else names
            if of.value == VARCHAR:
                return _rebuilt(of, values, lambda _, items: self._shown(keys, items))
            return _rebuilt(of, values, lambda _, items: in_json(
                items, lambda texts: self._shown(keys, texts), self._mask
            ))  # fmt: skip
        return _rebuilt(of, values, self._inside)

    def _texts(self, of: SqlType, values: pa.Array) -> pa.Array:
        """Masks what looks like a credential in every text inside a value."""
        if of == VARCHAR:
            return cut(values, self._mask)
        if of == JSON:
            return in_json(values, lambda texts: cut(texts, self._mask), self._mask)
        return _rebuilt(of, values, self._texts)


def _rebuilt(of: SqlType, values: pa.Array, inner: _Inner) -> pa.Array:
    """A value with what is right inside it replaced; one without parts as it is."""
    nulls = values.is_null()
    if isinstance(of, ListOf):
        elements = inner(of.element, values.values)
        return pa.ListArray.from_arrays(values.offsets, elements, mask=nulls)
    if isinstance(of, MapOf):
        items = inner(of.value, values.items)
        return pa.MapArray.from_arrays(values.offsets, values.keys, items, mask=nulls)
    if isinstance(of, Struct):
        fields = [inner(field, values.field(at)) for at, (_, field) in enumerate(of.fields)]
        return pa.StructArray.from_arrays(fields, [name for name, _ in of.fields], mask=nulls)
    return values


def together(values: pa.ChunkedArray) -> pa.Array:
    """Chunks as one array from its start on: a part of an array has no parts of its own."""
    return _usual(pa.concat_arrays([*values.chunks, pa.array([], values.type)]))


def _usual(values: pa.Array) -> pa.Array:
    """The same values as texts, lists and maps of the usual types.

    By settings of its user DuckDB hands over others, such as `large_string` and `list_view`.
    """
    of, nulls = values.type, values.is_null()
    if isinstance(of, _VIEWS):
        lengths = (length or 0 for length in pc.list_value_length(values).to_pylist())
        offsets = pa.array(accumulate(lengths, initial=0), pa.int32())
        return pa.ListArray.from_arrays(offsets, _usual(values.flatten()), mask=nulls)
    if isinstance(of, (pa.ListType, pa.LargeListType)):
        elements, offsets = _usual(values.values), values.offsets.cast(pa.int32())
        return pa.ListArray.from_arrays(offsets, elements, mask=nulls)
    if isinstance(of, pa.MapType):
        keys, items = _usual(values.keys), _usual(values.items)
        return pa.MapArray.from_arrays(values.offsets, keys, items, mask=nulls)
    if isinstance(of, pa.StructType):
        fields = [_usual(values.field(at)) for at in range(of.num_fields)]
        return pa.StructArray.from_arrays(fields, [field.name for field in of], mask=nulls)
    return values.cast(pa.string()) if of in _TEXTS else values


# --- names of settings that plugins declare secret ---------------------------------------------

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
