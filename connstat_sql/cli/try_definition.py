"""`connstat providers try`: one live request, and what its answer shows of a definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from connstat_sql.decode import Body, FieldLayout, OpenBody
from connstat_sql.decode.conformance import Comparison, compare
from connstat_sql.definitions.catalog import LiveTable, nearest_to
from connstat_sql.definitions.model import Method, Resource
from connstat_sql.errors import BindError, ConfigError, UnexpectedShape, counted
from connstat_sql.fetch import Fetch, build_request
from connstat_sql.fetch.completeness import stops_at_a_page

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


def try_table(
    engine: Engine, table: LiveTable, arguments: Mapping[str, str], method: str, connection: str
) -> tuple[list[str], bool]:
    """Ask one method of a table once: lines that tell what came, and whether all of it fits.

    `method` and `connection` are names ("": the first that will do). Raises ConnstatError.
    """
    resource = table.resource
    chosen = _method(resource, arguments, method)
    name = _connection(engine, table, connection)
    client = engine.clients.open(name)
    fetch = Fetch(name, resource, chosen, _arguments(resource, arguments))
    request = build_request(fetch, client.base_url, None)
    answer = engine.clients.loop.call(client.send(request))
    fields = tuple(_fields(resource, chosen))
    head = f"{resource.table}  by {chosen.name}: {client.plain(str(request.line))}  {answer.status}"
    try:
        comparison = compare(answer.body, chosen.rows, fields)
    except UnexpectedShape as error:
        error.table, error.connection, error.request = str(resource.table), name, request.line
        error.hint = error.hint or "say where the rows are:  rows: PATH, or {shape: …, at: PATH}"
        raise
    lines = [_indented(line, client.plain) for line in _lines(head, comparison)]
    page = Body((), comparison.rows, OpenBody(answer.body), comparison.rows)
    may_go_on = stops_at_a_page(fetch, request, answer, page)
    return [
        *lines,
        *([f"more may follow: {may_go_on}"] if may_go_on else []),
    ], not comparison.misfits


def _indented(line: str, plain: Callable[[str], str]) -> str:
    text = line.lstrip()
    return line[: len(line) - len(text)] + plain(text)


def _method(resource: Resource, arguments: Mapping[str, str], name: str) -> Method:
    """The method asked for, or the first that needs no more than what is given."""
    if resource.view is not None:
        raise BindError(
            f"{resource.table} is a view, which asks nothing itself",
            hint=f"connstat providers show {resource.table}  names the tables that it is made of",
        )
    names = [method.name for method in resource.methods]
    if name and name not in names:
        hint = f"there is  {', '.join(names)}"
        raise BindError(
            f"{resource.table} has no method {name}{nearest_to(name, names)}", hint=hint
        )
    known = {param.name for param in resource.params if param.default is not None} | {*arguments}
    methods = [method for method in resource.methods if name in ("", method.name)]
    ready = [method for method in methods if known.issuperset(method.required)]
    if not ready:
        least = min(methods, key=lambda method: len({*method.required} - known))
        missing = [param for param in least.required if param not in known]
        words = " ".join(f"{param}=…" for param in missing)
        raise BindError(
            f"{resource.table} by {least.name} needs {', '.join(missing)}",
            hint=f"connstat providers try {resource.table} {words}",
        )
    return max(ready, key=lambda method: len({*method.required} & {*arguments}))


def _connection(engine: Engine, table: LiveTable, name: str) -> str:
    provider = table.resource.table.provider
    known = [connection for connection, of in engine.catalog.connections.items() if of == provider]
    wanted = name or table.connection or (known[0] if known else "")
    if wanted not in known:
        what = f"{provider} has no connection {wanted}{nearest_to(wanted, known)}"
        what = what if wanted else f"{provider} has none"
        hint = f"there is  {', '.join(known)}" if known else "write one in connstat.toml"
        raise ConfigError(what, hint=hint)
    return wanted


def _arguments(resource: Resource, arguments: Mapping[str, str]) -> dict[str, str]:
    params = {param.name for param in resource.params}
    for name in arguments:
        if name not in params:
            known = ", ".join(sorted(params)) or "none"
            raise BindError(f"{resource.table} has no parameter {name}", hint=f"there is  {known}")
    defaults = {param.name: param.default for param in resource.params if param.default is not None}
    return {**defaults, **arguments}


def _fields(resource: Resource, method: Method) -> Iterator[FieldLayout]:
    for column in resource.columns:
        path = method.columns.get(column.name, column.path)
        if path is not None:
            yield FieldLayout.of_column(column, path)
    for name, path in method.fills.items():
        param = resource.param(name)
        if param is not None and name not in method.required:
            yield FieldLayout.of_param(param, path)


def _lines(head: str, comparison: Comparison) -> Iterator[str]:
    yield f"{head}, {counted(comparison.rows, 'row')}"
    if comparison.undeclared:
        yield "in rows, and not declared"
        width = min(40, max(len(column.line) for column in comparison.undeclared))
        for column in comparison.undeclared:
            share = f"{column.rows:,} of {counted(comparison.rows, 'row')}"
            yield f"  {column.line:<{width}}  # in {share}"
    if comparison.unseen:
        yield "declared, and in no row"
        yield from (f"  {column}" for column in comparison.unseen)
    if comparison.misfits:
        yield "does not fit"
    for misfit in comparison.misfits:
        yield f"  {misfit.words}"
        if misfit.hint:
            yield f"    {misfit.hint}"
    if comparison.beside:
        yield f"beside the rows: {', '.join(comparison.beside)}"
    if not (comparison.undeclared or comparison.unseen or comparison.misfits):
        yield (
            "all that came is declared, and fits"
            if comparison.rows
            else "no rows came: nothing is known"
        )
