"""The 99 queries: a licensed copy of them, fetched from the package registry and kept in a cache.

The source distribution of sqlglot (MIT) holds them among its own fixtures, as pairs of a query and
what its optimizer makes of it. Which release is written down here, whichever is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from tests.shop.copies import Shop

RELEASE = "30.30.0"
INSIDE = f"sqlglot-{RELEASE}/tests/fixtures/optimizer/tpc-ds/tpc-ds.sql"
DIGEST = "f584cd3a0dac63ca9654f74ef53011f4b9db7cad223f812de621dadb2ff982d4"
"""SHA-256 of that file."""
SHOP = Shop("tpcds", "retail", Path(__file__).parent)
NUMBERS = range(1, 100)
WHOLE = {14, 22, 47, 51, 57, 59, 67, 76, 78, 89}
"""Queries that find more rows than their LIMIT lets through: which is left open, so it goes.

Nothing else is changed: DuckDB reads all texts as they are written there.
"""


class Unavailable(Exception):
    """The texts cannot be had here; says why."""


@cache
def texts() -> dict[int, str]:
    """The queries by number, in DuckDB's spelling, tables named in full."""
    tables = {resource.table.resource for resource in SHOP.resources()}
    found = {}
    for number, sql in enumerate(_queries(_file().read_text("utf-8")), 1):
        whole, count = re.subn(r"(?i)limit 100\s*$", "", sql)
        assert count or number not in WHOLE, f"query {number} does not end with its LIMIT"
        found[number] = in_full(whole if number in WHOLE else sql, tables)
    assert tuple(found) == tuple(NUMBERS)
    return found


def in_full(sql: str, tables: set[str]) -> str:
    """The text with the tables' names in full; nothing else is touched."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    names = [one.this for one in tree.find_all(exp.Table) if one.name.lower() in tables]
    for name in sorted(names, key=lambda one: int(one.meta["start"]), reverse=True):
        sql = f"{sql[: name.meta['start']]}{SHOP.schema}.{sql[name.meta['start'] :]}"
    return sql


def _queries(text: str) -> list[str]:
    """Every first of the pairs, without comments and without marks for its own tests."""
    lines = [line for line in text.splitlines() if not line.startswith(("--", "#"))]
    return "\n".join(lines).split(";")[:-1:2]


def _file() -> Path:
    """The file in the cache; fetched when it is not there."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    file = base / "connstat-tests" / f"tpc-ds-{RELEASE}.sql"
    if not file.exists() or _digest(file.read_bytes()) != DIGEST:
        content = _fetched()
        if _digest(content) != DIGEST:
            raise Unavailable(f"{INSIDE} is not what it was")
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(file)
    return file


def _fetched() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "20"]
        command += ["--no-binary", "sqlglot", "--dest", folder, f"sqlglot=={RELEASE}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise Unavailable(f"sqlglot {RELEASE} could not be fetched: {last}")
        (archive,) = Path(folder).glob("sqlglot-*.tar.gz")
        with tarfile.open(archive) as packed:
            member = packed.extractfile(INSIDE)
            assert member is not None
            return member.read()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
