"""Credentials in rows → masks, inside DuckDB, before any query sees them.

A mask is `****` and eight hexadecimal digits of a keyed hash: equal values have equal masks, so
comparing configurations still works, and nothing of the value can be read from it. It stands where
the secret stood: of a URL with a password all the rest stays. What holds no secret stays as it is:
empty text, references such as `${file:/secrets:pw}`, and what the vendor has masked itself.

The key of the hash is a column beside the rows: no text of a statement holds it, so that no log,
plan, profile or error does.
"""

from __future__ import annotations

from collections.abc import Callable

from connstat_sql.definitions import (
    JSON,
    VARCHAR,
    Column,
    ListOf,
    MapOf,
    Redaction,
    SqlType,
    Struct,
    literal,
    quote,
)
from connstat_sql.masks import MAY_HOLD, named_keys
from connstat_sql.masks.sql import cut, masked, may_hold, shown
from connstat_sql.quoting import call, member, own

MASK_KEY = own("mask_key")
"""The column that holds the key, beside the rows that are masked."""


def redacted(column: Column, value: str, by: str | None) -> str:
    """SQL for a column's value with its credentials masked, where `MASK_KEY` is a column too.

    `value` is SQL for the column, `by` SQL for the column that says which credential this is
    (None: there is none such).
    """
    if column.redaction is Redaction.NONE:
        return value
    if column.redaction is Redaction.KEYS:
        return _inside(column.type, value, 0)
    if column.redaction is Redaction.TEXT:
        return _texts(column.type, value, 0)
    return shown(by, value, _mask) if by is not None else masked(value, _mask)


def _mask(value: str) -> str:
    hashed = call("sha256", call("concat", quote(MASK_KEY), value))
    return call("concat", "'****'", call("substr", hashed, "1", "8"))


# --- inside a value ------------------------------------------------------------------------------


def _inside(of: SqlType, value: str, depth: int) -> str:
    """Masks the entries of every MAP inside a value whose keys or values tell of credentials."""
    if isinstance(of, MapOf):
        return _masked_map(of, value, depth)
    return _rebuilt(of, value, depth, _inside, _holds_map)


def _texts(of: SqlType, value: str, depth: int) -> str:
    """Masks what looks like a credential in every text inside a value."""
    if of == VARCHAR:
        return cut(value, _mask)
    if of == JSON:
        return _masked_json(value, lambda text: cut(text, _mask))
    rebuilt = _rebuilt(of, value, depth, _texts, _holds_text)
    if depth or rebuilt == value:
        return rebuilt
    return f"CASE WHEN {_any_may_hold(of, value, 0)} THEN {rebuilt} ELSE {value} END"


