"""Credentials in rows → masks, inside DuckDB, before any query sees them.

A mask is `****` and eight hexadecimal digits of a keyed hash: equal values have equal masks, so
comparing configurations still works, and nothing of the value can be read from it. What holds no
secret stays as it is: empty text, references such as `${file:/secrets:pw}`, and what the vendor
has masked itself.
"""

from __future__ import annotations

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

SECRET_KEYS = (
    r"(?i)(passw(or)?d|passphrase|secret|token|credential|jaas\.config|connection\.uri"
    r"|user\.info|(api|access|private|account|shared|license|encryption|signing|storage)[._-]?key"
    r"|^key$|ssl\.key$|sas[._-]?key)"
)
PUBLIC_KEYS = (
    r"(?i)(\.(class|classes|type|provider|providers|location|path|file|filename|url|endpoint|ms"
    r"|enable|enabled|mode|format|converter|serializer|deserializer|manager|expiry|lifetime"
    r"|algorithm|name)$|tokenizer|\.token\.(endpoint|url))"
)
SECRET_VALUES = (
    r"://[^/\s:@]+:[^/\s@]+@|(?i)(password|passwd|secret|token|api[-_]?key)\s*=\s*[^\s;&]+"
)
_HARMLESS = r"\*+|\$\{[^}]*\}|\[hidden\]"


def redacted(column: Column, value: str, key: str, by: str | None) -> str:
    """SQL for a column's value with its credentials masked.

    `value` is SQL for the column, `key` the secret of the mask, `by` SQL for the column that says
    which credential this is (None: there is none such).
    """
    if column.redaction is Redaction.NONE:
        return value
    if column.redaction is Redaction.KEYS:
        return _inside(column.type, value, key, 0)
    if by is not None:
        return f"CASE WHEN {_is_secret(by, value)} THEN {mask(value, key)} ELSE {value} END"
    return mask(value, key)


def mask(value: str, key: str) -> str:
    """SQL that masks one text."""
    hashed = f"substr(sha256({literal(key)} || {value}), 1, 8)"
    harmless = f"{value} = '' OR regexp_full_match({value}, {literal(_HARMLESS)})"
    return f"CASE WHEN {value} IS NULL OR {harmless} THEN {value} ELSE '****' || {hashed} END"


def _is_secret(name: str, value: str) -> str:
    by_name = (
        f"regexp_matches({name}, {literal(SECRET_KEYS)}) "
        f"AND NOT regexp_matches({name}, {literal(PUBLIC_KEYS)})"
    )
    return f"(({by_name}) OR coalesce(regexp_matches({value}, {literal(SECRET_VALUES)}), false))"


def _inside(of: SqlType, value: str, key: str, depth: int) -> str:
    """Masks the entries of every MAP inside a value whose keys name credentials."""
    if not _holds_map(of):
        return value
    if isinstance(of, Struct):
        fields = ", ".join(
            f"{quote(name)} := {_inside(inner, f'{value}.{quote(name)}', key, depth)}"
            for name, inner in of.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({fields}) END"
    one = f"x{depth}"
    if isinstance(of, ListOf):
        return f"list_transform({value}, lambda {one}: {_inside(of.element, one, key, depth + 1)})"
    assert isinstance(of, MapOf)
    return _masked_map(of, value, key, one)


def _masked_map(of: MapOf, value: str, key: str, one: str) -> str:
    entry = f"{one}.value"
    if of.value == JSON:
        text = f"({entry} ->> '$')"
        masked = f"CASE WHEN {text} IS NULL THEN {entry} ELSE to_json({mask(text, key)}) END"
    elif of.value == VARCHAR:
        text, masked = entry, mask(entry, key)
    else:
        return value
    chosen = f"CASE WHEN {_is_secret(f'{one}.key', text)} THEN {masked} ELSE {entry} END"
    return (
        f"map_from_entries(list_transform(map_entries({value}), "
        f"lambda {one}: struct_pack(k := {one}.key, v := {chosen})))"
    )


def _holds_map(of: SqlType) -> bool:
    if isinstance(of, MapOf):
        return True
    if isinstance(of, ListOf):
        return _holds_map(of.element)
    return isinstance(of, Struct) and any(_holds_map(inner) for _, inner in of.fields)
