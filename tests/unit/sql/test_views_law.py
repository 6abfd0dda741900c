"""Whatever is defined and however it is asked: a name stands for its definition, written out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import QueryError
from tests.conftest import engine_of
from tests.examples import examples
from tests.unit.sql.test_views import LIVE, ONE, ask

pytestmark = pytest.mark.long

BODIES = (
    "SELECT name, type FROM {}",
    "SELECT name, type FROM {} WHERE type = 'source'",
    "SELECT upper(name) AS name, type FROM {} AS s WHERE s.name IS NOT NULL",
    "SELECT name, type FROM {} ORDER BY name DESC LIMIT 4",
    "SELECT max(name) AS name, type FROM {} GROUP BY type",
    "SELECT DISTINCT type AS name, type FROM {}",
    "(SELECT name, type FROM {}) UNION ALL (SELECT type, name FROM {})",
    "WITH c AS (FROM {}), v AS (FROM c) SELECT name, v.type FROM v",
    "SELECT a.name, b.type FROM {} AS a JOIN {} AS b USING (name)",
    "SELECT name, row_number() OVER (PARTITION BY type ORDER BY name)::VARCHAR AS type FROM {}",
    "FROM (FROM {} SELECT name, type) -- v\n",
    f"SELECT name, type FROM {{}} WHERE name IN (SELECT name FROM {{}} WHERE name = '{ONE}')",
    "SELECT l.name, r.type FROM {} AS l LEFT JOIN (FROM {} WHERE type = 'sink') AS r USING (name)",
)
ASKED = (
    "SELECT * FROM {0}",
    "SELECT name FROM {0} WHERE type = 'sink'",
    f"SELECT x.type FROM {{0}} AS x WHERE x.name = '{ONE}'",
    "SELECT x.p, x.type FROM {0} AS x(p)",
    "SELECT a.name, b.type FROM {0} AS a LEFT JOIN {1} AS b ON a.name = b.name",
    "FROM {0} AS a SEMI JOIN {1} AS b USING (name)",
    "SELECT count(*), (SELECT count(*) FROM {1} AS s) AS n FROM {0} AS q",
    "SELECT name FROM {0} WHERE EXISTS (FROM {1} AS i WHERE i.type = name)",
    "WITH c AS (SELECT * FROM {0}) SELECT type, count(*) FROM c GROUP BY ALL",
    "WITH q AS (SELECT * FROM {0}) SELECT * FROM q UNION SELECT * FROM {1}",
    "SELECT * FROM (SELECT name AS n FROM {0}) AS d, LATERAL (SELECT d.n AS m) AS e",
    "SELECT name FROM {0} ORDER BY ALL LIMIT 3",
)


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        ask(opened, f"FROM {LIVE}")  # what is learnt once is asked for before anybody counts
        yield opened


def answer(engine: Engine, sandbox: DemoServers, sql: str) -> tuple[object, ...]:
    """Headers, rows in any order and number of requests; or the kind of error."""
    sandbox.reset()
    try:
        found = ask(engine, sql)
    except QueryError as error:
        return type(error), sandbox.count()
    return found.column_names, sorted(map(str, found.to_pylist())), sandbox.count()


def written_out(body: str, source: str) -> str:
    """A body over a source; each of its mentions needs a name of its own, if it has none."""
    return body.replace("{} AS ", f"{source} AS ").replace("{}", f"{source} AS s")


def put(asked: str, source: str, other: str) -> str:
    """A question over a source, and another one beside it."""
    alias = "" if "{0} AS " in asked else " AS s"
    return "".join(
        {"{0}": source + alias, "{1}": other}.get(part, part)
        for part in re.split(r"({[01]})", asked)
    )


@settings(max_examples=examples(8), deadline=None)
@given(
    bodies=st.lists(st.sampled_from(BODIES), min_size=1, max_size=3),
    asked=st.sampled_from(ASKED),
    is_macro=st.booleans(),
    other=st.sampled_from(["{0}", LIVE]),
)
def test_a_view_or_macro_answers_as_its_text_does_at_the_same_price(
    engine: Engine,
    sandbox: DemoServers,
    bodies: list[str],
    asked: str,
    is_macro: bool,
    other: str,
) -> None:
    name, derived = LIVE, LIVE
    for layer, body in enumerate(bodies):
        kind = f"MACRO m{layer}() AS TABLE" if is_macro else f"TEMP VIEW v{layer} AS"
        ask(engine, f"CREATE OR REPLACE {kind} {written_out(body, name)}")
        derived = f"({written_out(body, derived)})"
        name = f"m{layer}()" if is_macro else f"v{layer}"

    expected, found = (
        answer(engine, sandbox, put(asked, one, one if other == "{0}" else other))
        for one in (derived, name)
    )
    assert found == expected


@settings(max_examples=examples(8), deadline=None)
@given(
    body=st.sampled_from(BODIES),
    asked=st.sampled_from(ASKED),
    text=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6),
)
def test_an_argument_stands_where_its_parameter_stood(
    engine: Engine, sandbox: DemoServers, body: str, asked: str, text: str
) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    inner = f"(SELECT name, type FROM {LIVE} WHERE name >= {{}})"
    ask(engine, f"CREATE OR REPLACE MACRO m(x) AS TABLE {written_out(body, inner.format('x'))}")
    derived = f"({written_out(body, inner.format(literal))})"
    found, expected = (
        answer(engine, sandbox, put(asked, one, one)) for one in (f"m({literal})", derived)
    )
    assert found == expected
