"""A world: rows of the made-up provider's tables, and the API that answers with them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.engine.live import LiveTables
from tests.oracle.zoo import (
    DAYS,
    HOSTS,
    LOCALS,
    NUMBERS,
    PROVIDER,
    SERVICE,
    STATE,
    STATES,
    TABLES,
    TEXTS,
)

__all__ = ["PROVIDER", "SERVICE", "Copies", "Row", "World", "open_zoo", "random_world"]

Row = dict[str, object]
Copies = Mapping[str, Sequence[Row]]


@dataclass
class World:
    """Rows of every table by connection, and the requests that were asked of it.

    `local` are the rows of the session's own tables. `names_hidden`: queries name `_connection`.
    `says_state`: queries say which state of wares they want; else the default stands.
    `is_numeric`: every text is a number.
    """

    copies: Mapping[str, Copies]
    local: Copies = field(default_factory=dict)
    names_hidden: bool = False
    says_state: bool = True
    is_numeric: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API of a connection answers."""
        self.asked.append(str(request.url))
        connection = next(name for name, host in HOSTS.items() if host == request.url.host)
        parts = [
            unquote(part) for part in request.url.raw_path.decode().partition("?")[0].split("/")
        ]
        copies = self.copies.get(connection, {})
        found = _find(copies, parts[1:], dict(request.url.params))
        if found is None:
            return httpx.Response(404, json={"message": "no such thing"})
        return httpx.Response(200, content=json.dumps(found).encode())

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table over all connections, or of a table of the session."""
        for copies in (*self.copies.values(), self.local):
            yield from copies.get(table, ())

    def values(self, table: str, column: str) -> set[str]:
        """The values of a column as text."""
        return {str(row[column]) for row in self.rows(table) if row[column] is not None}


# --- the API -------------------------------------------------------------------------------------


def _find(copies: Copies, parts: list[str], query: dict[str, str]) -> object:
    """The body for a path; None for what is not there."""
    match parts:
        case ["groups"]:
            return list(copies["groups"])
        case ["days"]:
            return _matching(copies["days"], query)
        case ["codes", code]:
            days = {"at_least": query.pop("since", None), "below": query.pop("before", None)}
            found = _matching(copies["codes"], {"code": code, **query})
            return [row for row in found if _is_between(row["day"], **days)]
        case ["toys"]:
            return _tokens(copies.get("toys", ()), query)
        case ["toys", toy]:
            return next(iter(_matching(copies.get("toys", ()), {"toy": toy})), None)
        case ["groups", group, *rest] if group in {row["g"] for row in copies["groups"]}:
            return _of_group(copies, group, rest, query)
        case _:
            return None


def _of_group(copies: Copies, group: str, rest: list[str], query: dict[str, str]) -> object:
    match rest:
        case ["subs", part, *further] if _has_sub(copies, group, part):
            return _of_sub(copies, group, part, further, query)
        case ["lines"]:
            skip, most = int(query.get("skip", 0)), int(query["most"])
            found = _sorted(_matching(copies.get("lines", ()), {"grp": group}), query)
            highest = query.get("up_to", "").removeprefix("max:")
            ends = {"above": query.get("above"), "at_most": highest or None}
            found = [row for row in found if _is_between(row["seq"], **ends)]
            return found[skip : skip + most]
        case ["wares"]:
            kinds = query.pop("kind", None)
            found = _matching(copies.get("wares", ()), {"grp": group, **query})
            wanted = [row for row in found if kinds is None or row["kind"] in kinds.split(",")]
            return [{k: v for k, v in row.items() if k != "photo"} for row in wanted]
        case ["wares", ware]:
            wares = _matching(copies.get("wares", ()), {"grp": group, "ware": ware, **query})
            return next(iter(wares), None)
        case [("subs" | "items" | "toys") as table]:
            return _matching(copies.get(table, ()), {"grp": group})
        case _:
            return None


def _of_sub(
    copies: Copies, group: str, part: str, rest: list[str], query: dict[str, str]
) -> object:
    items = _matching(copies["items"], {"grp": group, "part": part, **query})
    match rest:
        case ["items"]:
            return items
        case ["items", name]:
            return next((row for row in items if row["name"] == name), None)
        case ["items", name, "marks"] if name in {row["name"] for row in items}:
            wanted = {"grp": group, "part": part, "name": name}
            return _matching(copies.get("marks", ()), wanted)
        case _:
            return None


def _sorted(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """Rows in the order that is asked for, NULL last; as they come where none is."""
    if "sort" not in query:
        return rows
    name = query["sort"].removeprefix("-")
    there = [row for row in rows if row[name] is not None]
    there.sort(key=lambda row: str(row[name]).zfill(9), reverse=query["sort"] != name)
    return there + [row for row in rows if row[name] is None]


def _is_between(
    value: Any,
    at_least: str | None = None,
    above: str | None = None,
    at_most: str | None = None,
    below: str | None = None,
) -> bool:
    """Whether a value is within the bounds that are asked for; NULL is within none."""
    bounds = (at_least, above, at_most, below)
    if value is None:
        return bounds == (None,) * 4
    low, over, high, end = (None if one is None else type(value)(one) for one in bounds)
    return (
        (low is None or value >= low)
        and (over is None or value > over)
        and (high is None or value <= high)
        and (end is None or value < end)
    )


def _has_sub(copies: Copies, group: str, part: str) -> bool:
    return any((row["grp"], row["sub"]) == (group, part) for row in copies["subs"])


def _tokens(rows: Sequence[Row], query: Mapping[str, str]) -> dict[str, object]:
    start, most = int(query.get("after", 0)), int(query["most"])
    end = start + most
    return {"found": rows[start:end], "next": str(end) if end < len(rows) else None}


def _matching(rows: Sequence[Row], wanted: Mapping[str, str]) -> list[Row]:
    return [r for r in rows if all(str(r[name]) == value for name, value in wanted.items())]


# --- random worlds -------------------------------------------------------------------------------


def random_world(chance: random.Random, *, awkward: bool = False) -> World:
    """Few rows over few values, so that predicates and joins meet.

    `awkward`: local texts may be such as no path can hold.
    """
    is_numeric = chance.random() < 0.2
    pool = ("5", "05", "7", "1", "01") if is_numeric else TEXTS
    texts = [text.replace("''", "'") for text in pool]
    copies = {connection: _Rows(chance, texts).all() for connection in HOSTS}
    hidden, says = chance.random() < 0.15, chance.random() < 0.5
    local = _local_rows(chance, [*texts, "", "."] if awkward else texts)
    return World(copies, local, hidden, says, is_numeric)


@dataclass
class _Rows:
    chance: random.Random
    texts: Sequence[str]
    copies: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})

    def all(self) -> Copies:
        """Rows of every table."""
        for group in self.some(self.chance.choice((2, 2, 3))):
            self.add("groups", g=group, size=self.number())
            self.group(group)
        for day in DAYS:
            for _ in range(self.chance.choice((0, 1, 2))):
                self.add("days", amount=self.chance.choice(NUMBERS), tag=self.text(), day=day)
        for code in NUMBERS:
            for lang in self.texts[:4]:
                if self.chance.random() < 0.5:
                    label, other = self.chance.choice(self.texts), self.chance.choice((*DAYS, None))
                    self.add("codes", label=label, day=other, code=code, lang=lang)
        return self.copies

    def group(self, group: str) -> None:
        """What hangs below a group."""
        for sub in self.some(self.chance.choice((1, 2, 2))):
            self.add("subs", sub=sub, kind=self.text(), grp=group)
            for name in self.some(self.chance.choice((0, 1, 2))):
                own = {"grp": group, "part": sub, "name": name}
                note = self.chance.choice((*self.texts[:3], None))
                self.add("items", n=self.number(), note=note, **own)
                for _ in range(self.chance.choice((0, 1, 1, 2))):
                    self.add("marks", mark=self.text(), worth=self.number(), **own)
        taken = {row["toy"] for row in self.copies["toys"]}
        for toy in self.some(self.chance.choice((0, 1, 2))):
            if toy not in taken:
                self.add("toys", colour=self.text(), weight=self.number(), toy=toy, grp=group)
        for seq in range(self.chance.choice((0, 2, 3, 4, 7))):
            number = None if self.chance.random() < 0.15 else seq * 7 % 5 * 10 + seq
            self.add("lines", seq=number, line=self.text(), grp=group)
        for ware in self.some(self.chance.choice((0, 1, 2))):
            for state in self.chance.choice((STATES, (STATE,), STATES[1:])):
                more = {"grp": group, "ware": ware, "state": state}
                self.add("wares", price=self.number(), kind=self.text(), photo=self.text(), **more)

    def add(self, table: str, **row: object) -> None:
        self.copies[table].append(row)
        if table == "toys":
            self.copies["hues"].append({k: v for k, v in row.items() if k != "weight"})

    def some(self, count: int) -> list[str]:
        return sorted(self.chance.sample(self.texts, count))

    def text(self) -> str | None:
        return self.chance.choice((*self.texts, None))

    def number(self) -> int | None:
        return self.chance.choice((*NUMBERS, None))


def _local_rows(chance: random.Random, texts: Sequence[str]) -> Copies:
    rows: dict[str, list[Row]] = {name: [] for name in LOCALS}
    for _ in range(chance.choice((1, 3, 6))):
        text, other = chance.choice((*texts, "0", None)), chance.choice((*texts, None))
        number = chance.choice((*NUMBERS, None))
        rows["notes"] += [
            {"x": text, "y": other, "k": number, "d": chance.choice((*DAYS, None))}
        ] * chance.choice((1, 1, 2))
        rows["mixed"].append(
            {
                "x": chance.choice((5, 7, None)),
                "y": chance.choice((*NUMBERS, None)),
                "d": chance.choice(("2026-01-01 00:00:00", "2026-01-02 10:30:00", None)),
                "s": text,
            }
        )
    return rows


# --- the engine ----------------------------------------------------------------------------------


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
    outside = EngineOptions(environment={}, transport=httpx.MockTransport(answer))
    return Engine(wiring, outside, live=kind)
