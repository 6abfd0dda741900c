"""What plugins declare a password is masked under any name, and what is not known is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.result import Options, Result
from tests.conftest import FakeClock, engine_of
from tests.tabled import over

CONNECTORS, SETTINGS = "kafka_connect.connect.connectors", "kafka_connect.connect.connector_config"
GRINDER, SIEVE = "org.mill.GrinderSink", "org.mill.SieveSource"
CONFIGS = {
    "rye": {"connector.class": GRINDER, "grain.seasoning": "thyme7", "topics": "flour"},
    "oats": {"connector.class": SIEVE, "grain.seasoning": "coarse", "topic": "flakes"},
    "spelt": {"connector.class": GRINDER, "grain.seasoning": "${file:/run/s:grain}"},
}
DECLARED = {
    GRINDER: {"grain.seasoning": "PASSWORD", "topics": "LIST", "mill.password": "PASSWORD"},
    SIEVE: {"grain.seasoning": "STRING", "topic": "PASSWORD"},
}


MILL = {"mill": {"provider": "kafka_connect", "base_url": "http://mill.test"}}


class Mill:
    """A worker; `answers` are in place of what it says of its plugins."""

    def __init__(self, configs: Any = CONFIGS, **answers: Any) -> None:
        self.configs, self.answers = configs, answers
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.strip("/").split("/")
        if path[0] == "connector-plugins":
            self.asked.append(path[1])
            return self._declared(path[1], request)
        if len(path) == 1:
            parts = request.url.params.get_list("expand")
            status = {"name": "", "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": []}
            found = {n: {"info": self._info(n), "status": status} for n in self.configs}
            return httpx.Response(
                200, json={n: {p: one[p] for p in parts} for n, one in found.items()} if parts
                else list(found),
            )  # fmt: skip
        info = self._info(path[1])
        config = [{"id": {"connector": path[1], "task": 0}, "config": info["config"]}]
        parts_of = {"config": info["config"], "tasks": config}
        return httpx.Response(200, json=parts_of.get(path[-1], info))

    def _info(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": "sink", "config": self.configs[name], "tasks": []}

    def _declared(self, plugin: str, request: httpx.Request) -> httpx.Response:
        if "raises" in self.answers:
            raise self.answers["raises"]("gone", request=request)
        if "status" in self.answers:
            text = self.answers.get("text", '{"error_code": 0, "message": "HTTP 404 Not Found"}')
            return httpx.Response(self.answers["status"], text=text)
        if plugin not in DECLARED:
            said = {"error_code": 404, "message": f"Unknown plugin {plugin}."}
            return httpx.Response(404, json=said)
        settings = DECLARED[plugin].items()
        return httpx.Response(200, json=[{"name": n, "type": of} for n, of in settings])


WORKER = Mill()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engine_of(MILL, transport=httpx.MockTransport(WORKER.answer), clock=FakeClock()) as opened:
        yield opened


def fresh(engine: Engine, configs: Any = CONFIGS, **answers: Any) -> Mill:
    """A worker of which the engine knows nothing."""
    run(engine, "REFRESH mill")
    WORKER.__init__(configs, **answers)  # type: ignore[misc]
    return WORKER


def run(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


@over(
    "sql",
    [f"SELECT name, config['grain.seasoning'] FROM {CONNECTORS}",
     f"SELECT name, config['grain.seasoning'] FROM {CONNECTORS} "
     "WHERE connector_name IN ('rye', 'oats', 'spelt')",
     f"SELECT connector_name, value FROM {SETTINGS} WHERE key = 'grain.seasoning'",
     f"SELECT connector_name, value FROM {SETTINGS} "
     "WHERE connector_name IN ('rye', 'oats', 'spelt') AND key = 'grain.seasoning'",
     "SELECT connector_name, config['grain.seasoning'] FROM kafka_connect.connect.connector_tasks",
     "SELECT connector_name, config->>'grain.seasoning' FROM inventory.connectors.connectors"],
)  # fmt: skip
def test_a_declared_password_is_masked_under_any_name_and_only_where_it_is_one(
    engine: Engine, sql: str
) -> None:
    worker = fresh(engine)
    shown = dict(run(engine, sql).fetchall())
    again = run(engine, sql)
    assert "thyme" not in str(shown)
    assert shown["rye"].startswith("****")
    assert shown["oats"] == "coarse"
    assert shown["spelt"] == "${file:/run/s:grain}"
    assert sorted(worker.asked) == [GRINDER, SIEVE]
    assert dict(again.fetchall()) == shown
    assert again.notes == ()


def test_secrets_in_configs_tells_it(engine: Engine) -> None:
    fresh(engine)
    query = (shipped_providers() / "inventory/queries/secrets-in-configs.sql").read_text()
    sql = query.replace("$connection", "NULL")
    found = run(engine, sql).fetchall()
    assert [row[4:6] for row in found] == [("rye", "grain.seasoning")]


def test_the_same_secret_has_the_same_mask_under_each_name(engine: Engine) -> None:
    same = {"rye": {**CONFIGS["rye"], "mill.password": "thyme7"}}
    fresh(engine, same)
    sql = f"SELECT config['grain.seasoning'] = config['mill.password'] FROM {CONNECTORS}"
    assert run(engine, sql).fetchall() == [(True,)]


def test_settings_that_are_never_secret_stay_whatever_a_plugin_declares(engine: Engine) -> None:
    fresh(engine)
    for column in ("config", "config['topic']"):
        sql = f"SELECT {column} FROM {CONNECTORS} WHERE name = 'oats'"
        assert "flakes" in str(run(engine, sql).fetchall())


@over(
    "sql",
    [f"SELECT name, connector.state FROM {CONNECTORS}",
     f"SELECT config['connector.class'], config['topics'] FROM {CONNECTORS}",
     f"SELECT count(*) FROM {CONNECTORS} WHERE config['topics'] = 'flour'",
     "SELECT connector_name, plugin_class, topics, state FROM inventory.connectors.connectors",
     f"WITH c AS (SELECT name, config['topic'] AS t FROM {CONNECTORS}) SELECT * FROM c",
     f"SELECT key FROM {SETTINGS}", f"EXPLAIN SELECT config FROM {CONNECTORS}"],
)  # fmt: skip
def test_who_reads_nothing_that_could_be_secret_asks_nothing(engine: Engine, sql: str) -> None:
    worker = fresh(engine)
    result = run(engine, sql)
    assert run(engine, sql, max_age=60).requests == result.requests
    assert worker.asked == []
    assert result.notes == ()


@over(
    "sql",
    [f"FROM {CONNECTORS}", f"SELECT c FROM {CONNECTORS} c",
     f"SELECT COLUMNS('c.*') FROM {CONNECTORS}",
     f"SELECT map_values(config) FROM {CONNECTORS}", f"SELECT config[name] FROM {CONNECTORS}",
     f"SELECT a.name FROM {CONNECTORS} a JOIN {CONNECTORS} b USING (config)",
     f"SELECT c.* FROM {CONNECTORS} c", f"SUMMARIZE SELECT config FROM {CONNECTORS}",
     f"CREATE TEMP TABLE kept AS SELECT config FROM {CONNECTORS}"],
)  # fmt: skip
def test_who_may_read_more_asks(engine: Engine, sql: str) -> None:
    worker = fresh(engine)
    run(engine, sql)
    assert sorted(worker.asked) == [GRINDER, SIEVE]


def test_who_reveals_asks_nothing() -> None:
    worker = Mill()
    setup = Setup(connections=MILL)
    outside = EngineOptions(environment={}, transport=httpx.MockTransport(worker.answer))
    with closing(open_engine(setup, outside, reveal=True)) as engine:
        assert "thyme7" in str(run(engine, f"SELECT config FROM {CONNECTORS}").fetchall())
    assert worker.asked == []


@over(
    "sql",
    [f"SELECT a, b, c, d, e FROM {CONNECTORS} t(a, b, c, d, e)",
     f"SELECT t.b FROM {SETTINGS} t(a, b) WHERE connector_name = 'rye'",
     f"SELECT #2, #3, #4, #5, #6 FROM {CONNECTORS}",
     f"WITH i AS (SELECT 1) SELECT u.b, u.c, u.d, u.e FROM {CONNECTORS} c, "
     "LATERAL (SELECT c.* FROM i) u(a, b, c, d, e)",
     "USE kafka_connect.connect; SELECT * FROM connectors "
     "WHERE name IN (WITH connectors AS (SELECT 'rye' AS n) FROM connectors)"],
)  # fmt: skip
def test_it_is_masked_under_whatever_name_its_column_is_read(engine: Engine, sql: str) -> None:
    worker = fresh(engine)
    (*_, result) = engine.run(sql, None, Options())
    rows = str(result.fetchall())
    assert "grain.seasoning" in rows or "t.b" in sql
    assert "thyme7" not in rows
    assert GRINDER in worker.asked
    run(engine, "USE memory")


@over("text", ["[1]", "[{}]", '[{"name": null, "type": "PASSWORD"}]', '[{"name": "topics"}]'])
def test_an_answer_that_says_nothing_of_secrets_is_no_answer(engine: Engine, text: str) -> None:
    fresh(engine, status=200, text=text)
    (note,) = run(engine, f"SELECT config FROM {CONNECTORS}").notes
    assert "does not say what is asked of it" in note


def test_it_is_counted_and_explained(engine: Engine) -> None:
    fresh(engine)
    plan = str(run(engine, f"EXPLAIN SELECT config FROM {CONNECTORS}").fetchall())
    done = run(engine, f"EXPLAIN ANALYZE SELECT config FROM {CONNECTORS}")
    assert "may ask kafka_connect.connect.plugin_settings once for each connector.class" in plan
    assert "requests: at least 1 of" in plan
    assert done.requests == 3
    assert "3 requests (at least 1 expected), 2 of them for what plugins" in str(done.fetchall())


@over(
    ("answers", "words", "asks", "asks_again"),
    [({"status": 404}, "came with version 3.2", 1, 0),
     ({"status": 403, "text": "{}"}, "403", 1, 0),
     ({"status": 404, "text": "<html>starting</html>"}, "404", 2, 2),
     ({"status": 500, "text": "{}"}, "500", 2, 2),
     ({"status": 200, "text": "{}"}, "expected an array", 2, 2),
     ({"raises": httpx.ReadTimeout}, "mill", 1, 1),
     ({"raises": httpx.ConnectError}, "mill", 4, 4)],
)  # fmt: skip
def test_where_nobody_tells_the_rows_come_and_that_is_said(
    engine: Engine, answers: dict[str, Any], words: str, asks: int, asks_again: int
) -> None:
    worker = fresh(engine, **answers)
    sql = f"SELECT name, config['grain.seasoning'] FROM {CONNECTORS}"
    result = run(engine, sql)
    assert len(result.fetchall()) == 3
    (note,) = result.notes
    assert "what plugins declare secret is not known" in note
    assert words in note
    assert len(worker.asked) == asks
    worker.asked.clear()
    assert run(engine, sql).notes != ()
    assert len(worker.asked) == asks_again


def test_a_class_that_the_worker_does_not_know_hides_nothing_of_the_others(engine: Engine) -> None:
    configs = {**CONFIGS, "wheat": {"connector.class": "org.mill.Gone"}, "none": {"topics": "x"}}
    fresh(engine, configs)
    result = run(engine, f"SELECT name, config['grain.seasoning'] FROM {CONNECTORS}")
    shown = dict(result.fetchall())
    assert shown["rye"].startswith("****")
    (note,) = result.notes
    assert "mill does not know org.mill.Gone" in note
    assert "no connector.class in 1 configuration" in note


def test_a_used_up_budget_costs_no_row(engine: Engine) -> None:
    worker = fresh(engine)
    result = run(engine, f"SELECT config FROM {CONNECTORS}", max_requests=2)
    assert len(worker.asked) == 1
    assert result.requests == 2
    assert result.table.num_rows == 3
    assert "the budget of requests is used up" in result.notes[0]


def test_kept_rows_that_nobody_asked_about_answer_no_one_who_has_to_know(engine: Engine) -> None:
    worker = fresh(engine)
    run(engine, f"SELECT name, type FROM {CONNECTORS}", max_age=60)
    assert worker.asked == []
    read = f"SELECT name, config FROM {CONNECTORS}"
    first, second = run(engine, read, max_age=60), run(engine, read, max_age=60)
    assert first.requests > 1
    assert second.requests == 0
    assert "thyme7" not in str(first.fetchall())
    assert second.fetchall() == first.fetchall()


def test_what_is_not_known_of_kept_rows_is_said_again(engine: Engine) -> None:
    fresh(engine, status=404)
    read = f"SELECT name, config FROM {CONNECTORS}"
    first, second = run(engine, read, max_age=60), run(engine, read, max_age=60)
    assert second.requests == 0
    assert [one for one in second.notes if "not known" in one] == [*first.notes]


PROVIDER = "provider: mill\ndescription: A mill\nbase_url: https://mill.example\n"
SERVICE = """service: grain
description: Grain
resources:
  sacks:
    description: Sacks
    columns:
      config: {{type: "{of}", redact: {redact}, secret_keys: {secret}}}
    methods: {{list: {{path: /sacks}}}}
  told:
    description: What is told
    columns: {{name: VARCHAR, kind: VARCHAR}}
    params: {{plugin: {{description: Which}}}}
    methods: {{get: {{path: "/told/{{plugin}}"}}}}
