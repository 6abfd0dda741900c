"""What docstrings show as examples is so."""

from __future__ import annotations

import doctest
import re
from importlib import import_module

from tests.tools.measures import PACKAGE, modules_of

_EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


def test_the_examples_of_docstrings_are_true() -> None:
    shown = [module.name for module in modules_of(PACKAGE) if _EXAMPLE.search(module.text)]
    results = {
        name: doctest.testmod(import_module(f"connstat_sql.{name}".rstrip("."))) for name in shown
    }
    assert {name: result for name, result in results.items() if result.failed} == {}
    assert all(result.attempted for result in results.values()), "an example that nothing runs"
