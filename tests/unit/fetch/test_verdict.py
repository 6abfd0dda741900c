"""What cannot be known is never nothing: answers that are not whole, rows that may be there."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from connstat_sql.definitions.marks import Mark, says
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    DefinitionError,
    FetchError,
    Incomplete,
    Status,
    UnexpectedShape,
)
from connstat_sql.result import Options, Result
from tests.conftest import engine_of
from tests.tabled import over
from tests.unit.transport.test_transport import LIBRARY

PROVIDER = """
provider: depot
description: Depots in many towns
base_url: http://depot.test
errors: [message]
incomplete: [unreached]
"""
SERVICE = """
service: stock
resources:
  crates:
    description: Crates
    params: {id: {description: Number}}
    columns: {weight: BIGINT -- Weight}
    methods:
      get:
        path: /crates/{id}
        rows: {shape: object}
        no_row: [404, 410]
        no_row_says: ["crate * is unknown"]
        since: "7.1"
      list:
        path: /crates
        rows: crates
        fills: {id: id}
        paging: {style: token, request: after, response: next}
        incomplete:
          - {at: state, unless: [done, null]}
          - {at: late, when: true}
          - _parts.failed
"""
CONNECTIONS = {"towns": {"provider": "depot"}}
ALL = "SELECT id FROM depot.stock.crates ORDER BY ALL"
BY_ID = "SELECT weight FROM depot.stock.crates WHERE id = '8'"
Handler = Callable[[httpx.Request], httpx.Response]


@contextmanager
def depot(handler: Handler, service: str = SERVICE, provider: str = PROVIDER) -> Iterator[Engine]:
    """An engine over the depots, whose definitions stand in a folder for as long."""
    with TemporaryDirectory() as path:
        folder = Path(path) / "depot"
        folder.mkdir()
        (folder / "provider.yaml").write_text(provider)
        (folder / "stock.yaml").write_text(service)
        wire = httpx.MockTransport(handler)
        with engine_of(CONNECTIONS, providers=(Path(path),), transport=wire) as engine:
            yield engine


def answer(opened: AbstractContextManager[Engine], sql: str, **options: Any) -> Result:
    with opened as engine:
        (result,) = engine.run(sql, None, Options(**options))
        return result


# an error in a success of which the definition does not speak


@over(
    ("body", "words"),
    [
        ({"crates": [], "error": {"message": "over quota"}}, "answered 200 with an error"),
        ({"crates": None, "errors": [{"message": "m"}], "message": "over quota"}, "over quota"),
        ({"crates": [], "error": False, "errors": []}, ""), ({"crates": [], "message": "fine"}, ""),
        ({"crates": [], "Error": None}, ""),
    ],
)  # fmt: skip
def test_a_list_without_rows_that_tells_of_an_error_is_one(body: Any, words: str) -> None:
    if not words:
        assert answer(depot(status(200, {**body, "state": "done"})), ALL).fetchall() == []
        return
    with pytest.raises(Status, match=words) as caught:
        answer(depot(status(200, {**body, "state": "done"})), ALL)
    assert "failed: [{at: ok, when: false}]" in caught.value.hint


@over(
    ("body", "is_error"),
    [({"error": "over quota"}, True), ({"error": "late", "weight": 7}, False), ({}, False)],
)
def test_a_row_of_nothing_beside_an_error_is_none(body: Any, is_error: bool) -> None:
    with pytest.raises(Status, match="with an error") if is_error else nullcontext():
        rows = answer(depot(status(200, body)), BY_ID).fetchall()
        assert rows == [(body.get("weight"),)]


def test_an_error_beside_rows_is_noted_until_the_definition_says_what_it_means() -> None:
    rows = status(
        200, {"crates": [{"id": "8"}], "errors": ["one depot is closed"], "state": "done"}
    )
    for provider, is_noted in (
        (PROVIDER, True), (f"{PROVIDER}failed: [{{at: ok, when: false}}]\n", False)
    ):  # fmt: skip
        result = answer(depot(rows, provider=provider), ALL)
        assert result.fetchall() == [("8",)]
        assert ["holds `errors` beside its rows" in note for note in result.notes] == [
            True
        ] * is_noted


@over(
    ("said", "key"),
    [
        ({"partial": True}, "partial"), ({"isPartial": True}, "isPartial"),
        ({"incomplete_results": True}, "incomplete_results"), ({"timed_out": True}, "timed_out"),
        ({"unreachable": ["ghent"]}, "unreachable"), ({"failures": [{"node": 1}]}, "failures"),
        ({"jobComplete": False}, "jobComplete"), ({"partialFailure": {"code": 3}}, "partialFailu"),
        ({"partial": False, "unreachable": [], "timedOut": None, "jobComplete": True}, ""),
        ({"incomplete": 7, "partial": "none", "failures": 0, "complete": False}, ""),
        ({"unreached": [], "late": False, "part": True, "partially_paid": True}, ""),
    ],
)  # fmt: skip
def test_what_says_that_a_part_is_missing_is_noted_until_it_is_declared(
    said: dict[str, Any], key: str
) -> None:
    rows = status(200, {"crates": [{"id": "8"}], "state": "done", **said})
    notes = answer(depot(rows), ALL).notes
    assert [f"holds `{key}" in note for note in notes] == [True] * bool(key)
    for at in said if key else ():
        mark = f"{{at: {at}, when: false}}" if said[at] is False else at
        declared = SERVICE.replace("- _parts.failed", f"- {mark}")
        with pytest.raises(Incomplete):
            answer(depot(rows, declared), ALL)


def test_such_words_of_a_row_are_its_own() -> None:
    row = status(200, {"weight": 7, "partial": True, "unreachable": ["x"]})
    result = answer(depot(row), BY_ID)
    assert (result.fetchall(), result.notes) == ([(7,)], ())


def test_a_column_may_read_what_is_called_error() -> None:
    service = SERVICE.replace("columns: {", "columns: {error: VARCHAR -- What went wrong, ")
    result = answer(depot(status(200, {"error": "rust"}), service), BY_ID)
    assert (result.fetchall(), result.notes) == ([(None,)], ())


def test_a_body_may_begin_with_a_byte_order_mark() -> None:
    marked = status(200, "\ufeff" + json.dumps({"crates": [{"id": "8"}], "state": "done"}))
    assert answer(depot(marked), ALL).fetchall() == [("8",)]


def test_a_mark_names_numbers_and_their_texts_alike() -> None:
    mark = Mark(("code",), unless=(0,))
    assert [mark.speaks(value) for value in (0, "0", 1, "1", None, False)] == [
        False, False, True, True, True, True
    ]  # fmt: skip


# a status that means "no such row", and one that means something else


def status(code: int, body: Any, kind: str = "application/json") -> Handler:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda _: httpx.Response(code, text=text, headers={"Content-Type": kind})


def test_what_is_said_in_the_declared_words_is_no_row() -> None:
    gone = status(410, {"message": "Crate 8 IS unknown here"})
    assert answer(depot(gone), BY_ID).fetchall() == []


@over(
    ("code", "body", "words"),
    [
        (404, {"message": "HTTP 404 Not Found"}, "answered 404: HTTP 404 Not Found"),
        (404, {"error": "no route"}, "answered 404"), (404, "", "answered 404"),
        (404, "<html>nothing here</html>", "with a web page"), (410, {"message": "gone"}, "gone"),
    ],
)  # fmt: skip
def test_what_is_said_in_other_words_is_an_error(code: int, body: Any, words: str) -> None:
    with pytest.raises(Status, match=words) as caught:
        answer(depot(status(code, body)), BY_ID)
    assert caught.value.hint


def test_a_path_that_the_server_lacks_names_the_version_that_has_it() -> None:
    with pytest.raises(Status, match=r"GET /crates/\{id\} came with version 7\.1") as caught:
        answer(depot(status(404, {"message": "no such path"})), BY_ID)
    assert "older than 7.1" in caught.value.hint


@over(
    ("table", "version"),
    [("connector_topics", "2.5"), ("connector_offsets", "3.5"), ("connector_status", ""),
     ("connector_tasks", "")],
)  # fmt: skip
def test_a_worker_without_the_path_and_a_wrong_address_are_errors(table: str, version: str) -> None:
    jersey = status(404, {"error_code": 404, "message": "HTTP 404 Not Found"})
    plant = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test/wrong"}}
    engine = engine_of(plant, transport=httpx.MockTransport(jersey))
    sql = f"SELECT * FROM kafka_connect.connect.{table} WHERE connector_name = 'orders'"
    with pytest.raises(Status, match=f"version {version}" if version else "Not Found"):
        answer(engine, sql)


@over("body", [["orders", "returns"], []])
def test_a_worker_that_does_not_heed_the_query_names_the_version_that_does(body: Any) -> None:
    plant = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test"}}
    engine = engine_of(
        plant, transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    )
    words = r"GET /connectors\?expand=info came with version 2\.3"
    with pytest.raises(UnexpectedShape, match=words) as caught:
        answer(engine, "SELECT config FROM kafka_connect.connect.connectors")
    assert "older than 2.3" in caught.value.hint


@over(
    ("code", "body"),
    [
        (404, "<html><h1>404</h1>nginx</html>"), (404, ""), (404, "default backend - 404"),
        (404, {"message": "no Route matched with those values"}), (405, "<h1>not here</h1>"),
        (501, {"message": "not behind this gate"}), (200, "<form>log in</form>"), (200, ""),
        (200, "busy"), (200, "7"),
    ],
)  # fmt: skip
def test_what_a_gateway_says_is_not_put_down_to_the_version(code: int, body: Any) -> None:
    plant = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test"}}
    engine = engine_of(plant, transport=httpx.MockTransport(status(code, body)))
    is_own = body == "7"  # JSON of another shape, without an error
    with pytest.raises(FetchError) as caught:
        answer(engine, "SELECT config FROM kafka_connect.connect.connectors")
    assert ("version" in caught.value.message) is is_own


def test_a_value_that_does_not_fit_says_nothing_of_versions() -> None:
    plant = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test"}}
    body = {"orders": {"info": {"type": 5}}}
    engine = engine_of(
        plant, transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    )
    with pytest.raises(UnexpectedShape) as caught:
        answer(engine, "SELECT name, type, config FROM kafka_connect.connect.connectors")
    assert "version" not in caught.value.message


@over(
    ("provider", "body", "is_none"),
    [
        ("kafka_connect", {"error_code": 404, "message": "Connector a \"b\" not found"}, True),
        ("kafka_connect", {"error_code": 404, "message": "No status found for connector a"}, True),
        ("kafka_connect", {"error_code": 404, "message": "HTTP 404 Not Found"}, False),
        ("confluent", {"error_code": 404, "message": "resource not found"}, True),
        ("confluent", {"error": {"code": 404, "message": "account not found"}}, True),
        ("confluent", {"errors": [{"status": "404", "detail": "Resource Not Found"}]}, True),
        ("confluent", {"message": "Not Found"}, False),
        ("redpanda", {"code": "NOT_FOUND", "message": "gone",
                      "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"}]}, True),
        ("redpanda", {"code": 5, "message": "Not Found", "details": []}, False),
        ("aeontel", {"message": "workspace wsp_9 not found"}, True),
        ("aeontel", {"message": "Route GET /api/connectors?workspace_id=w not found"}, False),
    ],
)  # fmt: skip
def test_the_shipped_definitions_know_what_a_missing_thing_is_called(
    provider: str, body: Any, is_none: bool
) -> None:
    definition = LIBRARY.provider(provider)
    assert definition is not None
    assert says(json.dumps(body), definition.no_row_says) is is_none


# successes that are no whole answers


@over("code", [202, 206, 207, 208, 226])
def test_a_success_that_is_no_whole_answer_is_an_error(code: int) -> None:
    with pytest.raises(Status, match=f"answered {code}") as caught:
        answer(depot(status(code, {"crates": [{"id": "1"}]})), ALL)
    assert caught.value.status == code


@over("code", [200, 201, 203])
def test_other_successes_are_answers(code: int) -> None:
    handler = status(code, {"crates": [{"id": "1"}]})
    assert answer(depot(handler), ALL).fetchall() == [("1",)]


# what an answer says of itself


def pages(*said: dict[str, Any]) -> Handler:
    """Two rows a page, each page saying what it says of itself."""

    def handler(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("after", 0))
        rows = [{"id": f"{number}a"}, {"id": f"{number}b"}]
        more = {"next": str(number + 1)} if number + 1 < len(said) else {}
        return httpx.Response(200, json={"crates": rows, **more, **said[number]})

    return handler


WHOLE: dict[str, Any] = {"unreached": [], "late": False, "_parts": {"failed": 0}, "state": "done"}


def test_no_secret_is_told_of_what_is_missing() -> None:
    words = f"{'x' * 280} password=hunterhunterhunter"
    with pytest.raises(Incomplete) as caught:
        answer(depot(pages({**WHOLE, "unreached": [words]})), ALL)
    assert "password=" in caught.value.message
    assert "hunt" not in caught.value.message


@over(
    ("said", "words"),
    [
        ({"unreached": ["towns/ghent"]}, "unreached: towns/ghent"),
        ({"unreached": [{"message": "Ghent is down", "code": 7}]}, "unreached: Ghent is down"),
        ({"unreached": {"ghent": 1}}, 'unreached: {"ghent":1}'), ({"late": True}, "late: true"),
        ({"state": "running"}, "state: running"), ({"_parts": {"failed": 2}}, "_parts.failed: 2"),
    ],
)  # fmt: skip
def test_an_answer_that_says_it_is_not_whole_is_an_error_in_its_words(
    said: dict[str, Any], words: str
) -> None:
    with pytest.raises(Incomplete) as caught:
        answer(depot(pages({**WHOLE, **said}, WHOLE)), ALL)
    assert caught.value.message.endswith(f"not whole: {words}")
    assert "--partial" in caught.value.hint


@over("said", [WHOLE, {}, {"unreached": None, "late": "true", "_parts": None}])
def test_an_answer_that_says_nothing_of_the_kind_is_whole(said: dict[str, Any]) -> None:
    result = answer(depot(pages(said)), ALL)
    assert (result.complete, result.table.num_rows) == (True, 2)


@over("place", [0, 1, 2])
def test_with_partial_all_rows_that_came_are_kept_and_it_is_said_once(place: int) -> None:
    said = [{"unreached": ["ghent"]} if number == place else {} for number in range(3)]
    result = answer(depot(pages(*said)), ALL, partial=True)
    assert result.table.num_rows == 6
    assert [type(failed.error) for failed in result.errors] == [Incomplete]
    assert not result.complete


@over("partial", [False, True])
def test_what_is_missing_is_told_before_what_cannot_be_read_for_that(partial: bool) -> None:
    said = pages({"unreached": ["ghent"], "crates": None, "state": 7})
    broken = {"crates": {"of": "no such shape"}}
    for handler in (said, pages({"unreached": ["ghent"], **broken})):
        with pytest.raises(Incomplete, match="ghent") if not partial else nullcontext():
            result = answer(depot(handler), ALL, partial=partial)
            assert [type(failed.error) for failed in result.errors] == [Incomplete]


def test_an_answer_that_is_not_whole_is_not_kept_for_later() -> None:
    said = [{"unreached": ["ghent"]}]
    with depot(lambda asked: pages(*said)(asked)) as engine:  # noqa: PLW0108 - what it says changes
        (first,) = engine.run(ALL, None, Options(partial=True, max_age=60))
        said[:] = [{}]
        (second,) = engine.run(ALL, None, Options(partial=True, max_age=60))
    assert (first.complete, second.complete) == (False, True)


def test_where_a_part_is_missing_a_limit_is_no_excuse() -> None:
    limited = "SELECT id FROM depot.stock.crates LIMIT 1"
    result = answer(depot(pages({"unreached": ["ghent"]}, {})), limited, partial=True)
    assert not result.complete


@over(
    ("words", "fault"),
    [
        ("[$]", "is the whole body"), ("[{at: x, when: 1, unless: 2}]", "both `when` and `unless`"),
        ("[{when: 1}]", "at"), ("[{at: x, if: 1}]", "if"),
    ],
)  # fmt: skip
def test_marks_that_say_nothing_are_faults(words: str, fault: str) -> None:
    service = SERVICE.replace("rows: crates", f"rows: crates\n        incomplete: {words}")
    service = service[: service.index("        incomplete:\n")]
    with pytest.raises((DefinitionError, FetchError), match=fault):
        answer(depot(pages({}), service), ALL)


@over(
    ("mark", "speaks_of"),
    [
        (Mark(("x",)), [1, True, "no", ["a"], {"a": None}]),
        (Mark(("x",), when=(1, None)), [1, None]),
        (Mark(("x",), unless=(True,)), [1, "no", ["a"], {"a": None}, None, False, 0, "", [], {}]),
    ],
)  # fmt: skip
def test_a_mark_speaks_of_values_of_its_own_type(mark: Mark, speaks_of: list[Any]) -> None:
    every = [1, True, "no", ["a"], {"a": None}, None, False, 0, "", [], {}]
    heard = [value for value in every if mark.speaks(value)]
    assert list(map(repr, heard)) == list(map(repr, speaks_of))
