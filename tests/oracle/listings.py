"""One table read in an order and cut by LIMIT, where the API could sort and stop.

What the names of the select list are decides what the order is, and so do settings. Rows that tie
in the order may change places, so all that is asked of them outside is what they are sorted by.
"""

from __future__ import annotations

from tests.oracle.pieces import Query, Writer

_HEADS = (
    ("*", ("seq", "line")), ("seq, line", ("seq",)), ("-seq AS seq, line", ("seq",)),
    ("-seq AS other, *", ("other", "seq")), ("line AS seq, seq AS line", ("seq", "line")),
    ("* REPLACE (-seq AS seq)", ("seq",)), ("* REPLACE (line || 'x' AS line)", ("seq", "line")),
    ("* RENAME (seq AS line, line AS seq)", ("seq", "line")), ("* RENAME (seq AS n)", ("n",)),
    ("* EXCLUDE (line) REPLACE (-seq AS seq)", ("seq",)), ("* EXCLUDE (line)", ("seq",)),
    ("-(COLUMNS('seq'))", ("seq",)), ("-COLUMNS(lambda c: c = 'seq')", ("seq",)),
    ("COLUMNS('(seq|line)') AS 'my_\\1'", ("my_seq", "my_line")),
    ("COLUMNS(* REPLACE (-seq AS seq))", ("seq",)), ("COLUMNS(*)", ("seq",)),
    ("t.seq + 1 AS seq", ("seq", )), ("unnest([seq, -seq]) AS seq", ("seq",)),
    ("seq, row_number() OVER (ORDER BY seq DESC) AS k", ("seq",)), ("DISTINCT seq", ("seq",)),
)  # fmt: skip
"""Select lists over lines, and what they make that one can sort by."""
_SETTINGS = (
    "default_null_order = 'nulls_first'", "default_null_order = 'NULLS_FIRST_ON_ASC_LAST_ON_DESC'",
    "default_null_order = 'NULLS_LAST_ON_ASC_FIRST_ON_DESC'", "default_null_order = 'sqlite'",
    "default_order = 'DESC'",
)  # fmt: skip


def listing(w: Writer) -> Query:
    """The first rows of a table."""
    w.tables.add("lines")
    listed, names = w.pick(*_HEADS)
    name = w.pick(*names)
    way = w.pick("", "", " ASC", " DESC", " NULLS FIRST", " DESC NULLS LAST")
    key = w.pick(name, name, name, f"{name} + 0" if name == "seq" else name)
    where = f" WHERE {w.predicates.binding('t.grp', 'VARCHAR')}" if w.maybe(0.8) else ""
    cut = f"LIMIT {w.pick(1, 2, 4, 9)}{w.pick('', '', ' OFFSET 1')}"
    body = f"SELECT {listed} FROM {w.pick(*w.heads)}.w.lines AS t{where} ORDER BY {key}{way} {cut}"
    sql, arguments = w.constants.settled(f"SELECT o.{name} FROM ({body}) AS o")
    setting = w.pick(*_SETTINGS) if w.maybe(0.3) else ""
    setup, undo = ((f"SET {setting}",), (f"RESET {setting.split()[0]}",)) if setting else ((), ())
    said = frozenset(w.constants.said)
    return Query(sql, arguments, said, frozenset(), setup, undo=undo)
