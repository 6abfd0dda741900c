"""Sources of a FROM clause: live tables in all spellings, and whatever else DuckDB reads."""

from __future__ import annotations

from tests.oracle.pieces import Source, Writer
from tests.oracle.predicates import Columns
from tests.oracle.zoo import LOCALS, ORPHANS, TABLES

_TABLES = (
    "groups", "groups", "subs", "subs", "subs", "items", "items", "items", "marks", "toys",
    "toys", "lines", "wares", "days", "days", "codes", "codes",
)  # fmt: skip


def source(w: Writer, depth: int, *, closed: bool = False) -> Source:
    """Any source; `closed`: one that wants nothing."""
    dice = w.chance.random()
    if w.left <= 0 or dice < 0.14:
        return plain(w)
    if w.ctes and dice < 0.4:
        return _again(w, w.pick(*w.ctes), closed=closed)
    if w.views and dice < 0.5:
        return _again(w, w.pick(*w.views), closed=closed)
    if depth > 0 and dice > 0.82:
        made = w.select(w, depth - 1, is_open=not closed and w.maybe(0.5))
        name = w.name("d")
        return Source(f"({made.sql}) AS {name}", name, made.columns, made.wants)
    return mention(w, closed=closed)


def mention(w: Writer, table: str = "", *, closed: bool = False) -> Source:
    """A live table, spelt in one of many ways."""
    w.sources += 1
    w.left -= 1
    table = table or w.pick(*_TABLES)
    if table == "toys" and w.reach.sharing and w.maybe(0.3):
        table = "hues"
    w.tables.add(table)
    wants = ORPHANS.get(table, ())
    if (wants and (closed or w.maybe(0.1))) or (table == "wares" and w.says_state):
        return _walled(w, table)
    if w.maybe(0.02):
        return _sampled(w, table)
    path, name, columns = _path(w, table), w.name("t"), columns_of(w, table)
    form = w.chance.random()
    if form < 0.08 and not w.hidden and table != "wares":
        listed, renamed = _renamed(w, columns)
        new = {old: to for (old, _), (to, _) in zip(columns, renamed, strict=True)}
        wanted = tuple(new[want] for want in wants)
        return Source(f"{path} AS {name}({listed})", name, renamed, wanted)
    if form < 0.14:
        return Source(f"{name}: {path}", name, columns, wants, table)
    if form < 0.18 and path == path.lower() and '"' not in path and name.endswith(("1", "5")):
        return Source(path, path, columns, wants, table)
    return Source(f"{path}{w.pick(' AS ', ' ')}{name}", name, columns, wants, table)


def columns_of(w: Writer, table: str) -> Columns:
    """The columns that may be spoken of."""
    columns = tuple(TABLES[table].items())
    if table == "wares" and not w.says_state:
        columns = tuple(one for one in columns if one[0] != "state")
    return (*columns, ("_connection", "VARCHAR")) if w.hidden else columns


def _path(w: Writer, table: str) -> str:
    path = f"{w.pick(*w.heads)}.w.{table}"
    spelling = w.chance.random()
    if spelling < 0.1:
        return path.upper()
    return ".".join(f'"{part}"' for part in path.split(".")) if spelling < 0.2 else path


def _renamed(w: Writer, columns: Columns) -> tuple[str, Columns]:
    """The columns under each other's names, those that are listed; a name's second one has `_1`."""
    own = [name for name, _ in columns]
    names = w.some(own, len(own), len(own), 1, 2)
    made: list[str] = []
    for name in (*names, *own[len(names) :]):
        made.append(f"{name}_1" if name in made else name)
    return ", ".join(names), tuple(zip(made, (of for _, of in columns), strict=True))


def _walled(w: Writer, table: str) -> Source:
    """A live table in brackets with its parameters given, so that it wants nothing more."""
    inner, name, columns = w.name("t"), w.name("d"), columns_of(w, table)
    wants = ORPHANS.get(table, ())
    given = [w.predicates.binding(f"{inner}.{want}", dict(columns)[want]) for want in wants]
    if table == "wares":
        given.append(f"{inner}.state {w.pick(*_STATES)}")
        w.constants.said.update(("new", "used"))
    named = ", ".join(column for column, _ in columns)
    sql = f"(SELECT {named} FROM {_path(w, table)} AS {inner} WHERE {' AND '.join(given)})"
    return Source(f"{sql} AS {name}", name, columns)


_STATES = ("= 'new'", "= 'used'", "IN ('used', 'new')", "= lower('USED')")


def _sampled(w: Writer, table: str) -> Source:
    """A sample of all rows; what restricts a sample changes it."""
    if table in ORPHANS or table == "wares":
        table = "subs"
        w.tables.add(table)
    name = w.name("t")
    sql = f"{_path(w, table)} AS {name} TABLESAMPLE 100 PERCENT"
    return Source(sql, name, columns_of(w, table))


def _again(w: Writer, made: Source, *, closed: bool) -> Source:
    """Another mention of a CTE or a view."""
    if closed and made.wants:
        return mention(w, closed=True)
    w.sources += 1
    name = w.name("c")
    return Source(f"{made.sql} AS {name}", name, made.columns, made.wants)


def plain(w: Writer) -> Source:
    """A source that is not live: VALUES, a table of the session, a table function."""
    w.sources += 1
    dice = w.chance.random()
    if dice < 0.4:
        return _values(w)
    name = w.name("l")
    if dice < 0.85:
        table = w.pick("notes", "notes", "notes", "mixed", "nothing")
        w.tables.add(table)
        return Source(f"{table} AS {name}", name, tuple(LOCALS[table].items()))
    if dice < 0.93:
        w.constants.said.update("1234567")
        return Source(f"generate_series(1, 7) AS {name}(k)", name, (("k", "BIGINT"),))
    texts = ", ".join(w.constants.text() for _ in range(2))
    return Source(f"unnest([{texts}]) AS {name}(x)", name, (("x", "VARCHAR"),))


def _values(w: Writer) -> Source:
    name = w.name("v")
    rows = [
        f"({w.constants.text()}, CAST({w.constants.number()} AS INTEGER))"
        for _ in range(w.pick(1, 2, 3))
    ]
    if w.maybe(0.2):
        rows.append("(NULL, NULL)")
    first = w.pick("grp", "part", "x", "lang")
    columns = ((first, "VARCHAR"), ("k", "INTEGER"))
    return Source(f"(VALUES {', '.join(rows)}) AS {name}({first}, k)", name, columns)
