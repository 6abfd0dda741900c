"""Bodies of requests: parameters with their types at any depth, forms, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connstat_sql.definitions.loader import Library
from connstat_sql.definitions.model import ArrayStyle, Filter, InBody, TableName
from connstat_sql.errors import PlanError
from connstat_sql.fetch import Fetch, build_request
from connstat_sql.fetch.cursor import PageCursor
from connstat_sql.result import Options
from tests.conftest import engine_of
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of, problems_of

TYPES = """service: s
params:
  text: {description: d}
  number: {type: BIGINT, description: d}
  price: {type: "DECIMAL(18,4)", description: d}
  flag: {type: BOOLEAN, description: d}
  day: {type: DATE, description: d}
  free: {type: JSON, description: d}
resources:
  t:
    description: d
    columns: {id: VARCHAR}
    methods:
      list:
        verb: POST
        path: /t
"""
VALUES = {
    "text": 'a"{number}\\é', "number": "12", "price": "1.50", "flag": "true",
    "day": "2026-11-30", "free": '[1, {"a": "{text}"}]',
}  # fmt: skip


def fetch_of(root: Path, words: str, **values: str) -> Fetch:
    library = Library([folder_of(root, {"s.yaml": f"{TYPES}        {words}\n"})])
    resource = library.resource(TableName("p", "s", "t"))
    assert resource is not None
    return Fetch("one", resource, resource.methods[0], {**VALUES, **values})


def sent(root: Path, words: str, **values: str) -> httpx.Request:
    request = build_request(fetch_of(root, words, **values), "http://one.test", None)
    return httpx.Request(
        request.method, request.full_url, headers=list(request.headers), content=request.body
    )


@over(
    "body, wanted",
    [
        ("{a: 1, b: [true, null]}", '{"a":1,"b":[true,null]}'),
        ('{a: {b: [{c: "{text}"}]}}', '{"a":{"b":[{"c":"a\\"{number}\\\\é"}]}}'),
        ('{a: "{number}", b: "{flag}", c: "{day}"}', '{"a":12,"b":true,"c":"2026-11-30"}'),
        ('{a: "{price}"}', '{"a":1.50}'),
        ('{a: "{free}"}', '{"a":[1, {"a": "{text}"}]}'),
        ('{a: "n = {number} {flag}"}', '{"a":"n = 12 true"}'),
        ('{a: ["{number}", "{text}x"]}', '{"a":[12,"a\\"{number}\\\\éx"]}'),
        ('{q: "query { me { id } }", n: "{number}"}', '{"q":"query { me { id } }","n":12}'),
        ('{q: "a{2} {1x} {}", n: "{number}"}', '{"q":"a{2} {1x} {}","n":12}'),
    ],
)  # fmt: skip
def test_parameters_are_filled_in_with_their_types(tmp_path: Path, body: str, wanted: str) -> None:
    request = sent(tmp_path, f"body: {body}")
    compact = request.content.decode() if "{" in body[1:] else json.dumps(
        json.loads(request.content), separators=(",", ":")
    )  # fmt: skip
    assert compact == wanted
    assert request.headers["Content-Type"] == "application/json"


def test_a_form_is_written_as_a_query_is(tmp_path: Path) -> None:
    request = sent(tmp_path, 'form: {a: "{text}", b: [x, "{number}"], c: true}')
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    pairs = httpx.QueryParams(request.content.decode()).multi_items()
    assert pairs == [("a", VALUES["text"]), ("b", "x"), ("b", "12"), ("c", "true")]


@over(
    "name, value, says",
    [
        ("number", "inf", "number is inf, which is no number that JSON has"),
        ("price", "1,5", "no number that JSON has"),
        ("free", "{a}", "free is not JSON"),
        ("text", "\ud800", "is not text that can be sent"),
    ],
)
def test_what_json_does_not_have_is_refused(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    with pytest.raises(PlanError, match=says):
        sent(tmp_path, f'body: {{a: "{{{name}}}"}}', **{name: value})


def test_a_parameter_in_a_body_is_one_that_the_method_needs(tmp_path: Path) -> None:
    assert fetch_of(tmp_path, 'body: {a: {b: ["{number}", "{text}-{flag}"]}}').method.required == (
        "number", "text", "flag"
    )  # fmt: skip
    assert fetch_of(tmp_path, 'form: {a: "{day}"}').method.required == ("day",)


PAGING = "{style: token, request: {body: page.after}, response: next}"


@over(
    "words, says",
    [
        ('body: {a: "{txt}"}', ["names `txt`, which is not a declared parameter "
                                "(did you mean `text`?)"]),
        ('body: {a: "{login}"}', ["names `login`, which is not a declared parameter "
                                  "(a brace that is text has a blank behind it: `{ login }`)"]),
        ('body: {"{text}": 1}', ["`{text}` would be sent as it stands there (parameters stand in "
                                 "`path` and `base_url`, and in the values of `query`, `headers`, "
                                 "`body` and `form`)"]),
        ('query: {a: 1}\n        filters: {id: "{text}"}', ["`{text}` would be sent as it stands"]),
        ('rows: "{text}"', ["`{text}` would be sent as it stands there"]),
        ("body: {a: 1}\n        form: {a: 1}", ["`form` says nothing beside `body` (one of them)"]),
        ('form: {a: "{txt}"}', ["names `txt`, which is not a declared parameter"]),
        ('form: {a: "x}"}', ["a brace stands alone in `x}`"]),
        (f"body: {{page: 1}}\n        rows: r\n        paging: {PAGING}",
         ["`page.after` is sent by `body` too (leave it out of `body`; `first` says what the first "
          "page is asked for with)"]),
        (f"form: {{a: 1}}\n        rows: r\n        paging: {PAGING}",
         ["`page.after` leads into a form, which has keys alone (a single key)"]),
        ("rows: r\n        form: {a: 1}\n        paging: "
         "{style: page, request: {body: p}, size: {body: a, max: 3}}",
         ["`a` is sent by `form` too (leave it out of `form`)"]),
    ],
)  # fmt: skip
def test_what_cannot_be_in_a_body_is_told_with_the_next_step(
    tmp_path: Path, words: str, says: list[str]
) -> None:
    problems = problems_of(tmp_path, {"s.yaml": f"{TYPES}        {words}\n"})
    assert [problem for problem in problems if not problem.startswith("s.yaml:")] == []
    assert len(problems) == len(says), problems
    for problem, wanted in zip(problems, says, strict=True):
        assert wanted in problem


@over("words", ["paging: " + PAGING, "form: {a: 1}", "body: {a: 1}"])
def test_a_get_has_no_body(tmp_path: Path, words: str) -> None:
    text = TYPES.replace("verb: POST", "rows: r") + f"        {words}\n"
    [problem] = [problem for problem in problems_of(tmp_path, {"s.yaml": text}) if "GET" in problem]
    assert "`verb: POST`" in problem


def test_a_list_that_pages_in_its_body_sends_one_with_each_page(tmp_path: Path) -> None:
    request = sent(tmp_path, f"rows: r\n        paging: {PAGING}")
    assert (request.content, request.headers["Content-Type"]) == (b"{}", "application/json")


@over(
    "words, says",
    [
        ("body: {id: 1}\n        filters: {id: {body: id}}", "`id` is sent by `body` too"),
        ("body: {a: 1}\n        filters: {id: {gte: {body: a.b}}}", "`a.b` is sent by `body` too"),
        ("form: {a: 1}\n        filters: {id: {body: a.b}}", "`a.b` leads into a form"),
        (f"rows: r\n        filters: {{id: {{body: page.after}}}}\n        paging: {PAGING}",
         "`page.after` is sent by `filters` too"),
        ("filters: {id: {several: comma}}", "names no key (`query`, `body`, `gte`"),
    ],
)  # fmt: skip
def test_where_a_predicate_cannot_go_is_told(tmp_path: Path, words: str, says: str) -> None:
    text = TYPES.replace("{id: VARCHAR}", "{id: BIGINT}") + f"        {words}\n"
    problems = problems_of(tmp_path, {"s.yaml": text})
    assert any(says in problem for problem in problems), problems


def test_a_predicate_in_the_body_of_a_get_is_told(tmp_path: Path) -> None:
    text = TYPES.replace("verb: POST", "filters: {id: {body: a}}")
    assert "a GET has none (`verb: POST`)" in problems_of(tmp_path, {"s.yaml": text})[0]


@over(
    "condition, values, body",
    [
        (Filter("id", InBody(("f", "id"))), ("7",), b'{"f":{"id":7}}'),
        (Filter("id", InBody(("ids",)), ArrayStyle.REPEATED), ("7", "8"), b'{"ids":[7,8]}'),
        (Filter("id", InBody(("ids",)), ArrayStyle.COMMA), ("7", "8"), b'{"ids":"7,8"}'),
        (Filter("at", InBody(("since",)), format="epoch"), ("1800",), b'{"since":1800}'),
        (Filter("at", InBody(("since",))), ("2026-01-01",), b'{"since":"2026-01-01"}'),
        (Filter("ok", InBody(("ok",))), ("true",), b'{"ok":true}'),
        (Filter("ok", InBody(("ok",))), ("yes",), b'{"ok":"yes"}'),
    ],
)
def test_predicates_go_into_a_body_with_the_types_of_their_columns(
    tmp_path: Path, condition: Filter, values: tuple[str, ...], body: bytes
) -> None:
    columns = "{id: BIGINT, at: TIMESTAMPTZ, ok: BOOLEAN}"
    text = TYPES.replace("{id: VARCHAR}", columns)
    resource = Library([folder_of(tmp_path, {"s.yaml": text})]).resource(TableName("p", "s", "t"))
    assert resource is not None
    fetch = Fetch("one", resource, resource.methods[0], {}, filters=((condition, values),))
    assert build_request(fetch, "http://one.test", None).body == body


ORDERS = """
        rows: r
        order:
          id:
            ascending: {body: {sort: [{id: asc}], page: {from: first}}}
            descending: {body: {sort: [{id: desc}]}, way: down}
