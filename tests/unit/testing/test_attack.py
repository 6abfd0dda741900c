"""The attacks in short: `python -m tests.attack network 10000` goes on for longer."""

from __future__ import annotations

import pytest

from tests.attack import bodies, kills, network, reflections, statements, urls
from tests.attack.outcome import Outcome

pytestmark = pytest.mark.long


def held(outcome: Outcome) -> None:
    assert outcome.failures == [], str(outcome)
    print(outcome)


def test_bodies_that_nobody_should_send_are_rows_or_errors() -> None:
    outcome = bodies.run(150, 1)
    held(outcome)
    assert len(outcome.ends) > 1


def test_a_network_on_which_things_go_wrong_costs_no_row_in_silence() -> None:
    outcome = network.run(60, 1)
    held(outcome)
    assert outcome.ends["exact"]


def test_what_a_server_tells_back_of_credentials_is_not_shown() -> None:
    outcome = reflections.run(150, 1)
    held(outcome)
    assert len(outcome.ends) > 5


def test_kills_leave_the_old_file_or_the_new_one() -> None:
    held(kills.run(4, 1))


def test_a_url_leads_to_what_it_was_judged_to_be_or_nowhere() -> None:
    outcome = urls.run(1000, 1)
    held(outcome)
    for way in ("base", "row", "redirect", "link", "any host"):
        assert outcome.ends[f"{way} connected"]
        assert outcome.ends[f"{way} refused"]


def test_statements_that_fail_leave_nothing_behind() -> None:
    outcome = statements.run(40, 1)
    held(outcome)
    assert outcome.ends["exact"]
    assert len(outcome.ends) > 2
