"""A made-up provider, its random rows, an API over them, and full copies of its tables."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import duckdb
import httpx

from connstat_sql.definitions import literal, quote
from connstat_sql.engine import Engine, Outside
from connstat_sql.live import LiveTables
from connstat_sql.opening import Setup, Wiring

PROVIDER = """
provider: zoo
description: Groups, what is in them, and days
"""
SERVICE = """
service: w
resources:
  groups:
    description: Groups
    columns: {g: VARCHAR, size: INTEGER}
    methods:
      list: {path: /groups}
  subs:
    description: Parts of a group
    columns: {sub: VARCHAR, kind: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
    methods:
      list: {path: "/groups/{grp}/subs", no_row: [404]}
  items:
    description: Things, by group and part
    columns: {n: INTEGER, note: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
      part: {from: zoo.w.subs.sub, with: {grp: grp}}
      name: {}
    methods:
      get: {path: "/groups/{grp}/subs/{part}/items/{name}", rows: {shape: object}, no_row: [404]}
      list:
        path: "/groups/{grp}/subs/{part}/items"
        no_row: [404]
        fills: {name: name}
        filters: {note: note}
      of_group: {path: "/groups/{grp}/items", no_row: [404], fills: {part: part, name: name}}
  days:
    description: Amounts of a day
    columns: {amount: INTEGER, tag: VARCHAR}
    params:
      day: {type: DATE}
    methods:
      list: {path: /days, query: {day: "{day}"}}
  codes:
    description: Labels by number
    columns: {label: VARCHAR, day: DATE}
    params:
      code: {type: INTEGER}
      lang: {}
    methods:
      list: {path: "/codes/{code}", query: {lang: "{lang}"}}
"""
TABLES: dict[str, dict[str, str]] = {
    "groups": {"g": "VARCHAR", "size": "INTEGER"},
    "subs": {"sub": "VARCHAR", "kind": "VARCHAR", "grp": "VARCHAR"},
    "items": {
        "n": "INTEGER", "note": "VARCHAR", "grp": "VARCHAR", "part": "VARCHAR", "name": "VARCHAR",
    },
    "days": {"amount": "INTEGER", "tag": "VARCHAR", "day": "DATE"},
    "codes": {"label": "VARCHAR", "day": "DATE", "code": "INTEGER", "lang": "VARCHAR"},
}  # fmt: skip
PARAMS = {
    "groups": (), "subs": ("grp",), "items": ("grp", "part"), "days": ("day",),
    "codes": ("code", "lang"),
}  # fmt: skip
HAS_PARENTS = ("groups", "subs", "items")
TEXTS = ("a", "A", "5", "05", "é b", "x/y?", "a''b")
NUMBERS = (1, 5, 7)
DAYS = ("2026-01-01", "2026-01-02", "2026-02-01")
HOSTS = {"conn_a": "a.test", "conn_b": "b.test"}

Row = dict[str, object]
Copies = Mapping[str, Sequence[Row]]


@dataclass
class World:
    """Rows of every table by connection, and the requests that were asked of it."""

    copies: Mapping[str, Copies]
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API of a connection answers."""
        self.asked.append(str(request.url))
        connection = next(name for name, host in HOSTS.items() if host == request.url.host)
        parts = [
            unquote(part) for part in request.url.raw_path.decode().partition("?")[0].split("/")
        ]
        found = _find(self.copies[connection], parts[1:], dict(request.url.params))
        if found is None:
            return httpx.Response(404, json={"message": "no such thing"})
        return httpx.Response(200, content=json.dumps(found).encode())

    def values(self, column: str) -> set[str]:
        """Every value that a column of that name has, as text."""
        return {
            str(row[column])
            for copies in self.copies.values()
            for rows in copies.values()
            for row in rows
            if column in row
        }


def _find(copies: Copies, parts: list[str], query: Mapping[str, str]) -> object:
    if parts[0] in ("days", "codes"):
        wanted = {**query, **({"code": parts[1]} if parts[0] == "codes" else {})}
        return list(_matching(copies[parts[0]], wanted))
    if parts == ["groups"]:
        return list(copies["groups"])
    groups = {row["g"] for row in copies["groups"]}
    subs = {(row["grp"], row["sub"]) for row in copies["subs"]}
    if parts[1] not in groups:
        return None
    if parts[2] == "items":
        return list(_matching(copies["items"], {"grp": parts[1]}))
    if len(parts) == 3:
        return list(_matching(copies["subs"], {"grp": parts[1]}))
    if (parts[1], parts[3]) not in subs:
        return None
    items = list(_matching(copies["items"], {"grp": parts[1], "part": parts[3], **query}))
    if len(parts) == 5:
        return items
    return next((row for row in items if row["name"] == parts[5]), None)


def _matching(rows: Sequence[Row], wanted: Mapping[str, str]) -> Iterator[Row]:
    for row in rows:
        if all(str(row[name]) == value for name, value in wanted.items()):
            yield row


def random_world(chance: random.Random) -> World:
    """Few rows over few values, so that predicates and joins meet."""
    return World({connection: _random_copies(chance) for connection in HOSTS})


def _random_copies(chance: random.Random) -> Copies:
    pool = TEXTS if chance.random() < 0.8 else ("5", "05", "7", "1", "01")
    texts = [text.replace("''", "'") for text in pool]
    copies: dict[str, list[Row]] = {name: [] for name in TABLES}
    for group in sorted(chance.sample(texts, 3)):
        copies["groups"].append({"g": group, "size": chance.choice((*NUMBERS, None))})
        for sub in sorted(chance.sample(texts, 2)):
            copies["subs"].append({"sub": sub, "kind": chance.choice((*texts, None)), "grp": group})
            for name in sorted(chance.sample(texts, chance.choice((0, 1, 2)))):
                copies["items"].append(
                    {
                        "name": name,
                        "n": chance.choice((*NUMBERS, None)),
                        "note": chance.choice((*texts[:3], None)),
                        "grp": group,
                        "part": sub,
                    }
                )
    for day in DAYS:
        for _ in range(chance.choice((0, 1, 2))):
            copies["days"].append(
                {"amount": chance.choice(NUMBERS), "tag": chance.choice((*texts, None)), "day": day}
            )
    for code in NUMBERS:
        for lang in texts[:4]:
            if chance.random() < 0.5:
                copies["codes"].append(
                    {
                        "label": chance.choice(texts),
                        "day": chance.choice((*DAYS, None)),
                        "code": code,
                        "lang": lang,
                    }
                )
    return copies


# --- the engine and the judge --------------------------------------------------------------------


def open_zoo(
    folder: Path,
    answer: Callable[[httpx.Request], httpx.Response],
    *,
    provider: str = PROVIDER,
    service: str = SERVICE,
    kind: type[LiveTables] = LiveTables,
) -> Engine:
    """An engine over the made-up provider, whose requests go to `answer`."""
    home = folder / "zoo"
    home.mkdir(exist_ok=True)
    (home / "provider.yaml").write_text(provider, "utf-8")
    (home / "w.yaml").write_text(service, "utf-8")
    tables = {
        name: {"provider": "zoo", "base_url": f"http://{host}"} for name, host in HOSTS.items()
    }
    wiring = Wiring(Setup(connections=tables, providers=(folder,)), {})
    outside = Outside(environment={}, transport=httpx.MockTransport(answer))
    return Engine(wiring, outside, live=kind)


def open_judge() -> duckdb.DuckDBPyConnection:
    """A DuckDB with the provider's catalogs, ready for `fill`."""
    judge = duckdb.connect(config={"python_enable_replacements": False})
    judge.execute("SET TimeZone = 'UTC'")
    for catalog in ("zoo", *HOSTS):
        judge.execute(f"ATTACH ':memory:' AS {catalog}")
        judge.execute(f"CREATE SCHEMA {catalog}.w")
    return judge


def fill(judge: duckdb.DuckDBPyConnection, world: World, *, hidden: bool) -> None:
    """Full copies of every table; with `_connection` as a column when that is wanted."""
    for catalog in ("zoo", *HOSTS):
        for name, columns in TABLES.items():
            types = {**columns, **({"_connection": "VARCHAR"} if hidden else {})}
            listed = ", ".join(f"{quote(column)} {of}" for column, of in types.items())
            judge.execute(f"CREATE OR REPLACE TABLE {catalog}.w.{name} ({listed})")
            rows = [
                "(" + ", ".join(_value({**row, "_connection": c}[column]) for column in types) + ")"
                for c in HOSTS
                if catalog in ("zoo", c)
                for row in world.copies[c][name]
            ]
            if rows:
                judge.execute(f"INSERT INTO {catalog}.w.{name} VALUES {', '.join(rows)}")


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (str, datetime.date)):
        return literal(str(value))
    return str(value)
