"""The `example` of each table, bound against its definition with nothing sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.definitions.loader import Library, examples, shipped_providers
from connstat_sql.definitions.model import Resource
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError, Problem, QueryError

if TYPE_CHECKING:
    from connstat_sql.planner import Plan

NOWHERE = "https://nowhere.invalid"
"""Where a connection of each provider is, that nothing is ever asked of."""


def example_problems(paths: Sequence[Path], folders: Sequence[Path]) -> Iterator[Problem]:
    """What is wrong with the examples of definition files, which have no other problem.

    `folders` hold further definitions. Each example has to bind, and to ask for its own table.
    """
    tables = list(examples(paths))
    homes = dict.fromkeys(home for home, _, _ in tables)
    if not tables:
        return
    library = Library([shipped_providers(), *folders, *homes])
    connections = {
        name: {"provider": name, "base_url": NOWHERE}
        for name in library.providers
        if (provider := library.provider(name)) is not None and provider.services
    }
    wiring = Wiring(Setup(connections=connections, providers=(*folders, *homes)), {})
    engine = Engine(wiring, EngineOptions(environment={}))
    try:
        for _, resource, problem in tables:
            yield from _of_one(engine, resource, problem)
    finally:
        engine.close()


def _of_one(engine: Engine, resource: Resource, problem: Problem) -> Iterator[Problem]:
    try:
        plan = engine.explain(resource.example.strip().rstrip(";"))
    except ConnstatError as error:
        words = error.message.partition("\n")[0]
        line = problem.line
        if isinstance(error, QueryError) and error.span is not None and error.sql:
            before = error.sql[: error.span.start].lstrip()
            is_block = "\n" in resource.example  # which begins a line below its `|`
            line += before.count("\n") + is_block
        yield replace(problem, line=line, message=f"the example: {words}", suggestion=error.hint)
        return
    if resource.view is None and resource.table not in _tables(plan):
        hint = f"such as  SELECT * FROM {resource.table}"
        yield replace(problem, message="the example does not ask for this table", suggestion=hint)


def _tables(plan: Plan | None) -> set[object]:
    if plan is None:
        return set()
    return {table.live.resource.table for table in plan.query.tables}
