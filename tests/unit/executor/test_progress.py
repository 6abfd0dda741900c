"""The line of progress: on a terminal, after a while, in one line, and gone without a trace."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers, Fault, World
from connstat_sql.errors import ConfigError
from connstat_sql.executor.stats import Progress
from connstat_sql.output.progress import ERASE, ProgressLine, in_words, is_wanted
from connstat_sql.output.stderr import Narrator
from connstat_sql.transport import RetryNotice
from tests.conftest import engine_of
from tests.examples import examples

CONNECTORS = Progress("confluent.connect.connectors", 120, 400, 12_000, 2.1)
CLUSTERS = Progress("confluent.managed_kafka_clusters.clusters", 30, 40, 300)


class Terminal(io.StringIO):
    """A stream that says it is a terminal; `lines` are what someone would see on it."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What a screen shows: a carriage return and an erasure start a line anew."""
        return [line.rpartition(ERASE)[2] for line in self.getvalue().split("\n")]


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def narrator(terminal: Terminal, now: Now) -> Narrator:
    return Narrator(terminal, line=ProgressLine(terminal, now, lambda: 120))


def begin(narrator: Narrator, now: Now) -> None:
    """Half a second of work."""
    narrator.progress([CONNECTORS])
    now.time += 0.6


def test_work_that_ends_soon_shows_nothing(
    narrator: Narrator, terminal: Terminal, now: Now
) -> None:
    narrator.progress([CONNECTORS])
    now.time += 0.4
    narrator.progress([CONNECTORS])
    narrator.end_progress()
    assert terminal.getvalue() == ""


def test_one_line_is_rewritten_in_place(narrator: Narrator, terminal: Terminal, now: Now) -> None:
    begin(narrator, now)
    narrator.progress([CONNECTORS])
    assert terminal.lines() == [
        "1 s  confluent.connect.connectors 120 of 400 requests, 12,000 rows; "
        "waiting 3 s for a rate limit"
    ]
    now.time += 70
    narrator.progress([CONNECTORS])
    assert terminal.lines()[0].startswith("71 s  confluent")
    narrator.progress([CLUSTERS])
    assert terminal.lines() == [
        "71 s  confluent.managed_kafka_clusters.clusters 30 of 40 requests, 300 rows"
    ]


def test_what_has_not_changed_is_not_written_again(
    narrator: Narrator, terminal: Terminal, now: Now
) -> None:
    begin(narrator, now)
    for _ in range(10):
        narrator.progress([CONNECTORS])
    assert terminal.getvalue().count(ERASE) == 1


def test_it_is_gone_when_the_work_is_done(narrator: Narrator, terminal: Terminal, now: Now) -> None:
    begin(narrator, now)
    narrator.progress([CONNECTORS])
    narrator.end_progress()
    assert terminal.lines() == [""]
    assert "\n" not in terminal.getvalue()


def test_it_is_gone_before_anything_else_is_said(
    narrator: Narrator, terminal: Terminal, now: Now
) -> None:
    begin(narrator, now)
    narrator.progress([CONNECTORS])
    narrator.say("note")
    narrator.progress([CLUSTERS])
    narrator.error(ConfigError("wrong"))
    assert terminal.lines() == ["note", "error: wrong", ""]


def test_the_next_statement_has_half_a_second_of_its_own(
    narrator: Narrator, terminal: Terminal, now: Now
) -> None:
    begin(narrator, now)
    narrator.end_progress()
    narrator.progress([CONNECTORS])
    assert terminal.getvalue() == ""


def test_several_scans_are_a_total_and_the_one_furthest_behind() -> None:
    assert in_words([CLUSTERS, CONNECTORS], 200) == (
        "2 scans: 150 of 440 requests, 12,300 rows; "
        "furthest behind confluent.connect.connectors 120 of 400; waiting 3 s for a rate limit"
    )


def test_what_is_not_known_before_is_not_guessed() -> None:
    unknown = Progress("a.b.c", 1, None, 1)
    assert in_words([unknown], 200) == "a.b.c 1 request, 1 row"
    assert in_words([CONNECTORS, unknown], 200).startswith(
        "2 scans: 121 requests, 12,001 rows; furthest behind a.b.c 1 request"
    )


def test_a_narrow_terminal_shortens_the_name_first() -> None:
    assert in_words([CONNECTORS], 79) == (
        "connectors 120 of 400 requests, 12,000 rows; waiting 3 s for a rate limit"
    )
    assert in_words([CONNECTORS], 20) == "connectors 120 of..."


