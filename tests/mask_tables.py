"""Settings with secrets in them, and settings that are harmless: `python -m tests.mask_tables`.

A line of `fixtures/secret_forms.txt` is a key, a value, and behind `⇐` what of the value
must be hidden; one of `fixtures/harmless_settings.txt` a key and a value. `@hex@` and `@mixed@`
stand for digits and letters of a token. No secret here opens anything.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from connstat_sql.definitions.model import VARCHAR, Column, MapOf, Redaction
from connstat_sql.executor.redaction import Redactor
from connstat_sql.redaction import documented

HEX, MIXED = "0123456789abcdef0123456789abcdef", "Zq7Rk2Lm9Xc4Vb8Nw3Ty6Pd1"
FIXTURES = Path(__file__).parent / "fixtures"


def forms() -> list[tuple[str, str, str]]:
    """Key, value, and the part of the value that is a secret."""
    rows = []
    text = (FIXTURES / "secret_forms.txt").read_text(encoding="utf-8")
    for line in text.replace("@hex@", HEX).replace("@mixed@", MIXED).splitlines():
        setting, secret = line.split(" ⇐ ")
        key, value = setting.split("  ", 1)
        rows.append((key, value, secret))
    return rows


def harmless() -> list[tuple[str, str]]:
    """Key and value."""
    text = (FIXTURES / "harmless_settings.txt").read_text(encoding="utf-8")
    rows = [line.split("  ", 1) for line in text.splitlines()]
    return [(key, value) for key, value in rows]


def shown(settings: list[tuple[str, str]]) -> list[str]:
    """What is shown of the value of each setting, a configuration each."""
    keys, texts = (pa.array(part, pa.string()) for part in zip(*settings, strict=True))
    maps = pa.MapArray.from_arrays(list(range(len(settings) + 1)), keys, texts)
    column = Column("config", MapOf(VARCHAR), (), redaction=Redaction.KEYS)
    masked: list[str] = (
        Redactor("key").column(column, pa.chunked_array([maps]), None).items.to_pylist()
    )
    return masked


def leaking() -> list[tuple[str, str, str]]:
    """The forms whose secret can be seen, with what is shown."""
    rows = forms()
    seen = shown([(key, value) for key, value, _ in rows])
    return [
        (key, value, text)
        for (key, value, secret), text in zip(rows, seen, strict=True)
        if secret in text or "****" not in text
    ]


def overdone() -> list[tuple[str, str, str]]:
    """The harmless settings of which something is masked, with what is shown."""
    rows = harmless()
    return [(*row, text) for row, text in zip(rows, shown(rows), strict=True) if text != row[1]]


def documented_and_visible() -> list[str]:
    """Documented names of secret settings whose value can be seen."""
    names = documented_names()
    seen = shown([(name, "moonlit7") for name in names])
    return [name for name, text in zip(names, seen, strict=True) if "moonlit7" in text]


def documented_names() -> list[str]:
    """Of all connectors of the list."""
    return sorted({name for connector in documented() for name in connector.secrets})


if __name__ == "__main__":
    visible, masked, names = leaking(), overdone(), documented_and_visible()
    for row in (*visible, *masked, *names):
        print(row)
    print(f"value forms: {len(forms()) - len(visible)} of {len(forms())} masked")
    print(f"harmless settings: {len(masked)} of {len(harmless())} masked")
    count, connectors = len(documented_names()), len(documented())
    print(f"documented settings of {connectors} connectors: {count - len(names)} of {count} masked")
    for known, entries in Counter(connector.known for connector in documented()).items():
        print(f"  {known}: {entries}")
