"""Bounds that reach an API: what is sent of `>=`, BETWEEN and their like; no row is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from connstat_sql import connect
from connstat_sql.api import LiveDatabase
from connstat_sql.planner import as_text
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of, problems_of

SERVICE = """service: s
resources:
  t:
    description: What has happened
    columns:
      id: BIGINT
      createdAt: TIMESTAMPTZ
      told: {type: TIMESTAMPTZ, format: epoch}
      local: TIMESTAMP
      day: DATE
      born: {type: DATE, format: "%d.%m.%Y"}
      seen: {type: TIMESTAMPTZ, path: createdAt}
      ok: {type: BOOLEAN, true_values: ["Y"], false_values: ["N", "no"]}
    methods:
      list:
        path: /t
        filters:
          id: {gt: above, lte: {query: max, value: "le:{value}"}}
          createdAt: {gte: since, lt: before}
          told: {gte: "told[gte]", lte: "told[lte]"}
          local: {gte: from_local, lte: to_local, format: "%Y-%m-%d"}
          day: {gte: first_day, lt: next_day}
          born: {query: born, gt: born_after}
          ok: ok
          seen: seen
"""
START = datetime(2026, 3, 28, 20, 0, tzinfo=timezone.utc)


def rows() -> list[dict[str, Any]]:
    """A row every 97 minutes and some, over the hours in which European clocks move."""
    found: list[dict[str, Any]] = []
    for n in range(60):
        at = START + timedelta(minutes=97 * n, microseconds=n % 3)
        told = {"createdAt": at.isoformat(), "local": at.replace(tzinfo=None).isoformat()}
        day = {"day": at.date().isoformat(), "born": at.strftime("%d.%m.%Y")}
        found.append({"id": n, **told, **day, "told": int(at.timestamp()), "ok": "YN"[n % 2]})
    return [*found, {"id": 99}]


ROWS = rows()


def _answer(request: httpx.Request) -> httpx.Response:
    """Answers within the bounds that are asked for, no more; NULL is within none."""
    asked = dict(request.url.params)
    wanted = [row for row in ROWS if all(_fits(row, key, asked[key]) for key in asked)]
    return httpx.Response(200, content=json.dumps(wanted))


KEYS = {
    "above": "id", "max": "id", "since": "createdAt", "before": "createdAt", "ok": "ok",
    "seen": "createdAt",
    "told[gte]": "told", "told[lte]": "told", "from_local": "local", "to_local": "local",
    "first_day": "day", "next_day": "day", "born": "born", "born_after": "born",
}  # fmt: skip


def _fits(row: dict[str, Any], key: str, value: str) -> bool:
    name = KEYS[key]
    if row.get(name) is None:
        return False
    if key == "seen":
        return bool(_ordered(row[name]) == _ordered(value))
    if key in ("born", "ok"):
        return bool(row[name] == value)
    own, other = _ordered(row[name]), _ordered(value.removeprefix("le:"))
    if key in ("above", "born_after"):
        return bool(own > other)
    if key in ("before", "next_day"):
        return bool(own < other)
    return bool(own <= other if key in ("max", "told[lte]", "to_local") else own >= other)


def _ordered(value: Any) -> Any:
    text = str(value)
    if text.isdigit():
        return int(text)
    if text[2:3] == ".":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveDatabase, list[str]]]:
    asked: list[str] = []

    def noted(request: httpx.Request) -> httpx.Response:
        asked.append(str(httpx.QueryParams(request.url.params)))
        return _answer(request)

    folder = folder_of(tmp_path_factory.mktemp("bounds"), {"s.yaml": SERVICE})
    opened = connect(
        connections={"p": {"provider": "p"}},
        providers=[folder],
        environment={},
        transport=httpx.MockTransport(noted),
    )
    with opened as live:
        live.sql("CREATE TEMP TABLE copy AS SELECT * FROM p.s.t").fetchall()
        yield live, asked


def sent(database: tuple[LiveDatabase, list[str]], where: str, arguments: Any = None) -> str:
    """The query string of the one request, once the answer has been held to the copy's."""
    live, asked = database
    asked.clear()
    found = live.sql(f"SELECT id FROM p.s.t WHERE {where} ORDER BY id", arguments).fetchall()
    requests = [*asked]
    copied = live.sql(f"SELECT id FROM copy WHERE {where} ORDER BY id", arguments).fetchall()
    assert found == copied
    assert len(requests) == 1
    return requests[0]


