"""Values that a column is known to have, or a field of it: `allowed` and `documented`."""

from __future__ import annotations

from collections.abc import Iterator

from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import VARCHAR, KnownValues, ListOf, SqlType, Struct

_BY_FIELD = "of a STRUCT, or a list of them, say it by field:  {state: [RUNNING, FAILED]}"


def known_values(
    values: list[str] | dict[str, list[str]], type_: SqlType, path: KeyPath, findings: Findings
) -> Iterator[KnownValues]:
    """What a word says of a column; each has to be of a text. The last of `path` is the word."""
    by_field = values if isinstance(values, dict) else {"": values} if values else {}
    for place, texts in by_field.items():
        names = tuple(place.lower().split(".")) if place else ()
        if _type_of(type_, names) != VARCHAR:
            what = f"a field {place} of the type VARCHAR" if place else "the type VARCHAR"
            hint = _BY_FIELD if not place and isinstance(type_, (Struct, ListOf)) else ""
            findings.add(path, f"`{path[-1]}` needs {what}", hint)
        yield KnownValues(names, tuple(texts), path[-1] == "allowed")


def _type_of(type_: SqlType, names: tuple[str, ...]) -> SqlType | None:
    """The type of a field, through lists on the way; None where there is no such field."""
    for name in names:
        while isinstance(type_, ListOf):
            type_ = type_.element
        fields = {key.lower(): of for key, of in type_.fields} if isinstance(type_, Struct) else {}
        if name not in fields:
            return None
        type_ = fields[name]
    return type_
