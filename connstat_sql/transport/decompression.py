"""Bodies as they were packed for the way → as they are, a bounded piece at a time."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from connstat_sql.transport.errors import TruncatedAnswer

STEP = 256 * 1024
"""Bytes that one step unpacks (brotli: up to twice that), whatever the packed ones stand for."""
LARGEST_WINDOW = 23
"""Binary logarithm of the memory that a zstd stream may ask for: 8 MB (RFC 9659)."""
_ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def window_of(packing: str, beginning: bytes) -> int:
    """So many of the last bytes that came out a machine keeps, beside those that we keep.

    A brotli stream begins with the size that it asks for (RFC 7932 §9.1); zstd may ask for as much
    as we allow; those of gzip are next to nothing.
    """
    if packing == "zstd":
        return 1 << LARGEST_WINDOW
    if packing != "br" or not beginning:
        return 0
    bits = beginning[0]
    if bits & 0b1 == 0:
        return 1 << 16
    if bits & 0b1110:
        return 1 << 17 + (bits >> 1 & 0b111)
    return 1 << (8 + (bits >> 4 & 0b111) if bits & 0b1110000 else 17)


class Machine(Protocol):
    """Unpacks one stream."""

    def step(self, chunk: bytes) -> bytes:
        """What some more bytes stand for; b"" is for more of what has been taken already."""

    def wants_more(self) -> bool:
        """Whether everything that was taken has been looked at."""

    def rest(self) -> bytes | None:
        """What follows the end of the stream; None before it has come."""


class Unpacker:
    """Unpacks one body: a stream, or several one after the other."""

    def __init__(self, make: Callable[[], Machine]) -> None:
        self._make = make
        self._machine: Machine | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk stands for, in steps. Raises Broken for what was never packed this way."""
        rest: bytes | None = chunk
        while rest:
            machine = self._machine = self._machine or self._make()
            yield from _steps(machine, rest)
            rest = machine.rest()
            if rest is not None:
                self._machine = None

    def end(self) -> None:
        """Raise Broken when the body ends in the middle of a stream."""
        if self._machine is not None:
            raise TruncatedAnswer("the answer was cut short")


def _steps(machine: Machine, chunk: bytes) -> Iterator[bytes]:
    try:
        yield (part := machine.step(chunk))
        while machine.rest() is None and (len(part) >= STEP or not machine.wants_more()):
            yield (part := machine.step(b""))
    except Exception as error:  # the errors of zlib, brotli and zstd have no other base
        raise TruncatedAnswer("the answer is not packed as it says") from error


class _Stream:
    """One that says where it ends and keeps what follows."""

    _stream: Any

    def rest(self) -> bytes | None:
        return bytes(self._stream.unused_data) if self._stream.eof else None


class _Gzip(_Stream):
    def __init__(self, bits: int = zlib.MAX_WBITS + 16) -> None:
        self._stream = zlib.decompressobj(bits)

    def step(self, chunk: bytes) -> bytes:
        return bytes(self._stream.decompress(self._stream.unconsumed_tail + chunk, STEP))

    def wants_more(self) -> bool:
        return not self._stream.unconsumed_tail


class _Deflate(_Gzip):
    """With a zlib header, as is the rule, or without one, as some servers send it."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._has_begun = False

    def step(self, chunk: bytes) -> bytes:
        if not self._has_begun and chunk[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._has_begun = True
        return super().step(chunk)


class _Brotli:
    def __init__(self) -> None:
        brotli: Any = importlib.import_module("brotli")
        self._stream = brotli.Decompressor()

    def step(self, chunk: bytes) -> bytes:
        return bytes(self._stream.process(chunk, output_buffer_limit=STEP))

    def wants_more(self) -> bool:
        return bool(self._stream.can_accept_more_data())

    def rest(self) -> bytes | None:
        return b"" if self._stream.is_finished() else None


class _Zstd(_Stream):
    def __init__(self) -> None:
        zstd: Any = importlib.import_module(_ZSTD)
        options = {zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
        self._stream = zstd.ZstdDecompressor(options=options)

    def step(self, chunk: bytes) -> bytes:
        return bytes(self._stream.decompress(chunk, STEP))

    def wants_more(self) -> bool:
        return bool(self._stream.needs_input)


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


MACHINES: Mapping[str, Callable[[], Machine]] = {
    "gzip": _Gzip,
    "deflate": _Deflate,
    **({"br": _Brotli} if _there("brotli") else {}),
    **({"zstd": _Zstd} if _there(_ZSTD) else {}),
}
"""What can be unpacked, and so is asked for."""
