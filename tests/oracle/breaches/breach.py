"""Rules of the walk, each with a query that gives another answer once the rule is broken.

A breach fetches too little: `sql` mentions a table as `mention`, and whoever breaks the rule
would fetch only those of its rows for which `wrongly` holds. The world is made so that the
answer then differs, which is itself tested; rules that cost requests alone say how many are
enough. Names say what is done wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.pieces import Loose, Query
from tests.oracle.world import Copies, Row, World
from tests.oracle.zoo import DAYS, STATE, TABLES


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken on purpose.

    `mention` is empty where rows are not what is lost: then `most` says how many requests the
    kept rule needs. `setup` runs before, `undo` after. `limit`: LIMIT cuts `sql` by chance; -1
    where none does. `is_refused`: the kept rule is to send nothing, and to say what is missing;
    `is_forbidden`: to refuse what writes beside live tables, with nothing sent or written.
    """

    name: str
    sql: str
    mention: str = ""
    wrongly: str = ""
    most: int | None = None
    setup: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    limit: int = -1
    is_refused: bool = False
    is_forbidden: bool = False

    @property
    def query(self) -> Query:
        """The query as the court tries it."""
        tables = frozenset(name for name in TABLES if f".w.{name}" in self.sql)
        said = frozenset({"5", "05", "7", "1", "a", "A", "x", "y", "z", "q", "k"})
        loose, sql = None, self.sql
        if self.limit >= 0:
            loose, sql = Loose(sql, None, self.limit, 0), f"{sql} LIMIT {self.limit}"
        return Query(
            sql, None, said, tables, self.setup, False, loose, self.most, self.undo,
            self.is_forbidden,
        )  # fmt: skip

    @property
    def broken(self) -> str:
        """What DuckDB says over the rows that are left when the rule is broken."""
        table, _, alias = self.mention.partition(" ")
        narrowed = f"(FROM {table} WHERE {self.wrongly}) AS {alias.removeprefix('AS ')}"
        assert self.sql.count(self.mention) == 1, self.sql
        return self.sql.replace(self.mention, narrowed)


def hand_made_world() -> World:
    """Groups whose names are equal as numbers in one connection, and but for case in the other."""
    return World({"conn_a": _copies(("05", "5", "7")), "conn_b": _copies(("A", "a", "5"))})


def _copies(groups: tuple[str, ...]) -> Copies:
    copies: dict[str, list[Row]] = {name: [] for name in TABLES}
    for index, grp in enumerate(groups):
        copies["groups"].append({"g": grp, "size": index or None})
        parts = ("5", "x") if index == 0 else ("x", "y")
        for part in parts:
            copies["subs"].append({"sub": part, "kind": None if part == "y" else "k", "grp": grp})
            if index < 2:
                for name in ("x", "z"):
                    note = "q" if name == "x" else None
                    own: Row = {"grp": grp, "part": part, "name": name}
                    copies["items"].append({"n": index, "note": note, **own})
        copies["lines"] += [{"seq": None, "line": "early", "grp": grp}] * (grp == "05")
        for seq in range(40 if grp == "7" else 7):
            line = "late" if seq > 3 else "early"
            copies["lines"].append({"seq": seq, "line": line, "grp": grp})
        for ware, state in (("x", STATE), ("y", STATE), ("z", "used")):
            more: Row = {"grp": grp, "ware": ware, "state": state}
            copies["wares"].append({"price": index, "kind": "k", "photo": "q", **more})
    for amount, day in enumerate(DAYS):
        copies["days"].append({"amount": amount, "tag": "x", "day": day})
    for code in (1, 5):
        for lang in ("x", "y"):
            copies["codes"].append({"label": "k", "day": None, "code": code, "lang": lang})
    return copies


SUBS, GROUPS, ITEMS, LINES = (f"conn_a.w.{name}" for name in ("subs", "groups", "items", "lines"))
