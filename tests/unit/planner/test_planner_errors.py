"""What is refused before the first request, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.errors import BindError, ConfigError, PlanError, QueryError
from connstat_sql.planner import check_budget, plan, refusal
from connstat_sql.sql.introspection import Introspection
from tests.oracle.stages import Stages, open_stages
from tests.oracle.world import PROVIDER
from tests.unit.planner.test_planner import PETS

CIRCLE = """
service: w
resources:
  hens:
    description: Hens
    columns: {id: VARCHAR}
    params:
      egg: {from: zoo.w.eggs.id}
    methods:
      list: {path: "/hens/{egg}"}
  eggs:
    description: Eggs
    columns: {id: VARCHAR}
    params:
      hen: {from: zoo.w.hens.id}
    methods:
      list: {path: "/eggs/{hen}"}
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    provider = PROVIDER + 'path_rejects: "/\\\\"\n'
    with open_stages(tmp_path_factory.mktemp("zoo"), provider=provider) as opened:
        yield opened


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("pets"), service=PETS) as opened:
        yield opened


def fault(stages: Stages, sql: str, **options: object) -> QueryError:
    with pytest.raises(QueryError) as caught:
        check_budget(stages.plan(sql, **options))
    return caught.value


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        (
            "SELECT * FROM zoo.w.days",
            "zoo.w.days needs day",
            "add  AND day = '2026-11-01'",
        ),
        (
            "SELECT * FROM zoo.w.codes WHERE lang = 'a'",
            "zoo.w.codes needs code\n  given: lang",
            "add  AND code = '…'",
        ),
        (
            "SELECT * FROM zoo.w.codes",
            "zoo.w.codes needs code and lang",
            "add  AND code = '…' AND lang = '…'",
        ),
        (
            "SELECT * FROM zoo.w.codes WHERE lang = 5 AND code = 1",
            "zoo.w.codes needs lang; lang is compared with a value of another type\n  given: code",
            "add  AND lang = '…'",
        ),
        (
            "SELECT * FROM (VALUES (1.5::FLOAT)) v(k) "
            "JOIN zoo.w.codes c ON c.code = v.k AND c.lang = 'a'",
            "zoo.w.codes needs code\n  given: lang",
            "add  AND code = '…'",
        ),
        (
            "SELECT * FROM zoo.w.codes c JOIN zoo.w.days d ON d.day = c.day WHERE c.lang = 'a'",
            "zoo.w.codes needs code\n  given: lang",
            "add  AND code = '…'",
        ),
        (
            "SELECT * FROM zoo.w.codes a JOIN zoo.w.codes b USING (code, lang)",
            "zoo.w.codes needs code and lang",
            "add  AND code = '…' AND lang = '…'",
        ),
    ],
)
def test_a_missing_parameter_is_named_with_what_to_add(
    zoo: Stages, sql: str, message: str, hint: str
) -> None:
    error = fault(zoo, sql)
    assert isinstance(error, BindError)
    assert (error.message, error.hint) == (message, hint)
    assert error.span is not None
    assert error.sql[error.span.start : error.span.end].startswith("zoo.w.")


def test_strict_forbids_to_enumerate_and_says_where_values_are(zoo: Stages) -> None:
    error = fault(zoo, "SELECT kind FROM zoo.w.subs", strict=True)
    assert error.message == "zoo.w.subs needs grp"
    assert error.hint == "add  AND grp = '…'  (grp from zoo.w.groups.g)"
    assert zoo.plan("SELECT kind FROM zoo.w.subs WHERE grp = 'a'", strict=True)


def test_each_methods_needs_are_told(pets: Stages) -> None:
    error = fault(pets, "SELECT name FROM zoo.w.pets", strict=True)
    assert error.message == "zoo.w.pets needs shop\n  or shop, pet"


def test_going_over_the_budget_says_the_number_the_table_and_the_flag(zoo: Stages) -> None:
    sql = "SELECT kind FROM zoo.w.subs WHERE grp IN ('a', 'b', 'c')"
    error = fault(zoo, sql, max_requests=5)
    assert isinstance(error, PlanError)
    assert error.message == (
        "this needs at least 6 requests, 6 of them for zoo.w.subs; the budget is 5"
    )
    assert error.hint == "give fewer values, or raise it:  --max-requests 6"
    assert error.span is not None
    assert zoo.plan(sql, max_requests=6)


def test_parents_in_a_circle_are_an_error(tmp_path: Path) -> None:
    with open_stages(tmp_path, service=CIRCLE) as stages:
        error = fault(stages, "SELECT id FROM zoo.w.hens")
        assert error.message == "parents go in a circle: zoo.w.hens → zoo.w.eggs → zoo.w.hens"
        assert stages.plan("SELECT id FROM zoo.w.hens WHERE egg = 'e'")


def test_a_provider_without_a_connection_says_what_to_set(zoo: Stages) -> None:
    catalog = Catalog(zoo.engine.catalog.definitions, {})
    sql = "SELECT g FROM zoo.w.groups"
    bound, asking = zoo.bind(sql), Introspection(zoo.engine.session, sql, None)
    with pytest.raises(ConfigError, match="zoo has no connection") as caught:
        plan(bound, catalog, asking, max_requests=9)
    assert "[connections.NAME]" in caught.value.hint


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("literal", "why"),
    [
        ("''", "grp = '' cannot be a path segment"),
        ("'.'", "grp = '.' cannot be a path segment"),
        ("'..'", "grp = '..' cannot be a path segment"),
        ("chr(10)", "grp = '\\n' holds a control character"),
        ("'a/b'", "grp = 'a/b' holds '/', which zoo refuses in a path"),
        ("'a\\b'", "grp = 'a\\\\b' holds '\\\\', which zoo refuses in a path"),
    ],
)
def test_a_value_that_cannot_be_a_path_segment_is_refused(
    zoo: Stages, literal: str, why: str
) -> None:
    error = fault(zoo, f"SELECT kind FROM conn_a.w.subs WHERE grp = {literal}")
    assert error.message == why
    assert error.hint == "such a row can only be reached through a list"


def test_such_a_value_is_looked_up_through_a_list_where_there_is_one(zoo: Stages) -> None:
    for name in ("''", "'..'", "'a/b'"):
        sql = f"SELECT n FROM conn_a.w.items WHERE grp = 'a' AND part = 'b' AND name = {name}"
        (scan,) = zoo.plan(sql).scans
        assert scan.method.name == "list"


def test_names_with_odd_letters_are_no_reason_to_refuse(zoo: Stages) -> None:
    provider = zoo.engine.catalog.definitions.provider("zoo")
    assert provider is not None
    assert not any(refusal(provider, name) for name in ("a b", "é", "c%?#", "...", "日本"))


def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(pets: Stages) -> None:
    sql = "SELECT name FROM conn_a.w.pets WHERE shop = 's' AND status IN ('sold', 'lost')"
    error = fault(pets, sql)
    assert error.message == "zoo.w.pets: status cannot be 'lost'"
    assert error.hint == "it is one of  sold, available, in care"
    assert error.span is not None
    assert pets.plan(sql.replace("lost", "in care"))


@pytest.mark.parametrize(
    "predicate", ["status <> 'sold'", "status = 'sold' OR weight = 1", "lower(status) = 'sold'"]
)
def test_a_default_does_not_stand_in_where_the_query_speaks_of_the_parameter(
    pets: Stages, predicate: str
) -> None:
    error = fault(pets, f"SELECT name FROM conn_a.w.pets WHERE shop = 's' AND ({predicate})")
    assert error.message.startswith("zoo.w.pets needs status")
    assert error.hint == "add  AND status = 'sold'"
