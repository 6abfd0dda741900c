"""What `providers/README.md` says is so: its example runs, its words are those of the files."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import UnionType
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.definitions.loader import Library, documents, shipped_providers, validate
from connstat_sql.definitions.loader.types import parse_type
from connstat_sql.definitions.model import DEFAULT_RETRIES, Mismatch, PagingStyle, Redaction, Shape
from connstat_sql.engine import EngineOptions

README = (Path(__file__).parents[3] / "providers" / "README.md").read_text("utf-8")

# --- the example ---------------------------------------------------------------------------------

PETS = [
    {"id": 7, "name": "Rex", "born_on": "2024-02-29", "tags": ["small", "loud"], "legs": 4},
    {"id": "8", "name": "Mia", "born_on": None, "tags": []},
    {"id": 9, "name": "Zoë", "born_on": "2025-12-31"},
]


class PetShop(BaseHTTPRequestHandler):
    """Serves pets a page at a time to whoever brings the token."""

    seen: list[tuple[str, dict[str, str], str | None]]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        self.seen.append((url.path, query, self.headers["Authorization"]))
        start = int(query.get("page_token", "0"))
        body: dict[str, Any] = {"pets": PETS[start : start + 2]}
        if start + 2 < len(PETS):
            body["next_page_token"] = str(start + 2)
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def pet_shop() -> Iterator[tuple[str, list[tuple[str, dict[str, str], str | None]]]]:
    """The shop's address and the requests that it has seen."""
    shop = type("Shop", (PetShop,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), shop)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", shop.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The README's files, written as they stand there."""
    files = re.findall(r"```yaml\n# (providers/\S+)\n(.*?)```", README, re.DOTALL)
    assert [name for name, _ in files] == [
        "providers/petshop/provider.yaml", "providers/petshop/animals.yaml",
        "providers/petshop/reports.yaml", "providers/petshop/parts.yaml",
    ]  # fmt: skip
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "providers"


def ask(folder: Path, sql: str) -> tuple[list[dict[str, Any]], list[Any]]:
    """The rows of a query over the shop, and the requests that the shop saw."""
    with pet_shop() as (address, seen):
        connection = {"provider": "petshop", "base_url": address, "token": "${PETSHOP_TOKEN}"}
        setup = Setup(connections={"petshop": connection}, providers=(folder,))
        engine = open_engine(setup, EngineOptions(environment={"PETSHOP_TOKEN": "t0"}))
        try:
            [result] = engine.run(sql)
            return result.table.to_pylist(), seen
        finally:
            engine.close()


def test_the_examples_files_have_no_problem(folder: Path) -> None:
    library = Library([shipped_providers(), folder])
    assert validate([folder / "petshop"], library) == ()
    assert [str(one.table) for one in library.tables() if one.table.provider == "petshop"] == [
        "petshop.animals.pets", "petshop.reports.small_pets"
    ]  # fmt: skip


def test_the_examples_query_gives_its_rows_page_by_page(folder: Path) -> None:
    [sql] = re.findall(r'query "(SELECT [^"]*)"', README)
    rows, seen = ask(folder, sql)
    assert rows == [{"name": "Rex"}]
    assert seen == [
        ("/v1/pets", {"status": "available"}, "Bearer t0"),
        ("/v1/pets", {"status": "available", "page_token": "2"}, "Bearer t0"),
    ]


def test_the_examples_own_example_runs(folder: Path) -> None:
    [sql] = re.findall(r"^    example: (SELECT .*)$", README, re.MULTILINE)
    rows, seen = ask(folder, sql)
    assert rows == [
        {"name": "Rex", "born_on": date(2024, 2, 29)}, {"name": "Mia", "born_on": None},
        {"name": "Zoë", "born_on": date(2025, 12, 31)},
    ]  # fmt: skip
    assert [query["status"] for _, query, _ in seen] == ["available", "available"]


def test_a_parameter_becomes_a_query_key_and_is_a_column(folder: Path) -> None:
    sql = "SELECT id, status, tags FROM petshop.animals.pets WHERE status = 'sold' ORDER BY id"
    rows, seen = ask(folder, sql)
    assert [(row["id"], row["status"]) for row in rows] == [(7, "sold"), (8, "sold"), (9, "sold")]
    assert [row["tags"] for row in rows] == [["small", "loud"], [], None]
    assert {query["status"] for _, query, _ in seen} == {"sold"}


