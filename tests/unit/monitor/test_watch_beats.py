"""Durations are read as people write them, and beats keep to their grid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connstat_sql.config.durations import in_words, seconds_of
from connstat_sql.monitor.schedule import beats
from tests.fakes.watched import FastPace


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("1d", 86400), ("1.5h", 5400),
        (" 1H 30M ", 5400), ("1m500ms", 60.5),
        ("60", 60), (" 0.5 ", 0.5),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write it like 60s, 5m, 1h30m or 500ms"),
        ("soon", "write it like 60s"),
        ("-5s", "write it like 60s"),
        ("0s", "not between nothing and 366d"),
        ("400d", "not between nothing and 366d"),
        ("30m1h", "each unit once, the longest first, like 1h30m"),
        ("5m5m", "each unit once"),
        ("٣s", "write it like 60s"),
    ],
)
def test_what_is_no_duration_is_answered_with_one(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        seconds_of(text)


@given(st.integers(1, 86400 * 366))
def test_a_duration_in_words_is_read_back(seconds: int) -> None:
    assert seconds_of(in_words(seconds)) == seconds


def test_a_month_of_beats_does_not_drift() -> None:
    pace = FastPace(lag=0.25)
    starts = [pace.passed for _ in beats(60, pace, 30 * 24 * 60)]
    assert starts[1:] == [60.0 * n + 0.25 for n in range(1, 30 * 24 * 60)]


def test_a_slow_run_leaves_beats_out_and_keeps_to_the_grid() -> None:
    pace, starts, missed = FastPace(), [], []
    for left_out in beats(10, pace, 5):
        starts.append(pace.passed)
        missed.append(left_out)
        pace.passed += 25 if len(starts) == 2 else 1
    assert starts == [0, 10, 40, 50, 60]
    assert missed == [0, 0, 2, 0, 0]


def test_a_run_as_long_as_a_beat_is_followed_by_the_next_but_one() -> None:
    pace, starts = FastPace(), []
    for _ in beats(10, pace, 3):
        starts.append(pace.passed)
        pace.passed += 10
    assert starts == [0, 20, 40]


def test_one_run_is_not_waited_for() -> None:
    pace = FastPace()
    assert list(beats(60, pace, 1)) == [0]
    assert pace.waits == []


@given(st.floats(0.001, 1e6), st.lists(st.floats(0, 1e7), min_size=1, max_size=20))
def test_beats_only_go_forward_and_never_overlap(every: float, runs: list[float]) -> None:
    pace, ended, beat = FastPace(), -1.0, -1
    for left_out, seconds in zip(beats(every, pace, len(runs)), runs, strict=True):
        assert pace.passed >= ended
        assert left_out >= 0
        beat += left_out + 1
        assert pace.passed == pytest.approx(beat * every, rel=1e-6, abs=1e-9)
        pace.passed += seconds
        ended = pace.passed
