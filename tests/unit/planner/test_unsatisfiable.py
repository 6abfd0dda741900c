"""What is compared with a value that cannot be there is said, and a check of it is never OK."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError
from connstat_sql.result import Options, Result
from tests.conftest import engine_of
from tests.tabled import over

FLEET = "inventory.connectors.connectors"
PLANTS = {
    name: {"provider": "kafka_connect", "base_url": f"http://{name}.test"}
    for name in ("plant_a", "plant_b")
}


def nothing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={} if "expand" in request.url.params else [])


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engine_of(PLANTS, transport=httpx.MockTransport(nothing)) as engine:
        yield engine


def run(engine: Engine, sql: str, arguments: object = None) -> Result:
    *_, result = engine.run(sql, arguments, Options())  # type: ignore[arg-type]
    return result


@over(
    ("predicate", "told"),
    [
        ("health = 'UNHEALTY'", "health is never 'UNHEALTY' (did you mean 'UNHEALTHY'?)"),
        ("'Healthy' = c.health", "health is never 'Healthy' (did you mean 'HEALTHY'?)"),
        ("state IN ('FAILED', 'FAULTY')", "state is never 'FAULTY'"),
        ("state = ANY(['BROKE'])", "state is never 'BROKE'"),
        ("provider = 'kafkaconnect'", "provider is never 'kafkaconnect' (did you mean 'kafka_c"),
        ("provider = 'confluent'", "provider is never 'confluent' (it is one of kafka_connect)"),
        ("(health IS NOT DISTINCT FROM 'x')", "health is never 'x'"),
        ("_connection <> 'plantA'", "_connection is never 'plantA' (did you mean 'plant_a'?)"),
        ("NOT (_connection IN ('plantA'))", "_connection is never 'plantA'"),
        ("_connection LIKE 'plantA'", "_connection is never like 'plantA' (did you mean 'plant"),
        ("provider LIKE 'kafkaconn%'", "provider is never like 'kafkaconn%' (did you mean"),
        ("NOT (health ILIKE '%broken')", "health is never like '%broken' (it is one of HEALTHY"),
        ("state LIKE 'fail%'", "state is never like 'fail%'"),
        ("health = 'HEALTHY' OR (state = 'RUNING' AND true)", "state is never 'RUNING'"),
        ("state LIKE 'X!_%' ESCAPE '!'", "state is never like 'X!_%' (it is one of"),
        ("lower(c.state) = 'faild'", "lower(c.state) is never 'faild' (did you mean 'failed'?)"),
        ("lower(state) = 'FAILED'", "lower(state) is never 'FAILED' (did you mean 'failed'?)"),
        ("'Failed' IN (upper(state))", "upper(state) is never 'Failed'"),
        ("upper(trim(state)) IN ('FAILED', 'FAILD')", "upper(trim(state)) is never 'FAILD' (did"),
        ("state = lower('FAILED')", "state is never 'failed' (did you mean 'FAILED'?)"),
        ("NOT starts_with(state, 'FAILD')", "state is never like 'FAILD' (did you mean 'FAILED'"),
        ("state ^@ 'fail'", "state is never like 'fail'"),
        ("contains(lower(state), 'Run')", "state is never like 'Run'"),
        ("regexp_matches(state, '^FAILD$')", "state is never like '^FAILD$' (did you mean 'FAIL"),
        ("state ~ 'RUNNING|FAILD'", "state is never like 'FAILD' (did you mean 'FAILED'?)"),
        ("state SIMILAR TO 'FAIL'", "state is never like 'FAIL' (did you mean 'FAILED'?)"),
        ("state NOT LIKE 'FAILD%'", "state is never like 'FAILD%' (did you mean 'FAILED'?)"),
        ("suffix(state, 'ded')", "state is never like 'ded'"),
        ("list_contains(['FAILED', 'FAULTY'], state)", "state is never 'FAULTY'"),
        ("state NOT IN ('FAILD')", "state is never 'FAILD' (did you mean 'FAILED'?)"),
        ("CASE state WHEN 'FAILD' THEN true END", "state is never 'FAILD' (did you mean"),
        ("if(state = 'FAILD', false, true)", "state is never 'FAILD' (did you mean"),
        ("(state, connector_name) IN (('FAILD', 'x'))", "state is never 'FAILD' (did you mean"),
        ("(health, 1) = ('OK', 1)", "health is never 'OK'"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_there_is_noted_with_the_nearest(
    predicate: str, told: str, engine: Engine
) -> None:
    result = run(engine, f"SELECT connector_name FROM {FLEET} AS c WHERE {predicate}")
    (doubt,) = result.doubts
    assert doubt.startswith(told)
    assert result.notes[0] == doubt


@over(
    "sql",
    [
        f"WITH f AS (SELECT * FROM {FLEET}) SELECT 1 FROM f WHERE health = 'OOPS'",
        f"SELECT 1 FROM (SELECT health AS h FROM {FLEET}) WHERE h = 'OOPS'",
        f"SELECT count(*) FILTER (health = 'OOPS') FROM {FLEET}",
        f"SELECT 1 FROM {FLEET} AS a JOIN {FLEET} AS b ON a.connector_name = b.connector_name "
        "AND b.health = 'OOPS'",
        f"SELECT 1 FROM (SELECT health FROM {FLEET} UNION ALL SELECT health FROM {FLEET}) AS u "
        "WHERE health = 'OOPS'",
        f"SELECT 1 FROM {FLEET} AS a WHERE EXISTS (SELECT 1 FROM inventory.connectors.tasks AS t "
        "WHERE t.connector_name = a.connector_name AND a.health = 'OOPS')",
        f"SELECT 1 FROM {FLEET} WHERE health IN (('OOPS'), 'HEALTHY')",
    ],
)  # fmt: skip
def test_it_is_noted_wherever_the_column_comes_from(sql: str, engine: Engine) -> None:
    assert [one.startswith(("health is never 'OOPS'", "h is never 'OOPS'"))
            for one in run(engine, sql).doubts] == [True]  # fmt: skip


@over(
    "sql",
    [
        f"SELECT 1 FROM {FLEET} WHERE health = 'UNKNOWN' AND state <> 'NOT_INSTALLED'",
        f"SELECT 1 FROM {FLEET} WHERE state[1:3] = 'RUN' OR state[1] = 'F'",
        f"SELECT 1 FROM {FLEET} WHERE health LIKE '%HEALTHY' AND _connection ILIKE 'PLANT__%'",
        f"SELECT 1 FROM {FLEET} WHERE state LIKE 'NOT!_%' ESCAPE '!' OR state ILIKE 'run_ing'",
        f"SELECT 1 FROM {FLEET} WHERE lower(health) = 'healthy' OR connector_name = 'plantA'",
        f"SELECT 1 FROM {FLEET} AS f, (SELECT 'x' AS health) AS o WHERE o.health = 'x'",
        f"WITH f AS (SELECT upper(health) AS health FROM {FLEET}) SELECT 1 FROM f WHERE health='x'",
        f"SELECT 1 FROM {FLEET} AS f JOIN (VALUES ('old')) AS e(_connection) ON true "
        "WHERE e._connection = 'old'",
        "SELECT 1 FROM kafka_connect.connect.connectors WHERE connector.state = 'SLEEPY'",
        "SELECT 1 FROM kafka_connect.connect.connectors WHERE connector.state IN ('PAUSING', 'UP')",
        "SELECT 1 FROM kafka_connect.connect.connectors WHERE lower(connector.state) = 'failed'",
        "SELECT 1 FROM kafka_connect.connect.connectors WHERE connector.trace LIKE 'FAILD%'",
        f"SELECT 1 FROM {FLEET} WHERE upper(state) IN ('FAILED') OR lower(health) LIKE 'un%'",
        f"SELECT 1 FROM {FLEET} WHERE state COLLATE NOCASE = 'failed'",
        f"SELECT 1 FROM {FLEET} WHERE state || '!' = 'FAILED!' OR left(state, 4) = 'FAIL'",
        f"SELECT 1 FROM {FLEET} WHERE coalesce(state, 'none') = 'none' OR state > 'FAILD'",
        f"SELECT 1 FROM {FLEET} WHERE regexp_matches(state, '(?i)fail|run') OR contains(state, '')",
        f"SELECT 1 FROM {FLEET} WHERE coalesce(state, 'x') LIKE 'x' OR state NOT LIKE '%'",
        f"SELECT 1 FROM {FLEET} WHERE state = 'FAI' || 'LED' OR state = chr(70) OR state = NULL",
        f"SELECT 1 FROM {FLEET} WHERE list_contains(['RUNNING', 'FAILED'], state)",
        f"SELECT 1 FROM {FLEET} WHERE connector_name || state = 'x' OR state = connector_name",
        "SELECT 1 FROM inventory.connectors.clusters WHERE state = 'STATE_READY'",
        f"SELECT 1 FROM {FLEET} WHERE connector_name = 'plantA' OR worker = 'x'",
    ],
)  # fmt: skip
def test_what_may_be_there_is_not_noted(sql: str, engine: Engine) -> None:
    assert run(engine, sql).doubts == ()


@over("arguments", [{"h": "OOPS"}, {"h": "HEALTHY"}])
def test_bound_values_are_looked_at(arguments: dict[str, str], engine: Engine) -> None:
    result = run(engine, f"SELECT 1 FROM {FLEET} WHERE health = $h", arguments)
    assert len(result.doubts) == (arguments["h"] == "OOPS")


@over(
    "sql",
    [
        f"SELECT 1 FROM {FLEET} WHERE _connection = 'plantA'",
        f"SELECT 1 FROM {FLEET} WHERE _connection IN ('plant_a', 'plantA')",
        "SELECT 1 FROM kafka_connect.connect.connectors AS c WHERE 'plantA' = c._connection",
        f"CREATE OR REPLACE VIEW v AS FROM {FLEET}; SELECT 1 FROM v WHERE _connection = 'plantA'",
    ],
)  # fmt: skip
def test_a_connection_that_is_not_configured_is_an_error(sql: str, engine: Engine) -> None:
    with pytest.raises(BindError, match=r"no connection 'plantA' \(did you mean 'plant_a'\?\)"):
        run(engine, sql)


KC = "kafka_connect.connect.connectors"


@over(
    ("sql", "said"),
    [
        (f"FROM {KC} WHERE connector.state = 'FAILD'", "connector.state"),
        (f"FROM {KC} AS c WHERE c.connector.state IN ('FAILED', 'FAILD')", "connector.state"),
        (f"FROM {KC} WHERE (connector).state = 'FAILD'", "(connector).state"),
        (f"FROM {KC} WHERE connector['state'] <> 'FAILD'", "connector['state']"),
        (f"FROM {KC} WHERE struct_extract(connector, 'state') = 'FAILD'", "struct_extract(connect"),
        (f"FROM {KC} WHERE tasks[1].state = 'FAILD'", "tasks[1].state"),
        (f"SELECT list_filter(tasks, lambda t: t.state = 'FAILD') FROM {KC}", "state"),
        (f"FROM (SELECT unnest(tasks) AS t FROM {KC}) WHERE t.state = 'FAILD'", "tasks.state"),
        (f"FROM (SELECT connector AS k FROM {KC}) WHERE k.state = 'failed'", "connector.state"),
        (f"SELECT CASE WHEN connector.state = 'FAILD' THEN 1 END FROM {KC}", "connector.state"),
        (f"FROM {KC} WHERE lower(connector.state) = 'faild'", "lower(connector.state)"),
    ],
)  # fmt: skip
def test_what_is_nearly_a_documented_value_is_noted(sql: str, said: str, engine: Engine) -> None:
    (doubt,) = run(engine, sql).doubts
    assert doubt.startswith(f"{said}")
    assert "is not known to be ever 'fail" in doubt.replace("FAIL", "fail")
    assert doubt.lower().endswith("(did you mean 'failed'?)")


MIXED = {
    **PLANTS,
    "cloud": {
        "provider": "confluent",
        "base_url": "http://cloud.test",
        "api_key": "key",
        "api_secret": "made-up",
    },
}


@pytest.fixture(scope="module")
def mixed() -> Iterator[Engine]:
    with engine_of(MIXED, transport=httpx.MockTransport(nothing)) as engine:
        yield engine


@over(
    ("sql", "said"),
    [
        (f"SELECT 1 FROM {KC} WHERE _connection = 'cloud'",
         "the connection 'cloud' is of confluent, and has no row of that table"),
        (f"SELECT 1 FROM {KC} AS k WHERE k._connection IN ('plant_a', 'cloud')", "'cloud' is of"),
        (f"SELECT 1 FROM (SELECT * FROM {KC}) AS k WHERE k._connection = 'cloud'", "'cloud' is of"),
        ("SELECT 1 FROM plant_a.connect.connectors WHERE _connection = 'plant_b'", "is of kafka_c"),
        (f"SELECT 1 FROM {KC} WHERE _connection = 'clout'", "no connection 'clout' (it is one of"),
    ],
)  # fmt: skip
def test_another_providers_connection_is_an_error(sql: str, said: str, mixed: Engine) -> None:
    with pytest.raises(BindError) as caught:
        run(mixed, sql)
    assert said in caught.value.message
    assert caught.value.hint.startswith("connections:  plant_a")


@over(
    "sql",
    [
        f"SELECT 1 FROM {FLEET} WHERE _connection = 'plant_a'",
        f"SELECT 1 FROM {KC} WHERE _connection = 'plant_a' UNION ALL "
        "SELECT 1 FROM confluent.org.environments WHERE _connection = 'plant_a'",
        f"SELECT 1 FROM (SELECT _connection FROM {KC} UNION ALL SELECT _connection "
        "FROM confluent.org.environments) AS u WHERE _connection = 'plant_b'",
    ],
)
def test_a_connection_that_some_table_has_is_none(sql: str, mixed: Engine) -> None:
    assert run(mixed, sql).doubts == ()


# checks


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    file = tmp_path / "connstat.toml"
    file.write_text(
        '[connections.plant_a]\nprovider = "kafka_connect"\nbase_url = "http://[::1]:9"\n'
    )
    return file


@over(
    "given",
    [
        ("failed-behind-running", "connection=plantA"), ("failed-behind-running", "provider=kafka"),
        ("paused", "provider=confluent"), ("fleet", "health=BROKEN"),
        ("restarts", "connection=PLANT_A"),
        ("--sql", f"SELECT 1 FROM {FLEET} WHERE provider = 'x' AND health = 'x'"),
    ],
)  # fmt: skip
def test_a_check_of_what_is_not_there_is_unknown(given: tuple[str, ...], configured: Path) -> None:
    result = CliRunner().invoke(root, ["--config", str(configured), "check", *given])
    assert (result.exit_code, result.stdout.startswith("CONNSTAT UNKNOWN")) == (3, True)
