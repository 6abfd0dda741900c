"""Where rows lie in a body, what of a body is read, and which bodies are refused."""

from __future__ import annotations

from typing import Any

import pytest

from connstat_sql.decode import ROWS, FieldLayout, OpenBody, RowReader, pages_table
from connstat_sql.definitions.loader.types import parse_type
from connstat_sql.definitions.model import KEY, Path, RowsPath, Shape
from connstat_sql.errors import UnexpectedShape
from tests.tabled import over
from tests.unit.decode.test_decode import column, decode

NAME = column("name", "VARCHAR")
VALUE = column("value", "VARCHAR", ())
ROW_KEY = column("key", "VARCHAR", KEY)


def rows_of(rows: RowsPath, fields: list[FieldLayout], body: str) -> list[tuple[Any, ...]]:
    return decode(RowReader(rows, fields), body.encode())


def refused(rows: RowsPath, fields: list[FieldLayout], body: bytes) -> str:
    with pytest.raises(UnexpectedShape) as caught:
        decode(RowReader(rows, fields), body)
    return caught.value.message


@over(
    ("rows", "fields", "body", "expected"),
    [
        (RowsPath(), [NAME], ' [ {"name":"a"} , {"name":"b"} ] ', [("a",), ("b",)]),
        (RowsPath(), [NAME], "[]", []),
        (RowsPath(at=(("data",),)), [NAME], '{"data":[{"name":"a"}],"next":1}', [("a",)]),
        (RowsPath(at=(("data",),)), [NAME], '{"data":null}', []),
        (RowsPath(at=(("a", "b"),)), [NAME], '{"a":{"b":[{"name":"a"}]}}', [("a",)]),
        (RowsPath(item=("spec",)), [NAME], '[{"spec":{"name":"a"}}]', [("a",)]),
        (RowsPath(Shape.SCALARS), [VALUE], '["a",null,"b"]', [("a",), (None,), ("b",)]),
        (RowsPath(Shape.MAP), [ROW_KEY, NAME], r'{"x\"\u00e9":{"name":"a"},"":{}}',
         [('x"é', "a"), ("", None)]),
        (RowsPath(Shape.MAP), [ROW_KEY, VALUE], '{"a":"1","b":null}', [("a", "1"), ("b", None)]),
        (RowsPath(Shape.MAP, item=("s",)), [ROW_KEY, NAME],
         '{"x":{"s":{"name":"a"}}}', [("x", "a")]),
        (RowsPath(Shape.MAP), [ROW_KEY], "{}", []),
        (RowsPath(Shape.OBJECT), [NAME], '{"name":"a"}', [("a",)]),
        (RowsPath(Shape.OBJECT, at=(("cluster",),)), [NAME], '{"cluster":{"name":"a"}}', [("a",)]),
    ],
)  # fmt: skip
def test_each_shape_gives_its_rows(
    rows: RowsPath, fields: list[FieldLayout], body: str, expected: list[tuple[Any, ...]]
) -> None:
    assert rows_of(rows, fields, body) == expected
    assert RowReader(rows, []).read(body.encode()).count == len(expected)


@over("body", ['{"status":{"name":"a"}}', '{"name":"a"}'])
def test_a_fallback_takes_both_the_wrapped_and_the_bare_object(body: str) -> None:
    assert rows_of(RowsPath(Shape.OBJECT, at=(("status",), ())), [NAME], body) == [("a",)]


@over("body", ['{"data":[{"name":"a"}]}', '[{"name":"a"}]'])
def test_a_fallback_takes_both_the_wrapped_and_the_bare_array(body: str) -> None:
    assert rows_of(RowsPath(at=(("data",), ())), [NAME], body) == [("a",)]


# --- fields side by side -------------------------------------------------------------------------


@over(
    ("fields", "expected"),
    [
        ([column("all", "MAP(VARCHAR, JSON)", ()), column("n", "INTEGER", ("n",))],
         ({"n": "7", "N": '"x"', "o": '{"p":"q"}'}, 7)),
        ([column("n", "INTEGER", ("n",)), column("capital", "VARCHAR", ("N",))], (7, "x")),
        ([column("n", "INTEGER", ("n",)), column("also", "BIGINT", ("n",))], (7, 7)),
        ([column("n", "INTEGER", ("n",)), column("text", "JSON", ("n",))], (7, "7")),
        ([column("o", "STRUCT(p VARCHAR)", ("o",)), column("p", "VARCHAR", ("o", "p"))],
         ({"p": "q"}, "q")),
        ([column("p", "VARCHAR", ("o", "p")), column("o", "MAP(VARCHAR, VARCHAR)", ("o",))],
         ("q", {"p": "q"})),
        ([column("p", "VARCHAR", ("o", "p")), column("q", "JSON", ("o", "p"), "null")],
         ("q", '"q"')),
        ([column("a.b", "VARCHAR", ("o", "p")), column("N", "VARCHAR")], ("q", "x")),
    ],
)  # fmt: skip
def test_values_may_overlap_and_keys_may_differ_only_by_case(
    fields: list[FieldLayout], expected: tuple[Any, ...]
) -> None:
    body = '[{"n":7,"N":"x","o":{"p":"q"}}]'
    assert rows_of(RowsPath(), fields, body) == [expected]
    assert rows_of(RowsPath(), fields[::-1], body) == [expected[::-1]]


