"""Faults over real sockets: each is an error in words, with a next step, and nothing stays open."""

import asyncio
import gc
import gzip
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme

from connstat_sql.errors import UnexpectedShape
from connstat_sql.transport.aiohttp_backend import LONGEST_HEADER, MOST_HEADERS
from connstat_sql.transport.errors import DOCTOR, WireFailure, explain, wire_errors
from connstat_sql.transport.wire import Backend, ExchangeLimits
from tests.fakes.wire_server import OK, Behave, Script, asked, with_network

BRIEF = ExchangeLimits(timeout=0.2, connect_timeout=10, max_body=1000)
BEGUN = ExchangeLimits(timeout=0.6, connect_timeout=10, max_body=1000)  # a head comes in that time
NO_HANDSHAKE = ExchangeLimits(timeout=10, connect_timeout=0.1, max_body=1000)
LONG = ExchangeLimits(timeout=30, connect_timeout=10, max_body=1_000_000)


def failure(behave: Behave, *, exchange_limits: ExchangeLimits = LONG, **more: Any) -> WireFailure:
    """What is said of an exchange that has no whole answer."""

    async def use(wire: Backend, base: str) -> WireFailure:
        with pytest.raises(wire_errors(is_handed_in=True)) as caught:
            await wire.send(asked(f"{base}/x"), {})
        return explain(caught.value, "127.0.0.1", exchange_limits.timeout)

    return with_network(behave, use, exchange_limits=exchange_limits, **more)


def saying(answer: bytes) -> Script:
    return Script(answer, close=True)


# no answer


def test_nobody_there_was_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        port = taken.getsockname()[1]
        fault = failure(Script(), base=f"http://127.0.0.1:{port}")
    assert fault == WireFailure(
        "the connection was refused", "check base_url of the connection", True, True
    )


