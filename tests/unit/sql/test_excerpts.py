"""Each node of a tree knows what it was read from: read alone, that is the same node again."""

from __future__ import annotations

import random

import pytest
from sqlglot import exp
from sqlglot.parsers.duckdb import DuckDBParser

from connstat_sql.database.source_map import excerpt
from connstat_sql.errors import ConfigError
from connstat_sql.sql.binder.render import written
from connstat_sql.sql.excerpts import NOTED, NotingParser, excerpt_of
from connstat_sql.sql.parentheses import bracketed
from connstat_sql.sql.statement import DIALECT, number_edits, parse
from tests.oracle.grammar import random_query
from tests.oracle.world import random_world

WRITTEN = [
    "SELECT a[1], b::DECIMAL(9, 2), TRY_CAST(c AS STRUCT(x INTEGER)[]), x -> y FROM t /* why */",
    "SELECT list_transform(l, lambda v: v + 1), MAX(a) FILTER (WHERE b), 'it''s' FROM t",
    "SELECT a FROM t TABLESAMPLE 5% -- some",
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) FROM r, LATERAL (SELECT 1)",
    "SELECT * EXCLUDE (a), b.* REPLACE (1 AS c) FROM b",
    "SELECT first(a) OVER w FROM t WINDOW w AS (PARTITION BY c) QUALIFY d LIMIT $n OFFSET 1",
    "PIVOT (SELECT 1 AS a) ON a USING count(*)",
    "SELECT INTERVAL 3 DAYS, DATE '2026-01-01', {'a': [1]}, MAP {'k': 1}['k'], x COLLATE NOCASE",
    "(SELECT a FROM s ORDER BY b LIMIT 5) UNION ALL (SELECT c FROM (t JOIN u USING (k)))",
    "SELECT é AS ü FROM t WHERE x = ? AND y IN (?, ?) AND z = 'ß' || ? -- ?",
    "SELECT a = ALL([b || 'c']), a = some(d) FROM t WHERE (a > all([1]) OR b) AND c",
    "FROM a, b AS c(d, e) LEFT JOIN (VALUES (1), (2 + 3)) AS v(n) ON v.n = a.k + 1 WHERE c",
]


def random_statements(count: int) -> list[str]:
    return [
        random_query(random.Random(seed), random_world(random.Random(seed))).sql
        for seed in range(count)
    ]


def assert_noted(sql: str) -> None:
    """Every operand of a statement that DuckDB could be asked about is what stands there."""
    statement = parse(sql)
    assert statement.tree is not None, sql
    whole = excerpt_of(statement.tree)
    assert whole is not None
    assert whole.span.start == 0
    assert written(statement.tree) == whole.sql == excerpt(sql, whole.span, number_edits(sql))
    for node in statement.tree.walk():
        place = excerpt_of(node)
        if place is None or not isinstance(node, exp.Condition) or _is_told_by_what_is_around(node):
            continue
        alone = parse(f"SELECT ({place.sql})").tree
        assert alone is not None
        assert alone.expressions[0].unalias().this == node, f"{place.sql!r} in {sql}"


def _is_told_by_what_is_around(node: exp.Expr) -> bool:
    if isinstance(node, (exp.PropertyEQ, exp.UDTF, exp.SubqueryPredicate)):
        return True
    around = (exp.Lambda, exp.Comprehension, exp.Kwarg, exp.PropertyEQ, exp.JSONExtract, exp.Slice)
    return node.find_ancestor(*around, exp.TableSample, exp.TableAlias, exp.Pivot) is not None


@pytest.mark.parametrize("sql", WRITTEN)
def test_a_part_of_a_statement_is_what_it_was_read_from(sql: str) -> None:
    assert_noted(sql)


@pytest.mark.long
def test_so_it_is_in_random_statements() -> None:
    for sql in random_statements(100):
        assert_noted(sql)


def test_a_parameter_without_a_name_keeps_its_number() -> None:
    tree = parse("SELECT ? FROM t WHERE 'é' = ? AND a + ? > 1").tree
    assert tree is not None
    assert [written(one) for one in tree.find_all(exp.Add, exp.EQ)] == ["'é' = $2", "a + $3"]


def test_a_long_list_is_written_out_whole() -> None:
    values = ", ".join(map(str, range(100)))
    tree = parse(f"SELECT 1 FROM t WHERE a IN ({values}) AND b = ?").tree
    assert tree is not None
    assert [written(one) for one in tree.find_all(exp.In)] == [f"a IN ({values})"]


def test_a_source_is_told_without_the_joins_behind_it() -> None:
    tree = parse("FROM a.b.c AS d /* x */ JOIN e ON true, (SELECT 1) f, range(3) AS g(h)").tree
    assert tree is not None
    sources = tree.find_all(exp.Table, exp.Subquery)
    assert sorted(map(written, sources)) == ["(SELECT 1) f", "a.b.c AS d", "e", "range(3) AS g(h)"]


def test_operators_are_put_in_parentheses_where_their_order_counts() -> None:
    def told(sql: str) -> str | None:
        tree = parse(sql).tree
        assert tree is not None
        return bracketed(tree)

    assert told("SELECT a + b FROM t WHERE a = 1 AND b IN (1, 2) OR c < f(x)") is None
    assert told("FROM t WHERE a + b * 2 = 1") == "FROM t WHERE ((a + (b * 2)) = 1)"
    assert told("FROM t WHERE NOT a = 1") == "FROM t WHERE (NOT (a = 1))"
    listed = "SELECT a FROM t WHERE b + 1 IN CAST(NULL AS INTEGER[])"
    assert told(listed) == "SELECT a FROM t WHERE ((b + 1) IN CAST(NULL AS INTEGER[]))"


def test_what_is_used_of_the_parser_is_there() -> None:
    """Where sqlglot renames one of these, nodes have no text, and what they say is not used."""
    used = [*NOTED, "_parse_range", "_parse_join", "_parse_table"]
    assert all(callable(getattr(DuckDBParser, name)) for name in used)
    assert all(name in vars(NotingParser) for name in used)
    parser = DIALECT().parser()
    assert {"_tokens", "_index"} <= {*dir(parser)}


def test_a_compiled_parser_is_refused_with_what_to_do() -> None:
    class Compiled:
        """What it does to those that inherit from it, as the classes of sqlglotc do."""

        def __new__(cls) -> Compiled:
            raise TypeError("interpreted classes cannot inherit from compiled")

    class Heir(NotingParser, Compiled):
        pass

    with pytest.raises(ConfigError, match="sqlglotc") as caught:
        Heir()
    assert caught.value.hint == "pip uninstall sqlglotc"
