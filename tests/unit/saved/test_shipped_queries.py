"""The saved queries that are shipped: each answers what its title says, on the sandbox."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import pytest

from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine
from connstat_sql.errors import QueryError
from connstat_sql.result import Options, Result
from connstat_sql.saved import SavedQueries, prepare, results_of, standard_folders
from tests.conftest import engine_of

QUERIES = SavedQueries(standard_folders(Path("/nowhere"), Path("/nowhere")))
README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
DATES = {"start_date": "2026-11-01", "end_date": "2026-12-01"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    """Nothing changes in it, so that what a query answered once stands for all tests (`run`)."""
    with DemoServers(World.seeded(7, environments=2, clusters=1)) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(engine: Engine) -> list[dict[str, Any]]:
    return rows(engine, "fleet")


@pytest.fixture(scope="module")
def given(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A value for each parameter that must have one."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "owners.csv").write_text("connector,owner\nreturns,logistics\n")
    (folder / "pricing-mysql-source.json").write_text('{"tasks.max": "7"}')
    save(engine, run(engine, "fleet"), folder / "fleet.parquet")
    return {
        "topic": "orders", "name": "a", "owners": f"{folder}/owners.csv", **DATES,
        "files": f"{folder}/*.json", "before": f"{folder}/fleet.parquet",
    }  # fmt: skip


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


Given = tuple[tuple[str, str], ...]
_answered: WeakKeyDictionary[Engine, dict[tuple[str, Given], Result]] = WeakKeyDictionary()


def run(engine: Engine, name: str, /, **given: str) -> Result:
    """What `connstat run NAME given…` answers with, asked for once with the same arguments.

    Files that are given are not written again.
    """
    known = _answered.setdefault(engine, {})
    asked = (name, tuple(sorted(given.items())))
    if asked not in known:
        query = QUERIES.find(name)
        prepared = prepare(query, given, engine)
        options = Options(partial=query.is_partial)
        *_, known[asked] = engine.run(prepared.sql, prepared.arguments or None, options)
    return known[asked]


def rows(engine: Engine, name: str, /, **given: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run(engine, name, **given).table.to_pylist()
    return found


def save(engine: Engine, result: Result, file: Path) -> None:
    """As `-o file.parquet` does."""
    engine.session.duckdb.register("answer", result.table)
    engine.session.duckdb.execute(f"COPY answer TO '{file}'")


def settings(sandbox: DemoServers, connection: str) -> dict[str, Mapping[str, str]]:
    """The settings of each connector of a Kafka Connect cluster, secrets in the clear."""
    [cluster] = [one for one in sandbox.world.kafka_connect if one.name == connection]
    return {one.name: one.config for one in cluster.connectors}


# --- all of them ---------------------------------------------------------------------------------


def test_there_are_more_than_a_dozen_and_none_is_broken() -> None:
    assert len(QUERIES.names) >= 15
    assert not [problem for entry in QUERIES.entries() for problem in entry.problems]


@pytest.mark.parametrize("name", QUERIES.names)
def test_each_says_what_it_is_for_and_which_columns_tell_rows_apart(name: str) -> None:
    query = QUERIES.find(name)
    assert query.title
    assert query.description
    assert query.key
    assert all(param.description for param in query.params)


@pytest.mark.long
@pytest.mark.parametrize("name", QUERIES.names)
def test_the_keys_of_each_are_columns_of_its_answer_and_tell_its_rows_apart(
    engine: Engine, given: dict[str, str], name: str
) -> None:
    query = QUERIES.find(name)
    result = run(engine, name, **{key: text for key, text in given.items() if query.param(key)})
    assert set(query.key) <= set(result.table.column_names)
    assert query.state is None or query.state in result.table.column_names
    keys = [tuple(str(row[one]) for one in query.key) for row in result.table.to_pylist()]
    assert len(keys) == len(set(keys))
    assert result.complete


# --- one by one ----------------------------------------------------------------------------------


def test_fleet_has_every_connector_and_the_worst_first(
    engine: Engine, fleet: list[dict[str, Any]]
) -> None:
    found = fleet
    order = ["UNHEALTHY", "DEGRADED", "UNKNOWN", "TRANSITION", "INACTIVE", "HEALTHY"]
    places = [order.index(one["health"]) for one in found]
    assert places == sorted(places)
    assert {one["provider"] for one in found} == {
        "aeontel",
        "confluent",
        "kafka_connect",
        "redpanda",
    }
    only = rows(engine, "fleet", provider="kafka_connect", health="UNHEALTHY")
    assert only == [
        one for one in fleet
        if (one["provider"], one["health"]) == ("kafka_connect", "UNHEALTHY")
    ]  # fmt: skip


def test_health_counts_what_fleet_lists(engine: Engine, fleet: list[dict[str, Any]]) -> None:
    for line in rows(engine, "health"):
        mine = [one["health"] for one in fleet if one["_connection"] == line["_connection"]]
        assert (line["unhealthy"], line["degraded"], line["connectors"]) == (
            mine.count("UNHEALTHY"), mine.count("DEGRADED"), len(mine),
        )  # fmt: skip


def test_failed_behind_running_finds_every_hidden_failure(
    engine: Engine, sandbox: DemoServers
) -> None:
    world = sandbox.world
    connectors = [
        *(getattr(one, "connector", one) for one in world.confluent.connectors),
        *(getattr(one, "connector", one) for one in world.redpanda.connectors),
        *(one for cluster in world.kafka_connect for one in cluster.connectors),
    ]
    hidden = {
        (one.name, task.id) for one in connectors if one.hides_failure for task in one.failed_tasks
    }
    assert {
        (one["connector_name"], one["task_id"]) for one in rows(engine, "failed-behind-running")
    } == hidden


def test_one_cause_that_hits_many_stands_once(engine: Engine, fleet: list[dict[str, Any]]) -> None:
    found = {one["cause"]: one["names"] for one in rows(engine, "root-causes")}
    several = [names for names in found.values() if len(names) > 1]
    assert several
    broken = [one for one in fleet if one["health"] in ("UNHEALTHY", "DEGRADED")]
    assert sum(map(len, found.values())) == len(broken)


def test_without_tasks_leaves_out_what_needs_none(
    engine: Engine, fleet: list[dict[str, Any]]
) -> None:
    assert {one["connector_name"] for one in rows(engine, "without-tasks")} == {
        one["connector_name"]
        for one in fleet
        if one["tasks_total"] == 0 and one["state"] == "RUNNING" and one["health"] == "UNHEALTHY"
    }


def test_plugin_versions_names_those_that_differ_unless_all_are_asked_for(engine: Engine) -> None:
    everything = rows(engine, "plugin-versions", all="true")
    assert [one for one in everything if one["versions"] > 1] == rows(engine, "plugin-versions")
    assert rows(engine, "plugin-versions", all="true", plugin="DEBEZIUM")
    assert all(
        "debezium" in one["plugin_class"]
        for one in rows(engine, "plugin-versions", all="true", plugin="DEBEZIUM")
    )


def test_paused_since_keeps_those_that_stood_there_before(engine: Engine, tmp_path: Path) -> None:
    now = run(engine, "paused")
    assert now.table.num_rows > 2
    save(engine, Result(now.table.slice(0, 2), has_rows=True), tmp_path / "before.parquet")
    kept = rows(engine, "paused", since=str(tmp_path / "before.parquet"))
    assert [one["connector_name"] for one in kept] == now.table["connector_name"].to_pylist()[:2]


def test_changed_since_tells_what_appeared_is_gone_and_is_otherwise(
    engine: Engine, tmp_path: Path
) -> None:
    before = run(engine, "fleet").table
    names = before["connector_name"].to_pylist()
    engine.session.duckdb.register("fleet", before.slice(1))
    changed = f"if(connector_name = '{names[1]}', 'HEALTHY', health) AS health"
    engine.session.duckdb.execute(
        f"""COPY (SELECT * REPLACE ({changed}) FROM fleet
            UNION ALL (SELECT * REPLACE ('was-there' AS connector_name) FROM fleet LIMIT 1))
            TO '{tmp_path}/before.parquet'"""
    )
    found = {
        one["connector_name"]: one["change"]
        for one in rows(engine, "changed-since", before=f"{tmp_path}/before.parquet")
    }
    assert found == {names[0]: "appeared", names[1]: "changed", "was-there": "gone"}


def test_owners_are_those_of_the_longest_beginning(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "who.csv"
    file.write_text("connector,owner\npricing,finance\npricing-http,web\n")
    found = {one["owner"]: one["connectors"] for one in rows(engine, "owners", owners=str(file))}
    assert "pricing-http-source" in found["web"]
    assert "pricing-mysql-source" in found["finance"]
    assert all(not name.startswith("pricing") for name in found["(nobody)"])


def test_secrets_in_configs_names_the_keys_and_never_the_values(
    engine: Engine, sandbox: DemoServers
) -> None:
    result = run(engine, "secrets-in-configs", connection="plant_a")
    shown = str(result.table.to_pylist())
    found = {(one["connector_name"], one["key"]) for one in result.table.to_pylist()}
    passwords = {
        (name, key): value
        for name, config in settings(sandbox, "plant_a").items()
        for key, value in config.items()
        if "password" in key
    }
    assert passwords
    for place, value in passwords.items():
        assert (place in found) is not value.startswith("${")
        assert value.startswith("${") or value not in shown


def test_sinks_of_finds_who_reads_or_writes_a_topic(engine: Engine, sandbox: DemoServers) -> None:
    deployed = settings(sandbox, "plant_a")
    name = next(name for name, one in deployed.items() if "topics" in one)
    found = rows(engine, "sinks-of", topic=deployed[name]["topics"].split(",")[0])
    assert name in {one["connector_name"] for one in found}
    others = rows(engine, "sinks-of", topic="no such topic")
    assert all(one["how"].startswith("not judged") for one in others)


def test_find_takes_half_remembered_names(engine: Engine) -> None:
    assert {one["connector_name"] for one in rows(engine, "find", name="PRIC")} >= {
        "pricing-mysql-source", "pricing-http-source",
    }  # fmt: skip
    assert rows(engine, "find", name="x'; DROP TABLE t; --") == []


def test_cost_per_connector_adds_up_to_the_bill(engine: Engine) -> None:
    found = rows(engine, "cost-per-connector", **DATES)
    sql = """SELECT sum(amount) AS dollars FROM confluent.billing.costs
        WHERE start_date = '2026-11-01' AND end_date = '2026-12-01' AND product = 'CONNECT'"""
    *_, bill = engine.run(sql)
    assert sum(one["dollars"] for one in found) == bill.fetchall()[0][0]


def test_drift_is_none_where_files_say_what_is_deployed(
    engine: Engine, sandbox: DemoServers, tmp_path: Path
) -> None:
    for number, (name, config) in enumerate(settings(sandbox, "plant_b").items()):
        whole = {"name": name, "config": dict(config)} if number % 2 else {**config, "name": name}
        (tmp_path / f"{number}.json").write_text(json.dumps(whole))
    assert rows(engine, "drift", files=f"{tmp_path}/*.json", connection="plant_b") == []


def test_drift_tells_what_is_different_missing_and_in_no_file(
    engine: Engine, sandbox: DemoServers, tmp_path: Path
) -> None:
    deployed = settings(sandbox, "plant_b")
    first = next(name for name, one in deployed.items() if "database.password" in one)
    wanted = {
        **deployed[first], "tasks.max": "99", "database.password": "another", "my.secret": "hush",
    }  # fmt: skip
    (tmp_path / "one.json").write_text(json.dumps({"name": first, "config": wanted}))
    (tmp_path / "not-there.json").write_text(json.dumps({"tasks.max": "1"}))
    found = rows(engine, "drift", files=f"{tmp_path}/*.json", connection="plant_b")
    told = {(one["connector_name"], one["drift"], one["key"], one["wanted"]) for one in found}
    assert told == {
        (first, "different", "tasks.max", "99"),
        (first, "different", "my.secret", "****"),  # it may be new, and it is not shown
        ("not-there", "not deployed", None, None),
        *((name, "in no file", None, None) for name in deployed if name != first),
    }


def test_drift_reads_files_as_people_have_them_and_names_those_it_cannot(
    engine: Engine, sandbox: DemoServers, tmp_path: Path
) -> None:
    (first, one), (second, two), *others = settings(sandbox, "plant_b").items()
    pair = json.dumps([{"name": first, "config": {**one, "tasks.max": "77"}}, {"config": {"a": 1}}])
    commented = f'''\ufeff{{ // kept in git
        "name": "{second}", /* "no": 1, */
        "config": {{"tasks.max": ${{TASKS}}, "connector.class": null,
            "flush.size": "9{{9", "topics": "${{A}}-x"}}}}'''
    files = {
        "pair.json": pair.encode(),
        "second.json": commented.encode(),
        "twice.json": b'{"name": "x", "config": {"a": "1", "a": "2"}}',
        "list.json": b"[1, 2]",
        "broken.json": b'{"name": ',
        "latin.json": b'{"name": "\xe9"}',
        "crd.json": b'{"kind": "KafkaConnector", "spec": {"config": {}}}',
        "values.yaml": b"name: x\nconfig: {a: b}\n",
        "empty.json": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = rows(engine, "drift", files=f"{tmp_path}/*", connection="plant_b")
    told = {(one["connector_name"], one["drift"], one["key"], one["wanted"]) for one in found}
    unusable = {"pair", "twice", "list", "broken", "latin", "crd", "values", "empty"}
    assert told == {
        (first, "different", "tasks.max", "77"),
        (second, "different", "flush.size", "9{9"),
        (second, "different", "connector.class", None),
        *((name, "in no file", None, None) for name, _ in others),
        *((name, "file cannot be used", None, "a connector as JSON") for name in unusable),
    }
    named = {one["file"] for one in found if one["drift"] == "file cannot be used"}
    assert named == {str(tmp_path / name) for name in files} - {str(tmp_path / "second.json")}
    assert two


def test_drift_without_files_says_what_to_give(engine: Engine, tmp_path: Path) -> None:
    query = QUERIES.find("drift")
    prepared = prepare(query, {"files": f"{tmp_path}/*.json"}, engine)
    with pytest.raises(QueryError, match=r"No files found that match") as caught:
        list(results_of(query, prepared, engine, Options()))
    assert caught.value.hint == "say which they are:  connstat run drift files=FILES"
    assert caught.value.requests_sent == 0


def test_drift_shows_no_credential_of_a_file(
    engine: Engine, sandbox: DemoServers, tmp_path: Path
) -> None:
    first, config = next(iter(settings(sandbox, "plant_b").items()))
    secrets = {
        "api_key": "HUSH1", "basic.auth.user.info": "me:HUSH2", "aws.access.key.id": "HUSH3",
        "private-key": "HUSH4", "ssl.passphrase": "HUSH5", "dsn": "HUSH6",
        "url": "jdbc:postgresql://me:HUSH7@db/x", "other.url": "jdbc:x://db/x?password=HUSH8",
    }  # fmt: skip
    wanted = {**config, **secrets, "key.converter": "shown"}
    (tmp_path / "one.json").write_text(json.dumps({"name": first, "config": wanted}))
    found = rows(engine, "drift", files=f"{tmp_path}/*.json", connection="plant_b")
    told = {one["key"]: one["wanted"] for one in found if one["drift"] == "different"}
    shown = {"url": "jdbc:postgresql://me:****@db/x", "other.url": "jdbc:x://db/x?password=****"}
    assert told == {**dict.fromkeys(secrets, "****"), **shown, "key.converter": "shown"}


def test_unreachable_names_each_cluster_that_does_not_answer_and_no_other(
    sandbox: DemoServers,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    plants = {name: sandbox.connections[name] for name in ("plant_a", "plant_b")}
    gone = {"provider": "kafka_connect", "base_url": f"http://127.0.0.1:{port}"}
    with engine_of({**plants, "gone": gone}) as engine:
        result = run(engine, "unreachable")
    assert [one["connection"] for one in result.table.to_pylist()] == ["gone"]
    with engine_of(plants) as engine:
        assert rows(engine, "unreachable") == []


def test_duplicates_are_connectors_of_one_name_in_two_places(sandbox: DemoServers) -> None:
    plant = sandbox.connections["plant_a"]
    with engine_of(
        {"left": plant, "right": plant, "other": sandbox.connections["plant_b"]}
    ) as engine:
        found = rows(engine, "duplicates")
    assert {one["connector_name"] for one in found} == set(settings(sandbox, "plant_a"))
    assert all(one["places"] == 2 and one["same_plugin"] for one in found)


def test_restarts_are_commands_for_what_is_broken_where_there_is_such_a_request(
    engine: Engine,
) -> None:
    place = ("_connection", "scope_1", "scope_2", "connector_name")
    broken = {
        tuple(one[name] for name in place)
        for one in rows(engine, "fleet")
        if one["health"] in ("UNHEALTHY", "DEGRADED") and one["provider"] != "aeontel"
    }
    commands = {
        tuple(one[name] for name in place): one["command"] for one in rows(engine, "restarts")
    }
    assert commands.keys() == broken
    assert len({name for name, *_ in broken}) == 4
    assert all(
        f"/connectors/{quote(key[-1], safe='')}/restart" in one for key, one in commands.items()
    )


def test_workers_count_each_task_once(engine: Engine) -> None:
    found = rows(engine, "workers", provider="kafka_connect")
    listed = rows(engine, "fleet", provider="kafka_connect")
    assert sum(one["tasks"] for one in found) == sum(one["tasks_total"] for one in listed)
    assert sum(one["failed"] for one in found) == sum(one["tasks_failed"] for one in listed)
