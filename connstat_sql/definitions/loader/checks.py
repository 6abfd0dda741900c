"""What must hold of names and paths within one definition file."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connstat_sql.definitions.bodies import PLACEHOLDER
from connstat_sql.definitions.loader.yaml import KeyPath, YamlFile
from connstat_sql.definitions.model import (
    HIDDEN_COLUMNS,
    JSON,
    KEY,
    VARCHAR,
    Column,
    JsonBody,
    ListOf,
    MapOf,
    Method,
    Mismatch,
    Order,
    Redaction,
    Resource,
    Scalar,
    Shape,
    SqlType,
    Struct,
    Template,
)
from connstat_sql.errors import Problem

_UNUSABLE = re.compile(r'["\\\x00-\x1f\x7f]')


@dataclass
class Findings:
    """Problems of one file, gathered while its values are built."""

    source: YamlFile
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: KeyPath, message: str, suggestion: str = "") -> None:
        """Note a problem at a place of the file."""
        self.problems.append(self.source.problem(path, message, suggestion))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` for a misspelt word, or "" when nothing comes close.

    >>> nearest("enviroment", ["cluster", "environment"])
    'did you mean `environment`?'
    """
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"did you mean `{by_lower[close[0]]}`?" if close else ""


def check_names(
    names: Iterable[str], known: Iterable[str], what: str, path: KeyPath, findings: Findings
) -> None:
    """Note each name that is not among the known ones, which are `what`: `a column`."""
    for name in names:
        if name not in known:
            findings.add(path, f"names `{name}`, which is not {what}", nearest(name, known))


def check_key(key: str, path: KeyPath, findings: Findings) -> None:
    """Note a key or name that cannot be looked up in a row."""
    if not key:
        findings.add(path, "holds an empty name")
    elif _UNUSABLE.search(key):
        shown = key.encode("unicode_escape").decode("ascii")
        findings.add(
            path,
            f"holds the name `{shown}`",
            "names have no double quotes, backslashes or control characters",
        )


def check_resource(
    resource: Resource, declared: set[str], path: KeyPath, findings: Findings
) -> None:
    """What must hold within one resource; `declared` are the parameters that it may name."""
    params = {param.name for param in resource.params}
    columns = {column.name for column in resource.columns}
    check_key(resource.table.resource, path, findings)
    if "." in resource.table.resource:
        findings.add(path, "the name of a resource holds no dot")
    if not resource.choices and resource.view is None:
        findings.add((*path, "methods"), "no method serves it")
    for name in sorted(params & columns):
        findings.add(
            (*path, "columns", name),
            f"`{name}` is a parameter too; its column holds the argument",
            "give the row's own value another name, with `path`",
        )
    _check_column_names(resource, path, findings)
    _check_shared(resource, declared, path, findings)
    _check_defaults(resource, params - columns, path, findings)
    for column in resource.columns:
        _check_column(column, columns, (*path, "columns", column.name), findings)
    for method in resource.methods:
        _check_method(method, resource, declared, (*path, "methods", method.name), findings)


def _check_column_names(resource: Resource, path: KeyPath, findings: Findings) -> None:
    params = [param.name for param in resource.params]
    columns = [column.name for column in resource.columns]
    for kind, names in (("columns", columns), ("params", params)):
        for name in names:
            check_key(name, (*path, kind, name), findings)
            if name.lower() in HIDDEN_COLUMNS and resource.view is None:
                what = f"`{name}` is a column of every table"
                findings.add((*path, kind, name), what, "choose another name")
    for name, other in same_but_case([*columns, *params]):
        kind = "columns" if name in columns else "params"
        findings.add((*path, kind, name), f"`{name}` and `{other}` differ only in case")


