"""Faults of definitions: each is named with its line and a suggestion, all of them at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.definitions.loader.builder import build_provider, build_service
from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.documents import ProviderDocument, ServiceDocument
from connstat_sql.definitions.loader.library import _document
from connstat_sql.definitions.loader.yaml import read_source
from connstat_sql.errors import DefinitionError
from tests.examples import examples
from tests.unit.definitions.test_loader import (
    PROVIDER,
    SERVICE,
    folder_of,
    problems_of,
    service_problems,
)

BAD_NAME = "names have no double quotes, backslashes or control characters"


def column(new: str, *messages: str) -> tuple[str, str, list[str]]:
    """A column in place of line 6."""
    return "name: VARCHAR", new, [f"s.yaml:6: {message}" for message in messages]


def method(new: str, *messages: str) -> tuple[str, str, list[str]]:
    """A further word of the method, as line 10."""
    return "path: /t", f"path: /t\n        {new}", [f"s.yaml:10: {one}" for one in messages]


def path(new: str, *messages: str) -> tuple[str, str, list[str]]:
    """Another path of the method, on line 9."""
    return "path: /t", f"path: {new}", [f"s.yaml:9: {message}" for message in messages]


def param(new: str, *messages: str) -> tuple[str, str, list[str]]:
    """A parameter x on line 8, which the method fills on line 12."""
    old = "    methods:\n      list:\n        path: /t\n"
    text = f"    params:\n      x: {new}\n{old}        fills: {{x: x}}\n"
    return old, text, [f"s.yaml:8: {message}" for message in messages]


FAULTS = [
    # types
    column("name: VARCHA",
           "`VARCHA` is not a type that a column may have (did you mean `VARCHAR`?)"),
    column("name: string",
           "`string` is not a type that a column may have (did you mean `VARCHAR`?)"),
    column("name: {type: 'INTEGR[]'}",
           "`INTEGR` is not a type that a column may have (did you mean `INTEGER`?)"),
    column("name: MAP(INTEGER, VARCHAR)",
           "the keys of a MAP are VARCHAR: they are keys of a JSON object"),
    column("name: DECIMAL(4,4)",
           "DECIMAL(4,4): width is 1 to 38, scale less than width (did you mean `DECIMAL(p,s)`?)"),
    column('name: STRUCT("a""b" INTEGER)',
           "field names have no double quotes, backslashes or control characters"),
    column("name:", "expected text or a mapping, found nothing"),
    column("name: [VARCHAR]", "expected text or a mapping, found a list"),
    # columns
    column('"": VARCHAR', "holds an empty name"),
    column(r'"a\"b": VARCHAR', f'holds the name `a"b` ({BAD_NAME})'),
    column(r'"a\nb": VARCHAR', f"holds the name `a\\nb` ({BAD_NAME})"),
    column("name: {type: VARCHAR, path: a..b}", "holds an empty name"),
    column("name: {type: VARCHAR, path: 'a\"b'}", f'holds the name `a"b` ({BAD_NAME})'),
    column("name: {type: VARCHAR, path: [1]}", "expected text, found the number 1"),
    column("name: {type: VARCHAR, path: $key}",
           "`$key` needs rows of the shape `map`, also in `list`"),
    column("name: {type: VARCHAR, pathh: x}", "unknown key `pathh` (did you mean `path`?)"),
    column("name: {path: x}", "`type` is missing"),
    column("name: {type: INTEGER, on_mismatch: text}", "`text` needs the type VARCHAR"),
    column("name: {type: INTEGER, allowed: [A]}", "`allowed` needs the type VARCHAR"),
    column("name: {type: 'STRUCT(a VARCHAR)', allowed: [A]}",
           "`allowed` needs the type VARCHAR (of a STRUCT, or a list of them, say it by field:  "
           "{state: [RUNNING, FAILED]})"),
    column("name: {type: 'STRUCT(a INTEGER)', allowed: {a: [A]}}",
           "`allowed` needs a field a of the type VARCHAR"),
    column("name: {type: 'STRUCT(a VARCHAR)[]', documented: {b: [A]}}",
           "`documented` needs a field b of the type VARCHAR"),
    column("name: {type: INTEGER, on_mismatch: nul}",
           "`nul` is not one of error, null, text (did you mean `null`?)"),
    column("name: {type: INTEGER, redact: value}", "`redact: value` needs the type VARCHAR"),
    column("name: {type: JSON, redact: keys}",
           "`redact: keys` needs a MAP(VARCHAR, VARCHAR) or MAP(VARCHAR, JSON) in the type"),
    column("name: {type: VARCHAR, redact: value, redact_by: nam}",
           "names `nam`, which is not a column (did you mean `name`?)"),
    column("name: {type: VARCHAR, redact_by: name}",
           "`redact_by` says nothing without `redact: value`"),
    column("_url: VARCHAR", "`_url` is a column of every table (choose another name)"),
    ("name: VARCHAR", "name: VARCHAR\n      Name: VARCHAR",
     ["s.yaml:7: `Name` and `name` differ only in case"]),
    ("    methods:", "    params: {name: {default: x}}\n    methods:",
     ["s.yaml:6: `name` is a parameter too; its column holds the argument "
      "(give the row's own value another name, with `path`)"]),
    # paths and texts with parameters
    path("/t/${x}", "names `x`, which is not a declared parameter",
         "the `$` of `${x}` would be sent ({x})"),
    path("/t/{x}", "names `x`, which is not a declared parameter"),
    path("/t/{name}", "names `name`, which is not a declared parameter"),
    path("/t/{x", "a brace stands alone in `/t/{x` (write parameters as `{name}`)"),
    path("t", "`t` does not begin with /"),
    path("/t?x=1", "holds a ? (put query parameters under `query`)"),
    path("5", "expected text, found the number 5"),
    method("base_url: '{nope}'", "names `nope`, which is not a declared parameter"),
    method("query: {a: '{x}'}", "names `x`, which is not a declared parameter"),
    method("query: {a: {values: ['{x}']}}", "names `x`, which is not a declared parameter"),
    method("headers: {A: '{x}'}", "names `x`, which is not a declared parameter"),
    *(
        method(f"base_url: '{url}'", f"`{shown}` is not an http or https URL of a host "
               "(https://HOST or https://HOST/PATH)")
        for url, shown in [
            ("ftp://x", "ftp://x"), ("nope", "nope"), ("http://", "http://"), ("/x", "/x"),
            ("http://[x", "http://[x"), ("http://x:99999", "http://x:99999"),
            ("https://u:hush@x", "https://…@x"), ("http://a b", "http://a b"),
        ]
    ),
    # methods
    method("pth: x", "unknown key `pth` (did you mean `path`?)"),
    method("method: POST", "unknown key `method` (did you mean `verb`?)"),
    method("pagination: {}", "unknown key `pagination` (did you mean `paging`?)"),
    method("errors: [e]", "unknown key `errors` (did you mean `incomplete`? `errors` stands at the "
           "top of provider.yaml)"),
    method("paging: {style: page, request: p, start: 1}",
           "unknown key `start` (did you mean `first`?)"),
    method("paging: {style: page, param: p}", "unknown key `param` (did you mean `request`?)"),
    method("paging: {style: token, request: t, response: n, stop: [0]}",
           "unknown key `stop` (did you mean `ends`?)"),
    method("verb: PUT", "`PUT` is not one of GET, POST"),
    method("body: {a: 1}", "a GET has no body (`verb: POST`)"),
    method("no_row: [99]", "99 is less than the minimum of 100"),
    method("no_row: [700]", "700 is greater than the maximum of 599"),
    method("no_row: [x]", "expected a whole number, found the text `x`"),
    method("columns: {nam: x}", "names `nam`, which is not a column (did you mean `name`?)"),
    method("columns: {name: $key}", "`$key` needs rows of the shape `map`, also in `list`"),
    method("columns: {name: a..b}", "holds an empty name"),
    method("rows: $.items[*]",
           "`$.items[*]` is no path: it leads to an array as a whole (items)"),
    method("rows: 'items[-1]'",
           "`items[-1]` is no path: it leads to a last element "
           "({last_row: id} for a cursor in the last row)"),
    method("paging: {style: next_url, response: {header: N}}",
           "`next_url` is not one of cursor, link, link_header, offset, page, token "
           "(did you mean `link`?)"),
    method("no_row: 404", "expected a list, found the number 404 ([404])"),
    method("record_path: items", "unknown key `record_path` (did you mean `rows`?)"),
    method("rows: /a/items", "`/a/items` is no path: a dot is between keys (a.items)"),
    method("rows: items[0].of",
           "`items[0].of` is no path: the number of an element is a key (items.0.of)"),
    method("columns: {name: owners.0.name}",
           "`owners.0.name` is no path of a column, which takes no element of an array "
           "(the array as a column, `owners`, and its element [1] in SQL)"),
    method("paging: {style: cursor, request: '{next}', response: {header: N}}",
           "`{next}` is no parameter of the table (the key alone: next)"),
    method("query: {'{name}': a}", "`{name}` is the name of a key, which holds no parameter "
           "(parameters stand in values alone)"),
    method("headers: {X Name: a}", "`X Name` is not the name of a header "
           "(such as `X-Api-Version`)"),
    method('headers: {A: "b\\nC: d"}', "a header has one line"),
    method("no_row: [200]", "200 is a success, and no word of a missing row (such as [404])"),
    method("fills: {x: x}", "names `x`, which is not a declared parameter"),
    method("filters: {nam: q}", "names `nam`, which is not a column (did you mean `name`?)"),
    method("filters: {name: {query: q, several: commas}}",
           "`commas` is not one of comma, repeated (did you mean `comma`?)"),
    method("details: gett", "names `gett`, which is not another method"),
    method("details: list", "names `list`, which is not another method"),
    method("rows: {shape: arr, at: 5}",
           "`arr` is not one of array, map, object, scalars (did you mean `array`?)",
           "expected text or a list, found the number 5"),
    method("rows: {at: []}", "an empty list says nothing"),
    method("paging: {style: tokens, request: x}",
           "`tokens` is not one of cursor, link, link_header, offset, page, token "
           "(did you mean `token`?)"),
    method("paging: {style: page}",
           "`page` needs `request`, where the next page is asked for (a query key)"),
    method("paging: {style: token, request: x}",
           "`token` needs `response`, where the next page stands (its path)"),
    method("paging: {style: page, request: x, size: {query: n, max: 0}}",
           "0 is less than the minimum of 1"),
    ("      list:\n        path: /t\n", "      {}\n", ["s.yaml:8: no method serves it"]),
    # parameters
    param("", "expected a mapping, found nothing"),
    param("{type: 'VARCHAR[]'}", "a parameter has a type without parts (such as VARCHAR)"),
    param("{type: INTEGER, default: a}", "`a` is no INTEGER"),
    param("{type: DATE, allowed: [2026-02-30]}", "`2026-02-30` is no DATE"),
    param("{default: b, allowed: [a]}", "`b` is not among the allowed values"),
    param("{from: a.b.c}", "`a.b.c` is not provider.service.resource.column"),
    param("{from: p.s.u.id}", "the table p.s.u does not exist (did you mean `p.s.t`?)"),
    param("{from: confluent.org.environmnts.id}",
          "the table confluent.org.environmnts does not exist "
          "(did you mean `confluent.org.environments`?)"),
    param("{from: confluent.org.environments.idd}",
          "confluent.org.environments has no column `idd` (did you mean `id`?)"),
    param("{from: confluent.org.environments.id, with: {x: y}}",
          "confluent.org.environments has no column `x`",
          "names `y`, which is not a declared parameter"),
    param("{from: p.s.t.name}", "parents go in a circle: p.s.t → p.s.t"),
    param("{with: {a: x}}", "`with` says nothing without `from`"),
    ("    methods:", "    params: {x: {}}\n    methods:",
     ["s.yaml:10: neither asks for the parameter `x` nor fills it "
      "(say where a row holds it: `fills: {x: PATH}`)"]),
    ("    methods:", "    params: {kind: {default: x}}\n    methods:",
     ["s.yaml:7: no method sends `kind` (write it as {kind})"]),
    # resources and services
    ("  t:", "  a.b:", ["s.yaml:4: the name of a resource holds no dot"]),
    ("  t:", '  "":', ["s.yaml:4: holds an empty name"]),
    ("resources:", "resources:\n  T: {description: d, columns: {}, methods: {l: {path: /}}}",
     ["s.yaml:5: `t` and `T` differ only in case"]),
    ("service: s", "service: z",
     ["s.yaml:1: `service: z` stands in the file `s.yaml` (name both alike)"]),
    ("resources:", "extra: 1\nresources:",
     ["s.yaml:2: unknown key `extra` "
      "(known here: base_url, description, paging, params, resources, secret_keys, service)"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), FAULTS, ids=[f"{f[2][0]}" for f in FAULTS])
def test_each_fault_has_its_line_and_a_next_step(
    tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    assert service_problems(tmp_path, old, new) == expected


PROVIDER_FAULTS = [
    ("unknown: 1", "unknown key `unknown` (known here: auth, base_url, description, error_mark, "
     "errors, failed, headers, incomplete, limits, no_row_says, path_rejects, probe, provider, "
     "redirects, retry, server_version, settings, trusted_hosts)"),
    ("setings: {}", "unknown key `setings` (did you mean `settings`?)"),
    ("settings: {a: {secrt: true}}", "unknown key `secrt` (did you mean `secret`?)"),
    ("settings: {a: }", "expected a mapping, found nothing"),
    ("auth: [{}]", "names 0 kinds of authentication "
     "(name one of none, basic, bearer, header, query, client_credentials)"),
    ("auth: [{bearer: {token: a}, none: {}}]", "names 2 kinds of authentication "
     "(name one of none, basic, bearer, header, query, client_credentials)"),
    ("auth: [{bearer: {token: '{tok}'}}]", "names `tok`, which is not a setting"),
    ("auth: {bearer: x}", "expected a list, found a mapping (each entry begins with `- `)"),
    ("auth: [{basic: {username: a}}]", "`password` is missing"),
    ("headers: {A: '{tok}'}", "names `tok`, which is not a setting"),
    ("headers: {A: 'x}'}", "a brace stands alone in `x}` (write parameters as `{name}`)"),
    ("retry: [{status: [200, 1000]}]", "1000 is greater than the maximum of 599"),
    ("limits: {concurrency: 0}", "0 is less than the minimum of 1"),
    ("probe: a.b", "`a.b` is not provider.service.resource"),
    ("probe: p.s.x", "the table p.s.x does not exist (did you mean `p.s.t`?)"),
    ("errors: message", "expected a list, found the text `message`"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), PROVIDER_FAULTS)
def test_each_fault_of_a_provider_has_its_line(tmp_path: Path, line: str, message: str) -> None:
    text = f"{PROVIDER}{line}\n"
    assert problems_of(tmp_path, {"provider.yaml": text}) == [f"provider.yaml:4: {message}"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("provider: p", "provider: q",
         "1: `provider: q` stands in the folder `p` (name both alike)"),
        ("https://p.example", "p.example", "3: `p.example` is not an http or https URL of a host "
         "(https://HOST or https://HOST/PATH)"),
        ("https://p.example", "'{base_url}'",
         "3: holds a brace (left out, each connection says it)"),
    ],
)  # fmt: skip
def test_each_fault_of_a_providers_first_lines_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = PROVIDER.replace(old, new)
    assert problems_of(tmp_path, {"provider.yaml": text}) == [f"provider.yaml:{message}"]


def test_service_files_that_differ_only_in_case_are_a_problem(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"S.yaml": SERVICE.replace("service: s", "service: S")}
    assert problems_of(tmp_path, files) == [
        "provider.yaml:1: the files s.yaml and S.yaml differ only in case"
    ]


# --- several at once -----------------------------------------------------------------------------


def test_all_faults_of_form_are_told_at_once_by_line(tmp_path: Path) -> None:
    text = """servce: s
