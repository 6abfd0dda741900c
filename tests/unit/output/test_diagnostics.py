"""What is said on stderr: the verdict in groups, attempts, the log; and Ctrl-C while it runs."""

from __future__ import annotations

import gc
import io
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import click
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.cli.context import each, report_errors
from connstat_sql.definitions.loader.builder import template_of
from connstat_sql.definitions.model import Method, Resource, TableName
from connstat_sql.errors import (
    BindError,
    ConfigError,
    ConnectionFailed,
    ConnstatError,
    DefinitionError,
    ExecuteError,
    FetchError,
    Interrupted,
    RequestLine,
    Span,
    Status,
    UnexpectedShape,
)
from connstat_sql.executor import ScanReport
from connstat_sql.fetch import FailedFetch, Fetch
from connstat_sql.output.logs import told_logs
from connstat_sql.output.stderr import Narrator, exit_code
from connstat_sql.result import Result
from tests.examples import examples

METHOD = Method("get", template_of("/t"))
TABLE = Resource(TableName("p", "s", "t"), "", (), (), (METHOD,))
REPORT = ScanReport(
    name="1", table="p.s.t", method="get", requests=0, retries=0, rows=0, bytes=0, no_row=0,
    seconds=0.0,
)  # fmt: skip


def failed(
    connection: str, message: str, status: int | None = None, *, name: str = "", attempts: int = 1
) -> FailedFetch:
    kind = ConnectionFailed if status is None else Status
    line = RequestLine("GET", f"http://{connection}/t/{name}")
    error = kind(message, status=status, request=line, attempts=attempts, connection=connection)
    return FailedFetch(Fetch(connection, TABLE, METHOD, {"name": name}), error, 0.0)


def told(failures: Sequence[FailedFetch], requests: int) -> list[str]:
    """The lines on a partial result."""
    stream = io.StringIO()
    scan = replace(REPORT, requests=requests)
    Narrator(stream).result(Result(pa.table({}), True, (scan,), tuple(failures)))
    return stream.getvalue().splitlines()


# the verdict


def test_many_failures_are_one_line_and_their_groups() -> None:
    busy = [failed("plant_a", "plant_a answered 503: busy", 503, name=f"n{n}") for n in range(36)]
    silent = failed("plant_b", "plant_b did not answer: no answer within 30 s", name="x")
    assert told([*busy, silent], 120) == [
        "partial result: 37 of 120 requests failed: 503 from plant_a (36), no whole answer from "
        "plant_b (1); they are rows of the table _errors",
        "  plant_a: answered 503: busy (36)",
        "  plant_b: did not answer: no answer within 30 s",
    ]


def test_one_failure_is_said_in_the_singular() -> None:
    only = failed("plant_a", "plant_a answered 403", 403)
    assert told([only], 1)[0] == (
        "partial result: 1 of 1 request failed: 403 from plant_a (1); "
        "they are rows of the table _errors"
    )


def test_messages_that_differ_in_an_argument_are_one_group() -> None:
    failures = []
    for n in range(1000):
        message = f"plant_a answered 500: no worker for orders-{n}"
        failures.append(failed("plant_a", message, 500, name=f"orders-{n}"))
    assert told(failures, 1000)[1:] == ["  plant_a: answered 500: no worker for <name> (1,000)"]


def test_ten_groups_are_shown_the_largest_first_and_the_rest_counted() -> None:
    failures = [
        failed(f"plant_{group:02}", "sank", 500, name=f"n{n}")
        for group in range(15)
        for n in range(group + 1)
    ]
    headline, *groups = told(failures, 500)
    assert headline.startswith("partial result: 120 of 500 requests failed: 500 from plant_14 (15)")
    assert "others (78)" in headline
    assert groups[0] == "  plant_14: sank (15)"
    assert len(groups) == 11
    assert groups[-1] == "  and 5 more kinds of failure, of 15 requests"


def test_requests_that_were_never_sent_are_not_counted_as_sent() -> None:
    first = failed("plant_a", "plant_a did not answer: no answer within 30 s", name="first")
    rest = [failed("plant_a", first.error.message, name=f"n{n}", attempts=0) for n in range(9)]
    assert told([first, *rest], 1) == [
        "partial result: 1 of 1 request failed: no whole answer from plant_a (1); 9 given up: no "
        "whole answer from plant_a (9); they are rows of the table _errors",
        "  plant_a: did not answer: no answer within 30 s (10)",
    ]


