"""A full disk and few files: what can be done with them is done, and what cannot is said."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql.transport.sockets import Sockets
from connstat_sql.transport.wire import Backend, ExchangeLimits
from tests.fakes.wire_server import Script, asked, with_network

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="limits are set as POSIX has it")


@pytest.mark.parametrize(
    ("sockets", "connections"), [(None, 1), (Sockets(4, 1_000_000), 1), (Sockets(4, 0), 3)]
)
def test_no_socket_is_kept_idle_beyond_what_is_affordable(
    sockets: Sockets | None, connections: int
) -> None:
    server = Script()

    async def use(wire: Backend, base: str) -> None:
        for _ in range(3):
            await wire.send(asked(base), {})
            await asyncio.sleep(0)

    with_network(server, use, exchange_limits=ExchangeLimits(9, 9, 1000, sockets=sockets))
    assert server.count == connections


def test_what_is_free_is_shared_out_and_never_nothing() -> None:
    for most in range(70):
        sockets = Sockets.of(most, 20)
        assert 1 <= sockets.at_once <= max(1, most - 20)
        assert sockets.at_once + sockets.last_kept < max(most, 22)


_SERVERS = """
import asyncio
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n[\\"a\\"]")
    except Exception:
        writer.close()
async def main():
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(100)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
_FEW = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
sys.argv = ["connstat", *sys.argv[1:]]
runpy.run_module("connstat_sql", run_name="__main__")
"""


@pytest.mark.long
def test_a_thousand_connections_are_asked_by_a_process_with_few_files(tmp_path: Path) -> None:
    config = tmp_path / "connstat.toml"
    with subprocess.Popen([sys.executable, "-c", _SERVERS], stdout=subprocess.PIPE) as servers:
        assert servers.stdout is not None
        ports = servers.stdout.readline().decode().split()
        tables = (
            f'[connections.c{number}]\nprovider = "kafka_connect"\n'
            f'base_url = "http://127.0.0.1:{ports[number % 100]}"\n'
            for number in range(1000)
        )
        config.write_text("".join(tables))
        sql = "SELECT count(*) AS n FROM kafka_connect.connect.connectors"
        words = ["--config", str(config), "query", "--max-requests", "3000", "-F", "csv", sql]
        answer = subprocess.run(
            [sys.executable, "-c", _FEW, *words], capture_output=True, text=True, check=False
        )
        servers.kill()
    assert (answer.stdout, answer.returncode) == ("n\n1000\n", 0), answer.stderr


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, on which nothing more can be written."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a disk is mounted by root alone")
    try:
        (folder / "filled").write_bytes(bytes(16384))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.long
def test_a_full_disk_for_temporary_files_costs_nothing_but_what_has_to_be_there(
    full_disk: Path,
) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        environment = {
            **os.environ, "TMPDIR": str(full_disk), "KAFKA_CONNECT_URL": "http://127.0.0.1:1",
        }  # fmt: skip
        command = [sys.executable, "-m", "connstat_sql", "query", *words]
        return subprocess.run(command, capture_output=True, env=environment, check=False)

    assert run("-F", "csv", "SELECT 1 AS a").stdout == b"a\n1\n"
    assert run("-F", "parquet", "SELECT 1 AS a").stdout[:4] == b"PAR1"
    live = "SELECT count(*) > 5 AS a FROM duckdb_views() WHERE database_name = 'kafka_connect'"
    assert run("-F", "csv", live).stdout == b"a\ntrue\n"
    written = run("-o", str(full_disk / "rows.csv"), "FROM range(30000)")
    assert written.returncode == 2
    assert b"No space left on device" in written.stderr
    assert [path.name for path in full_disk.iterdir()] == ["filled"]
