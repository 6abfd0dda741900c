"""Types that a column may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from connstat_sql.definitions.quoting import quote


@dataclass(frozen=True, slots=True)
class Scalar:
    """A DuckDB type without parts, spelt as DuckDB prints it: `VARCHAR`, `DECIMAL(38,12)`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Struct:
    """`STRUCT(name type, …)`; field names are the keys of the JSON object."""

    fields: tuple[tuple[str, SqlType], ...]

    def __str__(self) -> str:
        inside = ", ".join(f"{quote(name)} {of}" for name, of in self.fields)
        return f"STRUCT({inside})"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`element[]`."""

    element: SqlType

    def __str__(self) -> str:
        return f"{self.element}[]"


@dataclass(frozen=True, slots=True)
class MapOf:
    """`MAP(VARCHAR, value)`: a JSON object whose keys are values of their own."""

    value: SqlType

    def __str__(self) -> str:
        return f"MAP(VARCHAR, {self.value})"


SqlType = Union[Scalar, Struct, ListOf, MapOf]


def is_whole_number(of: SqlType) -> bool:
    """Whether its values are whole numbers: `TINYINT` to `HUGEINT`, with a sign or without."""
    return str(of).endswith("INT") or str(of) == "INTEGER"


VARCHAR = Scalar("VARCHAR")
JSON = Scalar("JSON")
TIMESTAMPTZ = Scalar("TIMESTAMP WITH TIME ZONE")
