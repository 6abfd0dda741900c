"""Hints are written in the words of the command line, and read in those of Python or the shell."""

import re
from pathlib import Path

import pytest

import connstat_sql
from connstat_sql.errors import PlanError
from connstat_sql.hints import in_python, in_shell, worded

ROOT = Path(connstat_sql.__file__).parent
OF_THE_COMMAND_LINE = ("cli", "shell", "demo", "top", "monitor")
HINT = re.compile(r'hint=f?"([^"]*(?:--[a-z]|-p )[^"]*)"')


def hints() -> list[str]:
    """What modules that know of no command line say of its options."""
    files = (
        one
        for one in ROOT.rglob("*.py")
        if one.relative_to(ROOT).parts[0] not in OF_THE_COMMAND_LINE
    )
    return [hint for file in files for hint in HINT.findall(file.read_text(encoding="utf-8"))]


def test_no_option_is_left_in_a_hint_for_python() -> None:
    assert len(hints()) > 3
    assert not [hint for hint in hints() if re.search(r"--[a-z]|-p ", in_python(hint))]


@pytest.mark.parametrize(
    ("hint", "python", "shell"),
    [
        (
            "raise it:  --max-requests 40",
            "raise it:  max_requests=40",
            "raise it:  .max-requests 40",
        ),
        ("raise --deadline", "raise deadline", "raise --deadline"),
        ("--partial keeps rows", "partial=True keeps rows", ".partial on keeps rows"),
        (
            "give it a value:  -p day=VALUE",
            'give it a value:  {"day": VALUE}',
            "give it a value:  write it in the place of the name",
        ),
        ("name it with --config", "name it with config=", "name it with --config"),
        ("SELECT 1 -- it is", "SELECT 1 -- it is", "SELECT 1 -- it is"),
        ("connstat doctor  tells", "connstat doctor  tells", "connstat doctor  tells"),
    ],
)
def test_an_option_has_its_words(hint: str, python: str, shell: str) -> None:
    assert (in_python(hint), in_shell(hint)) == (python, shell)


def test_an_error_that_passes_has_its_hint_in_other_words() -> None:
    with pytest.raises(PlanError, match="partial=True"), worded(in_python):
        raise PlanError("no", hint="--partial")
