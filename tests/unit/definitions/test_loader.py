"""Definition files: what they become, and what is said of those that are at fault."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from connstat_sql.definitions.loader import Library, json_schema, shipped_providers, validate
from connstat_sql.definitions.model import (
    KEY,
    TIMESTAMPTZ,
    VARCHAR,
    ArrayStyle,
    AuthKind,
    Mismatch,
    Order,
    PagingStyle,
    Redaction,
    Shape,
    TableName,
)
from connstat_sql.errors import DefinitionError
from tests.tabled import over

PROVIDER = "provider: p\ndescription: d\nbase_url: https://p.example\n"
SERVICE = """service: s
resources:
  t:
    description: d
    columns:
      name: VARCHAR
    methods:
      list:
        path: /t
"""


def folder_of(root: Path, files: dict[str, str | bytes]) -> Path:
    """A provider's folder with those files; `provider.yaml` and `s.yaml` unless given."""
    folder = root / "p"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"provider.yaml": PROVIDER, "s.yaml": SERVICE, **files}.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def problems_of(root: Path, files: dict[str, str | bytes]) -> list[str]:
    """Problems as `file:line: message (suggestion)`, with the file's bare name."""
    folder = folder_of(root, files)
    library = Library([shipped_providers(), folder])
    return [str(one).replace(f"{folder}/", "") for one in validate([folder], library)]


def service_problems(root: Path, old: str, new: str) -> list[str]:
    assert old in SERVICE
    return problems_of(root, {"s.yaml": SERVICE.replace(old, new)})


# --- files that cannot be read -------------------------------------------------------------------

