"""Spans and the log: one for each statement, scan and attempt, in order, without secrets."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from connstat_sql.errors import BindError
from connstat_sql.result import Options
from connstat_sql.transport import Attempt
from tests.conftest import FakeClock, engine_of

SQL = "SELECT name FROM plant_a.connect.connectors WHERE name <> $other"
SECRET = "s3cret-password"
PLANT = {
    "provider": "kafka_connect", "base_url": "http://plant:8083", "username": "me",
    "password": "${PASSWORD}",
}  # fmt: skip
BODY = ["orders"]

Answering = Callable[[int], httpx.Response]


class Spans:
    """What was exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def named(self, name: str) -> list[ReadableSpan]:
        return [one for one in self._exporter.get_finished_spans() if one.name == name]

    def one(self, name: str) -> ReadableSpan:
        (found,) = self.named(name)
        return found

    def text(self) -> str:
        return "".join(one.to_json() for one in self._exporter.get_finished_spans())


@pytest.fixture
def spans() -> Iterator[Spans]:
    found = Spans()
    yield found
    found.provider.shutdown()


def answered(_: int) -> httpx.Response:
    return httpx.Response(200, json=BODY)


def busy_at_first(call: int) -> httpx.Response:
    return answered(call) if call > 2 else httpx.Response(429)


def forbidden(_: int) -> httpx.Response:
    return httpx.Response(403, json={"message": f"{SECRET} is wrong"})


def silent(_: int) -> httpx.Response:
    raise httpx.ConnectError(f"no way, {SECRET}")


def ask(
    spans: Spans, answering: Answering = answered, sql: str = SQL, options: Options | None = None
) -> list[Any]:
    """The results of a statement over a plant that answers so."""
    with plant(answering, tracer_provider=spans.provider) as engine:
        return list(engine.run(sql, {"other": "not-this"}, options))


def plant(answering: Answering, **outside: Any) -> Any:
    calls = iter(range(1, 1000))
    return engine_of(
        {"plant_a": PLANT},
        transport=httpx.MockTransport(lambda _: answering(next(calls))),
        environment={"PASSWORD": SECRET},
        **outside,
    )


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(span.attributes or {})


def test_a_statement_is_a_span_with_its_text_and_not_its_values(spans: Spans) -> None:
    ask(spans)
    assert attributes(spans.one("connstat.statement")) == {
        "db.system.name": "connstat_sql",
        "db.query.text": SQL,
        "db.response.returned_rows": 1,
        "connstat.requests": 1,
        "connstat.complete": True,
    }
    assert "not-this" not in spans.text()
    assert SECRET not in spans.text()


def test_a_scan_is_a_span_within_its_statement(spans: Spans) -> None:
    ask(spans)
    statement, scan = spans.one("connstat.statement"), spans.one("connstat.scan")
    assert scan.parent == statement.context
    found = attributes(scan)
    assert found["connstat.table"] == "kafka_connect.connect.connectors"
    assert (found["connstat.requests"], found["connstat.rows"]) == (1, 1)
    assert found["connstat.method"]


def test_an_attempt_is_a_client_span_within_its_statement(spans: Spans) -> None:
    ask(spans)
    attempt = spans.one("GET")
    assert attempt.parent == spans.one("connstat.statement").context
    assert attempt.kind is SpanKind.CLIENT
    assert attempt.status.status_code is StatusCode.UNSET
    found = attributes(attempt)
    assert found["url.full"].startswith("http://plant:8083/connectors")
    assert found["server.address"] == "plant"
    assert found["server.port"] == 8083
    assert found["http.request.method"] == "GET"
    assert found["http.response.status_code"] == 200
    assert "http.request.resend_count" not in found


def test_every_attempt_again_is_a_span_that_counts(spans: Spans) -> None:
    ask(spans, busy_at_first)
    attempts = sorted(spans.named("GET"), key=lambda one: one.start_time or 0)
    assert [attributes(one)["http.response.status_code"] for one in attempts] == [429, 429, 200]
    assert [attributes(one).get("http.request.resend_count") for one in attempts] == [None, 1, 2]
    assert [one.status.status_code.name for one in attempts] == ["ERROR", "ERROR", "UNSET"]
    assert attributes(attempts[0])["error.type"] == "429"
    assert spans.one("connstat.statement").status.status_code is StatusCode.UNSET


def test_spans_end_when_they_ended_and_lie_within_their_statement(spans: Spans) -> None:
    ask(spans, busy_at_first)
    statement = spans.one("connstat.statement")
    assert statement.start_time == int(FakeClock().now() * 1e9)
    for one in spans.named("GET"):
        assert one.end_time is not None
        assert statement.end_time is not None
        assert one.end_time <= statement.end_time