def _rebuilt(
    of: SqlType,
    value: str,
    depth: int,
    inner: Callable[[SqlType, str, int], str],
    holds: Callable[[SqlType], bool],
) -> str:
    if not holds(of):
        return value
    if isinstance(of, Struct) and inner is _texts:
        return _texts_of_struct(of, value, depth)
    if isinstance(of, Struct):
        fields = (
            f"{quote(name)} := {inner(field, member(value, name), depth + 1)}"
            for name, field in of.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {call('struct_pack', *fields)} END"
    item = quote(own(f"x{depth}"))
    if isinstance(of, ListOf):
        return call("list_transform", value, f"lambda {item}: {inner(of.element, item, depth + 1)}")
    assert isinstance(of, MapOf)
    name, entry = member(item, "key"), member(item, "value")
    packed = call("struct_pack", f"k := {name}", f"v := {inner(of.value, entry, depth + 1)}")
    entries = call("list_transform", call("map_entries", value), f"lambda {item}: {packed}")
    return call("map_from_entries", entries)


def _texts_of_struct(of: Struct, value: str, depth: int) -> str:
    """Masks all texts of a STRUCT as one list, as what masks one is long."""
    names = [name for name, field in of.fields if field == VARCHAR]
    shown_texts, item = quote(own(f"s{depth}")), quote(own(f"t{depth}"))
    fields = []
    for name, field in of.fields:
        if field == VARCHAR:
            inside = call("list_extract", shown_texts, str(names.index(name) + 1))
        else:
            inside = _texts(field, member(value, name), depth + 1)
        fields.append(f"{quote(name)} := {inside}")
    texts = call("list_value", *(member(value, name) for name in names))
    texts = call("list_transform", texts, f"lambda {item}: {cut(item, _mask)}")
    packed = f"lambda {shown_texts}: {call('struct_pack', *fields)}"
    made = call("list_transform", call("list_value", texts if names else "NULL"), packed)
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {call('list_extract', made, '1')} END"


def _any_may_hold(of: SqlType, value: str, depth: int) -> str:
    """SQL that is true where a text inside a value holds a credential; it builds nothing."""
    if of == VARCHAR:
        return f"coalesce({may_hold(value)}, false)"
    if of == JSON:
        return f"coalesce({may_hold(f'CAST({value} AS VARCHAR)')}, false)"
    if isinstance(of, Struct):
        inside = [
            _any_may_hold(field, member(value, name), depth + 1)
            for name, field in of.fields
            if _holds_text(field)
        ]
        return f"({' OR '.join(inside)})"
    values = call("map_values", value) if isinstance(of, MapOf) else value
    assert isinstance(of, (ListOf, MapOf))
    item = quote(own(f"y{depth}"))
    looks = _any_may_hold(of.element if isinstance(of, ListOf) else of.value, item, depth + 1)
    looked = call("list_transform", values, f"lambda {item}: {looks}")
    return f"coalesce({call('list_aggregate', looked, literal('bool_or'))}, false)"


def _masked_json(value: str, seen: Callable[[str], str]) -> str:
    """SQL for a JSON value, masked as its text is; what would be no JSON then is one mask."""
    text = call("json_extract_string", value, "'$'")
    masked_text = quote(own("masked"))
    chosen = (
        f"CASE WHEN {masked_text} IS NULL OR {masked_text} = {text} THEN {value}"
        f" WHEN {call('json_type', value)} = 'VARCHAR' THEN {call('to_json', masked_text)}"
        f" WHEN {call('json_valid', masked_text)} THEN CAST({masked_text} AS JSON)"
        f" ELSE {call('to_json', _mask(text))} END"
    )
    once = call("list_value", seen(text))
    return call(
        "list_extract", call("list_transform", once, f"lambda {masked_text}: {chosen}"), "1"
    )


def _masked_map(of: MapOf, value: str, depth: int) -> str:
    item = quote(own(f"x{depth}"))
    name, entry = member(item, "key"), member(item, "value")
    if of.value == JSON:
        chosen = _masked_json(entry, lambda text: shown(name, text, _mask))
    elif of.value == VARCHAR:
        chosen = shown(name, entry, _mask)
    else:
        return value
    packed = call("struct_pack", f"k := {name}", f"v := {chosen}")
    entries = call("list_transform", call("map_entries", value), f"lambda {item}: {packed}")
    made = call("map_from_entries", entries)
    if of.value == JSON:
        return made
    return f"CASE WHEN {_map_may_hold(value)} THEN {made} ELSE {value} END"


def _map_may_hold(value: str) -> str:
    """SQL that is true of every MAP with an entry to mask, and of some others.

    One look at all keys, a line each, and one at all values costs less than two at each entry.
    """
    names = named_keys().replace("(?i)", "(?im)")
    return " OR ".join(
        call("regexp_matches", _lines(call(texts, value)), literal(pattern))
        for texts, pattern in (("map_keys", names), ("map_values", MAY_HOLD))
    )


def _lines(texts: str) -> str:
    """SQL that writes a list of texts a line each. DuckDB's `array_to_string` is a macro itself."""
    return call("list_aggregate", texts, literal("string_agg"), call("chr", "10"))


def _holds_map(of: SqlType) -> bool:
    if isinstance(of, MapOf):
        return True
    if isinstance(of, ListOf):
        return _holds_map(of.element)
    return isinstance(of, Struct) and any(_holds_map(inner) for _, inner in of.fields)


def _holds_text(of: SqlType) -> bool:
    if isinstance(of, ListOf):
        return _holds_text(of.element)
    if isinstance(of, MapOf):
        return _holds_text(of.value)
    if isinstance(of, Struct):
        return any(_holds_text(inner) for _, inner in of.fields)
    return of in (VARCHAR, JSON)