EXPLODING = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n"
UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "s.yaml: empty (see providers/README.md for the words)"),
    "blanks": ("\n  \n# x\n", "s.yaml: empty (see providers/README.md for the words)"),
    "null": ("~", "s.yaml:1: empty (see providers/README.md for the words)"),
    "a list": ("- a", "s.yaml:1: not a mapping (see providers/README.md for the words)"),
    "a text": ("abc", "s.yaml:1: not a mapping (see providers/README.md for the words)"),
    "binary": (b"\x00\x01\xff", "s.yaml:1: not UTF-8 text (definitions are text files in UTF-8)"),
    "NUL": ("service: a\0", "s.yaml: not YAML: control characters are not allowed"),
    "Latin-1": ("service: s\ndescription: é".encode("latin-1"),
                "s.yaml:2: not UTF-8 text (definitions are text files in UTF-8)"),
    "UTF-16": (SERVICE.encode("utf-16"),
               "s.yaml:1: not UTF-8 text (definitions are text files in UTF-8)"),
    "a tab": ("service: s\n\tx: 1", "s.yaml:2: not YAML: found a tab character"),
    "open bracket": ("service: [a", "s.yaml:2: not YAML: did not find expected ',' or ']'"),
    "anchors": (EXPLODING, "s.yaml:1: anchors and aliases are not read (write the value out)"),
    "an alias": ("a: *x", "s.yaml:1: anchors and aliases are not read (write the value out)"),
    "a tag": ("service: !!python/object:os.system x",
              "s.yaml:1: the tag tag:yaml.org,2002:python/object:os.system is not read"),
    "a tag of a mapping": ("a: 1\nb: !!python/object/apply:os.system {c: d}",
                           "s.yaml:2: the tag tag:yaml.org,2002:python/object/apply:os.system"),
    "a tag of a list": ("a: !x [b]", "s.yaml:1: the tag !x is not read (write plain values)"),
    "a tag of a key": ("!!str a: b", "s.yaml:1: the tag tag:yaml.org,2002:str is not read"),
    "two documents": (f"{SERVICE}---\n{SERVICE}",
                      "s.yaml:10: a second document (one file holds one definition)"),
    "brackets": ("[" * 100_000, "s.yaml:1: nested more than 40 deep"),
    "braces": ("{a: " * 100_000, "s.yaml:1: nested more than 40 deep"),
    "a mapping as key": ("? {a: b}\n: c", "s.yaml:1: a key must be text"),
    "huge": (b"#" * 4_000_001, "s.yaml: larger than 4,000,000 bytes"),
    "half a surrogate pair": ('service: "\\ud800"', "s.yaml:1: not YAML: "),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_one_problem(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    [problem] = problems_of(tmp_path, {"s.yaml": content})
    assert problem.startswith(message)


@pytest.mark.parametrize("content", [content for content, _ in UNREADABLE.values()], ids=UNREADABLE)
def test_a_provider_file_that_cannot_be_read_is_a_problem_too(
    tmp_path: Path, content: str | bytes
) -> None:
    [problem] = problems_of(tmp_path, {"provider.yaml": content})
    assert problem.startswith("provider.yaml")


def test_a_key_that_stands_twice_is_a_problem_beside_the_others(tmp_path: Path) -> None:
    text = SERVICE.replace("name: VARCHAR", "name: VARCHR") + "service: s\n"
    assert problems_of(tmp_path, {"s.yaml": text}) == [
        "s.yaml:6: `VARCHR` is not a type that a column may have (did you mean `VARCHAR`?)",
        "s.yaml:10: `service` stands here a second time (first: line 1)",
    ]


def test_files_and_folders_that_are_not_there_are_problems(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "nowhere", tmp_path / "empty"]
    assert [one.message for one in validate(paths, Library([shipped_providers()]))] == [
        "holds no provider (no provider.yaml)",
        "no such file or folder",
    ]
    with pytest.raises(DefinitionError, match="no such folder"):
        Library([tmp_path / "nowhere"])


def test_a_folder_named_like_a_file_is_a_problem(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {})
    (folder / "x.yaml").mkdir()
    [problem] = validate([folder], Library([shipped_providers()]))
    assert "cannot be read" in problem.message


# --- what can be read ----------------------------------------------------------------------------

EVERYTHING = """
service: s
description: All words
base_url: "https://{host}.example/x"
params:
  host: {description: where, default: eu, allowed: [eu, us]}
  team: {from: p.s.teams.id, with: {host: host}}
  since: {type: DATE, default: 2026-01-01}
paging:
  style: cursor
  request: after
  response: page.end
  more: page.more
  size: {query: limit, max: 50}
resources:
  teams:
    description: d
    columns: {id: VARCHAR}
    methods:
      list: {path: /teams, rows: {shape: scalars}, columns: {id: $}, paging: null}
  things:
    description: Things
    params:
      id: {type: BIGINT}
    columns:
      name: VARCHAR -- Its name -- and more
      when: {type: TIMESTAMPTZ, path: meta.when, on_mismatch: "null"}
      dotted: {type: VARCHAR, path: [a.b, c]}
      key: {type: VARCHAR, path: $key}
      secret: {type: VARCHAR, redact: value, redact_by: key}
      config: {type: "MAP(VARCHAR, VARCHAR)", redact: keys}
    methods:
      get:
        path: /teams/{team}/things/{id}
        verb: POST
        body: {a: [1, 2.5, true, null]}
        headers: {X-Team: "t-{team}"}
        rows: {shape: map, at: [data, $], item: [x.y]}
        paging: {style: offset, request: from, first: 1}
        no_row: [404, 410]
      list:
        path: /teams/{team}/things
        query:
          {since: "{since}", n: 5, deep: true, many: [a, "{team}"],
          joined: {values: [b], style: comma}}
        rows: {shape: map, at: data}
        columns: {name: title, secret: null}
        fills: {id: meta.id}
        filters: {name: q, when: {query: w, several: comma}}
        order:
          name: {ascending: {sort: name}, descending: {sort: name, down: true}}
          dotted: {ascending: {}}
        details: get
    example: SELECT 1
"""


def test_every_word_of_a_service_becomes_a_value(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"s.yaml": EVERYTHING})
    library = Library([folder])
    assert validate([folder], library) == ()
    things = library.resource(TableName("p", "s", "things"))
    assert things is not None
    assert [param.name for param in things.params] == ["host", "team", "since", "id"]
    assert [column.path for column in things.columns] == [
        ("name",), ("meta", "when"), ("a.b", "c"), KEY, ("secret",), ("config",)
    ]  # fmt: skip
    name, when, _, _, secret, config = things.columns
    assert (name.description, name.type) == ("Its name -- and more", VARCHAR)
    assert (when.type, when.mismatch) == (TIMESTAMPTZ, Mismatch.NULL)
    assert (secret.redaction, secret.redact_by) == (Redaction.VALUE, "key")
    assert config.redaction is Redaction.KEYS
    host, team, since, _ = things.params
    assert (host.default, host.allowed, since.default) == ("eu", ("eu", "us"), "2026-01-01")
    assert team.parent is not None
    assert (str(team.parent.table), team.parent.column) == ("p.s.teams", "id")
    assert team.parent.shared == (("host", "host"),)


def test_every_word_of_a_method_becomes_a_value(tmp_path: Path) -> None:
    library = Library([folder_of(tmp_path, {"s.yaml": EVERYTHING})])
    things = library.resource(TableName("p", "s", "things"))
    assert things is not None
    get, listing = things.methods
    assert get.required == ("host", "team", "id")
    assert get.body is not None
    assert (get.verb, json.loads(get.body.text)) == ("POST", {"a": [1, 2.5, True, None]})
    assert (get.rows.shape, get.rows.at, get.rows.item) == (Shape.MAP, (("data",), ()), ("x.y",))
    assert get.paging is not None
    assert (get.paging.style, get.paging.first, get.paging.size) == (PagingStyle.OFFSET, 1, None)
    assert get.no_row == {404, 410}
    assert [str(value) for item in listing.query for value in item.values] == [
        "{since}", "5", "true", "a", "{team}", "b"
    ]  # fmt: skip
    assert listing.query[-1].style is ArrayStyle.COMMA
    assert listing.columns == {"name": ("title",), "secret": None}
    assert listing.fills == {"id": ("meta", "id")}
    assert [(one.column, one.key, one.several) for one in listing.filters] == [
        ("name", "q", None), ("when", "w", ArrayStyle.COMMA)
    ]  # fmt: skip
    assert listing.order == (
        Order("name", (("sort", "name"),), (("sort", "name"), ("down", "true"))),
        Order("dotted", (), None),
    )
    assert get.order == ()
    assert listing.paging is not None
    assert (listing.paging.style, listing.paging.more) == (PagingStyle.TOKEN, ("page", "more"))
    assert (listing.paging.size_key, listing.paging.size) == ("limit", 50)


