"""Equal numbers, days and times of several types: which bind, and that no other was meant."""

from __future__ import annotations

import pytest

from connstat_sql.database.session import Session
from connstat_sql.database.values import Value
from connstat_sql.sql.binder import Constants
from connstat_sql.sql.binder.constants import are_distinct
from connstat_sql.sql.introspection import Introspection
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import CODES, world

BIG = 2**53
SPELT: list[tuple[str, str, list[str | None] | None]] = [
    ("INTEGER", "2.0", ["2"]),
    ("INTEGER", "2.5", ["never"]),
    ("INTEGER", "2.0, 2.5, NULL", ["2", "never", None]),
    ("INTEGER", "2::DOUBLE", ["2"]),
    ("INTEGER", "-2::FLOAT", ["-2"]),
    ("INTEGER", "2::UHUGEINT", ["2"]),
    ("INTEGER", "2.0, 3", ["2", "3"]),
    ("INTEGER", "'nan'::DOUBLE", None),
    ("INTEGER", "1e300", None),
    ("INTEGER", f"{2**24 + 1}::FLOAT", None),
    ("INTEGER", f"{2**24 - 1}::FLOAT", [str(2**24 - 1)]),
    ("INTEGER", f"{2**31 - 1}::DOUBLE", [str(2**31 - 1)]),
    ("INTEGER", "'05', 2.0", None),
    ("BIGINT", f"{BIG - 1}::DOUBLE", [str(BIG - 1)]),
    ("BIGINT", f"{BIG + 1}::DOUBLE", None),
    ("BIGINT", f"{BIG + 1}, 2::DOUBLE", None),
    ("BIGINT", "2.00", ["2"]),
    ("BIGINT", "7::TINYINT", ["7"]),
    ("DECIMAL(10,2)", "2", ["2.00"]),
    ("DECIMAL(10,2)", "2.5", ["2.50"]),
    ("DECIMAL(10,2)", "2.505", ["never"]),
    ("DECIMAL(10,2)", "2.5::DOUBLE", ["2.50"]),
    ("VARCHAR", "5", None),
    ("VARCHAR", "5.0", None),
    ("BOOLEAN", "1", None),
    ("DATE", "TIMESTAMP '2026-01-02 00:00:00'", ["2026-01-02"]),
    ("DATE", "TIMESTAMP '2026-01-02 00:00:00.000001', NULL", ["never", None]),
    ("DATE", "TIMESTAMP_S '2026-01-02', DATE '2026-01-03'", ["2026-01-02", "2026-01-03"]),
    ("DATE", "TIMESTAMP_NS '2026-01-02 00:00:00.000000001'", ["never"]),
    ("DATE", "TIMESTAMP '2026-01-02', '2026-1-2'", None),
    ("DATE", "TIMESTAMPTZ '2026-01-02 00:00:00+00'", None),
    ("TIMESTAMP", "DATE '2026-01-02'", ["2026-01-02 00:00:00"]),
    ("TIMESTAMP", "DATE '290000-01-02', 5", None),
    ("VARCHAR", "DATE '2026-01-02'", None),
]


@over("wanted, listed, expected", SPELT)
def test_a_number_binds_where_no_other_number_equals_it(
    wanted: str, listed: str, expected: list[str | None] | None
) -> None:
    session = Session()
    constants = Constants(Introspection(session, "SELECT 1", None))
    typed = session.fold("SELECT " + listed, None)
    assert typed is not None
    values: list[Value] = [*typed[0]]
    found = constants.spelt(values, wanted)
    session.close()
    assert (None if found is None else [found.get(value, "never") for value in values]) == expected


@over(
    "of, wanted, is_distinct",
    [
        ("DECIMAL(38,28)", "INTEGER", True), ("DECIMAL(38,29)", "INTEGER", False),
        ("DECIMAL(38,19)", "BIGINT", True), ("DECIMAL(38,20)", "BIGINT", False),
        ("DECIMAL(9,2)", "HUGEINT", False), ("DOUBLE", "INTEGER", True),
        ("DOUBLE", "BIGINT", False), ("FLOAT", "INTEGER", False), ("BIGINT", "TINYINT", True),
        ("TIMESTAMP", "DATE", True), ("TIMESTAMP WITH TIME ZONE", "DATE", False),
        ("VARCHAR", "INTEGER", False),
    ],
)  # fmt: skip
def test_a_column_of_another_type_binds_where_no_two_of_its_values_are_one(
    of: str, wanted: str, is_distinct: bool
) -> None:
    assert are_distinct(of, wanted) is is_distinct


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(world())


