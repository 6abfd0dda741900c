"""The table of faults: hosts that are not there, are not who they say, or go away in the middle."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import trustme

from connstat_sql import ConnectionFailed
from connstat_sql.demo import DemoServers, World
from tests.chaos import ChaosSandbox, chaos_of
from tests.fault_table import live, rows_of

VERSION = "SELECT version FROM kafka_connect.connect.worker"


def worker(url: str, **more: Any) -> dict[str, Mapping[str, Any]]:
    return {"plant": {"provider": "kafka_connect", "base_url": url, **more}}


class Listener:
    """A port that takes connections, counts them, and does one thing with each."""

    def __init__(self, greeting: bytes = b"", context: ssl.SSLContext | None = None) -> None:
        self._greeting = greeting
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._open: list[socket.socket] = []
        self.count = 0
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._listening.getsockname()
        return f"{host}:{port}"

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            self.count += 1
            self._open.append(taken)
            self._greet(taken)

    def _greet(self, taken: socket.socket) -> None:
        if self._context is not None:
            try:
                self._open.append(self._context.wrap_socket(taken, server_side=True))
            except OSError:
                taken.close()
        elif self._greeting:
            taken.sendall(self._greeting)
            taken.close()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for each in self._open:
            each.close()


@contextmanager
def listening(greeting: bytes = b"", context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    listener = Listener(greeting, context)
    try:
        yield listener
    finally:
        listener.close()


def said(url: str, **more: Any) -> ConnectionFailed:
    timeout = more.pop("timeout", 5.0)
    with live(worker(url, **more), timeout=timeout) as database:
        with pytest.raises(ConnectionFailed) as caught:
            database.sql(VERSION)
        assert caught.value.hint
        assert (caught.value.connection, caught.value.status) == ("plant", None)
        return caught.value


# nobody there


def test_a_refused_port_is_tried_four_times_and_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = said(f"http://127.0.0.1:{port}")
    assert "the connection was refused" in error.message
    assert error.attempts == 4


def test_a_name_that_nobody_knows_is_said() -> None:
    error = said("http://connect.plant.invalid:8083")
    assert "connect.plant.invalid is not known" in error.message


def test_a_host_that_takes_connections_and_says_nothing_is_said_after_the_time_out() -> None:
    with listening() as silent:
        error = said(f"http://{silent.address}", timeout=0.3)
    assert "no answer within 0.3 s" in error.message
    assert silent.count == error.attempts


def test_something_that_does_not_speak_http_is_said() -> None:
    with listening(b"220 mail.test ESMTP\r\n") as mail:
        error = said(f"http://{mail.address}")
    assert "the answer is not HTTP" in error.message


# not who it says


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def shown(authority: trustme.CA, name: str, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **more).configure_cert(context)
    return context


EXPIRED = {"not_after": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)}


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [("127.0.0.1", EXPIRED, "has expired"), ("other.test", {}, "is not one of 127.0.0.1")],
    ids=["expired", "of another host"],
)
def test_a_certificate_that_is_not_right_is_said_at_once(
    authority: trustme.CA, tmp_path: Any, name: str, more: dict[str, Any], says: str
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with listening(context=shown(authority, name, **more)) as server:
        error = said(f"https://{server.address}", ca_file=str(tmp_path / "ca.pem"))
    assert error.message.startswith("plant did not answer: TLS: ")
    assert says in error.message
    assert (error.attempts, server.count) == (1, 1)


def test_a_certificate_of_an_unknown_authority_is_said_at_once(authority: trustme.CA) -> None:
    with listening(context=shown(authority, "127.0.0.1")) as server:
        error = said(f"https://{server.address}")
    assert error.message.startswith("plant did not answer: TLS: ")
    assert (error.attempts, server.count) == (1, 1)


def test_plain_text_where_tls_is_expected_is_said(sandbox: DemoServers) -> None:
    url = sandbox.connections["plant_a"]["base_url"]
    error = said(str(url).replace("http:", "https:"))
    assert error.message.startswith("plant did not answer: TLS: ")


def test_tls_where_plain_text_is_expected_is_said(authority: trustme.CA) -> None:
    with listening(context=shown(authority, "127.0.0.1")) as server:
        said(f"http://{server.address}")


# one of many


MANY = ", ".join(f"'connector-{number}'" for number in range(40))
OFFSETS = f"SELECT offsets FROM plant.connect.connector_offsets WHERE connector_name IN ({MANY})"


def test_a_silent_host_costs_its_time_out_once_and_not_once_a_request() -> None:
    with listening() as silent:
        told = worker(f"http://{silent.address}", max_concurrency=8)
        with live(told, timeout=0.2) as database:
            result = database.sql(OFFSETS, partial=True)
            failures = database.sql("SELECT count(*), any_value(message) FROM _errors").fetchall()
    assert len(result.errors) == 40
    assert failures == [(40, "plant did not answer: no answer within 0.2 s")]
    assert silent.count <= 8


def test_of_several_connections_the_one_that_is_down_costs_only_its_rows(
    sandbox: DemoServers,
) -> None:
    with listening() as silent:
        brief = worker(f"http://{silent.address}", timeout=0.2)
        told = {**brief, "plant_a": sandbox.connections["plant_a"]}
        with live({"plant_a": told["plant_a"]}) as alone:
            expected = alone.sql(
                "SELECT name FROM plant_a.connect.connectors ORDER BY 1"
            ).fetchall()
        with live(told) as database:
            sql = "SELECT name FROM kafka_connect.connect.connectors ORDER BY 1"
            result = database.sql(sql, partial=True)
            assert result.fetchall() == expected
            assert not result.complete
            errors = database.sql('SELECT connection, "table", status FROM _errors').fetchall()
            assert errors == [("plant", "kafka_connect.connect.connectors", None)]
            with pytest.raises(ConnectionFailed):
                database.sql(sql)


def test_each_failing_fetch_is_a_row_of_errors_and_the_good_rows_are_kept(
    sandbox: DemoServers,
) -> None:
    sql = """SELECT status, number, name FROM chaos.faults.status
        WHERE status IN (400, 403, 429, 500) AND times IN (0, 1000) ORDER BY ALL"""
    with live({"chaos": chaos_of(sandbox)}) as database:
        result = database.sql(sql, partial=True)
        assert result.fetchall() == [
            (status, *one) for status in (400, 403, 429, 500) for one in rows_of(3)
        ]
        errors = database.sql(
            """SELECT connection, "table", status, attempts, CAST(arguments['status'] AS INT),
                arguments['times'], split_part(message, ' this', 1),
                url LIKE 'http%', "at" IS NOT NULL
            FROM _errors ORDER BY status"""
        ).fetchall()
    assert errors == [
        ("chaos", "chaos.faults.status", status, tries, status, "1000",
         f"chaos answered {status}:", True, True)
        for status, tries in ((400, 1), (403, 1), (429, 4), (500, 4))
    ]  # fmt: skip


# gone and back


@pytest.fixture
def restarting() -> Iterator[DemoServers]:
    with ChaosSandbox(World.seeded(7)) as running:
        yield running


FAN_OUT = f"""SELECT milliseconds, number, name FROM chaos.faults.slow
    WHERE milliseconds IN ({", ".join(map(str, range(60)))}) ORDER BY ALL"""


@contextmanager
def restarted(sandbox: DemoServers, after: int) -> Iterator[None]:
    """The server stops when so many requests have arrived, and starts again on its port."""
    is_over = threading.Event()

    def restart() -> None:
        while sandbox.count() < after:
            if is_over.wait(0.001):
                return
        sandbox.close()
        sandbox.start()

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("partial", [False, True])
def test_a_restart_in_the_middle_of_a_fan_out_is_survived_or_said(
    restarting: DemoServers, partial: bool
) -> None:
    every = [(value, *one) for value in range(60) for one in rows_of(3)]
    found: list[Any] = []
    lost = set(range(60))
    with live({"chaos": chaos_of(restarting)}) as database:
        with restarted(restarting, after=20), suppress(ConnectionFailed):
            result = database.sql(FAN_OUT, partial=partial)
            lost = {int(one.fetch.arguments["milliseconds"]) for one in result.errors}
            found = result.fetchall()
        assert found == [one for one in every if one[0] not in lost]
        assert database.sql(FAN_OUT).fetchall() == every


def test_kept_connections_that_a_restart_has_closed_cost_no_rows(restarting: DemoServers) -> None:
    sql = "SELECT number, name FROM chaos.pages.tokens WHERE total = 25 AND size = 1 ORDER BY ALL"
    with live({"chaos": chaos_of(restarting)}) as database:
        for _ in range(3):
            assert database.sql(sql).fetchall() == rows_of(25)
            restarting.close()
            restarting.start()


def test_a_server_that_closes_its_connections_at_will_costs_no_rows(sandbox: DemoServers) -> None:
    sql = """SELECT number, name FROM chaos.faults.cut
        WHERE total = 25 AND size = 1 AND bytes = 0 AND times = 1 ORDER BY ALL"""
    with live({"chaos": chaos_of(sandbox)}) as database:
        assert database.sql(sql).fetchall() == rows_of(25)
    assert sandbox.count() == 50
