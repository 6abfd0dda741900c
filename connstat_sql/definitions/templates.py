"""Texts with names in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """Text with parameters in it: `parts` alternate literal text and parameter names.

    `/clusters/{id}/x` is `("/clusters/", "id", "/x")`; an odd number of parts, always.
    """

    parts: tuple[str, ...]

    @property
    def params(self) -> tuple[str, ...]:
        """Names of the parameters in it, in order."""
        return self.parts[1::2]

    def __str__(self) -> str:
        return "".join(
            f"{{{part}}}" if index % 2 else part for index, part in enumerate(self.parts)
        )
