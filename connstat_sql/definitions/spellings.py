"""How an API writes values, where that is not how DuckDB reads their type."""

from __future__ import annotations

from dataclasses import dataclass

EPOCHS = {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
"""Formats that count since 1970, and how many of what they count are a second."""
ISO = "iso8601"
"""The format of times that are sent without another."""
_DAY = 86_400 * 10**6
DIRECTIVES = frozenset("YymdjHIpMSfzbBaA%")
"""Letters after % that Python and DuckDB read alike in a format."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of a column for values that are not written as DuckDB reads its type.

    `format` is one of EPOCHS or a format of strptime ("": neither). Values whose text is among
    `nulls` are NULL; those of `trues` and `falses` are truth values.
    """

    format: str = ""
    nulls: tuple[str, ...] = ()
    trues: tuple[str, ...] = ()
    falses: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"in the format {self.format}"] if self.format else []
        told = {"NULL": self.nulls, "true": self.trues, "false": self.falses}
        for meaning, texts in told.items():
            if texts:
                parts.append(f"{meaning} where it is {' or '.join(map(repr, texts))}")
        return ", ".join(parts)


def directives_of(text: str) -> list[str]:
    """What stands after each % of a format; "" for one that ends it."""
    return [after[:1] for after in text.replace("%%", "").split("%")[1:]]


def unit_of(form: str, kind: str = "TIMESTAMP") -> int:
    """The microseconds between a value of a format and the next; of ISO a second, or a day."""
    if form in EPOCHS:
        return max(1, 10**6 // EPOCHS[form])
    if form == ISO:
        return _DAY if kind == "DATE" else 10**6
    said = directives_of(form)
    units = {"f": 1, "S": 10**6, "M": 60 * 10**6, "H": 3600 * 10**6, "I": 3600 * 10**6}
    return next((unit for letter, unit in units.items() if letter in said), _DAY)