"""
GOOD = "{from: mill.grain.told.name, with: {plugin: class}, where: {kind: PASSWORD}}"


@over(
    ("of", "redact", "secret", "words"),
    [("MAP(VARCHAR, VARCHAR)", "keys", GOOD, ""),
     ("VARCHAR", "value", GOOD, "no names of settings"),
     ("MAP(VARCHAR, VARCHAR)", "keys", GOOD.replace("told.name", "told.nam"), "no column `nam`"),
     ("MAP(VARCHAR, VARCHAR)", "keys", GOOD.replace("grain.told", "grain.tod"), "does not exist"),
     ("MAP(VARCHAR, VARCHAR)", "keys", GOOD.replace("kind:", "kin:"), "no column `kin`"),
     ("MAP(VARCHAR, VARCHAR)", "keys", GOOD.replace("{plugin:", "{plug:"), "no parameter `plug`"),
     ("MAP(VARCHAR, VARCHAR)", "keys", GOOD.replace("plugin: class", ""), "names one parameter"),
     ("MAP(VARCHAR, VARCHAR)", "keys", "{from: told, with: {plugin: class}}", "is not provider.")],
)  # fmt: skip
def test_faults_of_a_definition_are_told(
    of: str, redact: str, secret: str, words: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("mill") / "mill"
    folder.mkdir()
    (folder / "provider.yaml").write_text(PROVIDER)
    (folder / "grain.yaml").write_text(SERVICE.format(of=of, redact=redact, secret=secret))
    problems = validate([folder], Library([folder.parent]))
    assert [words in str(one) for one in problems] == ([True] if words else [])
