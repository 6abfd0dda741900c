"""Rules of the house, over the files of the product: its names, and the length of things.

What does not keep them yet stands in `house.toml`. Something new may not be added to it, and what
has gone is taken out:  python -m tests.tools.measures --shrink
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.measures import (
    BOUNDARIES,
    PACKAGE,
    RULES,
    Module,
    borne_again,
    exceptions,
    gerunds,
    late_imports,
    lone_helpers,
    modules_of,
    shrink,
    too_long,
    vague,
)

LISTED = exceptions()


@pytest.fixture(scope="module")
def product() -> list[Module]:
    return modules_of(PACKAGE)


def test_a_class_name_is_borne_once(product: list[Module]) -> None:
    assert borne_again(product) == LISTED["classes borne again"]


def test_a_module_bears_the_noun_that_it_defines(product: list[Module]) -> None:
    assert gerunds(product) == LISTED["gerund modules"]


def test_a_variable_says_what_it_holds(product: list[Module]) -> None:
    assert vague(product) == LISTED["vague variables"]


def test_a_function_a_class_and_a_file_are_no_longer_than_can_be_read(
    product: list[Module],
) -> None:
    assert too_long(product) == LISTED["too long"]


def test_modules_of_ours_are_imported_at_the_top_but_for_a_few_boundaries(
    product: list[Module],
) -> None:
    assert late_imports(product) == LISTED["late imports"]
    names = {module.name for module in product}
    assert {name for name in BOUNDARIES if name not in names} == set()


# --- the rules see what they are for -------------------------------------------------------------


def test_a_class_within_another_bears_its_name_too() -> None:
    again = [Module("a", "class Row: ..."), Module("b.c", "class Rows:\n    class Row: ...")]
    assert borne_again(again) == {"Row": 2}


def test_the_words_of_the_field_are_no_gerunds() -> None:
    names = ("fetch.paging", "page_staging", "planner.weighing", "saved", "re_reading")
    assert gerunds([Module(name, "") for name in names]) == {"planner.weighing": 1, "re_reading": 1}


def test_whatever_binds_a_name_is_a_variable() -> None:
    text = """
def told(one, *given, key=None, **found):
    with open(one) as told:
        found, (one, _) = told
    for one in [given for given in found if (told := given)]:
        one.found = one
"""
    assert vague([Module("a", text), Module("b", "from c import told\ntold(one=1)")]) == {"a": 9}


def test_an_import_in_a_function_is_late_and_one_of_a_library_is_none_of_ours() -> None:
    text = """
from connstat_sql import a
if True:
    from connstat_sql import b
def f():
    from connstat_sql.c import d
    import json
    from httpx import Client
    class G:
        from connstat_sql import h
"""
    assert late_imports([Module(name, text) for name in ("x", "cli.y", "engine")]) == {"x": 2}


def test_what_is_too_long_is_listed_with_a_ceiling() -> None:
    long = "def f():\n" + "    pass\n" * 60 + "def g():\n" + "    pass\n" * 59
    assert too_long([Module("a", long), Module("b", "\n" * 801)]) == {"a:f": 100, "b": 850}


def test_a_private_function_with_one_caller_is_told_from_a_namesake() -> None:
    text = """
def _once(): return _once()
def _twice(): return _once() + _twice()
class A:
    def _it(self): return _twice()
    def go(self): return self._it(), _twice()
class B:
    def _it(self): ...
    def go(self): return self._it(), self._it()
"""
    assert [place for place, _ in lone_helpers([Module("m", text)])] == ["m:_once", "m:A._it"]


def test_the_list_only_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    shrink([Module("a", "one = found = 1")], path)
    assert exceptions(path) == {rule: {} for rule in RULES} | {"vague variables": {"a": 2}}
    shrink([Module("b", "one = 1")], path)
    assert exceptions(path)["vague variables"] == {"b": 1}
    with pytest.raises(SystemExit, match="only shrinks"):
        shrink([Module("b", "one = told = 1")], path)
