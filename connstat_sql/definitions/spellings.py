"""How an API writes values, where that is not how DuckDB reads their type."""

from __future__ import annotations

from dataclasses import dataclass

EPOCHS = {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
"""Formats that count since 1970, and how many of what they count are a second."""
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
