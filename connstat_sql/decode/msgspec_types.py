"""SQL types → msgspec types whose values DuckDB's `from_json` decodes without loss.

`from_json` makes NULL of what it cannot read and rounds what is not whole, so whatever passes
here must be known to decode. Where msgspec has no such type, a class of our own looks at each
value: see `_Exact`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Annotated, Any, ClassVar, Union

import msgspec
from msgspec import Meta, Raw

from connstat_sql.definitions.model import ListOf, MapOf, Scalar, SqlType, Struct


class KeyTwice(ValueError):
    """An object whose keys are values has one of them twice."""


class MapKey(str):
    """A key of a MAP: meeting an equal one in the same object is an error.

    msgspec would keep the last of the two, and DuckDB makes NULL of the whole map.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if str.__eq__(self, other):
            raise KeyTwice(f"the key `{self!s}` stands twice in one object")
        return False


class _Exact:
    """A value that `fits` says DuckDB reads as it is; anything else is an error."""

    fits: ClassVar[Callable[[Any], bool]]

    def __init__(self, value: Any) -> None:
        if not type(self).fits(value):
            raise ValueError("a value that does not fit")


def checking_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """A JSON decoder for a type of this module."""
    return msgspec.json.Decoder(kind, dec_hook=type.__call__)  # MapKey(value), _Exact(value)


def or_null(kind: Any) -> Any:
    """The type or null; `Raw` takes anything as it is."""
    return kind if kind is Raw else Union[kind, None]


def checked(of: SqlType, lower_times: bool = False) -> Any:
    """The msgspec type whose values DuckDB decodes into `of` without loss.

    `lower_times` says whether times may stand there with a lower-case `t` or `z`, which msgspec
    reads and DuckDB does not; looking for them takes a call for each value.
    """
    if isinstance(of, Struct):
        return _struct_of(of, lower_times)
    if isinstance(of, ListOf):
        return list[or_null(checked(of.element, lower_times))]  # type: ignore[misc]
    if isinstance(of, MapOf):
        return dict[MapKey, or_null(checked(of.value, lower_times))]  # type: ignore[misc]
    if lower_times and of.name in _TIMES:
        return exact(partial(_is_time, _TIMES[of.name]))
    return _scalar(of)


@lru_cache(maxsize=1024)
def _struct_of(of: Struct, lower_times: bool) -> Any:
    return object_of(
        [(name, or_null(checked(inner, lower_times)), False) for name, inner in of.fields]
    )


def object_of(fields: list[tuple[str, Any, bool]]) -> Any:
    """A JSON object with `(key, type, is required)`; other keys are ignored."""
    names = {f"f{index}": key for index, (key, _, _) in enumerate(fields)}
    typed: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (name, kind) if required else (name, kind, None)
        for name, (_, kind, required) in zip(names, fields, strict=True)
    ]
    return msgspec.defstruct("Object", typed, rename=names, gc=False, kw_only=True)


# --- scalars -------------------------------------------------------------------------------------

_INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1), "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1), "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1), "USMALLINT": (0, 2**16 - 1), "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1), "HUGEINT": (-(2**127), 2**127 - 1),
}  # fmt: skip
_TIMES: dict[str, Any] = {
    "TIMESTAMP": Annotated[datetime, Meta(tz=False)],
    "TIMESTAMP WITH TIME ZONE": Annotated[datetime, Meta(tz=True)],
}
_LARGEST_FLOAT = 3.4028234663852886e38
_FLOAT_TEXT = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}(\.[0-9]+)?([eE][-+]?[0-9])?\Z")]
_DOUBLE_TEXT = Annotated[str, Meta(pattern=r"^-?[0-9]{1,200}(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?\Z")]
_PLAIN: dict[str, Any] = {
    "VARCHAR": str,
    "BOOLEAN": bool,
    "DATE": date,
    "UUID": uuid.UUID,
    **_TIMES,
    "FLOAT": Union[Annotated[float, Meta(ge=-_LARGEST_FLOAT, le=_LARGEST_FLOAT)], _FLOAT_TEXT],
    "DOUBLE": Union[float, _DOUBLE_TEXT],
    "JSON": Raw,
}


def _scalar(of: Scalar) -> Any:
    if of.name in _PLAIN:
        return _PLAIN[of.name]
    if of.name not in _INTEGERS:
        width, scale = (int(part) for part in of.name[len("DECIMAL(") : -1].split(","))
        return _decimal(width, scale)
    low, high = _INTEGERS[of.name]
    if low >= -(2**63) and high < 2**63:
        text = Annotated[str, Meta(pattern=_whole_numbers(low, high))]
        return Union[Annotated[int, Meta(ge=low, le=high)], text]
    return exact(partial(_is_whole, low, high))


def _decimal(width: int, scale: int) -> Any:
    """What stays within the width also when it is rounded to the scale.

    Numbers are looked at as doubles, so their limit leaves room for a double's error; whole
    numbers of up to 18 digits are looked at exactly.
    """
    whole = width - scale
    too_large = rf"0*9{{{whole}}}\.9{{{scale}}}[5-9]"
    digits = rf"0*[0-9]{{1,{whole}}}(?:\.[0-9]+)?"
    text = Annotated[str, Meta(pattern=rf"^-?(?!{too_large}){digits}\Z")]
    limit = (10**whole - 0.5 * 10.0**-scale) * (1 - 2**-51)
    number = Annotated[float, Meta(gt=-limit, lt=limit)]
    if whole > 18:
        return Union[number, text]
    return Union[Annotated[int, Meta(gt=-(10**whole), lt=10**whole)], number, text]


def exact(fits: Callable[[Any], bool]) -> Any:
    return type("Exact", (_Exact,), {"fits": staticmethod(fits)})


def _is_whole(low: int, high: int, value: Any) -> bool:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,40}", value):
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


_ODD = re.compile(r"-?[0-9]{2,}(?:\.[0-9]+)?[eE]-[0-9]+")


def refuse_odd_number(text: str) -> str:
    """Raises ValueError for a number that DuckDB makes NULL of in a DECIMAL.

    With a negative exponent it wants the digits before the point within the width, too.
    """
    if _ODD.fullmatch(text):
        raise ValueError(f"the number {text} is not read exactly; 12.5e-1 is written 1.25")
    return text


def _is_time(kind: Any, value: Any) -> bool:
    """Whether msgspec and DuckDB both read it; DuckDB wants `T` and `Z` in upper case."""
    if not isinstance(value, str) or "t" in value or "z" in value:
        return False
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _whole_numbers(low: int, high: int) -> str:
    """A pattern of exactly the whole numbers from `low` (0 or less) to `high`, in text."""
    below = f"|-0*(?:{_up_to(-low)})" if low else "|-0+"
    return rf"^(?:0*(?:{_up_to(high)}){below})\Z"


def _up_to(high: int) -> str:
    digits = str(high)
    shorter = [f"[0-9]{{1,{len(digits) - 1}}}"]
    smaller = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return "|".join([*shorter, *smaller, digits])
