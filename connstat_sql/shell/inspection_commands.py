"""Commands that ask what there is: tables, plans, connections, what failed."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from connstat_sql.database.source_map import SourceText
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.errors import ConfigError
from connstat_sql.shell.display import texts
from connstat_sql.shell.session import Shell
from connstat_sql.shell.settings import target_of

if TYPE_CHECKING:
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.engine import Engine

_LOCAL = f"""
SELECT CASE WHEN schema_name = 'main' THEN name
  ELSE {call("concat", "schema_name", literal("."), "name")} END AS name, comment FROM (
  SELECT database_name, schema_name, table_name AS name, comment, internal
  FROM {call("duckdb_tables")}
  UNION ALL
  SELECT database_name, schema_name, view_name, comment, internal FROM {call("duckdb_views")}
) WHERE NOT internal AND database_name IN ({call("current_database")}, 'temp')
  AND NOT {call("starts_with", "name", literal("_connstat"))}
ORDER BY ALL"""
_USED = f"""
SELECT {call("current_database")} AS name, {call("current_schema")} AS comment"""
_MANY = 8
"""Names that an error lists."""


def tables(shell: Shell, argument: str) -> None:
    """The tables that there are: those of connections, with a pattern those of all providers."""
    with shell.engine_held() as engine:
        catalog = engine.catalog
        asleep = [
            provider for provider in catalog.definitions.providers if not catalog.is_awake(provider)
        ]
        live = _live_tables(catalog)
        own = [(name, "", comment or "") for name, comment in _answer(engine, _LOCAL)]
    if argument:
        wanted = _pattern(argument)
        rows = [row for row in (*own, *live) if fnmatch.fnmatchcase(row[0].lower(), wanted)]
    else:
        rows = [row for row in (*own, *live) if row[0].partition(".")[0] not in asleep]
    if argument and not rows:
        close = catalog.tables_near(argument.strip("*%"))
        raise ConfigError(
            f"no table is called {argument}",
            hint=f"there is  {', '.join(close)}" if close else ".tables lists them",
        )
    if rows:
        shell.display.show(texts(("table", "needs", "description"), rows), "")
    if asleep and not argument:
        names = ", ".join(asleep)
        shell.narrator.say(f"without a connection: {names}; .tables {asleep[0]}.* lists theirs")


def describe(shell: Shell, argument: str) -> None:
    """Columns and parameters of a table, which may be named by its last part."""
    if not argument:
        tables(shell, "")
        return
    from connstat_sql.definitions.catalog import LiveTable
    from connstat_sql.sql.binder import HIDDEN

    with shell.engine_held() as engine:
        name = _whole_name(argument.rstrip("; "), engine)
        table = engine.catalog.resolve(tuple(name.split(".")))
    shell.run(f"DESCRIBE {name}", is_asked_for=False)
    if isinstance(table, LiveTable) and table.resource.view is None:
        shell.narrator.say(f"and where they are named: {', '.join(HIDDEN)}")


def explain(shell: Shell, argument: str) -> None:
    """The plan of a statement: the one given, or the last."""
    from connstat_sql.planner import as_text

    sql = argument or shell.statement
    if not sql.strip():
        raise ConfigError("there is no statement to explain", hint=".explain SELECT …")
    with shell.engine_held() as engine:
        plan = engine.explain(sql, None, shell.settings.options())
    none = "no live table: DuckDB answers alone, 0 requests"
    shell.display.text(as_text(plan) if plan else none)


def connections(shell: Shell, _argument: str) -> None:
    """The connections, and whether each answered when it was asked last."""
    with shell.engine_held() as engine:
        known = dict(engine.catalog.connections)
    if not known:
        raise ConfigError(
            "there is no connection", hint="write connstat.toml, or set a provider's variables"
        )
    words = {True: "yes", False: "no", None: "not asked yet"}
    rows = [(name, of, words[shell.narrator.reached.get(name)]) for name, of in known.items()]
    shell.display.show(texts(("connection", "provider", "answered"), rows), "")


def errors(shell: Shell, _argument: str) -> None:
    """The requests that failed in the last answer."""
    if shell.last is None or shell.last.complete:
        shell.narrator.say("no request failed in the last answer")
        return
    shell.run("FROM _errors", is_asked_for=False)


def chart(shell: Shell, argument: str) -> None:
    """The last answer as a picture."""
    if shell.last is None or not shell.last.has_rows:
        raise ConfigError("there is no answer to draw", hint="run a SELECT of a label and a number")
    target = target_of(argument, shell) if argument else None
    shell.display.chart(shell.last, target)
    if target is not None:
        shell.narrator.say(f"drawn into {target}")


# --- names ---------------------------------------------------------------------------------------


def _live_tables(catalog: Catalog) -> list[tuple[str, str, str]]:
    from connstat_sql.sql.shows import required

    return [
        (str(resource.table), ", ".join(required(resource)), resource.description)
        for resource in catalog.definitions.tables()
    ]


def _pattern(text: str) -> str:
    """`*`, `?` and `%` stand for anything, a plain word for whatever holds it."""
    wanted = text.lower().replace("%", "*")
    return wanted if any(sign in wanted for sign in "*?[") else f"*{wanted}*"


def _whole_name(name: str, engine: Engine) -> str:
    """The table's whole name, where its last parts were given.

    They are those of a table below what USE says, or else no one else's.
    """
    from connstat_sql.definitions.catalog import LiveTable

    catalog = engine.catalog
    parts = name.lower().replace('"', "").split(".")
    if len(parts) >= 3:
        return name
    for used in ([name or "" for name in row] for row in _answer(engine, _USED)):
        below = ".".join((*used[: 3 - len(parts)], *parts))
        if isinstance(catalog.resolve(tuple(below.split("."))), LiveTable):
            return below
    ending = catalog.tables_called(name)
    names = [table for table in ending if catalog.is_awake(table.partition(".")[0])] or ending
    if len(names) > 1:
        listed = ", ".join(names[:_MANY]) + (", …" if len(names) > _MANY else "")
        raise ConfigError(f"{len(names)} tables are called {name}", hint=f"say which: {listed}")
    if not names and len(parts) > 1 and catalog.is_provider(parts[0]):
        close = catalog.tables_near(name)
        raise ConfigError(f"no table is called {name}", hint=f"there is  {', '.join(close)}")
    return names[0] if names else name


# --- rows of our own -----------------------------------------------------------------------------


def _answer(engine: Engine, sql: str) -> list[tuple[str, str | None]]:
    rows = engine.session.run(SourceText(sql), None)
    return [(row["name"], row["comment"]) for row in rows.to_pylist()]
