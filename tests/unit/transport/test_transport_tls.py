"""TLS as a connection says it: whose certificate is believed, and which one is shown."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from connstat_sql.errors import ConfigError, ConnectionFailed
from tests.conftest import FakeClock, engine_of

WORKER = b'{"version": "4.3.0", "commit": "c", "kafka_cluster_id": "k"}'
SQL = "SELECT version FROM plant.connect.worker"


class Worker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(WORKER)))
        self.end_headers()
        self.wfile.write(WORKER)

    def log_message(self, *_: object) -> None:
        return


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        return

    def finish_request(self, request: Any, address: Any) -> None:
        """Shake hands on the request's own thread; a refused client is nobody's error."""
        try:
            request.do_handshake()
            super().finish_request(request, address)
        except OSError:
            return


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[str]:
    server: HTTPServer = Server(("127.0.0.1", 0), Worker)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client = authority.issue_cert("client@plant.test")
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client.key")
    return folder


def context_of(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def versions(url: str, **more: Any) -> list[dict[str, Any]]:
    clock = FakeClock()
    table = {"provider": "kafka_connect", "base_url": url, **more}
    with engine_of({"plant": table}, clock=clock) as engine:
        (result,) = engine.run(SQL)
        return list(result.table.to_pylist())


def test_an_unknown_authority_is_refused_at_once_and_named_tls(authority: trustme.CA) -> None:
    with (
        serving(context_of(authority)) as url,
        pytest.raises(ConnectionFailed, match="TLS: ") as caught,
    ):
        versions(url)
    assert caught.value.attempts == 1


def test_a_certificate_of_another_host_is_refused(authority: trustme.CA, files: Path) -> None:
    with (
        serving(context_of(authority, "other.test")) as url,
        pytest.raises(ConnectionFailed, match="TLS: "),
    ):
        versions(url, ca_file=str(files / "ca.pem"))


def test_the_authority_of_the_connection_is_believed(authority: trustme.CA, files: Path) -> None:
    with serving(context_of(authority)) as url:
        assert versions(url, ca_file=str(files / "ca.pem")) == [{"version": "4.3.0"}]


def test_verify_false_believes_anyone(authority: trustme.CA) -> None:
    with serving(context_of(authority)) as url:
        assert versions(url, verify=False) == [{"version": "4.3.0"}]


def test_a_client_certificate_is_shown(authority: trustme.CA, files: Path) -> None:
    context = context_of(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ca, cert, key = (str(files / name) for name in ("ca.pem", "client.pem", "client.key"))
    with serving(context) as url:
        shown = versions(url, ca_file=ca, client_cert=cert, client_key=key)
        assert shown == [{"version": "4.3.0"}]
        with pytest.raises(ConnectionFailed):
            versions(url, ca_file=ca)


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_a_file_that_holds_no_certificate_is_a_configuration_error(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / "x.pem"
    file.write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"connection plant: .*x\.pem cannot be used for TLS"):
        versions("https://127.0.0.1:1", **{name: str(file)})
