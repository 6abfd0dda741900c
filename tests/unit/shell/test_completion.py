"""What is offered where: SQL with a cursor mark, and the candidates that stand there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.definitions.model import TableName
from connstat_sql.executor import SeenValues
from connstat_sql.shell.completion import KnowingCompleter
from connstat_sql.shell.completion.metadata import Metadata
from tests.benchmarks.completing import complete, completer_of, no_saved, offered

CONNECTIONS = {
    "confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"},
    "plant_a": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:9"},
    "plant_b": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:9"},
}
STATUS = "confluent.connect.connector_status"


@pytest.fixture(scope="module")
def completer() -> Iterator[KnowingCompleter]:
    local = "CREATE TABLE owners AS SELECT 'a' AS connector, {'team': 'x', 'since': 1} AS who"
    with completer_of(Setup(connections=CONNECTIONS), local) as found:
        yield found


FIRST = {
    # columns of the tables in scope, also where FROM comes behind the cursor
    "SELECT | FROM confluent.connect.connectors": ["name", "id", "type"],
    "SELECT na| FROM confluent.connect.connectors": ["name", "connector_name"],
    "SELECT c.na| FROM confluent.connect.connectors c": ["name"],
    "SELECT connectors.na| FROM confluent.connect.connectors": ["name"],
    "SELECT na| FROM plant_a.connect.connectors": ["name"],
    'SELECT "na| FROM confluent.connect.connectors': ['name"'],
    "SELECT name, max(ty|) FROM confluent.connect.connectors": ["type"],
    "SELECT name FROM confluent.connect.connectors ORDER BY ty|": ["type"],
    "SELECT name AS label FROM confluent.connect.connectors ORDER BY la|": ["label"],
    "SELECT who.t| FROM owners": ["team"],
    "SELECT connector.st| FROM confluent.connect.connectors": ["state"],
    "SELECT unnest(tasks).st| FROM confluent.connect.connectors": ["state"],
    "SELECT tasks[1].st| FROM confluent.connect.connectors": ["state"],
    "SELECT u.task.st| FROM confluent.connect.connectors c, unnest(c.tasks) AS u(task)": ["state"],
    "SELECT connector.sta|": ["state"],
    "SELECT * EXCLUDE (confi|) FROM confluent.connect.connectors": ["config"],
    # through aliases, CTEs, derived tables, unions and subqueries
    "WITH s AS (SELECT * FROM confluent.connect.connectors) SELECT connector_n| FROM s": [
        "connector_name"
    ],
    "WITH s AS (SELECT name AS label FROM plant_a.connect.connectors) SELECT | FROM s": ["label"],
    "WITH s(one) AS (SELECT name FROM plant_a.connect.connectors) SELECT | FROM s": ["one"],
    "WITH a AS (SELECT connector AS c FROM plant_a.connect.connectors), b AS (SELECT * FROM a) "
    "SELECT c.st| FROM b": ["state"],
    "SELECT d.con| FROM (SELECT * EXCLUDE (config) FROM plant_a.connect.connectors) d": [
        "connector"
    ],
    "SELECT 1 FROM owners UNION ALL SELECT na| FROM plant_a.connect.connectors": ["name"],
    "SELECT 1 FROM owners o WHERE EXISTS (FROM plant_a.connect.connectors c WHERE o.con|": [
        "connector"
    ],
    "SELECT 1; SELECT na| FROM plant_a.connect.connectors; SELECT 2": ["name"],
    "explain analyze SELECT na| FROM plant_a.connect.connectors": ["name"],
    "SELECT /* na */ na| -- comment\nFROM plant_a.connect.connectors": ["name"],
    # tables: part by part, by the last part alone, by strewn letters, connections for providers
    "FROM connector_st|": [STATUS, "kafka_connect.connect.connector_status"],
    "FROM cst|": [STATUS, "kafka_connect.connect.connector_status"],
    "FROM conf|": ["confluent."],
    "FROM confluent.con|": ["connect."],
    "FROM confluent.connect.connector_st|": ["connector_status"],
    "FROM plant_a.connect.connector_st|": ["connector_status"],
    "FROM plant|": ["plant_a.", "plant_b."],
    "FROM own|": ["owners"],
    "FROM inv|": ["inventory."],
    "FROM inventory.connectors.connectors WHERE _connection = 'pl|": ["plant_a'", "plant_b'"],
    "WITH mine AS (SELECT 1) SELECT * FROM mi|": ["mine"],
    "FROM owners JOIN connector_st|": [STATUS],
    "SHOW SERVICES IN conf|": ["confluent"],
    "SHOW TABLES IN confluent.con|": ["connect"],
    "SHOW SER|": ["SERVICES IN"],
    "DESCRIBE connector_st|": [STATUS],
    "FROM read_c|": ["read_csv("],
    # what is still missing
    f"FROM {STATUS} |": ["WHERE environment_id = '"],
    f"FROM {STATUS} wh|": ["where environment_id = '", "where"],
    f"FROM {STATUS} WHERE |": ["environment_id = '", "kafka_cluster_id = '"],
    f"FROM {STATUS} WHERE environment_id = 'env-1' |": ["AND kafka_cluster_id = '"],
    f"FROM {STATUS} s JOIN owners o |": ["WHERE s.environment_id = '"],
    # joins
    "FROM confluent.org.environments e JOIN confluent.managed_kafka_clusters.clusters k ON |": [
        "k.environment = e.id"
    ],
    "FROM confluent.org.environments e JOIN confluent.managed_kafka_clusters.clusters k |": [
        "ON k.environment = e.id"
    ],
    f"FROM confluent.connect.connectors c JOIN {STATUS} s USING (|": [
        "environment_id", "kafka_cluster_id"
    ],
    # functions, keywords, parameters
    "SELECT regexp_extr|": ["regexp_extract(", "regexp_extract_all("],
    "SELECT root_ca|": ["root_cause("],
    "sel|": ["select"],
    "SELECT name |": ["FROM"],
    "SELECT name FROM plant_a.connect.connectors WHERE name IS |": ["NULL"],
    "SELECT name FROM plant_a.connect.connectors LEFT |": ["JOIN"],
    "SELECT $first, $f|": ["first"],
    "SELECT CAST(name AS va|) FROM plant_a.connect.connectors": ["varchar"],
    "SELECT name::TIMESTAMPT| FROM plant_a.connect.connectors": ["TIMESTAMPTZ"],
    # values
    "FROM plant_a.connect.connectors WHERE _connection = '|": ["plant_a'", "plant_b'"],
    "FROM plant_a.connect.connectors WHERE _connection = 'plant_a' AND _connection = '|'": [
        "plant_a", "plant_b"
    ],
}  # fmt: skip


@pytest.mark.parametrize(("marked", "first"), FIRST.items())
def test_the_likeliest_stands_first(
    completer: KnowingCompleter, marked: str, first: list[str]
) -> None:
    assert complete(completer, marked)[: len(first)] == first


NOTHING = (
    f"SELECT {'(' * 3000}na|",
    "SELECT 1 -- FROM conf|",
    "SELECT /* na| */ 1",
    "SELECT 'na|' FROM plant_a.connect.connectors",
    "SELECT 1 AS na| FROM plant_a.connect.connectors",
    "FROM plant_a.connect.connectors WHERE 1 = '|",
    "FROM plant_a.connect.connectors WHERE config['a'] = '|",
    "FROM nowhere.at.all WHERE name = '|",
    "SELECT nothing.| FROM plant_a.connect.connectors",
)


@pytest.mark.parametrize("marked", NOTHING)
def test_nothing_is_offered_where_nothing_is_known(
    completer: KnowingCompleter, marked: str
) -> None:
    assert complete(completer, marked) == []


@pytest.mark.parametrize(
    "given",
    [
        "WHERE environment_id = 'e' AND kafka_cluster_id = 'k' |",
        "WHERE kafka_cluster_id IN ('k') AND s.environment_id = 'e' |",
        "WHERE (environment_id, kafka_cluster_id) = ('e', 'k') AND environment_id = 'e' "
        "AND kafka_cluster_id = 'k' |",
    ],
)
def test_what_is_given_is_not_missing(completer: KnowingCompleter, given: str) -> None:
    assert not any("= '" in one for one in complete(completer, f"FROM {STATUS} s {given}"))


def test_joined_keys_are_given(completer: KnowingCompleter) -> None:
    sql = f"FROM confluent.connect.connectors c JOIN {STATUS} s "
    keys = "USING (environment_id, kafka_cluster_id) WHERE |"
    assert not any("= '" in one for one in complete(completer, sql + keys))


def test_required_parameters_are_marked(completer: KnowingCompleter) -> None:
    found = {one.text: one.display_meta_text for one in offered(completer, f"FROM {STATUS} |")}
    assert found["WHERE environment_id = '"] == "required"
    columns = {one.text: one for one in offered(completer, f"SELECT | FROM {STATUS}")}
    assert columns["environment_id"].display_meta_text.startswith("required · VARCHAR")
    tables = {one.text: one for one in offered(completer, "FROM connector_st|")}
    assert tables[STATUS].display_meta_text.startswith("needs environment_id, kafka_cluster_id")


def test_all_that_is_missing_is_shown_and_the_cursor_comes_into_the_first(
    completer: KnowingCompleter,
) -> None:
    first = offered(completer, f"FROM {STATUS} |")[0]
    assert first.display_text == "WHERE environment_id = '' AND kafka_cluster_id = ''"
    assert first.text == "WHERE environment_id = '"


def test_functions_show_how_they_are_called(completer: KnowingCompleter) -> None:
    found = offered(completer, "SELECT regexp_ful|")[0]
    assert found.display_meta_text == "regexp_full_match(string VARCHAR, regex VARCHAR) → BOOLEAN"


def test_columns_of_several_sources_are_told_apart(completer: KnowingCompleter) -> None:
    sql = "SELECT | FROM confluent.org.environments e JOIN plant_a.connect.connectors c ON true"
    found = complete(completer, sql)
    assert {"display_name", "name"} <= {*found}
    assert "c.name" not in found
    both = complete(completer, sql.replace("environments", "environments x, owners"))
    assert {"e.connector", "c.connector"} <= {*both}
    assert "connector" not in both


def test_names_that_need_quotes_get_them(completer: KnowingCompleter) -> None:
    sql = 'WITH t AS (SELECT 1 AS "order", 2 AS "a b") SELECT {} FROM t'
    assert complete(completer, sql.format("|"))[:2] == ['"order"', '"a b"']
    assert complete(completer, sql.format('"a|"'))[0] == "a b"


def test_the_word_before_the_cursor_is_what_is_replaced(completer: KnowingCompleter) -> None:
    (found,) = offered(completer, "FROM confluent.connect.connector_st|")[:1]
    assert (found.text, found.start_position) == ("connector_status", -len("connector_st"))


def test_queries_that_mention_each_other_often_are_looked_into_once(
    completer: KnowingCompleter,
) -> None:
    first = "c0 AS (SELECT * FROM plant_a.connect.connectors)"
    others = (
        f"c{number} AS (SELECT * FROM c{number - 1} JOIN c{number - 1} USING (name))"
        for number in range(1, 19)
    )
    marked = f"WITH {', '.join((first, *others))} SELECT na| FROM c18"
    assert complete(completer, marked)[:2] == ["name", "connector_name"]


def test_masked_columns_have_no_values(completer: KnowingCompleter) -> None:
    table = TableName("kafka_connect", "connect", "connectors")
    completer.values.take(SeenValues(table, ("config",), ("secret",)))
    assert complete(completer, "FROM plant_a.connect.connectors WHERE config = '|") == []


def test_a_fault_of_completion_is_no_fault_of_typing(caplog: pytest.LogCaptureFixture) -> None:
    from threading import RLock

    def broken() -> None:
        raise RuntimeError("no engine today")

    completer = KnowingCompleter(broken, RLock(), no_saved, {})
    assert complete(completer, "SELECT |") == []
    assert [one.name for one in caplog.records] == ["connstat_sql.shell.completion.completer"]


def test_before_there_is_an_engine_keywords_are_offered() -> None:
    from threading import RLock

    completer = KnowingCompleter(lambda: None, RLock(), no_saved, {})
    assert complete(completer, "SEL|") == ["SELECT"]
    assert complete(completer, "FROM conf|") == []


def test_a_service_is_read_when_it_is_named(completer: KnowingCompleter) -> None:
    unread = Metadata(completer.learner.known().catalog)
    assert unread.tables == ()
    assert unread.table(("plant_a", "connect", "connectors")) is not None
