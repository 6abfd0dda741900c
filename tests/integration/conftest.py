"""The real Kafka, started once per test run; skipped or required when it cannot start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.java import fetch_jars, libs_folder, missing_tools
from tests.integration.kafka import RealKafka

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.integration)


def is_required(environment: Mapping[str, str]) -> bool:
    """Say whether a missing tool is a failure: in CI, or when asked for."""
    return environment.get("CI") == "true" or environment.get("CONNSTAT_REQUIRE_INTEGRATION") == "1"


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    """The running broker and workers, shared by all tests of the run."""
    missing = missing_tools(os.environ)
    if missing is not None:
        if is_required(os.environ):
            pytest.fail(f"the integration tests are required here, but {missing}")
        pytest.skip(missing)
    were_here = libs_folder(os.environ).exists()  # so they are used again, and worth a record
    libs = fetch_jars(os.environ)
    folder = tmp_path_factory.mktemp("kafka")
    with RealKafka(folder, libs, is_recorded=were_here) as running:
        yield running
