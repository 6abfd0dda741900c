"""`connstat providers try`: one live request, and what its answer shows of a definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from connstat_sql.decode import Body, FieldLayout, OpenBody
from connstat_sql.decode.conformance import Comparison, compare
from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.definitions.model import Method, Resource
from connstat_sql.errors import BindError, ConfigError, UnexpectedShape, counted
from connstat_sql.fetch import Fetch, build_request
from connstat_sql.fetch.completeness import stops_at_a_page
from connstat_sql.planner import nearest_to

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


def try_table(
    engine: Engine, table: LiveTable, given: Mapping[str, str], method: str, connection: str
) -> tuple[list[str], bool]:
    """Ask one method of a table once: lines that tell what came, and whether all of it fits.

    `method` and `connection` are names ("": the first that will do). Raises ConnstatError.
    """
    resource = table.resource
    chosen = _method(resource, given, method)
    name = _connection(engine, table, connection)
    client = engine.clients.open(name)
    fetch = Fetch(name, resource, chosen, _arguments(resource, given))
    request = build_request(fetch, client.base_url, None)
    answer = engine.clients.loop.call(client.send(request))
    fields = tuple(_fields(resource, chosen))
    head = f"{resource.table}  by {chosen.name}: {client.plain(str(request.line))}  {answer.status}"
    try:
        found = compare(answer.body, chosen.rows, fields)
    except UnexpectedShape as error:
        error.table, error.connection, error.request = str(resource.table), name, request.line
        error.hint = error.hint or "say where the rows are:  rows: PATH, or {shape: …, at: PATH}"
        raise
    lines = [_indented(line, client.plain) for line in _lines(head, found)]
    page = Body((), found.rows, OpenBody(answer.body), found.rows)
    may_go_on = stops_at_a_page(fetch, request, answer, page)
    return [*lines, *([f"more may follow: {may_go_on}"] if may_go_on else [])], not found.misfits


def _indented(line: str, plain: Callable[[str], str]) -> str:
    text = line.lstrip()
    return line[: len(line) - len(text)] + plain(text)


def _method(resource: Resource, given: Mapping[str, str], name: str) -> Method:
    """The method asked for, or the first that needs no more than what is given."""
    if resource.view is not None:
        raise BindError(
            f"{resource.table} is a view, which asks nothing itself",
            hint=f"connstat providers show {resource.table}  names the tables that it is made of",
        )
    names = [one.name for one in resource.methods]
    if name and name not in names:
        hint = f"there is  {', '.join(names)}"
        raise BindError(
            f"{resource.table} has no method {name}{nearest_to(name, names)}", hint=hint
        )
    known = {param.name for param in resource.params if param.default is not None} | {*given}
    methods = [one for one in resource.methods if name in ("", one.name)]
    ready = [one for one in methods if known.issuperset(one.required)]
    if not ready:
        least = min(methods, key=lambda one: len({*one.required} - known))
        missing = [one for one in least.required if one not in known]
        words = " ".join(f"{one}=…" for one in missing)
        raise BindError(
            f"{resource.table} by {least.name} needs {', '.join(missing)}",
            hint=f"connstat providers try {resource.table} {words}",
        )
    return max(ready, key=lambda one: len({*one.required} & {*given}))


def _connection(engine: Engine, table: LiveTable, name: str) -> str:
    provider = table.resource.table.provider
    known = [one for one, of in engine.catalog.connections.items() if of == provider]
    wanted = name or table.connection or (known[0] if known else "")
    if wanted not in known:
        what = f"{provider} has no connection {wanted}{nearest_to(wanted, known)}"
        what = what if wanted else f"{provider} has none"
        hint = f"there is  {', '.join(known)}" if known else "write one in connstat.toml"
        raise ConfigError(what, hint=hint)
    return wanted


def _arguments(resource: Resource, given: Mapping[str, str]) -> dict[str, str]:
    params = {param.name for param in resource.params}
    for name in given:
        if name not in params:
            known = ", ".join(sorted(params)) or "none"
            raise BindError(f"{resource.table} has no parameter {name}", hint=f"there is  {known}")
    defaults = {one.name: one.default for one in resource.params if one.default is not None}
    return {**defaults, **given}


def _fields(resource: Resource, method: Method) -> Iterator[FieldLayout]:
    for column in resource.columns:
        path = method.columns.get(column.name, column.path)
        if path is not None:
            yield FieldLayout.of_column(column, path)
    for name, path in method.fills.items():
        param = resource.param(name)
        if param is not None and name not in method.required:
            yield FieldLayout.of_param(param, path)


def _lines(head: str, found: Comparison) -> Iterator[str]:
    yield f"{head}, {counted(found.rows, 'row')}"
    if found.undeclared:
        yield "in rows, and not declared"
        width = min(40, max(len(one.line) for one in found.undeclared))
        for one in found.undeclared:
            yield f"  {one.line:<{width}}  # in {one.rows:,} of {counted(found.rows, 'row')}"
    if found.unseen:
        yield "declared, and in no row"
        yield from (f"  {one}" for one in found.unseen)
    if found.misfits:
        yield "does not fit"
    for misfit in found.misfits:
        yield f"  {misfit.words}"
        if misfit.hint:
            yield f"    {misfit.hint}"
    if found.beside:
        yield f"beside the rows: {', '.join(found.beside)}"
    if not (found.undeclared or found.unseen or found.misfits):
        yield (
            "all that came is declared, and fits"
            if found.rows
            else "no rows came: nothing is known"
        )