@settings(max_examples=examples(100))
@given(
    st.lists(
        st.builds(
            Progress,
            st.text(min_size=1),
            st.integers(0, 10**7),
            st.none() | st.integers(0, 10**7),
            st.integers(0, 10**12),
            st.floats(0, 1e5),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(-1, 200),
)
def test_whatever_there_is_to_say_fits_the_terminal(scans: list[Progress], width: int) -> None:
    words = in_words(scans, width)
    assert len(words) <= max(0, width)
    assert words.isascii()
    assert words.isprintable()


def test_it_is_for_terminals_that_can_rewrite_a_line(terminal: Terminal) -> None:
    assert is_wanted(terminal, {"TERM": "xterm"})
    assert not is_wanted(terminal, {"TERM": "dumb"})
    assert not is_wanted(io.StringIO(), {"TERM": "xterm"})


@pytest.mark.parametrize(
    ("options", "environment"),
    [({"progress": False}, {}), ({"level": -1}, {}), ({}, {"TERM": "dumb"})],
)
def test_nobody_is_shown_what_they_do_not_want(
    terminal: Terminal, now: Now, options: dict[str, int], environment: dict[str, str]
) -> None:
    narrator = Narrator.of_terminal(terminal, environment, now=now, **options)  # type: ignore[arg-type]
    begin(narrator, now)
    narrator.progress([CONNECTORS])
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("environment", "is_colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_have_them(
    terminal: Terminal, environment: dict[str, str], is_colored: bool
) -> None:
    Narrator.of_terminal(terminal, environment).error(ConfigError("it is broken"))
    assert ("\x1b[" in terminal.getvalue()) is is_colored


# in a terminal, with the command line


@pytest.fixture(scope="module")
def slow() -> Iterator[DemoServers]:
    with DemoServers(World.seeded(7), latency=0.2) as sandbox:
        yield sandbox


def config_of(sandbox: DemoServers, folder: Path) -> str:
    """A configuration with one connection, which is asked one thing at a time."""
    table = sandbox.connections["plant_a"]
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    config = folder / "connstat.toml"
    config.write_text("\n".join(["[connections.plant_a]", "max_concurrency = 1", *lines]))
    return str(config)


def on_terminal(sandbox: DemoServers, folder: Path, *options: str) -> tuple[str, str]:
    """What a query puts on a terminal, and what it puts on stdout, which is a pipe."""
    sql = (
        "SELECT count(c.topics) AS n FROM plant_a.connect.connector_topics AS c "
        "JOIN plant_a.connect.connectors AS k ON k.name = c.connector_name "
        "WHERE k.name NOT LIKE '%/%'"
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "connstat_sql", "--config", config_of(sandbox, folder)]
    before = [one for one in options if one != "--trace"]
    running = subprocess.Popen(
        [*command, *before, "query", "-F", "csv", *options[len(before):], sql],
        stdout=subprocess.PIPE, stderr=theirs, text=True, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    out, _ = running.communicate(timeout=60)
    os.close(ours)
    assert running.returncode == 0, shown.decode()
    return shown.decode(), out


@pytest.fixture(scope="module")
def terminals(
    slow: DemoServers, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, tuple[str, str]]:
    """What the query shows and answers, by its option; all of them run side by side."""
    options = ("", "--no-progress", "--trace")
    with ThreadPoolExecutor(len(options)) as pool:
        begun = {
            one: pool.submit(on_terminal, slow, tmp_path_factory.mktemp("at"), *one.split())
            for one in options
        }
    return {option: one.result() for option, one in begun.items()}


def test_a_terminal_sees_it_grow_and_nothing_stays(
    terminals: Mapping[str, tuple[str, str]],
) -> None:
    shown, out = terminals[""]
    assert out.startswith("n\n")
    told = shown.split(ERASE)
    assert told[0] == told[-1] == ""
    done = [int(found[1]) for one in told if (found := re.search(r"(\d+) of \d+ requests", one))]
    assert done == sorted(done)
    assert len(set(done)) > 1
    assert "\n" not in shown


@pytest.mark.parametrize("option", ["--no-progress", "--trace"])
def test_a_terminal_sees_none_when_asked_for_none(
    terminals: Mapping[str, tuple[str, str]], option: str
) -> None:
    shown, _ = terminals[option]
    assert ERASE not in shown
    assert ("GET " in shown) == (option == "--trace")


def test_ctrl_c_leaves_the_line_clean(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with DemoServers(World.seeded(7)) as sandbox:
        sandbox.inject(Fault(delay=60.0))
        running = subprocess.Popen(
            [
                sys.executable, "-m", "connstat_sql", "--config", config_of(sandbox, tmp_path),
                "query", "SELECT name FROM plant_a.connect.connectors",
            ],
            stdout=subprocess.PIPE, stderr=theirs, text=True, env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"0 of 1 request" not in shown:
            shown += os.read(ours, 65536)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
        shown += os.read(ours, 65536)
    os.close(ours)
    assert (running.returncode, out) == (130, "")
    assert shown.decode().rpartition(ERASE)[2] == "interrupted\r\n"


# --- waits ----------------------------------------------------------------------------------------

REBALANCE = {"error_code": 409, "message": "Cannot complete request because of a rebalance"}


def waits_of(answers: Iterator[httpx.Response], connections: int) -> list[RetryNotice]:
    """What is told of waits while a cluster answers so, on a clock that nobody waits for."""
    told: list[RetryNotice] = []
    wire = httpx.MockTransport(lambda _: next(answers, httpx.Response(200, json=[])))
    names = [f"plant_{number}" for number in range(connections)]
    tables = {name: {"provider": "kafka_connect", "base_url": f"http://{name}"} for name in names}
    with engine_of(tables, transport=wire, waiting=told.append) as engine:
        list(engine.run("SELECT name FROM kafka_connect.connect.connectors"))
    return told


def test_a_rebalance_that_lasts_is_told_once_for_each_request() -> None:
    busy = (httpx.Response(409, json=REBALANCE) for _ in range(12))
    told = waits_of(busy, 1)
    assert [one.connection for one in told] == ["plant_0"]
    assert "rebalance" in told[0].message


def test_a_wait_that_is_over_soon_is_not_told() -> None:
    assert not waits_of(iter([httpx.Response(503)]), 1)


@pytest.mark.parametrize("level", [-1, 0])
def test_a_wait_is_a_line_on_stderr_that_is_no_terminal_unless_quiet(level: int) -> None:
    stream = io.StringIO()
    narrator = Narrator(stream, level=level)
    for _ in range(3):
        narrator.waiting(RetryNotice("plant_a", "409 a rebalance"))
    narrator.waiting(RetryNotice("plant_b", "409 a rebalance"))
    lines = ["waiting for plant_a: 409 a rebalance", "waiting for plant_b: 409 a rebalance"]
    assert stream.getvalue().splitlines() == (lines if level == 0 else [])
