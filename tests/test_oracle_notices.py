"""The judge notices a rule that is broken on purpose: each breach is found out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.oracle.breaches import BREACHES, Breach, hand_made_world
from tests.oracle.judge import fill, open_judge
from tests.oracle.law import Court, Verdict
from tests.oracle.mutants import MUTANTS, broken

LOSING = [breach for breach in BREACHES if breach.mention]


@pytest.fixture(scope="module")
def judge() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = open_judge()
    fill(opened, hand_made_world())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    opened = Court(tmp_path_factory.mktemp("zoo"))
    opened.enter(hand_made_world())
    yield opened
    opened.close()


def answers(judge: duckdb.DuckDBPyConnection, breach: Breach, sql: str) -> list[str]:
    for statement in breach.setup:
        judge.execute(statement)
    limit = f" LIMIT {breach.limit}" if breach.limit >= 0 else ""
    return sorted(map(repr, judge.execute(sql + limit).fetchall()))


@pytest.mark.parametrize("breach", LOSING, ids=lambda breach: breach.name)
def test_the_query_tells_a_broken_rule_from_a_kept_one(
    judge: duckdb.DuckDBPyConnection, breach: Breach
) -> None:
    assert answers(judge, breach, breach.sql) != answers(judge, breach, breach.broken)


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
def test_the_kept_rules_agree(court: Court, breach: Breach) -> None:
    trial = court.try_query(breach.query)
    assert trial.verdict is Verdict.AGREED, trial.why


@pytest.mark.parametrize(
    "breach", [one for one in BREACHES if one.name in MUTANTS], ids=lambda breach: breach.name
)
def test_a_broken_rule_is_found_out(breach: Breach, tmp_path: Path) -> None:
    court = Court(tmp_path, broken(MUTANTS[breach.name]))
    court.enter(hand_made_world())
    try:
        assert court.try_query(breach.query).verdict is Verdict.WRONG
    finally:
        court.close()


def test_every_breach_has_a_name_of_its_own() -> None:
    names = [breach.name for breach in BREACHES]
    assert len(set(names)) == len(names)
    assert set(MUTANTS) <= set(names)
