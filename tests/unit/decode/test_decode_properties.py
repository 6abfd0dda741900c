"""For any declared type and any JSON: the very value, or an error. Never a silent NULL."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.definitions.model import (
    JSON,
    TIMESTAMPTZ,
    VARCHAR,
    ListOf,
    MapOf,
    Mismatch,
    Path,
    RowsPath,
    Scalar,
    Shape,
    SqlType,
    Struct,
)
from connstat_sql.errors import UnexpectedShape
from tests.examples import examples
from tests.unit.decode.test_decode import decode

# --- JSON as it is written: numbers are texts, objects may hold a key twice ----------------------


class Number(str):
    """A number as it stands in a JSON text."""


class Object(tuple[tuple[str, Any], ...]):
    """The pairs of an object, in order."""


def write(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Object):
        return "{" + ",".join(f"{json.dumps(key)}:{write(inner)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)


# --- what a value must become, said without the code under test ----------------------------------


class Misfit(Exception):
    """The value does not fit the type."""


LIMITS = {
    "TINYINT": (-(2**7), 2**7), "SMALLINT": (-(2**15), 2**15), "INTEGER": (-(2**31), 2**31),
    "BIGINT": (-(2**63), 2**63), "HUGEINT": (-(2**127), 2**127), "UTINYINT": (0, 2**8),
    "USMALLINT": (0, 2**16), "UINTEGER": (0, 2**32), "UBIGINT": (0, 2**64),
}  # fmt: skip


class Cut(Decimal):
    """Written with an exponent: DuckDB may cut the digits beyond the scale off."""


WHOLE = re.compile(r"-?[0-9]+")
REAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?")


def expected(of: SqlType, value: Any) -> Any:
    """What DuckDB must hand out; raises Misfit."""
    if value is None:
        return None
    if of == JSON:
        return value
    if isinstance(of, ListOf):
        return [expected(of.element, element) for element in _as(list, value)]
    if isinstance(of, Struct):
        pairs = _as(Object, value)
        by_name = {name: [expected(t, v) for k, v in pairs if k == name] for name, t in of.fields}
        return {name: values[0] if values else None for name, values in by_name.items()}
    if isinstance(of, MapOf):
        pairs = _as(Object, value)
        if len({key for key, _ in pairs}) < len(pairs):
            raise Misfit
        return {key: expected(of.value, element) for key, element in pairs}
    return _scalar(of.name, value)


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise Misfit
    return value


def _scalar(name: str, value: Any) -> Any:
    if name in LIMITS:
        low, high = LIMITS[name]
        if type(value) in (Number, str) and WHOLE.fullmatch(value) and low <= int(value) < high:
            return int(value)
        raise Misfit
    if name.startswith("DECIMAL"):
        width, scale = name[8:-1].split(",")
        return _decimal(int(width), int(scale), value)
    if name == "DOUBLE":
        if type(value) is Number or (type(value) is str and REAL.fullmatch(value)):
            number = float(value)
            if math.isfinite(number):
                return number
        raise Misfit
    simple: dict[str, Callable[[Any], Any]] = {
        "VARCHAR": partial(_as, str),
        "BOOLEAN": partial(_as, bool),
        "DATE": _date,
        "TIMESTAMP WITH TIME ZONE": _time,
    }
    return simple[name](value)


def _decimal(width: int, scale: int, value: Any) -> Decimal:
    if type(value) not in (Number, str) or (type(value) is str and not _is_plain(value)):
        raise Misfit
    with localcontext() as context:
        context.prec = 1000
        rounded = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    if abs(rounded) >= 10 ** (width - scale):
        raise Misfit
    return Cut(rounded) if "e" in value.lower() else rounded


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) is not None


def _date(value: Any) -> date:
    if type(value) is str and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Misfit


TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|[+-][0-9:]{5})"
)


def _time(value: Any) -> datetime:
    match = TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Misfit
    zone = "+00:00" if match[4] == "Z" else match[4]
    try:
        whole = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    except ValueError:
        raise Misfit from None
    fraction = timedelta(microseconds=int(((match[3] or ".") + "000000")[1:7]))
    return whole.astimezone(timezone.utc) + fraction


def same(of: SqlType, got: Any, wanted: Any) -> bool:
    if wanted is None or got is None:
        return got is None and wanted is None
    if of == JSON:
        return _same_json(json.loads(got, parse_float=Number, parse_int=Number,
                                     object_pairs_hook=Object), wanted)  # fmt: skip
    if isinstance(of, ListOf):
        return len(got) == len(wanted) and all(map(partial(same, of.element), got, wanted))
    if isinstance(of, Struct):
        return all(same(inner, got[name], wanted[name]) for name, inner in of.fields)
    if isinstance(of, MapOf):
        return list(got) == list(wanted) and all(
            same(of.value, got[key], wanted[key]) for key in wanted
        )
    if isinstance(wanted, Decimal):
        unit = Decimal(1).scaleb(int(wanted.as_tuple().exponent)) if isinstance(wanted, Cut) else 0
        return type(got) is Decimal and abs(got - wanted) <= unit
    return type(got) is type(wanted) and bool(got == wanted)


def _same_json(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, Number):
        return type(got) is Number and (float(got) == float(wanted) or int(got) == int(wanted))
    if isinstance(wanted, Object):
        pairs = list(zip(got, wanted, strict=True))
        return all(a[0] == b[0] and _same_json(a[1], b[1]) for a, b in pairs)
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(_same_json, got, wanted))
    return type(got) is type(wanted) and bool(got == wanted)


# --- random types and values ---------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "a.b", "é", "select", "$row0", "x'y"])
SCALARS = st.sampled_from(
    [VARCHAR, JSON, TIMESTAMPTZ, *map(Scalar, LIMITS)]
    + [Scalar(name) for name in ("BOOLEAN", "DOUBLE", "DATE")]
    + [Scalar(f"DECIMAL({w},{s})") for w, s in ((4, 2), (4, 3), (18, 0), (38, 12), (38, 0))]
)
TYPES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        inner.map(ListOf),
        inner.map(MapOf),
        st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
        .map(tuple)
        .map(Struct),
    ),
    max_leaves=4,
)
EDGES = sorted({edge + step for pair in LIMITS.values() for edge in pair for step in (-1, 0, 1)})
WHOLE_TEXTS = st.one_of(st.integers(-(10**6), 10**6), st.sampled_from(EDGES)).map(str)
ASCII = st.characters(codec="ascii")
FRACTIONS = st.one_of(
    st.sampled_from(["99.99", "99.995", "99.9949", "0.9995", "1.0", "-0.0", "-0", "1e2", "1.5E-1"]),
    st.sampled_from(["1e400", "-1e-400", "9007199254740993.5", "2.2479999999999998", "1e37"]),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.decimals(-1000, 1000, places=3).map(str),
    st.from_regex(r"-?[1-9][0-9]{0,2}(\.[0-9]{1,20})?[eE]-[1-9]", fullmatch=True, alphabet=ASCII),
)
NUMBERS = st.one_of(WHOLE_TEXTS, FRACTIONS).map(Number)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TIMES = st.builds(
    lambda when, between, fraction, zone: when.isoformat(between) + fraction + zone,
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)).map(
        lambda when: when.replace(microsecond=0)
    ),
    st.sampled_from("TTT t"),
    st.sampled_from(["", ".5", ".123456", ".9999999", ".000000001"]),
    st.sampled_from(["Z", "Z", "+02:00", "-23:59", "z", ""]),
)
STRINGS = st.one_of(
    TEXTS, WHOLE_TEXTS, FRACTIONS, TIMES, st.dates().map(str), st.just("2026-02-30")
)
KEYS = st.sampled_from(["a", "A", "b", "a.b", "é", "", "\0", '"'])
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, STRINGS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(st.tuples(KEYS, inner), max_size=3).map(Object)
    ),
    max_leaves=5,
)


@st.composite
def values(draw: st.DrawFn, of: SqlType) -> Any:
    """Mostly a value that fits a type, or nearly does."""
    if draw(st.sampled_from([True, False, False, False])):
        return draw(ANYTHING)
    if isinstance(of, ListOf):
        return [draw(values(of.element)) for _ in range(draw(st.integers(0, 3)))]
    if isinstance(of, MapOf):
        keys = draw(st.lists(KEYS, max_size=3, unique=draw(st.booleans())))
        return Object((key, draw(values(of.value))) for key in keys)
    if isinstance(of, Struct):
        pairs = [(name, draw(values(inner))) for name, inner in of.fields]
        return Object([*pairs, (draw(KEYS), draw(ANYTHING))])
    if of.name in ("VARCHAR", "DATE") or of == TIMESTAMPTZ:
        return draw(STRINGS)
    if of.name == "BOOLEAN":
        return draw(st.booleans())
    return draw(ANYTHING if of == JSON else st.one_of(NUMBERS, WHOLE_TEXTS, FRACTIONS))


@st.composite
def cases(draw: st.DrawFn) -> tuple[SqlType, Any]:
    """A type and a value for it."""
    of = draw(TYPES)
    return of, draw(values(of))


def read_or_refused(reader: RowReader, body: bytes) -> list[tuple[Any, ...]] | None:
    """The rows; None when the body is refused."""
    try:
        return decode(reader, body)
    except UnexpectedShape:
        return None


ODD = re.compile(rb"[0-9]{2}(\.[0-9]+)?[eE]-")


def may_be_refused(reader: RowReader, body: bytes) -> bool:
    """Numbers such as 12.5e-1 are refused where a DECIMAL is read, though they would fit."""
    return "DECIMAL" in reader.structure and ODD.search(body) is not None


@settings(max_examples=examples(150), deadline=None)
@given(cases())
def test_a_value_arrives_as_it_is_or_is_an_error(case: tuple[SqlType, Any]) -> None:
    of, given_value = case
    reader = RowReader(RowsPath(), [FieldLayout("c", of, ("c",))])
    body = f'[{{"c":{write(given_value)}}}]'.encode()
    got = read_or_refused(reader, body)
    try:
        wanted = expected(of, given_value)
    except Misfit:
        assert got is None, f"{of}: {body!r} became {got}"
        return
    if got is None:
        assert may_be_refused(reader, body), f"{of}: {body!r} is refused"
    else:
        assert same(of, got[0][0], wanted), f"{of}: {body!r} became {got}, not {wanted}"


@settings(max_examples=examples(90), deadline=None)
@given(cases())
def test_where_null_is_declared_a_value_arrives_as_it_is_or_is_null(
    case: tuple[SqlType, Any],
) -> None:
    of, given_value = case
    reader = RowReader(RowsPath(), [FieldLayout("c", of, ("c",), Mismatch.NULL)])
    body = f'[{{"c":{write(given_value)}}}]'.encode()
    try:
        wanted = expected(of, given_value)
    except Misfit:
        wanted = None
    got = read_or_refused(reader, body)
    if got is None:
        assert may_be_refused(reader, body), f"{of}: {body!r} is refused"
    else:
        assert same(of, got[0][0], wanted), f"{of}: {body!r} became {got}, not {wanted}"


# --- several fields at once ----------------------------------------------------------------------

PATHS: list[Path] = [(), ("a",), ("A",), ("b",), ("a.b",), ("a", "b"), ("a", "B"), ("a", "b", "a")]
PARTS = st.one_of(SCALARS, SCALARS.map(ListOf), SCALARS.map(MapOf), SCALARS.map(
    lambda of: Struct((("b", of), ("a", VARCHAR)))
))  # fmt: skip
FIELDS = st.lists(
    st.builds(
        lambda of, path, mismatch: ("", of, path, mismatch),
        PARTS, st.sampled_from(PATHS), st.sampled_from([Mismatch.ERROR, Mismatch.NULL]),
    ),
    min_size=1, max_size=4,
).map(lambda all_of: [FieldLayout(f"c{i}", *of[1:]) for i, of in enumerate(all_of)])  # fmt: skip
ROW_KEYS = st.sampled_from(["a", "A", "b", "B", "a.b"])
INNER = st.recursive(
    st.one_of(st.none(), NUMBERS, STRINGS),
    lambda inner: st.lists(st.tuples(ROW_KEYS, inner), max_size=4, unique_by=lambda p: p[0]).map(
        Object
    ),
    max_leaves=6,
)
ROW = st.lists(st.tuples(ROW_KEYS, INNER), max_size=5, unique_by=lambda p: p[0]).map(Object)


def at(value: Any, path: Path, *, through: bool) -> Any:
    """The value at a path; what is no object on the way is a misfit unless `through`."""
    for key in path:
        if value is None:
            return None
        if not isinstance(value, Object):
            if through:
                return None
            raise Misfit
        value = dict(value).get(key)
    return value


def wanted_of(field: FieldLayout, row: Object) -> Any:
    is_loose = field.mismatch is Mismatch.NULL
    try:
        return expected(field.type, at(row, field.path, through=is_loose))
    except Misfit:
        if is_loose:
            return None
        raise


@settings(max_examples=examples(100), deadline=None)
@given(FIELDS, st.lists(ROW, min_size=1, max_size=3), st.sampled_from([Shape.ARRAY, Shape.MAP]))
def test_fields_of_any_paths_and_types_are_read_side_by_side(
    fields: list[FieldLayout], rows: list[Object], shape: Shape
) -> None:
    pairs = Object((str(index), row) for index, row in enumerate(rows))
    body = write(rows if shape is Shape.ARRAY else pairs).encode()
    reader = RowReader(RowsPath(shape), fields)
    got = read_or_refused(reader, body)
    try:
        wanted = [tuple(wanted_of(field, row) for field in fields) for row in rows]
    except Misfit:
        assert got is None, f"{fields}: {body!r} became {got}"
        return
    if got is None:
        assert may_be_refused(reader, body), f"{fields}: {body!r} is refused"
        return
    for row, wanted_row in zip(got, wanted, strict=True):
        for field, actual, wanted_one in zip(fields, row, wanted_row, strict=True):
            assert same(field.type, actual, wanted_one), f"{field}: {actual}, not {wanted_one}"
