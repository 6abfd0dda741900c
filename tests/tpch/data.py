"""The rows of the eight tables: made here, or those that another generator left in a folder."""

from __future__ import annotations

from pathlib import Path

import duckdb

from connstat_sql.definitions import Resource, literal, quote
from connstat_sql.loader import Library

HERE = Path(__file__).parent
PROVIDERS = HERE / "providers"
SCHEMA = "tpch.sales"


def resources() -> tuple[Resource, ...]:
    """The eight tables as they are defined."""
    service = Library([PROVIDERS]).service("tpch", "sales")
    assert service is not None
    return tuple(service.resources.values())


def full_copies(folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB that holds all rows; with a folder, those of its files `<table>.parquet`."""
    copies = duckdb.connect(config={"python_enable_replacements": False})
    copies.execute("ATTACH ':memory:' AS tpch")
    copies.execute(f"CREATE SCHEMA {SCHEMA}")
    copies.execute(f"USE {SCHEMA}")
    if folder is None:
        copies.execute((HERE / "data.sql").read_text("utf-8"))
    for resource in resources():
        name = resource.table.resource
        file = literal(str(folder / f"{name}.parquet")) if folder else ""
        source = f"read_parquet({file})" if folder else name
        copies.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {_typed(resource)} FROM {source}")
    return copies


def _typed(resource: Resource) -> str:
    """The columns in the order and with the types that the definition promises."""
    names = {quote(one.name): one.type for one in resource.all_columns}
    return ", ".join(f"{name}::{kind} AS {name}" for name, kind in names.items())


def bodies(copies: duckdb.DuckDBPyConnection, resource: Resource) -> list[tuple[str, str]]:
    """Each row as JSON, twice: as the API writes it (money as text), and all values as text."""
    names = [one.name for one in resource.all_columns]
    money = {one.name for one in resource.columns if str(one.type).startswith("DECIMAL")}
    written = ", ".join(f"{name} := {name}{'::VARCHAR' if name in money else ''}" for name in names)
    plain = ", ".join(f"{name} := {name}::VARCHAR" for name in names)
    return copies.sql(
        f"SELECT to_json(struct_pack({written}))::VARCHAR, to_json(struct_pack({plain}))::VARCHAR "
        f"FROM {SCHEMA}.{resource.table.resource} ORDER BY ALL"
    ).fetchall()
