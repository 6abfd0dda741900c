"""The chaos provider: rows say what was asked, every style of paging gives the same rows."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.definitions.model import PagingStyle, Resource
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError, QueryError, Status
from connstat_sql.result import Options
from tests.chaos import CHAOS_PROVIDERS, chaos_of
from tests.chaos.serve import serve
from tests.conftest import engine_of
from tests.examples import examples

LIBRARY = Library([shipped_providers(), CHAOS_PROVIDERS])
TABLES = {str(one.table): one for one in LIBRARY.tables() if one.table.provider == "chaos"}


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of({"chaos": chaos_of(sandbox)}) as opened:
        yield opened


def rows(engine: Engine, sql: str, given: Any = None, **options: Any) -> list[dict[str, Any]]:
    *_, result = engine.run(sql, given, Options(**options))
    assert result.complete
    found: list[dict[str, Any]] = result.table.to_pylist()
    return found


def column(engine: Engine, sql: str) -> list[Any]:
    return [value for row in rows(engine, sql) for value in row.values()]


# what is shipped


def test_its_definitions_have_no_problem() -> None:
    assert validate([CHAOS_PROVIDERS], LIBRARY) == ()


@pytest.mark.parametrize("resource", TABLES.values(), ids=TABLES)
def test_each_table_is_described_and_its_example_gives_the_same_rows_again(
    engine: Engine, resource: Resource
) -> None:
    assert resource.description
    assert all(one.description for one in resource.all_columns)
    first = rows(engine, resource.example)
    assert first
    assert rows(engine, resource.example) == first


def test_without_a_configuration_it_has_no_connection() -> None:
    every_variable = {
        setting.env: "http://127.0.0.1:1"
        for name in LIBRARY.providers
        for setting in getattr(LIBRARY.provider(name), "settings", ())
        if setting.env
    }
    found = find_connections(Setup(), LIBRARY, every_variable)
    assert "kafka_connect" in found
    assert "chaos" not in {one.provider for one in found.values()}


def test_a_table_without_a_connection_is_an_error_that_says_so() -> None:
    setup = Setup(connections={}, providers=(CHAOS_PROVIDERS,))
    with (
        closing(open_engine(setup, EngineOptions(environment={}))) as engine,
        pytest.raises(ConnstatError) as caught,
    ):
        rows(engine, "SELECT * FROM chaos.pages.tokens")
    assert "connection" in caught.value.message + caught.value.hint


def test_a_connection_needs_nothing_but_a_base_url(sandbox: DemoServers) -> None:
    with engine_of({"mine": chaos_of(sandbox)}) as engine:
        assert len(rows(engine, "SELECT * FROM mine.pages.whole")) == 25


def test_whoever_writes_a_provider_can_serve_it_alone() -> None:
    said: list[str] = []
    ready, stopped = threading.Event(), threading.Event()

    def write(text: str) -> None:
        said.append(text)
        ready.set()

    thread = threading.Thread(target=serve, args=(write, stopped))
    thread.start()
    try:
        assert ready.wait(60)
        assert said[0].startswith('[connections.chaos]\nprovider = "chaos"\n')
        [url] = re.findall(r'^base_url = "(.*)"$', said[0], re.MULTILINE)
        with engine_of({"chaos": {"provider": "chaos", "base_url": url}}) as engine:
            assert column(engine, "SELECT count(*) FROM chaos.pages.tokens") == [25]
    finally:
        stopped.set()
        thread.join()


# what was asked

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..")
)


@settings(max_examples=examples(30), deadline=None)
@given(first=TEXT, second=TEXT, word=TEXT)
def test_arguments_arrive_as_they_were_written(
    engine: Engine, first: str, second: str, word: str
) -> None:
    sql = "SELECT * FROM chaos.echo.arguments WHERE first = ? AND second = ? AND word = ?"
    [row] = rows(engine, sql, [first, second, word])
    assert row["segments"] == [row["first"], row["second"]] == [first, second]
    assert dict(row["received"])["word"] == row["word"] == word


def test_each_pair_of_arguments_is_asked_for_once_and_counted(
    engine: Engine, sandbox: DemoServers
) -> None:
    sql = """SELECT first, second, path, call, attempt FROM chaos.echo.arguments
             WHERE (first, second) IN (('a', 'b'), ('c d', 'e/f'), ('a', 'b')) ORDER BY first"""
    found = rows(engine, sql)
    assert [row["path"] for row in found] == ["/echo/arguments/a/b", "/echo/arguments/c%20d/e%2Ff"]
    assert abs(found[0]["call"] - found[1]["call"]) == 1
    assert [row["attempt"] for row in found] == [1, 1]
    assert sandbox.count("chaos") == sandbox.count() == 2


def test_defaults_and_numbers_are_sent_too(engine: Engine, sandbox: DemoServers) -> None:
    sql = """SELECT received FROM chaos.echo.arguments
             WHERE first = 'a' AND second = 'b' AND count = 9007199254740993"""
    [received] = column(engine, sql)
    assert dict(received) == {"word": "none", "count": "9007199254740993", "times": "0"}
    assert sandbox.requests[0].query == "word=none&count=9007199254740993&times=0"


def test_headers_are_echoed_and_credentials_are_hidden_by_the_server(sandbox: DemoServers) -> None:
    given = {
        "Authorization": "Bearer hunter2hunter2", "Cookie": "sid=hunter2", "X-Api-Key": "hunter2",
        "Proxy-Authorization": "Basic hunter2", "X-Session-Id": "hunter2", "X-Plain": "seen",
    }  # fmt: skip
    answer = httpx.get(f"{sandbox.url}/chaos/echo/arguments/a/b", headers=given)
    assert "hunter2" not in answer.text
    headers = answer.json()["headers"]
    assert headers["x-plain"] == "seen"
    assert [name for name, value in headers.items() if value == "[hidden]"] == [
        name.lower() for name in given if name != "X-Plain"
    ]


def test_a_connections_secret_headers_reach_no_row(sandbox: DemoServers) -> None:
    headers = {"Authorization": "Bearer ${T}", "X-Signature": "${T}", "X-Plain": "seen"}
    connection = {**chaos_of(sandbox), "headers": headers}
    sql = """SELECT * FROM chaos.echo.arguments
             WHERE first = 'a' AND second = 'b' AND label = 'seen too'"""
    with engine_of({"chaos": connection}, environment={"T": "hunter2hunter2"}) as engine:
        [row] = rows(engine, sql)
    assert sandbox.requests[0].headers_seen["authorization"] == "Bearer hunter2hunter2"
    assert "hunter2" not in str(row)
    shown = dict(row["headers"])
    assert (shown["x-plain"], shown["x-chaos-label"]) == ("seen", "seen too")
    assert (shown["authorization"], shown["x-signature"]) == ("[hidden]", "[hidden]")


def test_the_attempt_that_succeeded_is_echoed(engine: Engine, sandbox: DemoServers) -> None:
    sql = """SELECT attempt FROM chaos.echo.arguments
             WHERE first = 'a' AND second = 'b' AND times = 2"""
    assert column(engine, sql) == [3]
    assert column(engine, sql) == [3]
    assert [one.status for one in sandbox.requests] == [503, 503, 200] * 2


def test_filters_that_the_api_understands_are_passed_on(engine: Engine) -> None:
    everything = rows(engine, "SELECT * EXCLUDE (filters, call) FROM chaos.echo.filters")
    names = [row["name"] for row in everything[3:5]]
    sql = f"""SELECT * EXCLUDE (call) FROM chaos.echo.filters WHERE name IN ('{names[0]}',
              '{names[1]}', 'nobody') AND colour = '{everything[3]["colour"]}' AND price >= 0"""
    found = rows(engine, sql)
    assert found
    for row in found:
        passed_on = dict(row.pop("filters"))
        assert passed_on.pop("colour") == [everything[3]["colour"]]
        assert sorted(passed_on.pop("name")) == sorted([*names, "nobody"])
        assert passed_on == {}
        assert row["page_size"] == 100
    assert found == [row for row in everything[3:5] if row["colour"] == everything[3]["colour"]]


def test_a_key_that_takes_several_values_is_repeated(engine: Engine, sandbox: DemoServers) -> None:
    sql = """SELECT DISTINCT shade FROM chaos.echo.filters
             WHERE shade IN ('dark', 'pale') ORDER BY shade"""
    assert column(engine, sql) == ["dark", "pale"]
    assert sandbox.requests[0].query.count("shade=") == 2
    assert sandbox.count() == 1


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("key", ["number", "name", "price"])
@pytest.mark.parametrize("limit", [3, 12, 100])
def test_what_the_api_sorts_comes_in_the_order_of_sql(
    engine: Engine, key: str, direction: str, limit: int
) -> None:
    sql = f"SELECT number, name, price FROM {{}} ORDER BY {key} {direction}, number LIMIT {limit}"
    copy = "CREATE OR REPLACE TEMP TABLE copied AS FROM chaos.echo.sorted"
    list(engine.run(copy))
    assert rows(engine, sql.format("chaos.echo.sorted")) == rows(engine, sql.format("copied"))


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["number", "name", "price"])
def test_the_api_sorts_as_duckdb_does(
    engine: Engine, sandbox: DemoServers, key: str, direction: str
) -> None:
    given = {"sort": key, "direction": direction}
    sent = httpx.get(f"{sandbox.url}/chaos/echo/sorted", params=given).json()["items"]
    sql = f"SELECT number FROM chaos.echo.sorted ORDER BY {key} {direction} NULLS LAST, number"
    assert [one["number"] for one in sent] == column(engine, sql)
    assert sent[0]["sorted_by"] == given


def test_each_row_says_which_method_answered(engine: Engine, sandbox: DemoServers) -> None:
    things = "FROM chaos.echo.things"
    assert column(engine, f"SELECT answered_by {things} WHERE thing_id = 'thing-2'") == ["get"]
    assert column(engine, f"SELECT DISTINCT answered_by {things}") == ["list"]
    assert rows(engine, f"SELECT * {things} WHERE thing_id = 'thing-99'") == []
    assert sandbox.count() == 3


def test_what_only_the_other_method_serves_is_the_same_either_way(engine: Engine) -> None:
    all_of_them = rows(engine, "SELECT id, note FROM chaos.echo.things ORDER BY id")
    assert len(all_of_them) == 12
    one = rows(engine, "SELECT id, note FROM chaos.echo.things WHERE thing_id = 'thing-5'")
    assert one == [row for row in all_of_them if row["id"] == "thing-5"]


# parents


def test_a_walk_from_groups_to_members_costs_one_request_a_step(
    engine: Engine, sandbox: DemoServers
) -> None:
    groups = column(engine, "SELECT id FROM chaos.family.groups ORDER BY id")
    assert groups == ["group-1", "group-2", "group-3"]
    members = rows(engine, "SELECT group_id, id FROM chaos.family.members ORDER BY ALL")
    assert {row["group_id"] for row in members} == set(groups)
    sandbox.reset()
    found = rows(engine, "SELECT group_id, member_id, note FROM chaos.family.member ORDER BY ALL")
    assert [(row["group_id"], row["member_id"]) for row in found] == [
        (row["group_id"], row["id"]) for row in members
    ]
    assert found[0]["note"] == "m-1 is of group-1"
    assert sandbox.count() == 1 + len(groups) + len(members)


def test_a_value_given_prunes_the_walk(engine: Engine, sandbox: DemoServers) -> None:
    sql = "SELECT note FROM chaos.family.member WHERE group_id = 'group-2' AND member_id = 'm-1'"
    assert column(engine, sql) == ["m-1 is of group-2"]
    assert sandbox.count() == 1


def test_strict_forbids_the_walk_before_anything_is_sent(
    engine: Engine, sandbox: DemoServers
) -> None:
    with pytest.raises(QueryError):
        rows(engine, "SELECT * FROM chaos.family.members", strict=True)
    assert sandbox.count() == 0


def test_no_such_group_and_no_such_member_are_no_rows(engine: Engine) -> None:
    for group in ("group-0", "group-1001", "group-x", "group-99999999999999999999", "nobody"):
        sql = f"SELECT * FROM chaos.family.members WHERE group_id = '{group}'"
        assert rows(engine, sql) == []
    sql = "SELECT * FROM chaos.family.member WHERE group_id = 'group-1' AND member_id = 'm-9'"
    assert rows(engine, sql) == []


# paging

PAGED = ["tokens", "cursors", "links", "link_headers", "page_numbers"]


@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 25])
@pytest.mark.parametrize("name", PAGED)
def test_each_style_gives_all_rows_with_as_many_requests_as_pages(
    engine: Engine, sandbox: DemoServers, name: str, total: int
) -> None:
    sql = f"SELECT * FROM chaos.pages.{name} WHERE total = {total} ORDER BY number"
    found = rows(engine, sql)
    assert [row["number"] for row in found] == list(range(total))
    assert [row["page"] for row in found] == [number // 10 + 1 for number in range(total)]
    assert sandbox.count() == max(1, -(-total // 10))


@pytest.mark.parametrize(("total", "requests"), [(0, 1), (9, 1), (10, 2), (11, 2), (25, 3)])
def test_offsets_end_with_a_page_that_is_not_full(
    engine: Engine, sandbox: DemoServers, total: int, requests: int
) -> None:
    sql = f"SELECT number FROM chaos.pages.offsets WHERE total = {total} ORDER BY number"
    assert column(engine, sql) == list(range(total))
    assert sandbox.count() == requests


@pytest.mark.parametrize(("size", "requests"), [(1, 25), (7, 4), (24, 2), (25, 1), (1000, 1)])
def test_the_size_of_a_page_is_the_smaller_of_both_wishes(
    engine: Engine, sandbox: DemoServers, size: int, requests: int
) -> None:
    sql = f"SELECT number FROM chaos.pages.tokens WHERE size = {size} ORDER BY number"
    assert column(engine, sql) == list(range(25))
    assert sandbox.count() == requests


def test_all_styles_give_the_same_rows_and_each_style_is_there(engine: Engine) -> None:
    names = [*PAGED, "offsets", "whole"]
    found = [
        rows(engine, f"SELECT number, name FROM chaos.pages.{name} ORDER BY number")
        for name in names
    ]
    assert all(one == found[0] for one in found)
    shown = {one.paging.style for name in names for one in TABLES[f"chaos.pages.{name}"].methods
             if one.paging}  # fmt: skip
    assert shown == set(PagingStyle)


def test_rows_are_drawn_from_the_seed_alone(engine: Engine) -> None:
    sql = "SELECT name FROM chaos.pages.tokens WHERE total = 5 AND seed = {} ORDER BY number"
    assert column(engine, sql.format(7)) == column(engine, sql.format(7))
    assert column(engine, sql.format(7)) != column(engine, sql.format(8))
    both = sql.replace("total = 5", "total IN (3, 5)").replace("= {}", "IN (7, 8)")
    assert len(column(engine, both)) == 16


# what it cannot work with


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM chaos.pages.tokens WHERE total = -1", "total must be a whole number"),
        ("SELECT * FROM chaos.pages.tokens WHERE size = 0", "size must be a whole number from 1"),
        ("SELECT * FROM chaos.faults.status WHERE times = -1", "times must be a whole number"),
        ("SELECT * FROM chaos.faults.status WHERE status = 99", "status must be a whole number"),
        ("SELECT * FROM chaos.faults.slow WHERE milliseconds = 60001", "milliseconds must be"),
        ("SELECT * FROM chaos.faults.status WHERE header = 'no colon'", "Name: value"),
        ("SELECT * FROM chaos.faults.status WHERE header = 'X: ä'", "printable ASCII"),
        ("SELECT * FROM chaos.faults.status WHERE retry_after = '+soon'", "is written like +5"),
        ("SELECT * FROM chaos.faults.wrong WHERE wrong_column = 'name' AND wrong_value = 'x'",
         "wrong_value must be JSON"),
    ],
)  # fmt: skip
def test_an_argument_it_cannot_work_with_is_a_400_that_says_why(
    engine: Engine, sandbox: DemoServers, sql: str, says: str
) -> None:
    with pytest.raises(Status) as caught:
        rows(engine, sql)
    assert caught.value.status == 400
    assert says in caught.value.message
    assert sandbox.count() == 1


@pytest.mark.parametrize("token", ["x", "dG9rZW5zQC0x", "bGlua3NAMTA"])
def test_a_token_of_another_list_is_refused(sandbox: DemoServers, token: str) -> None:
    answer = httpx.get(f"{sandbox.url}/chaos/pages/tokens", params={"page_token": token})
    assert answer.status_code == 400
    assert "page_token was not given out by this list" in answer.json()["message"]


def test_only_get_and_only_its_own_paths_are_answered(sandbox: DemoServers) -> None:
    assert httpx.post(f"{sandbox.url}/chaos/pages/tokens").status_code == 405
    for path in ("", "/", "/nowhere", "/faults", "/pages/tokens/more", "/faults/%2e%2e"):
        assert httpx.get(f"{sandbox.url}/chaos{path}").status_code == 404
