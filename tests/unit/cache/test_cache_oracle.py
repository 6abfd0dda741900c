"""The one law holds when rows of earlier statements answer (see `tests/oracle`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.values import Arguments
from connstat_sql.engine.live import LiveTables
from connstat_sql.result import Options, Result
from tests.oracle.law import SHARED, Court, Verdict

pytestmark = pytest.mark.long

QUERIES = 48


class Aged(LiveTables):
    """Live tables that take rows of any age."""

    def run(self, piece: SqlStatement, arguments: Arguments, options: Options) -> Result | None:
        return super().run(piece, arguments, replace(options, max_age=1e9))


@pytest.fixture(scope="module")
def court_kind() -> type[LiveTables]:
    return Aged


def test_no_kept_row_makes_an_answer_wrong(court: Court) -> None:
    wrong, sent, answered = [], 0, 0
    for seed in range(70_000, 70_000 + QUERIES):
        if seed % SHARED == 0:
            list(court.engine.run("REFRESH"))  # what follows is asked of another world
        trial = court.try_seed(seed)
        sent += trial.requests
        answered += trial.verdict is Verdict.AGREED
        if trial.verdict is Verdict.WRONG:
            wrong.append(f"{seed}: {trial.why}")
    assert wrong == []
    assert answered > QUERIES / 2
    assert sent < 2 * QUERIES
