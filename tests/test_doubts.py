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
        f"SELECT 1 FROM {FLEET} WHERE health LIKE '%HEALTHY' AND _connection ILIKE 'PLANT__%'",
        f"SELECT 1 FROM {FLEET} WHERE state LIKE 'X!_%' ESCAPE '!' OR state ILIKE 'run_ing'",
        f"SELECT 1 FROM {FLEET} WHERE lower(health) = 'healthy' OR connector_name = 'plantA'",
        f"SELECT 1 FROM {FLEET} AS f, (SELECT 'x' AS health) AS o WHERE o.health = 'x'",
        f"WITH f AS (SELECT upper(health) AS health FROM {FLEET}) SELECT 1 FROM f WHERE health='x'",
        f"SELECT 1 FROM {FLEET} AS f JOIN (VALUES ('old')) AS e(_connection) ON true "
        "WHERE e._connection = 'old'",
        "SELECT 1 FROM kafka_connect.connect.connectors WHERE connector.state = 'SLEEPY'",
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