UNION = f"(SELECT code AS n, lang FROM {CODES} UNION ALL SELECT {{}}, 'z')"
DAYS = "conn_a.w.days"
EQUAL = {
    "a decimal": (f"FROM {CODES} WHERE code = 5.0 AND lang = 'a'", None, 1),
    "decimals and whole numbers": (f"FROM {CODES} WHERE code IN (5.0, 7) AND lang = 'a'", None, 2),
    "a decimal that no whole number is": (f"FROM {CODES} WHERE code = 5.5 AND lang = 'a'", None, 0),
    "floating point": (f"FROM {CODES} WHERE 5::DOUBLE = code AND lang = 'a'", None, 1),
    "an argument": (f"FROM {CODES} WHERE code = $n AND lang = 'a'", {"n": 5.0}, 1),
    "a list": (f"FROM {CODES} WHERE code = ANY([5.0, 5.5]) AND lang = 'a'", None, 1),
    "tuples": (f"FROM {CODES} WHERE (code, lang) IN ((5.0, 'a'), (7.5, 'a'))", None, 1),
    "a column of decimals": (
        f"SELECT c.label FROM (VALUES (5.0), (5.5), (7.0)) v(n) JOIN {CODES} c "
        "ON c.code = v.n AND c.lang = 'a'", None, 2,
    ),
    "a column of long decimals": (
        f"SELECT c.label FROM (VALUES (5::DECIMAL(38,28)), (5.5), (7)) v(n) JOIN {CODES} c "
        "ON c.code = v.n AND c.lang = 'a'", None, 2,
    ),
    "a column of floating point": (
        f"SELECT c.label FROM (VALUES (5e0), (5.5e0)) v(n) JOIN {CODES} c "
        "ON c.code = v.n AND c.lang = 'a'", None, 1,
    ),
    "numbers that are too large": (
        f"SELECT c.label FROM (VALUES (5), (5000000000)) v(n) JOIN {CODES} c "
        "ON c.code = v.n AND c.lang = 'a'", None, 1,
    ),
    "branches of other whole numbers": (
        f"FROM (SELECT code AS n, lang FROM {CODES} UNION ALL SELECT y, s FROM mixed) "
        "WHERE n = 5 AND lang = 'a'", None, 1,
    ),
    "a branch of decimals": (f"FROM {UNION.format('2.5')} WHERE n = 5 AND lang = 'a'", None, 1),
    "decimals": (f"FROM {UNION.format('2.5')} WHERE n IN (5.0, 5.5) AND lang = 'a'", None, 1),
    "a branch of floating point": (
        f"FROM {UNION.format('2.5e0')} WHERE n IN (5, 7.0, 2.5) AND lang = 'a'", None, 2,
    ),
    "a branch of floating point, joined": (
        f"SELECT u.* FROM mixed JOIN {UNION.format('2.5e0')} u ON u.n = mixed.x "
        "WHERE u.lang = 'a'", None, 1,
    ),
    "a day and its midnight": (f"FROM {DAYS} WHERE day = TIMESTAMP '2026-01-01'", None, 1),
    "days and points in time": (
        f"FROM {DAYS} WHERE day IN (DATE '2026-01-01', TIMESTAMP '2026-01-02 00:00:00', "
        "TIMESTAMP '2026-02-01 10:00:00')", None, 2,
    ),
    "a day after another": (
        f"FROM {DAYS} WHERE day = DATE '2026-01-01' + INTERVAL 1 DAY", None, 1,
    ),
    "a column of points in time": (f"FROM mixed m JOIN {DAYS} d ON d.day = m.d", None, 1),
    "bounds within days": (
        f"FROM {DAYS} WHERE day > TIMESTAMP '2026-01-01 10:00' "
        "AND day < TIMESTAMP '2026-01-02 9:00'",
        None, 2,
    ),
    "a day on both bounds": (
        f"FROM {DAYS} WHERE day BETWEEN DATE '2026-01-01' AND TIMESTAMP '2026-01-02 10:00'",
        None, 2,
    ),
    "bounds": (
        f"FROM {DAYS} WHERE day >= TIMESTAMP '2026-01-01' AND day < TIMESTAMP '2026-01-03'",
        None, 2,
    ),
}  # fmt: skip


@over("sql, arguments, most", EQUAL.values())
def test_equal_numbers_are_asked_for_once(
    court: Court, sql: str, arguments: object, most: int
) -> None:
    tables = frozenset({*TABLES, *LOCALS})
    trial = court.try_query(Query(sql, arguments, frozenset({"5", "7", "2026-01-01"}), tables))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.requests == most, court.world.asked


@over(
    "predicate",
    [
        "n = 5.0000000000000001",
        "n = 5::DOUBLE",
        "n + 0 = 5",
        "n < 6",
        "n = '5'",
        "n::VARCHAR = '5'",
    ],
)
def test_what_may_tell_floating_point_from_whole_numbers_stays_outside(
    court: Court, predicate: str
) -> None:
    sql = f"FROM {UNION.format('2.5e0')} WHERE {predicate} AND lang = 'a'"
    trial = court.try_query(Query(sql, None, frozenset({"5"}), frozenset({*TABLES, *LOCALS})))
    assert trial.verdict is Verdict.REFUSED, trial.why
    assert trial.why.startswith("BindError: zoo.w.codes needs code")


def test_what_tells_the_types_of_numbers_apart_stays_outside_of_a_union(court: Court) -> None:
    union = (
        f"SELECT code AS n FROM {CODES} WHERE lang = 'a' AND code = 5 UNION ALL SELECT y FROM mixed"
    )
    sql = f"SELECT n FROM ({union}) WHERE n = 5 AND typeof(n) = 'BIGINT'"
    trial = court.try_query(Query(sql, None, frozenset({"5"}), frozenset({*TABLES, *LOCALS})))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.rows == 2
