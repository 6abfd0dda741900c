"""Values that an API writes in its own way: times as numbers, words for NULL, words for truth."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.definitions.loader.types import parse_type
from connstat_sql.definitions.model import Mismatch, RowsPath, Spelling
from connstat_sql.errors import UnexpectedShape
from tests.tabled import over
from tests.unit.decode.test_decode import DUCKDB, decode
from tests.unit.definitions.test_loader import SERVICE, problems_of


def field(
    of: str, spelling: Spelling | None, name: str = "c", mismatch: str = "error"
) -> FieldLayout:
    return FieldLayout(name, parse_type(of), ("c",), Mismatch(mismatch), spelling=spelling)


def value(of: str, spelling: Spelling, text: str, mismatch: str = "error") -> Any:
    reader = RowReader(RowsPath(), [field(of, spelling, mismatch=mismatch)])
    return decode(reader, f'[{{"c":{text}}}]'.encode())[0][0]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


EPOCH, MILLIS = Spelling(("epoch",)), Spelling(("epoch_ms",))
LOG = Spelling(("%d/%b/%Y:%H:%M:%S %z",))
NEVER = Spelling(("epoch",), nulls=("", "0", "-1"))
ABSENT = Spelling(nulls=("", "N/A", "0001-01-01T00:00:00Z"))
YES = Spelling(trues=("yes", "1"), falses=("no", "0"))
BERLIN = Spelling(timezone="Europe/Berlin")
MIXED = Spelling(("epoch", "iso8601", "%Y-%m-%d %H:%M:%S.%f"), timezone="America/New_York")
READ: list[tuple[str, Spelling, str, Any]] = [
    ("TIMESTAMPTZ", EPOCH, "1700000001", utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", EPOCH, '"1700000001"', utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", EPOCH, "1700000001.123456", utc(2023, 11, 14, 22, 13, 21, 123456)),
    ("TIMESTAMPTZ", EPOCH, '"1700000001.1234569"', utc(2023, 11, 14, 22, 13, 21, 123456)),
    ("TIMESTAMPTZ", EPOCH, "-1", utc(1969, 12, 31, 23, 59, 59)),
    ("TIMESTAMPTZ", EPOCH, "1.7e9", utc(2023, 11, 14, 22, 13, 20)),
    ("TIMESTAMPTZ", EPOCH, "253402300799", utc(9999, 12, 31, 23, 59, 59)),
    ("TIMESTAMPTZ", EPOCH, "null", None),
    ("TIMESTAMPTZ", MILLIS, "1700000001999", utc(2023, 11, 14, 22, 13, 21, 999000)),
    ("TIMESTAMPTZ", Spelling(("epoch_us",)), "1700000001000007", utc(2023, 11, 14, 22, 13, 21, 7)),
    ("TIMESTAMPTZ", Spelling(("epoch_ns",)), '"1700000001000007999"',
     utc(2023, 11, 14, 22, 13, 21, 7)),
    ("DATE", EPOCH, "1700000001", date(2023, 11, 14)),
    ("TIMESTAMP", MILLIS, "1700000001000", datetime(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", LOG, '"14/Nov/2023:23:13:21 +0100"', utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", Spelling(("%Y-%m-%d %H:%M:%S",)), '"2023-11-14 22:13:21"',
     utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", Spelling(("%Y-%m-%d %H:%M:%SZ",)), '"2023-11-14 22:13:21Z"',
     utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", LOG, '"14/Nov/2023:23:13:21 Z"', utc(2023, 11, 14, 23, 13, 21)),
    ("TIMESTAMPTZ", Spelling(("%Y%m%dT%H%M%S%z",)), '"20231114T221321Z"',
     utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", Spelling(("%Y-%m-%d %H:%M:%S.%f%z",)), '"2023-11-14 22:13:21.123456789Z"',
     utc(2023, 11, 14, 22, 13, 21, 123456)),
    ("TIMESTAMP", Spelling(("%Y/%m/%d %H:%M:%S.%f",)), '"2023/11/14 22:13:21.1234567"',
     datetime(2023, 11, 14, 22, 13, 21, 123456)),
    ("TIMESTAMPTZ", Spelling(("%a, %d %b %Y %H:%M:%S GMT",)), '"Tue, 14 Nov 2023 22:13:21 GMT"',
     utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", MILLIS, '"/Date(1700000001999)/"', utc(2023, 11, 14, 22, 13, 21, 999000)),
    ("TIMESTAMPTZ", MILLIS, '"/Date(-1000+0530)/"', utc(1969, 12, 31, 23, 59, 59)),
    ("TIMESTAMPTZ", BERLIN, '"2023-11-14 23:13:21.5"', utc(2023, 11, 14, 22, 13, 21, 500000)),
    ("TIMESTAMPTZ", BERLIN, '"2023-07-14T23:13:21"', utc(2023, 7, 14, 21, 13, 21)),
    ("TIMESTAMPTZ", BERLIN, '"2023-11-14T22:13:21Z"', utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", BERLIN, "null", None),
    ("TIMESTAMPTZ", Spelling(("%d.%m.%Y",), timezone="Europe/Berlin"), '"14.11.2023"',
     utc(2023, 11, 13, 23)),
    ("TIMESTAMPTZ", MIXED, "1700000001", utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", MIXED, '"2023-11-14T17:13:21"', utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", MIXED, '"2023-11-14T22:13:21+00:00"', utc(2023, 11, 14, 22, 13, 21)),
    ("TIMESTAMPTZ", MIXED, '"2023-11-14 17:13:21.25"', utc(2023, 11, 14, 22, 13, 21, 250000)),
    ("TIMESTAMPTZ", MIXED, "null", None),
    ("DATE", Spelling(("iso8601", "%Y%m%d")), '"2023-11-14"', date(2023, 11, 14)),
    ("DATE", Spelling(("iso8601", "%Y%m%d")), "20231114", date(2023, 11, 14)),
    ("TIMESTAMPTZ", Spelling(("%Y-%m-%d %H:%M:%S",), ("0000-00-00 00:00:00",)),
     '"0000-00-00 00:00:00"', None),
    ("DATE", Spelling(("%d.%m.%Y",)), '"14.11.2023"', date(2023, 11, 14)),
    ("TIMESTAMPTZ", NEVER, '""', None),
    ("TIMESTAMPTZ", NEVER, "0", None),
    ("TIMESTAMPTZ", NEVER, "-1", None),
    ("TIMESTAMPTZ", NEVER, "1", utc(1970, 1, 1, 0, 0, 1)),
    ("TIMESTAMPTZ", ABSENT, '""', None),
    ("TIMESTAMPTZ", ABSENT, '"0001-01-01T00:00:00Z"', None),
    ("TIMESTAMPTZ", ABSENT, '"2023-11-14T23:13:21+01:00"', utc(2023, 11, 14, 22, 13, 21)),
    ("INTEGER", ABSENT, '"N/A"', None),
    ("INTEGER", ABSENT, '"7"', 7),
    ("INTEGER", ABSENT, "8", 8),
    ("HUGEINT", ABSENT, "170141183460469231731687303715884105727", 2**127 - 1),
    ("VARCHAR", ABSENT, '"N/A"', None),
    ("VARCHAR", ABSENT, '"n/a"', "n/a"),
    ("BOOLEAN", YES, '"yes"', True),
    ("BOOLEAN", YES, "0", False),
    ("BOOLEAN", YES, "true", True),
    ("BOOLEAN", Spelling(nulls=("",)), '""', None),
]  # fmt: skip


@over(("of", "spelling", "text", "expected"), READ)
def test_a_value_is_read_as_its_definition_says(
    of: str, spelling: Spelling, text: str, expected: Any
) -> None:
    assert value(of, spelling, text) == expected


def test_the_time_zone_of_the_session_changes_no_point_in_time() -> None:
    DUCKDB.execute("SET TimeZone = 'America/New_York'")
    try:
        local = Spelling(("%Y-%m-%d %H:%M:%S",))
        assert value("TIMESTAMPTZ", EPOCH, "1700000001") == utc(2023, 11, 14, 22, 13, 21)
        assert value("DATE", EPOCH, "1700000001") == date(2023, 11, 14)
        assert value("TIMESTAMPTZ", BERLIN, '"2023-11-14T23:13:21"') == utc(
            2023, 11, 14, 22, 13, 21
        )
        assert value("TIMESTAMPTZ", local, '"2023-11-14 22:13:21"') == utc(2023, 11, 14, 22, 13, 21)
    finally:
        DUCKDB.execute("SET TimeZone = 'UTC'")


@over(
    ("of", "spelling", "text", "hint"),
    [
        ("TIMESTAMPTZ", EPOCH, "1700000001000", "format: epoch_ms"),
        ("TIMESTAMPTZ", EPOCH, '"soon"', "format: ['epoch', …]"),
        ("TIMESTAMPTZ", EPOCH, '""', "null_values: ['']"),
        ("TIMESTAMPTZ", EPOCH, "true", ""),
        ("TIMESTAMPTZ", EPOCH, "{}", ""),
        ("TIMESTAMPTZ", LOG, '"2023-11-14"', ""),
        ("TIMESTAMPTZ", LOG, "5", ""),
        ("TIMESTAMPTZ", LOG, '"14/Nov/2023:23:13:21 z"', ""),
        ("TIMESTAMPTZ", LOG, '"2023-11-14T22:13:21Z"', f"['{LOG.format}', '%Y-%m-%dT%H:%M:%S%z']"),
        ("TIMESTAMPTZ", None, '"2023-11-14T22:13:21"', "timezone: UTC"),
        ("TIMESTAMPTZ", None, '"2023-11-14 22:13:21.5"', "timezone: UTC"),
        ("TIMESTAMPTZ", None, '"2023-11-14"', "type: DATE"),
        ("TIMESTAMP", None, '"2023-11-14T22:13:21Z"', "type: TIMESTAMPTZ"),
        ("TIMESTAMPTZ", None, '"20231114T221321Z"', "format: '%Y%m%dT%H%M%S%z'"),
        ("TIMESTAMPTZ", None, '"/Date(1700000001000)/"', "format: epoch_ms"),
        ("TIMESTAMPTZ", None, '"Tue, 14 Nov 2023 22:13:21 GMT"', "format: '%a, %d %b %Y %H:%M:%S"),
        ("TIMESTAMPTZ", None, '"0000-00-00 00:00:00"', "null_values: ['0000-00-00 00:00:00']"),
        ("DATE", None, "20231114", "format: '%Y%m%d'"),
        ("DATE", None, '"2023-11-14T22:13:21Z"', "how it is written"),
        ("TIMESTAMPTZ", None, "1711111111111", "format: epoch_ms"),
        ("TIMESTAMPTZ", MIXED, '"14.11.2023"', "iso8601, '%Y-%m-%d %H:%M:%S.%f', '%d.%m.%Y']"),
        ("TIMESTAMPTZ", BERLIN, '"2023-11-14T23:13:21z"', "how it is written"),
        ("TIMESTAMPTZ", MILLIS, '"/Date(17000000010000000)/"', ""),
        ("TIMESTAMPTZ", ABSENT, '"never"', "format: '%d.%m.%Y'"),
        ("TIMESTAMPTZ", None, "1700000001", "format: epoch"),
        ("TIMESTAMPTZ", None, '""', "null_values: ['']"),
        ("INTEGER", ABSENT, '"n/a"', ""),
        ("BOOLEAN", YES, '"Yes"', "true_values"),
        ("BOOLEAN", YES, "2", ""),
        ("BOOLEAN", None, '"yes"', "true_values"),
    ],
)
def test_any_other_value_is_an_error_and_never_a_null(
    of: str, spelling: Spelling | None, text: str, hint: str
) -> None:
    reader = RowReader(RowsPath(), [field(of, spelling)])
    with pytest.raises(UnexpectedShape, match=r"column c is .* but \$\.c holds") as error:
        reader.read(f'[{{"c":{text}}}]'.encode())
    assert hint in error.value.hint


def test_what_does_not_fit_is_null_where_that_is_declared_too() -> None:
    assert value("TIMESTAMPTZ", EPOCH, '"soon"', "null") is None
    assert value("TIMESTAMPTZ", EPOCH, "1", "null") == utc(1970, 1, 1, 0, 0, 1)


def test_columns_may_read_one_place_in_several_ways() -> None:
    fields = [
        field("BIGINT", None, "plain"), field("TIMESTAMPTZ", EPOCH, "seconds"),
        field("TIMESTAMPTZ", MILLIS, "millis"),
    ]  # fmt: skip
    rows = decode(RowReader(RowsPath(), fields), b'[{"c":1700000000}]')
    moments = (utc(2023, 11, 14, 22, 13, 20), utc(1970, 1, 20, 16, 13, 20))
    assert rows == [(1700000000, *moments)]


@over(
    ("column", "problem"),
    [
        ("{type: TIMESTAMPTZ, format: epoch_seconds}",
         "`epoch_seconds` is no format (did you mean `epoch`?)"),
        ("{type: TIMESTAMPTZ, format: iso}", "`iso` is no format (did you mean `iso8601`?)"),
        ("{type: TIMESTAMPTZ, format: dd.MM.yyyy}", "`dd.MM.yyyy` is no format (epoch, epoch_ms, "
         "epoch_us, epoch_ns, iso8601, or a format of strptime such as '%d.%m.%Y')"),
        ("{type: TIMESTAMPTZ, format: [epoch, unix]}",
         "`unix` is no format (did you mean `epoch`?)"),
        ("{type: TIMESTAMPTZ, format: '%a, %d %b %Y %T GMT'}",
         "`%T` cannot be in a format (%H:%M:%S)"),
        ("{type: TIMESTAMPTZ, timezone: Europe/Berln}",
         "`Europe/Berln` is no time zone (did you mean `Europe/Berlin`?)"),
        ("{type: TIMESTAMPTZ, format: epoch, timezone: UTC}",
         "`epoch` says itself when it is (leave `timezone` out)"),
        ("{type: TIMESTAMPTZ, format: [epoch, epoch_ms]}",
         "`epoch` and `epoch_ms` cannot be told apart (give each a column of its own)"),
        ("{type: DATE, timezone: UTC}", "`timezone` needs the type TIMESTAMPTZ"),
        ("{type: DATE, format: '%d.%m.%Y %z'}",
         "`%z` is an offset, which DATE has not (the type TIMESTAMPTZ)"),
        ("{type: DATE, format: '%Q%Y%d'}", "`%Q` cannot be in a format (known here: %A, %B, %H, "
         "%I, %M, %S, %Y, %a, %b, %d, %f, %j, %m, %p, %y, %z)"),
        ("{type: TIMESTAMPTZ, format: '%H:%M'}",
         "`format` names no day (it needs %Y, %m and %d, or others like them)"),
        ("{type: BIGINT, format: epoch}", "`format` needs the type TIMESTAMPTZ, TIMESTAMP or DATE"),
        ("{type: 'TIMESTAMPTZ[]', format: epoch}", "`format` needs a type without parts "
         "(give the value a column of its own, with `path`)"),
        ("{type: JSON, null_values: ['']}", "`null_values` needs a type without parts "
         "(give the value a column of its own, with `path`)"),
        ("{type: VARCHAR, true_values: [yes]}", "`true_values` needs the type BOOLEAN"),
        ("{type: BOOLEAN, true_values: [1], false_values: ['1']}",
         "`1` has two meanings (name it in one list)"),
        ("{type: DATE, null_values: ''}", "expected a list, found the text ``"),
        ("{type: DATE, null_value: ['']}",
         "unknown key `null_value` (did you mean `null_values`?)"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_are_found_with_their_line(
    tmp_path: Path, column: str, problem: str
) -> None:
    text = SERVICE.replace("name: VARCHAR", f"name: {column}")
    assert problems_of(tmp_path, {"s.yaml": text}) == [f"s.yaml:6: {problem}"]
