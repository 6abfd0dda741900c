"""Packed bodies: whatever the pieces, the same bytes come out, a bounded step at a time."""

import asyncio
import gzip
import importlib
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.errors import UnexpectedShape
from connstat_sql.transport.decompression import MACHINES, STEP, Unpacker, window_of
from connstat_sql.transport.errors import TruncatedAnswer
from connstat_sql.transport.wire import OWN_HEADERS, ExchangeLimits, read_whole
from tests.examples import examples
from tests.tabled import over

brotli: Any = importlib.import_module("brotli")
zstd: Any = importlib.import_module(
    "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without header": ("deflate", raw_deflate),
    "br": ("br", lambda body: bytes(brotli.compress(body, quality=1))),
    "zstd": ("zstd", zstd.compress),
}
PACKED = pytest.mark.parametrize(("packing", "pack"), PACKERS.values(), ids=PACKERS.keys())


def unpacked(packing: str, pieces: list[bytes]) -> list[bytes]:
    """The steps in which the pieces of a body come out."""
    unpacker = Unpacker(MACHINES[packing])
    parts = [part for piece in pieces for part in unpacker.feed(piece)]
    unpacker.end()
    return parts


def cut(packed: bytes, size: int) -> list[bytes]:
    return [packed[at : at + size] for at in range(0, len(packed), size)]


async def _each(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def read(pieces: Iterator[bytes], limit: int, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(read_whole(200, named, _each(pieces), ExchangeLimits(9, 9, limit)))


@over("bits", range(10, 25))
def test_a_brotli_stream_says_how_much_it_keeps(bits: int) -> None:
    packed = bytes(brotli.compress(bytes(1 << 20), lgwin=bits, quality=5))
    assert window_of("br", packed) == 1 << bits


def test_all_four_packings_are_asked_for() -> None:
    assert OWN_HEADERS["Accept-Encoding"] == "gzip, deflate, br, zstd"


@settings(max_examples=examples(60), deadline=None)
@given(
    kind=st.sampled_from(sorted(PACKERS)),
    body=st.binary(max_size=400).map(lambda some: some * 50),
    size=st.integers(1, 3000),
)
def test_what_was_packed_comes_out_however_it_is_cut(kind: str, body: bytes, size: int) -> None:
    packing, pack = PACKERS[kind]
    assert b"".join(unpacked(packing, cut(pack(body), size))) == body


@PACKED
def test_a_long_body_comes_out_in_bounded_steps(
    packing: str, pack: Callable[[bytes], bytes]
) -> None:
    body = bytes(range(256)) * 40_000
    steps = unpacked(packing, [pack(body)])
    assert b"".join(steps) == body
    assert max(map(len, steps)) <= 2 * STEP


@PACKED
def test_a_body_that_fills_its_last_step_to_the_brim_ends(
    packing: str, pack: Callable[[bytes], bytes]
) -> None:
    for size in (STEP - 1, STEP, STEP + 1, 2 * STEP):
        assert sum(map(len, unpacked(packing, cut(pack(b" " * size), 7)))) == size


@PACKED
def test_a_body_cut_anywhere_was_cut_short(packing: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b'{"name": "orders", "state": "RUNNING"}')
    for end in range(1, len(packed)):
        with pytest.raises(TruncatedAnswer, match="the answer was cut short"):
            unpacked(packing, [packed[:end]])


@over("packing", sorted(MACHINES))
@over("garbage", [b"<html>not packed at all</html>", b"\xff" * 200])
def test_garbage_is_not_packed_as_it_says(packing: str, garbage: bytes) -> None:
    with pytest.raises(TruncatedAnswer, match="the answer is not packed as it says"):
        unpacked(packing, [garbage])


@PACKED
def test_garbage_after_the_end_is_an_error(packing: str, pack: Callable[[bytes], bytes]) -> None:
    for pieces in ([pack(b"[1]") + b"<html></html>"], [pack(b"[1]"), b"<html></html>"]):
        with pytest.raises(TruncatedAnswer):
            unpacked(packing, pieces)


@over("packing", ["gzip", "zstd"])
def test_streams_that_follow_one_another_are_one_body(packing: str) -> None:
    pack = PACKERS[packing][1]
    packed = pack(b"[1,") + pack(b"2,") + pack(b"3]")
    for size in (1, 5, len(packed)):
        assert b"".join(unpacked(packing, cut(packed, size))) == b"[1,2,3]"


def test_a_checksum_that_is_wrong_is_an_error() -> None:
    packed = bytearray(gzip.compress(b"[1, 2, 3]"))
    packed[-6] ^= 1
    with pytest.raises(TruncatedAnswer, match="not packed as it says"):
        unpacked("gzip", [bytes(packed)])


def test_an_empty_body_is_empty_however_it_claims_to_be_packed() -> None:
    for packing in MACHINES:
        assert read(iter(()), 10, Content_Encoding=packing) == b""


def test_a_zstd_stream_that_wants_much_memory_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(b"x" * 100) + packer.flush()
    with pytest.raises(TruncatedAnswer, match="not packed as it says"):
        unpacked("zstd", [packed])


# limits


def gzip_bomb(size: int) -> Iterator[bytes]:
    """`size` MB of zeros, a thousandth of that as gzip; made once, repeated often."""
    yield gzip.compress(b"")[:10]
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size):
        yield block


@over("whole", [False, True], ids=["in pieces", "in one piece"])
def test_a_bomb_of_3_gb_stops_at_the_limit_with_memory_bounded(whole: bool) -> None:
    limit = 20_000_000
    bomb = list(gzip_bomb(3000))
    assert sum(map(len, bomb)) < 4_000_000
    pieces = iter([b"".join(bomb)] if whole else bomb)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedShape, match="larger than the limit of 20,000,000 bytes"):
            read(pieces, limit, Content_Encoding="gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * limit


@over("packing", ["br", "zstd"])
def test_other_bombs_stop_at_the_limit_too(packing: str) -> None:
    packed = PACKERS[packing][1](bytes(100_000_000))
    assert len(packed) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedShape, match="larger than the limit"):
            read(iter([packed]), 1_000_000, Content_Encoding=packing)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_a_packed_body_that_stands_for_nothing_ends_at_the_limit() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield gzip.compress(b"") * 50

    with pytest.raises(UnexpectedShape, match="larger than the limit"):
        read(endless(), 10_000, Content_Encoding="gzip")
    assert taken <= 11


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not() -> None:
    for packing, pack in PACKERS.values():
        assert len(read(iter([pack(b" " * 9000)]), 9000, Content_Encoding=packing)) == 9000
        with pytest.raises(UnexpectedShape):
            read(iter([pack(b" " * 9001)]), 9000, Content_Encoding=packing)


def test_a_declared_length_above_the_limit_is_refused_before_reading() -> None:
    def unread() -> Iterator[bytes]:
        raise AssertionError
        yield b""

    for length in ("1001", "9" * 30):
        with pytest.raises(UnexpectedShape, match="larger than the limit of 1,000 bytes"):
            read(unread(), 1000, Content_Length=length)
