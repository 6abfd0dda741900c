"""What was typed is there again tomorrow, in all shells, without the secrets that were in it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.shell import history
from connstat_sql.shell.history import DiskHistory, history_file, holds_secret
from tests.examples import examples


def opened(path: Path, told: list[str] | None = None) -> DiskHistory:
    notes: list[str] = [] if told is None else told
    return DiskHistory(path, notes.append, lambda: 1_800_000_000.0)


def kept(path: Path) -> list[str]:
    """The oldest first."""
    return list(opened(path).load_history_strings())[::-1]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
@settings(max_examples=examples(60), deadline=None)
def test_whatever_was_typed_comes_back(
    tmp_path_factory: pytest.TempPathFactory, typed: list[str]
) -> None:
    path = tmp_path_factory.mktemp("state") / "deep" / "history"
    wanted = [
        one for one in typed if one.strip() and not one[0].isspace() and not holds_secret(one)
    ]
    for one in typed:
        opened(path).store_string(one)
    assert kept(path) == [one.replace("\r\n", "\n").replace("\r", "\n") for one in wanted]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "history"
    opened(path).store_string("SELECT 1;")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_shells_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history"

    def shell(name: int) -> None:
        own = opened(path)
        for number in range(50):
            own.store_string(f"SELECT {name},\n {number};\n{'x' * 200}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shell, range(8)))
    found = kept(path)
    assert len(found) == len(set(found)) == 400
    for name in range(8):
        own = [one for one in found if one.startswith(f"SELECT {name},")]
        assert [one.split("\n")[1] for one in own] == [f" {number};" for number in range(50)]


@pytest.mark.parametrize(
    "line",
    [
        "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y');",
        "create or replace persistent secret s (type s3)",
        "SET s3_secret_access_key = 'abc';",
        "SELECT * FROM t WHERE password = 'hunter2';",
        "SELECT * FROM t WHERE config['database.password'] = 'hunter2';",
        "SELECT * FROM t WHERE api_key IN ('k1')",
        "ATTACH 'postgres://me:hunter2@host/db' AS pg;",
        "ATTACH 'host=h user=me password=hunter2' AS pg (TYPE postgres);",
        ".run report token=abc",
        "SELECT 'Bearer abcdefghijklmnop';",
        "INSERT INTO t VALUES ('password', 'hunter2');",
        "SELECT 'AKIAABCDEFGHIJKLMNOP'",
        "SELECT 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx'",
        "SELECT 'dGhpcyBpcyBub3QgYSBzZWNyZXQ5MTIz0aBc'",
        "SELECT '-----BEGIN PRIVATE KEY-----'",
    ],
)
def test_what_looks_like_a_secret_is_not_written_down(line: str, tmp_path: Path) -> None:
    path = tmp_path / "history"
    own = opened(path)
    own.append_string(line)
    assert not path.exists()
    assert own.get_strings() == [line], "this shell itself remembers it"


@pytest.mark.parametrize(
    "line",
    [
        "SELECT name, connector.state FROM kafka_connect.connect.connector_status;",
        "SELECT * FROM confluent.connect.connectors WHERE environment_id = 'env-1';",
        "SELECT config['password'] FROM plant_a.connect.connectors;",
        "SELECT key FROM t WHERE key LIKE '%password%';",
        ".describe confluent.iam.api_keys",
        "SELECT 'https://connect-a:8083/connectors'",
        "FROM 'file.csv' SELECT token_count;",
        "FROM t WHERE workspace_id = '0190163d-8694-739b-aea5-966c26f8ad91';",
    ],
)
def test_ordinary_statements_are_kept(line: str, tmp_path: Path) -> None:
    opened(tmp_path / "history").store_string(line)
    assert kept(tmp_path / "history") == [line]


def test_a_file_that_cannot_be_written_is_one_note(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    told: list[str] = []
    own = opened(tmp_path / "file" / "history", told)
    assert list(own.load_history_strings()) == []
    own.append_string("SELECT 1;")
    own.append_string("SELECT 2;")
    assert len(told) == 1
    assert "history is not kept" in told[0]
    assert own.get_strings() == ["SELECT 1;", "SELECT 2;"]


def test_a_broken_file_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"garbage\xff\n# x\n+SELECT 1;\n\n# y\n+SELECT \xff2;\n# z\n+SELECT 3;")
    assert kept(path) == ["SELECT 1;", "SELECT \ufffd2;", "SELECT 3;"]


def test_a_file_that_grows_is_cut_to_its_newest_entries(tmp_path: Path) -> None:
    path = tmp_path / "history"
    own = opened(path)
    own.store_string("SELECT 'first';")
    with path.open("ab") as out:
        out.write(b"\n# 1\n+" + b"y" * history.MOST_BYTES + b"\n")
    own.store_string("SELECT 'last';")
    assert kept(path) == ["SELECT 'last';"]
    assert path.stat().st_size < history.MOST_BYTES


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"HOME": "/home/me"}, "/home/me/.local/state/connstat/history"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/state"}, "/state/connstat/history"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "odd"}, "/home/me/.local/state/connstat/history"),
        ({"HOME": "/home/me", "CONNSTAT_HISTORY": "/x"}, "/x"),
        ({"HOME": "/home/me", "CONNSTAT_HISTORY": ""}, None),
    ],
)
def test_where_it_is_kept(environment: dict[str, str], place: str | None) -> None:
    found = history_file(environment)
    assert (None if found is None else os.fspath(found)) == place