resources:
  t:
    description: 5
    columns:
      a: VARCHAR
      n: {type: INTEGER, on_mismatch: what}
    methods:
      list: {pth: /x, no_row: [1]}
extra: 1
"""
    assert problems_of(tmp_path, {"s.yaml": text}) == [
        "s.yaml:1: `service` is missing (is it misspelt?)",
        "s.yaml:1: unknown key `servce` (did you mean `service`?)",
        "s.yaml:4: expected text, found the number 5",
        "s.yaml:7: `what` is not one of error, null, text",
        "s.yaml:9: 1 is less than the minimum of 100",
        "s.yaml:9: `path` is missing (is it misspelt?)",
        "s.yaml:9: unknown key `pth` (did you mean `path`?)",
        "s.yaml:10: unknown key `extra` "
        "(known here: base_url, description, paging, params, resources, secret_keys, service)",
    ]


def test_all_faults_of_meaning_are_told_at_once_by_line(tmp_path: Path) -> None:
    text = SERVICE.replace("name: VARCHAR", "name: VARCHR\n      b: {type: INT, redact: value}")
    text = text.replace("path: /t", "path: t/{x}\n        details: y")
    files: dict[str, str | bytes] = {
        "s.yaml": text, "provider.yaml": PROVIDER + "probe: x\nheaders: {A: '{b}'}\n"
    }  # fmt: skip
    expected = [
        "provider.yaml:4: `x` is not provider.service.resource",
        "provider.yaml:5: names `b`, which is not a setting",
        "s.yaml:6: `VARCHR` is not a type that a column may have (did you mean `VARCHAR`?)",
        "s.yaml:7: `INT` is not a type that a column may have (did you mean `INTEGER`?)",
        "s.yaml:10: `t/{x}` does not begin with /",
        "s.yaml:10: names `x`, which is not a declared parameter",
        "s.yaml:11: names `y`, which is not another method",
    ]
    assert problems_of(tmp_path, files) == expected
    with pytest.raises(DefinitionError) as caught:
        Library([tmp_path / "p"]).service("p", "s")
    assert [problem.line for problem in caught.value.problems] == [6, 7, 10, 10, 11]
    assert "5 problems in the provider definitions" in caught.value.message


# --- parents -------------------------------------------------------------------------------------


def with_parent(name: str, parent: str) -> str:
    text = SERVICE.replace("service: s", f"service: {name}").replace("path: /t", "path: '/{x}'")
    return text.replace("    methods:", f"    params: {{x: {{from: {parent}}}}}\n    methods:")


def test_a_circle_of_parents_is_told_for_each_table_on_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "s.yaml": with_parent("s", "p.v.t.name"), "v.yaml": with_parent("v", "p.w.t.name"),
        "w.yaml": with_parent("w", "p.s.t.name"), "into.yaml": with_parent("into", "p.s.t.name"),
    }  # fmt: skip
    assert problems_of(tmp_path, files) == [
        "s.yaml:7: parents go in a circle: p.s.t → p.v.t → p.w.t → p.s.t",
        "v.yaml:7: parents go in a circle: p.v.t → p.w.t → p.s.t → p.v.t",
        "w.yaml:7: parents go in a circle: p.w.t → p.s.t → p.v.t → p.w.t",
    ]


def test_a_parent_in_a_broken_file_is_told_with_that_file_only(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"s.yaml": with_parent("s", "p.v.t.name"), "v.yaml": "]"}
    [problem] = problems_of(tmp_path, files)
    assert problem.startswith("v.yaml:1: not YAML")


def test_a_missing_parent_beside_a_broken_file_is_told(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"s.yaml": with_parent("s", "p.s.u.name"), "v.yaml": "]"}
    first, second = problems_of(tmp_path, files)
    assert first == "s.yaml:7: the table p.s.u does not exist (did you mean `p.s.t`?)"
    assert second.startswith("v.yaml:1: not YAML")


# --- whatever is in a file, it is problems and never another error -------------------------------

SHIPPED = [
    (file.name == "provider.yaml", file.read_bytes())
    for file in sorted(shipped_providers().glob("*/*.yaml"))
]
SNIPPETS = st.sampled_from([
    *map(str.encode, "[]{}:-?&*!|>%@`#~"), b"null", b"1", b"1.5", b"''", b'""', b"&a", b"*a",
    b"!!x", b"<<:", b"---", b"...", b"\n", b"\n\t", b"\0", b"\\", "é".encode(), b"VARCHAR[]",
    b"STRUCT(", b"{x}", b"$key", b"404", b"1e999", b"9" * 5000, b"1" * 5000 + b".5", b"\xff",
    b"\xef\xbb\xbf",
])  # fmt: skip


def check_content(is_provider: bool, content: bytes) -> None:
    """Everything that `Library` does with a file, without the file system."""
    source = read_source("x.yaml", content)
    if is_provider:
        provider, problems = _document(source, ProviderDocument)
        if provider is not None:
            build_provider(provider, (), Findings(source, problems))
    else:
        service, problems = _document(source, ServiceDocument)
        if service is not None:
            build_service(service, "p", Findings(source, problems))
    for problem in problems:
        assert problem.message
        assert 0 <= problem.line <= content.count(b"\n") + content.count(b"\r") + 2


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.booleans(), st.lists(SNIPPETS | st.binary(max_size=4), max_size=25).map(b" ".join))
@example(False, b"service: " + b"9" * 5000)
@example(False, b"x: 1" + b"0" * 5000 + b".5")
def test_any_bytes_are_read_or_become_problems(is_provider: bool, content: bytes) -> None:
    check_content(is_provider, content)


CHANGES = [
    (rb".*", b""), (rb"(.*)", rb"\1\n\1"), (rb"^", b"  "), (rb"^.", b""), (rb": ", b": ["),
    (rb"\{", b""), (rb"\}", b"]"), (rb"VARCHAR", b"VARCHAR[]"), (rb"e", b"x"), (rb"$", b"NEW"),
    (rb":.*", b": NEW"), (rb":.*", b": NEW"),
]  # fmt: skip


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_of_a_definition_is_read_or_becomes_problems(data: st.DataObject) -> None:
    is_provider, content = data.draw(st.sampled_from(SHIPPED))
    lines = content.split(b"\n")
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(lines) - 1))
        pattern, change = data.draw(st.sampled_from(CHANGES))
        changed = re.sub(pattern, change, lines[index], count=1)
        lines[index] = changed.replace(b"NEW", data.draw(SNIPPETS))
    check_content(is_provider, b"\n".join(lines))


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.lists(SNIPPETS, max_size=10).map(b" ".join), cut=st.integers(0, len(SERVICE)))
def test_validate_never_raises_and_a_library_only_definition_errors(
    tmp_path: Path, content: bytes, cut: int
) -> None:
    text = SERVICE.encode()
    folder = folder_of(tmp_path, {"s.yaml": text[:cut] + content + text[cut:]})
    library = Library([folder])
    found = validate([folder], library)
    if not found:
        assert library.service("p", "s") is not None
        return
    with pytest.raises(DefinitionError) as caught:
        library.service("p", "s")
    assert caught.value.problems
