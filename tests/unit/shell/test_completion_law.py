"""What holds of completion everywhere: no error, the right name among the first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.bootstrap import Setup
from connstat_sql.shell.completion import KnowingCompleter
from connstat_sql.shell.completion.context import place
from connstat_sql.shell.completion.ranking import Candidate, ranked
from connstat_sql.shell.completion.tokens import LONGEST
from tests.benchmarks.completing import FIRST, complete, completer_of, examples, hits, offered

pytestmark = pytest.mark.long

CONNECTIONS = {
    "confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"},
    "plant": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:9"},
}
LONG = """
WITH failed AS (
  SELECT c.name, t.task.id AS task, 'it''s' AS "a b" -- comment; with ' quotes
  FROM confluent.connect.connectors c, unnest(c.tasks) AS t(task)
  WHERE c.environment_id IN ('env-1', 'env-2') AND config['topics'] LIKE '%x%' /* ( */
)
SELECT f.*, count(*) FILTER (WHERE f.task > 0) OVER (PARTITION BY f.name ORDER BY f.task DESC)
FROM failed f LEFT JOIN plant.connect.connector_status s ON s.name = f.name AND s.type = $kind
WHERE EXISTS (SELECT 1 FROM (VALUES (1), (2)) AS v(x) WHERE v.x = f.task)
UNION ALL BY NAME (SELECT * EXCLUDE (id) FROM confluent.org.environments)
ORDER BY ALL LIMIT 10; SHOW TABLES IN confluent; FROM read_csv('x.csv') SELECT a::INT[]
"""


@pytest.fixture(scope="module")
def completer() -> Iterator[KnowingCompleter]:
    with completer_of(Setup(connections=CONNECTIONS)) as found:
        yield found


@pytest.fixture(scope="module")
def queries(completer: KnowingCompleter) -> tuple[str, ...]:
    return examples(completer)


def test_at_every_place_of_a_query_there_is_an_answer_without_error(
    completer: KnowingCompleter, caplog: pytest.LogCaptureFixture
) -> None:
    for at in range(0, len(LONG) + 1, 3):
        offered(completer, f"{LONG[:at]}|")
        offered(completer, f"{LONG[:at]}|{LONG[at:]}")
    assert caplog.records == []


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="'\"();,.$/*-=[]{}%\\`#@:?<> \nSELECTFROMWHEREasxyz09é\0", max_size=60))
def test_whatever_is_typed_is_read(text: str) -> None:
    for at in range(len(text) + 1):
        found = place(text, at)
        assert 0 <= found.start <= at


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(LONG)), st.integers(0, len(LONG)), st.text(max_size=5))
def test_pieces_of_queries_put_together_are_completed(
    completer: KnowingCompleter, first: int, second: int, between: str
) -> None:
    before = (LONG[:first] + between).replace("|", "")
    for one in offered(completer, f"{before}|{LONG[second:]}")[:20]:
        assert one.text
        assert -len(before) <= one.start_position <= 0


@pytest.mark.parametrize("rest", [False, True], ids=["typed on", "typed in between"])
def test_the_right_name_is_among_the_first(
    completer: KnowingCompleter, queries: tuple[str, ...], rest: bool
) -> None:
    found = [hit for sql in queries for hit in hits(completer, sql, rest=rest)]
    seen = [hit for hit in found if hit.rank is not None and hit.rank <= FIRST]
    assert len(found) > 300
    assert len(seen) >= 0.95 * len(found), [hit for hit in found if hit not in seen]


def test_a_text_that_is_too_long_is_left_alone(completer: KnowingCompleter) -> None:
    assert (
        complete(completer, f"SELECT '{'x' * LONGEST}', na| FROM confluent.org.environments") == []
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("abc_.-", min_size=1, max_size=12), max_size=30), st.text("abc_", max_size=4)
)
def test_prefixes_come_first_and_nothing_comes_that_lacks_a_letter(
    names: list[str], word: str
) -> None:
    found = [one.text for one in ranked([Candidate(one, one, "", (one,)) for one in names], word)]
    begins = [one.startswith(word) for one in found]
    assert begins == sorted(begins, reverse=True)
    for one in found:
        letters = iter(one)
        assert all(letter in letters for letter in word)
    assert {*found} >= {one for one in names if word in one}
