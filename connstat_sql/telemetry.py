"""What a statement does, told to whoever listens: the logger `connstat_sql`, OpenTelemetry spans.

By default nobody does. Spans are made where the program that we are part of has loaded
OpenTelemetry, as it must to say where they go; we import it only then. The logger tells each scan
here; attempts, and what comes between them, are told where they are made (`transport`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connstat_sql.errors import ConnstatError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from connstat_sql.executor import ScanReport
    from connstat_sql.result import Result
    from connstat_sql.transport import Attempt

log = logging.getLogger("connstat_sql")
log.addHandler(logging.NullHandler())

Value = str | int | bool
PORTS = {"http": 80, "https": 443}


class Telemetry:
    """Tells of one engine's statements, one after the other; attempts may end on any thread.

    `provider` makes the tracer (None: the program's own, once it has loaded OpenTelemetry); `now`
    answers seconds since the epoch; `then` is told of each attempt too.
    """

    def __init__(
        self,
        provider: TracerProvider | None,
        now: Callable[[], float],
        then: Callable[[Attempt], None] = lambda _: None,
    ) -> None:
        self._provider = provider
        self._now = now
        self._then = then
        self._tracer: Tracer | None = None
        self._within: Context | None = None

    @contextmanager
    def statement(self, sql: str) -> Iterator[Callable[[Result | None], None]]:
        """One statement, from here to the end of the block; call what it yields with the result.

        None in place of a result means that it was none of ours, and nothing is told of it.
        """
        outcome: list[Result | None] = []
        tracer = self._found()
        with nullcontext() if tracer is None else self._spanned(tracer, sql, outcome):
            yield outcome.append
        _log_scans(outcome)

    def observe(self, sent: Attempt) -> None:
        """One attempt of one request that has just ended."""
        self._then(sent)
        if self._tracer is not None and self._within is not None:
            self._attempt(self._tracer, sent, self._within)

    def _found(self) -> Tracer | None:
        """The tracer; None as long as nobody can have said where spans go."""
        if self._tracer is None and (self._provider or "opentelemetry.trace" in sys.modules):
            from opentelemetry import trace

            self._tracer = trace.get_tracer("connstat_sql", tracer_provider=self._provider)
        return self._tracer

    @contextmanager
    def _spanned(self, tracer: Tracer, sql: str, outcome: list[Result | None]) -> Iterator[None]:
        attributes: dict[str, Value] = {"db.system.name": "connstat_sql", "db.query.text": sql}
        span = tracer.start_span(
            "connstat.statement", attributes=attributes, start_time=self._nanoseconds()
        )
        try:
            with self._current(span):
                yield
        except BaseException as error:
            # words of ours alone: those of others may repeat what is secret
            message = error.message if isinstance(error, ConnstatError) else ""
            _fail(span, type(error).__name__, message)
            span.end(self._nanoseconds())
            raise
        if None not in outcome:  # what is never ended is never told
            self._finish(tracer, span, outcome)

    @contextmanager
    def _current(self, span: Span) -> Iterator[None]:
        """Make it the parent of what comes, unless nobody records it."""
        from opentelemetry import trace

        if span.is_recording():
            self._within = trace.set_span_in_context(span)
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            self._within = None

    def _finish(self, tracer: Tracer, span: Span, outcome: list[Result | None]) -> None:
        from opentelemetry import trace

        for result in filter(None, outcome):
            for scan in result.scans:
                self._scan(tracer, scan, trace.set_span_in_context(span))
            span.set_attribute("db.response.returned_rows", result.table.num_rows)
            span.set_attribute("connstat.requests", result.requests)
            span.set_attribute("connstat.complete", result.complete)
            if not result.complete:
                _fail(span, "partial", f"{len(result.errors)} requests failed")
        span.end(self._nanoseconds())

    def _attempt(self, tracer: Tracer, sent: Attempt, within: Context) -> None:
        from opentelemetry.trace import SpanKind

        end = self._nanoseconds()
        start, attributes = end - int(sent.seconds * 1e9), _attempt_attributes(sent)
        span = tracer.start_span(
            sent.line.method, within, SpanKind.CLIENT, attributes, start_time=start
        )
        if sent.status is None:
            _fail(span, "no_answer", "no whole answer")
        elif sent.status >= 400:
            _fail(span, str(sent.status), "")
        span.end(end)

    def _scan(self, tracer: Tracer, scan: ScanReport, within: Context) -> None:
        """A scan that is done; its attempts belong to the statement, as scans share them."""
        attributes: dict[str, Value] = {
            "connstat.table": scan.table,
            "connstat.method": scan.method,
            "connstat.requests": scan.requests,
            "connstat.rows": scan.rows,
        }
        start = int(scan.began * 1e9)
        span = tracer.start_span("connstat.scan", within, attributes=attributes, start_time=start)
        span.end(start + int(scan.seconds * 1e9))

    def _nanoseconds(self) -> int:
        return int(self._now() * 1e9)


def _log_scans(outcome: list[Result | None]) -> None:
    for result in filter(None, outcome):
        for scan in result.scans:
            log.info(
                "%s by %s: %s requests, %s retries, %s rows, %.0f ms",
                scan.table, scan.method, f"{scan.requests:,}", f"{scan.retries:,}",
                f"{scan.rows:,}", scan.seconds * 1000,
            )  # fmt: skip


def _fail(span: Span, kind: str, description: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, description or None))


def _attempt_attributes(sent: Attempt) -> Mapping[str, Any]:
    url = urlsplit(sent.line.url)
    attributes: dict[str, Value] = {
        "http.request.method": sent.line.method,
        "server.address": url.hostname or "",
        "server.port": url.port or PORTS.get(url.scheme, 0),
        "url.full": sent.line.url,
        "connstat.connection": sent.connection,
        "connstat.table": sent.table,
    }
    if sent.status is not None:
        attributes["http.response.status_code"] = sent.status
    if sent.attempt > 1:
        attributes["http.request.resend_count"] = sent.attempt - 1
    return attributes