SENT: list[tuple[str, dict[str, str]]] = [
    ("createdAt >= TIMESTAMPTZ '2026-03-29 01:30:00+02'", {"since": "2026-03-28T23:29:59Z"}),
    ("createdAt > '2026-03-29 01:30:00.5+00'", {"since": "2026-03-29T01:29:59Z"}),
    ("'2026-03-29 01:30:00+00' <= createdAt", {"since": "2026-03-29T01:29:59Z"}),
    ("createdAt <= TIMESTAMPTZ '2026-03-29 01:30:00+00'", {"before": "2026-03-29T01:30:01Z"}),
    ("createdAt < TIMESTAMPTZ '2026-03-29 01:30:00.25+00'", {"before": "2026-03-29T01:30:02Z"}),
    ("createdAt BETWEEN '2026-03-29' AND '2026-03-30'",
     {"since": "2026-03-28T23:59:59Z", "before": "2026-03-30T00:00:01Z"}),
    ("createdAt >= DATE '2026-03-29' - INTERVAL 2 HOUR", {"since": "2026-03-28T21:59:59Z"}),
    ("NOT createdAt < '2026-03-29'", {"since": "2026-03-28T23:59:59Z"}),
    ("createdAt > '2026-03-30' OR createdAt = '2026-03-29 00:00:00+00'",
     {"since": "2026-03-28T23:59:59Z"}),
    ("createdAt > '2026-03-30' OR id = 5", {}),
    ("createdAt > '2026-03-30' OR false", {"since": "2026-03-29T23:59:59Z"}),
    ("createdAt > '2026-03-29' AND createdAt >= '2026-03-30' AND createdAt < 'infinity'",
     {"since": "2026-03-29T23:59:59Z"}),
    ("coalesce(createdAt, '2026-01-01') < '2026-03-29'", {}),
    ("createdAt::DATE = '2026-03-29'",
     {"since": "2026-03-27T23:59:59Z", "before": "2026-03-31T00:00:01Z"}),
    ("CAST(createdAt AS DATE) >= '2026-03-30'", {"since": "2026-03-28T23:59:59Z"}),
    ("CAST(createdAt AS VARCHAR) >= '2026-03-30'", {}),
    ("createdAt IS NULL OR createdAt > '2026-03-30'", {}),
    ("told >= '2026-03-29 00:00:00.5+00'", {"told[gte]": "1774742399"}),
    ("told IN (to_timestamp(1774728000), to_timestamp(1774739640))",
     {"told[gte]": "1774727999", "told[lte]": "1774739641"}),
    ("local >= '2026-03-29 12:00:00' AND local <= '2026-03-29 13:00:00'",
     {"from_local": "2026-03-28", "to_local": "2026-03-31"}),
    ("local >= TIMESTAMPTZ '2026-03-29 12:00:00+00'", {}),
    ("day >= '2026-03-29' AND day <= '2026-03-30'",
     {"first_day": "2026-03-29", "next_day": "2026-03-31"}),
    ("day > '2026-03-29' AND day < '2026-03-31'",
     {"first_day": "2026-03-30", "next_day": "2026-03-31"}),
    ("day > TIMESTAMP '2026-03-29 12:00:00'", {"first_day": "2026-03-29"}),
    ("day = '2026-03-29'", {"first_day": "2026-03-29", "next_day": "2026-03-30"}),
    ("born = '2026-03-29'", {"born": "29.03.2026"}),
    ("born >= '2026-03-30'", {"born_after": "29.03.2026"}),
    ("id > 57", {"above": "57"}),
    ("id BETWEEN 57 AND 58", {"above": "56", "max": "le:58"}),
    ("id >= 56.5", {"above": "55"}),
    ("id < 2.5", {"max": "le:2"}),
    ("id > 3 AND id < 5", {"above": "3", "max": "le:4"}),
    ("id IN (4, 9, 7)", {"above": "3", "max": "le:9"}),
    ("id >= 57e0", {}),
    ("id > (SELECT 57)", {"above": "57"}),
    ("ok", {"ok": "Y"}),
    ("seen = '2026-03-28 23:14:00+01'", {"seen": "2026-03-28T22:14:00Z"}),
    ("seen = '2026-03-28 22:14:00.000001'", {"seen": "2026-03-28T22:14:00.000001Z"}),
    ("NOT ok", {}),  # which has two words
]  # fmt: skip


@over(("where", "expected"), SENT)
def test_bounds_are_sent_rounded_towards_more_rows(
    database: tuple[LiveDatabase, list[str]], where: str, expected: dict[str, str]
) -> None:
    assert dict(httpx.QueryParams(sent(database, where))) == expected


