"""The names of tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """`provider.service.resource`: a resource seen from SQL."""

    provider: str
    service: str
    resource: str

    def __str__(self) -> str:
        return f"{self.provider}.{self.service}.{self.resource}"
