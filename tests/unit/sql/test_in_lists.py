"""Long IN lists are one node while a statement is read, and all their values everywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from connstat_sql.database.in_lists import LONG, set_aside, values_of
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError, ParseError
from connstat_sql.sql.statement import DIALECT, long_list, parse
from tests.examples import examples
from tests.oracle.stages import Stages, open_stages
from tests.oracle.world import open_zoo

NAMES = [f"x{number}" for number in range(100)]
ODD = ["it's", "", "''", "é, 'b'", "--", '"']


def texts(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def lists_in(sql: str) -> list[list[str]]:
    """The options of every IN as the statement's own tree holds them, long lists taken apart."""
    tree = parse(sql).tree
    assert tree is not None
    return sorted(
        [value for one in node.expressions for value in _values(one)]
        for node in tree.find_all(exp.In)
    )


def _values(node: exp.Expr) -> list[str]:
    listed = long_list(node)
    return listed[1] if listed is not None else [str(node.this)]


# --- the text ------------------------------------------------------------------------------------


def test_a_long_list_keeps_its_first_value_and_no_place_moves() -> None:
    sql = f"SELECT 1 FROM t WHERE a IN ({texts(NAMES)}) AND b = 'x'"
    short, lists = set_aside(sql)
    place = sql.index("'x0'")
    assert lists == {place: texts(NAMES)}
    assert len(short) == len(sql)
    assert " ".join(short.split()) == "SELECT 1 FROM t WHERE a IN ('x0' ) AND b = 'x'"
    assert short.index("AND b") == sql.index("AND b")


@pytest.mark.parametrize(
    ("listed", "is_text", "expected"),
    [
        (texts(NAMES), True, NAMES),
        (texts(ODD), True, ODD),
        ("'a' ,\n\t'b','c'", True, ["a", "b", "c"]),
        ("1, 02,\n3", False, ["1", "02", "3"]),
    ],
)  # fmt: skip
def test_values_are_those_that_are_written(listed: str, is_text: bool, expected: list[str]) -> None:
    assert values_of(listed) == (is_text, expected)


def test_a_list_is_long_from_a_certain_length_on() -> None:
    sql = "SELECT 1 FROM t WHERE a IN ({})"
    at_most, more = texts(NAMES[:LONG]), texts(NAMES[: LONG + 1])
    assert set_aside(sql.format(at_most))[1] == {}
    assert [*set_aside(sql.format(more))[1].values()] == [more]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM t WHERE f({listed})",
        "SELECT 1 FROM t WHERE a IN ({listed}, NULL)",
        "SELECT 1 FROM t WHERE a IN ({listed}, b)",
        "SELECT 1 FROM t WHERE a IN ({listed}, 1)",
        "SELECT 1 FROM t WHERE a IN ({listed}, E'\\n')",
        "SELECT 1 FROM t WHERE a IN ({listed}, 'a' || 'b')",
        "SELECT 1 FROM t -- WHERE a IN ({listed})",
        'SELECT 1 AS "a IN ({listed})" FROM t',
        "SELECT $$ '$$ FROM t WHERE a IN ({listed})",
        "SELECT $q$ '$q$ FROM t WHERE a IN ({listed})",
        "SELECT /* ' */ 1 FROM t WHERE a IN ({listed})",
        "SELECT e'\\'' FROM t WHERE a IN ({listed})",
        "SELECT 1 -- '\r FROM t WHERE a IN ({listed})",
    ],
)
def test_what_is_no_plain_list_or_quoted_in_a_rarer_way_stays_as_it_is(sql: str) -> None:
    whole = sql.replace("{listed}", texts(NAMES))
    assert set_aside(whole) == (whole, {})


def test_a_list_that_is_written_in_a_text_is_no_list() -> None:
    quoted = texts([f"a IN ({texts(NAMES)})"])
    sql = f"SELECT {quoted} FROM t"
    assert set_aside(sql) == (sql, {})


# --- the tree ------------------------------------------------------------------------------------


def test_the_tree_holds_one_node_for_the_list_and_writes_all_of_it() -> None:
    sql = f"SELECT 1 FROM t WHERE a IN ({texts(NAMES)})"
    tree = parse(sql).tree
    assert tree is not None
    assert sum(1 for _ in tree.find_all(exp.Literal)) == 2
    assert tree.sql(dialect=DIALECT) == sql
    assert tree.copy().sql(dialect=DIALECT) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "PIVOT t ON a IN ({listed}) USING count(*)",
        "SELECT * FROM t PIVOT (count(*) FOR a IN ({listed}))",
        "SELECT 1 FROM t WHERE 'x1' IN ({listed})",
    ],
)
def test_a_list_that_is_not_of_a_column_is_read_value_by_value(sql: str) -> None:
    whole = sql.replace("{listed}", texts(NAMES))
    statement = parse(whole)
    assert statement.short == ""
    assert statement.tree is not None
    assert sum(1 for _ in statement.tree.find_all(exp.Literal)) >= len(NAMES)


