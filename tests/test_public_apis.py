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
    """And kept rows answer the second time, of which they are all that is asked."""
    with serving(api) as served:
        for name, case in api.cases.items():
            served.forget()
            shown = told(served, case, name)
            assert len(served.calls) == case.requests, name
            shown += "".join(str(one.line) for one in served.sent)
            assert not any(secret in shown for secret in SECRETS), name


def told(served: Served, case: Case, name: str) -> str:
    """What people see of a case that fails, as it should; "" of one that answers."""
    if case.error:
        with pytest.raises(ConnstatError) as caught:
            served.ask(case.sql)
        assert case.error in said(caught.value), name
        return said(caught.value)
    for _ in range(2 if case.kept else 1):
        assert served.ask(case.sql, Options(max_age=MAX_AGE)) == list(case.rows), name
    return ""
