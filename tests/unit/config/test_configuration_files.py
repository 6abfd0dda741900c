"""The configuration file: where it is found, what cannot be understood in it, and kept rows."""

import os
from pathlib import Path

import pytest

from connstat_sql.bootstrap import Setup, find_config, told_configuration
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.errors import ConfigError
from connstat_sql.transport import read_config
from tests.unit.config.test_configuration import ONE, PLANT, write

# where the file is


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666, 0o777])
def test_a_file_of_the_folder_that_others_may_write_to_is_refused_and_says_chmod(
    tmp_path: Path, mode: int
) -> None:
    path = write(tmp_path / "here" / "connstat.toml", ONE)
    os.chown(path, -1, 12345 if os.geteuid() == 0 else -1)
    path.chmod(mode)
    if mode & 0o002 == 0 and os.geteuid() != 0:
        pytest.skip("to give a file to a strange group is for root")
    with pytest.raises(ConfigError, match="others may write to") as caught:
        find_config(None, {}, tmp_path / "user", path.parent)
    assert "chmod" in caught.value.hint
    assert "--config" in caught.value.hint
    assert find_config(path, {}, tmp_path / "user", path.parent) == path


@pytest.mark.parametrize("by_link", [False, True])
def test_a_file_of_the_folder_that_belongs_to_another_is_refused(
    tmp_path: Path, by_link: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("to give a file away is for root")
    path = tmp_path / "connstat.toml"
    real = write(tmp_path / "real.toml" if by_link else path, ONE)
    if by_link:
        path.symlink_to(real)
    os.lchown(path, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        find_config(None, {}, tmp_path / "user", tmp_path)


def test_which_configuration_counts_is_told(tmp_path: Path) -> None:
    nowhere = Setup(user=tmp_path / "user", here=tmp_path)
    assert "environment variables" in told_configuration(nowhere, {})
    path = write(tmp_path / "connstat.toml", ONE)
    assert told_configuration(nowhere, {}) == f"configuration: {path}"


def test_the_file_is_the_one_given_then_the_variables_then_here_then_the_users(
    tmp_path: Path,
) -> None:
    here, user = tmp_path / "here", tmp_path / "user"
    assert find_config(None, {}, user, here) is None
    write(user / "connstat.toml", ONE)
    assert find_config(None, {}, user, here) == user / "connstat.toml"
    write(here / "connstat.toml", ONE)
    assert find_config(None, {}, user, here) == here / "connstat.toml"
    named = write(tmp_path / "named.toml", ONE)
    environment = {"CONNSTAT_CONFIG": str(named)}
    assert find_config(None, environment, user, here) == named
    given = write(tmp_path / "given.toml", ONE)
    assert find_config(given, environment, user, here) == given


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_file_that_is_named_and_missing_is_an_error(tmp_path: Path, by_variable: bool) -> None:
    missing = tmp_path / "missing.toml"
    environment = {"CONNSTAT_CONFIG": str(missing)} if by_variable else {}
    with pytest.raises(ConfigError, match=r"missing\.toml") as caught:
        find_config(None if by_variable else missing, environment, tmp_path)
    assert ("CONNSTAT_CONFIG" in f"{caught.value}{caught.value.hint}") is by_variable


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[connections.one", "is not TOML"),
        (ONE + ONE, "is not TOML"),
        ("[connection.one]\n", r"unknown table \[connection\]"),
        ("connections = 3\n", "connections are tables"),
        ("[connections]\none = 1\n", "connections are tables"),
        ("[cashe]\n", r"unknown table \[cashe\]"),
        ("cache = 1\n", r"\[cache\] is not a table"),
        ("[cache]\nfiles = 'x'\n", r"\[cache\]: unknown key `files`"),
        ("[cache]\nfile = 1\n", r"\[cache\]: `file` is not text"),
        ("[cache]\nfile = ''\n", r"\[cache\]: `file` is empty"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "connstat.toml", text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_config(path)
    assert str(path) in caught.value.message


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "connstat.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_config(path)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "connstat.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ONE.encode())
    assert set(read_config(path).connections) == {"one"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[cashe]\n", "write [cache]"), ("[connection.one]\n", "write [connections.NAME]"),
        ("[cache]\nfiles = 'x'\n", "did you mean `file`?"),
        ("[cache]\nfile = ''\n", "leave it out"),
    ],
)  # fmt: skip
def test_a_word_that_is_not_known_comes_with_the_nearest(
    tmp_path: Path, text: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(tmp_path / "connstat.toml", text))
    assert hint in caught.value.hint


def test_the_file_of_kept_rows_stands_beside_the_configuration_file(tmp_path: Path) -> None:
    path = write(tmp_path / "etc" / "connstat.toml", f'{ONE}[cache]\nfile = "kept.duckdb"\n')
    kept = tmp_path / "etc" / "kept.duckdb"
    assert Wiring(Setup(config=path), {}).cache_file == read_config(path).cache_file == kept
    write(path, f'{ONE}[cache]\nfile = "{tmp_path / "elsewhere"}"\n')
    assert read_config(path).cache_file == tmp_path / "elsewhere"


def test_without_a_word_on_it_rows_are_kept_in_no_file(tmp_path: Path) -> None:
    path = write(tmp_path / "connstat.toml", f"{ONE}[cache]\n")
    assert Wiring(Setup(config=path), {}).cache_file is None
    given = Setup(config=path, connections={"plant": PLANT})
    assert Wiring(given, {}).cache_file is None
    assert Wiring(Setup(user=tmp_path / "no", here=tmp_path / "no"), {}).cache_file is None
