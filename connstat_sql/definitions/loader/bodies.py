"""`body` of a method → what its requests send; and parameters where none can stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from connstat_sql.definitions.bodies import PLACEHOLDER
from connstat_sql.definitions.loader.checks import Findings, texts_of
from connstat_sql.definitions.loader.documents import MethodDocument
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import InBody, JsonBody, Method, Path, Resource


def build_body(document: MethodDocument, path: KeyPath, findings: Findings) -> JsonBody | None:
    """The JSON body; notes where a body cannot be, or a parameter in it."""
    for word in ("body", "form"):
        if document.verb == "GET" and getattr(document, word):
            findings.add((*path, word), "a GET has no body", "`verb: POST`")
    if document.body is not None and document.form:
        findings.add((*path, "form"), "`form` says nothing beside `body`", "one of them")
    if document.body is None:
        return None
    names = [name for _, text in texts_of(document.body) for name in PLACEHOLDER.findall(text)]
    return JsonBody(json.dumps(document.body), tuple(dict.fromkeys(names)))


def stands_in_body(method: Method, path: Path) -> str:
    """The word by which something stands at a path of the body already; "" when nothing does."""
    if any((item.key,) == path for item in method.form):
        return "form"
    body = json.loads(method.body.text) if method.body is not None else {}
    for key in path:
        if isinstance(body, list):
            if not (key.isdecimal() and int(key) < len(body)):
                return ""  # it leads nowhere
            body = body[int(key)]
        elif not isinstance(body, dict):
            return "body"
        elif key not in body:
            return ""
        else:
            body = body[key]
    return "body" if path else ""


def place_faults(key: InBody, method: Method) -> Iterator[tuple[str, str]]:
    """Why something cannot be sent at a place of the body, and what to write instead."""
    if method.verb == "GET":
        yield f"`{key}` is in a body, and a GET has none", "`verb: POST`"
    elif method.form and len(key.path) != 1:
        yield f"`{key}` leads into a form, which has keys alone", "a single key"
    if past := past_the_end(method, key.path):
        yield f"`{key}` leads nowhere: {past}", "a number from 0 leads to an element: `0.variables`"
    elif at := stands_in_body(method, key.path):
        yield f"`{key}` is sent by `{at}` too", f"leave it out of `{at}`"


def past_the_end(method: Method, path: Path) -> str:
    """Which array of the body a path misses; "" where there is none."""
    body = json.loads(method.body.text) if method.body is not None else {}
    for depth, key in enumerate(path):
        if isinstance(body, list):
            if not key.isdecimal() or int(key) >= len(body):
                shown = f"`{'.'.join(path[:depth])}`" if depth else "`body`"
                return f"{shown} is an array of {len(body)}"
            body = body[int(key)]
        elif isinstance(body, dict) and key in body:
            body = body[key]
        else:
            return ""
    return ""


def leaves_of(value: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each value in objects within objects that is none itself, with its path, as JSON."""
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from leaves_of(inner, (*path, key))
        else:
            yield (*path, key), json.dumps(inner)


def check_order_bodies(resource: Resource, path: KeyPath, findings: Findings) -> None:
    """Note what `order` puts into a body that has no place for it."""
    for method in resource.methods:
        taken = {key for filter_ in method.filters for key in filter_.keys}
        if method.paging is not None:
            taken |= {key for key in (method.paging.request, method.paging.size_key)
                      if isinstance(key, InBody)}  # fmt: skip
        for order in method.order:
            where = (*path, "methods", method.name, "order", order.column)
            keys = dict.fromkeys(key for key, _ in (*(order.ascending or ()),
                                                    *(order.descending or ())))  # fmt: skip
            for key in keys:
                if isinstance(key, InBody):
                    for message, hint in place_faults(key, method):
                        findings.add(where, message, hint)
                    if key in taken:
                        findings.add(where, f"`{key}` is sent by a filter or by `paging` too", "")


_WITH_PARAMETERS = ("path", "base_url", "query", "headers", "body", "form", "confirm_empty")
_WORDS_ALONE = ("description",)


def check_placeholders(
    document: MethodDocument, declared: Iterable[str], path: KeyPath, findings: Findings
) -> None:
    """Note parameters that would be sent as they are written, braces and all."""
    wanted = {f"{{{name}}}" for name in declared}
    words = msgspec.to_builtins(document)
    for word in _WORDS_ALONE:
        words.pop(word, None)
    values = {word: value for word, value in words.items() if word not in _WITH_PARAMETERS}
    texts = [
        (place, text) for place, text in texts_of(values) if place[::2] != ("filters", "value")
    ]
    texts += _keys(words)
    for place, text in texts:
        for name in sorted(placeholder for placeholder in wanted if placeholder in text):
            findings.add(
                (*path, *place),
                f"`{name}` would be sent as it stands there",
                "parameters stand in `path` and `base_url`, and in the values of `query`, "
                "`headers`, `body` and `form`",
            )


def _keys(value: Any, place: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in inner:
            if isinstance(key, str):
                yield (*place, key), key
            yield from _keys(below, (*place, key))
