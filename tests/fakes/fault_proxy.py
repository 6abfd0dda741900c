"""A network of ours between client and server, on which things go wrong: cut, late, garbled."""

from __future__ import annotations

import asyncio
import random
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SO_LINGER, SOL_SOCKET

FAULTS = (
    "none", "none", "cut", "reset", "delay", "trickle", "garble", "spoil", "half", "silent",
    "refuse",
)  # fmt: skip
"""What may become of a connection; a garbled answer has no head that could be read, a spoilt one
ends in what is no UTF-8. All of them come about before one does again."""
_PIECE = 4096


class FaultProxy:
    """Hands connections on to a server of the loopback; one in some is maltreated."""

    def __init__(self, port: int, source: random.Random) -> None:
        self._to, self._source = port, source
        self.port = 0
        self._dealt: list[str] = []
        self.hit: Counter[str] = Counter()

    async def serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        """Serve until the end is told."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._deal()
        self.hit[fault] += 1
        if fault == "refuse":
            writer.close()
            return
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        there = asyncio.create_task(_copy(reader, ours))
        try:
            await self._answer(fault, theirs, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            there.cancel()
            for stream in (ours, writer):
                stream.close()

    def _deal(self) -> str:
        if not self._dealt:
            self._dealt = self._source.sample(FAULTS, len(FAULTS))
        return self._dealt.pop()

    async def _answer(
        self, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        left = self._source.randint(0, 3000)
        is_first = True
        while piece := await self._next(reader, is_first=is_first):
            if fault == "delay":
                await asyncio.sleep(self._source.random() / 20)
            elif fault == "garble" and is_first:
                piece = bytes([*(byte ^ 0x80 for byte in piece[:8]), *piece[8:]])
            elif fault == "spoil" and is_first:
                piece = piece[:-4] + b"\xff" * 4
            elif fault in ("cut", "reset", "half", "silent"):
                piece, left = piece[:left], left - len(piece)
            for part in _parts(piece, 7 if fault == "trickle" and is_first else _PIECE):
                writer.write(part)
                await writer.drain()
            is_first = False
            if left < 0:
                await self._end(fault, writer)
                return

    async def _next(self, reader: asyncio.StreamReader, *, is_first: bool) -> bytes:
        """More of the answer; nothing more is one answer's end, and a connection has but one."""
        try:
            return await asyncio.wait_for(reader.read(_PIECE), None if is_first else 0.02)
        except TimeoutError:
            return b""

    async def _end(self, fault: str, writer: asyncio.StreamWriter) -> None:
        if fault == "silent":
            await asyncio.sleep(2)
        elif fault == "half":
            with suppress(OSError):
                writer.write_eof()
            await asyncio.sleep(0.05)
        elif fault == "reset":
            socket = writer.get_extra_info("socket")
            socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()


def _parts(piece: bytes, size: int) -> Iterator[bytes]:
    yield from (piece[at : at + size] for at in range(0, len(piece), size))


@contextmanager
def fault_proxy(port: int, seed: int) -> Iterator[FaultProxy]:
    """One that serves on a thread of its own."""
    proxy, ready = FaultProxy(port, random.Random(seed)), threading.Event()
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(proxy.serve(ready, ended))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
