"""Connections: where they come from, what is wrong with them, and that no secret shows."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.limits import RequestLimit
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import Limits
from connstat_sql.engine import EngineOptions
from connstat_sql.errors import ConfigError
from connstat_sql.transport import ClientOptions, Connection, build_connection
from tests.conftest import FakeClock, engine_of

LIBRARY = Library([shipped_providers()])
SECRET = "hunter2-very-secret"
PLANT = {"provider": "kafka_connect", "base_url": "http://127.0.0.1:9"}


def built(table: Mapping[str, Any], name: str = "one") -> Connection:
    return find_connections(Setup(connections={name: table}), LIBRARY, {})[name]


def refusal(table: Mapping[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        built(table)
    assert SECRET not in f"{caught.value}{caught.value.hint}"
    return caught.value


def resolver(connection: Connection, **environment: str) -> Resolver:
    provider = LIBRARY.provider(connection.provider)
    assert provider is not None
    return Resolver(provider, connection, environment)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


ONE = '[connections.one]\nprovider = "kafka_connect"\nbase_url = "http://one:8083"\n'


# what a connection says


def test_names_that_differ_only_in_case_are_two_connections_of_one_name() -> None:
    with pytest.raises(ConfigError, match="two connections are called Plant"):
        find_connections(Setup(connections={"plant": PLANT, "Plant": PLANT}), LIBRARY, {})


@pytest.mark.parametrize(
    ("table", "says", "hints"),
    [
        ({"provider": "confluentt"}, "unknown provider `confluentt`", "did you mean `confluent`"),
        ({"provider": "xyz"}, "unknown provider `xyz`", "kafka_connect"),
        ({"base_url": "http://one"}, "does not say its `provider`", "kafka_connect"),
        ({**PLANT, "pasword": SECRET}, "unknown key `pasword`", "`password`"),
        ({**PLANT, "zzz": SECRET}, "unknown key `zzz`", "known: base_url"),
        ({**PLANT, "password": 5}, "`password` is not text", ""),
        ({**PLANT, "verify": "no"}, "`verify` is not true or false", ""),
        ({**PLANT, "headers": ["X: 1"]}, "`headers` is not a table", ""),
        ({**PLANT, "headers": {"X": [1]}}, "`headers.X` is not text", ""),
        ({**PLANT, "headers": {"X Y": "1"}}, "`X Y` is not the name of a header", ""),
        ({**PLANT, "trusted_hosts": "a.example"}, "`trusted_hosts` is not a list", ""),
        ({**PLANT, "trusted_hosts": [1]}, "`trusted_hosts` holds something else than text", ""),
        ({**PLANT, "trusted_hosts": ["https://a"]}, "`https://a` is not a host", "a.example"),
        ({**PLANT, "max_concurrency": True}, "`max_concurrency` is not a whole number", ""),
        ({**PLANT, "max_concurrency": 1.5}, "`max_concurrency` is not a whole number", ""),
        ({**PLANT, "max_concurrency": 0}, "`max_concurrency` is below 1", ""),
        ({**PLANT, "rate": "5"}, "`rate` is not a number", ""),
        ({**PLANT, "rate": 0}, "`rate` is not above 0", ""),
        ({**PLANT, "host_concurrency": 0}, "`host_concurrency` is below 1", ""),
        ({**PLANT, "host_rate": -1}, "`host_rate` is not above 0", "requests a second"),
        ({**PLANT, "timeout": 0}, "`timeout` is not above 0", "in seconds"),
        ({**PLANT, "timeout": "0s"}, "`timeout` is not above 0", "in seconds"),
        ({**PLANT, "connect_timeout": True}, "`connect_timeout` is not a number", ""),
        ({**PLANT, "max_age": "5 parsecs"}, "`max_age`: '5 parsecs' is no duration", ""),
        ({**PLANT, "max_age": -1}, "`max_age` is below 0", "in seconds"),
        ({**PLANT, "max_age": True}, "`max_age` is not a number", ""),
        ({**PLANT, "max_agee": 1}, "unknown key `max_agee`", "`max_age`"),
        ({**PLANT, "families": [1]}, "`families` is not a table", ""),
        ({**PLANT, "families": {"m": {}}}, "the family `m`, which kafka_connect does not", "none"),
        ({**PLANT, "ca_file": 1}, "`ca_file` is not text", ""),
        ({**PLANT, "client_key": "k"}, "`client_key` without `client_cert`", ""),
        ({**PLANT, "password": "${}"}, "`password` holds a reference", "${NAME}"),
        ({**PLANT, "password": "${A B}"}, "`password` holds a reference", "${NAME}"),
        ({**PLANT, "password": f"${{{SECRET}"}, "`password` holds a reference", "${NAME}"),
        ({**PLANT, "proxy": "ftp://p"}, "proxy is not an http or https URL", ""),
        ({**PLANT, "base_url": "http://plant]b"}, "base_url is not an http or https URL", ""),
        ({**PLANT, "base_url": "http://pl%61nt"}, "base_url is not an http or https URL", ""),
        ({**PLANT, "base_url": "http://a;b"}, "base_url is not an http or https URL", ""),
    ],
)
def test_a_fault_of_a_connection_names_connection_key_and_next_step(
    table: Mapping[str, Any], says: str, hints: str
) -> None:
    error = refusal(table)
    assert says in error.message
    assert "connection one" in error.message
    assert hints in error.hint


@pytest.mark.parametrize(
    "url",
    [
        *("connect:8083", "ftp://connect", "http://", "http:///x", "http://a b", "http://a\tb"),
        *("http://a:99999", "http://a:b", "http://[::1", "//connect", "http://a\\b", "http://a%00"),
        *("http://a/?x=1", "http://a/#x", "http://a/b/../c", "http://é\ud800/"),
    ],
)
def test_a_base_url_must_be_a_plain_http_url(url: str) -> None:
    assert "base_url" in refusal({**PLANT, "base_url": url}).message


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@connect:8083",
        f"http://user:a/{SECRET}@connect:8083",
        f"http://user:{SECRET}@x@connect:8083",
        f"http://{SECRET}@connect",
        f"user:{SECRET}@connect:8083",
        f"ftp://user:{SECRET}@connect:8083",
    ],
)
def test_a_login_inside_a_url_is_refused_and_not_repeated(url: str) -> None:
    for key in ("base_url", "token_url"):
        error = refusal({"provider": "redpanda", "token": "t", key: url})
        assert key in error.message


def test_a_url_from_a_variable_is_checked_and_its_value_not_repeated() -> None:
    connection = built({**PLANT, "base_url": "${URL}"})
    with pytest.raises(ConfigError, match="base_url") as caught:
        resolver(connection, URL=SECRET).base_url()
    assert SECRET not in str(caught.value)
    assert "${URL}" in caught.value.message
    assert resolver(connection, URL="http://plant:8083/").base_url() == "http://plant:8083"


def test_kafka_connect_without_a_base_url_says_so_when_it_is_used() -> None:
    with (
        engine_of({"plant": {"provider": "kafka_connect"}}) as engine,
        pytest.raises(ConfigError, match="connection plant has no base_url") as caught,
    ):
        list(engine.run("SELECT * FROM plant.connect.worker"))
    assert "KAFKA_CONNECT_URL" in caught.value.hint


def family(tables: object) -> Connection:
    """A connection with these limits of families, of a provider that has two."""
    provider = LIBRARY.provider("kafka_connect")
    assert provider is not None
    limits = Limits(families={"metrics": RequestLimit(2), "costs": RequestLimit(1)})
    table = {**PLANT, "families": tables}
    return build_connection("one", table, replace(provider, limits=limits), "here", ())


def test_a_connection_may_set_the_limits_of_families_that_its_provider_has() -> None:
    found = family({"metrics": {"max_concurrency": 1, "rate": 0.5}, "costs": {}})
    assert found.families == {"metrics": RequestLimit(1, 0.5), "costs": RequestLimit()}


@pytest.mark.parametrize(
    ("tables", "says", "hint"),
    [
        ({"metric": {}}, "the family `metric`, which kafka_connect", "did you mean `metrics`?"),
        ({"metrics": 1}, "`families.metrics` is not a table", ""),
        ({"metrics": {"rates": 1}}, "unknown key `families.metrics.rates`", "`rate`"),
        ({"metrics": {"rate": 0}}, "`families.metrics.rate` is not above 0", "a second"),
        ({"metrics": {"max_concurrency": 0}}, "`families.metrics.max_concurrency` is below 1", ""),
    ],
)
def test_a_fault_of_a_familys_limits_names_its_place(tables: object, says: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        family(tables)
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_numbers_of_a_connection_are_carried_as_they_are_written() -> None:
    given = {
        "max_concurrency": 3, "rate": 2.5, "host_concurrency": 4, "host_rate": 5, "timeout": 7,
        "connect_timeout": 1.5, "max_age": 0,
    }  # fmt: skip
    found = built({**PLANT, **given})
    assert {name: getattr(found, name) for name in given} == given
    assert built(PLANT).max_age is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(7, 7), (0.25, 0.25), ("5", 5), ("5s", 5), ("250ms", 0.25), ("1m30s", 90)],
)
def test_a_time_is_written_as_options_take_it(written: float | str, seconds: float) -> None:
    found = built({**PLANT, **dict.fromkeys(("timeout", "connect_timeout", "max_age"), written)})
    assert (found.timeout, found.connect_timeout, found.max_age) == (seconds,) * 3


@pytest.mark.parametrize("none", [0, "0", "0s"])
def test_an_age_may_be_none(none: int | str) -> None:
    assert built({**PLANT, "max_age": none}).max_age == 0


# references


def test_references_are_resolved_from_environment_and_files(tmp_path: Path) -> None:
    mounted = write(tmp_path / "secret", f"{SECRET}\n")
    connection = built(
        {**PLANT, "username": "u-${USER_NAME}-x", "password": f"${{file:{mounted}}}"}
    )
    values = resolver(connection, USER_NAME="ann")
    assert values.setting("username") == "u-ann-x"
    assert values.setting("password") == SECRET


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named_when_its_connection_is_used(
    value: str | None,
) -> None:
    table = {**PLANT, "username": "ann", "password": "${PLANT_PASSWORD}"}
    environment = {} if value is None else {"PLANT_PASSWORD": value}
    other = {**PLANT, "base_url": "http://127.0.0.1:9"}
    with engine_of({"plant": table, "other": other}, environment=environment) as engine:
        with pytest.raises(ConfigError, match="PLANT_PASSWORD") as caught:
            list(engine.run("SELECT * FROM plant.connect.worker"))
        assert "connection plant" in caught.value.message
        assert "PLANT_PASSWORD" in caught.value.hint
        list(engine.run("SELECT 1"))


@pytest.mark.parametrize(
    "password", ["", "${file:%s}", "line\r\nX-Injected: 1", "nul\x00", "${file:/nowhere/at/all}"]
)
def test_an_empty_missing_or_broken_password_is_never_sent(tmp_path: Path, password: str) -> None:
    empty = write(tmp_path / "empty", "\n")
    if "%s" in password:
        password %= empty
    with (
        engine_of({"plant": {**PLANT, "username": "ann", "password": password}}) as engine,
        pytest.raises(ConfigError, match="connection plant") as caught,
    ):
        list(engine.run("SELECT * FROM plant.connect.worker"))
    assert "Injected" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({**PLANT, "username": "ann"}, "password is not set|KAFKA_CONNECT_PASSWORD is not set"),
        ({"provider": "confluent", "api_key": "k"}, "CONFLUENT_CLOUD_API_SECRET is not set"),
        ({"provider": "redpanda", "client_id": "i"}, "REDPANDA_CLIENT_SECRET is not set"),
        ({"provider": "aeontel"}, "AEONTEL_API_KEY is not set"),
    ],
)
def test_half_a_login_is_an_error_that_names_the_other_half(
    table: Mapping[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        resolver(built(table)).auth()


@pytest.mark.parametrize("headers", [{"X-Key": "a\r\nb"}, {"X-Key": "schlüssel"}])
def test_a_header_that_cannot_be_sent_is_a_configuration_error(headers: dict[str, str]) -> None:
    with (
        engine_of({"plant": {**PLANT, "headers": headers}}) as engine,
        pytest.raises(ConfigError, match="X-Key") as caught,
    ):
        list(engine.run("SELECT * FROM plant.connect.worker"))
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize("key", ["ca_file", "client_cert"])
def test_tls_files_that_cannot_be_read_are_a_configuration_error(key: str) -> None:
    with (
        engine_of({"plant": {**PLANT, key: "/nowhere/x.pem"}}) as engine,
        pytest.raises(ConfigError, match=r"connection plant.*x\.pem"),
    ):
        list(engine.run("SELECT * FROM plant.connect.worker"))


def test_tls_files_are_looked_for_beside_the_configuration_file(tmp_path: Path) -> None:
    path = write(tmp_path / "etc" / "connstat.toml", ONE + 'ca_file = "ca.pem"\n')
    found = find_connections(Setup(config=path), LIBRARY, {})["one"]
    assert found.ca_file == str(tmp_path / "etc" / "ca.pem")


# connections that the environment makes


def test_without_a_file_a_provider_whose_variables_are_set_has_one_connection(
    tmp_path: Path,
) -> None:
    environment = {
        "CONFLUENT_CLOUD_API_KEY": "k",
        "CONFLUENT_CLOUD_API_SECRET": SECRET,
        "KAFKA_CONNECT_URL": "http://plant:8083",
        "AEONTEL_API_KEY": "",
    }
    found = find_connections(Setup(user=tmp_path, here=tmp_path), LIBRARY, environment)
    assert set(found) == {"confluent", "kafka_connect"}
    assert resolver(found["kafka_connect"], **environment).base_url() == "http://plant:8083"
    assert resolver(found["confluent"], **environment).setting("api_secret") == SECRET
    half = find_connections(
        Setup(user=tmp_path, here=tmp_path), LIBRARY, {"CONFLUENT_CLOUD_API_KEY": "k"}
    )
    with pytest.raises(ConfigError, match="CONFLUENT_CLOUD_API_SECRET is not set"):
        resolver(half["confluent"], CONFLUENT_CLOUD_API_KEY="k").auth()


def test_a_file_replaces_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path / "connstat.toml", ONE)
    environment = {"AEONTEL_API_KEY": "k"}
    assert set(find_connections(Setup(config=path), LIBRARY, environment)) == {"one"}


def test_opening_an_engine_reads_no_secret(tmp_path: Path) -> None:
    missing = f"${{file:{tmp_path / 'missing'}}}"
    with engine_of({"plant": {**PLANT, "username": "${NOPE}", "password": missing}}) as engine:
        assert list(engine.run("SELECT 1"))


# nothing shows a secret


def test_no_repr_shows_a_secret() -> None:
    table = {
        **PLANT,
        "username": "ann",
        "password": SECRET,
        "headers": {"X-Key": SECRET},
        "proxy": f"http://ann:{SECRET}@proxy:3128",
    }
    setup = Setup(connections={"plant": table})
    door = ClientOptions(FakeClock(), {"PASSWORD": SECRET})
    found = find_connections(setup, LIBRARY, {})
    engine = open_engine(setup, EngineOptions(environment={}))
    try:
        client = engine.clients.open("plant")
        shown = [setup, door, found, resolver(found["plant"], P=SECRET), client, engine]
        for one in (*shown, engine.clients, *vars(client).values()):
            assert SECRET not in repr(one)
            assert SECRET not in str(one)
    finally:
        engine.close()
