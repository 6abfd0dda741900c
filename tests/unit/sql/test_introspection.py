"""What is asked of DuckDB about SQL of ours: what it cannot read is told, not taken for unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.database.session import Session
from connstat_sql.database.values import Arguments
from connstat_sql.demo import DemoServers
from connstat_sql.engine.live import LiveTables
from connstat_sql.planner import as_document, as_text
from connstat_sql.sql.binder import Types
from connstat_sql.sql.introspection import Introspection
from tests.conftest import engine_of
from tests.defects import listening

LIVE = "plant_a.connect.connectors"


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session()
    yield opened
    opened.close()


def asking(session: Session) -> Introspection:
    return Introspection(session, "SELECT 1", None)


@pytest.mark.defective
@pytest.mark.parametrize("sql", ["SELECT * FROM (", "SELECT FROM WHERE", "SELEC 1"])
def test_what_duckdb_cannot_parse_is_told(session: Session, sql: str) -> None:
    asked = asking(session)
    with listening() as heard:
        assert asked.describe(sql) is None
        assert asked.fold(sql) is None
    assert len(asked.defects) == 2
    assert all(sql in one and "Parser Error" in one for one in heard)
    assert len(heard) == 2


@pytest.mark.defective
@pytest.mark.parametrize("sql", ["SELECT nosuch_function(1)", "SELECT 1 + [2]", "FROM nosuch"])
def test_what_duckdb_cannot_bind_is_told_once_the_statement_itself_binds(
    session: Session, sql: str
) -> None:
    asked = asking(session)
    with listening() as heard:
        assert asked.describe(sql) is None
        assert not heard
        asked.confirm()
        asked.confirm()
    assert len(heard) == len(asked.defects) == 1


def test_a_piece_that_speaks_of_what_is_beside_it_is_no_fault(session: Session) -> None:
    asked = asking(session)
    assert asked.describe("SELECT t.a FROM (SELECT 1 AS b) AS u") is None
    assert asked.fold("SELECT CAST('x' AS INTEGER)") is None
    asked.confirm()
    assert not asked.defects


class _Mistaken(LiveTables):
    """Asks for the types of a derived table in a form that DuckDB does not read."""

    def _introspection(self, sql: str, arguments: Arguments) -> Introspection:
        return _MistakenAsking(self._session, sql, arguments)


class _MistakenAsking(Introspection):
    def describe(self, sql: str) -> Types | None:
        return super().describe(f"{sql} ) AS u")


@pytest.mark.defective
def test_explain_counts_them(sandbox: DemoServers) -> None:
    sql = f"SELECT * FROM (SELECT name FROM {LIVE}) AS u"
    with engine_of(sandbox.connections, live=_Mistaken) as engine:
        plan = engine.explain(sql)
    assert plan is not None
    assert plan.defects
    assert f"defects: {len(plan.defects)}, please report" in as_text(plan)
    assert as_document(plan)["defects"] == list(plan.defects)


def test_a_plan_without_any_says_nothing_of_them(sandbox: DemoServers) -> None:
    with engine_of(sandbox.connections) as engine:
        plan = engine.explain(f"SELECT * FROM (SELECT name FROM {LIVE}) AS u")
    assert plan is not None
    assert not plan.defects
    assert "defects" not in as_text(plan)
