"""Real-shaped definitions of public APIs, each over its fake: exact rows, and requests counted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from connstat_sql.errors import ConnstatError
from connstat_sql.loader import Library, shipped_providers, validate
from connstat_sql.result import Options
from tests.public_apis.serving import DEFINITIONS, SECRET, Api, Case, apis, said, serving
from tests.tabled import over

APIS = tuple(apis())
ROWS = [
    pytest.param(api, case, id=f"{api.name}: {name}")
    for api in APIS
    for name, case in api.cases.items()
]
SECRETS = (SECRET, quote(SECRET, safe=""), quote_plus(SECRET))


def test_the_definitions_have_no_problem() -> None:
    library = Library([shipped_providers(), DEFINITIONS])
    assert validate([DEFINITIONS], library) == ()
    assert {api.name for api in APIS} == {one.name for one in Path(DEFINITIONS).iterdir()}


@over("api, case", ROWS)
def test_each_api_answers_exactly_for_its_price(api: Api, case: Case) -> None:
    """And kept rows answer the second time, of which they are all that is asked."""
    with serving(api) as served:
        if case.error:
            with pytest.raises(ConnstatError) as caught:
                served.ask(case.sql)
            assert case.error in said(caught.value)
            shown = said(caught.value)
        else:
            accepting = Options(max_age=3600)
            assert served.ask(case.sql, accepting) == list(case.rows)
            assert len(served.calls) == case.requests
            assert served.ask(case.sql, accepting) == list(case.rows)
            shown = ""
        assert len(served.calls) == case.requests
        shown += "".join(str(one.line) for one in served.sent)
        assert not any(secret in shown for secret in SECRETS)