def test_every_word_of_a_provider_becomes_a_value(tmp_path: Path) -> None:
    text = """
provider: p
description: d
base_url: https://p.example/api
settings: {key: {env: P_KEY, secret: true, default: x, description: k}, url: {}}
auth:
  - client_credentials: {token_url: "{url}", client_id: a, client_secret: "{key}", fields: {aud: b}}
  - header: {name: X-Key, value: "Key {key}"}
  - basic: {username: u, password: "{key}"}
  - bearer: {token: "{key}"}
  - none: {}
headers: {X-A: "{key}"}
errors: [error.message, [a.b]]
retry: [{status: [500], message: soon}]
trusted_hosts: ["*.p.example"]
path_rejects: "/%"
limits: {concurrency: 3}
probe: p.s.t
"""
    folder = folder_of(tmp_path, {"provider.yaml": text})
    library = Library([folder])
    assert validate([folder], library) == ()
    provider = library.provider("p")
    assert provider is not None
    assert [auth.kind for auth in provider.auth] == [
        AuthKind.CLIENT_CREDENTIALS, AuthKind.HEADER, AuthKind.BASIC, AuthKind.BEARER, AuthKind.NONE
    ]  # fmt: skip
    assert provider.auth[0].settings == ("url", "key")
    assert [name for name, _ in provider.auth[0].options][-1] == "aud"
    assert provider.errors == (("error", "message"), ("a.b",))
    assert [(rule.statuses, rule.message) for rule in provider.retries] == [
        (frozenset({500}), "soon")
    ]
    assert (provider.trusted_hosts, provider.path_rejects) == (("*.p.example",), "/%")
    assert (provider.limits.concurrency, str(provider.probe)) == (3, "p.s.t")
    assert provider.services == ("s",)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = SERVICE.replace("\n", "\r\n").encode("utf-8-sig")
    assert problems_of(tmp_path, {"s.yaml": text}) == []


# --- the library ---------------------------------------------------------------------------------


def test_a_file_is_read_when_it_is_asked_for_and_not_before(tmp_path: Path) -> None:
    library = Library([folder_of(tmp_path, {"broken.yaml": "}"})])
    assert library.providers == ("p",)
    assert library.services("p") == ("broken", "s")
    assert library.resource(TableName("p", "s", "t")) is not None
    with pytest.raises(DefinitionError, match=r"broken\.yaml:1"):
        library.service("p", "broken")


@pytest.mark.parametrize(
    "table", [TableName("x", "s", "t"), TableName("p", "x", "t"), TableName("p", "s", "x")]
)
def test_what_is_not_there_is_none(tmp_path: Path, table: TableName) -> None:
    library = Library([folder_of(tmp_path, {})])
    assert library.resource(table) is None
    assert library.provider("x") is None
    assert library.services("x") == ()


def test_a_later_folder_replaces_a_provider(tmp_path: Path) -> None:
    first = folder_of(tmp_path / "1", {})
    second = folder_of(tmp_path / "2", {"z.yaml": SERVICE.replace("service: s", "service: z")})
    assert Library([first, second]).services("p") == ("s", "z")
    assert Library([second.parent, first.parent]).services("p") == ("s",)


def test_the_shipped_definitions_have_no_problem() -> None:
    library = Library([shipped_providers()])
    assert validate([shipped_providers()], library) == ()


def test_a_single_file_can_be_checked(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"s.yaml": SERVICE.replace("path:", "paht:")})
    found = validate([folder / "s.yaml"], Library([folder]))
    assert [problem.line for problem in found] == [9, 9]


# --- the JSON Schema -----------------------------------------------------------------------------

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
SHIPPED = sorted(shipped_providers().glob("*/*.yaml"))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@over("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_schema_accepts_every_shipped_definition(file: Path) -> None:
    assert list(VALIDATOR.iter_errors(yaml.safe_load(file.read_text("utf-8")))) == []


@over(
    "text",
    [
        SERVICE.replace("path:", "paht:"), SERVICE.replace("service:", "servce:"),
        SERVICE.replace("columns:", "colums:"), SERVICE + "paging: {style: tokens, request: x}\n",
        PROVIDER.replace("base_url:", "baseurl:"), PROVIDER + "auth: [{baerer: {token: x}}]\n",
        PROVIDER + "retry: [{status: [1000]}]\n", "{}", "[]",
    ],
)  # fmt: skip
def test_the_schema_rejects_a_misspelt_definition(text: str) -> None:
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
