"""Times that Python cannot hold come as texts, in every form that a row takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
from click.testing import CliRunner

import connstat_sql
from connstat_sql.api import LiveDatabase
from connstat_sql.cli import root
from tests.tabled import over


@pytest.fixture(scope="module")
def con() -> Iterator[LiveDatabase]:
    with connstat_sql.connect(connections={}) as opened:
        yield opened


VALUES = (
    ("DATE '12000-01-01'", "12000-01-01"),
    ("TIMESTAMPTZ '12000-01-01 10:00:00+00'", "12000-01-01T10:00:00Z"),
    ("TIMESTAMP '290000-01-01 10:00:00.5'", "290000-01-01T10:00:00.5"),
    ("TIMESTAMP_S '12000-01-01'", "12000-01-01T00:00:00"),
    ("DATE '0044-03-15 (BC)'", "0044-03-15 (BC)"),
    ("TIMESTAMP 'infinity'", "infinity"),
    ("DATE '-infinity'", "-infinity"),
    ("[DATE '12000-01-01', NULL]", ["12000-01-01", None]),
    ("{'date': DATE '12000-01-01', 'x y': 1}", {"date": "12000-01-01", "x y": 1}),
    ("union_value(d := DATE '12000-01-01')", "12000-01-01"),
    ("[union_value(at := TIMESTAMP '12000-01-01')]", ["12000-01-01T00:00:00"]),
    ("TIME '24:00:00'", "24:00:00"),
    (
        "{'a': [TIME '24:00:00', NULL], 'b': DATE '12000-01-01'}",
        {"a": ["24:00:00", None], "b": "12000-01-01"},
    ),
    ("[{'at': [TIMESTAMPTZ '12000-01-01 00:00:00+00']}]", [{"at": ["12000-01-01T00:00:00Z"]}]),
)


@over(("sql", "value"), VALUES)
def test_a_time_beyond_the_years_of_python_is_a_text(
    con: LiveDatabase, sql: str, value: object
) -> None:
    assert con.sql(f"SELECT {sql} AS a, 1 AS b").fetchall() == [(value, 1)]
    assert con.cursor().execute(f"SELECT {sql}").fetchone() == (value,)


@over(("sql", "value"), VALUES)
def test_json_says_it_too(sql: str, value: object) -> None:
    for format_ in ("json", "jsonl"):
        answer = CliRunner().invoke(root, ["query", "-F", format_, f"SELECT {sql} AS a"])
        assert answer.exit_code == 0, answer.stderr
        found = json.loads(answer.stdout)
        assert (found[0] if format_ == "json" else found) == {"a": value}


def test_other_times_of_a_day_are_those_of_python(con: LiveDatabase) -> None:
    sql = "SELECT unnest([TIME '00:00:00', '23:59:59.999999', '24:00:00', NULL]) AS t, [t] AS l"
    assert con.sql(sql).fetchall() == [
        (time(0), [time(0)]),
        (time.max, [time.max]),
        ("24:00:00", ["24:00:00"]),
        (None, [None]),
    ]


def test_its_neighbours_are_what_they_always_are(con: LiveDatabase) -> None:
    found = con.sql(
        "FROM (VALUES (DATE '12000-01-01'), (DATE '2024-02-03'), (NULL)) AS t(a)"
    ).fetchall()
    assert found == [("12000-01-01",), (date(2024, 2, 3),), (None,)]
    [(moment,)] = con.sql("SELECT TIMESTAMPTZ '2024-02-03 00:00:00+00'").fetchall()
    assert moment == datetime(2024, 2, 3, tzinfo=UTC)
