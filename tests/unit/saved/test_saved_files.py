"""Files of saved queries: what they may say, and every way of being wrong, with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.errors import SavedQueryError
from connstat_sql.saved import (
    SavedQueries,
    SavedQuery,
    Severity,
    read_entry,
    standard_folders,
    standard_queries,
)
from connstat_sql.saved.front_matter import read_page
from connstat_sql.saved.lint import inspect
from connstat_sql.saved.reader import read_query
from tests.examples import examples

WHOLE = """\
-- name: failed
-- title: Connectors that have failed
-- description: |
--   The worst first.
--   Then the others.
-- params:
--   env: {type: VARCHAR, description: only of this one}
--   states: {type: "VARCHAR[]", default: [FAILED, "a, b"], allowed: [FAILED, "a, b", PAUSED]}
--   at_least: {type: INTEGER, default: 1}
--   owner:
--     required: true
--     choices: SELECT DISTINCT owner FROM owners
-- key: [environment_id, name]
-- state: state
-- severity: warning
-- partial: true

-- a comment that mentions $nothing
SELECT 1 FROM t
WHERE ($env IS NULL OR e = $env) AND s = ANY($states) AND n >= $at_least AND o = $owner
"""


def query_of(text: str, name: str = "some") -> SavedQuery:
    query, problems = read_query(read_page(f"{name}.sql", text.encode()), Path(f"{name}.sql"))
    assert problems == ()
    return query


def problems_of(content: str | bytes, folder: Path) -> list[str]:
    path = folder / "some.sql"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    entry = read_entry(path)
    problems = entry.problems or inspect(entry.query)
    return [str(problem).removeprefix(f"{folder}/") for problem in problems]


def fenced(text: str) -> str:
    """The same front matter between lines of dashes."""
    block, _, sql = text.partition("\n\n")
    return "---\n" + re.sub("^-- ", "", block, flags=re.MULTILINE) + "\n---\n" + sql


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (str, 18),
        (fenced, 19),
        (lambda text: text.replace("\n", "\r\n"), 18),
        (lambda text: "\ufeff" + text, 18),
        (lambda text: "\n\n" + text, 20),
        (lambda text: "-- ---\n" + text.replace("\n\n", "\n-- ---\n\n"), 20),
    ],
)
def test_a_file_says_all_there_is_to_know_in_comments_or_between_dashes(
    write: type[str], line: int
) -> None:
    query = query_of(write(WHOLE))
    assert (query.name, query.title) == ("failed", "Connectors that have failed")
    assert query.description == "The worst first.\nThen the others."
    assert (query.key, query.state) == (("environment_id", "name"), "state")
    assert (query.severity, query.is_partial) == (Severity.WARNING, True)
    assert query.line == line
    assert query.sql.startswith("-- a comment that mentions $nothing")
    env, states, at_least, owner = query.params
    assert (env.type, env.default, env.is_optional) == ("VARCHAR", None, True)
    assert (states.default, states.allowed) == ('FAILED,"a, b"', ("FAILED", "a, b", "PAUSED"))
    assert (at_least.type, at_least.default) == ("INTEGER", "1")
    assert (owner.is_required, owner.choices) == (True, "SELECT DISTINCT owner FROM owners")
    assert inspect(query) == ()


def test_a_file_of_sql_alone_is_a_saved_query_named_like_the_file() -> None:
    query = query_of("-- Which ones failed?\nSELECT 1", "failed-tasks")
    assert (query.name, query.title, query.line) == ("failed-tasks", "Failed tasks", 1)
    assert query.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("-- titel: x\nSELECT 1", "some.sql:1: unknown key `titel` (did you mean `title`?)"),
        ("-- title: x\n-- params: [a\nSELECT 1", "some.sql:3: not YAML"),
        ("-- title: x\n-- title: y\nSELECT 1", "some.sql:2: `title` stands here a second time"),
        ("---\ntitle: x\nSELECT 1", "some.sql:1: the front matter that begins here has no end"),
        ("---\n- title\n---\nSELECT 1", "some.sql:2: the front matter is not a mapping"),
        ("-- params: {a: {typ: DATE}}\nSELECT $a", "some.sql:1: unknown key `typ`"),
        ("-- params:\n--   a: {type: 'INT; DROP'}\nSELECT $a", "some.sql:2: `INT; DROP` is not"),
        ("-- params:\n--   a: {type: 'INT) || (a'}\nSELECT $a", "some.sql:2: `INT) || (a` is not"),
        ("-- params: [a]\nSELECT $a", "some.sql:1: `params` is not a mapping"),
        ("-- params:\n--   a-b: DATE\nSELECT 1", "some.sql:2: `a-b` is no name"),
        ("-- params:\n--   a: DATE\n--   A: DATE\nSELECT $a", "some.sql:3: `A` and `a` are one"),
        ("-- params:\n--   a: {required: yes}\nSELECT $a", "some.sql:2: `required` is true or"),
        ("-- params:\n--   a: {required: true, default: x}\nSELECT $a", "some.sql:2: `a` is req"),
        ("-- params:\n--   a: {default: x, allowed: [y]}\nSELECT $a", "some.sql:2: the default"),
        ("-- params:\n--   a: {default: 007}\nSELECT $a", "some.sql:2: the default of a VARCHAR"),
        ("-- severity: bad\nSELECT 1", "some.sql:1: severity `bad` is not known (it is warning"),
        ("-- partial: maybe\nSELECT 1", "some.sql:1: `partial` is true or false"),
        ("-- name: a b\nSELECT 1", "some.sql:1: `a b` is no name"),
        ("-- title: x\n\nSELECT 1 WHERE $env = 1", "some.sql:3: $env is not declared (add"),
        ("-- params: {env: DATE}\nSELECT $emv", "some.sql:2: $emv is not declared (did you mean"),
        ("-- params:\n--   a: DATE\nSELECT 1", "some.sql:2: the parameter a is not in the SQL"),
        ("SELECT 1 WHERE 1 = ?", "some.sql:1: `?` has no name"),
        ("-- title: x\n\n-- nothing\n;", "some.sql:3: there is no statement"),
        ("", "some.sql:1: there is no statement"),
        ("SELECT 'x", "some.sql:1: the SQL cannot be read"),
        (b"SELECT 1,\n '\xff'", "some.sql:2: not UTF-8 text"),
        ("SELECT\n'\0'", "some.sql:2: a NUL"),
        ("-- params: {n: INTEGER}\nSELECT 1\nFROM range($n)",
         "some.sql:3: $n is optional, and a function in FROM may take no NULL (give n a default"),
        ("-- params: {n: INTEGER}\nSELECT 1 FROM t\nWHERE site = $n AND a",
         "some.sql:3: $n is optional, and the condition does not say what holds without a value "
         "(write  ($n IS NULL OR site = $n))"),
        ("-- params: {a: {choices: SELECT $b}}\nSELECT $a",
         "some.sql:1: the choices of a have a parameter"),
        ("-- params:\n--   a: {exists: true}\nSELECT $a",
         "some.sql:2: nothing says which a there is (add  choices:"),
        ("-- params:\n--   a: {exists: some, choices: SELECT 1}\nSELECT $a",
         "some.sql:2: exists `some` is not known (it is true or part)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    assert any(line.startswith(problem) for line in problems_of(content, tmp_path))


def test_a_broken_file_takes_no_other_with_it_and_its_name_says_what_is_wrong(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.sql").write_text("SELECT 1", "utf-8")
    (tmp_path / "bad.sql").write_text("-- titel: x\nSELECT 1", "utf-8")
    (tmp_path / "latin.sql").write_bytes(b"SELECT '\xe9'")
    (tmp_path / "folder.sql").mkdir()
    (tmp_path / "notes.txt").write_text("SELECT 1", "utf-8")
    queries = SavedQueries([tmp_path, tmp_path / "nowhere"])
    assert queries.names == ("good",)
    with pytest.raises(SavedQueryError, match="unknown key `titel`") as caught:
        queries.find("bad")
    assert (caught.value.line, caught.value.file.endswith("bad.sql")) == (1, True)
    with pytest.raises(SavedQueryError, match="not UTF-8"):
        queries.find("latin")
    with pytest.raises(SavedQueryError, match="cannot be read: Is a directory"):
        queries.find("folder")


def test_an_earlier_folder_comes_first_even_with_a_broken_file(tmp_path: Path) -> None:
    here, user = tmp_path / "here", tmp_path / "user"
    for folder, sql in ((here, "SELECT 1"), (user, "SELECT 2")):
        folder.mkdir()
        (folder / "one.sql").write_text(sql, "utf-8")
    (user / "other.sql").write_text("SELECT 3", "utf-8")
    queries = SavedQueries([here, user])
    assert queries.names == ("one", "other")
    assert queries.find("one").sql == "SELECT 1"
    assert queries.find("ONE").sql == "SELECT 1"
    shadowed = [entry for entry in queries.entries() if entry.shadowed_by]
    assert [entry.query.path for entry in shadowed] == [user / "one.sql"]
    (here / "one.sql").write_text("-- titel: a\nSELECT 1", "utf-8")
    with pytest.raises(SavedQueryError, match="titel"):
        queries.find("one")


@pytest.mark.parametrize("place", ["connstat", "connstat/queries", "connstat/queries/one.sql"])
def test_what_others_may_write_to_in_the_working_directory_is_not_used(
    tmp_path: Path, place: str
) -> None:
    here, user = tmp_path / "here", tmp_path / "user"
    for folder, sql in (
        (here / "connstat" / "queries", "SELECT 1"),
        (user / "queries", "SELECT 2"),
    ):
        folder.mkdir(parents=True)
        for name in ("one", f"other_{folder.parent.name}"):
            (folder / f"{name}.sql").write_text(sql, "utf-8")
    (here / place).chmod(0o777)
    queries = standard_queries(here, user)
    with pytest.raises(SavedQueryError, match="others may write to") as caught:
        queries.find("one")
    assert f"chmod o-w {here / place}" in str(caught.value.problems[0])
    assert queries.find("other_user").sql == "SELECT 2"
    (here / place).chmod(0o755)
    assert standard_queries(here, user).find("one").sql == "SELECT 1"


def test_two_files_of_a_folder_cannot_bear_one_name(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- name: Same\nSELECT 1", "utf-8")
    (tmp_path / "b.sql").write_text("-- name: same\nSELECT 2", "utf-8")
    (tmp_path / "c.sql").write_text("SELECT 3", "utf-8")
    queries = SavedQueries([tmp_path])
    assert queries.names == ("c", "Same")
    with pytest.raises(SavedQueryError, match=r"b.sql:1: `same` is the name of a.sql already"):
        queries.find("same")


def test_files_that_come_change_and_go_are_noticed(tmp_path: Path) -> None:
    queries = SavedQueries([tmp_path])
    assert queries.names == ()
    (tmp_path / "one.sql").write_text("SELECT 1", "utf-8")
    first = queries.find("one")
    assert queries.find("one") is first
    (tmp_path / "one.sql").write_text("SELECT 1 + 1", "utf-8")
    assert queries.find("one").sql == "SELECT 1 + 1"
    (tmp_path / "one.sql").unlink()
    with pytest.raises(SavedQueryError, match="there is no saved query one"):
        queries.find("one")


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "failed-tasks.sql").write_text("SELECT 1", "utf-8")
    with pytest.raises(SavedQueryError) as caught:
        SavedQueries([tmp_path]).find("faild-tasks")
    assert caught.value.hint == "did you mean `failed-tasks`?"
    with pytest.raises(SavedQueryError) as caught:
        SavedQueries([tmp_path / "nowhere"]).find("x")
    assert "put a file of SQL into" in caught.value.hint


def test_the_working_directory_comes_first_then_the_user_then_what_is_shipped(
    tmp_path: Path,
) -> None:
    more = tmp_path / "more"
    (more / "acme" / "queries").mkdir(parents=True)
    here, user, *rest = standard_folders(Path("here"), Path("user"), [more])
    assert (here, user) == (Path("here/connstat/queries"), Path("user/queries"))
    assert rest[0] == more / "acme" / "queries"
    assert all(folder.name == "queries" for folder in rest)


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(max_size=200), st.sampled_from((b"", b"-- title: x\n", b"-- params:\n", b"---\n")))
def test_whatever_a_file_holds_it_is_read_or_has_problems(content: bytes, head: bytes) -> None:
    page = read_page("any.sql", head + content)
    query, problems = read_query(page, Path("any.sql"))
    assert all(
        fault.file == "any.sql" and fault.line >= 0 for fault in (*problems, *inspect(query))
    )
