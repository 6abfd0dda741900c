"""A text → all that it may be read as: unescaped and decoded, each letter with its place."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

DEEPEST = 4
"""So often a text may have been escaped or encoded."""
_ESCAPES = re.compile(
    r"""(?P<percent>(?:%[0-9a-f]{2})+)
    | (?P<byte>(?:\\+x[0-9a-f]{2})+)
    | (?P<unit>(?:\\+u[0-9a-f]{4})+)
    | (?P<octal>(?:\\+[0-3][0-7]{2})+)
    | (?P<html>&\#?\w{1,8};)
    | (?P<blank>\\+[nrt])
    | (?P<quoted>\\.)
    | (?P<nothing>[\x00�\u00ad\u200b])""",
    re.IGNORECASE | re.VERBOSE,
)
_DIGITS = re.compile(r"\\+[xu]?|%", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"[0-9a-f]{2}(?:(?:[-:]|,?\s*(?:0x)?)[0-9a-f]{2}){7,}", re.IGNORECASE)
_DECIMAL = re.compile(r"-?\d{1,3}(?:,\s*-?\d{1,3}){7,}")
_USUAL = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[\w+/-](?:\s{0,2}[\w+/-]){10,}", re.ASCII)

Letter = tuple[str, int, int]
"""With where it begins and ends in the reading that it was read from."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """A text read out of another; of each letter where it begins and ends in that."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def of(self, letters: Iterable[Letter]) -> Decoding:
        """One that was read out of this one, with places in what this one was read from."""
        all_letters = tuple(letters)
        return Decoding(
            "".join(letter for letter, _, _ in all_letters),
            [self.starts[start] for _, start, _ in all_letters],
            [self.ends[end - 1] for _, _, end in all_letters],
        )


def readings(text: str, shortest: int) -> Iterator[Decoding]:
    """The text, and what it holds of at least so many letters that was escaped or encoded."""
    todo = [Decoding(text, range(len(text)), range(1, len(text) + 1))]
    for _ in range(DEEPEST):
        yield from todo
        todo = [
            further
            for reading in todo
            for further in _decoded(reading, shortest)
            if len(further.text) >= shortest
        ]
    yield from todo


def _decoded(reading: Decoding, shortest: int) -> Iterator[Decoding]:
    if _ESCAPES.search(reading.text):
        yield reading.of(_unescaped(reading.text))
    for match in _HEXADECIMAL.finditer(reading.text):
        digits = list(re.finditer("[0-9a-f]{2}", match[0], re.IGNORECASE))
        yield from _numbers(reading, match.start(), digits, 16)
    for match in _DECIMAL.finditer(reading.text):
        yield from _numbers(reading, match.start(), list(re.finditer(r"-?\d+", match[0])), 10)
    for match in _BASE64.finditer(reading.text):
        yield from (reading.of(letters) for letters in _of_base64(match, shortest))


def _unescaped(text: str) -> Iterator[Letter]:
    at = 0
    for match in _ESCAPES.finditer(text):
        yield from ((text[place], place, place + 1) for place in range(at, match.start()))
        at = match.end()
        yield from _WAYS[str(match.lastgroup)](match)
    yield from ((text[place], place, place + 1) for place in range(at, len(text)))


def _run(base: int, encoding: str) -> Callable[[re.Match[str]], Iterator[Letter]]:
    """How to read some escapes in a row, which together are bytes of an encoding."""

    def read(match: re.Match[str]) -> Iterator[Letter]:
        marks = list(_DIGITS.finditer(match[0]))
        starts = [match.start() + mark.start() for mark in marks]
        ends = [*starts[1:], match.end()]
        digits = [
            match[0][mark.end() : end - match.start()]
            for mark, end in zip(marks, ends, strict=True)
        ]
        size = 2 if encoding == "utf-16-be" else 1
        raw = b"".join(int(number, base).to_bytes(size, "big") for number in digits)
        yield from _spread(raw, encoding, starts, ends)

    return read


def _spread(
    raw: bytes, encoding: str, starts: Sequence[int], ends: Sequence[int]
) -> Iterator[Letter]:
    """Letters of bytes, of which each unit of the encoding stands somewhere."""
    size = 2 if encoding == "utf-16-be" else 1
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1" if size == 1 else "utf-16-be", "replace"), "latin-1"
        if len(text) != len(starts):
            return
    unit = 0
    for letter in text:
        count = 1 if encoding == "latin-1" else len(letter.encode(encoding)) // size
        yield letter, starts[unit], ends[unit + count - 1]
        unit += count


def _entity(match: re.Match[str]) -> Iterator[Letter]:
    for letter in html.unescape(match[0]):
        yield letter, match.start(), match.end()


def _numbers(
    reading: Decoding, start: int, digits: Sequence[re.Match[str]], base: int
) -> Iterator[Decoding]:
    """What numbers are as bytes, as programs print them; below zero those of Java."""
    values = [int(number[0], base) for number in digits]
    if all(-128 <= value < 256 for value in values):
        raw = bytes(value % 256 for value in values)
        starts = [start + number.start() for number in digits]
        ends = [start + number.end() for number in digits]
        yield reading.of(_spread(raw, "utf-8", starts, ends))


def _of_base64(match: re.Match[str], shortest: int) -> Iterator[list[Letter]]:
    """What may be encoded there, from whichever letter it begins with, where that is plain text."""
    places = [match.start() + at for at, letter in enumerate(match[0]) if not letter.isspace()]
    text = "".join(match[0].split()).translate(_USUAL)
    for first in range(4):
        whole, rest = divmod(len(text) - first, 4)
        rest = rest if rest > 1 else 0
        raw = base64.b64decode(text[first : first + whole * 4 + rest] + "=" * (-rest % 4))
        for stretch in re.finditer(rb"[ -~]{%d,}" % shortest, raw):
            yield [
                (chr(raw[at]), places[first + at * 4 // 3], places[first + at * 4 // 3 + 1] + 1)
                for at in range(*stretch.span())
            ]


_WAYS: dict[str, Callable[[re.Match[str]], Iterator[Letter]]] = {
    "percent": _run(16, "utf-8"),
    "byte": _run(16, "utf-8"),
    "unit": _run(16, "utf-16-be"),
    "octal": _run(8, "utf-8"),
    "html": _entity,
    "blank": lambda match: iter([(" ", match.start(), match.end())]),
    "quoted": lambda match: iter([(match[0][1], match.start(), match.end())]),
    "nothing": lambda _: iter(()),
}
"""How each kind of escape is read."""
