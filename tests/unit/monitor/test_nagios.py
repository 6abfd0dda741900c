"""Rows are judged as monitoring plug-ins judge numbers, and told in their words."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from connstat_sql.monitor.nagios import (
    Outcome,
    ServiceState,
    Thresholds,
    metrics,
    range_of,
    report,
    status_of,
)
from connstat_sql.saved import Severity

ANY = Thresholds.of(None, None, Severity.CRITICAL)
FOUND = Outcome(
    "failed-tasks", ServiceState.CRITICAL, ANY, 3, ("name=orders task=0", "name=bills task=1"),
    requests=12, seconds=0.4137, at=1_800_000_000.25,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fine", "problems"),
    [
        ("10", [0, 10], [-1, 11]),
        ("0", [0], [1]),
        ("10:", [10, 10**9], [9, 0]),
        ("~:10", [-5, 10], [11]),
        ("10:20", [10, 20], [9, 21]),
        ("@10:20", [9, 21], [10, 20]),
        ("@0", [1], [0]),
        (":5", [0, 5], [6]),
        ("2.5", [2], [3]),
        ("~:", [-1, 10**9], []),
    ],
)
def test_a_range_means_what_it_means_to_plug_ins(
    text: str, fine: list[int], problems: list[int]
) -> None:
    assert [range_of(text).alerts(number) for number in fine] == [False] * len(fine)
    assert [range_of(text).alerts(number) for number in problems] == [True] * len(problems)


@pytest.mark.parametrize("text", ["", "@", ":", "x", "10:x", "1,5", "10:20:30", "~10", "1e3", "~"])
def test_what_is_no_range_is_answered_with_one(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("write it like 10, 10:, ~:10, 10:20 or @10:20")):
        range_of(text)


def test_a_range_does_not_begin_above_its_end() -> None:
    with pytest.raises(ValueError, match="begins above its end"):
        range_of("20:10")


_ends = st.integers(0, 30)
_ranges = st.one_of(
    _ends.map(str), _ends.map("{}:".format), _ends.map("~:{}".format), _ends.map("@{}:".format),
    st.tuples(_ends, _ends).map(sorted).map(lambda ends: "{}:{}".format(*ends)),
    st.tuples(_ends, _ends).map(sorted).map(lambda ends: "@{}:{}".format(*ends)),
)  # fmt: skip


@given(_ranges, st.integers(0, 40))
def test_what_is_a_problem_from_a_number_on_is_one_for_all_above(text: str, rows: int) -> None:
    limit = range_of(text)
    above = all(limit.alerts(number) for number in range(rows, 100))
    assert limit.alerts_from(rows) == (above and limit.alerts(math.inf))


@given(st.none() | _ranges, st.none() | _ranges, st.integers(0, 40), st.integers(0, 40))
def test_an_incomplete_result_is_never_ok_and_never_worse_than_the_whole(
    warning: str | None, critical: str | None, rows: int, missing: int
) -> None:
    limits = Thresholds(warning and range_of(warning), critical and range_of(critical))  # type: ignore[arg-type]
    found = status_of(rows, limits, complete=False)
    assert found is not ServiceState.OK
    if found is not ServiceState.UNKNOWN:
        assert found <= status_of(rows + missing, limits, complete=True)


@pytest.mark.parametrize(
    ("severity", "rows", "complete", "status"),
    [
        (Severity.CRITICAL, 0, True, ServiceState.OK),
        (Severity.CRITICAL, 1, True, ServiceState.CRITICAL),
        (Severity.WARNING, 1, True, ServiceState.WARNING),
        (Severity.WARNING, 0, False, ServiceState.UNKNOWN),
        (Severity.WARNING, 1, False, ServiceState.WARNING),
        (Severity.CRITICAL, 1, False, ServiceState.CRITICAL),
    ],
)
def test_any_row_is_as_bad_as_the_query_says(
    severity: Severity, rows: int, complete: bool, status: ServiceState
) -> None:
    assert status_of(rows, Thresholds.of(None, None, severity), complete=complete) is status


def test_thresholds_that_are_given_are_the_only_ones() -> None:
    limits = Thresholds.of(range_of("5"), None, Severity.CRITICAL)
    assert status_of(100, limits, complete=True) is ServiceState.WARNING


def test_too_few_rows_of_an_incomplete_result_are_unknown() -> None:
    limits = Thresholds(critical=range_of("10:"))
    assert status_of(3, limits, complete=True) is ServiceState.CRITICAL
    assert status_of(3, limits, complete=False) is ServiceState.UNKNOWN


# --- the plug-in's lines --------------------------------------------------------------------------


def test_the_report_is_a_line_with_perfdata_and_then_rows() -> None:
    assert report(FOUND) == (
        "CONNSTAT CRITICAL - failed-tasks: 3 rows (name=orders task=0; name=bills task=1; ...)"
        " | rows=3;;0;0 requests=12 seconds=0.41s\n"
        "name=orders task=0\nname=bills task=1\nand 1 more row\n"
    )


def test_the_report_says_what_is_missing() -> None:
    wrong = ("plant_b: answered 503", "plant_c: refused")
    lines = report(replace(FOUND, failures=wrong)).splitlines()
    assert "; ...), incomplete: plant_b: answered 503 | rows=3" in lines[0]
    assert lines[-1] == "plant_c: refused"


def test_what_was_not_found_out_has_no_perfdata() -> None:
    unknown = Outcome(
        "failed-tasks", ServiceState.UNKNOWN, ANY, failures=("no such query", "hint: look")
    )
    assert report(unknown) == "CONNSTAT UNKNOWN - failed-tasks: no such query\nhint: look\n"


@given(st.lists(st.text(), max_size=4), st.text())
def test_a_bar_in_a_row_or_a_line_break_never_reaches_perfdata(rows: list[str], why: str) -> None:
    outcome = replace(FOUND, rows=len(rows), shown=tuple(rows), failures=(why,))
    lines = report(outcome).removesuffix("\n").split("\n")
    head, bar, perfdata = lines[0].partition("|")
    assert bar
    assert re.fullmatch(r" rows=\d+;;0;0 requests=12 seconds=0\.41s", perfdata)
    assert all("|" not in line and line.isprintable() for line in (head, *lines[1:]))
    assert len(head) < 600


# --- metrics --------------------------------------------------------------------------------------


def read(text: str) -> dict[str, tuple[dict[str, str], float]]:
    families = list(text_string_to_metric_families(text))
    assert all(one.type == "gauge" and one.documentation for one in families)
    return {one.name: (one.samples[0].labels, one.samples[0].value) for one in families}


def test_the_metrics_are_read_by_prometheus() -> None:
    labels = {"query": "failed-tasks"}
    assert read(metrics(FOUND)) == {
        "connstat_check_rows": (labels, 3.0),
        "connstat_check_status": (labels, 2.0),
        "connstat_check_complete": (labels, 1.0),
        "connstat_check_requests": (labels, 12.0),
        "connstat_check_duration_seconds": (labels, 0.4137),
        "connstat_check_timestamp_seconds": (labels, 1_800_000_000.25),
    }


def test_what_was_not_found_out_has_no_rows_and_is_not_complete() -> None:
    found = read(metrics(Outcome("q", ServiceState.UNKNOWN, ANY, failures=("refused",))))
    assert "connstat_check_rows" not in found
    assert found["connstat_check_status"][1] == 3
    assert found["connstat_check_complete"][1] == 0


@given(
    st.text().filter(lambda name: "\r" not in name),
    st.dictionaries(st.sampled_from("ab"), st.text()),
)
def test_any_name_and_argument_is_a_label(name: str, arguments: dict[str, str]) -> None:
    found = read(metrics(replace(FOUND, query=name, arguments=arguments)))
    labels, _ = found["connstat_check_rows"]
    assert labels["query"] == name
    assert ("arguments" in labels) == bool(arguments)


def samples(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def test_a_row_has_a_series_of_its_own_that_an_alert_can_be_routed_by() -> None:
    keys = ({"name": 'a "b"\\\n', "task_id": "0"}, {"name": "c"})
    text = metrics(replace(FOUND, query="q", rows=7, keys=keys, arguments=None))
    assert samples(text, "connstat_check_row") == [
        ({"query": "q", "name": 'a "b"\\\n', "task_id": "0"}, 1),
        ({"query": "q", "name": "c"}, 1),
    ]
    assert samples(text, "connstat_check_rows_left_out") == [({"query": "q"}, 5)]


def test_rows_of_one_key_are_one_series_with_their_number() -> None:
    longest = "x" * 300
    text = metrics(replace(FOUND, keys=({"a": longest + "1"}, {"a": longest + "2"})))
    ((labels, count),) = samples(text, "connstat_check_row")
    assert (len(labels["a"]), count) == (200, 2)


def test_any_column_is_the_name_of_a_label() -> None:
    columns = ["query", "arguments", "2nd", "__x", "_x", "a b", "a-b", "ä", ""]
    text = metrics(replace(FOUND, keys=({name: f"value of {name}" for name in columns},)))
    ((labels, _),) = samples(text, "connstat_check_row")
    assert {f"value of {name}" for name in columns} <= {*labels.values()}
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in labels)
    assert not [name for name in labels if name.startswith("__")]
