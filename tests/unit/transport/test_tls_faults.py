"""Servers with which no TLS comes about: an error with the next step, and no request is sent."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread

import httpx
import pytest
import trustme

from connstat_sql.errors import ConnectionFailed
from connstat_sql.transport import Client, Request
from tests.tabled import over
from tests.unit.transport.test_transport import get, with_client

Shake = Callable[[socket.socket], bytes]
"""What a server does with a connection: answers what it was sent of a request."""


class Authority:
    """Certificates of an authority, and the file by which it is believed."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.file = str(folder / "ca.pem")
        self.key = str(folder / "ca.key")
        self.ca.cert_pem.write_to_path(self.file)
        self.ca.private_key_pem.write_to_path(self.key)

    def context(self, name: str = "127.0.0.1", ends: int = 2100) -> ssl.SSLContext:
        """That of a server with a certificate for a host."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        until = datetime(ends, 1, 1, tzinfo=timezone.utc)
        self.ca.issue_cert(name, not_after=until).configure_cert(context)
        return context

    def self_signed(self) -> ssl.SSLContext:
        """That of a server with a certificate that nobody else has signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def old(self) -> ssl.SSLContext:
        """That of a server which speaks TLS 1.1 at most."""
        context = self.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def asking(self, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
        """That of a server which wants a certificate of its clients."""
        context = self.context()
        context.maximum_version = most
        context.verify_mode = ssl.CERT_REQUIRED
        self.ca.configure_trust(context)
        return context


def shaking(context: ssl.SSLContext) -> Shake:
    """Real TLS; a handshake that fails is ended as servers should, so that its alert arrives."""

    def shake(raw: socket.socket) -> bytes:
        with context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as tls:
            try:
                tls.do_handshake()
                return tls.recv(4096)
            except OSError:
                with suppress(OSError):
                    tls.shutdown(socket.SHUT_WR)
                    while tls.recv(4096):
                        pass
                return b""

    return shake


def alerting(number: int, hello_holds: bytes = b"") -> Shake:
    """A fatal alert (RFC 8446 §6) in answer to a hello that holds what is wanted."""

    def shake(raw: socket.socket) -> bytes:
        with raw:
            hello = raw.recv(4096)
            assert hello_holds in hello
            raw.sendall(bytes((21, 3, 3, 0, 2, 2, number)))
            raw.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                raw.recv(4096)
        return b""

    return shake


@contextmanager
def serving(shake: Shake) -> Iterator[tuple[str, list[bytes]]]:
    """Serve until the end: the URL, and what each connection sent of a request."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    raw, _ = listening.accept()
                    raw.settimeout(10)
                    received.append(shake(raw))

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}", received
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that the connection does not believe."""
    return Authority(tmp_path_factory.mktemp("other"))


def failed(shake: Shake, ca_file: str, **more: str) -> tuple[ConnectionFailed, list[bytes]]:
    """What becomes of a request with a body and a credential, and what reached the server."""
    with serving(shake) as (url, received):
        headers = {"X-Key": "k-5518-of-the-plant"}
        table = {
            "provider": "kafka_connect", "base_url": url, "headers": headers, "ca_file": ca_file,
            **more,
        }  # fmt: skip

        async def send(client: Client) -> None:
            await client.send(Request("p.s.t", "POST", f"{url}/x", body=b"b-7731"))

        with pytest.raises(ConnectionFailed) as caught:
            with_client(table, lambda _: httpx.Response(500), send, transport=None)
    return caught.value, received


UNKNOWN = "the certificate of 127.0.0.1 is signed by an authority that is not known here"
OLD = "the server speaks only versions of it that are too old"
NO_ALPN = "the server does not speak HTTP/1.1"
WANTED = "the server wants a certificate from us, or another one"
ENDED = "the server ended the handshake"
CASES: dict[str, tuple[Callable[[Authority, Authority], Shake], str, str]] = {
    "expired": (
        lambda ours, _: shaking(ours.context(ends=2021)),
        "the certificate of 127.0.0.1 has expired",
        "renew it on the server",
    ),
    "another host": (
        lambda ours, _: shaking(ours.context("plant.test")),
        "the certificate is not one of 127.0.0.1",
        "name the host in base_url",
    ),
    "unknown authority": (lambda _, other: shaking(other.context()), UNKNOWN, "set ca_file"),
    "self-signed": (lambda _, other: shaking(other.self_signed()), UNKNOWN, "set ca_file"),
    "no client certificate": (lambda ours, _: shaking(ours.asking()), WANTED, "set client_cert"),
    "no client certificate, TLS 1.2": (
        lambda ours, _: shaking(ours.asking(ssl.TLSVersion.TLSv1_2)),
        ENDED,
        "client_cert and client_key",
    ),
    "a client of an unknown authority": (lambda *_: alerting(48), WANTED, "set client_cert"),
    "a client that may not": (lambda *_: alerting(49), WANTED, "set client_cert"),
    "TLS 1.1 at most": (lambda *_: alerting(70), OLD, "switch on TLS 1.2"),
    "TLS 1.1 at most, spoken": (lambda ours, _: shaking(ours.old()), OLD, "switch on TLS 1.2"),
    "HTTP/2 alone": (lambda *_: alerting(120, b"\x08http/1.1"), NO_ALPN, "HTTP/2"),
    "another name": (
        lambda *_: alerting(112),
        "the server does not know the name 127.0.0.1",
        "check base_url",
    ),
}


@over("label", CASES)
def test_where_no_tls_comes_about_is_said_and_no_request_is_sent(
    authority: Authority, other: Authority, label: str
) -> None:
    shake, words, hint = CASES[label]
    error, received = failed(shake(authority, other), authority.file)
    assert error.message == f"one did not answer: TLS: {words}"
    assert hint in error.hint
    assert (error.attempts, error.is_worth_retrying, error.is_down) == (1, False, True)
    assert received == [b""]


def test_http_1_1_is_agreed_on_with_a_server_that_speaks_more(authority: Authority) -> None:
    agreed: list[str | None] = []
    context = authority.context()
    context.set_alpn_protocols(["h2", "http/1.1"])

    def answer(raw: socket.socket) -> bytes:
        with context.wrap_socket(raw, server_side=True) as tls:
            agreed.append(tls.selected_alpn_protocol())
            sent = tls.recv(4096)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
            return sent

    with serving(answer) as (url, received):
        table = {"provider": "kafka_connect", "base_url": url, "ca_file": authority.file}
        with_client(table, lambda _: httpx.Response(500), get, transport=None)
    assert agreed == ["http/1.1"]
    assert received[0].startswith(b"GET /x HTTP/1.1\r\n")


def test_a_certificate_of_ours_by_another_authority_is_refused(
    authority: Authority, other: Authority, tmp_path: Path
) -> None:
    ours = other.ca.issue_cert("client@plant.test")
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    ours.cert_chain_pems[0].write_to_path(cert)
    ours.private_key_pem.write_to_path(key)
    shake = shaking(authority.asking())
    error, received = failed(shake, authority.file, client_cert=str(cert), client_key=str(key))
    assert error.message == f"one did not answer: TLS: {WANTED}"
    assert received == [b""]


def test_the_name_is_sent_by_which_a_server_chooses_its_certificate(authority: Authority) -> None:
    names: list[str | None] = []
    context, right = authority.context("other.test"), authority.context("localhost")

    def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        names.append(name)
        tls.context = right

    context.sni_callback = choose
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
    with serving(answering(context, answer)) as (address, _):
        url = address.replace("127.0.0.1", "localhost")
        table = {"provider": "kafka_connect", "base_url": url, "ca_file": authority.file}

        async def send(client: Client) -> bytes:
            return (await client.send(Request("p.s.t", "GET", f"{url}/x"))).body

        assert with_client(table, lambda _: httpx.Response(500), send, transport=None) == b"[]"
    assert names == ["localhost"]


def answering(context: ssl.SSLContext, answer: bytes) -> Shake:
    """Answers whatever is asked, and closes the socket without a word of TLS."""

    def shake(raw: socket.socket) -> bytes:
        with context.wrap_socket(raw, server_side=True) as tls:
            sent = tls.recv(4096)
            tls.sendall(answer)
            return sent

    return shake


def frame(kind: int, content: bytes = b"", stream: int = 0) -> bytes:
    """A frame of HTTP/2 (RFC 9113 §4.1)."""
    return len(content).to_bytes(3, "big") + bytes((kind, 0)) + stream.to_bytes(4, "big") + content


HEAD = b"HTTP/1.1 200 OK\r\n"
NO_HTTP, CUT = "the answer is not HTTP", "the answer was cut short"
ENDS: dict[str, tuple[bytes, str]] = {
    "HTTP/2, SETTINGS and GOAWAY": (frame(4) + frame(7, bytes(8)), NO_HTTP),
    "HTTP/2, RST_STREAM": (frame(4) + frame(3, bytes(4), 1), NO_HTTP),
    "a body shorter than its length": (HEAD + b"Content-Length: 9\r\n\r\n[1, 2", CUT),
    "no last chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n", CUT),
    "no end of the head": (HEAD + b"Content-Le", "the connection was closed before the answer"),
}


@over("label", ENDS)
def test_an_answer_that_is_none_or_ends_midway_is_an_error(
    authority: Authority, label: str
) -> None:
    answer, words = ENDS[label]
    error, received = failed(answering(authority.context(), answer), authority.file)
    assert error.message == f"one did not answer: {words}"
    assert all(sent.startswith(b"POST /x HTTP/1.1\r\n") for sent in received)
