"""The rule as SQL, for settings that no API has sent: a value beside its name, without secrets."""

from __future__ import annotations

from connstat_sql.definitions.quoting import call, literal, own, quote
from connstat_sql.redaction.names import (
    documented_keys,
    hook_keys,
    partly_secret_keys,
    public_keys,
    secret_keys,
)
from connstat_sql.redaction.values import (
    BEGIN,
    EMPTY,
    END,
    KEEP,
    LEFT,
    MAY_HOLD,
    Pass,
    hook_pass,
    passes,
)

_MASK = "****"


def _masked(value: str) -> str:
    """SQL that masks one text as a whole, unless it is a reference or hidden already."""
    is_left = call("regexp_full_match", value, literal(LEFT))
    is_left = f"{value} IS NULL OR {value} = '' OR {is_left}"
    return f"CASE WHEN {is_left} THEN {value} ELSE {literal(_MASK)} END"


def _matches(value: str, pattern: str) -> str:
    return call("regexp_matches", value, literal(pattern))


def shown(name: str, value: str) -> str:
    """SQL for a value beside its name, as `arrays.shown` answers it, with `****` for a secret."""
    is_hook, is_partly = _matches(name, hook_keys()), _matches(name, partly_secret_keys())
    is_url = call("contains", value, literal("://"))
    is_path = call("starts_with", value, literal("/"))
    is_strict = f"(({is_hook} OR {is_partly}) AND NOT ({is_url} OR {is_path}))"
    text, left, whole = quote(own("text")), quote(own("left")), _masked(value)
    hook = _replaced(_bare(text), hook_pass())
    marked = f"CASE WHEN {is_hook} THEN {hook} ELSE {_bare(text)} END"
    chosen = f"CASE WHEN {left} = {value} AND {is_strict} THEN {whole} ELSE {left} END"
    rest = _once(value, text, _once(_cut(marked), left, chosen))
    return (
        f"CASE WHEN {value} IS NULL THEN NULL"
        f" WHEN {name} IS NULL OR {_is_secret_name(name)} THEN {whole}"
        f" WHEN {_matches(value, MAY_HOLD)} OR ({is_hook} AND {is_url}) THEN {rest}"
        f" WHEN {is_strict} THEN {whole} ELSE {value} END"
    )


def _is_secret_name(name: str) -> str:
    return (
        f"({_matches(name, secret_keys())} AND (NOT {_matches(name, public_keys())}"
        f" OR {_matches(name, documented_keys())}))"
    )


def _once(value: str, name: str, of_it: str) -> str:
    """SQL over a value that has a name in it.

    In a lambda DuckDB compiles patterns when it comes to them: most rows never do.
    """
    made = call("list_transform", call("list_value", value), f"lambda {name}: {of_it}")
    return call("list_extract", made, "1")


def _bare(value: str) -> str:
    """SQL for a text without the signs that we put into it."""
    return call("translate", value, literal(BEGIN + KEEP + END), "''")


def _replaced(value: str, by: Pass) -> str:
    text = call("regexp_replace", value, literal(by.pattern), literal(by.replacement), "'g'")
    for signs in EMPTY:
        text = call("replace", text, literal(signs), "''")
    return text


def _cut(marked: str) -> str:
    """SQL that masks the secrets in a text: signs are put around them, it is cut at those."""
    for pass_ in passes():
        marked = _replaced(marked, pass_)
    piece = quote(own("piece"))
    parts = call("string_split", piece, literal(BEGIN))  # split_part is a macro over others
    before, secret = (call("list_extract", parts, place) for place in ("1", "2"))
    seen = call("concat", call("translate", before, literal(KEEP), "''"), _masked(secret))
    pieces = call("string_split", marked, literal(END))
    seen = call("list_transform", pieces, f"lambda {piece}: {seen}")
    return call("list_aggregate", seen, literal("string_agg"), "''")
