"""REFRESH forgets kept rows: of everything, or of what it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connstat_sql.database.classifier import classify
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError, ParseError
from tests.conftest import engine_of


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


def refused(engine: Engine, sql: str, kind: type[Any] = BindError) -> Any:
    with pytest.raises(kind) as caught:
        list(engine.run(sql))
    return caught.value


@pytest.mark.parametrize(
    "sql",
    [
        "REFRESH",
        "refresh ;",
        "-- all of it\nREFRESH",
        "REFRESH /* one */ confluent",
        "REFRESH confluent.connect",
        "REFRESH Confluent . Connect . Connectors",
        'REFRESH "plant_a".connect',
        "REFRESH plant_a.connect.connectors;",
    ],
)
def test_it_answers_with_no_rows_and_says_how_many_were_forgotten(
    engine: Engine, sandbox: DemoServers, sql: str
) -> None:
    [result] = engine.run(sql)
    assert not result.has_rows
    assert result.notes == ("rows of 0 fetches forgotten",)
    assert sandbox.count() == 0


@pytest.mark.parametrize(
    ("sql", "said", "hint"),
    [
        ("REFRESH conflent", "no provider or connection conflent", "confluent"),
        ("REFRESH plant_c", "no provider or connection plant_c", "plant_a"),
        ("REFRESH confluent.conect", "confluent has no service conect", "connect"),
        ("REFRESH plant_a.conect", "plant_a has no service conect", "connect"),
        (
            "REFRESH plant_a.connect.conectors",
            "has no table conectors",
            "plant_a.connect.connectors",
        ),
        ("REFRESH confluent.connect.connectors.name", "too many parts", "fewer parts"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error_with_those_that_come_close(
    engine: Engine, sql: str, said: str, hint: str
) -> None:
    error = refused(engine, sql)
    assert said in error.message
    assert hint in error.hint
    assert sql[error.span.start : error.span.end] == sql.removeprefix("REFRESH ")


@pytest.mark.parametrize("sql", ["REFRESH confluent connect", "REFRESH 'confluent'", "REFRESH 1"])
def test_anything_else_is_no_statement(engine: Engine, sql: str) -> None:
    refused(engine, sql, ParseError)


def test_a_column_or_table_may_be_called_refresh(engine: Engine) -> None:
    results = [*engine.run("CREATE OR REPLACE TABLE refresh AS SELECT 1 AS refresh; FROM refresh")]
    assert results[-1].fetchall() == [(1,)]
    assert classify("SELECT refresh").own is None


def test_it_stands_among_other_statements(engine: Engine) -> None:
    results = [*engine.run("SELECT 1; REFRESH confluent; SELECT ';'; REFRESH")]
    assert [result.has_rows for result in results] == [True, False, True, False]


def test_a_wrong_name_is_found_before_the_first_statement_runs(engine: Engine) -> None:
    refused(engine, "SELECT 1; REFRESH nowhere")
