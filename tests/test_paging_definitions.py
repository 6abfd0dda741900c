"""What a definition says of pages: read as it is meant, and told where it says nothing."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from connstat_sql.definitions import KEY, Paging, PagingStyle
from connstat_sql.loader import Library, json_schema, shipped_providers
from tests.test_loader import SERVICE, folder_of, problems_of

LINE = SERVICE.count("\n") + 1


def service(paging: str, rows: str = "") -> str:
    return SERVICE + f"        paging: {{{paging}}}\n{rows}"


def paging_of(root: Path, text: str) -> Paging:
    library = Library([shipped_providers(), folder_of(root, {"s.yaml": service(text)})])
    [resource] = [one for one in library.tables() if one.table.provider == "p"]
    paging = resource.methods[0].paging
    assert paging is not None
    return paging


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("style: offset, request: o, total: page.all, key: meta.id",
         Paging(PagingStyle.OFFSET, "o", total=("page", "all"), key=("meta", "id"))),
        ("style: page, request: p, total_pages: [a.b]",
         Paging(PagingStyle.PAGE, "p", total_pages=("a.b",))),
        ("style: link, request: t, response: next, any_host: true, empty_pages: 3, key: $",
         Paging(PagingStyle.LINK, "t", ("next",), any_host=True, empty_pages=3, key=())),
        ("style: page, request: p, more: m, empty_pages: 1",
         Paging(PagingStyle.PAGE, "p", more=("m",), empty_pages=1)),
    ],
)  # fmt: skip
def test_words_of_paging_are_read_as_they_are_meant(
    tmp_path: Path, text: str, wanted: Paging
) -> None:
    assert paging_of(tmp_path, text) == wanted
    assert problems_of(tmp_path, {"s.yaml": service(text)}) == []
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(yaml.safe_load(service(text)))) == []


def test_the_key_of_a_map_may_be_its_name(tmp_path: Path) -> None:
    text = service("style: token, request: t, response: n, key: $key",
                   "        rows: {shape: map}\n")  # fmt: skip
    library = Library([shipped_providers(), folder_of(tmp_path, {"s.yaml": text})])
    [resource] = [one for one in library.tables() if one.table.provider == "p"]
    assert resource.methods[0].paging is not None
    assert resource.methods[0].paging.key == KEY
    assert problems_of(tmp_path, {"s.yaml": text}) == []


TOKEN = "style: token, request: t, response: n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{TOKEN}, total: all",
         ["`total` says nothing with `token`, whose pages are found one by one "
          "(leave it out; it goes with `offset` and `page`)"]),
        ("style: link_header, request: t, total_pages: all",
         ["`total_pages` says nothing with `link_header`, whose pages are found one by one "
          "(leave it out; it goes with `offset` and `page`)"]),
        ("style: offset, request: o, total: $",
         ["`total` is the whole body (the path of a number)"]),
        ("style: page, request: p, total: a, total_pages: b",
         ["`total_pages` says nothing beside `total` (leave it out)"]),
        ("style: page, request: p, total_pages: b, more: c, empty_pages: 1",
         ["`empty_pages` says nothing beside `total_pages` (leave it out)",
          "`more` says nothing beside `total_pages` (leave it out)"]),
        (f"{TOKEN}, any_host: true",
         ["`any_host` says nothing with `token` (it goes with `link` and `link_header`)"]),
        ("style: offset, request: o, more: m, empty_pages: 1",
         ["`empty_pages` cannot be with `offset`, which would not move on (leave it out)"]),
        ("style: page, request: p, empty_pages: 1",
         ["an empty page ends the list, so none comes before others "
          "(`more` says when it ends)"]),
        (f"{TOKEN}, key: $key", ["`$key` needs rows of the shape `map`"]),
    ],
)  # fmt: skip
def test_words_that_say_nothing_or_cannot_be_are_told_with_their_line(
    tmp_path: Path, text: str, says: list[str]
) -> None:
    found = problems_of(tmp_path, {"s.yaml": service(text)})
    assert found == [f"s.yaml:{LINE}: {one}" for one in says]


@pytest.mark.parametrize(
    "text",
    [
        f"{TOKEN}, empty_pages: -1", f"{TOKEN}, empty_pages: 1001", f"{TOKEN}, empty_pages: true",
        f"{TOKEN}, any_host: 1", f"{TOKEN}, key: 7", f"{TOKEN}, totals: all",
        "style: offset, request: o, total: 7", "style: offset, request: o, total_pages: {a: b}",
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_told_by_the_loader_and_by_the_schema(
    tmp_path: Path, text: str
) -> None:
    assert len(problems_of(tmp_path, {"s.yaml": service(text)})) == 1
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(yaml.safe_load(service(text))))


def test_links_of_confluent_may_name_its_own_host_wherever_it_is_reached() -> None:
    library = Library([shipped_providers()])
    linked = [
        method.paging
        for resource in library.tables()
        for method in resource.methods
        if resource.table.provider == "confluent" and method.paging is not None
    ]
    assert linked
    assert all(one.any_host for one in linked if one.style is PagingStyle.LINK)
