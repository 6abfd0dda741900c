"""Texts of the other side's → the same without our credentials, however it has written them.

A credential is looked for as it is, as URLs, JSON, HTML, base64 and hexadecimal digits hold it, in
any case, and in part, as texts are cut.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 4
PART = 8
"""Characters of a credential that are not repeated where more of it may have stood."""
_GAP = "…"


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets: an ellipsis stands where one stood, or a part of one."""
    low = _small(text)
    parts, short = _parts(tuple(secrets))
    covered = bytearray(len(text))
    for place in range(len(text) - PART + 1):
        if low[place : place + PART] in parts:
            covered[place : place + PART] = b"\1" * PART
    for form in short:
        place = low.find(form)
        while place >= 0:
            covered[place : place + len(form)] = b"\1" * len(form)
            place = low.find(form, place + 1)
    return "".join(_left(text, covered))


def _left(text: str, covered: bytearray) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = covered.find(1 - covered[start], start)
        end = len(text) if end < 0 else end
        yield _GAP if covered[start] else text[start:end]
        start = end


@lru_cache(maxsize=64)
def _parts(secrets: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """All parts of that length, and the forms that are shorter."""
    long_enough = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
    forms = [form for secret in long_enough for form in _forms(secret)]
    parts = (form[start : start + PART] for form in forms for start in range(len(form) - PART + 1))
    return frozenset(parts), tuple(form for form in forms if len(form) < PART)


def _forms(secret: str) -> tuple[str, ...]:
    """A credential as others may write it, in small letters."""
    raw = secret.encode("utf-8", "replace")
    secret = raw.decode()
    forms = [
        secret, quote(secret), quote(secret, safe=""), quote_plus(secret),
        quote(quote(secret, safe=""), safe=""), json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret), raw.hex(),
    ]  # fmt: skip
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
