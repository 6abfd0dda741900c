"""What is masked is what one look at each key and each value says, however it is found out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.model import JSON, VARCHAR, Column, ListOf, MapOf, Redaction
from connstat_sql.redaction import hidden
from connstat_sql.redaction.sql import shown as shown_in_sql
from tests.examples import examples
from tests.masking import SHOWN, masked

KEY_PARTS = """password passwd pass pwd token secret key keys api shared access connection uri url
user info license json account class type provider source file tokenizer max auth mode jaas config
data crypto id name topic KEY Passwort toKen \u017fecret \u212aey dsn sas jwt cookie pem master a b
"""
VALUE_PARTS = """basic bearer ba\u017fic abcdefgh 12345678 pwd= sig= ?sig= password= token : :// @
= BASIC thin: / scott tiger AKIAIOSFODNN7EXAMPLE asiaiosfodnn7example eyJhbGciOiJI .abcdefgh.
"x" -----BEGIN PRIVATE KEY ${env:PW} [hidden] **** Cookie: api-key a b é 🙂 value ; & {"token"
"""
BETWEEN = st.sampled_from(["", "", ".", "_", "-", " ", "\n", "\t", "\0", "\u2028"])


def texts(parts: str) -> st.SearchStrategy[str]:
    """Parts of what looks like a credential, put together in all ways; and anything else."""
    pairs = st.lists(st.tuples(BETWEEN, st.sampled_from(parts.split())), max_size=6)
    return st.one_of(pairs.map(lambda found: "".join(map("".join, found))), st.text(max_size=20))


KEYS, VALUES = texts(KEY_PARTS), texts(VALUE_PARTS)
CONFIGS = st.dictionaries(KEYS, st.one_of(st.none(), VALUES), max_size=6)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


PAIR = Column("value", VARCHAR, (), redaction=Redaction.VALUE, redact_by="key")


def expected(db: duckdb.DuckDBPyConnection, pairs: list[list[str | None]]) -> list[str | None]:
    """The values of pairs of key and value, masked one by one."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE pairs AS SELECT unnest(range(len($keys))) AS place, "
        "unnest($keys::VARCHAR[]) AS k, unnest($texts::VARCHAR[]) AS v",
        {"keys": [key for key, _ in pairs], "texts": [text for _, text in pairs]},
    )
    return masked(db, PAIR, "v", "k", "FROM pairs ORDER BY place")


@settings(max_examples=examples(40), deadline=None)
@given(configs=st.lists(st.one_of(st.none(), CONFIGS), max_size=4))
@example(
    configs=[{"a": "basic abcdefgh"}, {"a": "pwd=x"}, {"a": "://:a@"}, {"a": "\tbasic 1234567"}]
)
@example(
    configs=[
        {"pwd": "x", "a": "y"},
        {"a\npwd": "x"},
        {"pwd\na": "x"},
        {"a": "bearer", "b": "abcdefgh"},
        {},
        None,
    ]
)
def test_a_map_is_masked_entry_by_entry(
    db: duckdb.DuckDBPyConnection, configs: list[dict[str, str | None] | None]
) -> None:
    column = Column("config", ListOf(MapOf(VARCHAR)), (), redaction=Redaction.KEYS)
    maps = [None if one is None else {"key": [*one], "value": [*one.values()]} for one in configs]
    [found] = masked(db, column, "$maps", maps=maps)
    pairs = [[*pair] for one in configs for pair in (one or {}).items()]
    values = iter(expected(db, pairs))
    assert found == [one and {key: next(values) for key in one} for one in configs]


@settings(max_examples=examples(40), deadline=None)
@given(config=st.dictionaries(KEYS, VALUES, max_size=6))
def test_a_map_of_json_is_masked_like_one_of_text(
    db: duckdb.DuckDBPyConnection, config: dict[str, str]
) -> None:
    column = Column("config", MapOf(JSON), (), redaction=Redaction.KEYS)
    made = "MAP($keys::VARCHAR[], list_transform($texts::VARCHAR[], lambda one: to_json(one)))"
    masked(db, column, made, keys=[*config], texts=[*config.values()])
    sql = f"SELECT list_transform(map_values(v), lambda one: one ->> '$') FROM {SHOWN}"
    [(found,)] = db.execute(sql).fetchall()
    assert found == expected(db, [[*pair] for pair in config.items()])


@settings(max_examples=examples(60), deadline=None)
@given(text=VALUES.filter(lambda text: text.isascii() and "\0" not in text))
def test_rows_and_messages_hide_the_same(db: duckdb.DuckDBPyConnection, text: str) -> None:
    column = Column("trace", VARCHAR, (), redaction=Redaction.TEXT)
    [shown] = masked(db, column, "$text", text=text)
    assert re.sub(r"\*{4}[0-9a-f]{8}", "…", shown) == hidden(text)


@settings(max_examples=examples(20), deadline=None)
@given(pairs=st.lists(st.tuples(st.one_of(st.none(), KEYS), VALUES), min_size=1, max_size=6))
def test_the_function_in_sql_shows_what_rows_do(
    db: duckdb.DuckDBPyConnection, pairs: list[tuple[str | None, str]]
) -> None:
    rows = [[*pair] for pair in pairs]
    masks = [text and re.sub(r"\*{4}[0-9a-f]{8}", "****", text) for text in expected(db, rows)]
    sql = f"SELECT {shown_in_sql('k', 'v')} FROM pairs ORDER BY place"
    assert [text for (text,) in db.execute(sql).fetchall()] == masks