"""


def ordered(root: Path, words: str, column: str = "id", *, down: bool = False) -> httpx.Request:
    fetch = fetch_of(root, words)
    [order] = [order for order in fetch.method.order if order.column == column]
    pairs = order.descending if down else order.ascending
    assert pairs is not None
    request = build_request(replace(fetch, order=pairs), "http://one.test", None)
    return httpx.Request(request.method, request.full_url, content=request.body)


def test_an_order_is_asked_for_in_the_body_beside_what_it_says(tmp_path: Path) -> None:
    up = ordered(tmp_path, "body: {page: {size: 5}}" + ORDERS)
    assert json.loads(up.content) == {"page": {"size": 5, "from": "first"}, "sort": [{"id": "asc"}]}
    down = ordered(tmp_path, "body: {page: {size: 5}}" + ORDERS, down=True)
    assert json.loads(down.content) == {"page": {"size": 5}, "sort": [{"id": "desc"}]}
    assert down.url.query == b"way=down"
    form = ordered(tmp_path, "form: {a: 1}\n        order: {id: {ascending: {body: {sort: id}}}}")
    assert form.content == b"a=1&sort=id"


BATCH = """[{query: "{ crates }", variables: {town: "{text}"}}, {ping: 1}]
        rows: {at: 0.data.r}
        paging: {style: token, request: {body: 0.variables.after}, response: 0.data.next}
