"""Checking many saved queries: shared out among processes where there are cores for it.

To bind a query is work for one core, and nothing that two queries share.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from connstat_sql.errors import Problem
from connstat_sql.files import shown
from connstat_sql.saved.check import Checker, CheckReport
from connstat_sql.saved.folders import SavedFile
from connstat_sql.saved.lint import inspect

if TYPE_CHECKING:
    from connstat_sql.engine import Engine

AT_LEAST = 50
"""So many files are worth a process of their own."""


def check_all(
    entries: Sequence[SavedFile], open_engine: Callable[[], Engine], *, cores: int | None = None
) -> CheckReport:
    """What is wrong with all of these files, by place; `open_engine` makes what they are bound by.

    `cores` is how many processes may work at a time (None: as many as the machine has cores).
    """
    count = max(1, min(cores or os.cpu_count() or 1, len(entries) // AT_LEAST))
    if "fork" not in multiprocessing.get_all_start_methods():
        count = 1
    own, *others = (entries[first::count] for first in range(count))
    begun = [_begin(share, open_engine) for share in others]
    reports = [_check(own, open_engine)]
    for share, (process, answer) in zip(others, begun, strict=True):
        with answer:
            report = _received(answer)
        process.join()
        reports.append(report or _check(share, open_engine))
    problems = {problem: None for report in reports for problem in report.problems}
    unseen = dict.fromkeys(line for report in reports for line in report.unseen)
    return CheckReport(
        tuple(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.message))),
        tuple(unseen),
    )


def _begin(
    share: Sequence[SavedFile], open_engine: Callable[[], Engine]
) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("fork")
    answer, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, share, open_engine), daemon=True)
    process.start()
    there.close()
    return process, answer


def _work(there: Connection, share: Sequence[SavedFile], open_engine: Callable[[], Engine]) -> None:
    with suppress(KeyboardInterrupt, BrokenPipeError):
        there.send(_check(share, open_engine))


def _received(answer: Connection) -> CheckReport | None:
    """What another process found; None when it ended without a word."""
    try:
        verdict: CheckReport = answer.recv()
    except (EOFError, OSError):
        return None
    return verdict


def _check(entries: Sequence[SavedFile], open_engine: Callable[[], Engine]) -> CheckReport:
    problems: list[Problem] = []
    unseen: list[str] = []
    engine: Engine | None = None
    checker: Checker | None = None
    was_enabled = gc.isenabled()
    gc.disable()  # nothing here is worth looking for, and looking takes a quarter of the time
    try:
        for entry in entries:
            faults = entry.problems
            if not faults or entry.query.params:  # else the declarations may be what is broken
                faults += inspect(entry.query)
            problems += faults
            if not faults:
                if checker is None:
                    engine = open_engine()
                    checker = Checker(engine)
                verdict = checker.check(entry.query)
                problems += verdict.problems
                file = shown(entry.query.path)
                unseen += (f"{file} was not bound: {reason}" for reason in verdict.unseen)
    finally:
        if was_enabled:
            gc.enable()
        if engine is not None:
            engine.close()
    return CheckReport(tuple(problems), tuple(unseen))
