"""How a predicate is spelt costs no request, and what is spelt alike is not taken for the same.

SQL that sqlglot would write otherwise restricts as its plain spelling does; what DuckDB groups or
means otherwise than the tree shows restricts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle.breaches import hand_made_world
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.stages import Stages, open_stages
from tests.oracle.world import Row, World
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over, spread

VALUES = frozenset({"5", "05", "7", "1", "a", "A", "x", "y", "z", "q", "k"})


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    world = hand_made_world()
    notes: list[Row] = [
        {"x": "5", "y": "x", "k": 1, "d": "2026-01-01"}, {"x": "7", "y": None, "k": 2, "d": None},
        {"x": "05", "y": "y", "k": 3, "d": "2026-01-02"}, {"x": None, "y": "z", "k": 4, "d": None},
    ]  # fmt: skip
    court.enter(World(world.copies, {"notes": notes, "mixed": [], "nothing": []}))


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


def requests(court: Court, sql: str, *setup: str, undo: tuple[str, ...] = ()) -> int:
    """How many requests a statement sends that is answered as DuckDB answers it."""
    tables = frozenset(name for name in (*TABLES, *LOCALS) if name in sql)
    try:
        trial = court.try_query(Query(sql, None, VALUES, tables, setup))
    finally:
        for one in undo:
            court.engine.session.duckdb.execute(one)
            court.engine.session.forget_functions()
    assert (trial.verdict, trial.why) == (Verdict.AGREED, ""), sql
    return trial.requests


FED = "SELECT s.sub FROM conn_a.w.subs AS s JOIN notes AS n ON s.grp = n.x WHERE {}"
"""What is left of the local table is what is asked for."""
PAIRS = [
    ("n.y IS NOT NULL", "NOT n.y IS NULL"),
    ("n.y NOTNULL", "NOT n.y IS NULL"),
    ("n.y ISNULL", "n.y IS NULL"),
    ("n.y NOT LIKE 'x%'", "n.y <> 'x'"),
    ("n.y LIKE 'x\\%' ESCAPE '\\' OR n.k = 1", "n.k = 1"),
    ("n.k NOT IN (1, 2)", "n.k <> 1 AND n.k <> 2"),
    ("n.k IN [1, 2]", "n.k = 1 OR n.k = 2"),
    ("n.k = ANY([1, 2])", "n.k = 1 OR n.k = 2"),
    ("list_contains([1, 2], n.k)", "n.k = 1 OR n.k = 2"),
    ("[1, 2].list_contains(n.k)", "n.k = 1 OR n.k = 2"),
    ("mod(n.k, 2) = 1", "n.k = 1 OR n.k = 3"),
    ("n.k % 2 = 1", "n.k = 1 OR n.k = 3"),
    ("n.k ** 2 = 4", "n.k = 2"),
    ("n.k ^ 2 = 4", "n.k = 2"),
    ("pow(n.k, 2) = 4", "n.k = 2"),
    ("n.k // 2 = 1", "n.k = 2 OR n.k = 3"),
    ("@(n.k - 3) = 1", "n.k = 2 OR n.k = 4"),
    ("if(n.k = 1, true, false)", "n.k = 1"),
    ("n.k::DECIMAL = 2", "n.k = 2"),
    ("CAST(n.k AS DECIMAL(4, 1)) = 2", "n.k = 2"),
    ("n.k::INT8::VARCHAR = '2'", "n.k = 2"),
    ("date_trunc('month', n.d) = DATE '2026-01-01' AND n.k > 2", "n.k = 3"),
    ("n.d + INTERVAL '1 day' = DATE '2026-01-02'", "n.k = 1"),
    ("n.d + INTERVAL 1 DAY = DATE '2026-01-02'", "n.k = 1"),
    ("n.d - to_days(1) = '2025-12-31'", "n.k = 1"),
    ("datepart('day', n.d) = 2", "n.k = 3"),
    ("EXTRACT(day FROM n.d) = 2", "n.k = 3"),
    ("n.d::TIMESTAMP AT TIME ZONE 'UTC' > TIMESTAMPTZ '2026-01-01 12:00:00+00'", "n.k = 3"),
    ("n.d BETWEEN '2026-01-02' AND '2026-01-03'", "n.k = 3"),
    ("json_object('k', n.k) ->> '$.k' = '2'", "n.k = 2"),
    ("(json_object('k', n.k) ->> 'k') = '2'", "n.k = 2"),
    ("json_object('a.b', n.k)->>'a.b' = '2'", "n.k = 2"),
    ("{'a': n.k}['a'] = 2", "n.k = 2"),
    ("{'a': n.k}.a = 2", "n.k = 2"),
    ("struct_pack(a := n.k).a = 2", "n.k = 2"),
    ("(n.k, n.y) IS NOT DISTINCT FROM (1, 'x')", "n.k = 1"),
    ("n.y[1] = 'x'", "n.y = 'x'"),
    ("n.y[1:1] = 'x'", "n.y = 'x'"),
    ("list_transform([n.k], lambda v: v + 1)[1] = 3", "n.k = 2"),
    ("regexp_matches(n.y, '^x')", "n.y = 'x'"),
    ("n.y SIMILAR TO 'x'", "n.y = 'x'"),
    ("n.y ~ 'x'", "n.y = 'x'"),
    ("n.y ILIKE 'X'", "n.y = 'x'"),
    ("n.y GLOB 'x*'", "n.y = 'x'"),
    ("substring(n.y FROM 1 FOR 1) = 'x'", "n.y = 'x'"),
    ("position('x' IN n.y) = 1", "n.y = 'x'"),
    ("trim(BOTH ' ' FROM n.y) = 'x'", "n.y = 'x'"),
    ("concat_ws('-', n.y, n.k) = 'x-1'", "n.k = 1"),
    ("n.y || '-' || n.k = 'x-1'", "n.k = 1"),
    ("CASE n.k WHEN 1 THEN true ELSE false END", "n.k = 1"),
    ("(n.k = 1) IS TRUE", "n.k = 1"),
    ("(n.k = 1) = true", "n.k = 1"),
    ("n.k /* which */ = -- this one\n 1", "n.k = 1"),
    ("'é' || n.k /* ü */ = 'é1'", "n.k = 1"),
    ("~n.k = -2", "n.k = 1"),
    ("n.k & 1 = 1", "n.k = 1 OR n.k = 3"),
    ("n.k << 1 = 2", "n.k = 1"),
    ("-n.k = -1", "n.k = 1"),
    ("nullif(n.k, 1) IS NULL", "n.k = 1"),
    ("coalesce(n.y, 'none') = 'none'", "n.k = 2"),
    ("TRY_CAST(n.y AS INTEGER) IS NULL AND n.k = 1", "n.k = 1"),
    ("epoch_ms(n.k * 1000) = TIMESTAMP '1970-01-01 00:00:01'", "n.k = 1"),
    ("strftime(n.d, '%d') = '02'", "n.k = 3"),
    ("n.k IN (SELECT i FROM range(3) AS t(i))", "n.k = 1 OR n.k = 2"),
    ("n.k = ANY(SELECT i FROM generate_series(1, 2) AS t(i))", "n.k = 1 OR n.k = 2"),
]  # fmt: skip


@over("respelt, plain", spread(PAIRS, 15))
def test_a_predicate_on_local_rows_asks_no_more_than_its_plain_spelling(
    court: Court, respelt: str, plain: str
) -> None:
    assert requests(court, FED.format(respelt)) == requests(court, FED.format(plain))


@pytest.mark.long
@over("respelt, plain", PAIRS)
def test_so_it_is_for_each_spelling(court: Court, respelt: str, plain: str) -> None:
    assert requests(court, FED.format(respelt)) == requests(court, FED.format(plain))


CONSTANTS = [
    ("'{\"a.b\": \"5\"}'::JSON ->> 'a.b'", "5"),
    ('json(\'{"a": {"b": "5"}}\') ->> \'$.a.b\'', "5"),
    ("'5'::VARCHAR(1)", "5"),
    ("if(1 = 1, '5', 'a')", "5"),
    ("['a', '5'][2]", "5"),
    ("{'k': '5'}.k", "5"),
    ("strftime(DATE '2026-01-04' + INTERVAL '1 day', '%-d')", "5"),
    ("datepart('day', date_trunc('day', TIMESTAMP '2026-01-05 10:00:00'))::VARCHAR", "5"),
    ("mod(15, 10)::VARCHAR", "5"),
    ("(2 ** 2 + 1)::INTEGER::VARCHAR", "5"),
    ("5.0::DECIMAL::INTEGER::VARCHAR", "5"),
    ("trim(LEADING '0' FROM '05')", "5"),
    ("split_part('5/é', '/', 1)", "5"),
    ("/* né */ '5' /* et */", "5"),
    ("$$5$$", "5"),
    ("E'\\x35'", "5"),
    ("'5' COLLATE NOCASE", None),
]


@over("constant, value", CONSTANTS)
def test_a_constant_is_what_duckdb_reads_in_the_users_text(
    stages: Stages, constant: str, value: str | None
) -> None:
    assert stages.where(f"grp = ({constant})") == (None if value is None else [{"grp": value}])


def test_dotted_keys_of_json_are_not_paths(stages: Stages) -> None:
    both = '\'{"a.b": "5", "a": {"b": "7"}}\'::JSON'
    assert stages.where(f"grp = ({both} ->> 'a.b')") == [{"grp": "5"}]
    assert stages.where(f"grp = ({both} ->> '$.a.b')") == [{"grp": "7"}]


@over(
    "predicate",
    [
        "grp = '5' -> '$'",  # an arrow binds less than =
        "grp = '5' ->> '$' = 'x'",
        "NOT grp = '5' IS NULL",
        "grp = '5' IS DISTINCT FROM true",
        "grp = '5' = (part = 'x')",
    ],
)
def test_what_is_grouped_otherwise_restricts_nothing(stages: Stages, predicate: str) -> None:
    assert stages.where(predicate) is None


KEYED = (
    "SELECT * FROM (SELECT {} FROM conn_b.w.groups AS o JOIN conn_b.w.subs AS s ON s.grp = o.g {}) "
    "WHERE k"
)
"""Groups are asked for, and of the three the parts of those that the outer WHERE lets through."""
KEYS = [
    ("o.g = 'a' AS k, count(*) OVER (PARTITION BY {}) AS n", ""),
    ("o.g = 'a' AS k, count(*) AS n", "GROUP BY {}, ALL"),
    ("DISTINCT ON ({}) o.g = 'a' AS k, 1 AS n", ""),
]


@over("columns, group", [KEYS[0], KEYS[2]])
def test_keys_that_differ_in_the_case_of_a_literal_are_others(
    court: Court, columns: str, group: str
) -> None:
    other = KEYED.format(columns.format("o.g = 'A'"), group.format("o.g = 'A'"))
    assert requests(court, other) == 4


@over("key", ["G = 'a'", "o.g='a'", '"O"."G" = /* a */ \'a\'', "(o.G = 'a')", "o.g = ('a')"])
def test_keys_are_the_same_however_names_are_spelt(court: Court, key: str) -> None:
    columns = f"o.g = 'a' AS k, count(*) OVER (PARTITION BY {key}) AS n"
    assert requests(court, KEYED.format(columns, "")) == 2
    columns = "o.g = 'a' AS k, count(*) AS n"
    assert requests(court, KEYED.format(columns, f"GROUP BY {key}")) == 2
    assert requests(court, KEYED.format(f"DISTINCT ON ({key}) o.g = 'a' AS k", "")) == 2


MACROS = [
    ("lower(x)", "coalesce(x, 'x')", "lower(i.note) = 'x'"),
    ("trim(x)", "coalesce(x, 'x')", "trim(i.note) = 'x'"),
    ("upper(x)", "coalesce(x, 'X')", "upper(i.note) = 'X'"),
    ('"||"(a, b)', "coalesce(a, b)", "i.note || 'x' = 'x'"),
    ('"+"(a, b)', "coalesce(a, b)", "i.n + 1 = 1"),
    ('"~~"(a, b)', "a IS NULL", "i.note LIKE 'x'"),
]


@over("header, body, predicate", MACROS)
def test_a_macro_named_like_a_function_means_what_the_user_made_it_mean(
    court: Court, header: str, body: str, predicate: str
) -> None:
    sql = (
        "SELECT s.sub FROM conn_a.w.subs AS s LEFT JOIN conn_a.w.items AS i "
        f"ON i.grp = s.grp AND i.part = s.sub AND i.name = 'x' AND s.grp = '7' WHERE {predicate}"
    )
    name = f'"{header.partition("(")[0].strip(chr(34))}"'
    macro, undo = f"CREATE MACRO {header} AS {body}", (f"DROP MACRO {name}",)
    few = requests(court, sql)
    assert requests(court, sql, macro, undo=undo) > few


def test_a_macro_named_like_a_test_for_membership_restricts_nothing(court: Court) -> None:
    sql = "SELECT sub FROM conn_a.w.subs WHERE list_contains(['5'], grp)"
    assert requests(court, sql) == 1
    macro = "CREATE MACRO list_contains(l, x) AS x <> l[1]"
    assert requests(court, sql, macro, undo=("DROP MACRO list_contains",)) == 4
