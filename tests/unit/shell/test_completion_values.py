"""Values inside strings: of rows fetched before, and on demand; requests are counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from connstat_sql.definitions.model import TableName
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.executor import SeenValues
from connstat_sql.shell.completion import KnowingCompleter
from tests.benchmarks.completing import complete, no_saved, offered
from tests.conftest import FakeClock, engine_of

LOCK = threading.RLock()
ENVIRONMENTS = TableName("confluent", "org", "environments")
STATUS = "FROM confluent.connect.connector_status s WHERE"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


@pytest.fixture
def completer(engine: Engine, clock: FakeClock) -> KnowingCompleter:
    found = KnowingCompleter(lambda: engine, LOCK, no_saved, {}, now=clock.now)
    found.learner.wait()
    return found


def metas(completer: KnowingCompleter, marked: str, *, requested: bool = False) -> list[str]:
    return [one.display_meta_text for one in offered(completer, marked, requested=requested)]


def run(engine: Engine, sql: str) -> None:
    """As the shell does it: completion looks at the same DuckDB connection."""
    with LOCK:
        for _ in engine.run(sql):
            pass


# --- seen -----------------------------------------------------------------------------------------


def test_values_of_rows_are_offered_with_their_age_and_cost_nothing(
    completer: KnowingCompleter, engine: Engine, sandbox: DemoServers, clock: FakeClock
) -> None:
    assert complete(completer, "FROM confluent.org.environments WHERE id = '|") == []
    run(engine, "SELECT id FROM confluent.org.environments")
    sent = sandbox.count()
    clock.time += 42
    found = offered(completer, "FROM confluent.org.environments WHERE id = '|")
    assert [one.text for one in found] == ["env-1'", "env-2'", "env-3'"]
    assert {one.display_meta_text for one in found} == {"seen 42 s ago"}
    assert sandbox.count() == sent


@pytest.mark.parametrize(
    "marked",
    [
        f"{STATUS} environment_id = '|",
        f"{STATUS} s.environment_id = 'e|",
        f"{STATUS} environment_id IN ('x', '|",
        f"{STATUS} environment_id NOT IN ('|",
        f"{STATUS} environment_id LIKE '%v-|",
        f"{STATUS} environment_id <> '|",
        "WITH x AS (FROM confluent.connect.connectors) FROM x WHERE environment_id = '|",
        "SELECT count(*) FILTER (WHERE environment_id = '|') FROM confluent.connect.connectors",
    ],
)
def test_values_of_a_parents_rows_are_those_of_the_parameter(
    completer: KnowingCompleter, engine: Engine, marked: str
) -> None:
    run(engine, "SELECT id FROM confluent.org.environments")
    assert complete(completer, marked)[0].rstrip("'") == "env-1"


def test_fields_keys_of_maps_and_columns_of_tables_beside_are_remembered(
    completer: KnowingCompleter, engine: Engine
) -> None:
    table = "kafka_connect.connect.connectors"
    run(engine, f"SELECT config, connector, name FROM {table}")
    assert "RUNNING'" in complete(completer, f"FROM {table} WHERE connector.state = '|")
    status = "plant_a.connect.connector_status"
    assert "RUNNING'" in complete(completer, f"FROM {status} WHERE connector.state = '|")
    assert "connector.class'" in complete(completer, f"SELECT config['|] FROM {table}")


def test_values_of_masked_columns_and_of_maps_are_never_told(engine: Engine) -> None:
    told: list[SeenValues] = []
    engine.watch_values(told.append)
    run(engine, "SELECT config FROM kafka_connect.connect.connectors")
    run(engine, "FROM kafka_connect.connect.connector_config")
    paths = {(str(one.table).rpartition(".")[2], one.path) for one in told}
    assert ("connectors", ("config", "*")) in paths
    assert ("connector_config", ("key",)) in paths
    assert not {path for _, path in paths} & {("config",), ("value",)}


def test_nothing_is_looked_at_when_nobody_asks(engine: Engine) -> None:
    told: list[SeenValues] = []
    engine.watch_values(told.append)
    run(engine, "SELECT 1")
    run(engine, "SELECT id FROM confluent.org.environments WHERE false")
    assert told == []


def test_quotes_in_values_stay_values(completer: KnowingCompleter, engine: Engine) -> None:
    completer.values.take(SeenValues(ENVIRONMENTS, ("id",), ("x'; DROP TABLE t; --",)))
    (found,) = complete(completer, "SELECT id FROM confluent.org.environments WHERE id = '|")
    assert found == "x''; DROP TABLE t; --'"
    run(engine, f"SELECT 1 WHERE 'a' = '{found}")


def test_a_column_remembers_so_many_values_and_no_more(completer: KnowingCompleter) -> None:
    for start in (0, 8000):
        values = tuple(f"v-{number:05d}" for number in range(start, start + 8000))
        completer.values.take(SeenValues(ENVIRONMENTS, ("id",), values))
    marked = "FROM confluent.org.environments WHERE id = 'v-{}|"
    assert complete(completer, marked.format("15999")) == ["v-15999'"]
    assert complete(completer, marked.format("06000")) == ["v-06000'"]
    assert complete(completer, marked.format("05999")) == []


# --- on demand ------------------------------------------------------------------------------------


def test_merely_typing_sends_nothing(completer: KnowingCompleter, sandbox: DemoServers) -> None:
    for typed in ("", "e", "en", "env"):
        assert complete(completer, f"{STATUS} environment_id = '{typed}|") == []
    assert sandbox.count() == 0


def test_a_key_fetches_the_parents_values_with_one_request_and_says_so(
    completer: KnowingCompleter, sandbox: DemoServers, clock: FakeClock
) -> None:
    marked = f"{STATUS} environment_id = '|"
    found = offered(completer, marked, requested=True)
    assert [one.text for one in found] == ["env-1'", "env-2'", "env-3'"]
    assert {one.display_meta_text for one in found} == {"fetched now: 1 request"}
    assert sandbox.count() == 1
    clock.time += 30
    assert {*metas(completer, marked)} == {"fetched 30 s ago"}
    assert sandbox.count() == 1


def test_what_the_parent_hangs_on_is_taken_from_the_statement(
    completer: KnowingCompleter, sandbox: DemoServers
) -> None:
    marked = f"{STATUS} environment_id = 'env-1' AND kafka_cluster_id = '|"
    assert complete(completer, marked, requested=True)[:1] == ["lkc-1'"]
    assert sandbox.count() == 1


def test_values_of_the_same_question_stand_before_those_of_others(
    completer: KnowingCompleter,
) -> None:
    for environment in ("env-1", "env-2"):
        marked = f"{STATUS} environment_id = '{environment}' AND s.kafka_cluster_id = '|"
        complete(completer, marked, requested=True)
        own = complete(completer, marked, requested=True)
        assert own == complete(completer, marked)
    first = complete(completer, f"{STATUS} environment_id = 'env-2' AND kafka_cluster_id = '|")
    other = complete(completer, f"{STATUS} environment_id = 'env-1' AND kafka_cluster_id = '|")
    assert {*first} == {*other}
    assert first[0] != other[0]


def test_more_than_a_few_requests_are_not_sent_and_that_is_said(
    completer: KnowingCompleter, sandbox: DemoServers
) -> None:
    hint, next_step = offered(completer, f"{STATUS} connector_name = '|", requested=True)
    assert hint.text == ""
    assert hint.display_meta_text == (
        "not fetched: that takes many requests; give environment_id and kafka_cluster_id first"
    )
    assert (next_step.text, next_step.display_meta_text[:14]) == ("", "type the value")
    assert sandbox.count() == 0


def test_a_second_key_fetches_although_there_are_values(
    completer: KnowingCompleter, engine: Engine, sandbox: DemoServers
) -> None:
    run(engine, "SELECT id FROM confluent.org.environments LIMIT 1")
    sandbox.reset()
    marked = f"{STATUS} environment_id = '|"
    complete(completer, marked, requested=True)
    assert sandbox.count() == 0
    assert "fetched now: 1 request" in metas(completer, marked, requested=True)
    assert sandbox.count() == 1


def test_a_connection_is_asked_alone_where_it_is_named(
    completer: KnowingCompleter, sandbox: DemoServers
) -> None:
    marked = "FROM plant_b.connect.connector_status WHERE connector_name = '|"
    assert complete(completer, marked, requested=True)
    assert sandbox.count() == 1
    sandbox.reset()
    marked = "FROM kafka_connect.connect.connector_status WHERE connector_name = '|"
    complete(completer, marked, requested=True)
    complete(completer, marked, requested=True)
    assert sandbox.count() == 2


def test_what_fails_is_a_hint_and_nothing_else(clock: FakeClock) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"errors": [{"detail": "not for you"}]})

    connections = {"confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s3cret"}}
    with engine_of(connections, transport=httpx.MockTransport(refuse)) as engine:
        completer = KnowingCompleter(lambda: engine, threading.RLock(), no_saved, {}, now=clock.now)
        completer.learner.wait()
        hint, _ = offered(completer, f"{STATUS} environment_id = '|", requested=True)
    assert hint.text == ""
    assert hint.display_meta_text.startswith("could not be fetched: ")
    assert "s3cret" not in hint.display_meta_text


def test_nothing_is_fetched_while_a_statement_runs(
    engine: Engine, clock: FakeClock, sandbox: DemoServers
) -> None:
    completer = KnowingCompleter(lambda: engine, LOCK, no_saved, {}, now=clock.now)
    completer.learner.wait()
    found: list[list[str]] = []

    def press() -> None:
        found.append(complete(completer, f"{STATUS} environment_id = '|", requested=True))

    with LOCK:
        other = threading.Thread(target=press)
        other.start()
        other.join()
    assert found == [[]]
    assert sandbox.count() == 0


def test_the_users_own_failures_are_left_alone(completer: KnowingCompleter, engine: Engine) -> None:
    run(engine, "CREATE OR REPLACE TEMP TABLE _errors AS SELECT 'mine' AS message")
    complete(completer, f"{STATUS} environment_id = '|", requested=True)
    with LOCK:
        assert engine.session.duckdb.execute("FROM _errors").fetchall() == [("mine",)]


def test_a_single_value_is_not_inserted_before_its_cost_has_been_read(
    completer: KnowingCompleter,
) -> None:
    marked = "FROM confluent.org.environments WHERE display_name = 'pro|"
    value, hint = offered(completer, marked, requested=True)
    assert (value.text, hint.text) == ("prod'", "")
    assert hint.display_meta_text == "fetched now: 1 request"
    assert len(offered(completer, marked)) == 1


# --- DuckDB's own tables --------------------------------------------------------------------------


def test_tables_made_later_are_found_soon(
    completer: KnowingCompleter, engine: Engine, clock: FakeClock
) -> None:
    run(engine, "CREATE TEMP TABLE later AS SELECT 1 AS fresh")
    clock.time += 5
    complete(completer, "FROM la|")
    completer.learner.wait()
    assert complete(completer, "FROM la|")[0] == "later"
    assert complete(completer, "SELECT | FROM later")[0] == "fresh"


def test_the_values_of_the_first_statement_are_remembered(sandbox: DemoServers) -> None:
    with engine_of(sandbox.connections) as engine:
        completer = KnowingCompleter(lambda: engine, LOCK, no_saved, {})
        completer.learner.known()
        run(engine, "SELECT id FROM confluent.org.environments")
        completer.learner.wait()
        assert "env-1'" in complete(completer, f"{STATUS} environment_id = '|")


# --- views over all providers ---------------------------------------------------------------------


def test_values_of_a_view_are_those_seen_in_the_tables_behind_it(
    completer: KnowingCompleter, engine: Engine, sandbox: DemoServers
) -> None:
    fleet = "FROM inventory.connectors.connectors WHERE connector_name = '|"
    run(engine, "SELECT connector_name FROM inventory.connectors.connectors")
    sent = sandbox.count()
    offers = complete(completer, fleet)
    assert "catalog-jdbc-sink'" in offers, "of Kafka Connect"
    assert "audit-http-source'" in offers, "of Confluent"
    assert complete(completer, fleet.replace("|", "catalog-jd|")) == ["catalog-jdbc-sink'"]
    assert "ago" in metas(completer, fleet)[0]
    assert sandbox.count() == sent


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("SELECT 1 FROM inventory.connectors.connectors WHERE health = '|", "HEALTHY"),
        ("SELECT 1 FROM inventory.connectors.connectors c WHERE c.health IN ('UNK|", "UNKNOWN"),
        ("SELECT 1 FROM inventory.connectors.tasks WHERE state <> 'FA|", "FAILED"),
    ],
)
def test_all_that_a_column_can_be_is_offered_before_any_row_has_come(
    completer: KnowingCompleter, sandbox: DemoServers, marked: str, first: str
) -> None:
    sandbox.reset()
    shown = [(one.text.rstrip("'"), one.display_meta_text) for one in offered(completer, marked)]
    assert (first, "allowed") in shown
    assert sandbox.count() == 0
