"""The one law, over random worlds and random queries (see `tests/oracle`)."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.law import Court, Verdict

EXAMPLES = int(os.environ.get("CONNSTAT_ORACLE", "80"))
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    opened = Court(tmp_path_factory.mktemp("zoo"))
    yield opened
    opened.close()


@bounded
@given(seed=st.integers(0, 2**32))
def test_an_answer_is_what_duckdb_gives_over_full_copies_or_nothing_was_sent(
    court: Court, seed: int
) -> None:
    trial = court.try_random(random.Random(seed))
    assert trial.verdict is not Verdict.WRONG, f"{trial.why}\n{trial.query.sql}"


def test_most_random_queries_are_answered(court: Court) -> None:
    """Otherwise the law would be kept by refusing."""
    verdicts = [court.try_random(random.Random(seed)).verdict for seed in range(40)]
    assert verdicts.count(Verdict.AGREED) > 20
