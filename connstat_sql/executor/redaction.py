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
from connstat_sql.quoting import call, member, own

SECRET_KEYS = (
    r"(?i)(passw(or)?d|passphrase|secret|token|credential|authorization|cookie|jaas\.config"
    r"|connection[._-]?(uri|string)|user\.info|shared[._-]?access|(^|[._-])(pass|pwd|jwt|dsn|sas)$"
    r"|(access|account|aes|api|auth|certificate|client|consumer|cosmos|customer|encrypt(ion)?|hec"
    r"|hmac|integration|license|master|pem|private|routing|rsa|sas|shared|signing|ssl|storage"
    r"|subscription|keystore)[._-]?keys?([^a-z]|id|value|$)|(data|crypto|cipher)[._-]?keys?$|^key$"
    r"|(^|[._-])license$|(account|keyfile|key)[._-]json$)"
)
PUBLIC_KEYS = (
    r"(?i)([._-](class|classes|type|provider|providers|location|path|file|filename|url|endpoint|ms"
    r"|enable|enabled|mode|format|converter|serializer|deserializer|manager|expiry|lifetime"
    r"|algorithm|name|source|strategy|field|fields|column|columns|property|pointer|topic|topics)$"
    r"|tokenizer|max[._-]tokens$|auth\.mode$)"
)
SECRET_VALUES = (
    r"(?i)(://[^/\s:@]*:[^\s@]+@|thin:[^/\s@]+/[^\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\."
    r"|(passw(or)?d|pwd|secret|token|api[-_]?key|account_?key|access_?key|[?&;]sig)\s*=\s*[^\s;&]"
    r"|(authorization|cookie|api-key)\s*:\s*\S|\b(bearer|basic)\s+[\w.~+/=-]{8}"
    r"|\"[^\"]*(passw(or)?d|secret|token|api_?key|private_?key|access_?key)[^\"]*\"\s*:\s*\"[^\"])"
)
_LONGER_SECRETS = len("basic") + len(" ") + 8
"""Bytes of the shortest secret value with neither `:` nor `=` in it; looking for them is cheap."""
_HARMLESS = r"\*+|(\$\{[^}]*\})+|\[hidden\]"


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
    hashed = call("sha256", call("concat", literal(key), value))
    masked = call("concat", "'****'", call("substr", hashed, "1", "8"))
    harmless = f"{value} = '' OR {call('regexp_full_match', value, literal(_HARMLESS))}"
    return f"CASE WHEN {value} IS NULL OR {harmless} THEN {value} ELSE {masked} END"


def _matches(value: str, pattern: str) -> str:
    return call("regexp_matches", value, literal(pattern))


def _is_secret(name: str, value: str) -> str:
    """SQL for a WHEN, where DuckDB leaves out what is decided already; no value is no secret."""
    by_name = f"{_matches(name, SECRET_KEYS)} AND NOT {_matches(name, PUBLIC_KEYS)}"
    signs = " OR ".join(call("contains", value, sign) for sign in ("':'", "'='"))
    may_hold_one = f"{call('strlen', value)} >= {_LONGER_SECRETS} OR {signs}"
    by_value = f"({may_hold_one}) AND {_matches(value, SECRET_VALUES)}"
    return f"({name} IS NULL OR ({by_name}) OR ({by_value}))"


def _inside(of: SqlType, value: str, key: str, depth: int) -> str:
    """Masks the entries of every MAP inside a value whose keys name credentials."""
    if not _holds_map(of):
        return value
    if isinstance(of, Struct):
        fields = (
            f"{quote(name)} := {_inside(inner, member(value, name), key, depth)}"
            for name, inner in of.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {call('struct_pack', *fields)} END"
    one = quote(own(f"x{depth}"))
    if isinstance(of, ListOf):
        inside = _inside(of.element, one, key, depth + 1)
        return call("list_transform", value, f"lambda {one}: {inside}")
    assert isinstance(of, MapOf)
    return _masked_map(of, value, key, one)


def _masked_map(of: MapOf, value: str, key: str, one: str) -> str:
    name, entry = member(one, "key"), member(one, "value")
    if of.value == JSON:
        text = call("json_extract_string", entry, "'$'")
        json = call("to_json", mask(text, key))
        masked = f"CASE WHEN {text} IS NULL THEN {entry} ELSE {json} END"
    elif of.value == VARCHAR:
        text, masked = entry, mask(entry, key)
    else:
        return value
    chosen = f"CASE WHEN {_is_secret(name, text)} THEN {masked} ELSE {entry} END"
    packed = call("struct_pack", f"k := {name}", f"v := {chosen}")
    entries = call("list_transform", call("map_entries", value), f"lambda {one}: {packed}")
    made = call("map_from_entries", entries)
    if of.value == JSON:
        return made
    return f"CASE WHEN {_may_hold_secret(value)} THEN {made} ELSE {value} END"


def _may_hold_secret(value: str) -> str:
    """SQL that is true of every MAP with an entry to mask, and of some others.

    One look at all keys, a line each, and one at all values costs less than two at each entry.
    """
    lines = SECRET_KEYS.replace("(?i)", "(?im)", 1)
    return " OR ".join(
        _matches(_lines(call(texts, value)), pattern)
        for texts, pattern in (("map_keys", lines), ("map_values", SECRET_VALUES))
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
