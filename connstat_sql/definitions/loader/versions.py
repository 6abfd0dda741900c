"""Rules by the version of a server: where it is told, and what an older one is asked instead."""

from __future__ import annotations

from collections.abc import Iterator

from connstat_sql.definitions.loader.checks import Findings, nearest
from connstat_sql.definitions.loader.documents import (
    MethodDocument,
    ProviderDocument,
    SourceDocument,
)
from connstat_sql.definitions.loader.places import path_of
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import InHeader, Method, Resource, VersionRule
from connstat_sql.definitions.versions import numbers_of

Fault = tuple[str, str]
"""What is wrong, and what to write instead."""


def build_version(document: ProviderDocument, findings: Findings) -> VersionRule | None:
    """Where a server tells its version; notes where none can be."""
    rule, path = document.server_version, ("server_version",)
    if rule is None:
        return None
    if not rule.path.startswith("/") or set(rule.path) & set("?#{}"):
        findings.add((*path, "path"), f"`{rule.path}` is no path of an API", "such as /api/version")
    if not isinstance(rule.at, SourceDocument):
        return VersionRule(rule.path, path_of(rule.at))
    if rule.at.header is None or rule.at.last_row is not None:
        findings.add((*path, "at"), "names no header", "a path in the body, or {header: NAME}")
    return VersionRule(rule.path, InHeader(rule.at.header or ""))


def fallback_of(document: MethodDocument) -> tuple[str, ...]:
    """The methods that an older server is asked instead."""
    names = document.fallback
    return (names,) if isinstance(names, str) else tuple(names)


def check_fallbacks(resource: Resource, path: KeyPath, findings: Findings) -> None:
    """Note each `fallback` that cannot give the rows of its method."""
    for method in resource.methods:
        for message, hint in _faults(method, resource) if method.fallback else ():
            findings.add((*path, "methods", method.name, "fallback"), message, hint)


def _faults(method: Method, resource: Resource) -> Iterator[Fault]:
    if not numbers_of(method.since):
        said = f"`since: {method.since}` has no number" if method.since else "without `since`"
        yield f"`fallback` says nothing: {said}", 'the first version that has it: `since: "2.3"`'
    others = {other.name for other in resource.methods} - {method.name}
    unknown = [name for name in method.fallback if name not in others]
    for name in unknown:
        yield f"names `{name}`, which is not another method", nearest(name, others)
    if unknown:
        return
    if _comes_back(method, resource):
        yield f"methods fall back in a circle, to `{method.name}` again", ""
    if method.order:
        yield "older servers need not sort as `order` says", "leave out `order` or `fallback`"
    yield from _unfilled(method, *map(resource.method, method.fallback))


def _unfilled(method: Method, lister: Method, *for_each: Method) -> Iterator[Fault]:
    """Parameters that the others ask for and nobody gives, or that rows of theirs lack."""
    known = {*method.required}
    for other in (lister, *for_each):
        for name in other.required:
            if name not in known:
                filled = f", which `{lister.name}` does not fill" if other is not lister else ""
                yield f"`{other.name}` asks for `{name}`{filled}", ""
        known |= {*lister.fills}
    fillable = {name for other in (lister, *for_each) for name in other.fills}
    for name in method.fills:
        if name not in fillable:
            yield f"none of them fills `{name}`", f"`fills: {{{name}: PATH}}` in `{lister.name}`"


def _comes_back(method: Method, resource: Resource) -> bool:
    names = {other.name for other in resource.methods}
    seen: set[str] = set()
    ahead = [*method.fallback]
    while ahead:
        name = ahead.pop()
        if name == method.name:
            return True
        if name in names and name not in seen:
            seen.add(name)
            ahead += resource.method(name).fallback
    return False
