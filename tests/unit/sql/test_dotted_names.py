"""A comment or a blank in a dotted name changes nothing, whatever statement the name stands in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from connstat_sql.definitions.lexer import names
from connstat_sql.definitions.loader.views import tables_of
from connstat_sql.definitions.model import View
from connstat_sql.definitions.quoting import quote
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import QueryError
from tests.conftest import narrow_engine_of
from tests.tabled import over, spread

NAME = ("plant_a", "connect", "connectors")
GAPS = (
    ("/**/", ""), ("", "/* . */"), (" ", " "), (" -- a.b.c\n", ""), ("", "--\r"),
    ("/* a /* . */ b */", "\t"), ("\u00a0", "\u3000"), ("\n/*\n*/", " -- '\n"),
)  # fmt: skip
"""What may stand before a dot, and behind it."""
MADE = "CREATE OR REPLACE TABLE t AS FROM (VALUES ('pricing-mysql-source'), ('b')) AS v(name)"
FORMS = (
    "SELECT name FROM {0} ORDER BY ALL",
    "SELECT c.name FROM {0} AS c JOIN plant_a.connect.connector_status USING (name) ORDER BY ALL",
    "SELECT count(*) FROM (VALUES (1)) AS v(i), LATERAL (FROM {0} WHERE v.i = 1)",
    "WITH q AS (FROM {0}) SELECT count(*) FROM q",
    "SELECT {0}.name FROM {0} ORDER BY ALL",
    "FROM (PIVOT (SELECT name, type FROM {0}) ON type USING count(*)) ORDER BY ALL",
    "SELECT count(*) FROM (FROM {0} SELECT name UNION ALL FROM {0} SELECT name)",
    "SUMMARIZE SELECT type FROM {0}",
    "DESCRIBE {0}",
    "DESCRIBE FROM {0}",
    "EXPLAIN FROM {0}",
    "EXPLAIN (SELECT\nname FROM {0})",
    "SHOW TABLES IN {2}",
    "SHOW/**/TABLES\nFROM {2};",
    "SHOW SERVICES IN /* a.b */ {1}",
    "SHOW/**/PROVIDERS",
    "REFRESH {0}",
    "REFRESH/* ; */{2};",
    "USE {2}; SELECT count(*) FROM connectors; USE memory",
    "SET/**/schema = 'plant_a.connect'; FROM/**/connectors SELECT count(*); USE memory",
    "CREATE OR REPLACE TEMP VIEW v AS FROM {0}; SELECT count(*) FROM v; DROP VIEW v",
    "CREATE OR REPLACE MACRO m(x) AS TABLE FROM {0} WHERE type = x; SELECT count(*) FROM m('sink')",
    "COPY (SELECT name FROM {0} ORDER BY ALL) TO '$file'; FROM '$file'",
    "COPY {0} TO '$file'; SELECT count(*) FROM '$file'",
    "CREATE OR REPLACE TABLE t AS SELECT name FROM {0}; SELECT count(*) FROM t",
    f"{MADE}; INSERT INTO t FROM {{0}} SELECT name; SELECT count(*) FROM t",
    f"{MADE}; UPDATE t SET name = c.type FROM {{0}} AS c WHERE c.name = t.name; FROM t",
    f"{MADE}; DELETE FROM t USING {{0}} AS c WHERE c.name = t.name; FROM t",
    f"{MADE}; MERGE INTO t USING {{0}} AS c ON c.name = t.name WHEN MATCHED THEN DELETE; FROM t",
)
WRONG = (
    "SELECT nmae FROM {0}",
    "SELECT name FROM kafka_conect{3}.connect.connectors",
    "INSERT INTO {0} VALUES (1)",
    "DELETE FROM {0}",
    "DROP TABLE {0}",
    "PREPARE p AS FROM {0}",
    "EXPLAIN (FORMAT json) FROM {0}",
    "SHOW TABLES IN kafka_connect{3}.conect",
    "REFRESH kafka_connect{3}.conect",
)


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def written(form: str, before: str, behind: str, *, is_quoted: bool) -> str:
    """The statement, with the name, its first part, its first two, or what is before a dot."""
    parts = [quote(part) if is_quoted else part for part in NAME]
    dot = f"{before}.{behind}"
    return form.format(dot.join(parts), parts[0], dot.join(parts[:2]), before)


def outcome(engine: Engine, sql: str) -> tuple[list[list[tuple[object, ...]]], list[str]]:
    """The rows of all statements of a text, and the live tables that they read."""
    results = [*engine.run(sql)]
    tables = [scan.table for result in results for scan in result.scans]
    return [result.fetchall() for result in results], tables


def cases(forms: tuple[str, ...]) -> list[tuple[str, str, str, bool]]:
    """Each with a gap of its own, every other one in quotes."""
    return [
        (form, *gap, number % 3 == 1)
        for number, (form, gap) in enumerate(zip(forms, cycle(GAPS), strict=False))
    ]


@over("form, before, behind, is_quoted", spread(cases(FORMS), 10))
def test_it_is_the_same_table(
    engine: Engine, tmp_path: Path, form: str, before: str, behind: str, is_quoted: bool
) -> None:
    same_table(engine, tmp_path, form, before, behind, is_quoted)


@pytest.mark.long
@over("form, before, behind, is_quoted", cases(FORMS))
def test_it_is_the_same_table_everywhere(
    engine: Engine, tmp_path: Path, form: str, before: str, behind: str, is_quoted: bool
) -> None:
    same_table(engine, tmp_path, form, before, behind, is_quoted)


def same_table(
    engine: Engine, tmp_path: Path, form: str, before: str, behind: str, is_quoted: bool
) -> None:
    form = form.replace("$file", str(tmp_path / "rows.csv"))
    plain = outcome(engine, written(form.replace("/**/", " "), "", "", is_quoted=False))
    assert outcome(engine, written(form, before, behind, is_quoted=is_quoted)) == plain


@over("form, before, behind, is_quoted", cases(WRONG))
def test_and_what_is_wrong_with_it_is_said_in_the_same_words(
    engine: Engine, form: str, before: str, behind: str, is_quoted: bool
) -> None:
    plain, other = (
        written(form, "", "", is_quoted=False),
        written(form, before, behind, is_quoted=is_quoted),
    )
    with pytest.raises(QueryError) as expected:
        outcome(engine, plain)
    with pytest.raises(QueryError) as caught:
        outcome(engine, other)
    assert type(caught.value) is type(expected.value)
    assert str(caught.value) == str(expected.value)
    place, whole = expected.value.span, caught.value.span
    assert (place is None) == (whole is None)
    if place is not None and whole is not None:
        told = [name.parts for name in names(other[whole.start : whole.end])]
        assert told == [name.parts for name in names(plain[place.start : place.end])]


def test_the_tables_of_a_view_are_found_whatever_stands_in_their_names() -> None:
    source = 'a/**/.b -- x.y.z\n. c AS t JOIN "d" . "e" . "f f" USING (i), g.h.i WHERE t.j.k = 1'
    assert [str(table) for table in tables_of(View(source))] == ["a.b.c", "d.e.f f", "g.h.i"]
