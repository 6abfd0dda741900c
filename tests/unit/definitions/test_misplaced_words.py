"""A word of ours that stands in the wrong place is told where it belongs."""

from pathlib import Path

import pytest

from connstat_sql.config import connections as configuration
from connstat_sql.definitions.loader.misplaced import CONNECTION_WORDS
from connstat_sql.errors import ConfigError
from tests.conftest import engine_of
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of, problems_of

SERVICE = """service: s
TOP: 1
resources:
  t:
    description: d
    HERE: 1
    columns: {id: {type: VARCHAR, COLUMN: 1}}
    methods:
      list:
        path: /t
        METHOD: 1
        paging: {style: page, request: page, PAGING: 1}
"""


@over(
    ("place", "word", "home"),
    [
        ("METHOD", "retry", "`retry` stands at the top of provider.yaml"),
        ("METHOD", "redirects", "`redirects` stands at the top of provider.yaml"),
        ("METHOD", "path_rejects", "`path_rejects` stands at the top of provider.yaml"),
        ("METHOD", "server_version", "`server_version` stands at the top of provider.yaml"),
        ("METHOD", "concurrency", "`concurrency` stands under `limits` in provider.yaml"),
        ("METHOD", "verify", "`verify` stands in a connection of connstat.toml"),
        ("METHOD", "last_page", "`last_page` stands under `paging`"),
        ("METHOD", "redact", "`redact` stands under a column"),
        ("METHOD", "errors", "did you mean `incomplete`? `errors` stands at the top of provider"),
        ("TOP", "verb", "`verb` stands under a method"),
        ("TOP", "error_mark", "`error_mark` stands at the top of provider.yaml"),
        ("HERE", "no_row", "`no_row` stands under a method"),
        ("HERE", "limits", "`limits` stands at the top of provider.yaml"),
        ("COLUMN", "fills", "`fills` stands under a method"),
        ("PAGING", "filters", "`filters` stands under a method"),
        ("PAGING", "colour", "known here: "),
    ],
)  # fmt: skip
def test_a_word_in_a_service_file(tmp_path: Path, place: str, word: str, home: str) -> None:
    lines = SERVICE.replace(place, word).splitlines()
    text = "\n".join(line for line in lines if not line.strip().startswith(("TOP", "HERE", "METH")))
    for other in (", COLUMN: 1", ", PAGING: 1"):
        text = text.replace(other, "")
    [problem] = problems_of(tmp_path, {"s.yaml": f"{text}\n"})
    assert f"unknown key `{word}`" in problem
    assert home in problem


@over(
    ("word", "home"),
    [
        ("no_row", "`no_row` stands under a method"), ("fallback", "under a method"),
        ("since", "under a method"), ("resources", "at the top of the service's file"),
        ("timeout", "in a connection of connstat.toml"), ("rate", "under `limits` in provider"),
        ("verb", "under a method"), ("redact", "under a column"),
    ],
)  # fmt: skip
def test_a_word_in_a_provider_file(tmp_path: Path, word: str, home: str) -> None:
    provider = f"provider: p\ndescription: d\n{word}: 1\n"
    files = folder_of(tmp_path, {"provider.yaml": provider})
    assert files.is_dir()
    [problem] = [
        one for one in problems_of(tmp_path, {"provider.yaml": provider}) if "unknown key" in one
    ]
    assert home in problem


@over(
    ("word", "home"),
    [
        ("retry", "`retry` stands at the top of provider.yaml"),
        ("redirects", "at the top of provider.yaml"), ("longest_wait", "under `limits`"),
        ("concurrency", "did you mean `max_concurrency`? `concurrency` stands under `limits`"),
        ("no_row", "under a method"), ("colour", "known: "),
    ],
)  # fmt: skip
def test_a_word_of_a_definition_in_a_connection(word: str, home: str) -> None:
    given = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test", word: 1}}
    with pytest.raises(ConfigError, match=f"unknown key `{word}`") as caught, engine_of(given):
        pass
    assert home in caught.value.hint


def test_the_words_of_connections_are_those_that_connections_know() -> None:
    said_elsewhere = {"provider", "base_url", "headers", "rate", "families", "trusted_hosts",
                      "server_version"}  # fmt: skip
    assert {*configuration._CHECKS} - said_elsewhere == CONNECTION_WORDS
