"""What a chart shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """What a chart shows: a number for each label, in the order of the rows.

    `figures` are the numbers as they are printed; NULL, NaN and what is endless is None in
    `numbers`. `is_time` says that the labels are moments, sorted.
    """

    label: str
    number: str
    labels: tuple[str, ...]
    figures: tuple[str, ...]
    numbers: tuple[float | None, ...]
    moments: tuple[float, ...] = ()

    @property
    def is_time(self) -> bool:
        """Whether it is a course over time."""
        return bool(self.moments)

    @property
    def is_negative(self) -> bool:
        """Whether some number is below zero."""
        return any(number is not None and number < 0 for number in self.numbers)
