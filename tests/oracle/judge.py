"""The judge: DuckDB with full copies of every table."""

from __future__ import annotations

import datetime

import duckdb

from connstat_sql.definitions.model import literal, quote
from tests.oracle.world import Copies, World
from tests.oracle.zoo import HOSTS, LOCALS, STATE, TABLES


def open_judge(*, names_hidden: bool = False) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the provider's catalogs, `_connection` a column when it is to be named."""
    judge = duckdb.connect(config={"python_enable_replacements": False, "threads": 1})
    judge.execute("SET TimeZone = 'UTC'")
    for catalog in (*HOSTS, "zoo"):
        judge.execute(f"ATTACH ':memory:' AS {catalog}")
        judge.execute(f"CREATE SCHEMA {catalog}.w")
    for name, columns in TABLES.items():
        types = {**columns, **({"_connection": "VARCHAR"} if names_hidden else {})}
        for catalog in HOSTS:
            judge.execute(f"CREATE TABLE {catalog}.w.{name} ({_listed(types)})")
        all_of_them = " UNION ALL ".join(f"FROM {catalog}.w.{name}" for catalog in HOSTS)
        judge.execute(f"CREATE VIEW zoo.w.{name} AS {all_of_them}")
    fill_locals(judge, {})
    return judge


def fill(judge: duckdb.DuckDBPyConnection, world: World) -> None:
    """Full copies of every table; where no state is spoken of, of the wares in the default one."""
    judge.execute("BEGIN")
    for catalog in HOSTS:
        script = []
        for name, columns in TABLES.items():
            script.append(f"DELETE FROM {catalog}.w.{name}")
            hidden = f", '{catalog}'" if world.names_hidden else ""
            rows = [
                f"({', '.join(_value(row[column]) for column in columns)}{hidden})"
                for row in world.copies[catalog].get(name, ())
                if world.says_state or row.get("state", STATE) == STATE
            ]
            if rows:
                script.append(f"INSERT INTO {catalog}.w.{name} VALUES {', '.join(rows)}")
        judge.execute(";".join(script))
        judge.execute("COMMIT")
        judge.execute("BEGIN")
    judge.execute("COMMIT")
    fill_locals(judge, world.local)


def fill_locals(session: duckdb.DuckDBPyConnection, local: Copies) -> None:
    """The session's own tables, anew; the engine's session has the same."""
    script = []
    for name, columns in LOCALS.items():
        script.append(f"CREATE OR REPLACE TABLE {name} ({_listed(columns)})")
        rows = [
            "(" + ", ".join(_value(row[column]) for column in columns) + ")"
            for row in local.get(name, ())
        ]
        if rows:
            script.append(f"INSERT INTO {name} VALUES {', '.join(rows)}")
    session.execute(";".join(script))


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{quote(column)} {of}" for column, of in columns.items())


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (str, datetime.date)):
        return literal(str(value))
    return str(value)