def test_a_value_of_the_statement_is_a_bound_like_another(
    database: tuple[LiveDatabase, list[str]],
) -> None:
    since = datetime(2026, 3, 30, 2, tzinfo=timezone(timedelta(hours=2)))
    assert sent(database, "createdAt >= $since", {"since": since}) == (
        "since=2026-03-29T23%3A59%3A59Z"
    )


TEXTS = (
    "'2026-03-29 02:30:00'", "DATE '2026-03-29'", "TIMESTAMP '2026-03-29 01:59:59.999999'",
    "TIMESTAMPTZ '2026-03-29 03:00:00+02'",
)  # fmt: skip


def _compare(database: tuple[LiveDatabase, list[str]], zone: str, texts: Sequence[str]) -> None:
    live, _ = database
    live.sql(f"SET TimeZone = '{zone}'")
    try:
        for text in texts:
            for column in ("createdAt", "told", "local", "day", "createdAt::DATE"):
                for sign in (">=", "<", "=", ">", "<=")[: 2 if len(texts) == 1 else 5]:
                    sent(database, f"{column} {sign} {text}")
    finally:
        live.sql("SET TimeZone = 'UTC'")


@over(("zone", "text"), [("Europe/Berlin", TEXTS[0]), ("Pacific/Kiritimati", TEXTS[1])])
def test_no_row_is_lost_in_a_time_zone(
    database: tuple[LiveDatabase, list[str]], zone: str, text: str
) -> None:
    _compare(database, zone, [text])


@pytest.mark.long
@over("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"])
def test_no_row_is_lost_in_any_time_zone(
    database: tuple[LiveDatabase, list[str]], zone: str
) -> None:
    _compare(database, zone, TEXTS)


def test_two_readings_of_a_table_are_asked_for_what_both_want(
    database: tuple[LiveDatabase, list[str]],
) -> None:
    live, asked = database
    asked.clear()
    both = (
        "SELECT count(*) FROM p.s.t WHERE id > 50 UNION ALL "
        "SELECT count(*) FROM p.s.t WHERE id > 40 AND id < 45"
    )
    assert live.sql(both).fetchall() == [(10,), (4,)]
    assert asked in (["above=40"], ["above=50", "above=40&max=le%3A44"])


def test_the_plan_tells_what_is_passed_on(database: tuple[LiveDatabase, list[str]]) -> None:
    live, _ = database
    plan = live.explain("SELECT id FROM p.s.t WHERE id > 57")
    assert plan is not None
    told = as_text(plan)
    assert "id passed on as above = 57 (inexact)" in told


@over(
    ("filters", "problem"),
    [
        ("{name: {gte: since}}",
         "`name` is VARCHAR: only times, dates and whole numbers have bounds"),
        ("{at: {gte: a, gt: b}}", "`gte` and `gt` say the same twice (leave one out)"),
        ("{at: {gte: {query: a, value: x}}}",
         "`x` does not hold the value alone (write it as {value})"),
        ("{at: {gte: a, format: '%Q'}}", "`%Q` cannot be in a format"),
        ("{at: {format: epoch}}", "names no key (`query`, `body`, `gte`, `gt`, `lte` or `lt`)"),
        ("{at: {gte: a, several: comma}}", "`several` says nothing without `query`"),
        ("{at: {since: a}}", "unknown key `since` (did you mean `gte`?"),
        ("{at: {before: a}}", "unknown key `before` (did you mean `lt`?)"),
        ("{n: {gte: a, format: epoch}}",
         "`format` needs the type TIMESTAMPTZ, TIMESTAMP or DATE"),
        ("{local: {gte: a, format: '%Y-%m-%d %H:%M'}}",
         "`%Y-%m-%d %H:%M` would be sent in UTC, and the times are of Asia/Tokyo"),
    ],
)  # fmt: skip
def test_bounds_that_cannot_be_are_found_with_their_line(
    tmp_path: Path, filters: str, problem: str
) -> None:
    text = (
        "service: s\nresources:\n  t:\n    description: d\n"
        "    columns: {name: VARCHAR, at: TIMESTAMPTZ, n: INTEGER, "
        "local: {type: TIMESTAMPTZ, timezone: Asia/Tokyo}}\n"
        f"    methods:\n      list:\n        path: /t\n        filters: {filters}\n"
    )
    found = problems_of(tmp_path, {"s.yaml": text})
    assert found[0].startswith(f"s.yaml:9: {problem}"), found
