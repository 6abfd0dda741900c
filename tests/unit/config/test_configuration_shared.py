"""A file and variables side by side: who supplies what, and no fault costs more than it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from connstat_sql.bootstrap import Setup, find_config, open_engine
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.cli import root
from connstat_sql.config.secrets import Resolver
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConfigError, ConnectionFailed, NotUsable
from connstat_sql.result import Options, Result
from tests.conftest import FakeClock
from tests.unit.config.test_configuration import LIBRARY, PLANT, write

PLANTS = """
[connections.north]
provider = "kafka_connect"
base_url = "http://north:8083"
[connections.south]
provider = "kafka_connect"
username = "ann"
password = "${SOUTH_PASSWORD}"
"""
NAMES = "SELECT _connection, name FROM kafka_connect.connect.connectors ORDER BY ALL"


def resolver(path: Path, name: str, **environment: str) -> Resolver:
    connection = Wiring(Setup(config=path), environment).connections[name]
    provider = LIBRARY.provider(connection.provider)
    assert provider is not None
    return Resolver(provider, connection, environment)


def opened(path: Path, answer: httpx.MockTransport, **environment: str) -> Engine:
    outside = EngineOptions(environment=environment, transport=answer, clock=FakeClock())
    return open_engine(Setup(config=path), outside)


def run(engine: Engine, sql: str, **options: Any) -> Result:
    *_, result = engine.run(sql, None, Options(**options))
    return result


def names(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=[f"of-{request.url.host}"])


# what a connection does not say


def test_what_a_connection_does_not_say_comes_from_the_variables_of_its_provider(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "connstat.toml", PLANTS)
    around = {
        "KAFKA_CONNECT_URL": "http://usual:8083",
        "KAFKA_CONNECT_USERNAME": "bob",
        "KAFKA_CONNECT_PASSWORD": "b-secret",
        "SOUTH_PASSWORD": "s-secret",
    }
    north, south = (resolver(path, name, **around) for name in ("north", "south"))
    assert north.base_url() == "http://north:8083"
    assert (north.setting("username"), north.setting("password")) == ("bob", "b-secret")
    assert south.base_url() == "http://usual:8083"
    assert (south.setting("username"), south.setting("password")) == ("ann", "s-secret")
    assert resolver(path, "north").auth().settings == ()  # and without them it needs no login


@pytest.mark.parametrize(
    ("table", "way"),
    [
        ('token = "t"', ("token",)),
        ('api_key = "k"', ("api_key", "api_secret")),
        ("", ("api_key", "api_secret")),
    ],
)
def test_the_way_that_a_connection_says_itself_goes_before_that_of_the_variables(
    tmp_path: Path, table: str, way: tuple[str, ...]
) -> None:
    text = f'[connections.cloud]\nprovider = "confluent"\n{table}\n'
    path = write(tmp_path / "connstat.toml", text)
    around = {"CONFLUENT_CLOUD_API_KEY": "other", "CONFLUENT_CLOUD_API_SECRET": "other"}
    assert resolver(path, "cloud", **around).auth().settings == way


def test_a_login_that_is_begun_is_not_finished_with_another_one(tmp_path: Path) -> None:
    text = '[connections.panda]\nprovider = "redpanda"\nclient_id = "i"\n'
    path = write(tmp_path / "connstat.toml", text)
    with pytest.raises(ConfigError, match="connection panda has no client_secret"):
        resolver(path, "panda", REDPANDA_TOKEN="t").auth()


@pytest.mark.parametrize(
    ("table", "says", "hint"),
    [
        ('provider = "aeontel"\nbase_url = "http://a"\n', "has no api_key: not in "
         "[connections.one], and AEONTEL_API_KEY is not set", "set AEONTEL_API_KEY, or"),
        ('provider = "confluent"\napi_key = "k"\n', "has no api_secret: not in [connections.one], "
         "and CONFLUENT_CLOUD_API_SECRET is not set", "or write api_secret in [connections.one]"),
        ('provider = "kafka_connect"\n', "has no base_url: not in [connections.one], "
         "and KAFKA_CONNECT_URL is not set", "set KAFKA_CONNECT_URL, or write base_url"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_the_places_that_were_looked_at(
    tmp_path: Path, table: str, says: str, hint: str
) -> None:
    path = write(tmp_path / "connstat.toml", f"[connections.one]\n{table}")
    look = resolver(path, "one")
    with pytest.raises(ConfigError) as caught:
        _ = (look.base_url(), look.auth())
    assert f"{path}: connection one {says}" == caught.value.message
    assert hint in caught.value.hint


def test_a_provider_that_the_file_leaves_out_is_told_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "connstat.toml", PLANTS)
    answer = httpx.MockTransport(names)
    with (
        closing(opened(path, answer, AEONTEL_API_KEY="k")) as engine,
        pytest.raises(ConfigError, match="aeontel has no connection in ") as caught,
    ):
        run(engine, "FROM aeontel.connectors.connectors")
    assert str(path) in caught.value.message
    assert "[connections.aeontel]" in caught.value.hint
    assert "set AEONTEL_API_KEY" not in caught.value.hint


@pytest.mark.parametrize(
    ("provider", "ways"),
    [
        ("kafka_connect", (("KAFKA_CONNECT_URL",),)),
        ("aeontel", (("AEONTEL_API_KEY",),)),
        ("confluent", (("CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET"),)),
        ("redpanda", (("REDPANDA_TOKEN",), ("REDPANDA_CLIENT_ID", "REDPANDA_CLIENT_SECRET"))),
    ],
)
def test_the_variables_that_suffice_are_no_more_than_are_needed(
    provider: str, ways: tuple[tuple[str, ...], ...]
) -> None:
    found = LIBRARY.provider(provider)
    assert found is not None
    assert found.ways_to_connect == ways


# one that cannot be used


def test_one_unset_variable_costs_one_connection(tmp_path: Path) -> None:
    path = write(tmp_path / "connstat.toml", PLANTS)
    answer = httpx.MockTransport(names)
    with closing(opened(path, answer, KAFKA_CONNECT_URL="http://usual:8083")) as engine:
        with pytest.raises(ConfigError, match=r"connection south needs .* SOUTH_PASSWORD"):
            run(engine, NAMES)
        alone = run(engine, "SELECT name FROM north.connect.connectors")
        assert alone.fetchall() == [("of-north",)]
        result = run(engine, NAMES, partial=True)
        assert result.fetchall() == [("north", "of-north")]
        (failure,) = result.errors
        assert isinstance(failure.error, NotUsable)
        assert failure.fetch.connection == failure.error.connection == "south"
        assert result.requests == 1
        told = run(engine, "SELECT connection, attempts, message FROM _errors").fetchall()
        assert told == [("south", 0, failure.error.message)]
        assert "SOUTH_PASSWORD" in failure.error.message
        with pytest.raises(ConfigError, match="SOUTH_PASSWORD"):  # there would be nothing left
            run(engine, "FROM south.connect.connectors", partial=True)


def test_on_the_command_line_it_is_a_partial_result(tmp_path: Path) -> None:
    away = PLANTS.replace("http://north:8083", "http://127.0.0.1:9")
    path = write(tmp_path / "connstat.toml", away)
    runner = CliRunner(env={"NO_COLOR": "1", "KAFKA_CONNECT_URL": "http://127.0.0.1:9"})
    found = runner.invoke(root, ["--config", str(path), "query", "--partial", NAMES])
    assert found.exit_code == 4
    assert "south cannot be used (1)" in found.stderr
    assert "south needs the environment variable SOUTH_PASSWORD, which is not set" in found.stderr


def test_who_refuses_is_looked_for_where_the_address_was_said(tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused") from ConnectionRefusedError()

    path = write(tmp_path / "connstat.toml", PLANTS)
    around = {"KAFKA_CONNECT_URL": "http://usual:8083", "SOUTH_PASSWORD": "s"}
    hints = []
    with closing(opened(path, httpx.MockTransport(refuse), **around)) as engine:
        for name in ("north", "south"):
            with pytest.raises(ConnectionFailed) as caught:
                run(engine, f"FROM {name}.connect.connectors")
            hints.append(caught.value.hint)
    assert hints == ["check base_url of the connection north", "check KAFKA_CONNECT_URL"]


# what is unwise


def test_clear_text_and_no_verifying_are_told_once_and_with_the_way_out(tmp_path: Path) -> None:
    text = """