def test_an_answer_of_the_wrong_shape_is_not_called_by_its_status() -> None:
    odd = UnexpectedShape("found HTML", status=200, attempts=1)
    lines = told([FailedFetch(Fetch("plant_a", TABLE, METHOD, {}), odd, 0.0)], 1)
    assert "failed: no usable answer from plant_a (1); " in lines[0]


def test_a_request_that_serves_many_rows_failed_once() -> None:
    same = [failed("plant_a", "plant_a answered 500", 500)] * 7
    assert told(same, 3)[0].startswith("partial result: 1 of 3 requests failed")


@settings(max_examples=examples(50))
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.text(max_size=5), st.none() | st.integers(400, 599)),
        min_size=1,
        max_size=30,
    )
)
def test_the_groups_add_up_to_what_failed(which: list[tuple[str, str, int | None]]) -> None:
    failures = [
        failed(connection, f"went {len(message)}", status, name=str(n))
        for n, (connection, message, status) in enumerate(which)
    ]
    headline, *groups = told(failures, len(failures))
    assert headline.startswith(f"partial result: {len(failures)} of {len(failures)} request")
    assert sum(_count(line) for line in groups) == len(failures)


def _count(line: str) -> int:
    """How many requests a line of the listing stands for."""
    if "more kinds" in line:
        return int(line.split()[-2].replace(",", ""))
    return int(line.rpartition(" (")[2].rstrip(")")) if line.endswith(")") else 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BindError(""), 1), (ConfigError(""), 2), (DefinitionError(()), 2), (FetchError(""), 3),
        (Interrupted(""), 3), (KeyboardInterrupt(), 130), (ConnstatError(""), 1),
    ],
)  # fmt: skip
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_nothing_in_a_message_steers_the_terminal() -> None:
    out = io.StringIO()
    error = ExecuteError(
        "Could not convert 'a\x1b]0;x\x07\u202e\x9b1m' to INT32",
        sql="SELECT '\x1b[2J'",
        span=Span(0, 6),
        hint="\x1b[31m",
    )
    narrator = Narrator(out, level=1, color=True)
    narrator.error(error)
    narrator.say("one\ntwo\tthree \x9b")
    told = out.getvalue().removeprefix("\x1b[1;31merror:\x1b[0m ")
    assert all(letter.isprintable() or letter in "\n\t" for letter in told), repr(told)
    assert r"'a\x1b]0;x\x07\u202e\x9b1m'" in told
    assert "one\ntwo\tthree" in told


def test_rows_are_told_of_statements_that_answer_with_rows() -> None:
    for has_rows, says in ((True, "1 row, 0 requests, 0 ms\n"), (False, "0 requests, 0 ms\n")):
        stream = io.StringIO()
        Narrator(stream, level=1).result(Result(pa.table({"Count": [7]}), has_rows))
        assert stream.getvalue() == says


# the log


@pytest.mark.parametrize(("debug", "seen"), [(False, ["info: b", "warning: c"]), (True, None)])
def test_the_log_is_told_from_its_level_on(debug: bool, seen: list[str] | None) -> None:
    lines: list[str] = []
    log = logging.getLogger("connstat_sql.somewhere")
    with told_logs(lines.append, debug=debug):
        log.debug("a")
        log.info("%s", "b")
        log.warning("c")
    log.error("after")
    assert lines == (seen or ["debug: a", "info: b", "warning: c"])


def test_a_thousand_requests_that_meet_the_same_fault_are_a_few_lines() -> None:
    lines: list[str] = []
    log = logging.getLogger("connstat_sql.transport.client")
    with told_logs(lines.append, fold=True):
        for n in range(1500):
            log.info("%s: try %d in %.1f s", "plant_a is down", 2, n)
        log.info("%s: try %d in %.1f s", "plant_b is down", 2, 1)
        for _ in range(7):
            logging.getLogger("connstat_sql.telemetry").info("a scan")
    assert lines[3:9] == [
        "info: plant_a is down: try 2 in 3.0 s",
        "info: plant_a is down: try 2 in 4.0 s",
        "info: plant_a is down: try 2 in 9.0 s (so far 10 like it)",
        "info: plant_a is down: try 2 in 99.0 s (so far 100 like it)",
        "info: plant_a is down: try 2 in 999.0 s (so far 1,000 like it)",
        "info: plant_b is down: try 2 in 1.0 s",
    ]
    assert lines[9:] == ["info: a scan"] * 7


