"""The worker of a shell: one thing after the other, and none after it is closed."""

from __future__ import annotations

import threading

from connstat_sql.shell.background_engine import Worker

LONGEST = 30.0
"""Seconds after which a test has failed that would hang."""


def test_what_fails_does_not_keep_what_follows() -> None:
    worker, done = Worker(), list[str]()

    def fail() -> None:
        raise RuntimeError("not today")

    worker.do(fail)
    worker.do(lambda: done.append("next"))
    assert worker.wait(LONGEST)
    assert done == ["next"]


def test_what_has_not_begun_when_it_is_closed_is_left() -> None:
    worker, done = Worker(), list[str]()
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait(LONGEST)
        done.append("begun")

    worker.do(work)
    worker.do(lambda: done.append("queued"))
    assert begun.wait(LONGEST)
    assert not worker.close(0.0), "it is at work"
    worker.do(lambda: done.append("later"))
    end.set()
    assert worker.wait(LONGEST)
    assert done == ["begun"]


def test_what_an_act_wants_done_comes_after_what_was_wanted_before() -> None:
    worker, done, all_wanted = Worker(), list[str](), threading.Event()
    worker.do(lambda: done.append(f"wanted: {all_wanted.wait(LONGEST)}"))
    worker.do(lambda: worker.do(lambda: done.append("last")))
    worker.do(lambda: done.append("first"))
    all_wanted.set()
    assert worker.wait(LONGEST)
    assert done == ["wanted: True", "first", "last"]
