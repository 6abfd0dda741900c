"""What is private to a dependency is used only where a test says what breaks when it goes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

import connstat_sql

HELD_BY = {
    "atexit._run_exitfuncs": "test_a_process_of_ours_ends_at_once_and_leaves_nothing_undone",
    "aiohttp._release": "test_no_socket_is_kept_idle_beyond_what_is_affordable",
    "aiohttp._retry_connection": "test_what_a_kept_connection_loses_is_not_sent_again_unseen",
    "sqlglot._index": "test_what_is_used_of_the_parser_is_there",
    "sqlglot._tokens": "test_what_is_used_of_the_parser_is_there",
    "sqlglot._parse_": "test_what_is_used_of_the_parser_is_there",
}
"""Each, or how several begin, with the test that fails without it."""
PUBLIC = {"_exit", "_replace"}
"""Names that `os` and named tuples document."""
OUTSIDE = ("aiohttp", "click", "httpx", "prompt_toolkit", "rich", "sqlglot", "textual")
"""Packages whose classes have heirs here."""
PACKAGE = Path(connstat_sql.__file__).parent


_TARGETS = re.compile(
    r"^[ \t]*(?:self\.)?\w+(?:(?:,| =) \*?(?:self\.)?\w+)*(?:(?::[^=\n]+)? =(?!=)|:[^=\n]+$)"
    r"|\b(?:def|class) \w+|\bfor [\w, ]+ in\b",
    re.MULTILINE,
)
"""Where a name is given to something."""
_TAKEN = re.compile(r"(?<=\.)_[a-z]\w*")
_IMPORTED = re.compile(r"^ *(?:from|import) (?!connstat_sql|__future__)(.+)", re.MULTILINE)
_PRIVATE = re.compile(r"\b_[a-z]\w*")
_OF_SELF = re.compile(r"\bself\.(_[a-z]\w*)")


def _texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]


def _classes() -> set[type]:
    found: set[type] = set()
    for module in pkgutil.walk_packages(connstat_sql.__path__, "connstat_sql."):
        if not module.name.endswith("__main__"):
            found |= _within(vars(importlib.import_module(module.name)), module.name)
    return found


def _within(names: Mapping[str, object], module: str) -> set[type]:
    here = {one for one in names.values() if isinstance(one, type) and one.__module__ == module}
    return here.union(*(_within(vars(one), module) for one in here))


def _package(of: type) -> str:
    return of.__module__.partition(".")[0]


@cache
def _held(module: str) -> frozenset[str]:
    """The attributes that objects of a module have, by its text."""
    file = getattr(sys.modules[module], "__file__", None) or ""
    text = Path(file).read_text(encoding="utf-8") if file.endswith(".py") else ""
    return frozenset(_OF_SELF.findall(text))


def _put(one: type) -> Iterator[str]:
    """The private names of a class that those from outside which it inherits from have too."""
    outside = [base for base in one.__mro__ if _package(base) in OUTSIDE]
    if not outside:
        return
    ours = {name for name, value in vars(one).items() if isinstance(value, FunctionType)}
    ours |= {*_OF_SELF.findall(inspect.getsource(one))}
    for name in filter(_PRIVATE.fullmatch, ours):
        for base in outside:
            if name in vars(base) or name in _held(base.__module__):
                yield f"{_package(base)}.{name}"
                break


def test_what_is_taken_from_others_is_known() -> None:
    texts = _texts()
    ours = {
        name for text in texts for line in _TARGETS.findall(text) for name in _PRIVATE.findall(line)
    }
    taken = {name for text in texts for name in _TAKEN.findall(text)}
    imported = {
        name
        for text in texts
        for line in _IMPORTED.findall(text)
        for name in _PRIVATE.findall(line)
    }
    assert imported == set()
    assert taken - ours - PUBLIC == {"_run_exitfuncs", "_retry_connection", "_index"}


def test_what_is_put_in_the_place_of_others_is_known() -> None:
    """A method or an attribute of ours by a private name of theirs, on purpose or by accident."""
    put = {name for one in _classes() for name in _put(one)}
    assert put == {name for name in put if name.startswith(tuple(HELD_BY))}
    assert "aiohttp._release" in put


@pytest.mark.parametrize("test", sorted(set(HELD_BY.values())))
def test_there_is_the_test_that_holds_it(test: str) -> None:
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    assert any(f"\ndef {test}(" in text for text in texts)
