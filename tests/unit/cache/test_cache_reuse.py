"""Rows of earlier statements answer later ones, seen from SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError
from connstat_sql.planner import as_document
from connstat_sql.result import Options, Result
from tests.chaos import chaos_of
from tests.conftest import FakeClock, engine_of

PLANT = "plant_a.connect.connectors"
LISTS = 2
"""Requests for states of connectors: one for those that have one, and one for all names."""
CLASSES = 6
"""Plugins of these connectors: an engine asks once about each which settings are passwords."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(sandbox: DemoServers, clock: FakeClock) -> Iterator[Engine]:
    with engine_of({**sandbox.connections, "chaos": chaos_of(sandbox)}, clock=clock) as opened:
        yield opened


def ask(engine: Engine, sql: str, max_age: float | None = 60, **more: Any) -> Result:
    return [*engine.run(sql, options=Options(max_age=max_age, **more))][-1]


def text(engine: Engine, sql: str, max_age: float | None = 60) -> str:
    return "\n".join(row[0] for row in ask(engine, sql, max_age))


class TestFromSql:
    def test_a_second_statement_sends_nothing_and_says_how_old_its_rows_are(
        self, engine: Engine, clock: FakeClock
    ) -> None:
        sql = f"SELECT *, _observed_at, _url FROM {PLANT} ORDER BY ALL"
        first = ask(engine, sql)
        clock.time += 41
        second = ask(engine, sql)
        assert first.requests == LISTS + CLASSES
        assert first.notes == ()
        assert second.requests == 0
        assert second.fetchall() == first.fetchall()
        assert second.notes == (
            "kafka_connect.connect.connectors: 1 of 1 fetches were answered from rows up to 41 s "
            "old",
        )

    def test_rows_that_are_too_old_are_fetched(self, engine: Engine, clock: FakeClock) -> None:
        assert ask(engine, f"FROM {PLANT}").requests == LISTS + CLASSES
        clock.time += 61
        assert ask(engine, f"FROM {PLANT}").requests == LISTS
        clock.time += 30
        assert ask(engine, f"FROM {PLANT}", 31).requests == 0

    def test_an_age_of_zero_always_fetches(self, engine: Engine) -> None:
        for classes in (CLASSES, 0):
            assert ask(engine, f"FROM {PLANT}", 0).requests == LISTS + classes

    def test_an_age_of_zero_still_merges_what_a_statement_asks_twice(self, engine: Engine) -> None:
        sql = f"SELECT count(*) FROM {PLANT} a JOIN {PLANT} b USING (name)"
        assert ask(engine, sql, 0).requests == 1

    def test_other_columns_of_the_same_fetch_are_there_too(self, engine: Engine) -> None:
        ask(engine, f"SELECT name, config FROM {PLANT}")
        again = ask(engine, f"SELECT config['connector.class'], len(task_ids) FROM {PLANT}")
        assert again.requests == 0
        assert again.table.num_rows > 0

    def test_masks_are_masks(self, engine: Engine) -> None:
        sql = f"SELECT name, config FROM {PLANT} ORDER BY name"
        first, second = ask(engine, sql), ask(engine, sql)
        assert second.fetchall() == first.fetchall()
        assert "****" in str(second.fetchall())

    def test_a_fan_out_fetches_what_is_not_kept(self, engine: Engine) -> None:
        names = [row[0] for row in ask(engine, f"SELECT name FROM {PLANT} ORDER BY 1", 0)][:4]
        listed = ", ".join(f"'{name}'" for name in names)
        one = "SELECT * FROM plant_a.connect.connector_topics WHERE connector_name"
        assert ask(engine, f"{one} = '{names[1]}'").requests == 1
        many = ask(engine, f"{one} IN ({listed})")
        assert many.requests == 3
        anew = ask(engine, f"{one} IN ({listed})", 0)
        assert sorted(anew.fetchall()) == sorted(many.fetchall())
        assert "1 of 4 fetches" in many.notes[0]

    def test_a_dependent_scan_is_answered_fetch_by_fetch(self, engine: Engine) -> None:
        sql = (
            f"SELECT * FROM {PLANT} c JOIN plant_a.connect.connector_topics t "
            "ON t.connector_name = c.name WHERE c.name NOT LIKE '%/%' ORDER BY ALL"
        )
        first, second = ask(engine, sql), ask(engine, sql)
        assert first.requests > 2
        assert second.requests == 0
        assert second.fetchall() == first.fetchall()

    def test_no_such_row_is_kept_too(self, engine: Engine) -> None:
        sql = "FROM plant_a.connect.connectors WHERE connector_name = 'nobody'"
        assert ask(engine, sql).requests == LISTS + CLASSES
        again = ask(engine, sql)
        assert again.requests == 0
        assert again.fetchall() == []

    def test_what_a_limit_cut_short_is_not_kept_but_takes_what_is(self, engine: Engine) -> None:
        sql = "FROM chaos.echo.filters WHERE total = 300"
        ask(engine, f"{sql} LIMIT 1")
        assert ask(engine, sql).requests > 0
        limited = ask(engine, f"{sql} LIMIT 1")
        assert limited.requests == 0
        assert limited.table.num_rows == 1

    def test_what_failed_is_not_kept(self, engine: Engine, sandbox: DemoServers) -> None:
        sandbox.inject(Fault(api="plant_a", status=404))
        with pytest.raises(ConnstatError):
            ask(engine, f"FROM {PLANT}")
        sandbox.heal()
        assert ask(engine, f"FROM {PLANT}").requests == LISTS + CLASSES

    def test_refresh_makes_the_next_statement_fetch(self, engine: Engine) -> None:
        ask(engine, f"FROM {PLANT}")
        assert ask(engine, "REFRESH plant_a").notes == ("rows of 1 fetch forgotten",)
        assert ask(engine, f"FROM {PLANT}").requests == LISTS + CLASSES

    def test_explain_says_what_is_kept(self, engine: Engine, clock: FakeClock) -> None:
        assert "kept rows" not in text(engine, f"EXPLAIN FROM {PLANT}", 0)
        assert "kept rows: for none of 1 fetches" in text(engine, f"EXPLAIN FROM {PLANT}")
        ask(engine, f"FROM {PLANT}")
        clock.time += 12
        said = text(engine, f"EXPLAIN FROM {PLANT}")
        assert "kept rows: for 1 of 1 fetches, up to 12 s old" in said
        assert "requests: 0 of 1,000 allowed" in said
        plan = engine.explain(f"FROM {PLANT}", None, Options(max_age=60))
        assert plan is not None
        [scan] = as_document(plan)["scans"]
        assert scan["cache"] == {"fetches": 1, "kept": 1, "oldest_seconds": 12.0}
        assert scan["requests"] == {"expected": 0, "at_most": 0}


