"""Texts of the other side's → the same without our credentials, however it has written them.

A credential is looked for as it is, in base64 and in hexadecimal digits, in any case, and in part,
as texts are cut; and in every reading of the text, without the escapes of URLs, JSON, HTML and
programs, however often it was escaped or encoded.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from connstat_sql.redaction.decodings import readings

SHORTEST_SECRET = 4
PART = 8
"""Characters of a credential that are not repeated where more of it may have stood."""
_GAP = "…"


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets: an ellipsis stands where one stood, or a part of one."""
    parts, short = _parts(tuple(secrets))
    covered = bytearray(len(text))
    if not (parts or short):
        return text
    for reading in readings(text, PART):
        for start, end in _places(_small(reading.text), parts, short):
            first, last = reading.starts[start], reading.ends[end - 1]
            covered[first:last] = b"\1" * (last - first)
    return "".join(_left(text, covered))


def holds(text: str, secrets: Iterable[str]) -> bool:
    """Whether a whole secret, one of the longer, stands in a URL of ours: quickly said.

    What was quoted already when it came is quoted once more in it.
    """
    low = unquote(unquote(text)).lower()
    return any(form in low for form in _long_forms(tuple(secrets)))


def _places(low: str, parts: frozenset[str], short: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """From where to where a credential stands in a text of small letters, or a part of one."""
    for start in range(len(low) - PART + 1):
        if low[start : start + PART] in parts:
            yield start, start + PART
    for form in short:
        start = low.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = low.find(form, start + 1)


def _left(text: str, covered: bytearray) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = covered.find(1 - covered[start], start)
        end = len(text) if end < 0 else end
        yield _GAP if covered[start] else text[start:end]
        start = end


@lru_cache(maxsize=64)
def _long_forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    forms = (form for secret in secrets if len(secret) >= PART for form in _forms(secret))
    return tuple(form for form in forms if len(form) >= PART)


@lru_cache(maxsize=64)
def _parts(secrets: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """All parts of that length, and the forms that are shorter."""
    long_enough = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
    forms = [form for secret in long_enough for form in _forms(secret)]
    parts = (form[start : start + PART] for form in forms for start in range(len(form) - PART + 1))
    return frozenset(parts), tuple(form for form in forms if len(form) < PART)


def _forms(secret: str) -> tuple[str, ...]:
    """A credential as others may write it, but for escapes, in small letters."""
    raw = secret.encode("utf-8", "replace")
    secret = raw.decode()
    forms = [secret, secret.replace(" ", "+"), raw.hex()]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms += _encoded(raw, encode(b"\0" + raw), 1), _encoded(raw, encode(b"\0\0" + raw), 2)
        forms.append(_encoded(raw, encode(raw), 0))
    return tuple(dict.fromkeys(_small(form) for form in forms if len(form) >= SHORTEST_SECRET))


def _small(text: str) -> str:
    """In small letters, each at its place: of one that would become two nothing is changed."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _encoded(raw: bytes, text: bytes, before: int) -> str:
    """What is the same in base64 whatever stands before and behind: `before` are bytes modulo 3."""
    start = -(-before * 4 // 3)
    return text[start : (before + len(raw)) * 8 // 6].decode()