[connections.open]
provider = "kafka_connect"
base_url = "http://open:8083"
username = "ann"
password = "hunter2-secret"
verify = false
headers = {X-Team = "a", X-Api-Key = "hunter2-secret"}
proxy = "http://ann:hunter2-secret@proxy:3128"
[connections.careful]
provider = "kafka_connect"
base_url = "http://careful:8083"
username = "ann"
password = "${SECRET}"
headers = {X-Api-Key = "${SECRET}"}
"""
    path = write(tmp_path / "connstat.toml", text)
    with closing(opened(path, httpx.MockTransport(names), SECRET="s")) as engine:
        first, second = run(engine, NAMES), run(engine, NAMES)
    notes = "\n".join(first.notes)
    assert [line.partition("connection ")[2].partition(";")[0] for line in first.notes] == [
        "open: `verify = false`: whoever is on the way to the server can read the credentials "
        "and change the answers",
        "open: `headers.X-Api-Key` stands in the file in clear text",
        "open: `password` stands in the file in clear text",
        "open: `proxy` stands in the file in clear text",
    ]
    assert '"${KAFKA_CONNECT_PASSWORD}"' in notes
    assert "hunter2" not in notes
    assert second.notes == ()
    doctor = CliRunner(env={"NO_COLOR": "1"}).invoke(
        root, ["--config", str(path), "doctor", "--timeout", "0.2"]
    )
    assert doctor.stderr.count("in clear text") == 3
    assert doctor.stderr.count("`verify = false`") == 1


def test_what_a_program_hands_in_is_its_own_matter() -> None:
    table = {**PLANT, "username": "ann", "password": "from-a-vault", "verify": False}
    assert Wiring(Setup(connections={"one": table}), {}).cautions == ()


# names


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("confluent", "called like the provider confluent"),
        ("Confluent", "called like the provider confluent"),
        ("inventory", "called like the provider inventory"),
        ("", "no name that can be written"),
        (" ", "no name that can be written"),
        ("a\nb", "no name that can be written"),
    ],
)
def test_a_name_that_would_mean_something_else_is_refused(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        _ = Wiring(Setup(connections={name: PLANT}), {}).connections


def test_a_connection_may_bear_the_name_of_its_own_provider() -> None:
    assert set(Wiring(Setup(connections={"Kafka_Connect": PLANT}), {}).connections)


# the file


def test_a_directory_of_the_files_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "connstat.toml").mkdir()
    with pytest.raises(ConfigError, match="is a directory"):
        find_config(None, {}, tmp_path / "user", tmp_path)
    with pytest.raises(ConfigError, match="is a directory"):
        find_config(tmp_path / "connstat.toml", {}, tmp_path / "user", tmp_path)


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "connstat.toml").symlink_to(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="there is no configuration file"):
        find_config(None, {}, tmp_path / "user", tmp_path)


LISTS = """
service: lists
description: One list
resources:
  lines:
    description: Its lines
    columns: {line: VARCHAR}
    methods:
      list:
        path: /lines
    example: SELECT line FROM mill.lists.lines
