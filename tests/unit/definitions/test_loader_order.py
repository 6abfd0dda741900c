"""What a definition says of an API's own order, and of paging by count: held to what is true."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml

from connstat_sql.definitions.loader import Library, documents, json_schema
from connstat_sql.definitions.model import Order, TableName
from tests.unit.definitions.test_loader import folder_of, problems_of

README = Path(__file__).parents[3] / "providers" / "README.md"
SERVICE = """service: s
resources:
  t:
    description: d
    columns:
      name: VARCHAR
      age: INTEGER
      made: {{type: TIMESTAMPTZ, on_mismatch: "null"}}
      token: {{type: VARCHAR, redact: value}}
      config: MAP(VARCHAR, VARCHAR)
      any: JSON
    methods:
      list:
        path: /t
        query: {{fixed: 1}}
        filters: {{name: q}}
        columns: {{age: null}}
        paging: {{style: page, request: page, size: {{query: limit, max: 5}}}}
        order: {}
"""
NEITHER = "names no direction (`ascending`, `descending` or both)"
SAME = "`ascending` and `descending` ask for the same"
UP = "{ascending: {sort: a}}"


def problems(root: Path, order: str) -> list[str]:
    found = problems_of(root, {"s.yaml": SERVICE.format(order)})
    assert all(one.startswith("s.yaml:19: ") for one in found), found
    return [one.removeprefix("s.yaml:19: ") for one in found]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{name: {ascending: {sort: name}, descending: {sort: -name}}}",
         Order("name", (("sort", "name"),), (("sort", "-name"),))),
        ("{name: {descending: {sort: name, desc: true, n: 5}}}",
         Order("name", None, (("sort", "name"), ("desc", "true"), ("n", "5")))),
        ("{name: {ascending: {}, descending: {desc: 1}}}", Order("name", (), (("desc", "1"),))),
    ],
)  # fmt: skip
def test_an_order_says_how_each_direction_is_asked_for(
    tmp_path: Path, order: str, expected: Order
) -> None:
    folder = folder_of(tmp_path, {"s.yaml": SERVICE.format(order)})
    resource = Library([folder]).resource(TableName("p", "s", "t"))
    assert resource is not None
    assert resource.method("list").order == (expected,)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{nam: " + UP + "}", ["names `nam`, which is not a column (did you mean `name`?)"]),
        ("{age: " + UP + "}", ["`list` does not serve `age`"]),
        ("{config: " + UP + "}",
         ["`config` is MAP(VARCHAR, VARCHAR), which no API sorts as DuckDB does"]),
        ("{any: " + UP + "}", ["`any` is JSON, which no API sorts as DuckDB does"]),
        ("{made: " + UP + "}", ["`on_mismatch` changes values of `made` after they were sorted"]),
        ("{token: " + UP + "}", ["`redact` changes values of `token` after they were sorted"]),
        ("{name: {}}", [NEITHER]),
        ("{name: {ascending: }}", ["expected a mapping, found nothing"]),
        ("{name: {ascending: {s: a}, descending: {s: a}}}", [SAME]),
        ("{name: {ascending: {}, descending: {}}}", [SAME]),
        ("{name: {ascending: {fixed: a}}}",
         ["the key `fixed` is sent already (leave it out of `query`)"]),
        ("{name: {descending: {q: a}}}",
         ["the key `q` is sent already (leave it out of `filters`)"]),
        ("{name: {ascending: {page: a}, descending: {limit: 2}}}",
         ["the key `limit` is sent already (leave it out of `paging`)",
          "the key `page` is sent already (leave it out of `paging`)"]),
        ("{name: {asc: {s: a}}}",
         ["unknown key `asc` (known here: ascending, descending)"]),
        ("{name: {ascending: sort}}", ["expected a mapping, found the text `sort`"]),
        ("[name]", ["expected a mapping, found a list"]),
    ],
)  # fmt: skip
def test_each_fault_of_an_order_is_named_with_its_line(
    tmp_path: Path, order: str, expected: list[str]
) -> None:
    assert sorted(problems(tmp_path, order)) == sorted(expected)


def test_the_schema_knows_the_words_of_an_order() -> None:
    good = yaml.safe_load(SERVICE.format("{name: " + UP + "}"))
    jsonschema.validate(good, json_schema())
    bad = yaml.safe_load(SERVICE.format("{name: {up: {sort: a}}}"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, json_schema())


def test_the_readme_names_the_words_of_an_order() -> None:
    [line] = [
        one for one in README.read_text("utf-8").splitlines() if one.startswith("| `order` |")
    ]
    for field in msgspec.structs.fields(documents.OrderDocument):
        assert f"{field.encode_name}: {{" in line


@pytest.mark.parametrize("style", ["offset", "page"])
def test_paging_that_counts_rows_does_not_go_with_entries_of_maps(
    tmp_path: Path, style: str
) -> None:
    text = SERVICE.format("{}").replace(
        "style: page,", f"style: {style},"
    ) + "        rows: {shape: map, entries: true}\n"  # fmt: skip
    assert problems_of(tmp_path, {"s.yaml": text}) == [
        f"s.yaml:18: `{style}` counts rows, but `entries` makes several of one "
        "(a style that is told where the next page is)"
    ]
