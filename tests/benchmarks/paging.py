"""Many rows in pages of a hundred, each page telling where the next one is."""

from __future__ import annotations

import socket
import time

from tests.benchmarks.asking import Question
from tests.benchmarks.serving import PAGE, Served


def ours(server: Served, rows: int, table: str = "rows") -> Question:
    """Every column of every row to an Arrow table; of `numbered_rows`, pages come side by side."""
    sql = f"SELECT * FROM canned.things.{table} WHERE total = "
    return Question(
        sql=f"{sql}{rows}",
        before=f"{sql}{PAGE}",
        connections={"canned": {"provider": "canned", "base_url": server.url}},
    )


def server_seconds(server: Served, rows: int) -> float:
    """How long the server and the wire take for the same pages, one after the other.

    They are read from a plain socket and thrown away. Since a page must have come before the next
    one can be asked for, these seconds are in ours as well, and what is left is our own doing.
    """
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        for start in range(0, rows, PAGE):
            path = f"/rows?total={rows}&page_token={start}"
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: canned\r\n\r\n".encode())
            _read(link)
        return time.perf_counter() - started


def _read(link: socket.socket) -> None:
    """Take one whole answer off the wire."""
    got = link.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    left = int(head.rpartition(b"Content-Length: ")[2]) - len(body)
    while left > 0:
        left -= len(link.recv(65536))