def test_a_view_asks_for_what_it_is_made_of(folder: Path) -> None:
    rows, seen = ask(folder, "SELECT * FROM petshop.reports.small_pets")
    assert rows == [{"id": 7, "called": "Rex"}]
    assert [path for path, *_ in seen] == ["/v1/pets", "/v1/pets"]


def test_a_provider_joins_the_view_over_all_of_them_with_a_file(folder: Path) -> None:
    columns = "provider, _connection, scope_1, connector_name, state, health, tasks_total"
    rows, _ = ask(folder, f"SELECT {columns} FROM inventory.connectors.connectors LIMIT 1")
    assert rows == [
        {
            "provider": "petshop", "_connection": "petshop", "scope_1": "the shop",
            "connector_name": "Rex", "state": "RUNNING", "health": "HEALTHY", "tasks_total": None,
        }
    ]  # fmt: skip


# --- the words -----------------------------------------------------------------------------------


def words_after(heading: str) -> list[str]:
    """First cells of the first table after a heading or another text."""
    _, found, rest = README.partition(heading)
    assert found, heading
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table, heading
    return re.findall(r"^\| `(\w+)` \|", table[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "document"),
    [
        ("## provider.yaml", documents.ProviderDocument),
        ("**An entry of `auth`**", documents.AuthDocument),
        ("## A service file", documents.ServiceDocument),
        ("### columns", documents.ColumnDocument),
        ("### params", documents.ParamDocument),
        ("### methods", documents.MethodDocument),
        ("**`rows`**", documents.RowsDocument),
        ("**`paging`**", documents.PagingDocument),
        ("parts.yaml\nparts", documents.ViewDocument | documents.PartDocument),
    ],
)
def test_a_table_of_words_holds_exactly_the_words_of_the_files(
    heading: str, document: type[msgspec.Struct] | UnionType
) -> None:
    kinds = get_args(document) or (document,)
    fields = [field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)]
    assert sorted(words_after(heading)) == sorted(set(fields))


@pytest.mark.parametrize(
    ("beginning", "document"),
    [
        ("**A setting** has", documents.SettingDocument),
        ("**A resource** has", documents.ResourceDocument),
        ("| `basic` |", documents.BasicDocument),
        ("| `bearer` |", documents.BearerDocument),
        ("| `header` |", documents.HeaderDocument),
        ("| `client_credentials` |", documents.ClientCredentialsDocument),
        ("| `limits` |", documents.LimitsDocument),
        ("| `size` |", documents.SizeDocument),
        ("| `retry` |", documents.RetryDocument),
        ("| `filters` |", documents.FilterDocument),
    ],
)
def test_a_sentence_names_every_word_of_its_thing(
    beginning: str, document: type[msgspec.Struct]
) -> None:
    [line] = [line for line in README.splitlines() if line.startswith(beginning)]
    for field in msgspec.structs.fields(document):
        assert re.search(rf"\b{field.encode_name}\b", line), field.encode_name


def fields_of(document: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field for field in msgspec.structs.fields(document)}


def line_of(word: str, heading: str) -> str:
    _, _, rest = README.partition(heading)
    found = re.search(rf"^\| `{word}` \|(.*)$", rest, re.MULTILINE)
    assert found
    return found[1]


def test_every_choice_is_named_where_its_word_stands() -> None:
    choices = [
        ("on_mismatch", "### columns", [one.value for one in Mismatch]),
        ("redact", "### columns", [one.value for one in Redaction if one is not Redaction.NONE]),
        ("shape", "**`rows`**", [one.value for one in Shape]),
        ("style", "**`paging`**", [*(one.value for one in PagingStyle), "cursor"]),
        ("verb", "### methods", list(get_args(fields_of(documents.MethodDocument)["verb"].type))),
    ]
    for word, heading, names in choices:
        assert [name for name in names if f"`{name}`" not in line_of(word, heading)] == []


def test_what_is_said_to_hold_without_a_word_does() -> None:
    assert line_of("type", "### params").strip().startswith("its type, `VARCHAR` without")
    assert fields_of(documents.ParamDocument)["type"].default == "VARCHAR"
    assert fields_of(documents.MethodDocument)["verb"].default == "GET"
    assert fields_of(documents.ColumnDocument)["on_mismatch"].default == "error"
    [rule] = DEFAULT_RETRIES
    said = line_of("retry", "## provider.yaml").rpartition("without this word")[2]
    assert {int(one) for one in re.findall(r"\d+", said)} == rule.statuses


def test_every_type_that_is_named_is_one() -> None:
    names = re.findall(r"`([A-Z]{3,})`", line_of("type", "### columns"))
    assert len(names) > 5
    for name in names:
        parse_type(name)