def test_nothing_is_left_behind_in_the_log() -> None:
    log = logging.getLogger("connstat_sql")
    before = log.level, tuple(log.handlers)
    with pytest.raises(ConnstatError), told_logs(print, debug=True):
        raise ConnstatError("over")
    assert (log.level, tuple(log.handlers)) == before


def test_lines_of_several_threads_do_not_mix() -> None:
    stream = io.StringIO()
    narrator = Narrator(stream)
    lines = [str(n) * 50 for n in range(4)]

    def talk(line: str) -> None:
        for _ in range(50):
            narrator.say(line)

    threads = [threading.Thread(target=talk, args=(line,)) for line in lines]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(stream.getvalue().splitlines()) == sorted(lines * 50)


# Ctrl-C


class Runs:
    """Stands for an engine whose statements press Ctrl-C themselves."""

    def __init__(self, *statements: Callable[[Runs], int]) -> None:
        self._statements = statements
        self.interrupts = 0

    def interrupt(self) -> None:
        self.interrupts += 1

    def run(self) -> Iterator[int]:
        for statement in self._statements:
            yield statement(self)


def calm(_: Runs) -> int:
    return 7


def pressed(runs: Runs) -> int:
    """Ctrl-C while it runs, which the engine ends in good order."""
    signal.raise_signal(signal.SIGINT)
    assert runs.interrupts == 1
    raise Interrupted("interrupted")


def pressed_too_late(_: Runs) -> int:
    signal.raise_signal(signal.SIGINT)
    return 7


def pressed_twice(runs: Runs) -> int:
    signal.raise_signal(signal.SIGINT)
    assert runs.interrupts == 1
    signal.raise_signal(signal.SIGINT)
    raise AssertionError("the second one does not wait")


def ended(_: Runs) -> int:
    """Stopped for another reason."""
    raise Interrupted("the statement ran past its deadline")


def test_results_pass_and_ctrl_c_is_as_before() -> None:
    runs = Runs(calm, calm)
    assert list(each(runs.run(), runs)) == [7, 7]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("statement", [pressed, pressed_too_late, pressed_twice])
def test_ctrl_c_interrupts_the_engine_first_and_ends_as_ctrl_c(
    statement: Callable[[Runs], int],
) -> None:
    runs = Runs(statement, calm)
    with pytest.raises(KeyboardInterrupt):
        list(each(runs.run(), runs))
    assert runs.interrupts == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_between_the_statements_ctrl_c_is_pythons_own() -> None:
    runs = Runs(calm, calm)
    results = each(runs.run(), runs)
    assert next(results) == 7
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert runs.interrupts == 0


def test_what_stops_for_another_reason_is_no_ctrl_c() -> None:
    runs = Runs(ended)
    with pytest.raises(Interrupted):
        list(each(runs.run(), runs))


def test_in_another_thread_signals_are_left_alone() -> None:
    runs, found = Runs(calm), list[int]()
    thread = threading.Thread(target=lambda: found.extend(each(runs.run(), runs)))
    thread.start()
    thread.join()
    assert found == [7]


@pytest.mark.parametrize("statement", [calm, pressed, pressed_too_late])
def test_garbage_is_collected_again_after_ctrl_c(statement: Callable[[Runs], int]) -> None:
    runs = Runs(statement)
    with suppress(KeyboardInterrupt):
        list(each(runs.run(), runs))
    assert gc.isenabled()


def test_what_duckdb_makes_of_ctrl_c_while_it_writes_is_ctrl_c() -> None:
    stream = io.StringIO()
    with pytest.raises(click.exceptions.Exit) as ended_by, report_errors(Narrator(stream)):
        raise RuntimeError("Query interrupted")
    assert (ended_by.value.exit_code, stream.getvalue()) == (130, "interrupted\n")
    with pytest.raises(RuntimeError, match="ours"), report_errors(Narrator(stream)):
        raise RuntimeError("a mistake of ours")