class TestConnections:
    def test_a_connection_says_its_own_age_and_a_statement_goes_before(
        self, sandbox: DemoServers, clock: FakeClock
    ) -> None:
        aged = {**sandbox.connections}
        aged["plant_a"] = {**aged["plant_a"], "max_age": 60}
        sql = "SELECT DISTINCT _connection FROM kafka_connect.connect.connectors"
        with engine_of(aged, clock=clock) as engine:
            assert ask(engine, sql, None).requests == 2
            assert ask(engine, sql, None).requests == 1
            assert ask(engine, sql, 0).requests == 2
            assert ask(engine, sql, 60).requests == 2
            assert ask(engine, sql, 60).requests == 0

    def test_rows_on_disk_answer_the_next_run(
        self, sandbox: DemoServers, clock: FakeClock, tmp_path: Path
    ) -> None:
        file = tmp_path / "kept.duckdb"
        config = tmp_path / "connstat.toml"
        url = sandbox.connections["plant_a"]["base_url"]
        config.write_text(
            f'[cache]\nfile = "{file}"\n[connections.plant_a]\nprovider = "kafka_connect"\n'
            f'base_url = "{url}"\n'
        )
        states = "SELECT name, type FROM plant_a.connect.connector_status ORDER BY name"
        settings = "SELECT name, config FROM plant_a.connect.connectors ORDER BY name"
        found = []
        for requests in (LISTS, 0):
            outside = EngineOptions(environment={}, clock=clock)
            engine = open_engine(Setup(config=config), outside)
            try:
                result = ask(engine, states)
                found.append(result.fetchall())
                assert result.requests == requests
                assert ask(engine, settings).requests == 1 + CLASSES  # no credential is on disk
            finally:
                engine.close()
        assert found[0] == found[1] != []
