"""Bodies that nobody should send: rows or an error of ours, whatever comes."""

from __future__ import annotations

import random

import httpx

import connstat_sql
from connstat_sql.errors import ConnstatError
from tests.attack.outcome import Outcome

_BODY = (
    b'{"name": "orders", "connector": {"state": "RUNNING", "worker_id": "w1", "trace": "a"},'
    b' "tasks": [{"id": 0, "state": "RUNNING", "worker_id": "w1"}], "type": "sink"}'
)
SQL = "FROM plant.connect.connector_status WHERE connector_name = 'orders'"
_PIECES = (
    b"[" * 5000, b'{"a":' * 3000, b"1e999999", b"-", b"\\ud800", b'"', b"null", b"\x00",
    b"\xff\xfe", b"9" * 5000, b"}", b"{", b",", b"NaN", b"tru", b"\\u0000", b"{}", b"\xef\xbb\xbf",
    b"0" * 100,
)  # fmt: skip


def hostile(source: random.Random) -> bytes:
    """A body with some of it replaced, repeated, moved or cut."""
    body = bytearray(_BODY)
    for _ in range(source.randint(1, 4)):
        at, end = sorted((source.randint(0, len(body)), source.randint(0, len(body))))
        way = source.randrange(5)
        if way == 0:
            body[at:at] = source.choice(_PIECES)
        elif way == 1:
            body[at : at + source.randint(1, 9)] = source.choice(_PIECES)
        elif way == 2:
            body[at:at] = body[at:end]
        elif way == 3:
            del body[at : at + source.randint(1, 30)]
        elif body:
            body[min(at, len(body) - 1)] ^= 1 << source.randrange(8)
    return bytes(body)


def run(count: int, seed: int) -> Outcome:
    """So many bodies, asked for by a table that is wide and nested."""
    outcome, source = Outcome(), random.Random(seed)
    body = b""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    plant = {"provider": "kafka_connect", "base_url": "http://plant:8083"}
    with connstat_sql.connect(
        connections={"plant": plant}, environment={}, transport=transport
    ) as con:
        for _ in outcome.turns(count):
            body = hostile(source)
            try:
                con.sql(SQL).fetchall()
            except ConnstatError as error:
                outcome.ends[type(error).__name__] += 1
            except BaseException as error:
                outcome.failures.append(f"{type(error).__name__}: {error}: {body[:200]!r}")
            else:
                outcome.ends["rows"] += 1
    return outcome
