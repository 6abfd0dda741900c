"""The judge notices a rule that is broken on purpose: each test breaks one, and is found out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from connstat_sql.binder import KINDS, Arguments, BoundQuery, Kinds, Value, bind
from connstat_sql.binder import Row as Alternative
from connstat_sql.live import LiveTables
from connstat_sql.parser import Statement
from tests.oracle.grammar import Query
from tests.oracle.law import Court, Trial, Verdict
from tests.oracle.world import Copies, Row, World


class Broken(LiveTables):
    """An engine whose binder breaks a rule; each subclass breaks another."""

    kinds: Kinds = KINDS

    def _bind(self, statement: Statement, arguments: Arguments) -> BoundQuery:
        fold = partial(self._fold, arguments=arguments)
        found = bind(statement, self._catalog, fold, self._session.volatile, self.kinds)
        tables = tuple(replace(table, rows=self._rows(table.rows)) for table in found.tables)
        return replace(found, tables=tables)

    def _fold(self, sql: str, arguments: Arguments) -> tuple[tuple[Value, ...], ...] | None:
        return self._session.fold(sql, arguments)

    def _rows(self, rows: tuple[Alternative, ...] | None) -> tuple[Alternative, ...] | None:
        return rows


class OnRestrictsThePreservedSide(Broken):
    kinds = replace(KINDS, on_left=KINDS.on_left | {"LEFT"})


class OnRestrictsTheLeftOfAnti(Broken):
    kinds = replace(KINDS, on_left=KINDS.on_left | {"ANTI"})


class OnRestrictsTheRightOfRight(Broken):
    kinds = replace(KINDS, on_right=KINDS.on_right | {"RIGHT"})


class OnRestrictsFull(Broken):
    kinds = replace(KINDS, on_left=KINDS.on_left | {"FULL"}, on_right=KINDS.on_right | {"FULL"})


class WhereRestrictsTheRightOfAsof(Broken):
    kinds = replace(KINDS, closed_right=frozenset({"SEMI", "ANTI"}))


class WhereRestrictsPositional(Broken):
    kinds = replace(KINDS, closed_block=frozenset())


class TheFirstOfSeveralIsKept(Broken):
    def _rows(self, rows: tuple[Alternative, ...] | None) -> tuple[Alternative, ...] | None:
        return rows[:1] if rows else rows


class ANumberIsTakenForItsText(Broken):
    def _fold(self, sql: str, arguments: Arguments) -> tuple[tuple[Value, ...], ...] | None:
        found = self._session.fold(sql, arguments)
        return found and tuple(tuple(Value(v.text, "VARCHAR") for v in row) for row in found)


class NothingIsNoRestriction(Broken):
    def _rows(self, rows: tuple[Alternative, ...] | None) -> tuple[Alternative, ...] | None:
        return () if rows is None else rows


SUBS = "SELECT a.grp, b.sub FROM conn_a.w.subs AS a"
BREACHES = [
    (OnRestrictsThePreservedSide, f"{SUBS} LEFT JOIN conn_b.w.subs AS b ON a.grp = '5'"),
    (OnRestrictsTheLeftOfAnti, "SELECT sub FROM conn_a.w.subs a ANTI JOIN conn_a.w.groups b "
     "ON a.grp = b.g AND a.grp = '5'"),
    (OnRestrictsTheRightOfRight, f"{SUBS} RIGHT JOIN conn_b.w.subs AS b ON b.grp = '5'"),
    (OnRestrictsFull, f"{SUBS} FULL JOIN conn_b.w.subs AS b ON a.grp = '5' AND b.grp = '05'"),
    (WhereRestrictsTheRightOfAsof, "SELECT g.g, b.sub FROM conn_a.w.groups g ASOF JOIN "
     "conn_a.w.subs b ON b.sub = 'x' AND g.g >= b.grp WHERE b.grp = '05'"),
    (WhereRestrictsPositional, "SELECT g.g FROM conn_a.w.groups g POSITIONAL JOIN conn_a.w.subs b "
     "WHERE b.grp = '5'"),
    (TheFirstOfSeveralIsKept, "SELECT sub FROM conn_a.w.subs WHERE grp = '5' OR grp = '05'"),
    (ANumberIsTakenForItsText, "SELECT sub FROM conn_a.w.subs WHERE grp = 2 + 3"),
    (NothingIsNoRestriction, "SELECT sub FROM conn_a.w.subs WHERE grp <> '5'"),
]  # fmt: skip


def tried(kind: type[LiveTables], sql: str, folder: Path) -> Trial:
    groups: list[Row] = [{"g": "05", "size": 1}, {"g": "5", "size": 2}]
    subs: list[Row] = [
        {"sub": sub, "kind": "k", "grp": grp} for grp in ("05", "5") for sub in ("x", "y")
    ]
    copies: Copies = {"groups": groups, "subs": subs, "items": [], "days": [], "codes": []}
    court = Court(folder, kind)
    try:
        said = frozenset({"5", "05"})
        return court.try_query(
            Query(sql, None, said, False), World({"conn_a": copies, "conn_b": copies})
        )
    finally:
        court.close()


@pytest.mark.parametrize(("kind", "sql"), BREACHES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_broken_rule_is_found_out_where_the_kept_one_agrees(
    kind: type[LiveTables], sql: str, tmp_path: Path
) -> None:
    assert tried(LiveTables, sql, tmp_path).verdict is Verdict.AGREED
    assert tried(kind, sql, tmp_path).verdict is Verdict.WRONG
