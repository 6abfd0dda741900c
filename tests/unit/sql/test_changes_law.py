"""Statements that change a local table by live rows: what they change, and at how many requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.broken import Mutant
from tests.oracle.law import Court, Verdict
from tests.oracle.misreading import merges_of_what_matches
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import GROUPS, ITEMS, SUBS, world

COPY = "CREATE OR REPLACE TABLE changed AS SELECT DISTINCT x, y, k FROM notes"


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(world())


CHANGES: dict[str, tuple[str, int]] = {
    "UPDATE FROM asks for what its rows say": (
        f"UPDATE changed SET k = 9 FROM {SUBS} s WHERE s.grp = changed.x", 3,
    ),
    "WHERE of UPDATE restricts both sides": (
        f"UPDATE changed c SET k = 9 FROM {SUBS} s WHERE s.grp = c.x AND c.x = '5'", 1,
    ),
    "constants restrict UPDATE FROM": (
        f"UPDATE changed SET k = 9 FROM {SUBS} s WHERE s.grp = '5' AND s.sub = changed.y", 1,
    ),
    "sources of UPDATE are joined among each other": (
        f"UPDATE changed SET k = 9 FROM {GROUPS} g LEFT JOIN {SUBS} s ON s.grp = g.g "
        "WHERE g.g = changed.x AND g.size = 1", 3,
    ),
    "a subquery in SET is of the rows that are changed": (
        f"UPDATE changed SET k = (SELECT count(*) FROM {SUBS} s WHERE s.grp = changed.x) "
        "WHERE x = '5'", 1,
    ),
    "DELETE USING asks for what its rows say": (
        f"DELETE FROM changed USING {SUBS} s WHERE s.grp = changed.x AND s.sub = changed.y", 3,
    ),
    "DELETE USING a table by its own name": (
        f"DELETE FROM changed USING {SUBS} WHERE subs.grp = '5' AND subs.sub = changed.y", 1,
    ),
    "WHERE of DELETE is a semi join": (
        f"DELETE FROM changed WHERE x IN (SELECT grp FROM {SUBS} WHERE sub = 'x')", 3,
    ),
    "MERGE of what matches asks for what may match": (
        f"MERGE INTO changed USING {SUBS} s ON s.grp = changed.x AND s.grp = '5' AND s.sub = 'x' "
        "WHEN MATCHED THEN DELETE", 1,
    ),
    "MERGE by USING asks for what may match": (
        f"MERGE INTO changed USING (SELECT grp AS x FROM {SUBS} WHERE sub = 'x') s USING (x) "
        "WHEN MATCHED THEN UPDATE SET k = 8", 3,
    ),
    "MERGE of what the source lacks asks for what may match": (
        f"MERGE INTO changed USING {SUBS} s ON s.grp = changed.x AND s.grp = '5' "
        "WHEN NOT MATCHED BY SOURCE THEN DELETE", 1,
    ),
    "MERGE of what matches nothing wants all of the source": (
        f"MERGE INTO changed USING {SUBS} s ON s.grp = changed.x AND s.grp = '5' "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.grp, s.sub, 3)", 5,
    ),
    "MERGE BY TARGET wants all of the source": (
        f"MERGE INTO changed USING {SUBS} ON subs.grp = changed.x AND subs.sub = 'x' "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (subs.grp, '', 3)",
        5,
    ),
    "a source of MERGE has a WHERE of its own": (
        f"MERGE INTO changed USING (FROM {SUBS} WHERE grp = '5') s ON s.grp = changed.x "
        "AND s.sub = changed.y WHEN NOT MATCHED THEN INSERT VALUES (s.grp, s.sub, 3)", 1,
    ),
    "a CTE of UPDATE is read where it is named": (
        f"WITH s AS (FROM {SUBS}) UPDATE changed SET k = 9 FROM s WHERE s.grp = x AND x = '5'", 1,
    ),
}  # fmt: skip


@over("sql, most", CHANGES.values())
def test_a_local_table_is_changed_as_by_full_copies(court: Court, sql: str, most: int) -> None:
    tables = frozenset({*TABLES, *LOCALS})
    trial = court.try_query(Query("FROM changed", None, tables=tables, setup=(COPY, sql)))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.requests <= most, sorted(court.world.asked)


def test_a_merge_read_as_a_join_is_noticed(court: Court, tmp_path: Path) -> None:
    merge = f"MERGE INTO changed USING {SUBS} s ON s.grp = changed.x AND s.grp = '5' "
    setup = (COPY, merge + "WHEN NOT MATCHED THEN INSERT VALUES (s.grp, s.sub, 3)")
    broken = Court(tmp_path, Mutant(misread=merges_of_what_matches).engine, beside=court)
    try:
        trial = broken.try_query(Query("FROM changed", None, setup=setup))
    finally:
        broken.close()
    assert trial.verdict is Verdict.WRONG
    assert "missing" in trial.why


def test_a_union_of_many_branches_in_a_cte_lets_a_restriction_into_each(court: Court) -> None:
    branches = (f"SELECT grp, sub FROM {SUBS}", f"SELECT grp, part FROM {ITEMS} WHERE part = 'x'")
    sql = f"WITH c AS ({' UNION ALL '.join(branches * 3)}) SELECT * FROM c WHERE grp = '5'"
    trial = court.try_query(Query(sql, None, frozenset({"5", "x"})))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.requests == 2
