"""Texts with names in them."""

from __future__ import annotations

from collections.abc import Callable
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

    def filled(self, value: Callable[[str], str]) -> str:
        """The text with the values of its parameters in their places.

        >>> Template(("/clusters/", "id", "/x")).filled({"id": "c-1"}.__getitem__)
        '/clusters/c-1/x'
        """
        return "".join(value(part) if index % 2 else part for index, part in enumerate(self.parts))

    def __str__(self) -> str:
        return self.filled(lambda param: f"{{{param}}}")