"""


def test_folders_of_definitions_stand_in_the_file_and_are_looked_for_beside_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "etc" / "more" / "mill"
    write(folder / "provider.yaml", "provider: mill\ndescription: A mill\n")
    write(folder / "lists.yaml", LISTS)
    text = '[providers]\npaths = ["more"]\n[connections.one]\nprovider = "mill"\n'
    path = write(tmp_path / "etc" / "connstat.toml", f'{text}base_url = "http://mill:1"\n')
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=[{"line": "a"}]))
    with closing(opened(path, answer)) as engine:
        assert run(engine, "SELECT line FROM one.lists.lines").fetchall() == [("a",)]
    listed = CliRunner().invoke(root, ["--config", str(path), "providers", "list"])
    assert "mill.lists.lines" in listed.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("providers = 1\n", r"\[providers\] is not a table"),
        ("[providers]\npath = ['a']\n", r"\[providers\]: unknown key `path`"),
        ("[providers]\npaths = 'a'\n", r"`paths` is not a list of folders"),
        ("[providers]\npaths = ['']\n", r"`paths` is not a list of folders"),
        ("[providers]\npaths = ['nowhere']\n", r"there is no folder .*nowhere"),
    ],
)
def test_folders_that_are_none_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "connstat.toml", text)
    around: Mapping[str, str] = {}
    with pytest.raises(ConfigError, match=says):
        _ = Wiring(Setup(config=path), around).library