def test_a_host_that_closes_without_a_word_says_so_and_is_not_down() -> None:
    fault = failure(saying(b""))
    assert fault == WireFailure("the connection was closed before the answer", DOCTOR, True, False)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request, then break the connection."""
    await reader.readuntil(b"\r\n\r\n")
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, for no time: a reset and no goodbye
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def test_a_reset_is_worth_another_try_and_the_host_is_not_down() -> None:
    fault = failure(reset)
    assert (fault.is_worth_retrying, fault.is_down) == (True, False)
    assert "reset" in fault.words.lower()


def test_what_a_kept_connection_loses_is_not_sent_again_unseen() -> None:
    """Unless told, aiohttp would, and nobody counts it: what may have arrived is ours to repeat."""
    heads = []

    async def lose_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (OK, b""):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)

    async def use(wire: Backend, base: str) -> WireFailure:
        await wire.send(asked(f"{base}/x"), {})
        with pytest.raises(wire_errors(is_handed_in=True)) as caught:
            await wire.send(asked(f"{base}/x"), {})
        return explain(caught.value, "127.0.0.1", 30)

    found = with_network(lose_the_second, use)
    assert (found.words, len(heads)) == ("the connection was closed before the answer", 2)


# answers that are none


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 9\r\n\r\n[1, 2, 3]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1, \r\n2\r\n2]\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_an_answer_cut_at_any_byte_is_worth_another_try(whole: bytes) -> None:
    async def use(wire: Backend, base: str) -> None:
        for server.answer in (whole[:end] for end in range(len(whole))):
            with pytest.raises(wire_errors(is_handed_in=True)) as caught:
                await wire.send(asked(f"{base}/x"), {})
            fault = explain(caught.value, "127.0.0.1", 30)
            assert fault.words in (
                "the connection was closed before the answer",
                "the answer was cut short",
            ), server.answer
            assert (fault.is_worth_retrying, fault.is_down) == (True, False)
        server.answer = whole
        assert (await wire.send(asked(f"{base}/x"), {})).status == 200

    server = saying(whole)
    with_network(server, use)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n", b"hello\r\n\r\n", b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[]",
        b"<html><body>It works</body></html>",
        b"\x15\x03\x03\x00\x02\x02\x46",
    ],
)  # fmt: skip
def test_what_is_not_http_is_said_without_repeating_it(answer: bytes) -> None:
    fault = failure(saying(answer))
    assert fault.words == "the answer is not HTTP"
    assert (fault.is_worth_retrying, fault.is_down) == (True, False)


@pytest.mark.parametrize(
    "body", [b"zz\r\n[]\r\n0\r\n\r\n", b"2\r\n[]xx0\r\n\r\n", b"-2\r\n[]\r\n0\r\n\r\n"]
)
def test_chunks_that_are_garbage_cut_the_answer_short(body: bytes) -> None:
    fault = failure(saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    assert fault.words in ("the answer was cut short", "the answer is not HTTP")
    assert (fault.is_worth_retrying, fault.is_down) == (True, False)


def test_a_length_and_chunks_at_once_are_not_believed() -> None:
    fault = failure(
        saying(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n[]\r\n0\r\n\r\n"
        )
    )
    assert fault.words == "the answer is not HTTP"


@pytest.mark.parametrize(
    "header",
    [
        b"X-Long: " + b"x" * (LONGEST_HEADER + 1),
        b"x" * (LONGEST_HEADER + 1) + b": 1",
        b"\r\n".join(b"X-%d: 1" % number for number in range(MOST_HEADERS + 1)),
    ],
    ids=["value", "name", "many"],
)
def test_headers_beyond_their_limits_are_an_error_that_another_try_would_not_mend(
    header: bytes,
) -> None:
    fault = failure(saying(b"HTTP/1.1 200 OK\r\n" + header + b"\r\nContent-Length: 0\r\n\r\n"))
    assert fault.words == "the answer's headers are too long or too many"
    assert not fault.is_worth_retrying


def test_as_many_headers_as_allowed_are_read() -> None:
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(MOST_HEADERS - 1))
    answer = b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n[]"
    reply = with_network(Script(answer), lambda wire, base: wire.send(asked(base), {}))
    assert len(reply.headers) == MOST_HEADERS


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"not packed", "the answer is not packed as it says"),
        (gzip.compress(b"[1, 2, 3]", mtime=0)[:-3], "the answer was cut short"),
    ],
)
def test_a_body_that_does_not_unpack_is_worth_another_try(body: bytes, says: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert failure(saying(head + body)) == WireFailure(says, DOCTOR, True, False)


# sizes


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body without end, written as long as anybody reads."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        while True:
            writer.write(b" " * 65536)
            await writer.drain()
    except ConnectionError:
        return


def test_an_endless_answer_is_left_at_the_limit() -> None:
    async def use(wire: Backend, base: str) -> None:
        with pytest.raises(UnexpectedShape, match="larger than the limit of 1,000,000 bytes"):
            await wire.send(asked(f"{base}/x"), {})

    with_network(endless, use)


def test_a_declared_length_above_the_limit_is_refused_and_its_connection_closed() -> None:
    closed = asyncio.Event()

    async def promising(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n")
        assert await reader.read() == b""
        closed.set()

    async def use(wire: Backend, base: str) -> None:
        with pytest.raises(UnexpectedShape, match="larger than the limit"):
            await wire.send(asked(f"{base}/x"), {})
        await asyncio.wait_for(closed.wait(), 10)

    with_network(promising, use)


# time


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Listen to the end, and say nothing."""
    await reader.read()


