"""What a definition says of pages: read as it is meant, and told where it says nothing."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from connstat_sql.definitions.loader import Library, json_schema, shipped_providers
from connstat_sql.definitions.model import KEY, InHeader, InLastRow, Paging, PagingStyle
from tests.tabled import over
from tests.unit.definitions.test_loader import SERVICE, folder_of, problems_of

LINE = SERVICE.count("\n") + 1


def service(paging: str, rows: str = "        rows: rows\n") -> str:
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
                   "        rows: {shape: map, at: rows}\n")  # fmt: skip
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
        (f"{TOKEN}, key: $key", ["`$key` needs rows of the shape `map` "
                                 "(the path of a value in a row)"]),
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


# --- places of cursors ---------------------------------------------------------------------------


@over(
    "text, wanted",
    [
        ("style: cursor, request: {query: c}, response: {last_row: meta.id}, done: d",
         Paging(PagingStyle.TOKEN, "c", InLastRow(("meta", "id")), done=("d",))),
        ("style: token, request: {header: X-On}, response: {header: X-Next}, first: 0",
         Paging(PagingStyle.TOKEN, InHeader("X-On"), InHeader("X-Next"), first_token=0)),
        ('style: token, request: t, response: n, first: "*", repeat_ends: true',
         Paging(PagingStyle.TOKEN, "t", ("n",), first_token="*", repeat_ends=True)),
        ("style: token, request: t, response: n, ends: [0, END]",
         Paging(PagingStyle.TOKEN, "t", ("n",), ends=frozenset({"0", "END"}))),
        ("style: link, response: next", Paging(PagingStyle.LINK, None, ("next",))),
        ('style: link_header, attributes: {results: "true"}',
         Paging(PagingStyle.LINK_HEADER, None, attributes=(("results", "true"),))),
        ("style: link_header, attributes: {results: true, n: 1}",
         Paging(PagingStyle.LINK_HEADER, None, attributes=(("results", "True"), ("n", "1")))),
        ("style: page, request: p, first: 1, total_pages: {header: X-Pages}",
         Paging(PagingStyle.PAGE, "p", first=1, total_pages=InHeader("X-Pages"))),
        ("style: offset, request: o, size: {header: X-Size, max: 5}",
         Paging(PagingStyle.OFFSET, "o", size_key=InHeader("X-Size"), size=5)),
    ],
)  # fmt: skip
def test_places_are_read_as_they_are_meant(tmp_path: Path, text: str, wanted: Paging) -> None:
    assert paging_of(tmp_path, text) == wanted
    assert problems_of(tmp_path, {"s.yaml": service(text)}) == []


NO_ROOM = "nothing can stand at"


@over(
    "text, rows, says",
    [
        (TOKEN, "", [f"{NO_ROOM} `n`, for the body is an array (a header, {{header: X-Next}}, or a "
                     "place in the last row, {last_row: id})"]),
        (TOKEN, "rows: {shape: scalars}", [f"{NO_ROOM} `n`, for the body is an array"]),
        (TOKEN, "rows: {shape: map}", [f"{NO_ROOM} `n`, for the body is a map of rows"]),
        ("style: token, request: t, response: rows.n", "rows: rows",
         [f"{NO_ROOM} `rows.n`, for `rows` is an array"]),
        ("style: page, request: p, total_pages: pages", "", [f"{NO_ROOM} `pages`"]),
        ("style: offset, request: o, more: more", "", [f"{NO_ROOM} `more`"]),
        ("style: link, response: next", "", [f"{NO_ROOM} `next`"]),
        (TOKEN, "rows: {at: [rows, $]}", []),
        (TOKEN, "rows: {shape: object}", []),
        ("style: token, request: t, response: {last_row: n}", "", []),
        (TOKEN, "rows: r\n        query: {t: 1}",
         ["`t` is sent by `query` too (leave it out of `query`; `first` says what the first page "
          "is asked for with)"]),
        (TOKEN, "rows: r\n        filters: {name: t}", ["`t` is sent by `filters` too"]),
        ("style: page, request: p, size: {query: n, max: 5}", "query: {n: 5}",
         ["`n` is sent by `query` too (leave it out of `query`)"]),
        ("style: page, request: p, size: {query: p, max: 5}", "", ["`p` is the place of the"]),
        ("style: token, request: {header: X-On}, response: n",
         "rows: r\n        headers: {x-on: a}", ["`X-On` is sent by `headers` too"]),
        ("style: token, request: {query: a, header: b}, response: n", "rows: r",
         ["names 2 places (name one of query, body, header)"]),
        ("style: token, request: {}, response: n", "rows: r",
         ["`token` needs `request`", "names 0 places"]),
        ("style: token, request: t, response: {}", "rows: r", ["names 0 places"]),
        ("style: token, request: t, response: {header: 'a b'}", "", ["`a b` is not the name of"]),
        ("style: page, request: p, total: {last_row: n}", "", ["`last_row` holds a cursor alone"]),
        ("style: offset, request: o, response: {last_row: n}", "",
         ["`last_row` holds a cursor, and `offset` wants none", "`response` says nothing with"]),
        ("style: link_header, response: next", "rows: r", ["`response` says nothing with"]),
        ("style: page, request: p, first: a", "", ["`a` is no number"]),
        ("style: link, response: n, first: 1", "rows: r", ["`first` says nothing with `link`"]),
        ("style: page, request: p, repeat_ends: true", "", ["`repeat_ends` says nothing with"]),
        ("style: page, request: p, ends: [0]", "", ["`ends` say nothing with `page`"]),
        (f"{TOKEN}, attributes: {{a: b}}", "rows: r", ["`attributes` say nothing with `token`"]),
        (f"{TOKEN}, more: m, done: d", "rows: r", ["`done` says nothing beside `more`"]),
        ("style: token, request: t, response: {last_row: $key}", "", ["`$key` needs rows of the"]),
        ("style: token, response: n", "rows: r", ["`token` needs `request`"]),
        ("style: token, request: t, response: $key", "rows: r", ["`$key` is in rows alone"]),
        (f"{TOKEN}, more: $", "rows: r", ["`more` is the whole body"]),
        ("style: token, request: t, response: {last_row: n}", "rows: {shape: object}",
         ["`last_row` is of several rows"]),
        ("style: page, request: p, last_page: short", "", ["how many rows were asked for"]),
        ("style: link, response: n, last_page: short", "rows: r", ["`last_page: short` needs"]),
        ("style: token, request: t, response: n, more: m, last_page: empty", "rows: r",
         ["`last_page` says nothing beside `more`"]),
        ("style: token, request: t, response: n, empty_pages: 2, last_page: empty", "rows: r",
         ["an empty page is the last"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_the_next_step(
    tmp_path: Path, text: str, rows: str, says: list[str]
) -> None:
    problems = problems_of(tmp_path, {"s.yaml": service(text, f"        {rows}\n" if rows else "")})
    assert len(problems) == len(says), problems
    for problem, wanted in zip(problems, says, strict=True):
        assert wanted in problem
        assert problem.startswith("s.yaml:")
        assert problem.endswith(")")


@over(
    "name",
    ["PagingDocument", "TargetDocument", "SourceDocument", "SizeDocument", "QueryAuthDocument",
     "ClientCredentialsDocument"],
)  # fmt: skip
def test_the_schema_says_what_each_word_means(name: str) -> None:
    schema = json_schema()["$defs"][name]
    assert schema["description"]
    silent = [word for word, one in schema["properties"].items() if "description" not in str(one)]
    assert silent == []


def test_the_schema_shows_how_places_are_written() -> None:
    words = json_schema()["$defs"]["PagingDocument"]["properties"]
    assert {"last_row": "id"} in words["response"]["examples"]
    assert {"body": "variables.after"} in words["request"]["examples"]
    assert {"results": "true"} in words["attributes"]["examples"]
