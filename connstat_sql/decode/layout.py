"""Where the values of fields are put in the text of a row, so that DuckDB can take them out.

Most rows go to DuckDB as they came. Where that is not enough, a row is wrapped in an object:

    {"$key": "name of the row", "$row0": {…}, "$row1": {…}, "$value2": …}

`$key` is the key of a `map` shaped body. A row stands there several times where its fields could
not be decoded side by side: one inside another with another type, or keys that DuckDB cannot
tell apart because they differ only in case. `$valueN` is the value of a field that may be other
than declared, made fit by `RowReader`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from connstat_sql.decode.msgspec_types import checked, object_of, or_null
from connstat_sql.decode.spellings import spelt
from connstat_sql.definitions.model import (
    KEY,
    VARCHAR,
    Column,
    Mismatch,
    Param,
    Path,
    RowsPath,
    Shape,
    Spelling,
    SqlType,
    Struct,
)

KEY_PLACE = KEY[0]


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """A column (or filled parameter) of the rows that one method answers with."""

    name: str
    type: SqlType
    path: Path
    mismatch: Mismatch = Mismatch.ERROR
    is_redacted: bool = False
    is_required: bool = False
    spelling: Spelling | None = None

    @staticmethod
    def of_column(column: Column, path: Path) -> FieldLayout:
        """A column where a method has it."""
        redacted = column.redaction.value != "none"
        return FieldLayout(
            column.name, column.type, path, column.mismatch, redacted, spelling=column.spelling
        )

    @staticmethod
    def of_param(param: Param, path: Path) -> FieldLayout:
        """A parameter that is filled from the row; it is never NULL (semantics, rule 11)."""
        return FieldLayout(param.name, param.type, path, is_required=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """`places` are where the fields are in the text of a row, one for each field, in order.

    `copies` names the copies of the row in the text, `converted` the places of values made fit.
    """

    places: tuple[Path, ...]
    is_wrapped: bool
    copies: tuple[str, ...]
    converted: tuple[tuple[str, FieldLayout], ...]
    tree: Tree


Tree = dict[str, Any]
"""Key → Field at a leaf, or a deeper Tree."""


def lay_out(rows: RowsPath, fields: Sequence[FieldLayout]) -> Layout:
    """Find a place for each field.

    >>> name = FieldLayout("name", VARCHAR, KEY)
    >>> state = FieldLayout("state", VARCHAR, ("status", "state"))
    >>> lay_out(RowsPath(), [state]).places
    (('status', 'state'),)
    >>> lay_out(RowsPath(Shape.MAP), [name, state]).places
    (('$key',), ('$row0', 'status', 'state'))
    """
    places: dict[int, Path] = {}
    converted: list[tuple[str, FieldLayout]] = []
    layers: list[list[FieldLayout]] = []
    for index, field in sorted(enumerate(fields), key=lambda pair: len(pair[1].path)):
        if field.mismatch is not Mismatch.ERROR:
            places[index] = (f"$value{index}",)
            converted.append((f"$value{index}", field))
        elif field.path == KEY:
            places[index] = KEY
        else:
            layer = _layer_for(field, layers)
            places[index] = (f"$row{layer}", *field.path)
    is_plain_shape = rows.shape in (Shape.ARRAY, Shape.OBJECT)
    is_deep = all(path[0] == "$row0" and len(path) > 1 for path in places.values())
    is_wrapped = not (is_plain_shape and is_deep)
    ordered = tuple(places[index][0 if is_wrapped else 1 :] for index in range(len(fields)))
    copies = tuple(f"$row{index}" for index in range(len(layers))) if is_wrapped else ()
    tree = _tree(list(zip(ordered, fields, strict=True)))
    return Layout(ordered, is_wrapped, copies, tuple(converted), tree)


def _layer_for(field: FieldLayout, layers: list[list[FieldLayout]]) -> int:
    """The first layer in which nothing clashes with a field; it joins it."""
    for index, layer in enumerate(layers):
        if not any(_clash(field, other) for other in layer):
            layer.append(field)
            return index
    layers.append([field])
    return len(layers) - 1


def _clash(field: FieldLayout, other: FieldLayout) -> bool:
    """Whether two fields cannot be decoded from one copy of the row."""
    outer, inner = (field, other) if len(field.path) <= len(other.path) else (other, field)
    for left, right in zip(outer.path, inner.path, strict=False):
        if left != right:
            return left.lower() == right.lower()
    rest = inner.path[len(outer.path) :]
    if outer.spelling != inner.spelling:
        return True
    return bool(rest and inner.is_required) or not _holds(outer.type, rest, inner.type)


def _holds(outer: SqlType, path: Path, inner: SqlType) -> bool:
    """Whether a value of the outer type has one of the inner type at the path."""
    if not path:
        return outer == inner
    if not isinstance(outer, Struct):
        return False
    return any(name == path[0] and _holds(of, path[1:], inner) for name, of in outer.fields)


def _tree(places: list[tuple[Path, FieldLayout]]) -> Tree:
    """Where the values are, as a tree; a value inside a STRUCT that is a leaf is not added."""
    tree: Tree = {}
    for path, field in sorted(places, key=lambda pair: (len(pair[0]), pair[1].is_required)):
        node = tree
        for key in path[:-1]:
            below = node.setdefault(key, {})
            if not isinstance(below, dict):
                break
            node = below
        else:
            node[path[-1]] = field
    return tree


def checked_object(tree: Tree, lower_times: bool = False) -> Any:
    """The msgspec type of a row's text; `lower_times` as in `checked`."""
    return object_of([(key, *_checked_entry(below, lower_times)) for key, below in tree.items()])


def _checked_entry(below: Any, lower_times: bool) -> tuple[Any, bool]:
    if isinstance(below, dict):
        inside = checked_object(below, lower_times)
        return (inside, True) if _has_required(below) else (or_null(inside), False)
    if below.mismatch is not Mismatch.ERROR:
        return Raw, False  # made fit already
    kind = checked_field(below, lower_times)
    return (kind, True) if below.is_required else (or_null(kind), False)


def _has_required(tree: Tree) -> bool:
    return any(
        _has_required(below) if isinstance(below, dict) else below.is_required
        for below in tree.values()
    )


def structure(tree: Tree) -> dict[str, Any]:
    """The tree as the structure argument of DuckDB's `from_json`."""
    return {
        key: structure(below) if isinstance(below, dict) else str(decoded_type(below))
        for key, below in tree.items()
    }


def decoded_type(field: FieldLayout) -> SqlType:
    """The type that DuckDB decodes a field as."""
    is_text = field.mismatch is Mismatch.TEXT or field.spelling is not None
    return VARCHAR if is_text else field.type


def checked_field(field: FieldLayout, lower_times: bool = False) -> Any:
    """The msgspec type of a field's values in the text."""
    if field.spelling is not None:
        return spelt(field.type, field.spelling)
    return checked(field.type, lower_times)