def test_places_behind_a_long_list_and_placeholders_are_those_of_the_text() -> None:
    sql = (
        f"SELECT ? FROM t WHERE a IN ({texts(NAMES)}) AND b = ? "
        f"AND c NOT IN ({', '.join(map(str, range(100)))}) UNION ALL FROM a.b.c WHERE d = ?"
    )
    statement = parse(sql)
    assert [sql[one.span.start : one.span.end] for one in statement.mentions] == ["t", "a.b.c"]
    assert sorted(map(len, lists_in(sql))) == [100, 100]


AWKWARD = st.sampled_from(
    ["'a'", "'it''s'", "''", "' in ('", "'--'", "'x'',''y'", "'\"'", "'é'", "'/'", "'e'", "'$1'"]
)
LISTED = st.builds(
    lambda value, others, count, gap: gap.join([value, *others] * count),
    AWKWARD,
    st.lists(AWKWARD, max_size=3),
    st.sampled_from([1, 20, 33, 70]),
    st.sampled_from([", ", ",", "\n, "]),
)
NUMBERS = st.builds(
    lambda first, count: ", ".join(map(str, range(first, first + count))),
    st.integers(0, 10**9),
    st.sampled_from([1, 64, 65, 90]),
)
CONJUNCT = st.one_of(
    st.builds("a IN ({})".format, LISTED),
    st.builds("c not in({})".format, LISTED),
    st.builds("n IN ( {} )".format, NUMBERS),
    st.builds("f({})".format, LISTED),
    st.builds("lower(b) IN ({})".format, LISTED),
    st.builds("'x' IN ({})".format, LISTED),
    st.sampled_from(["b = '-- it''s'", "c = ?", "d = 'in ('", '"in (\'" = 1', "/* ' */ true"]),
)


@settings(max_examples=examples(70), deadline=None)
@given(st.lists(CONJUNCT, min_size=1, max_size=4), st.sampled_from(["", "-- in ('a'\n"]))
def test_what_is_set_aside_and_read_back_is_what_sqlglot_reads(
    conjuncts: list[str], comment: str
) -> None:
    sql = f"SELECT 'in (' AS \"in ('\" {comment}FROM t WHERE {' AND '.join(conjuncts)}"
    assert len(set_aside(sql)[0]) == len(sql)
    whole = sqlglot.parse_one(sql, dialect=DIALECT)
    expected = sorted(
        [str(option.this) for option in node.expressions] for node in whole.find_all(exp.In)
    )
    assert lists_in(sql) == expected


# --- the engine ----------------------------------------------------------------------------------


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[Stages]:
    with open_stages(tmp_path) as opened:
        yield opened


def test_a_long_list_restricts_as_its_values_do(zoo: Stages) -> None:
    expected = [{"grp": name} for name in sorted(NAMES)]
    assert zoo.where(f"i.grp IN ({texts(NAMES)})") == expected
    assert zoo.where(f"i.grp IN ({texts(NAMES * 2)})") == expected
    assert zoo.where(f"i.grp NOT IN ({texts(NAMES)})") is None
    assert zoo.where(f"i.grp IN ({texts(NAMES)}) AND i.grp IN ('x1', 'y')") == [{"grp": "x1"}]
    assert zoo.where(f"i.grp IN ({', '.join(map(str, range(100)))})") is None


def test_values_of_another_type_are_cast_by_duckdb(zoo: Stages) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 5) for day in range(1, 29)]
    sql = "SELECT 1 FROM zoo.w.days WHERE day IN ({})"
    assert zoo.rows(sql.format(texts(days))) == [{"day": day} for day in days]
    assert zoo.rows(sql.format(texts([day.replace("-0", "-") for day in days]))) == [
        {"day": day} for day in days
    ]
    with pytest.raises(BindError, match="day is compared with a value of another type"):
        zoo.plan(sql.format(texts([*days, "no day"])))


def test_whole_numbers_are_those_of_the_column(zoo: Stages) -> None:
    rows = zoo.rows(
        f"SELECT 1 FROM zoo.w.codes WHERE lang = 'a' AND code IN ({', '.join(['007'] * 80)}, 8)"
    )
    assert rows == [{"code": "7", "lang": "a"}, {"code": "8", "lang": "a"}]


def test_a_value_that_no_path_can_carry_is_found_among_many(zoo: Stages) -> None:
    with pytest.raises(BindError, match=r"grp = '\.\.' cannot be a path segment"):
        zoo.plan(f"SELECT 1 FROM zoo.w.subs WHERE grp IN ({texts([*NAMES, '..'])})")