def same_but_case(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each name that SQL cannot tell from an earlier one, with that one."""
    first: dict[str, str] = {}
    for name in names:
        earlier = first.setdefault(name.lower(), name)
        if earlier != name:
            yield name, earlier


def _check_defaults(
    resource: Resource, params: set[str], path: KeyPath, findings: Findings
) -> None:
    """A parameter that nothing sends would be what a query says, whatever the rows are of."""
    sent = {name for method in resource.methods for name in (*method.required, *method.fills)}
    for param in resource.params:
        if param.name in params - sent and param.default is not None and resource.methods:
            message = f"no method sends `{param.name}`"
            findings.add((*path, "params", param.name), message, f"write it as {{{param.name}}}")


def _check_shared(
    resource: Resource, declared: set[str], path: KeyPath, findings: Findings
) -> None:
    for param in resource.params:
        if param.parent is not None:
            ours = [name for _, name in param.parent.shared]
            where = (*path, "params", param.name, "with")
            check_names(ours, declared, "a declared parameter", where, findings)


def _check_column(column: Column, columns: set[str], path: KeyPath, findings: Findings) -> None:
    for key in column.path:
        if key != column.name:
            check_key(key, path, findings)
    if column.redaction is Redaction.VALUE and column.type != VARCHAR:
        findings.add(path, "`redact: value` needs the type VARCHAR")
    if column.redaction is Redaction.KEYS and not _holds_texts_by_key(column.type):
        findings.add(
            path, "`redact: keys` needs a MAP(VARCHAR, VARCHAR) or MAP(VARCHAR, JSON) in the type"
        )
    if column.redaction is Redaction.TEXT and not _holds_texts(column.type):
        findings.add(path, "`redact: text` needs a VARCHAR or JSON in the type")
    if column.redact_by is not None:
        where = (*path, "redact_by")
        check_names([column.redact_by], columns, "a column", where, findings)
        if column.redaction is not Redaction.VALUE:
            findings.add(where, "`redact_by` says nothing without `redact: value`")


def _holds_texts_by_key(of: SqlType) -> bool:
    if isinstance(of, MapOf):
        return of.value in (VARCHAR, JSON)
    if isinstance(of, ListOf):
        return _holds_texts_by_key(of.element)
    return isinstance(of, Struct) and any(_holds_texts_by_key(inner) for _, inner in of.fields)


def _holds_texts(of: SqlType) -> bool:
    if isinstance(of, (ListOf, MapOf)):
        return _holds_texts(of.element if isinstance(of, ListOf) else of.value)
    if isinstance(of, Struct):
        return any(_holds_texts(inner) for _, inner in of.fields)
    return of in (VARCHAR, JSON)


def _check_method(
    method: Method, resource: Resource, declared: set[str], path: KeyPath, findings: Findings
) -> None:
    columns = {column.name for column in resource.columns}
    for template, place in _templates(method):
        where = (*path, *place)
        check_names(template.params, declared, "a declared parameter", where, findings)
        check_braces(template, where, findings)
    if method.body is not None:
        check_body(method.body, declared, (*path, "body"), findings)
    check_names(method.columns, columns, "a column", (*path, "columns"), findings)
    check_names(method.fills, declared, "a declared parameter", (*path, "fills"), findings)
    filters = [filter_.column for filter_ in method.filters]
    check_names(filters, columns, "a column", (*path, "filters"), findings)
    for order in method.order:
        _check_order(order, method, resource, (*path, "order", order.column), findings)
    others = {other.name for other in resource.methods} - {method.name}
    if method.details is not None:
        check_names([method.details], others, "another method", (*path, "details"), findings)
    for word, name in (("known_by", method.known_by), ("rest_from", method.rest_from)):
        if name:
            check_names([name], others, "another method", (*path, word), findings)
            if name in others:
                _check_keys(method, resource.method(name), (*path, word), findings)
    for param in resource.params:
        known = param.name in method.required or param.name in method.fills
        if not known and param.default is None and param.parent is None:
            findings.add(
                path,
                f"neither asks for the parameter `{param.name}` nor fills it",
                f"say where a row holds it: `fills: {{{param.name}: PATH}}`",
            )
    _check_sent(method, path, findings)
    _check_places(method, resource, path, findings)


def _check_sent(method: Method, path: KeyPath, findings: Findings) -> None:
    """What is sent otherwise than it looks: names with braces, `${name}`, headers of two lines."""
    for template, place in _templates(method):
        for part, name in zip(template.parts[::2], template.params, strict=False):
            if part.endswith("$"):
                message = f"the `$` of `${{{name}}}` would be sent"
                findings.add((*path, *place), message, f"{{{name}}}")
    items = [(item.key, kind) for kind in ("query", "form") for item in getattr(method, kind)]
    for key, kind in items:
        if "{" in key:
            message = f"`{key}` is the name of a key, which holds no parameter"
            findings.add((*path, kind, key), message, "parameters stand in values alone")
    check_headers(method.headers, (*path, "headers"), findings)
    for status in sorted(method.no_row):
        if status < 300 and status != 204:
            message = f"{status} is a success, and no word of a missing row"
            findings.add((*path, "no_row"), message, "such as [404]")


def check_headers(
    headers: Iterable[tuple[str, Template]], path: KeyPath, findings: Findings
) -> None:
    """Headers that cannot be sent."""
    for name, template in headers:
        if not is_header_name(name):
            message = f"`{name}` is not the name of a header"
            findings.add((*path, name), message, "such as `X-Api-Version`")
        if any(sign in part for part in template.parts[::2] for sign in "\r\n\0"):
            findings.add((*path, name), "a header has one line", "")


_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def is_header_name(text: str) -> bool:
    """Whether a text can be the name of a header."""
    return _HEADER.fullmatch(text) is not None


def check_body(body: JsonBody, declared: set[str], path: KeyPath, findings: Findings) -> None:
    """Note what a body names that is no parameter."""
    for place, text in texts_of(json.loads(body.text)):
        for name in PLACEHOLDER.findall(text):
            if name not in declared:
                findings.add(
                    (*path, *place),
                    f"names `{name}`, which is not a declared parameter",
                    nearest(name, declared)
                    or f"a brace that is text has a blank behind it: `{{ {name} }}`",
                )


def texts_of(value: Any, place: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each text in a JSON value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in inner:
            yield from texts_of(below, (*place, key))


def check_confirmation(method: Method, path: KeyPath, findings: Findings) -> None:
    """Note a `confirm_empty` that can never be asked, or not with what the list is asked with."""
    template, where = method.confirm_empty, (*path, "confirm_empty")
    if template is None:
        return
    if not template.parts[0].startswith("/") or set("".join(template.parts[::2])) & set("?#"):
        findings.add(where, f"`{template}` is no path of an API", "such as /health")
    check_braces(template, where, findings)
    what = f"a parameter that `{method.name}` asks for"
    check_names(template.params, method.required, what, where, findings)
    if method.rows.shape is Shape.OBJECT:
        findings.add(where, "a single row is no list that may be empty", "leave it out")


def _check_keys(method: Method, other: Method, path: KeyPath, findings: Findings) -> None:
    """A list of keys fills one parameter, which the method that needs it fills or asks for."""
    if len(other.fills) != 1 or other.paging is not None:
        findings.add(
            path, f"`{other.name}` is no list of keys", "one page that fills one parameter"
        )
    elif not set(other.fills) <= {*method.fills, *method.required}:
        name = next(iter(other.fills))
        findings.add(path, f"`{other.name}` fills `{name}`, which `{method.name}` does not know")
    if not set(other.required) <= set(method.required):
        findings.add(path, f"`{other.name}` asks for more than `{method.name}` does")
    if path[-1] == "rest_from" and not method.known_by:
        findings.add(path, "`rest_from` says nothing without `known_by`")


def _check_order(
    order: Order, method: Method, resource: Resource, path: KeyPath, findings: Findings
) -> None:
    """Rows taken in an order that is not DuckDB's would be the wrong ones."""
    column = resource.column(order.column)
    if column is None:
        columns = [known.name for known in resource.columns]
        check_names([order.column], columns, "a column", path, findings)
    elif method.columns.get(column.name, column.path) is None:
        findings.add(path, f"`{method.name}` does not serve `{column.name}`")
    elif not isinstance(column.type, Scalar) or column.type == JSON:
        findings.add(path, f"`{column.name}` is {column.type}, which no API sorts as DuckDB does")
    elif column.mismatch is not Mismatch.ERROR or column.redaction is not Redaction.NONE:
        word = "redact" if column.mismatch is Mismatch.ERROR else "on_mismatch"
        findings.add(path, f"`{word}` changes values of `{column.name}` after they were sorted")
    if order.ascending is None and order.descending is None:
        findings.add(path, "names no direction", "`ascending`, `descending` or both")
    elif order.ascending == order.descending:
        findings.add(path, "`ascending` and `descending` ask for the same")
    sent = keys_sent(method)
    for key in dict(order.ascending or ()) | dict(order.descending or ()):
        if isinstance(key, str) and key in sent:
            findings.add(path, f"the key `{key}` is sent already", f"leave it out of `{sent[key]}`")


def keys_sent(method: Method) -> dict[str, str]:
    """Query keys of a method's requests, with the word that each comes from."""
    keys = {item.key: "query" for item in method.query}
    keys |= {
        key: "filters" for filter_ in method.filters for key in filter_.keys if isinstance(key, str)
    }
    if method.paging is not None:
        targets = (method.paging.request, method.paging.size_key)
        keys |= {target: "paging" for target in targets if isinstance(target, str)}
    return keys


def _templates(method: Method) -> Iterator[tuple[Template, KeyPath]]:
    yield method.path, ("path",)
    if method.base_url is not None:
        yield method.base_url, ("base_url",)
    for item in method.query:
        for template in item.values:
            yield template, ("query", item.key)
    for name, template in method.headers:
        yield template, ("headers", name)
    for item in method.form:
        for template in item.values:
            yield template, ("form", item.key)


def check_braces(template: Template, path: KeyPath, findings: Findings) -> None:
    """Note a brace that neither opens nor closes the name of a parameter."""
    if any("{" in part or "}" in part for part in template.parts[::2]):
        findings.add(path, f"a brace stands alone in `{template}`", "write parameters as `{name}`")


def _check_places(method: Method, resource: Resource, path: KeyPath, findings: Findings) -> None:
    """Where columns and filled parameters are in this method's rows."""
    own = {column.name: column.path for column in resource.columns}
    for kind, places in (("columns", {**own, **method.columns}), ("fills", method.fills)):
        for name, place in places.items():
            is_own = kind == "columns" and name not in method.columns
            where: KeyPath = (*path[:2], "columns", name) if is_own else (*path, kind, name)
            if place == KEY and method.rows.shape is not Shape.MAP:
                findings.add(
                    where, f"`$key` needs rows of the shape `map`, also in `{method.name}`"
                )
            if not is_own:
                for key in place or ():
                    check_key(key, where, findings)
