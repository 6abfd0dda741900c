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
from connstat_sql.masks import (
    BEGIN,
    END,
    KEEP,
    LEFT,
    MAY_HOLD,
    Pass,
    documented_keys,
    hook_keys,
    hook_pass,
    partly_secret_keys,
    passes,
    public_keys,
    secret_keys,
)
from connstat_sql.quoting import call, member, own

MASK_KEY = own("mask_key")
"""The column that holds the key, beside the rows that are masked."""
_SHORTEST = len("pin=") + 1
"""Bytes of the shortest text that is looked into."""


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
    return _shown(by, value) if by is not None else masked(value)


def masked(value: str) -> str:
    """SQL that masks one text as a whole."""
    return f"CASE WHEN {value} IS NULL OR {_is_left(value)} THEN {value} ELSE {_mask(value)} END"


def _mask(value: str) -> str:
    hashed = call("sha256", call("concat", quote(MASK_KEY), value))
    return call("concat", "'****'", call("substr", hashed, "1", "8"))


def _is_left(value: str) -> str:
    return f"{value} = '' OR {call('regexp_full_match', value, literal(LEFT))}"


def _matches(value: str, pattern: str) -> str:
    return call("regexp_matches", value, literal(pattern))


def _shown(name: str, value: str) -> str:
    """SQL for a value beside its name; DuckDB leaves out what is decided already."""
    is_hook, is_partly = (
        _matches(name, pattern) for pattern in (hook_keys(), partly_secret_keys())
    )
    is_url = call("contains", value, literal("://"))
    is_path = call("starts_with", value, literal("/"))
    hook = _replaced(_bare(value), hook_pass())
    marked = f"CASE WHEN {is_hook} THEN {hook} ELSE {_bare(value)} END"
    is_strict = f"(({is_hook} OR {is_partly}) AND NOT ({is_url} OR {is_path}))"
    cut = quote(own("cut"))
    chosen = f"CASE WHEN {cut} = {value} AND {is_strict} THEN {masked(value)} ELSE {cut} END"
    once = call("list_transform", call("list_value", _cut(marked)), f"lambda {cut}: {chosen}")
    return (
        f"CASE WHEN {value} IS NULL THEN NULL"
        f" WHEN {name} IS NULL OR {_is_secret_name(name)} THEN {masked(value)}"
        f" WHEN {_may_hold_one(value)} OR ({is_hook} AND {is_url})"
        f" THEN {call('list_extract', once, '1')}"
        f" WHEN {is_strict} THEN {masked(value)} ELSE {value} END"
    )


def _is_secret_name(name: str) -> str:
    return (
        f"({_matches(name, secret_keys())} AND (NOT {_matches(name, public_keys())}"
        f" OR {_matches(name, documented_keys())}))"
    )


def _may_hold_one(value: str) -> str:
    return f"({call('strlen', value)} >= {_SHORTEST} AND {_matches(value, MAY_HOLD)})"


def _cut_where_needed(value: str) -> str:
    return f"CASE WHEN {_may_hold_one(value)} THEN {_cut(_bare(value))} ELSE {value} END"


def _bare(value: str) -> str:
    """SQL for a text without the signs that we put into it."""
    return call("translate", value, literal(BEGIN + KEEP + END), "''")


def _replaced(value: str, by: Pass) -> str:
    return call("regexp_replace", value, literal(by.pattern), literal(by.replacement), "'g'")


def _cut(marked: str) -> str:
    """SQL that masks the secrets in a text: signs are put around them, it is cut at those."""
    for one in passes():
        marked = _replaced(marked, one)
    piece = quote(own("piece"))
    before, secret = (call("split_part", piece, literal(BEGIN), place) for place in ("1", "2"))
    shown = call("concat", call("translate", before, literal(KEEP), "''"), masked(secret))
    pieces = call("string_split", marked, literal(END))
    shown = call("list_transform", pieces, f"lambda {piece}: {shown}")
    return call("list_aggregate", shown, literal("string_agg"), "''")


# --- inside a value ------------------------------------------------------------------------------


def _inside(of: SqlType, value: str, depth: int) -> str:
    """Masks the entries of every MAP inside a value whose keys or values tell of credentials."""
    if isinstance(of, MapOf):
        return _masked_map(of, value, depth)
    return _rebuilt(of, value, depth, _inside, _holds_map)


def _texts(of: SqlType, value: str, depth: int) -> str:
    """Masks what looks like a credential in every text inside a value."""
    if of == VARCHAR:
        return _cut_where_needed(value)
    if of == JSON:
        return _masked_json(value, _cut_where_needed)
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
    if isinstance(of, Struct):
        fields = (
            f"{quote(name)} := {inner(field, member(value, name), depth + 1)}"
            for name, field in of.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {call('struct_pack', *fields)} END"
    item = quote(own(f"x{depth}"))
    if isinstance(of, ListOf):
        return call(
            "list_transform", value, f"lambda {item}: {inner(of.element, item, depth + 1)}"
        )
    assert isinstance(of, MapOf)
    name, entry = member(item, "key"), member(item, "value")
    packed = call("struct_pack", f"k := {name}", f"v := {inner(of.value, entry, depth + 1)}")
    entries = call("list_transform", call("map_entries", value), f"lambda {item}: {packed}")
    return call("map_from_entries", entries)


def _any_may_hold(of: SqlType, value: str, depth: int) -> str:
    """SQL that is true where a text inside a value holds a credential; it builds nothing."""
    if of == VARCHAR:
        return f"coalesce({_may_hold_one(value)}, false)"
    if of == JSON:
        return f"coalesce({_may_hold_one(f'CAST({value} AS VARCHAR)')}, false)"
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


def _masked_json(value: str, shown: Callable[[str], str]) -> str:
    """SQL for a JSON value, masked as its text is; what would be no JSON then is one mask."""
    text = call("json_extract_string", value, "'$'")
    masked_text = quote(own("masked"))
    chosen = (
        f"CASE WHEN {masked_text} IS NULL OR {masked_text} = {text} THEN {value}"
        f" WHEN {call('json_type', value)} = 'VARCHAR' THEN {call('to_json', masked_text)}"
        f" WHEN {call('json_valid', masked_text)} THEN CAST({masked_text} AS JSON)"
        f" ELSE {call('to_json', _mask(text))} END"
    )
    once = call("list_transform", call("list_value", shown(text)), f"lambda {masked_text}: {chosen}")
    return call("list_extract", once, "1")


def _masked_map(of: MapOf, value: str, depth: int) -> str:
    item = quote(own(f"x{depth}"))
    name, entry = member(item, "key"), member(item, "value")
    if of.value == JSON:
        chosen = _masked_json(entry, lambda text: _shown(name, text))
    elif of.value == VARCHAR:
        chosen = _shown(name, entry)
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
    names = "|".join(one().removeprefix("(?i)") for one in (secret_keys, partly_secret_keys, hook_keys))
    return " OR ".join(
        _matches(_lines(call(texts, value)), pattern)
        for texts, pattern in (("map_keys", f"(?im){names}"), ("map_values", MAY_HOLD))
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
