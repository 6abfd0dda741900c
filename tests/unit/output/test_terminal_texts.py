"""Whatever definitions say, a terminal that shows it does not obey it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no terminals of this kind"),
]
EVIL = r"\e]0;owned\a\e[31m\u202e\u009b2J"
PROVIDER = f"""
provider: evil
description: "said {EVIL}"
base_url: http://127.0.0.1:9
settings: {{key: {{env: EVIL_KEY, description: "said {EVIL}"}}}}
"""
SERVICE = f"""
service: s
resources:
  a:
    description: "said {EVIL}"
    example: "SELECT 1 -- {EVIL}"
    columns: {{name: "VARCHAR -- said {EVIL}"}}
    params: {{p: {{description: "said {EVIL}"}}}}
    methods: {{list: {{path: "/x/{{p}}"}}}}
"""
BROKEN = f"""
service: broken
resources:
  a:
    description: a
    columns: {{name: "VARCHAR{EVIL}"}}
    methods: {{list: {{path: "/x"}}}}
"""
EVIL_TEXT = "\u202e\u009b2J"
QUESTION = f"SELECT 'owned{EVIL_TEXT}' AS a"
SAVED = f"""-- title: "owned {EVIL}"
SELECT 'owned{EVIL_TEXT}' AS a
"""
UNSAFE = (b"\x1b]", b"\x1b[31m", b"\x07", b"\xe2\x80\xae", b"\xc2\x9b")


def shown(folder: Path, *words: str) -> bytes:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "connstat_sql", "--providers", str(folder), *words]
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PAGER": "cat"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, cwd=folder
    ):
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return said


@pytest.mark.parametrize(
    "words",
    [
        ("providers", "list"),
        ("providers", "show", "evil.s.a"),
        ("providers", "validate", "."),
        ("query", "SHOW TABLES IN evil.s"),
        ("query", "DESCRIBE evil.s.a"),
        ("doctor",),
        ("explain", "-F", "json", QUESTION),
        ("saved", "list", "-F", "json"),
        ("saved", "show", "evil"),
        ("query", "-o", f"nowhere/owned{EVIL_TEXT}.csv", "SELECT 1"),
        ("check", "--sql", "SELECT 1", "-o", f"nowhere/owned{EVIL_TEXT}.prom"),
    ],
)
def test_a_terminal_obeys_no_definition(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    (folder / "s.yaml").write_text(SERVICE, encoding="utf-8")
    if "validate" in words:
        (folder / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    queries = tmp_path / "connstat" / "queries"
    queries.mkdir(parents=True)
    (queries / "evil.sql").write_text(SAVED, encoding="utf-8")
    said = shown(tmp_path, *words)
    assert [one for one in UNSAFE if one in said] == []
    assert b"owned" in said or "doctor" in words
