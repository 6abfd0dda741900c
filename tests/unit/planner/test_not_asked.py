"""Values from rows that no request can hold: they cost their own rows, where a part will do."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from connstat_sql import connect
from connstat_sql.api import LiveDatabase
from connstat_sql.errors import PlanError
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of

PROVIDER = 'provider: p\ndescription: d\nbase_url: https://p.example\npath_rejects: "/"\n'
SERVICE = """service: s
resources:
  names:
    description: Names of things
    columns: {name: VARCHAR}
    methods:
      list: {path: /names, rows: {shape: scalars}, columns: {name: $}}
  things:
    description: One by one
    columns: {size: INTEGER}
    params:
      name: {from: p.s.names.name}
    methods:
      get: {path: "/things/{name}", rows: {shape: object}}
  labels:
    description: By header
    columns: {size: INTEGER}
    params:
      name: {from: p.s.names.name}
    methods:
      get: {path: /label, headers: {X-Name: "{name}"}, rows: {shape: object}}
"""


def database(root: Path, names: list[str]) -> tuple[LiveDatabase, list[str]]:
    """Things of those names, and the paths that are asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(unquote(request.url.raw_path.decode()))
        body = names if request.url.path == "/names" else {"size": len(asked)}
        return httpx.Response(200, json=body)

    folder = folder_of(root, {"provider.yaml": PROVIDER, "s.yaml": SERVICE})
    opened = connect(
        connections={"p": {"provider": "p"}}, providers=[folder], environment={},
        transport=httpx.MockTransport(answer),
    )  # fmt: skip
    return opened, asked


@over("odd", ["a/b", "..", ".", "", "a\nb"])
def test_a_row_that_cannot_be_asked_for_costs_that_row(tmp_path: Path, odd: str) -> None:
    live, asked = database(tmp_path, ["fine", odd, "good"])
    with live:
        result = live.sql("SELECT name FROM p.s.things ORDER BY name", partial=True)
        assert result.fetchall() == [("fine",), ("good",)]
        assert not result.complete
        [failure] = result.errors
        assert failure.error.attempts == 0
        assert f"name = {odd!r} came from p.s.names.name" in failure.error.message
        [row] = live.sql('SELECT "table", arguments, attempts FROM _errors').fetchall()
        assert (row[0], row[2]) == ("p.s.things", 0)
        assert asked == ["/names", "/things/fine", "/things/good"]


def test_without_partial_it_is_an_error_that_says_what_would_do(tmp_path: Path) -> None:
    live, _ = database(tmp_path, ["fine", "a/b"])
    with live, pytest.raises(PlanError) as caught:
        live.sql("FROM p.s.things").fetchall()
    assert "partial" in caught.value.hint


def test_a_value_that_no_header_can_hold_costs_its_row_too(tmp_path: Path) -> None:
    live, asked = database(tmp_path, ["fine", "größe"])
    with live:
        result = live.sql("SELECT name FROM p.s.labels", partial=True)
        assert result.fetchall() == [("fine",)]
        assert [one.error.attempts for one in result.errors] == [0]
    assert asked == ["/names", "/label"]
