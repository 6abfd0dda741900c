"""One live request beside a definition: what is not declared, what is not there, what misfits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from connstat_sql.cli.try_definition import try_table
from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError, ConfigError, ConnstatError, UnexpectedShape
from tests.conftest import engine_of
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of

PROVIDER = """provider: p
description: d
base_url: https://p.example
settings: {key: {secret: true}}
auth: [{bearer: {token: "{key}"}}]
"""
SERVICE = """service: s
resources:
  t:
    description: Things of a shop
    params: {shop: {}, state: {default: open}}
    columns:
      id: BIGINT
      made: TIMESTAMPTZ
      gone: {type: TIMESTAMPTZ, path: times.gone}
      owner: STRUCT(name VARCHAR)
      colour: VARCHAR
      size: INTEGER
      token: {type: VARCHAR, redact: value}
    methods:
      get: {path: "/shops/{shop}/t/{state}", rows: {shape: object}}
      list: {path: /t, query: {state: "{state}"}, rows: data.found, fills: {shop: shop}}
"""
ROWS = [
    {
        "id": 1, "made": 1764000000123, "times": {"gone": "", "updated_at": 1764000000},
        "shop": "x",
        "owner": {"name": "Ann", "email": "a@example.org"}, "token": "hush-hush", "size": 1.5,
        "tags": ["new"], "seen": "2026-01-02T03:04:05Z", "odd.key": {"a": 1, "b": "c"},
    },
    {"id": 2, "made": None, "owner": None, "tags": [], "token": 5, "extra": None, "shop": "x"},
]  # fmt: skip


def tried(root: Path, body: Any, given: dict[str, str] | None = None, **more: Any) -> Any:
    """The lines, whether all fits, and the paths that were asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(more.get("status", 200), json=body)

    connections = more.get("connections", {"p": {"provider": "p", "key": "Kn0ck-kn0ck"}})
    folder = folder_of(root, {"provider.yaml": PROVIDER, "s.yaml": SERVICE})
    with engine_of(
        connections, providers=(folder,), transport=httpx.MockTransport(answer)
    ) as engine:
        table = _table(engine)
        names = {name: more.get(name, "") for name in ("method", "connection")}
        lines, is_fitting = try_table(engine, table, given or {}, **names)
    return lines, is_fitting, asked


def _table(engine: Engine) -> LiveTable:
    table = engine.catalog.resolve(("p", "s", "t"))
    assert isinstance(table, LiveTable)
    return table


def test_one_request_shows_what_a_definition_says_otherwise(tmp_path: Path) -> None:
    lines, is_fitting, asked = tried(tmp_path, {"data": {"found": ROWS, "total": 2}, "next": "c"})
    assert asked == ["/t?state=open"]
    assert not is_fitting
    text = "\n".join(lines)
    assert lines[0] == "p.s.t by list: GET https://p.example/t?state=open 200, 2 rows"
    for line in (
        "updated_at: {type: TIMESTAMPTZ, path: times.updated_at, format: epoch}",
        "email: {type: VARCHAR, path: owner.email}", 'tags: "VARCHAR[]"', "seen: TIMESTAMPTZ",
        '"odd.key": {type: "STRUCT(a BIGINT, b VARCHAR)", path: ["odd.key"]}', "extra: JSON",
        "colour, at colour", "$.made holds a number", "made: {type: TIMESTAMPTZ, format: epoch_ms}",
        "gone: {type: TIMESTAMPTZ, null_values: ['']}", "size: DOUBLE", "token is VARCHAR",
        "beside the rows: next", "# in 1 of 2 rows",
    ):  # fmt: skip
        assert line in text, line
    assert lines[-1] == (
        "more may follow: a list stopped after 2 rows, though the answer holds `next`: its "
        "definition says nothing of further pages (`paging`)"
    )
    for secret in ("hush-hush", "Kn0ck", "Ann", "example.org", "1764000000"):
        assert secret not in text


def test_what_is_declared_and_fits_is_said_in_a_line(tmp_path: Path) -> None:
    row = {"id": 1, "made": None, "times": {"gone": None}, "owner": None, "colour": "red",
           "size": 1, "token": "x", "shop": "y"}  # fmt: skip
    lines, is_fitting, _ = tried(tmp_path, {"data": {"found": [row]}})
    assert (lines[1:], is_fitting) == (["all that came is declared, and fits"], True)
    lines, is_fitting, _ = tried(tmp_path, {"data": {"found": []}})
    assert (lines[1:], is_fitting) == (["no rows came: nothing is known"], True)


def test_parameters_choose_the_method_and_so_does_its_name(tmp_path: Path) -> None:
    *_, asked = tried(tmp_path, {}, {"shop": "a b"})
    assert asked == ["/shops/a%20b/t/open"]
    *_, asked = tried(tmp_path, {"data": {"found": []}}, {"state": "sold"}, method="list")
    assert asked == ["/t?state=sold"]


@over(
    ("given", "more", "error", "told"),
    [
        ({}, {"method": "get"}, BindError, "p.s.t by get needs shop"),
        ({"shp": "x"}, {}, BindError, "p.s.t has no parameter shp"),
        ({}, {"method": "lst"}, BindError, "p.s.t has no method lst"),
        ({}, {"connection": "q"}, ConfigError, "p has no connection q"),
        ({}, {"status": 500}, ConnstatError, "p answered 500"),
        ({}, {"body": {"things": []}}, UnexpectedShape, "expected an array at `data.found`"),
    ],
)
def test_what_cannot_be_tried_says_why_and_the_next_step(
    tmp_path: Path, given: dict[str, str], more: dict[str, Any], error: type[ConnstatError],
    told: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=told) as caught:
        tried(tmp_path, more.pop("body", {}), given, **more)
    assert caught.value.hint or more.get("status")
