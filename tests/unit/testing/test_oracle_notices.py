"""The judge notices a rule that is broken on purpose: each breach is found out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.oracle.breaches import BREACHES, Breach, hand_made_world
from tests.oracle.judge import fill, open_judge
from tests.oracle.law import Court, Trial, Verdict
from tests.oracle.mutants import MUTANTS
from tests.tabled import over

pytestmark = pytest.mark.long

LOSING = [breach for breach in BREACHES if breach.mention]


@pytest.fixture(scope="module")
def judge() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = open_judge()
    fill(opened, hand_made_world())
    yield opened
    opened.close()


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(hand_made_world())


def answers(judge: duckdb.DuckDBPyConnection, breach: Breach, sql: str) -> list[str]:
    for statement in breach.setup:
        judge.execute(statement)
    limit = f" LIMIT {breach.limit}" if breach.limit >= 0 else ""
    found = judge.execute(sql + limit).fetchall()
    for statement in breach.undo:
        judge.execute(statement)
    return sorted(map(repr, found))


def tried(court: Court, breach: Breach) -> Trial:
    return court.try_query(breach.query)


def is_error(trial: Trial) -> bool:
    """Whether a query failed, instead of giving another answer or sending more requests."""
    return trial.why.startswith("crash") or trial.why[:1].isupper()


@over("breach", LOSING, ids=lambda breach: breach.name)
def test_the_query_tells_a_broken_rule_from_a_kept_one(
    judge: duckdb.DuckDBPyConnection, breach: Breach
) -> None:
    assert answers(judge, breach, breach.sql) != answers(judge, breach, breach.broken)


@over("breach", BREACHES, ids=lambda breach: breach.name)
def test_the_kept_rules_agree_or_refuse(court: Court, breach: Breach) -> None:
    trial = tried(court, breach)
    kept = Verdict.REFUSED if breach.is_refused else Verdict.AGREED
    assert trial.verdict is kept, trial.why


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
def test_a_broken_rule_is_found_out(court: Court, breach: Breach, tmp_path: Path) -> None:
    broken = Court(tmp_path, MUTANTS[breach.name].engine, beside=court)
    try:
        trial = tried(broken, breach)
        assert trial.verdict is Verdict.WRONG
        assert not is_error(trial), trial.why
    finally:
        broken.close()


def test_every_breach_has_a_name_of_its_own_and_is_brought_about() -> None:
    names = [breach.name for breach in BREACHES]
    assert len(set(names)) == len(names)
    assert set(MUTANTS) == set(names)
