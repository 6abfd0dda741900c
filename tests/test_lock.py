"""What is installed is what pyproject.toml asks for and what was tested."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from connstat_sql.extras import EXTRAS
from tests.tools.lock import DEV, PRODUCT, ROOT, Wanted, entries, faults
from tests.tools.move_lock import beyond, changes

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
LOCKS = {file: (ROOT / file).read_text(encoding="utf-8") for file in (PRODUCT, DEV)}
WANTED = Wanted.of(PYPROJECT)
HASH = "sha256:" + "0" * 64
BY_US = "    # via connstat-sql (pyproject.toml)\n"


def test_the_lock_agrees_with_pyproject() -> None:
    assert faults(PYPROJECT, LOCKS) == []


def edited(before: str, after: str) -> list[str]:
    """The faults once pyproject.toml says something else, and nobody has moved the lock."""
    changed = PYPROJECT.replace(before, after, 1)
    assert changed != PYPROJECT
    return faults(changed, LOCKS)


def test_a_bound_that_the_lock_does_not_keep_is_a_fault() -> None:
    found = edited('"duckdb>=2.0,<2.1"', '"duckdb>=2.5,<2.6"')
    assert len(found) == 2  # in both files
    assert all("pyproject.toml wants duckdb<2.6,>=2.5" in one for one in found)


def test_a_dependency_that_the_lock_lacks_is_a_fault() -> None:
    (found,) = edited('"pandas>=', '"nothing-like-it>=1",\n  "pandas>=')
    assert found == f"{DEV} lacks nothing-like-it>=1"


def test_a_dependency_that_only_the_lock_has_is_a_fault() -> None:
    (found,) = edited('"pyte>=0.8.2",', "")
    assert found == f"{DEV} has pyte, which pyproject.toml no longer wants"


def test_a_requirement_of_the_build_is_locked_too() -> None:
    assert (
        len(edited('requires = ["hatchling>=', 'requires = ["another-one>=1", "hatchling>=')) == 2
    )


def broken(file: str, pattern: str, instead: str) -> list[str]:
    """The faults once somebody has edited a lock file by hand."""
    text, times = re.subn(pattern, instead, LOCKS[file], count=1, flags=re.MULTILINE)
    assert times == 1
    return faults(PYPROJECT, {**LOCKS, file: text})


def test_an_entry_without_a_hash_is_a_fault() -> None:
    found = broken(DEV, r"^(pexpect==\S+) \\\n(?:    --hash.*\n)+", r"\1\n")
    assert found == [f"{DEV} has no hash for pexpect"]


@pytest.mark.parametrize("line", ["--index-url https://example.com/simple", "--no-index"])
def test_a_place_that_packages_come_from_is_a_fault(line: str) -> None:
    (found,) = broken(PRODUCT, r"^aiohttp==", f"{line}\naiohttp==")
    assert line in found


def test_two_files_of_different_versions_are_a_fault() -> None:
    (found,) = broken(PRODUCT, r"^multidict==\S+", "multidict==99.0 ")
    assert found == f"multidict 99.0 of {PRODUCT} is not in {DEV}"


def test_a_range_is_no_entry_of_a_lock() -> None:
    with pytest.raises(ValueError, match="a range"):
        entries("aiohttp>=3.14\n")


def test_every_requirement_has_a_lowest_version() -> None:
    lowest = [Requirement(one) for one in WANTED.lowest()]
    assert len(lowest) == len({one.name for one in lowest}) == len(WANTED.of_file(DEV)) + 1
    for one, wanted in zip(lowest, [*WANTED.of_file(DEV), *WANTED.build], strict=True):
        (version,) = one.specifier
        assert version.version in wanted.specifier
        assert one.marker == wanted.marker


@pytest.mark.parametrize("name", ["duckdb", "sqlglot", "pyarrow"])
def test_what_the_answers_hang_on_has_an_upper_bound_by_minor_version(name: str) -> None:
    (wanted,) = (one for one in WANTED.product if one.name == name)
    (upper,) = (Version(one.version) for one in wanted.specifier if one.operator == "<")
    locked = Version(entries(LOCKS[PRODUCT])[name].version)
    assert (upper.major, upper.minor) == (locked.major, locked.minor + 1)


def test_all_that_the_package_imports_is_asked_for() -> None:
    extras = tomllib.loads(PYPROJECT)["project"]["optional-dependencies"]
    optional = [Requirement(line).name for name in EXTRAS for line in extras[name]]
    brought_by_the_user = {"pandas", "polars"}  # what `to_pandas` and `to_polars` answer with
    asked = {canonicalize_name(name) for name in (*optional, *(one.name for one in WANTED.product))}
    providers = packages_distributions()
    for module in imported() - brought_by_the_user:
        assert asked & {canonicalize_name(one) for one in providers[module]}, module


def test_an_error_names_what_the_extra_brings() -> None:
    extras = tomllib.loads(PYPROJECT)["project"]["optional-dependencies"]
    assert {name: [one] for name, one in EXTRAS.items()} == {
        name: brought for name, brought in extras.items() if name != "dev"
    }


def imported() -> set[str]:
    """The top-level names of other people's that connstat_sql imports."""
    names = set()
    for path in (ROOT / "connstat_sql").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"connstat_sql"}


def test_moving_the_lock_tells_what_moved() -> None:
    before = entries(f"one==1.0 \\\n    --hash={HASH}\ntwo==2.0 \\\n    --hash={HASH}\n{BY_US}")
    after = entries(f"three==3.0 \\\n    --hash={HASH}\ntwo==2.1 \\\n    --hash={HASH}\n")
    assert changes(before, after) == ["one: 1.0 -> none", "three: none -> 3.0", "two: 2.0 -> 2.1"]
    assert (before["two"].asked, after["two"].asked) == (True, False)


def test_moving_the_lock_tells_what_the_bounds_keep_out() -> None:
    bounded = [Requirement("duckdb>=2.0,<2.1"), Requirement("sqlglot<31")]
    there = {"duckdb": Version("2.1.3"), "sqlglot": Version("30.9")}
    assert beyond(bounded, there) == ["duckdb: 2.1.3 is kept out by <2.1,>=2.0"]
