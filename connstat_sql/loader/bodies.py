"""`body` of a method → what its requests send; and parameters where none can stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from connstat_sql.definitions import JsonBody, Method, Path
from connstat_sql.definitions.bodies import PLACEHOLDER
from connstat_sql.loader.checks import Findings, texts_of
from connstat_sql.loader.documents import MethodDocument
from connstat_sql.loader.source import KeyPath


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
        if not isinstance(body, dict):
            return "body"
        if key not in body:
            return ""
        body = body[key]
    return "body" if path else ""


_WITH_PARAMETERS = ("path", "base_url", "query", "headers", "body", "form")
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
    texts = [one for one in texts_of(values) if one[0][::2] != ("filters", "value")]
    texts += _keys(words)
    for place, text in texts:
        for name in sorted(one for one in wanted if one in text):
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
