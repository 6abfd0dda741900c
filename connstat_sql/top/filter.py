"""Which connectors somebody wants to see, as a test of one and as a predicate of SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connstat_sql.definitions.model import literal
from connstat_sql.top.model import FleetConnector

_SEARCHED = (
    "health", "provider", '"_connection"', "scope_1", "scope_2", "connector_name", "state",
    "error_summary",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """What is wanted; empty fields want everything.

    `cause` is a group of causes. Each word of `text` is looked for anywhere in a row, whatever its
    case.
    """

    text: str = ""
    healths: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    cause: str = ""

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.text or self.healths or self.providers or self.cause)

    def takes(self, connector: FleetConnector) -> bool:
        """Whether a connector is wanted."""
        if self.healths and connector.health not in self.healths:
            return False
        if self.providers and connector.provider not in self.providers:
            return False
        if self.cause and connector.cause_group != self.cause:
            return False
        if not self.text:
            return True
        text = _text(connector)
        return all(word in text for word in self._words)

    @property
    def _words(self) -> list[str]:
        return self.text.lower().split()

    def predicates(self) -> tuple[str, ...]:
        """The same as SQL over `inventory.connectors.connectors`, to be joined by AND."""
        conditions = []
        if self.healths:
            conditions.append(f"health IN ({_listed(self.healths)})")
        if self.providers:
            conditions.append(f"provider IN ({_listed(self.providers)})")
        if self.cause:
            conditions.append(f"cause_group(error_summary) = {literal(self.cause)}")
        row = ", ".join(_SEARCHED)
        for word in self._words:
            conditions.append(f"contains(lower(concat_ws(' ', {row})), {literal(word)})")
        return tuple(conditions)

    def in_words(self) -> str:
        """What it wants, for people; "" when it wants everything."""
        parts = (
            f"text {self.text!r}" if self.text else "",
            " or ".join(sorted(self.healths)),
            " or ".join(sorted(self.providers)),
            f"cause {self.cause!r}" if self.cause else "",
        )
        return ", ".join(part for part in parts if part)

    def with_health(self, health: str) -> FleetFilter:
        """The same with one health more, or one less."""
        return replace(self, healths=self.healths ^ {health})

    def with_provider(self, provider: str) -> FleetFilter:
        """The same with one provider more, or one less."""
        return replace(self, providers=self.providers ^ {provider})


def _text(connector: FleetConnector) -> str:
    parts = (
        connector.health, connector.provider, connector.connection, connector.scope_1,
        connector.scope_2, connector.name, connector.state, connector.cause,
    )  # fmt: skip
    return " ".join(parts).lower()


def _listed(values: frozenset[str]) -> str:
    return ", ".join(map(literal, sorted(values)))
