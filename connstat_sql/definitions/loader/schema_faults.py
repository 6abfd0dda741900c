"""What a document says that its vocabulary does not know: every fault, in words.

Only reached when `msgspec.convert` has refused a document; it stops at the first fault, and a
reader wants them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.loader.documents import json_schema
from connstat_sql.definitions.loader.misplaced import homes_of
from connstat_sql.definitions.loader.yaml import YamlFile
from connstat_sql.errors import Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


_MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("from", "since", "min", "minimum", "start", "ge"), ("gte", "first")),
    **dict.fromkeys(("after", "above", "exclusiveMinimum"), ("gt",)),
    **dict.fromkeys(("to", "until", "max", "maximum", "end", "le"), ("lte", "ends")),
    **dict.fromkeys(("before", "below", "exclusiveMaximum"), ("lt",)),
    **dict.fromkeys(("empty", "null", "nulls", "nullstr", "null_if"), ("null_values",)),
    **dict.fromkeys(("reads", "datetime_format", "time_format", "date_format"), ("format",)),
    **dict.fromkeys(("stop", "stop_condition", "stop_when", "sentinel"), ("ends",)),
    **dict.fromkeys(("limit", "limit_param", "per_page", "page_size"), ("size",)),
    **dict.fromkeys(("offset_param", "page_param", "cursor_param"), ("request",)),
    **dict.fromkeys(("has_more", "has_next"), ("more",)),
    **dict.fromkeys(("pagination", "paginator"), ("paging",)),
    **dict.fromkeys(("next", "token_path", "cursor_path", "next_url_path", "response", "records",
                     "record_path", "response_path", "data_selector"), ("response", "rows")),
    **dict.fromkeys(("param", "params", "parameters", "query_params", "request_parameters"),
                    ("request", "query")),
    **dict.fromkeys(("json", "payload", "data", "request_body"), ("body",)), "form": ("body",),
    **dict.fromkeys(("accept", "accepts", "ignore", "missing", "not_found"), ("no_row",)),
    **dict.fromkeys(("range", "ranges", "pushdown", "predicates"), ("filters",)),
    **dict.fromkeys(("eq", "equals", "equal"), ("query", "when")), "in": ("several",),
    **dict.fromkeys(("scope", "scopes", "audience", "extra"), ("fields",)),
    **dict.fromkeys(("content_type", "auth_style", "in_body"), ("send",)),
    **dict.fromkeys(("codes", "code", "statuses", "http_codes"), ("status",)),
    **dict.fromkeys(("attempts", "max_attempts", "max_retries"), ("tries",)),
    **dict.fromkeys(("sensitive", "password", "hidden"), ("secret",)),
    **dict.fromkeys(("id", "client"), ("client_id",)), "header": ("name",),
    **dict.fromkeys(("tz", "zone", "time_zone"), ("timezone",)),
    **dict.fromkeys(("method", "http_method"), ("verb",)),
    **dict.fromkeys(("url", "uri", "endpoint"), ("path", "base_url", "token_url")),
    **dict.fromkeys(("errors", "partial", "unreachable"), ("incomplete",)),
    **dict.fromkeys(("version", "min_version"), ("since",)),
    **dict.fromkeys(("oauth", "oauth2"), ("client_credentials",)),
    **dict.fromkeys(("api_key", "apikey"), ("header",)), "token": ("bearer",),
    "key": ("name", "query"), "true": ("true_values",), "false": ("false_values",),
}  # fmt: skip
"""What others call our words; the first that is known at the place is meant."""
_VALUES = {
    "next_url": "link", "json_link": "link", "url": "link", "next_link": "link",
    "header_link": "link_header", "page_number": "page", "page_increment": "page",
    "limit_offset": "offset", "offset_increment": "offset", "continuation": "token",
    "body": "form", "header": "basic", "follow": "same_origin", "always": "same_origin",
}  # fmt: skip
"""What others say in place of words that are one of several."""


def schema_faults(source: YamlFile, document: str) -> tuple[Problem, ...]:
    """Every place where a source breaks the schema of `document`, by line."""
    from jsonschema import Draft202012Validator

    schema = json_schema()
    schema.pop("anyOf")
    validator = Draft202012Validator({**schema, "$ref": f"#/$defs/{document}"})
    problems = {
        problem
        for error in validator.iter_errors(source.value)
        for problem in _explain(error, source)
    }
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.message)))


def _explain(error: ValidationError, source: YamlFile) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    if error.validator == "anyOf":
        yield from _explain_choice(error, source)
    elif error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                meant = [word for word in _MEANT.get(str(key), ()) if word in known]
                close = f"did you mean `{meant[0]}`?" if meant else nearest(str(key), known)
                home = homes_of(str(key), known)
                hint = close or home or f"known here: {', '.join(sorted(known))}"
                hint += f" {home}" if close and home else ""
                yield source.problem((*path, key), f"unknown key `{key}`", hint)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        unknown = set(error.instance) - set(error.schema.get("properties", {}))
        for key in missing:
            misspelt = nearest(key, [*map(str, unknown)])
            yield source.problem(path, f"`{key}` is missing", misspelt and "is it misspelt?")
    elif error.validator == "type":
        yield source.problem(
            path,
            f"expected {_kinds(error.validator_value)}, found {_kind(error.instance)}",
            _as_list(error.instance) if error.validator_value == "array" else "",
        )
    elif error.validator == "enum":
        allowed = ", ".join(map(str, error.validator_value))
        words = list(map(str, error.validator_value))
        meant_value = _VALUES.get(str(error.instance))
        hint = f"did you mean `{meant_value}`?" if meant_value in words else ""
        hint = hint or nearest(str(error.instance), words)
        yield source.problem(path, f"`{error.instance}` is not one of {allowed}", hint)
    elif error.validator == "minItems":
        yield source.problem(path, "an empty list says nothing")
    else:
        yield source.problem(path, error.message)


def _explain_choice(error: ValidationError, source: YamlFile) -> Iterator[Problem]:
    """A value fits none of several kinds: explain it by the kind whose type it has."""
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or []:
        branches.setdefault(int(inner.schema_path[0]), []).append(inner)
    for inners in branches.values():
        if not any(inner.validator == "type" and inner.path == error.path for inner in inners) and (
            not any(inner.validator == "type" and not inner.relative_path for inner in inners)
        ):
            for inner in inners:
                yield from _explain(inner, source)
            return
    kinds = [str(choice.get("type", "object")) for choice in error.validator_value]
    path = tuple(error.absolute_path)
    yield source.problem(path, f"expected {_kinds(kinds)}, found {_kind(error.instance)}")


def _as_list(value: Any) -> str:
    """How a single thing is written as a list."""
    if isinstance(value, dict):
        return "each entry begins with `- `"
    return f"[{value}]" if isinstance(value, int) and not isinstance(value, bool) else ""


def _kinds(names: str | list[str]) -> str:
    listed = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    return " or ".join(_WORDS.get(name, name) for name in listed)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text `{value[:40]}`"
    return "a mapping" if isinstance(value, dict) else "a list"
