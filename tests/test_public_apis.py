"""Real-shaped definitions of public APIs, each over its fake: exact rows, and requests counted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from connstat_sql.errors import ConnstatError
from connstat_sql.loader import Library, shipped_providers, validate
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


@over("api", APIS, ids=lambda api: api.name)
def test_each_api_answers_exactly_for_its_price(api: Api) -> None:
    """And kept rows answer the first statement again, which then sends nothing."""
    with serving(api) as served:
        again = next(name for name, case in api.cases.items() if case.kept and not case.error)
        for name, case in api.cases.items():
            served.forget()
            shown = told(served, case, name, 2 if name == again else 1)
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


def test_what_is_kept_of_one_body_does_not_answer_another() -> None:
    [api] = [one for one in APIS if one.name == "airbyte"]
    accepting = Options(max_age=MAX_AGE)
    table = "airbyte.config.connections WHERE workspace_id"
    with serving(api) as served:
        for workspaces, rows, requests in (("'w0'", 5, 3), ("'w1'", 1, 1), ("'w0', 'w1'", 6, 0)):
            served.calls.clear()
            sql = f"SELECT count(*) FROM {table} IN ({workspaces})"
            assert served.ask(sql, accepting) == [(rows,)]
            assert len(served.calls) == requests