def test_a_table_that_is_fed_gets_only_what_the_list_lets_through(zoo: Stages) -> None:
    groups = [{"g": "X1"}, {"g": "X99"}, {"g": "Y"}, {"g": "x2"}]
    listed = texts([name.upper() for name in NAMES] * 20)
    join = "conn_a.w.groups g JOIN conn_a.w.subs s ON s.grp = lower(g.g)"
    fed = zoo.fed(f"SELECT 1 FROM {join} WHERE g.g IN ({listed})", "subs", {"groups": groups})
    assert sorted(row["grp"] for row in fed) == ["x1", "x99"]
    zoo.engine.session.duckdb.execute("CREATE TABLE mine AS FROM (VALUES ('x3'), ('y')) v(x)")
    join = "mine m JOIN conn_a.w.subs s ON s.grp = m.x"
    fed = zoo.fed(f"SELECT 1 FROM {join} || '' WHERE m.x IN ({texts(NAMES)})", "subs", {})
    assert sorted(row["grp"] for row in fed) == ["x3"]


class Zoo:
    """Answers with one row for each group; what was asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        return httpx.Response(200, text=json.dumps([{"sub": request.url.path, "kind": "k"}]))


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Engine, Zoo]]:
    zoo = Zoo()
    engine = open_zoo(folder, zoo)
    try:
        yield engine, zoo
    finally:
        engine.close()


def test_every_value_of_a_list_is_asked_for_and_every_row_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (engine, zoo):
        sql = f"SELECT grp FROM conn_a.w.subs WHERE grp IN ({texts(NAMES)}) ORDER BY grp"
        (result,) = engine.run(sql)
        assert result.table.column("grp").to_pylist() == sorted(NAMES)
        assert sorted(zoo.paths) == sorted(f"/groups/{name}/subs" for name in NAMES)


def test_statements_of_one_text_keep_each_their_own_list(tmp_path: Path) -> None:
    others = [f"y{number}" for number in range(100)]
    listed = "SELECT count(*) AS n, min(grp) AS g FROM conn_a.w.subs WHERE grp IN ({})"
    text = (
        f"{listed.format(texts(NAMES))};\n{listed.format(texts(others))}; SELECT 1 AS n, 'z' AS g"
    )
    with opened(tmp_path) as (engine, _):
        found = [result.table.to_pylist() for result in engine.run(text)]
    assert found == [[{"n": 100, "g": "x0"}], [{"n": 100, "g": "y0"}], [{"n": 1, "g": "z"}]]


def test_a_view_over_a_long_list_reads_all_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as (engine, _):
        view = f"CREATE VIEW v AS SELECT * FROM conn_a.w.subs WHERE grp IN ({texts(NAMES)})"
        _, result = engine.run(f"{view}; SELECT count(*) AS n FROM v")
    assert result.table.to_pylist() == [{"n": 100}]


def test_a_header_made_of_a_long_list_is_as_the_user_wrote_it(tmp_path: Path) -> None:
    with opened(tmp_path) as (engine, _):
        sql = f"SELECT grp IN ({texts(NAMES)}) FROM conn_a.w.subs WHERE grp = 'x1'"
        (result,) = engine.run(sql)
    assert result.table.column_names == [f"(grp IN ({texts(NAMES)}))"]


@pytest.mark.parametrize(
    ("sql", "at", "kind"),
    [
        ("SELECT 1 FROM conn_a.w.subs WHERE grp IN ({}) AND nope = 1", "nope", BindError),
        ("SELECT nope FROM conn_a.w.subs WHERE grp IN ({})", "nope", BindError),
        ("SELECT 1 FROM conn_a.w.subs WHERE grp IN ({}) AND AND", "AND", ParseError),
        ("SELECT 1 FROM conn_a.w.subs WHERE grp IN ({}) AND nope(1)", "nope", BindError),
        ("SELECT 1 FROM conn_a.w.subs WHERE grp IN ({}) AND sub IN (1, NULL, nope)", "nope",
         BindError),
    ],
)  # fmt: skip
def test_a_fault_beside_a_long_list_is_told_in_the_users_own_text(
    tmp_path: Path, sql: str, at: str, kind: type[BindError] | type[ParseError]
) -> None:
    sql = sql.format(texts(NAMES))
    with opened(tmp_path) as (engine, zoo):
        with pytest.raises(kind) as caught:
            list(engine.run(sql))
        assert zoo.paths == []
    assert caught.value.sql == sql
    assert caught.value.span is not None
    assert sql[caught.value.span.start :].startswith(at)
    assert caught.value.span.start in (sql.index(at), sql.rindex(at))
