"""A made-up table, its fetches and their rows in a session, to keep and to use again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from connstat_sql.cache import FETCH, CompletedFetch, RowCache, served
from connstat_sql.database.session import Session
from connstat_sql.definitions.model import (
    JSON,
    TIMESTAMPTZ,
    VARCHAR,
    Column,
    Filter,
    ListOf,
    MapOf,
    Method,
    Param,
    Provider,
    Redaction,
    Resource,
    Scalar,
    Struct,
    TableName,
    Template,
)
from connstat_sql.definitions.quoting import quote
from connstat_sql.fetch import Fetch
from connstat_sql.planner import AccessPath, Scan, scan_table

NOW = 1_800_000_000.0
KIND = Filter("kind", "kind")
TOKEN = Filter("token", "token")
COLUMNS = (
    Column("name", VARCHAR, ("name",)),
    Column("kind", VARCHAR, ("kind",)),
    Column("weight", Scalar("DECIMAL(20,4)"), ("weight",)),
    Column("big", Scalar("HUGEINT"), ("big",)),
    Column("seen", TIMESTAMPTZ, ("seen",)),
    Column("tags", ListOf(Struct((("a", JSON), ("B c", Scalar("UUID"))))), ("tags",)),
    Column("config", MapOf(VARCHAR), ("config",), redaction=Redaction.KEYS),
    Column("token", VARCHAR, ("token",), redaction=Redaction.VALUE),
    Column("photo", VARCHAR, ("photo",)),
)
LIST = Method(
    "list",
    Template(("/shops/", "shop", "/pets")),
    columns={"photo": None},
    fills={"pet": ("name",)},
    filters=(KIND, TOKEN),
)
GET = Method("get", Template(("/shops/", "shop", "/pets/", "pet", "")), fills={"pet": ("name",)})
PETS = Resource(
    TableName("zoo", "w", "pets"),
    "Pets",
    COLUMNS,
    (Param("shop"), Param("pet"), Param("label", Scalar("INTEGER"))),
    (LIST, GET),
)
ZOO = Provider("zoo", "", "https://zoo.test", (), (), ("w",))
HIDDEN = {"_connection": "VARCHAR", "_observed_at": "TIMESTAMPTZ", "_url": "VARCHAR"}


def always(seconds: float) -> Callable[[str], float]:
    """The same age for every connection."""
    return lambda _: seconds


def fetch(shop: str = "s1", connection: str = "zoo", method: Method = LIST, **more: Any) -> Fetch:
    """A fetch of the pets of a shop."""
    arguments = {"shop": shop, **more.pop("arguments", {})}
    return Fetch(connection, PETS, method, arguments, **more)


def scan(
    columns: Sequence[str] = ("name",), method: Method = LIST, arguments: Sequence[str] = ()
) -> Scan:
    """A scan of pets that fetches some columns."""
    way = AccessPath(method, ("_connection", "shop", *arguments), tuple(columns))
    return Scan("scan_1", ZOO, PETS, (way,), ())


class Pets:
    """A session with scans' tables, and what is kept beside it."""

    def __init__(self, session: Session, kept: RowCache) -> None:
        self.session, self.kept = session, kept
        self.table = scan_table("scan_1")

    def make_table(self, arguments: Sequence[str] = ("shop",), method: Method = LIST) -> list[str]:
        """The scan's empty table with all that can be kept; answers its columns."""
        types = {one.name: str(one.type) for one in PETS.all_columns}
        types = {name: types[name] for name in (*served(PETS, method), *arguments)}
        types |= {**HIDDEN, FETCH: "INTEGER"}
        listed = ", ".join(f'"{name}" {of}' for name, of in types.items())
        self.session.duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {self.table} ({listed})")
        return list(types)

    def put(self, number: int, one: Fetch, names: Sequence[str], at: float) -> None:
        """Rows of one fetch, as a scan has them."""
        self.session.duckdb.execute(
            f"INSERT INTO {self.table} BY NAME SELECT name, 'cat' AS kind, "
            "1.25 AS weight, -170141183460469231731687303715884105727 AS big, "
            "to_timestamp($at - 7) AS seen, "
            "[{'a': '{\"x\": 1}', 'B c': '00000000-0000-0000-0000-000000000001'}] AS tags, "
            "MAP {'password': '****12345678'} AS config, '****' AS token, name AS pet, "
            "$shop AS shop, $connection AS _connection, to_timestamp($at) AS _observed_at, "
            f"'/x' AS _url, $number AS {quote(FETCH)} "
            "FROM unnest($names::VARCHAR[]) AS given(name)",
            {
                "names": list(names), "at": at, "shop": one.arguments["shop"],
                "connection": one.connection, "number": number,
            },
        )  # fmt: skip

    def keep(
        self, rows: Mapping[str, Sequence[str]], at: float = NOW, max_age: float = 60, **more: Any
    ) -> None:
        """Keep the pets of shops as if they had just been fetched."""
        self.make_table()
        whole = []
        for number, (shop, names) in enumerate(rows.items()):
            one = fetch(shop, **more)
            self.put(number, one, names, at)
            whole.append(CompletedFetch(number, one, at))
        self.kept.keep(self.table, whole, always(max_age), at)

    def ages(
        self, *fetches: Fetch, now: float = NOW, max_age: float = 60, **more: Any
    ) -> dict[int, float]:
        """Number of each fetch that is answered → how old its rows are."""
        hits = self.kept.find(scan(**more), dict(enumerate(fetches)), always(max_age), now)
        return {hit.number: now - hit.observed_at for hit in hits}

    def answer(
        self, *fetches: Fetch, now: float = NOW, max_age: float = 60, **more: Any
    ) -> list[tuple[Any, ...]]:
        """The rows that kept ones give, in a scan's table made anew: `FETCH`, `pet`, `shop`."""
        columns = self.make_table()
        hits = self.kept.find(scan(**more), dict(enumerate(fetches)), always(max_age), now)
        assert self.kept.fill(self.table, columns, hits) == hits
        return self.rows(f"{quote(FETCH)}, pet, shop")

    def rows(self, columns: str = "*") -> list[tuple[Any, ...]]:
        """Rows of the scan's table."""
        return self.session.duckdb.execute(
            f"SELECT {columns} FROM {self.table} ORDER BY ALL"
        ).fetchall()


@contextmanager
def pets(file: Path | None = None, **more: Any) -> Iterator[Pets]:
    """A session and its kept rows, closed afterwards."""
    session = Session()
    kept = RowCache(session, file, **more)
    try:
        yield Pets(session, kept)
    finally:
        kept.close()
        session.close()


def with_type(name: str, of: Scalar) -> Resource:
    """Pets by another definition: one column has another type."""
    columns = tuple(replace(one, type=of) if one.name == name else one for one in COLUMNS)
    return replace(PETS, columns=columns)
