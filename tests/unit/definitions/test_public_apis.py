"""Real-shaped definitions of public APIs, each over its fake: exact rows, and requests counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.errors import ConnstatError
from connstat_sql.result import Options
from tests.public_apis.serving import (
    DEFINITIONS,
    MAX_AGE,
    SECRET,
    Api,
    Case,
    Served,
    apis,
    said,
    serving,
)
from tests.tabled import over

APIS = tuple(apis())
SECRETS = (SECRET, quote(SECRET, safe=""), quote_plus(SECRET))


def test_the_definitions_have_no_problem() -> None:
    library = Library([shipped_providers(), DEFINITIONS])
    assert validate([DEFINITIONS], library) == ()
    assert {api.name for api in APIS} == {one.name for one in Path(DEFINITIONS).iterdir()}


@pytest.fixture
def served() -> Iterator[Served]:
    """One for each test: tokens that it has been given cost the next one nothing."""
    with serving(APIS) as running:
        yield running


@over("api", APIS, ids=lambda api: api.name)
def test_each_api_answers_exactly_for_its_price(served: Served, api: Api) -> None:
    tried(served, api, times=1)


@pytest.mark.long
@over("api", APIS, ids=lambda api: api.name)
def test_kept_rows_answer_each_api_again_and_send_nothing(served: Served, api: Api) -> None:
    tried(served, api, times=2)


def tried(served: Served, api: Api, times: int) -> None:
    """Each case of an API, so many times: the last times it costs nothing."""
    served.turn_to(api)
    for name, case in api.cases.items():
        served.forget()
        shown = told(served, case, name, times if case.kept else 1)
        assert len(served.calls) == case.requests, name
        shown += "".join(str(one.line) for one in served.sent)
        assert not any(secret in shown for secret in SECRETS), name


def told(served: Served, case: Case, name: str, times: int) -> str:
    """What people see of a case that fails, as it should; "" of one that answers."""
    if case.error:
        with pytest.raises(ConnstatError) as caught:
            served.ask(case.sql)
        assert case.error in said(caught.value), name
        return said(caught.value)
    for _ in range(times):
        options = Options(max_age=MAX_AGE if times > 1 else None)
        assert served.ask(case.sql, options) == list(case.rows), name
    return ""


def test_what_is_kept_of_one_body_does_not_answer_another(served: Served) -> None:
    [api] = [one for one in APIS if one.name == "airbyte"]
    served.turn_to(api)
    served.forget()
    table = "airbyte.config.connections WHERE workspace_id"
    for workspaces, rows, requests in (("'w0'", 5, 2), ("'w1'", 1, 1), ("'w0', 'w1'", 6, 0)):
        served.calls.clear()
        sql = f"SELECT count(*) FROM {table} IN ({workspaces})"
        assert served.ask(sql, Options(max_age=MAX_AGE)) == [(rows,)]
        lists = [one for one in served.calls if not one.path.endswith("/token")]
        assert len(lists) == requests