"""


def test_a_body_may_be_an_array_with_places_in_its_elements(tmp_path: Path) -> None:
    order = "        order: {id: {ascending: {body: {'0': {variables: {by: id}}}}}}"
    request = ordered(tmp_path, f"body: {BATCH}{order}")
    assert json.loads(request.content) == [
        {"query": "{ crates }", "variables": {"town": VALUES["text"], "by": "id"}}, {"ping": 1},
    ]  # fmt: skip
    fetch = fetch_of(tmp_path, f"body: {BATCH}")
    after = build_request(fetch, "http://one.test", PageCursor.of("c7")).body
    assert after is not None
    assert json.loads(after)[0]["variables"]["after"] == "c7"


@over(
    "words, says",
    [
        ("body: {sort: 1}" + ORDERS, "`sort` is sent by `body` too"),
        ("body: [1]" + ORDERS, "`sort` leads nowhere: `body` is an array of 1"),
        ("form: {a: 1}" + ORDERS, "`page.from` leads into a form, which has keys alone"),
        (f"rows: r\n        order: {{id: {{ascending: {{body: {{page: {{after: 1}}}}}}}}}}\n"
         f"        paging: {PAGING}", "`page.after` is sent by a filter or by `paging` too"),
        ("order: {id: {ascending: {body: {by: '{text}'}}}}", "`{text}` would be sent as it stands"),
        (f"body: {BATCH.replace('0.variables', '2.variables')}",
         "`2.variables.after` leads nowhere: `body` is an array of 2"),
        (f"body: {BATCH.replace('0.variables', 'variables')}", "leads nowhere"),
        ("body: [1]\n        filters: {id: {body: id}}", "`id` leads nowhere"),
        ("body: text", "expected a mapping or a list or null, found the text `text`"),
    ],
)  # fmt: skip
def test_what_has_no_place_in_a_body_is_told(tmp_path: Path, words: str, says: str) -> None:
    problems = problems_of(tmp_path, {"s.yaml": f"{TYPES}        {words}\n"})
    assert any(says in problem for problem in problems), problems


def test_the_first_rows_of_an_order_are_asked_for_in_the_body(tmp_path: Path) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json={"r": [{"id": name} for name in "xyz"], "next": "n"})

    words = f"body: {{page: {{size: 5}}}}{ORDERS}        paging: {PAGING}\n"
    folder = folder_of(tmp_path, {"s.yaml": TYPES + f"        {words}"})
    towns = {"one": {"provider": "p", "base_url": "http://one.test"}}
    wire = httpx.MockTransport(answer)
    with engine_of(towns, providers=(folder,), transport=wire) as engine:
        [result] = engine.run("SELECT id FROM p.s.t ORDER BY id LIMIT 2", None, Options())
    assert result.fetchall() == [("x",), ("y",)]
    assert asked == [{"page": {"size": 5, "from": "first"}, "sort": [{"id": "asc"}]}]


def test_an_order_in_the_body_of_a_get_is_told(tmp_path: Path) -> None:
    text = TYPES.replace("verb: POST", "order: {id: {ascending: {body: {sort: id}}}}")
    assert "a GET has none (`verb: POST`)" in problems_of(tmp_path, {"s.yaml": text})[0]


def test_several_values_of_a_form_are_several_pairs(tmp_path: Path) -> None:
    fetch = fetch_of(tmp_path, 'form: {a: "{number}"}')
    condition = Filter("id", InBody(("ids",)), ArrayStyle.REPEATED)
    asked = replace(fetch, filters=((condition, ("x", "y")),))
    assert build_request(asked, "http://one.test", None).body == b"a=12&ids=x&ids=y"
