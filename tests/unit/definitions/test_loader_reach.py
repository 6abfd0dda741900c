"""The SQL of a definition reads tables of providers; what else it names is refused at load."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.definitions.loader.reach import outside_reach
from connstat_sql.errors import ConfigError
from tests.tabled import over

SOURCES = (
    "a/**/.b -- x.y\n. c /* /* , 'x.csv' */ */",
    "a.b.c WHERE x = E'\\', (FROM ''y'')'",
    "a.b.c",
    "a.b.c AS x",
    "a.b.c x WHERE 'small' = ANY(tags)",
    "a.b.c JOIN d.e.f USING (x, y) WHERE extract(year FROM t) = 1",
    "a.b.c, unnest(['a','b']) AS u(x)",
    "(SELECT * FROM a.b.c WHERE x IS DISTINCT FROM 'y') AS q",
    "(WITH w AS (SELECT 1), z(a, b) AS MATERIALIZED (FROM a.b.c) SELECT * FROM w JOIN z ON true) q",
    "a.b.c LEFT JOIN LATERAL (SELECT unnest(x.tags) AS t) u ON true",
    "(VALUES ('a'), ('b')) v(x), a.b.c",
    "a.b.c JOIN d.e.f ON a.x = d.x AND d.y IN ('a','b'), g.h.i",
    "a.b.c ORDER BY 'x', 'y'",
    "(FROM a.b.c SELECT x) s",
    "a.b.c AS t(x, y)",
    "a.b.c PIVOT (sum(x) FOR y IN ('a','b'))",
    "(SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y') t",
    "a.b.c POSITIONAL JOIN d.e.f",
    "range(3) r(i)",
)
"""What may stand after FROM."""
OUTSIDE = (
    "a.b.c WHERE x = E'\\'' OR y IN (SELECT content FROM read_text('x')) OR z = ''",
    "a.b.c -- as ever\r, 'x.csv'",
    "a.b.c /* /* */ */, 'x.csv'",
    "a.b.c WHERE x = 'y",
    "a.b.c /* /* */",
    "'x.csv'",
    "x.csv",
    '"x.csv"',
    '"https://e/x.csv"',
    "read_text('/etc/passwd')",
    "a.b.c, 'x.csv'",
    'a.b.c, "x.csv"',
    "a.b.c JOIN 'x' ON true",
    "(SELECT * FROM 'x')",
    "(FROM 'x')",
    "(SUMMARIZE 'x')",
    "(DESCRIBE 'x')",
    "(PIVOT 'x' ON a)",
    "(UNPIVOT 'x' ON a)",
    '(TABLE "x.csv")',
    "glob('*')",
    "duckdb_secrets()",
    "information_schema.tables",
    "a.b.c; ATTACH 'x'",
    "query('FROM ''x''')",
    "(SELECT (SELECT content FROM read_text('x')))",
    "a.b.c WHERE x = (SELECT getenv('HOME'))",
    "a.b.c WHERE x = getvariable('y')",
    "a.b.c WHERE x IN (FROM 'x')",
    '"a"."b"."../x.csv"',
    "system.main.read_text('x')",
    "\"read_text\"('x')",
    "a.b.c WHERE x = (SUMMARIZE 'x')",
    "mytable",
    'a.b.c JOIN (SELECT 1) q ON true JOIN "f.csv" ON true',
    "a.b.c, LATERAL 'x'",
    "$$x$$",
    "a.b.c WHERE EXISTS (FROM 'x')",
    "/* c */ 'x'",
    "a.b.c--\n, 'x'",
    "(WITH w AS (FROM 'x') FROM w)",
    "a.b.c WHERE (WITH w AS (SELECT 1) FROM 'x') = 1",
    "a.b.c AS t(x), 'f'",
    "(a.b.c JOIN 'x' ON true)",
    "((('x')))",
    "a.b.c ASOF JOIN 'x' USING (a)",
    "SUMMARIZE 'x'",
    "memory.main.mine",
    '"Temp"."main"."mine"',
    "system.information_schema.tables",
    "a.b.c WHERE nextval('numbers') > 1",
    "a.b.c WHERE x = trim((FROM 'y'))",
)
"""What may not."""
VALUES = (
    "x",
    "len(list_filter(tasks, lambda t: t.state = 'RUNNING'))",
    "trim(both 'x' FROM name)",
    "CASE WHEN a IS NOT DISTINCT FROM 'b' THEN 1 END",
    "substring(name FROM 2 FOR 3)",
    "{'a': 'b', 'c': d}",
    "(SELECT max(x) FROM unnest(l) AS u(x))",
    "[x FOR x IN l IF x <> 'a']",
    "regexp_extract(trace, '^(?:.*)$', 1)",
)
"""What a column may be."""
OUTSIDE_VALUES = (
    "(SELECT content FROM read_text('x'))",
    "(FROM 'x')",
    "getenv('A')",
    "(SELECT a, b FROM c.d.e, 'f')",
    "current_setting('x')",
    "list((FROM 'x'))",
)
"""What it may not be."""


@over("sql", SOURCES)
def test_tables_of_providers_and_what_is_made_of_values_may_be_read(sql: str) -> None:
    assert outside_reach(sql, is_source=True) is None


@over("sql", VALUES)
def test_a_value_may_be_made_of_columns(sql: str) -> None:
    assert outside_reach(sql, is_source=False) is None


@over("sql", OUTSIDE)
def test_files_urls_variables_and_the_session_may_not(sql: str) -> None:
    assert outside_reach(sql, is_source=True)


@over("sql", OUTSIDE_VALUES)
def test_nor_by_way_of_a_value(sql: str) -> None:
    assert outside_reach(sql, is_source=False)


@given(st.text("('\"),.;$[]{} fromjoinabc\n-/*"), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_to_its_end(text: str, is_source: bool) -> None:
    outside_reach(text, is_source=is_source)


SERVICE = """
service: s
resources:
  a:
    description: A
    view: {from: "read_text('/proc/self/environ') AS t"}
    columns: {name: {type: VARCHAR, value: t.content}}
  b:
    description: B
    view: {from: mine.s.a AS a}
    columns: {name: {type: VARCHAR, value: "getenv('HOME')"}}
