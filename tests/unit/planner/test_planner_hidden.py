"""The one law on hidden columns: they can be spoken of anywhere, and are in no `*`.

The judge's copies have `_connection` as a column like others, so it is asked for those by name.
"""

from __future__ import annotations

import pytest

from connstat_sql.errors import BindError
from tests.oracle.law import Court
from tests.tabled import over
from tests.unit.planner.test_planner_law import ALL_SUBS, SUBS, world

pytestmark = pytest.mark.long

CASES: dict[str, tuple[str, str, int, int]] = {
    "no select list": (
        "FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
        "SELECT sub, kind, grp FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'", 2, 1,
    ),
    "no select list, and an order": (
        "FROM {subs} WHERE grp = '5' ORDER BY _connection DESC, sub LIMIT 3",
        "SELECT sub, kind, grp FROM {subs} WHERE grp = '5' ORDER BY _connection DESC, sub LIMIT 3",
        3, 2,
    ),
    "a subquery without a select list": (
        "SELECT grp FROM (FROM {subs} WHERE _connection <> 'conn_a') WHERE grp = '5'",
        "SELECT grp FROM {subs} WHERE _connection <> 'conn_a' AND grp = '5'", 2, 2,
    ),
    "a branch without a select list": (
        "SELECT 'a', 'b', '5' UNION ALL FROM {subs} WHERE _connection = 'conn_b' AND grp = '5'",
        "SELECT 'a', 'b', '5' UNION ALL SELECT sub, kind, grp FROM {subs} "
        "WHERE _connection = 'conn_b' AND grp = '5'", 3, 1,
    ),
    "EXCLUDE of other columns": (
        "SELECT * EXCLUDE (kind) FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
        "SELECT sub, grp FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'", 2, 1,
    ),
    "another source has a column of that name": (
        "SELECT * FROM {subs} s, (SELECT 'conn_a' AS _connection) c "
        "WHERE s._connection = c._connection AND grp = '5'",
        "SELECT s.sub, s.kind, s.grp, c.* FROM {subs} s, (SELECT 'conn_a' AS _connection) c "
        "WHERE s._connection = c._connection AND grp = '5'", 2, 2,
    ),
    "a derived table shows it": (
        "SELECT * FROM {own} s JOIN (SELECT grp, _connection FROM {subs} WHERE sub = 'x') d "
        "ON s.grp = d.grp WHERE s._connection = 'conn_a' AND d.grp = '5'",
        "SELECT s.sub, s.kind, s.grp, d.grp, d._connection FROM {own} s "
        "JOIN (SELECT grp, _connection FROM {subs} WHERE sub = 'x') d "
        "ON s.grp = d.grp WHERE s._connection = 'conn_a' AND d.grp = '5'", 4, 2,
    ),
    "a join in parentheses": (
        "SELECT * FROM ({subs} s JOIN notes n ON n.x = s.grp) WHERE s._connection = 'conn_a'",
        "SELECT s.sub, s.kind, s.grp, n.* FROM {subs} s JOIN notes n ON n.x = s.grp "
        "WHERE s._connection = 'conn_a'", 6, 3,
    ),
    "COLUMNS with another pattern": (
        "SELECT COLUMNS('^(sub|kind)$') FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
        "SELECT sub, kind FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'", 2, 1,
    ),
    "whole rows of a derived table": (
        "SELECT t FROM (SELECT * FROM {subs} WHERE _connection = 'conn_a' AND grp = '5') AS t",
        "SELECT t FROM (SELECT sub, kind, grp FROM {subs} WHERE _connection = 'conn_a' "
        "AND grp = '5') AS t", 2, 1,
    ),
    "what an order makes under the name of the table": (
        "SELECT sub, count(*) AS s FROM {subs} AS s WHERE _connection = 'conn_a' AND grp = '5' "
        "GROUP BY ALL ORDER BY s, sub",
        "SELECT sub, count(*) AS s FROM {subs} WHERE _connection = 'conn_a' AND grp = '5' "
        "GROUP BY ALL ORDER BY 2, 1", 2, 1,
    ),
    "a nearer column called like a table around it": (
        "SELECT sub.kind FROM {subs} AS sub, LATERAL (SELECT sub AS n FROM {subs} "
        "WHERE grp = '5') AS o WHERE sub._connection = 'conn_a' AND sub.grp = '5' "
        "AND o.n = sub.sub",
        "SELECT s.kind FROM {subs} AS s, (SELECT sub AS n FROM {subs} WHERE grp = '5') AS o "
        "WHERE s._connection = 'conn_a' AND s.grp = '5' AND o.n = s.sub", 4, 2,
    ),
    "a column called like the table": (
        "SELECT sub FROM {subs} AS sub WHERE _connection = 'conn_a' AND grp = '5'",
        "SELECT s.sub FROM {subs} AS s WHERE _connection = 'conn_a' AND grp = '5'", 2, 1,
    ),
    "a join in a join": (
        "FROM notes m JOIN {subs} s JOIN notes n ON n.x = s.grp ON m.x = n.x "
        "WHERE s._connection = 'conn_a' AND s.grp = '7'",
        "SELECT m.*, s.sub, s.kind, s.grp, n.* FROM notes m JOIN {subs} s JOIN notes n "
        "ON n.x = s.grp ON m.x = n.x WHERE s._connection = 'conn_a' AND s.grp = '7'", 2, 1,
    ),
}  # fmt: skip


@over(("sql", "judged", "rows", "most"), CASES.values(), ids=CASES.keys())
def test_it_stays_out_of_stars_where(
    court: Court, sql: str, judged: str, rows: int, most: int
) -> None:
    court.enter(world(names_hidden=True))
    court.world.asked.clear()
    sql, judged = (text.format(subs=ALL_SUBS, own=SUBS) for text in (sql, judged))
    (result,) = court.engine.run(sql)
    expected = court.judge.sql(judged).to_arrow_table()
    assert result.table.column_names == expected.column_names
    found, wanted = (
        sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)
        for table in (result.table, expected)
    )
    assert found == wanted
    assert (len(found), len(court.world.asked)) == (rows, most), sorted(court.world.asked)


REFUSED = (
    "SELECT COLUMNS('.*') FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT COLUMNS('conn') FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT max(COLUMNS(lambda c: true)) FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT COLUMNS('(?i)x.*|_.*') FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT t FROM {subs} t WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT T FROM {subs} t WHERE t._connection = 'conn_a' AND grp = '5'",
    "SELECT to_json(subs) FROM {subs} WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT count(DISTINCT t) FROM {subs} t WHERE grp = '5' GROUP BY _connection",
    "SELECT (SELECT t) FROM {subs} t WHERE _connection = 'conn_a' AND grp = '5'",
    "SELECT unnest(t) FROM {subs} t WHERE _connection = 'conn_a' AND grp = '5'",
)


@over("sql", REFUSED)
def test_it_is_an_error_where_it_would_be_shown(court: Court, sql: str) -> None:
    court.enter(world(names_hidden=True))
    court.world.asked.clear()
    with pytest.raises(BindError, match="_connection cannot be named beside") as caught:
        list(court.engine.run(sql.format(subs=ALL_SUBS)))
    assert "take the rows first" in caught.value.hint
    assert court.world.asked == []
