"""Within one statement there is one time, and one value of a macro: planned, asked and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.errors import ExecuteError
from tests.oracle.world import open_zoo
from tests.tabled import over


class Echo:
    """An API that has one row under whatever it is asked for; `asked` are the paths."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before_answering: Callable[[], object] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.before_answering()
        return httpx.Response(200, json=[{"sub": "s"}])


@pytest.fixture
def api() -> Echo:
    return Echo()


@pytest.fixture
def engine(tmp_path: Path, api: Echo) -> Iterator[Engine]:
    opened = open_zoo(tmp_path, api)
    yield opened
    opened.close()


def count(engine: Engine, where: str) -> int:
    *_, result = engine.run(f"SELECT count(*) FROM conn_a.w.subs WHERE {where}")
    return int(result.fetchall()[0][0])


@over(
    "moment",
    [
        "now()", "current_timestamp", "txid_current()", "get_current_timestamp()", "NOW ( )",
        "current_localtimestamp()", "(SELECT max(now()))", '"now"/* now */ ()',
        "strftime(now(), '%f')",
    ],
)  # fmt: skip
def test_what_was_asked_for_is_what_rows_are_compared_with(
    engine: Engine, api: Echo, moment: str
) -> None:
    api.asked.clear()
    for begin, end in (("SELECT 1", "SELECT 1"), ("BEGIN", "ROLLBACK")):
        list(engine.run(begin))
        assert count(engine, f"grp = CAST({moment} AS VARCHAR)") == 1
        list(engine.run(end))
    assert len(api.asked) == 2


def test_nothing_stays_open(engine: Engine) -> None:
    assert count(engine, "grp = now()::VARCHAR") == 1
    with pytest.raises(ExecuteError):
        count(engine, "grp = now()::VARCHAR AND CAST(sub AS INTEGER) = 1")
    assert not engine.session.is_in_transaction()
    assert count(engine, "grp = '5'") == 1


MACROS = [("'5'", True), ("concat(5)", True), ("lower('5')", True), ("5::VARCHAR", True),
          ("(SELECT '5')", False), ("CASE WHEN random() < 2 THEN '5' END", False),
          ("strftime(now(), '5')", False)]  # fmt: skip


@over("body, is_constant", MACROS)
def test_a_macro_of_one_value_is_asked_for_by_it(
    engine: Engine, api: Echo, body: str, is_constant: bool
) -> None:
    list(engine.run(f"CREATE OR REPLACE MACRO picked() AS {body}"))
    api.asked.clear()
    counted = count(engine, "grp = picked()") if is_constant else None
    assert (counted, api.asked) == ((1, ["/groups/5/subs"]) if is_constant else (None, []))
    *_, found = engine.run("EXPLAIN SELECT * FROM conn_a.w.subs WHERE grp = picked()")
    assert ("requests: 1 of" in str(found.fetchall())) == is_constant


def test_one_that_changes_while_rows_are_fetched_is_an_error(engine: Engine, api: Echo) -> None:
    other = engine.session.hand_out().cursor()
    other.execute("CREATE MACRO picked() AS '5'")
    api.before_answering = lambda: other.execute("CREATE OR REPLACE MACRO picked() AS '6'")
    with pytest.raises(ExecuteError, match="picked was changed while the statement ran"):
        count(engine, "grp = picked()")