def stalling(begun: bytes) -> Behave:
    """Say a little, and then nothing more."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begun)
        await reader.read()

    return behave


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-"])
def test_a_slow_head_is_no_answer_and_the_host_is_down(begun: bytes) -> None:
    fault = failure(stalling(begun), exchange_limits=BRIEF)
    assert fault == WireFailure("no answer within 0.2 s", DOCTOR, False, True)


def test_a_slow_body_is_no_whole_answer_and_the_host_is_not_down() -> None:
    fault = failure(stalling(OK[:-1]), exchange_limits=BEGUN)
    assert fault == WireFailure("no whole answer within 0.6 s", DOCTOR, False, False)


def test_a_handshake_that_does_not_come_is_no_connection() -> None:
    fault = failure(silent, exchange_limits=NO_HANDSHAKE, base="https://127.0.0.1:{port}")
    assert fault == WireFailure("no connection within 0.1 s", DOCTOR, False, True)


# what stays open


def in_flight(
    then: Callable[[Backend, "asyncio.Task[Any]"], Awaitable[None]], begun: bytes
) -> list[str]:
    """What the server sees after a request that is under way and `then` happens to."""
    events: list[str] = []

    async def main(wire: Backend, base: str) -> None:
        task = asyncio.ensure_future(wire.send(asked(f"{base}/x"), {}))
        await asyncio.wait_for(asked_for.wait(), 10)
        await then(wire, task)
        await asyncio.wait_for(over.wait(), 10)
        with pytest.raises((asyncio.CancelledError, *wire_errors(is_handed_in=True))):
            await task

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begun)
        await writer.drain()
        asked_for.set()
        try:
            events.append(repr(await reader.read()))
        except ConnectionError:
            events.append("reset")
        over.set()

    asked_for, over = asyncio.Event(), asyncio.Event()
    with_network(behave, main)
    gc.collect()
    return events


async def cancel(_wire: Backend, task: "asyncio.Task[Any]") -> None:
    task.cancel()


async def close(wire: Backend, _task: "asyncio.Task[Any]") -> None:
    await wire.close()


@pytest.mark.parametrize("begun", [b"", OK[:20], OK[:-1]], ids=["asked", "head", "body"])
@pytest.mark.parametrize("then", [cancel, close])
def test_a_cancelled_exchange_and_a_closed_wire_let_go_of_their_socket(
    then: Callable[[Backend, "asyncio.Task[Any]"], Awaitable[None]], begun: bytes
) -> None:
    assert in_flight(then, begun) in (["b''"], ["reset"])


def test_500_exchanges_are_cancelled_at_once_and_the_wire_goes_on() -> None:
    begun, ended = 0, 0
    all_begun, all_ended = asyncio.Event(), asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal begun, ended
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/y " in head:
            writer.write(OK)
            return
        begun += 1
        if begun == 500:
            all_begun.set()
        assert await reader.read() == b""
        ended += 1
        if ended == 500:
            all_ended.set()

    async def use(wire: Backend, base: str) -> int:
        tasks = [asyncio.ensure_future(wire.send(asked(f"{base}/x"), {})) for _ in range(500)]
        await asyncio.wait_for(all_begun.wait(), 20)
        for task in tasks:
            task.cancel()
        await asyncio.wait_for(all_ended.wait(), 20)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        return (await wire.send(asked(f"{base}/y"), {})).status

    assert with_network(behave, use) == 200


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def tls_of(authority: trustme.CA, name: str = "127.0.0.1", **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **more).configure_cert(context)
    return context


def test_an_authority_that_is_not_known_is_named_with_the_setting_for_it(
    authority: trustme.CA,
) -> None:
    fault = failure(Script(), tls=tls_of(authority))
    said = "TLS: the certificate of 127.0.0.1 is signed by an authority that is not known here"
    assert (fault.words, fault.is_worth_retrying, fault.is_down) == (said, False, True)
    assert "ca_file" in fault.hint


def test_a_certificate_past_its_time_says_so(authority: trustme.CA, ca_file: str) -> None:
    tls = tls_of(authority, not_after=datetime(2020, 1, 1, tzinfo=timezone.utc))
    fault = failure(Script(), tls=tls, ca_file=ca_file)
    assert fault.words == "TLS: the certificate of 127.0.0.1 has expired"
    assert (fault.is_worth_retrying, fault.is_down) == (False, True)


@pytest.mark.parametrize("name", ["other.test", "127.0.0.2"])
def test_a_certificate_of_another_host_says_so(
    authority: trustme.CA, ca_file: str, name: str
) -> None:
    fault = failure(Script(), tls=tls_of(authority, name), ca_file=ca_file)
    assert fault.words == "TLS: the certificate is not one of 127.0.0.1"
    assert not fault.is_worth_retrying


def test_a_server_without_tls_behind_an_https_url_says_so() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    fault = failure(plain, base="https://127.0.0.1:{port}")
    assert fault.words == "TLS: the server does not speak it"
    assert (fault.hint, fault.is_down) == ("does base_url of the connection want http?", True)


def test_a_server_with_tls_behind_an_http_url_is_an_error(authority: trustme.CA) -> None:
    fault = failure(Script(), tls=tls_of(authority), base="http://127.0.0.1:{port}")
    assert fault.words in ("the answer is not HTTP", "the connection was closed before the answer")


def test_a_wire_over_tls_leaves_nothing_open(authority: trustme.CA, ca_file: str) -> None:
    server = Script()

    async def use(wire: Backend, base: str) -> int:
        replies = [wire.send(asked(f"{base}/x"), {}) for _ in range(5)]
        return sum(reply.status == 200 for reply in await asyncio.gather(*replies))

    assert with_network(server, use, tls=tls_of(authority), ca_file=ca_file) == 5
    gc.collect()
