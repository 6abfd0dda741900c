"""All rows of a shop's tables in DuckDB: made here, or those that another generator left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from connstat_sql.definitions.loader import Library
from connstat_sql.definitions.model import Resource, literal, quote


@dataclass(frozen=True, slots=True)
class Shop:
    """A service of a made-up provider. `home` holds `data.sql`, which makes the rows, and the
    folder `providers` with the definitions.
    """

    provider: str
    service: str
    home: Path

    @property
    def providers(self) -> Path:
        """Where the definitions are."""
        return self.home / "providers"

    @property
    def schema(self) -> str:
        """What stands before a table's name."""
        return f"{self.provider}.{self.service}"

    def resources(self) -> tuple[Resource, ...]:
        """The tables as they are defined."""
        service = Library([self.providers]).service(self.provider, self.service)
        assert service is not None
        return tuple(service.resources.values())

    def full_copies(self, folder: Path | None = None) -> duckdb.DuckDBPyConnection:
        """A DuckDB that holds all rows; with a folder, those of its files `<table>.parquet`."""
        copies = duckdb.connect(config={"python_enable_replacements": False})
        copies.execute(f"ATTACH ':memory:' AS {self.provider}")
        copies.execute(f"CREATE SCHEMA {self.schema}")
        copies.execute(f"USE {self.schema}")
        if folder is None:
            copies.execute((self.home / "data.sql").read_text("utf-8"))
        for resource in self.resources():
            name = resource.table.resource
            file = literal(str(folder / f"{name}.parquet")) if folder else ""
            source = f"read_parquet({file})" if folder else name
            typed = _typed(resource)
            copies.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {typed} FROM {source}")
        return copies

    def bodies(
        self, copies: duckdb.DuckDBPyConnection, resource: Resource
    ) -> list[tuple[str, str]]:
        """Each row as JSON, twice: as the API writes it (money as text), and all values as text."""
        names = [one.name for one in resource.all_columns]
        money = {one.name for one in resource.columns if str(one.type).startswith("DECIMAL")}
        written = ", ".join(
            f"{name} := {name}{'::VARCHAR' if name in money else ''}" for name in names
        )
        plain = ", ".join(f"{name} := {name}::VARCHAR" for name in names)
        return copies.sql(
            f"SELECT to_json(struct_pack({written}))::VARCHAR, "
            f"to_json(struct_pack({plain}))::VARCHAR "
            f"FROM {self.schema}.{resource.table.resource} ORDER BY ALL"
        ).fetchall()


def _typed(resource: Resource) -> str:
    """The columns in the order and with the types that the definition promises."""
    names = {quote(one.name): one.type for one in resource.all_columns}
    return ", ".join(f"{name}::{kind} AS {name}" for name, kind in names.items())
