"""Which values of WHERE bind columns, in all their spellings, and which only look like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from connstat_sql.database.values import Value
from connstat_sql.errors import BindError, ParseError
from connstat_sql.sql.binder import bind
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.statement import parse
from tests.oracle.stages import Stages, open_stages
from tests.tabled import over

A, B = {"grp": "a"}, {"grp": "b"}
PAIRS = [{"grp": "a", "part": "1"}, {"grp": "b", "part": "2"}]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        opened.engine.session.duckdb.execute("SET VARIABLE who = 'a'")
        yield opened


@over(
    ("predicate", "expected"),
    [
        ("grp = 'a'", [A]),
        ("'a' = grp", [A]),
        ("((grp) = ('a'))", [A]),
        ("i.GRP == 'a'", [A]),
        ("\"grp\" = 'a'", [A]),
        ("grp IN ('a', 'b', 'a')", [A, B]),
        ("grp IN ('a')", [A]),
        ("grp = 'a' OR grp = 'b'", [A, B]),
        ("grp = ANY(['a', 'b'])", [A, B]),
        ("grp = ANY(SELECT unnest(['a', 'b']))", [A, B]),
        ("grp IN ['a', 'b']", [A, B]),
        ("grp IN (VALUES ('a'), ('b'))", [A, B]),
        ("grp IN (SELECT unnest(['a', 'b']))", [A, B]),
        ("grp IN (SELECT 'a' UNION ALL SELECT 'b')", [A, B]),
        ("grp = (SELECT 'a')", [A]),
        ("grp IS NOT DISTINCT FROM 'a'", [A]),
        ("grp = getvariable('who')", [A]),
        ("grp IN (getvariable('who'), 'b')", [A, B]),
        ("grp = lower('A')", [A]),
        ("grp = chr(64 + 33)", [A]),
        ("grp = '' || 'a'", [A]),
        ("grp = CAST('a' AS VARCHAR)", [A]),
        ("grp = ['b', 'a'][2]", [A]),
        ("grp = $$a$$", [A]),
        ("grp = E'\\x61'", [A]),
        ("grp = CASE WHEN true THEN 'a' END", [A]),
        ("grp = CAST(7 AS VARCHAR)", [{"grp": "7"}]),
        ("grp = 'it''s é'", [{"grp": "it's é"}]),
        ("(grp, part) = ('a', '1')", PAIRS[:1]),
        ("(grp, part) IN (('a', '1'), ('b', '2'))", PAIRS),
        ("(grp, part) IN (VALUES ('a', '1'), ('b', '2'))", PAIRS),
        ("(grp = 'a' AND part = '1') OR (grp = 'b' AND part = '2')", PAIRS),
        ("((part, grp) IN (('1', 'a'))) OR (grp = 'b' AND '2' = part)", PAIRS),
        ("(grp, n) IN (('a', 1), ('b', 2))", [A, B]),
        ("grp = 'a' AND n > 3 AND lower(note) = 'x'", [A]),
        ("grp = 'a' AND grp IN ('a', 'b')", [A]),
        ("grp = 'a' OR (grp = 'b' AND n > 3)", [A, B]),
        ("note = 'x' AND grp = 'a'", [{"grp": "a", "note": "x"}]),
        ("_connection = 'conn_a'", [{"_connection": "conn_a"}]),
    ],
)
def test_a_constant_binds_in_every_spelling(
    stages: Stages, predicate: str, expected: list[dict[str, str]]
) -> None:
    assert stages.where(predicate) == expected


@over(
    "predicate",
    [
        "grp <> 'a'", "NOT grp = 'a'", "grp NOT IN ('a')", "grp LIKE 'a'", "grp >= 'a'",
        "lower(grp) = 'a'", "coalesce(grp, 'a') = 'a'", "grp = note", "grp = upper(note)",
        "(grp = 'a') IS NOT TRUE", "grp IS DISTINCT FROM 'a'", "grp IS NULL",
        "grp = 'a' OR n = 1", "grp = 'a' OR true", "NOT (grp = 'a' AND n = 1)",
        "CASE WHEN grp = 'a' THEN true ELSE true END",
        "grp = 'a' COLLATE NOCASE", "grp COLLATE NOCASE = 'a'", "grp IN ('a' COLLATE NOCASE)",
        "grp = 5", "grp IN ('05', 5)", "grp = 5.0", "grp IN ('05', NULL::INTEGER)",
        "grp = ALL(['a'])", "grp = ALL(SELECT 'a' WHERE false)",
        "grp = chr(65 + CAST(random() * 2 AS INTEGER))", "grp = uuid()::VARCHAR",
        "grp = (SELECT max(g) FROM zoo.w.groups)", "grp IN (SELECT g FROM zoo.w.groups)",
        "grp = (SELECT i.note)", "grp IS NOT DISTINCT FROM NULL", "true", "1 = 1",
        "(grp, note) = (note, 'a')", "list_contains([5], grp)", "n = 1",
    ],
)  # fmt: skip
def test_what_is_no_equality_with_one_value_binds_nothing(stages: Stages, predicate: str) -> None:
    found = stages.where(predicate)
    assert found is None or all("grp" not in row for row in found)


@over(
    "predicate",
    [
        "grp = 'a' AND grp = 'b'", "grp IN ('a', 'b') AND grp = 'c'", "false", "1 = 2", "NULL",
        "grp = NULL", "grp IN (NULL)", "grp IN (SELECT 'a' WHERE false)", "grp = 'a' AND false",
        "grp = ANY([])", "'a' = 'b'", "NOT EXISTS (SELECT 1)",
        "(grp = 'a' AND part = '1') AND (grp, part) IN (('a', '2'), ('b', '1'))",
    ],
)  # fmt: skip
def test_a_contradiction_wants_no_row(stages: Stages, predicate: str) -> None:
    assert stages.where(predicate) == []


def test_null_in_a_tuple_equals_null_and_so_says_nothing_of_its_column(stages: Stages) -> None:
    assert stages.where("(grp, note) = ('a', NULL)") == [A]
    assert stages.where("(grp, note) IN (('a', NULL), ('b', 'x'))") == [
        {"grp": "a"}, {"grp": "b", "note": "x"},
    ]  # fmt: skip


def test_several_lists_multiply(stages: Stages) -> None:
    found = stages.where("grp IN ('a', 'b') AND part IN ('1', '2')")
    assert found == [{"grp": g, "part": p} for g in "ab" for p in "12"]


@over(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM zoo.w.days WHERE day = '2026-1-2'", [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day = DATE '2026-01-02'", [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day = DATE '2026-01-01' + 1", [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day = '2026-01-0' || '2'", [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day IN (DATE '2026-1-2', '2026-01-02')",
         [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day = TIMESTAMP '2026-01-02'",
         [{"day": "2026-01-02"}]),
        ("SELECT 1 FROM zoo.w.days WHERE day = TIMESTAMPTZ '2026-01-02'", None),
        ("SELECT 1 FROM zoo.w.codes WHERE code = 5", [{"code": "5"}]),
        ("SELECT 1 FROM zoo.w.codes WHERE code = '05'", [{"code": "5"}]),
        ("SELECT 1 FROM zoo.w.codes WHERE code = CAST(5 AS BIGINT)", [{"code": "5"}]),
        ("SELECT 1 FROM zoo.w.codes WHERE code = -5", [{"code": "-5"}]),
        ("SELECT 1 FROM zoo.w.codes WHERE code = 5.0", [{"code": "5"}]),
        ("SELECT 1 FROM zoo.w.codes WHERE code = 'five'", None),
    ],
)  # fmt: skip
def test_a_value_binds_as_the_columns_type_spells_it(
    stages: Stages, sql: str, expected: list[dict[str, str]] | None
) -> None:
    assert stages.rows(sql) == expected


@over(
    ("predicate", "arguments", "expected"),
    [
        ("grp = $who", {"who": "a"}, [A]),
        ("grp IN ($x, $y)", {"x": "a", "y": "b"}, [A, B]),
        ("grp = ?", ["a"], [A]),
        ("part = ? AND grp = ?", ["1", "a"], PAIRS[:1]),
        ("n = ? AND (grp, part) = (?, lower(?))", [3, "a", "1"], PAIRS[:1]),
        ("grp IN $names", {"names": ["a", "b"]}, [A, B]),
        ("grp = $1 AND part = $2", ["a", "1"], PAIRS[:1]),
        ("grp = $who", {"who": 5}, None),
        ("grp = $who", {"who": None}, []),
    ],
)
def test_bound_arguments_are_constants(
    stages: Stages, predicate: str, arguments: object, expected: list[dict[str, str]] | None
) -> None:
    assert stages.where(predicate, arguments) == expected


@over(
    ("body", "expected"),
    [("'a'", [A]), ("(SELECT 'a')", None), ("if(random() < 2, 'a', 'b')", None)],
)
def test_a_macro_is_folded_where_its_definition_alone_says_its_value(
    stages: Stages, body: str, expected: list[dict[str, str]] | None
) -> None:
    stages.engine.session.hand_out().execute(f"CREATE OR REPLACE TEMP MACRO pick() AS {body}")
    stages.engine.session.forget_functions()
    assert stages.where("grp = pick()") == expected


def test_a_column_goes_before_an_alias_of_the_select_list(stages: Stages) -> None:
    sql = "SELECT upper(grp) AS grp FROM zoo.w.items WHERE grp = 'a'"
    assert stages.rows(sql) == [A]


def test_columns_under_other_names_are_those_that_stand_at_their_place(stages: Stages) -> None:
    sql = "SELECT 1 FROM zoo.w.subs AS s(grp, kind, sub) WHERE s.{} = 'a'"
    assert stages.rows(sql.format("sub")) == [A]
    assert stages.rows(sql.format("grp")) is None
    assert stages.rows("SELECT 1 FROM zoo.w.subs AS s(a) WHERE grp = 'a'") == [A]


def test_a_parameter_of_another_type_is_remembered_as_misfit(stages: Stages) -> None:
    (table,) = stages.bind("FROM zoo.w.items WHERE grp = 5 AND part = 'x'").tables
    assert table.misfits == ("grp",)


@dataclass
class Counting(Introspection):
    """Remembers what was folded."""

    folded: list[str] = field(default_factory=list)

    def fold(self, sql: str) -> tuple[tuple[Value, ...], ...] | None:
        self.folded.append(sql)
        return super().fold(sql)


def test_ten_thousand_values_are_folded_by_few_questions(stages: Stages) -> None:
    listed = ", ".join(f"DATE '{1900 + n // 28}-1-{n % 28 + 1}'" for n in range(5000))
    texts = ", ".join(f"'{1900 + n // 28}-2-{n % 28 + 1}'" for n in range(5000))
    sql = f"FROM zoo.w.days WHERE day IN ({listed}, {texts})"
    counting = Counting(stages.engine.session, sql, None)
    (access,) = bind(parse(sql), stages.engine.catalog, counting).tables[0].accesses
    assert len(access.rows or ()) == 10_000
    assert len(counting.folded) < 5


def test_long_chains_are_read(stages: Stages) -> None:
    either = " OR ".join(f"grp = 'x{n}'" for n in range(2000))
    both = " AND ".join(f"note <> 'x{n}'" for n in range(2000))
    assert len(stages.where(f"({either}) AND {both}") or ()) == 2000


# --- names that lead nowhere, and what cannot be done ------------------------------------------


def test_a_misspelt_table_is_refused_with_what_was_perhaps_meant(stages: Stages) -> None:
    with pytest.raises(BindError) as caught:
        stages.bind("SELECT * FROM zoo.w.itms")
    assert caught.value.message == "zoo.w has no table itms"
    assert "zoo.w.items" in caught.value.hint
    assert caught.value.span is not None
    assert caught.value.sql[caught.value.span.start : caught.value.span.end] == "zoo.w.itms"


def test_a_live_table_cannot_be_written(stages: Stages) -> None:
    for sql in ("DELETE FROM zoo.w.items", "DROP TABLE zoo.w.items", "COPY zoo.w.items FROM 'x'"):
        with pytest.raises(BindError, match=r"zoo\.w\.items is live and read-only"):
            stages.bind(sql)


@over(
    "sql",
    [
        "CREATE TABLE zoo.w.mine AS SELECT 1", "CREATE TABLE zoo.w.mine (a INTEGER)",
        "CREATE VIEW zoo.w.mine AS SELECT 1", "CREATE SEQUENCE zoo.w.mine",
    ],
)  # fmt: skip
def test_nothing_is_made_where_live_tables_are(stages: Stages, sql: str) -> None:
    with pytest.raises(BindError, match="zoo is live and read-only"):
        stages.bind(sql)


def test_a_definition_over_a_live_table_that_nobody_has_written_out_is_refused(
    stages: Stages,
) -> None:
    with pytest.raises(BindError, match="definition over live tables is not understood"):
        stages.bind("CREATE VIEW v AS FROM zoo.w.items")


def test_text_that_only_duckdb_reads_must_not_name_a_live_table(stages: Stages) -> None:
    assert stages.bind("SELECT ^^ 1").tables == ()
    with pytest.raises(ParseError, match=r"names the live table zoo\.w\.items"):
        stages.bind("SELECT ^^ 1 FROM zoo.w.items")
