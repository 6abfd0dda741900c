"""All answers under way hold no more than there is room for, and each of them gets to its end."""

from __future__ import annotations

import asyncio
import importlib
import random
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.errors import ConfigError, UnexpectedShape
from connstat_sql.transport import read_config
from connstat_sql.transport.memory_budget import DEFAULT, MemoryBudget
from connstat_sql.transport.process_limits import ProcessLimits
from connstat_sql.transport.wire import ExchangeLimits, read_whole

MEGABYTE = 1 << 20


class Watched(MemoryBudget):
    """A room that remembers how full it has been."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.sizes: dict[object, int] = {}
        self.fullest = 0

    async def take(self, share: Any, size: int) -> None:
        await super().take(share, size)
        self.sizes[share] = share.size
        self.fullest = max(self.fullest, sum(self.sizes.values()))

    def give_back(self, share: Any) -> None:
        self.sizes.pop(share, None)
        super().give_back(share)


async def _pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield bytes(size)


def read_many(room: MemoryBudget, answers: list[tuple[int, int]]) -> int:
    """Read answers of so many pieces of so many bytes at the same time: bytes that came."""

    async def read_all() -> list[bytes]:
        exchange_limits = ExchangeLimits(9, 9, room.longest, room)
        return await asyncio.gather(
            *(read_whole(200, {}, _pieces(*answer), exchange_limits) for answer in answers)
        )

    return sum(map(len, asyncio.run(read_all())))


@pytest.mark.parametrize("seed", range(4))
def test_many_answers_on_many_loops_all_come_and_never_hold_more(seed: int) -> None:
    source, room = random.Random(seed), Watched(10_000)
    loops = [[(source.randint(1, 10), source.randint(1, 500)) for _ in range(40)] for _ in range(3)]
    came: list[int] = []
    threads = [
        threading.Thread(target=lambda own=own: came.append(read_many(room, own)), daemon=True)
        for own in loops
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(came) == sum(count * size for own in loops for count, size in own)
    assert 5000 < room.fullest <= 10_000
    assert room.sizes == {}


def test_whoever_breaks_off_gives_back_what_it_had() -> None:
    room = MemoryBudget(1000)
    for _ in range(5):
        with pytest.raises(UnexpectedShape, match="larger than the limit of 500 bytes") as caught:
            read_many(room, [(10, 100)])
        assert "answer_memory" in caught.value.hint
    assert read_many(room, [(5, 100)] * 9) == 4500


def test_one_that_is_cancelled_while_it_waits_holds_up_nobody() -> None:
    async def use() -> None:
        room = MemoryBudget(100)
        with room.share() as first, room.share() as second:
            await first.grow(50)
            await second.grow(50)
            with room.share() as third:
                waiting = asyncio.create_task(third.grow(10))
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
        with room.share() as last:
            await last.grow(50)

    asyncio.run(use())


def test_how_much_there_is_can_be_written_down(tmp_path: Path) -> None:
    path = tmp_path / "connstat.toml"
    path.write_text('[limits]\nanswer_memory = "64MB"\n')
    assert read_config(path).answer_memory == 64 * MEGABYTE
    assert ProcessLimits().memory.most == DEFAULT
    for wrong in ('answer_memory = "12"', "answer_memory = 12", 'answer_memory = "1KB"', "x = 1"):
        path.write_text(f"[limits]\n{wrong}\n")
        with pytest.raises(ConfigError, match=r"\[limits\]"):
            read_config(path)


# --- measured -------------------------------------------------------------------------------------

BOMB = 700 * MEGABYTE
MOST_MEMORY = 600 * MEGABYTE
_SERVER = """
import asyncio, brotli, sys
packer = brotli.Compressor(quality=1)
body = packer.process(b"[") + b"".join(packer.process(b" " * (1 << 20)) for _ in range(700))
body += packer.finish()
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Encoding: br\\r\\n"
answer = head + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(answer)
    except Exception:
        writer.close()
async def main():
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(int(sys.argv[1]))]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
_MEASURED = """
import resource, subprocess, sys
query = subprocess.run([sys.executable, "-m", "connstat_sql", *sys.argv[1:]], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(query.returncode)
"""
"""A process counts what its parent held when it began, so that one begins from a small one."""


@pytest.mark.long
@pytest.mark.parametrize("count", [8, 64])
def test_bombs_take_no_more_memory_than_is_bearable(count: int, tmp_path: Path) -> None:
    importlib.import_module("brotli")
    config = tmp_path / "connstat.toml"
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(count)], stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        ports = server.stdout.readline().split()
        config.write_text(
            "".join(
                f'[connections.c{number}]\nprovider = "kafka_connect"\n'
                f'base_url = "http://127.0.0.1:{port.decode()}"\n'
                for number, port in enumerate(ports)
            )
        )
        command = [
            sys.executable, "-c", _MEASURED, "--config", str(config), "query", "--partial",
            "SELECT count(*) FROM kafka_connect.connect.connectors",
        ]  # fmt: skip
        query = subprocess.run(command, capture_output=True, text=True, check=False)
        server.kill()
    assert query.returncode == 4
    assert f"{count} of {count} requests failed" in query.stderr
    most = int(query.stdout)
    assert most < MOST_MEMORY, f"{most // MEGABYTE} MB"
    print(f"{count} bombs: {most // MEGABYTE} MB")
