"""A predicate over a masked value is never answered with nothing in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.result import Result
from tests.conftest import engine_of

CONNECTORS = "SELECT name FROM plant_a.connect.connectors WHERE"
SECRET = "config['snowflake.private.key']"


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    plants = {"plant_a": sandbox.connections["plant_a"]}
    with engine_of(plants) as opened:
        yield opened


def run(engine: Engine, sql: str) -> Result:
    return next(iter(engine.run(sql)))


def remarks(engine: Engine, sql: str) -> list[str]:
    return [note for note in run(engine, sql).notes if "masked" in note]


@pytest.mark.parametrize(
    "where",
    [
        f"{SECRET} = 'sandbox-secret'",
        f"{SECRET} LIKE '%secret%'",
        f"{SECRET} IN ('a', 'b')",
        f"regexp_full_match({SECRET}, '.*secret')",
        f"contains({SECRET}, 'secret')",
        f"starts_with({SECRET}, 'sandbox')",
        f"{SECRET} IS DISTINCT FROM 'sandbox-secret'",
        f"'sandbox-secret' = {SECRET}",
        "list_contains(map_values(config), 'sandbox-secret')",
    ],
)
def test_what_was_not_compared_is_told(engine: Engine, where: str) -> None:
    [note] = remarks(engine, f"{CONNECTORS} {where}")
    assert note.startswith("kafka_connect.connect.connectors.config")
    assert note.endswith("only what can be seen of it was compared, not the secrets")


def test_a_name_for_a_masked_value_is_followed(engine: Engine) -> None:
    assert remarks(
        engine,
        f"""WITH a AS (SELECT {SECRET} AS pem FROM plant_a.connect.connectors)
        SELECT count(*) FROM (SELECT upper(pem) AS loud FROM a) WHERE loud = 'X'""",
    )
    value = "SELECT connector_name FROM plant_a.connect.connector_config WHERE value = 'x'"
    assert remarks(engine, value)


@pytest.mark.parametrize(
    "where",
    [
        "config['connector.class'] LIKE '%Sink%'",
        f"{SECRET} IS NOT NULL",
        f"{SECRET} LIKE '****%'",
        f"regexp_matches({SECRET}, '\\*{{4}}')",
        "map_contains(config, 'topics')",
        "list_contains(map_keys(config), 'topics')",
        "name = 'orders'",
    ],
)
def test_nothing_is_told_where_nothing_was_hidden(engine: Engine, where: str) -> None:
    assert remarks(engine, f"{CONNECTORS} {where}") == []


def test_masks_are_compared_with_masks(engine: Engine) -> None:
    pairs = """SELECT count(*) FROM plant_a.connect.connector_config AS a
        JOIN plant_a.connect.connector_config AS b ON a.key = b.key AND a.value = b.value"""
    assert remarks(engine, pairs) == []