"""
PARTS = """
parts:
  inventory.connectors.connectors: {from: "'rows.csv'", columns: {connector_name: "(FROM 'x')"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    (path / "provider.yaml").write_text("provider: mine\ndescription: x\n", encoding="utf-8")
    (path / "s.yaml").write_text(SERVICE, encoding="utf-8")
    (path / "parts.yaml").write_text(PARTS, encoding="utf-8")
    return path


def test_it_is_a_problem_of_the_definition_with_its_line(folder: Path) -> None:
    problems = validate([folder], Library([shipped_providers()]))
    found = {(Path(one.file).name, one.line) for one in problems if "alone, not" in one.message}
    assert found == {("parts.yaml", 3), ("s.yaml", 6), ("s.yaml", 11)}


PROVIDER = """
provider: mine
description: x
settings:
  token: {env: MINE_TOKEN, description: x, secret: true}
  base_url: {env: MINE_URL, description: x, default: "http://127.0.0.1:9/${HOME}"}
"""


def test_a_default_takes_nothing_from_the_environment(folder: Path) -> None:
    (folder / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    problems = validate([folder / "provider.yaml"], Library([shipped_providers()]))
    assert [(one.line, one.message) for one in problems] == [(6, "a default refers to nothing")]


@pytest.mark.parametrize("place", ["", "mine", "mine/provider.yaml", "mine/s.yaml"])
def test_definitions_that_others_may_write_to_get_no_variable_of_their_choice(
    folder: Path, place: str
) -> None:
    text = PROVIDER.replace("/${HOME}", "")
    (folder / "provider.yaml").write_text(text, encoding="utf-8")
    (folder.parent / place).chmod(0o777)
    library, environment = Library([shipped_providers(), folder.parent]), {"MINE_TOKEN": "t"}
    setup = Setup(user=folder, here=folder)
    with pytest.raises(ConfigError, match="are not given MINE_TOKEN and MINE_URL") as caught:
        find_connections(setup, library, environment)
    assert "chmod o-w" in caught.value.hint
    assert find_connections(setup, library, {}) == {}
    table = {"mine": {"provider": "mine", "token": "${MINE_TOKEN}"}}
    assert "mine" in find_connections(Setup(connections=table), library, environment)
    (folder.parent / place).chmod(0o755)
    assert "mine" in find_connections(setup, library, environment)