@over("path", [("id",), ("meta", "id")])
@over("body", ["{}", '{"id":null}', '{"meta":null}', '{"meta":{"id":null}}'])
def test_a_filled_parameter_is_never_null(path: Path, body: str) -> None:
    param = FieldLayout("id", parse_type("VARCHAR"), path, is_required=True)
    around = column("meta", "STRUCT(id VARCHAR)")
    same = column("same", "VARCHAR", path)
    for fields in ([param], [param, around], [around, param], [param, same], [same, param]):
        refused(RowsPath(), fields, f"[{body}]".encode())


# --- bodies that are refused ---------------------------------------------------------------------


@over(
    ("rows", "body", "message"),
    [
        (RowsPath(), b"", "expected an array at the top level, found an empty body"),
        (RowsPath(), b" \n", "expected an array at the top level, found an empty body"),
        (RowsPath(), b"<html>", "expected an array at the top level, found HTML or XML, not JSON"),
        (RowsPath(), b"null", "expected an array at the top level, found null"),
        (RowsPath(), b"7", "expected an array at the top level, found a number"),
        (RowsPath(), b"OK", "expected an array at the top level, found something that is not JSON"),
        (RowsPath(), b"{}", "expected an array at the top level, found an empty object"),
        (RowsPath(at=(("data",), ())), b'{"error":1,"code":2}',
         "expected an array at `data` or the top level, found an object with the keys error, code"),
        (RowsPath(Shape.MAP), b"[]", "expected an object at the top level, found an array"),
        (RowsPath(Shape.OBJECT, at=(("a",),)), b'{"a":null}',
         "expected an object at `a`, found an object with the keys a"),
        (RowsPath(item=("spec",)), b'[{"spec":{}},{}]', "an element has no `spec`"),
        (RowsPath(Shape.MAP, item=("spec",)), b'{"x":{}}', "an element `x` has no `spec`"),
        (RowsPath(Shape.MAP), b'{"x":{},"x":{}}', "the key `x` stands twice in one object"),
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_an_error_that_says_what_was_found(
    rows: RowsPath, body: bytes, message: str
) -> None:
    assert message in refused(rows, [NAME], body)
    assert message in refused(rows, [], body)


DEEP = b"[" * 100_000
BROKEN = {
    "cut": b'[{"name":"a"},{"na',
    "cut in a string": b'[{"name":"a',
    "more behind it": b'[{"name":"a"}] x',
    "two values": b'[{"name":"a"}][]',
    "a comma too many": b'[{"name":"a"},]',
    "single quotes": b"[{'name':'a'}]",
    "not a number": b'[{"name":"a","n":NaN}]',
    "not UTF-8": b'[{"name":"\xff"}]',
    "not UTF-8, unused": b'[{"name":"a","n":"\xff"}]',
    "half a surrogate pair": rb'[{"name":"\ud800"}]',
    "half a surrogate pair, unused": rb'[{"name":"a","n":"\udc00 "}]',
    "a control character": b'[{"name":"a\x01"}]',
    "deep": b'[{"name":' + DEEP,
    "deep, unused": b'[{"name":"a","n":' + DEEP,
    "deep and closed": b'[{"name":' + DEEP + b"]" * 100_000 + b"}]",
    "deep and closed, unused": b'[{"name":"a","n":' + DEEP + b"]" * 100_000 + b"}]",
    "deep rows": DEEP + b"]" * 100_000,
}


@over("body", BROKEN.values(), ids=BROKEN)
@over("mismatch", ["error", "null", "text"])
def test_a_broken_body_is_an_error_however_little_of_it_is_used(body: bytes, mismatch: str) -> None:
    refused(RowsPath(), [column("name", "VARCHAR", None, mismatch)], body)


@over(
    ("name", "words"),
    [
        ("cut", "ends too early"),
        ("half a surrogate pair", r"a \u escape is half of a surrogate pair"),
        ("not UTF-8", "not UTF-8"),
        ("deep", "nested too deeply"),
    ],
)
def test_a_broken_body_is_described(name: str, words: str) -> None:
    assert words in refused(RowsPath(), [NAME], BROKEN[name])


@over("text", [b"1", b"null", b'"a"'])
def test_a_row_that_is_no_object_is_an_error_even_when_nothing_of_it_is_used(text: bytes) -> None:
    assert "in place of each row" in refused(RowsPath(), [], b"[{}," + text + b"]")


# --- values beside the rows ----------------------------------------------------------------------


@over(
    ("path", "expected"),
    [
        (("next",), "t1"), (("meta", "more"), True), (("missing",), None), (("next", "x"), None),
        (("meta", "missing", "deeper"), None), (("meta",), {"more": True}),
    ],
)  # fmt: skip
def test_a_value_of_a_body_is_found_by_its_path(path: Path, expected: object) -> None:
    body = OpenBody(b'{"rows":[],"next":"t1","meta":{"more":true}}')
    assert body.value(path) == expected


def test_arguments_stand_beside_each_text() -> None:
    table = pages_table([(b"[1]", {"x": "a"}), (b"[2]", {"x": "a"}), (b"[3]", {"x": "b"})], ["x"])
    assert table.to_pydict() == {ROWS: ["[1]", "[2]", "[3]"], "x": ["a", "a", "b"]}
