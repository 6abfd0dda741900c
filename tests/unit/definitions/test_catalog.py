"""What dotted names mean."""

from __future__ import annotations

import pytest

from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.definitions.loader import Library, shipped_providers

CATALOG = Catalog(
    Library([shipped_providers()]),
    {"plant_a": "kafka_connect", "Plant_B": "kafka_connect", "confluent": "kafka_connect"},
)


def live(*parts: str) -> LiveTable:
    found = CATALOG.resolve(parts)
    assert isinstance(found, LiveTable)
    return found


def missing(*parts: str) -> NoSuchTable:
    found = CATALOG.resolve(parts)
    assert isinstance(found, NoSuchTable)
    return found


def test_a_providers_table_spans_its_connections() -> None:
    found = live("kafka_connect", "connect", "connectors")
    assert str(found.resource.table) == "kafka_connect.connect.connectors"
    assert found.connection is None
    assert CATALOG.connections_of("kafka_connect") == ("plant_a", "Plant_B", "confluent")


def test_a_connections_table_is_its_providers_table_of_that_connection() -> None:
    assert live("plant_a", "connect", "connectors").connection == "plant_a"


def test_names_are_found_in_any_case() -> None:
    assert live("PLANT_b", "Connect", "CONNECTORS").connection == "Plant_B"


def test_a_providers_name_means_the_provider_also_where_a_connection_bears_it() -> None:
    found = live("confluent", "org", "environments")
    assert (found.resource.table.provider, found.connection) == ("confluent", None)


@pytest.mark.parametrize("parts", [("connectors",), ("main", "t"), ("memory", "main", "t")])
def test_other_names_are_none_of_ours(parts: tuple[str, ...]) -> None:
    assert CATALOG.resolve(parts) is None


def test_a_misspelt_table_names_what_comes_close() -> None:
    found = missing("confluent", "connect", "conector_status")
    assert found.missing == "confluent.connect has no table conector_status"
    assert found.candidates[0] == "confluent.connect.connector_status"


def test_a_misspelt_service_names_what_comes_close() -> None:
    found = missing("plant_a", "conect", "connectors")
    assert found.missing == "plant_a has no service conect"
    assert found.candidates == ("plant_a.connect",)


def test_what_comes_close_to_nothing_is_shown_all_there_is() -> None:
    found = missing("confluent", "zzz", "connectors")
    assert "confluent.connect" in found.candidates


def test_providers_that_come_close_are_named() -> None:
    assert "confluent" in CATALOG.nearest_provider("conflent")
    assert "plant_a" in CATALOG.nearest_provider("plant_aa")
