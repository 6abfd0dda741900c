"""The one law, over random worlds and random queries (see `tests/oracle`)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.law import SHARED, Court, Verdict
from tests.oracle.pieces import Query

EXAMPLES = int(os.environ.get("CONNSTAT_ORACLE", "6"))
QUERIES = 8
"""Of each world."""
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@bounded
@given(world=st.integers(0, 2**24))
def test_an_answer_is_what_duckdb_gives_over_full_copies_or_nothing_was_sent(
    court: Court, world: int
) -> None:
    for seed in range(world * SHARED, world * SHARED + QUERIES):
        trial = court.try_seed(seed)
        told = f"--replay {seed}: {trial.why}\n{trial.query.sql}"
        assert trial.verdict is not Verdict.WRONG, told


def test_most_random_queries_are_sql_and_answered(court: Court) -> None:
    """Otherwise the law would be kept by refusing."""
    verdicts = [court.try_seed(seed).verdict for seed in range(2 * SHARED)]
    assert Verdict.WRONG not in verdicts
    assert 3 * verdicts.count(Verdict.AGREED) > 2 * len(verdicts)


def test_a_bound_is_justified_by_the_day_that_is_said_or_the_one_before(court: Court) -> None:
    """`before` does not include its own day, so that it is the one after the last that is said."""
    said = frozenset({"7", "de", "2026-03-04", "2026-03-09"})
    days = "DATE '2026-03-04', DATE '2026-03-09'"
    sql = f"SELECT label FROM zoo.w.codes WHERE code = 7 AND lang = 'de' AND day IN ({days})"
    assert court.try_query(Query(sql, said=said)).verdict is Verdict.AGREED
    assert any("before=2026-03-10" in url for url in court.world.asked)
    trial = court.try_query(Query(sql, said=said - {"2026-03-09"}))
    assert trial.verdict is Verdict.WRONG
    assert trial.why.startswith("not justified")
