"""Texts for parameters become typed values that are bound; whatever does not fit is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import SavedQueryError
from connstat_sql.saved import Prepared, SavedParam, SavedQuery, choices, elements, prepare
from connstat_sql.saved.check import Checker
from tests.conftest import narrow_engine_of
from tests.examples import examples
from tests.tabled import over


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def query(sql: str, *params: SavedParam) -> SavedQuery:
    return SavedQuery("some", "Some", sql, Path("some.sql"), 3, params=params)


def typed_value(engine: Engine, type_: str, text: str) -> object:
    param = SavedParam("x", type_, is_required=True)
    return prepare(query("SELECT $x", param), {"x": text}, engine).arguments["x"]


def refused(engine: Engine, asked: SavedQuery, texts: Mapping[str, str]) -> str:
    with pytest.raises(SavedQueryError) as caught:
        prepare(asked, texts, engine)
    return f"{caught.value.message}; {caught.value.hint}"


@over(
    ("type_", "text", "value"),
    [
        ("VARCHAR", "a,b", "a,b"),
        ("VARCHAR", "", ""),
        ("INTEGER", " 7 ", 7),
        ("HUGEINT", "170141183460469231731687303715884105727", 2**127 - 1),
        ("DECIMAL(10,2)", "1.5", Decimal("1.50")),
        ("BOOLEAN", "true", True),
        ("DATE", "2026-11-01", date(2026, 11, 1)),
        ("INTERVAL", "7 days", timedelta(days=7)),
        ("TIMESTAMPTZ", "2026-11-01 08:00:00+02", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("VARCHAR[]", "a,b", ["a", "b"]),
        ("VARCHAR[]", " a , b ", ["a", "b"]),
        ("VARCHAR[]", "[a, b]", ["a", "b"]),
        ("VARCHAR[]", '["a, x", "b"]', ["a, x", "b"]),
        ("VARCHAR[]", '"a, x",b', ["a, x", "b"]),
        ("VARCHAR[]", "one", ["one"]),
        ("VARCHAR[]", "", []),
        ("VARCHAR[]", "[]", []),
        ("INTEGER[]", "1,2", [1, 2]),
    ],
)
def test_a_text_becomes_a_value_of_the_declared_type(
    engine: Engine, type_: str, text: str, value: object
) -> None:
    assert typed_value(engine, type_, text) == value


@over(
    ("type_", "text"),
    [("INTEGER", "x"), ("INTEGER", ""), ("DATE", "yesterday"), ("INTEGER[]", "1,x"),
     ("VARCHAR[]", "[a, NULL]"), ("BOOLEAN", "perhaps"), ("JSON", "{bad")],
)  # fmt: skip
def test_a_text_of_another_type_is_told_with_what_fits(
    engine: Engine, type_: str, text: str
) -> None:
    asked = query("SELECT $x", SavedParam("x", type_, is_required=True))
    message = refused(engine, asked, {"x": text})
    assert message.startswith(f"some: x is of type {type_}, and {text!r} is not; ")
    assert "x=" in message.partition("; ")[2]


def test_a_type_that_duckdb_does_not_know_is_told_with_its_place(engine: Engine) -> None:
    asked = query("SELECT $x", SavedParam("x", "INTEGR", default="1", line=2))
    with pytest.raises(SavedQueryError, match="x cannot be read as INTEGR") as caught:
        prepare(asked, {}, engine)
    assert (caught.value.file, caught.value.line) == ("some.sql", 2)


THREE = query(
    "SELECT * FROM t WHERE ($env IS NULL OR a = $env) AND b = ANY($states)\nAND c >= $at_least",
    SavedParam("env"),
    SavedParam("states", "VARCHAR[]", allowed=("FAILED", "PAUSED"), default="FAILED"),
    SavedParam("at_least", "INTEGER", is_required=True),
)


def test_an_absent_parameter_is_a_typed_null_and_a_default_stands_in(engine: Engine) -> None:
    assert prepare(THREE, {"at_least": "2"}, engine) == Prepared(
        "SELECT * FROM t WHERE (CAST(NULL AS VARCHAR) IS NULL OR a = CAST(NULL AS VARCHAR)) "
        "AND b = ANY($states)\nAND c >= $at_least",
        {"states": ["FAILED"], "at_least": 2},
    )
    texts = {"at_least": "2", "env": "", "states": "PAUSED,FAILED"}
    assert prepare(THREE, texts, engine) == Prepared(
        THREE.sql, {"env": "", "states": ["PAUSED", "FAILED"], "at_least": 2}
    )


@over(
    ("texts", "message"),
    [
        ({}, "some needs at_least; connstat run some at_least=1"),
        ({"at_last": "1"}, "some has no parameter at_last; did you mean `at_least`?"),
        ({"zzz": "1"}, "some has no parameter zzz; it has env, states, at_least"),
        ({"at_least": "1", "states": "FAILED,PAUSD"},
         "some: states is never 'PAUSD'; did you mean `PAUSED`? allowed: FAILED, PAUSED"),
    ],
)  # fmt: skip
def test_what_is_missing_unknown_or_not_allowed_is_told_with_what_fits(
    engine: Engine, texts: dict[str, str], message: str
) -> None:
    assert refused(engine, THREE, texts) == message


def test_a_type_that_duckdb_does_not_know_is_told_without_a_value_too(engine: Engine) -> None:
    asked = query("SELECT $n", SavedParam("n", "INTEGR", line=2))
    assert "there is no type INTEGR" in refused(engine, asked, {})


@over(
    ("type_", "sql"),
    [
        ("INTEGER", "SELECT typeof($x) = 'INTEGER' AND $x IS NULL"),
        ("VARCHAR[]", "SELECT typeof($x) = 'VARCHAR[]' AND $x IS NULL"),
        ("DECIMAL(10,2)", "SELECT typeof($x) = 'DECIMAL(10,2)' AND $x IS NULL"),
        ("VARCHAR", "SELECT $x IS NULL OR contains(lower('a'), lower($x))"),
        ("VARCHAR[]", "SELECT $x IS NULL OR 'a' = ANY($x)"),
        ("VARCHAR[]", "SELECT $x IS NULL OR 'a' IN $x"),
        ("INTEGER", "SELECT true LIMIT $x"),
        ("DATE", "SELECT $x IS NULL OR now() > $x + INTERVAL 1 DAY"),
    ],
)
def test_an_absent_value_binds_wherever_one_of_its_type_does(
    engine: Engine, type_: str, sql: str
) -> None:
    prepared = prepare(query(sql, SavedParam("x", type_)), {}, engine)
    (result,) = engine.run(prepared.sql, prepared.arguments or None)
    assert result.fetchall() == [(True,)]


HOSTILE = (
    "x'; DROP TABLE t; --", "$env", "') OR TRUE --", '"; SELECT 1', "a,b", "\\", "%",
    "é' OR '1'='1",
)  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_only_ever_a_value_here_and_in_the_requests(
    engine: Engine, sandbox: DemoServers, value: str
) -> None:
    sandbox.reset()
    asked = query(
        "SELECT $env AS env, (SELECT count(*) FROM plant_a.connect.connector_status "
        "WHERE connector_name = $env) AS n",
        SavedParam("env", is_required=True),
    )
    prepared = prepare(asked, {"env": value}, engine)
    assert prepared.sql == asked.sql
    assert prepared.arguments == {"env": value}
    (result,) = engine.run(prepared.sql, prepared.arguments)
    assert result.fetchall() == [(value, 0)]
    assert sandbox.count() == result.requests


@settings(max_examples=examples(40), deadline=None)
@given(st.text(max_size=30), st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"]))))
def test_any_text_arrives_as_it_was_given(engine: Engine, text: str, several: list[str]) -> None:
    assert typed_value(engine, "VARCHAR", text) == text
    written = ",".join('"' + value.replace('"', '""') + '"' for value in several)
    if not written.strip().startswith("["):
        arrived = typed_value(engine, "VARCHAR[]", written)
        assert arrived == [value.strip() for value in several]


@over(
    ("condition", "param", "bound"),
    [
        ("environment_id = $x", SavedParam("x"), "environment_id = env-1"),
        ("environment_id = ANY($x)", SavedParam("x", "VARCHAR[]"), "environment_id = env-1, env-2"),
        ("environment_id IN $x", SavedParam("x", "VARCHAR[]"), "environment_id = env-1, env-2"),
    ],
)
def test_values_reach_the_requests(
    engine: Engine, condition: str, param: SavedParam, bound: str
) -> None:
    sql = (
        "EXPLAIN SELECT name FROM confluent.connect.connectors "
        f"WHERE kafka_cluster_id = 'lkc-1' AND ($x IS NULL OR {condition})"
    )
    value = "env-1,env-2" if param.is_list else "env-1"
    prepared = prepare(query(sql, param), {"x": value}, engine)
    (result,) = engine.run(prepared.sql, prepared.arguments)
    assert any(bound in line for (line,) in result)
    (without,) = engine.run(prepare(query(sql, param), {}, engine).sql)
    assert any("environment_id enumerated from" in line for (line,) in without)
    (never_written,) = engine.run(sql.partition(" AND ")[0])
    assert without.fetchall() == never_written.fetchall()


def test_choices_are_what_their_query_answers_each_once(engine: Engine) -> None:
    asked = SavedParam("x", choices="SELECT unnest(['b', NULL, 'a', 'b'])")
    assert choices(query("", asked), asked, engine) == ["b", "a"]
    assert choices(query("", asked), replace(asked, allowed=("z",)), engine) == ["z"]
    assert choices(query("", asked), SavedParam("x"), engine) == []


@pytest.mark.parametrize(
    ("sql", "params", "problem"),
    [
        ("SELECT nam FROM plant_a.connect.connectors", (), 'some.sql:3: Referenced column "nam"'),
        ("SELECT 1;\nSELECT\n nam FROM plant_a.connect.connectors", (), "some.sql:5: Referenced"),
        ("SELECT 1 FROM confluent.billing.costs\nWHERE ($a IS NULL OR start_date = $a)\n"
         "AND ($b IS NULL OR end_date = $b)",
         (SavedParam("a", "DATE"), SavedParam("b", "DATE")), "some.sql:3: without a, b: "),
        ("SELECT 1 FROM plant_a.connect.connectors\nWHERE true AND\n($a IS NULL OR name = $a)\n"
         "AND nam = 1",
         (SavedParam("a"),), "some.sql:6: "),
        ("SELECT 1 WHERE $a = 1", (SavedParam("a", "INTEGR", line=2),), "some.sql:2: a: there is"),
        ("SELECT 1 WHERE $a = 1", (SavedParam("a", "INTEGER", default="x", line=2),),
         "some.sql:2: a is of type INTEGER, and 'x' is not"),
        ("SELECT 1 WHERE $a = 1", (SavedParam("a", "INTEGER", choices="SELECT z", line=2),),
         "some.sql:2: the choices of a: "),
        ("SELEC 1", (), "some.sql:3: syntax error"),
    ],
)  # fmt: skip
def test_what_does_not_bind_is_told_with_its_line_and_nothing_is_sent(
    engine: Engine, sandbox: DemoServers, sql: str, params: tuple[SavedParam, ...], problem: str
) -> None:
    sandbox.reset()
    verdict = Checker(engine).check(query(sql, *params))
    assert [str(fault) for fault in verdict.problems if str(fault).startswith(problem)]
    assert sandbox.count() == 0


@over(
    "sql",
    [
        "SELECT 1 WHERE 2 = $a", "SHOW TABLES IN confluent.connect", "SHOW PROVIDERS; SELECT $a",
        "CREATE TEMP TABLE own AS SELECT 1 AS n; SELECT n FROM own WHERE n = $a",
        "SELECT name FROM confluent.connect.connectors WHERE environment_id = $a::VARCHAR",
    ],
)  # fmt: skip
def test_what_binds_has_no_problems(engine: Engine, sql: str) -> None:
    params = (SavedParam("a", "INTEGER", is_required=True),) if "$a" in sql else ()
    assert Checker(engine).check(query(sql, *params)).problems == ()


@over(
    "sql",
    ["SELECT name AS Named, connector.state FROM plant_a.connect.connector_status "
     "WHERE ($a IS NULL OR name = $a)",
     "SELECT 1; SELECT 'a' AS named, $a AS state"],
)  # fmt: skip
def test_key_and_state_are_columns_of_the_query(engine: Engine, sql: str) -> None:
    asked = replace(query(sql, SavedParam("a")), key=("named",), state="state")
    assert Checker(engine).check(asked).problems == ()
    wrong = replace(asked, key=("named", "nam"), state="stat")
    assert [str(fault) for fault in Checker(engine).check(wrong).problems] == [
        "some.sql:1: key names nam, which is no column of the query (did you mean `named`?)",
        "some.sql:1: state names stat, which is no column of the query (did you mean `state`?)",
    ]


def test_a_query_over_files_that_are_not_here_is_said_not_to_be_bound(engine: Engine) -> None:
    verdict = Checker(engine).check(query("FROM read_csv('/nowhere/owners.csv')"))
    assert verdict.problems == ()
    assert "No files found" in verdict.unseen[0]


def test_elements_of_a_list_may_hold_commas_in_quotes() -> None:
    listed = SavedParam("x", "VARCHAR[]")
    assert elements(listed, 'a, "b, c",d') == ("a", "b, c", "d")
    assert elements(listed, "[a, b]") == ("a", "b")
    assert elements(SavedParam("x"), "a, b") == ("a, b",)
