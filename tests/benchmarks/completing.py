"""How good and how quick completion is: over many cursor places, with 2,000 tables and values."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.definitions.lexer import spoken
from connstat_sql.definitions.model import TableName
from connstat_sql.engine import EngineOptions
from connstat_sql.executor import SeenValues
from connstat_sql.saved import SavedQueries
from connstat_sql.shell.completion import KnowingCompleter
from tests.benchmarks.planning import PROVIDERS, write_providers

VALUES = 10_000
FIRST = 10
"""Candidates that are seen without scrolling."""
TYPED = 3
"""Letters of a name that have been typed, where it has more."""
PLACES = (
    "|", "sel|", "SELECT |", "SELECT na|", "SELECT c1| FROM", "SELECT | FROM p7.s3.things_4",
    "SELECT t.| FROM p7.s3.things_4 t", "SELECT t.na| FROM p7.s3.things_4 t", "SELECT max(|",
    "SELECT count(*) FROM |", "FROM p|", "FROM things|", "FROM thgs|", "FROM p7.|", "FROM p7.s3.|",
    "FROM p7.s3.th|", "FROM s3.thin|", "FROM zzz|", "FROM p7.s3.things_4 |",
    "FROM p7.s3.things_4 w|", "FROM p7.s3.things_4 a JOIN p7.s3.th| b",
    "FROM p7.s3.things_4 a JOIN p7.s3.things_5 b ON |",
    "FROM p7.s3.things_4 a JOIN p7.s3.things_5 b USING (|", "FROM p7.s3.things_4 WHERE |",
    "FROM p7.s3.things_4 WHERE na|", "FROM p7.s3.things_4 WHERE name = '|",
    "FROM p7.s3.things_4 WHERE name = 'o|", "FROM p7.s3.things_4 WHERE name = 'orders-1|",
    "FROM p7.s3.things_4 WHERE name = 'od9|", "FROM p7.s3.things_4 WHERE name IN ('x', 'pay|",
    "FROM p7.s3.things_4 WHERE name LIKE '%000|", "FROM p7.s3.things_4 WHERE owner = '|",
    "WITH x AS (SELECT * FROM p7.s3.things_4) SELECT | FROM x",
    "SELECT c1 FROM p7.s3.things_4 ORDER BY |", "SHOW TABLES IN p1|", "DESCRIBE thin|", ".de|",
    ".describe things|",
)  # fmt: skip
_WORD = re.compile(r"\w+")


@contextmanager
def many_tables() -> Iterator[KnowingCompleter]:
    """A completer that knows 2,000 tables, and 10,000 values of two columns of one of them."""
    with tempfile.TemporaryDirectory() as folder:
        write_providers(Path(folder))
        names = [f"p{number}" for number in range(PROVIDERS)]
        setup = Setup(
            connections={name: {"provider": name} for name in names}, providers=(Path(folder),)
        )
        with completer_of(setup) as found:
            remember(found)
            yield found


@contextmanager
def completer_of(setup: Setup, local: str = "SELECT 1") -> Iterator[KnowingCompleter]:
    """A completer over an engine of its own, which has learnt all there is.

    `local` is run before that.
    """
    from connstat_sql.shell.commands import COMMANDS

    engine = open_engine(setup, EngineOptions(environment={}))
    try:
        engine.session.duckdb.execute(local)
        completer = KnowingCompleter(lambda: engine, threading.RLock(), no_saved, COMMANDS)
        completer.learner.wait()
        yield completer
        completer.learner.wait()
    finally:
        engine.close()


def no_saved() -> SavedQueries:
    """The saved queries of somebody who has none."""
    return SavedQueries(())


def remember(completer: KnowingCompleter, count: int = VALUES) -> None:
    """Values as rows of a large fleet would have had them."""
    kinds = ("orders", "payments", "customers", "inventory")
    values = tuple(f"{kinds[one % len(kinds)]}-{one:05d}" for one in range(count))
    for column in ("name", "owner"):
        completer.values.take(SeenValues(TableName("p7", "s3", "things_4"), (column,), values))


def complete(completer: KnowingCompleter, marked: str, *, requested: bool = False) -> list[str]:
    """What would be inserted where `|` stands, the likeliest first."""
    return [one.text for one in offered(completer, marked, requested=requested)]


def offered(
    completer: KnowingCompleter, marked: str, *, requested: bool = False
) -> list[Completion]:
    """What is offered where `|` stands; `requested` by a key, or while typing."""
    text, cursor = marked.replace("|", "", 1), marked.index("|")
    event = CompleteEvent(text_inserted=not requested, completion_requested=requested)
    return list(completer.get_completions(Document(text, cursor), event))


def latencies(completer: KnowingCompleter, marked: Sequence[str], runs: int) -> list[float]:
    """Milliseconds of each key press, sorted."""
    taken = []
    for _ in range(runs):
        for one in marked:
            started = time.perf_counter()
            complete(completer, one)
            taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


def key_presses(queries: Sequence[str]) -> list[str]:
    """Every place of some queries while they are typed from front to back."""
    return [f"{one[:at]}|" for one in queries for at in range(1, len(one) + 1)]


def percentile(taken: Sequence[float], share: float) -> float:
    """The value below which a share of sorted ones lies."""
    return taken[min(len(taken) - 1, int(len(taken) * share))]


# --- how often it is right ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    """One name of a query: where it is typed, and its place among the candidates, from 1.

    The place is None where it is not among them.
    """

    marked: str
    name: str
    rank: int | None


def examples(completer: KnowingCompleter) -> tuple[str, ...]:
    """The example of every table that has one."""
    known = completer.learner.known()
    return tuple(table.example.strip() for table in known.tables if table.example)


def hits(completer: KnowingCompleter, sql: str, *, rest: bool) -> Iterator[Hit]:
    """Each name of a query that completion can know, typed to its third letter.

    With `rest` the query behind the name is there already; else it is typed from front to back.
    """
    for name, start, end in _names(completer, sql):
        typed = min(TYPED, end - start - 1)
        marked = f"{sql[: start + typed]}|{sql[end:] if rest else ''}"
        found = complete(completer, marked)
        rank = next((n for n, one in enumerate(found, 1) if _means(one, name)), None)
        yield Hit(marked, name, rank)


def _means(text: str, name: str) -> bool:
    return name.lower() in [part.lower() for part in _WORD.findall(text)]


def _names(completer: KnowingCompleter, sql: str) -> Iterator[tuple[str, int, int]]:
    """Names of tables, columns and functions in a query, of two letters or more."""
    known = completer.learner.known()
    words = {part for table in known.tables for part in str(table.table).split(".")}
    words |= {column.name.lower() for table in known.tables for column in table.all_columns}
    words |= {one.name for one in known.functions}
    aliases = {word.lower() for word in re.findall(r"(?i)\bAS\s+(\w+)", sql)}
    for token in spoken(sql):
        if len(token.text) > 1 and token.kind == "name" and token.word in words - aliases:
            yield token.text, token.start, token.end