@pytest.mark.parametrize(
    ("answering", "kind", "status"),
    [(forbidden, "Unauthorized", 403), (silent, "ConnectionFailed", None)],
)
def test_what_failed_is_said_in_words_without_secrets(
    spans: Spans, answering: Answering, kind: str, status: int | None
) -> None:
    with pytest.raises(Exception, match="plant_a"):
        ask(spans, answering)
    statement = spans.one("connstat.statement")
    assert statement.status.status_code is StatusCode.ERROR
    assert (statement.status.description or "").startswith("plant_a ")
    assert attributes(statement)["error.type"] == kind
    attempt = spans.named("GET")[-1]
    assert attempt.status.status_code is StatusCode.ERROR
    assert attributes(attempt).get("http.response.status_code") == status
    assert not statement.events
    assert SECRET not in spans.text()


def test_a_fault_of_the_query_is_an_error_of_its_span(spans: Spans) -> None:
    with pytest.raises(BindError):
        ask(spans, sql="SELECT nam FROM plant_a.connect.connectors WHERE name <> $other")
    assert attributes(spans.one("connstat.statement"))["error.type"] == "BindError"
    assert not spans.named("GET")


def test_a_partial_result_is_an_error_of_its_span(spans: Spans) -> None:
    ask(spans, forbidden, options=Options(partial=True))
    statement = spans.one("connstat.statement")
    assert attributes(statement)["connstat.complete"] is False
    assert statement.status.status_code is StatusCode.ERROR


def test_statements_of_the_program_s_own_span_are_its_children(spans: Spans) -> None:
    tracer = trace.get_tracer("program", tracer_provider=spans.provider)
    with tracer.start_as_current_span("program"):
        ask(spans)
    assert spans.one("connstat.statement").parent == spans.one("program").context


def test_statements_without_live_tables_are_none_of_ours(spans: Spans) -> None:
    with plant(answered, tracer_provider=spans.provider) as engine:
        list(engine.run("SELECT 1"))
        list(engine.run("SELECT 'a.b.c' AS only_text"))
    assert spans.text() == ""


def test_what_nobody_records_is_not_measured() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with plant(answered, tracer_provider=provider) as engine:
        list(engine.run(SQL, {"other": ""}))
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("has_spans", [True, False])
def test_the_observer_is_told_with_and_without_spans(spans: Spans, has_spans: bool) -> None:
    seen: list[Attempt] = []
    provider = spans.provider if has_spans else None
    with plant(busy_at_first, tracer_provider=provider, observe=seen.append) as engine:
        list(engine.run(SQL, {"other": ""}))
    assert [one.status for one in seen] == [429, 429, 200]


# the log


def records(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == level]


def test_the_log_tells_retries_and_scans_and_in_detail_each_attempt(
    spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "connstat_sql"):
        ask(spans, busy_at_first)
    *retries, scan = records(caplog, logging.INFO)
    assert any("429" in one and "try 2 in" in one for one in retries)
    assert any("429" in one and "try 3 in" in one for one in retries)
    assert scan.startswith("kafka_connect.connect.connectors by ")
    assert "1 requests, 2 retries, 1 rows" in scan
    assert len([one for one in records(caplog, logging.DEBUG) if "GET http" in one]) == 3
    assert SECRET not in caplog.text


# what nobody set up costs nothing

ALONE = """
import sys
import httpx
import connstat_sql
plant = {"plant_a": {"provider": "kafka_connect", "base_url": "http://plant"}}
for status in (200, 403):
    answer = httpx.MockTransport(lambda _: httpx.Response(status, json=["orders"]))
    with connstat_sql.connect(connections=plant, environment={}, transport=answer) as con:
        try:
            print(con.sql("SELECT name FROM plant_a.connect.connectors").fetchall())
        except connstat_sql.FetchError:
            print("failed")
assert not any(name.partition(".")[0] == "opentelemetry" for name in sys.modules)
"""


def test_where_nobody_listens_nothing_is_loaded_and_nothing_printed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[('orders',)]\nfailed\n", "")


LATE = """
import httpx
import connstat_sql
plant = {"plant_a": {"provider": "kafka_connect", "base_url": "http://plant"}}
answer = httpx.MockTransport(lambda _: httpx.Response(200, json=["orders"]))
sql = "SELECT name FROM plant_a.connect.connectors"
with connstat_sql.connect(connections=plant, environment={}, transport=answer) as con:
    con.sql(sql)
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    spans = InMemorySpanExporter()
    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
    con.sql(sql)
print(sorted(one.name for one in spans.get_finished_spans()))
"""


def test_the_program_s_own_provider_is_found_once_it_is_set_up() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, check=False
    )
    expected = "['GET', 'connstat.scan', 'connstat.statement']\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, expected, "")
