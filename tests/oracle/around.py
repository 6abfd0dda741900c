"""What stands around a statement: a transaction, a search path, a write where nobody expects one.

It is put around a query that is made already, so that other seeds keep their queries.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tests.oracle.pieces import Query, Writer
from tests.oracle.zoo import HOSTS, LOCALS

_LIVE = re.compile(rf'("?)({"|".join((*HOSTS, "zoo"))})\1\.("?)w\3\.("?)(\w+)\4')
"""A live table, in the plainer spellings of its name."""
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/")
_LOCAL = re.compile(rf"\b({'|'.join((*LOCALS, 'changed'))})\b")
_OURS = {"t": "r", "l": "_connstat_scan_", "d": "x", "o": "argument_", "q": "_connstat_table_"}
_OWN = re.compile(rf"\b([{''.join(_OURS)}])(\d+)\b")
_HOME = "USE memory.main"


def around(w: Writer, query: Query) -> Query:
    """The query, now and then with something around it."""
    dice = w.chance.random()
    if query.sql == "FROM changed" and dice < 0.4:
        return explained(query, runs=w.maybe(0.7))
    if dice < 0.04:
        return in_transaction(query)
    if dice < 0.09:
        return in_short(w, query)
    if dice < 0.11:
        return beside_a_write(w, query)
    return with_names_like_ours(query) if dice < 0.15 else query


def in_transaction(query: Query) -> Query:
    """The same between BEGIN and ROLLBACK: nothing that is asked beside it may end that."""
    return replace(query, setup=("BEGIN", *query.setup), undo=("ROLLBACK", *query.undo))


def in_short(w: Writer, query: Query) -> Query:
    """The same with tables under the names that USE or a search path give them."""
    heads = sorted({found[2] for found in _LIVE.finditer(query.sql)})
    if not heads:
        return query
    head = w.pick(*heads)
    path = f"SET search_path = '{head}.w,memory.main'"
    is_all_live = _LOCAL.search(" ".join((*query.setup, query.sql))) is None
    way, schema = w.pick((path, ""), (f"USE {head}.w", ""), (f"USE {head}", "w."))
    if not is_all_live:
        way, schema = path, ""

    def short(text: str) -> str:
        return _LIVE.sub(lambda one: schema + one[5] if one[2] == head else one[0], text)

    loose = query.loose and replace(query.loose, sql=short(query.loose.sql))
    setup, undo = (*query.setup, way), (_HOME, *query.undo)
    return replace(query, sql=short(query.sql), loose=loose, setup=setup, undo=undo)


def beside_a_write(w: Writer, query: Query) -> Query:
    """The same with a write in one of its WITHs, which has to be refused before any request."""
    if _LIVE.search(_COMMENT.sub("", query.sql)) is None:
        return query
    write = w.pick(
        "DELETE FROM notes RETURNING x", "UPDATE notes SET k = 9 RETURNING x",
        "INSERT INTO notes VALUES ('w', 'w', 1, NULL) RETURNING x",
    )  # fmt: skip
    first, _, rest = query.sql.partition(" ")
    if first == "WITH":
        recursive, _, others = rest.partition(" ")
        is_recursive = recursive == "RECURSIVE"
        word = "WITH RECURSIVE" if is_recursive else "WITH"
        sql = f"{word} gone AS ({write}), {others if is_recursive else rest}"
    else:
        within = f"SELECT * FROM (WITH gone AS ({write}) FROM gone) AS g, ({query.sql}) AS o"
        whole = f"DELETE FROM notes USING ({query.sql}) AS o"
        sql = w.pick(*(f"WITH gone AS ({write}) {sql}" for sql in (query.sql, whole)), within)
    sql = w.pick("", "", "EXPLAIN ANALYZE ", "CREATE TEMP TABLE made AS ") + sql
    return replace(query, sql=sql, loose=None, is_forbidden=True)


def with_names_like_ours(query: Query) -> Query:
    """The same, its tables and columns called what SQL of ours calls some, but for the mark."""

    def renamed(text: str) -> str:
        return _OWN.sub(lambda one: _OURS[one[1]] + one[2], text)

    loose = query.loose and replace(query.loose, sql=renamed(query.loose.sql))
    setup = tuple(map(renamed, query.setup))
    return replace(query, sql=renamed(query.sql), setup=setup, loose=loose)


def explained(query: Query, *, runs: bool) -> Query:
    """A change that EXPLAIN ANALYZE makes as well, and EXPLAIN does not."""
    *before, change = query.setup
    if runs:
        return replace(query, setup=(*before, f"EXPLAIN ANALYZE {change}"))
    return replace(query, setup=(*before, f"EXPLAIN {change}"), most=0)
