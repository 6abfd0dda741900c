"""`incomplete` → the places that say whether an answer is whole."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.documents import MarkDocument, PathText
from connstat_sql.definitions.loader.places import path_faults, path_of
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.marks import Value
from connstat_sql.definitions.model import Mark


def build_marks(
    documents: Sequence[PathText | MarkDocument], path: KeyPath, findings: Findings
) -> tuple[Mark, ...]:
    """Each place, with what the value there has to be."""
    return tuple(
        _mark(document, (*path, index), findings) for index, document in enumerate(documents)
    )


def _mark(document: PathText | MarkDocument, path: KeyPath, findings: Findings) -> Mark:
    if not isinstance(document, MarkDocument):
        document = MarkDocument(at=document)
    when, unless = _values(document.when), _values(document.unless)
    if document.when is not msgspec.UNSET and document.unless is not msgspec.UNSET:
        findings.add(path, "says both `when` and `unless`", "one of them")
    for message, suggestion in path_faults(document.at):
        findings.add(path, message, suggestion)
    mark = Mark(path_of(document.at), when, unless)
    if not mark.at:
        findings.add(path, "is the whole body", "the path of what says that a part is missing")
    return mark


def _values(values: Value | list[Value] | msgspec.UnsetType) -> tuple[Value, ...]:
    if values is msgspec.UNSET:
        return ()
    return tuple(values) if isinstance(values, list) else (values,)
