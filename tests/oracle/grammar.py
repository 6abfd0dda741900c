"""Random SQL over the made-up provider: every shape that the rules speak of, and odd spellings."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.oracle.around import around
from tests.oracle.blocks import block
from tests.oracle.changes import change
from tests.oracle.expressions import alike, value_from
from tests.oracle.listings import listing
from tests.oracle.pieces import NOW, Loose, Made, Query, Reach, Source, Writer
from tests.oracle.predicates import Columns
from tests.oracle.sources import mention, plain, source
from tests.oracle.world import World

__all__ = ["Query", "Reach", "random_query"]

_TYPES = (
    ("VARCHAR", "VARCHAR"), ("VARCHAR", "VARCHAR", "VARCHAR"), ("VARCHAR",), ("DATE", "VARCHAR"),
    ("INTEGER", "VARCHAR"),
)  # fmt: skip


def random_query(chance: random.Random, world: World, reach: Reach = NOW) -> Query:
    """One statement for a world."""
    w = Writer(chance, reach, world.names_hidden, world.says_state, world.is_numeric)
    w.left = w.pick(1, 2, 3, 4)
    w.select = expression
    if w.maybe(0.05):
        return around(w, w.pick(listing, change)(w))
    if reach.views and w.maybe(0.1):
        _view(w)
    ctes = [_cte(w) for _ in range(w.pick(0, 0, 0, 0, 1, 1, 2))]
    if w.maybe(0.07):
        ctes.append(_recursive(w))
    made = _pivoted(w) if w.maybe(0.02) else expression(w, 2)
    return around(w, _finished(w, _with(ctes, made.sql)))


def _finished(w: Writer, body: str) -> Query:
    """The statement with its end: an order, a LIMIT, or nothing."""
    dice, ordered, loose = w.chance.random(), False, None
    is_cut = any(word in body for word in ("LIMIT", "ORDER BY"))
    sql = body
    if dice < 0.1 and not is_cut:
        sql, ordered = f"{body} ORDER BY ALL", True
        if w.maybe(0.6):
            sql += f" LIMIT {w.pick(0, 1, 2, 5)}{w.pick('', ' OFFSET 1')}"
    elif dice < 0.18 and not is_cut and "random()" not in body:
        limit, offset = w.pick(1, 2, 4), w.pick(0, 0, 1)
        sql = f"{body} LIMIT {limit}" + (f" OFFSET {offset}" if offset else "")
        whole, arguments = w.constants.settled(body)
        loose = Loose(whole, arguments, limit, offset)
    sql, arguments = w.constants.settled(sql)
    tables = frozenset(w.tables if w.sources > 1 else ())
    said = frozenset(w.constants.said)
    return Query(sql, arguments, said, tables, tuple(w.setup), ordered, loose)


# --- query expressions ---------------------------------------------------------------------------


def expression(
    w: Writer, depth: int, *, outer: Columns = (), is_open: bool = False,
    types: Sequence[str] = (),
) -> Made:  # fmt: skip
    """A SELECT, or several put together by a set operation, or one with CTEs of its own."""
    dice = w.chance.random()
    if not outer and depth > 0 and w.left > 1 and dice < 0.16:
        return _compound(w, depth, is_open=is_open, types=types or w.pick(*_TYPES))
    if not outer and depth > 0 and w.left > 0 and 0.16 < dice < 0.2:
        return _nested(w, depth, is_open=is_open, types=types)
    return block(w, depth, outer=outer, is_open=is_open, types=types)


def _compound(w: Writer, depth: int, *, is_open: bool, types: Sequence[str]) -> Made:
    """UNION, INTERSECT and EXCEPT of two to four branches, at times of several types of numbers."""
    by_name = len(types) > 1 and w.maybe(0.2)
    first, *others = [
        block(w, depth - 1, is_open=is_open, types=types, by_name=by_name and bool(place))
        for place in range(w.pick(2, 2, 3, 4))
    ]
    sql, columns, branches = first.sql, first.columns, (first, *others)
    for branch in others:
        word = w.pick("UNION ALL BY NAME", "UNION BY NAME") if by_name else w.pick(
            "UNION", "UNION ALL", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL",
            "INTERSECT ALL",
        )  # fmt: skip
        sql = f"{sql} {word} {branch.sql}"
    if types[0] == "INTEGER" and not by_name and w.maybe(0.5):
        number = w.pick("2.5", "5.0", "5::DOUBLE", "5.5::DOUBLE", "5::BIGINT", "5::DECIMAL(38,2)")
        sql = f"{sql} UNION ALL SELECT {', '.join((number, *['NULL'] * (len(types) - 1)))}"
    wants = tuple(dict.fromkeys(want for branch in branches for want in branch.wants))
    return Made(sql, columns, wants)


def _nested(w: Writer, depth: int, *, is_open: bool, types: Sequence[str]) -> Made:
    """A query with a CTE that only it sees."""
    before = list(w.ctes)
    shadowed = w.pick(*before).name if before and w.maybe(0.4) else ""
    w.ctes[:] = [one for one in before if one.name != shadowed]
    text = _cte(w, shadowed)
    made = block(w, depth - 1, is_open=is_open, types=types)
    w.ctes[:] = before
    return Made(f"WITH {text} {made.sql}", made.columns, made.wants)


# --- CTEs ----------------------------------------------------------------------------------------


def _with(ctes: Sequence[str], body: str) -> str:
    if not ctes:
        return body
    if body.startswith("WITH "):
        ctes, body = [*ctes, body.removeprefix("WITH ")], ""
    word = "WITH RECURSIVE" if any("UNION" in one for one in ctes) else "WITH"
    return f"{word} {', '.join(ctes)} {body}"


def _cte(w: Writer, name: str = "") -> str:
    """A CTE, which later parts may mention any number of times."""
    made = expression(w, w.pick(0, 1, 2), is_open=w.maybe(0.7))
    name = name or w.name("q")
    w.ctes.append(Source(name, name, made.columns, made.wants))
    return f"{name} AS {w.pick('', '', 'MATERIALIZED ', 'NOT MATERIALIZED ')}({made.sql})"


def _recursive(w: Writer) -> str:
    """A recursive CTE that counts, over constants or live tables, in its base or everywhere."""
    name, union = w.name("q"), w.pick("UNION ALL", "UNION")
    base = plain(w) if w.maybe(0.4) else source(w, 0, closed=True)
    first = value_from(w, base.fields, "VARCHAR") or w.constants.text()
    where = f" WHERE {w.predicates.any(base.fields, 1)}" if w.maybe(0.5) else ""
    start = f"SELECT CAST({first} AS VARCHAR) AS x, 1 AS n FROM {base.sql}{where}"
    if w.left > 0 and w.maybe(0.5):
        step = mention(w, w.pick("subs", "groups", "items"), closed=True)
        texts = alike(step.fields, "VARCHAR")
        on = f"{w.pick(*texts)} = r.x"
        further = f"SELECT {w.pick(*texts)}, r.n + 1 FROM {name} AS r JOIN {step.sql} ON {on}"
    else:
        further = f"SELECT {w.pick('r.x', 'lower(r.x)', 'trim(r.x)')}, r.n + 1 FROM {name} AS r"
    columns = (("x", "VARCHAR"), ("n", "INTEGER"))
    w.constants.said.update("123")
    w.tables.update(("notes", "groups", "subs", "items"))
    w.ctes.append(Source(name, name, columns))
    return f"{name}(x, n) AS ({start} {union} {further} WHERE r.n < 3)"


# --- other forms ---------------------------------------------------------------------------------


def _pivoted(w: Writer) -> Made:
    """A PIVOT: columns out of values."""
    over = source(w, 1, closed=True)
    texts = [name for name, of in over.columns if of == "VARCHAR" and not name.startswith("_")]
    if len(texts) < 2 or "." in over.name:
        return expression(w, 1)
    on, by = w.some(texts, 2)
    inner = f"SELECT {over.name}.{on} AS p, {over.name}.{by} AS b FROM {over.sql}"
    sql = f"FROM (PIVOT ({inner}) ON p IN ('a', '5') USING count(*) GROUP BY b)"
    return Made(sql, (("b", "VARCHAR"), ("a", "BIGINT"), ("5", "BIGINT")))


def _view(w: Writer) -> None:
    """A view or a table macro over live tables, for later parts to mention."""
    made = expression(w, 1, is_open=True)
    name = w.name("view_")
    if w.constants.given:
        return
    if w.maybe(0.6):
        w.setup.append(f"CREATE OR REPLACE TEMP VIEW {name} AS {made.sql}")
        w.views.append(Source(name, name, made.columns, made.wants))
        return
    texts = alike(made.columns, "VARCHAR")
    where = f" WHERE {w.pick(*texts)} = value" if texts else ""
    body = f"SELECT * FROM ({made.sql}){where}"
    w.setup.append(f"CREATE OR REPLACE TEMP MACRO {name}(value) AS TABLE {body}")
    call = f"{name}({w.constants.text()})" if not w.constants.style else f"{name}('a')"
    w.constants.said.add("a")
    w.views.append(Source(call, call, made.columns, made.wants))
