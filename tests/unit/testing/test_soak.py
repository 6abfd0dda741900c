"""The soak in short: `python -m tests.soak 10` runs it for ten minutes."""

from __future__ import annotations

import pytest

from tests.soak.run import problems, soak

pytestmark = pytest.mark.long

QUERIES = 24


@pytest.mark.parametrize("seed", [1, 2])
def test_random_faults_cost_no_row_in_silence_and_leave_nothing_behind(seed: int) -> None:
    found = soak(0, seed, 0.1, least=QUERIES)
    assert problems(found, places=32) == []
    assert found.survived
    assert found.hit
