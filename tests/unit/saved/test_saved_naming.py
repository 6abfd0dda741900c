"""A parameter that names something: where there is no such thing, no row is no good news."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.engine import Engine
from connstat_sql.result import Options, Result
from connstat_sql.saved import prepare, read_entry, results_of
from tests.conftest import engine_of
from tests.tabled import over

HEAD = """-- params:
--   {name}: {{type: "{type}", choices: "{choices}", exists: {exists}}}
"""
THINGS = "SELECT unnest(['orders-sink', 'orders-source', 'returns'])"
PLANTS = {
    name: {"provider": "kafka_connect", "base_url": f"http://{name}.test"}
    for name in ("plant_a", "plant_b")
}
NAMES = "SELECT connector_name FROM kafka_connect.connect.connector_status"


def workers(request: httpx.Request) -> httpx.Response:
    """Of plant_a with one connector that is well; plant_b does not answer."""
    if request.url.host == "plant_b.test":
        return httpx.Response(401, json={"error_code": 401, "message": "who are you?"})
    state = {"state": "RUNNING", "worker_id": "w:1"}
    status = {"name": "orders", "connector": state, "tasks": [], "type": "sink"}
    if request.url.path == "/connectors/orders/status":
        return httpx.Response(200, json=status)
    if request.url.path == "/connectors":
        if "expand" in request.url.params:
            return httpx.Response(200, json={"orders": {"status": status}})
        return httpx.Response(200, json=["orders"])
    return httpx.Response(404, json={"error_code": 404, "message": "No status found"})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engine_of(PLANTS, transport=httpx.MockTransport(workers)) as engine:
        yield engine


def written(folder: Path, sql: str, **words: str) -> Path:
    usual = {"name": "thing", "type": "VARCHAR", "choices": THINGS, "exists": "true"}
    file = folder / "of-things.sql"
    file.write_text(HEAD.format(**(usual | words)) + sql)
    return file


def results(engine: Engine, file: Path, **texts: str) -> list[Result]:
    entry = read_entry(file)
    assert not entry.problems
    prepared = prepare(entry.query, texts, engine)
    return list(results_of(entry.query, prepared, engine, Options(partial=True)))


BROKEN = (
    "SELECT 1 AS n FROM (VALUES ('returns')) AS t(name) WHERE ($thing IS NULL OR name = $thing)"
)
SEVERAL = (
    "SELECT name FROM (VALUES ('returns')) AS t(name) WHERE ($thing IS NULL OR name = ANY($thing))"
)
PART = (
    "SELECT name FROM (VALUES ('returns')) AS t(name) "
    "WHERE ($thing IS NULL OR contains(name, $thing))"
)


@over(
    ("sql", "words", "value", "doubts"),
    [
        (BROKEN, {}, "orders-sink", []),
        (BROKEN, {}, "returns", []),
        (BROKEN, {}, "order-sink", ["no thing is 'order-sink' (did you mean 'orders-sink'?)"]),
        (BROKEN, {"exists": "false"}, "order-sink", []),
        (SEVERAL, {"type": "VARCHAR[]"}, "returns,orders-sink", []),
        (SEVERAL, {"type": "VARCHAR[]"}, "returns,order-sink,x",
         ["no thing is 'order-sink' (did you mean 'orders-sink'?)",
          "no thing is 'x' (it is one of orders-sink, orders-source, returns)"]),
        (PART, {"exists": "part"}, "ORDERS", []),
        (PART, {"exists": "part"}, "ordres",
         ["no thing has 'ordres' in it (did you mean 'orders'?)"]),
        (BROKEN, {"choices": "SELECT 1 / 'x'"}, "x",
         ["whether there is such a thing is not known: "]),
    ],
)  # fmt: skip
def test_a_name_of_nothing_is_told_with_the_nearest(
    sql: str, words: dict[str, str], value: str, doubts: list[str], engine: Engine, tmp_path: Path
) -> None:
    (result,) = results(engine, written(tmp_path, sql, **words), thing=value)
    assert len(result.doubts) == len(doubts)
    assert all(
        doubt.startswith(beginning) for doubt, beginning in zip(result.doubts, doubts, strict=True)
    )


def test_names_are_looked_up_only_where_no_row_shows_that_they_are_right(
    engine: Engine, tmp_path: Path
) -> None:
    sql = (
        f"{NAMES} WHERE ($thing IS NULL OR connector_name = $thing) AND connector.state = 'FAILED'"
    )
    file = written(tmp_path, sql.replace("= 'FAILED'", "<> 'FAILED'"), choices=NAMES)
    (shown,) = results(engine, file, thing="orders")
    assert (shown.doubts, len(shown.scans)) == ((), 1)
    file = written(tmp_path, sql, choices=NAMES)
    (well,) = results(engine, file, thing="orders")
    assert (well.doubts, len(well.scans)) == ((), 2)
    assert replace(well, scans=well.scans[:1]).requests < well.requests
    (gone,) = results(engine, file, thing="order")
    (doubt,) = gone.doubts
    assert doubt == "no thing is 'order', of those that answered (did you mean 'orders'?)"


def test_of_several_statements_the_last_bears_the_doubt(engine: Engine, tmp_path: Path) -> None:
    file = written(tmp_path, f"CREATE OR REPLACE TEMP TABLE t AS {BROKEN}; FROM t")
    first, last = results(engine, file, thing="x")
    assert (first.has_rows, first.doubts, len(last.doubts)) == (False, (), 1)


@over(
    ("pair", "limits", "code", "line"),
    [
        ("thing=returns", (), 2, "CONNSTAT CRITICAL - of-things: 1 row (n=1) | "),
        ("thing=orders-sink", (), 0, "CONNSTAT OK - of-things: 0 rows | "),
        ("thing=orders", (), 3, "CONNSTAT UNKNOWN - of-things: 0 rows, incomplete: no thing is 'o"),
        ("thing=orders", ("-c", "1:"), 2, "CONNSTAT CRITICAL - of-things: 0 rows, incomplete: no"),
        ("thing=orders", ("-w", "5"), 3, "CONNSTAT UNKNOWN - of-things: 0 rows, incomplete: no t"),
    ],
)  # fmt: skip
def test_a_check_of_nothing_is_unknown_unless_no_row_is_a_problem(
    pair: str, limits: tuple[str, ...], code: int, line: str, tmp_path: Path
) -> None:
    (tmp_path / "acme" / "queries").mkdir(parents=True, exist_ok=True)
    written(tmp_path / "acme" / "queries", BROKEN)
    (tmp_path / "connstat.toml").write_text("")
    options = ["--config", str(tmp_path / "connstat.toml"), "--providers", str(tmp_path)]
    answer = CliRunner().invoke(root, [*options, "check", "of-things", pair, *limits])
    assert answer.stdout.startswith(line)
    assert answer.exit_code == code


def test_a_check_that_asks_nobody_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "connstat.toml").write_text(
        '[connections.plant_a]\nprovider = "kafka_connect"\nbase_url = "http://[::1]:9"\n'
    )
    sql = f"{NAMES} WHERE connector_name IN ('a') AND connector_name = 'b'"
    options = ["--config", str(tmp_path / "connstat.toml"), "check", "--sql"]
    answer = CliRunner().invoke(root, [*options, sql])
    assert answer.stdout.startswith("CONNSTAT UNKNOWN - sql: 0 rows, incomplete: no API was asked")
    assert answer.exit_code == 3
    assert CliRunner().invoke(root, [*options, "SELECT 1 WHERE false"]).exit_code == 0
