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

    Each of `formats` is one of EPOCHS, ISO or a format of strptime, and the first that fits a
    value counts. Times that name no offset are those of `timezone` ("": UTC). Values whose text is
    among `nulls` are NULL; those of `trues` and `falses` are truth values.
    """

    formats: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    trues: tuple[str, ...] = ()
    falses: tuple[str, ...] = ()
    timezone: str = ""

    @property
    def format(self) -> str:
        """The format in which values are sent; "" for that of the type."""
        return self.formats[0] if self.formats else ""

    @property
    def is_time(self) -> bool:
        """Whether it says how times are read."""
        return bool(self.formats or self.timezone)

    def __str__(self) -> str:
        parts = [f"in the format {' or '.join(self.formats)}"] if self.formats else []
        parts += [f"of the time zone {self.timezone}"] if self.timezone else []
        meanings = {"NULL": self.nulls, "true": self.trues, "false": self.falses}
        for meaning, texts in meanings.items():
            if texts:
                parts.append(f"{meaning} where it is {' or '.join(map(repr, texts))}")
        return ", ".join(parts)


def directives_of(text: str) -> list[str]:
    """What stands after each % of a format; "" for one that ends it."""
    return [after[:1] for after in text.replace("%%", "").split("%")[1:]]


def is_pattern(form: str) -> bool:
    """Whether a format is one of strptime."""
    return form not in EPOCHS and form != ISO


def has_offset(form: str) -> bool:
    """Whether a format of strptime names an offset."""
    return "z" in directives_of(form)


def needs_zone(form: str) -> bool:
    """Whether times in a format may name no offset."""
    return form == ISO or (is_pattern(form) and not has_offset(form))


def unit_of(form: str, kind: str = "TIMESTAMP") -> int:
    """The microseconds between a value of a format and the next; of ISO a second, or a day."""
    if form in EPOCHS:
        return max(1, 10**6 // EPOCHS[form])
    if form == ISO:
        return _DAY if kind == "DATE" else 10**6
    said = directives_of(form)
    units = {"f": 1, "S": 10**6, "M": 60 * 10**6, "H": 3600 * 10**6, "I": 3600 * 10**6}
    return next((unit for letter, unit in units.items() if letter in said), _DAY)


def plain_text(value: object) -> str:
    """A value as an API or a file writes it that knows texts alone: `true`, `7`, `eu-1`.

    >>> plain_text(True)
    'true'
    """
    return str(value).lower() if isinstance(value, bool) else str(value)
