"""What statements cost, in requests: each answer is that of full copies, at the price named here.

The organisation has 25 environments with 2 Kafka clusters each, 40 connectors in every cluster.
The price is the least that a careful engineer could find by hand.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.result import Result
from tests.conftest import engine_of
from tests.requests.copies import copies
from tests.requests.organisation import CONNECTIONS, Organisation
from tests.tabled import over

ENVIRONMENTS = "confluent.org.environments"
CLUSTERS = "confluent.managed_kafka_clusters.clusters"
CONNECTORS = "confluent.connect.connectors"
STATUS = "confluent.connect.connector_status"
CONFIG = "confluent.connect.connector_config"
PLANT = "kafka_connect.connect"
IN_1 = "environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1-1'"
FIVE = "'orders-001', 'orders-007', 'orders-019', 'orders-040', 'nobody'"
CHAIN = f"""
  SELECT e.display_name, c.name, s.connector.state FROM {ENVIRONMENTS} e
  JOIN {CLUSTERS} k ON k.environment = e.id
  JOIN {CONNECTORS} c ON c.environment_id = e.id AND c.kafka_cluster_id = k.id
  LEFT JOIN {STATUS} s
    ON (s.environment_id, s.kafka_cluster_id, s.connector_name) = (e.id, k.id, c.name)
"""

# --- the table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A statement, and how many requests it costs; `{files}` is a folder of files."""

    sql: str
    requests: int
    why: str = ""


CASES = {
    # --- walks through the organisation
    "the chain": Case(CHAIN, 76, "1 list of environments, 25 of clusters, 50 of connectors"),
    "the chain in one environment": Case(f"{CHAIN} WHERE e.id = 'env-1'", 4, "1 + 1 + 2"),
    "the chain in two environments": Case(f"{CHAIN} WHERE e.id IN ('env-3', 'env-9')", 7),
    "the chain in one cluster": Case(f"{CHAIN} WHERE e.id = 'env-1' AND k.id = 'lkc-1-2'", 3),
    "the chain by a name that the first list gives": Case(
        f"{CHAIN} WHERE e.display_name = 'team 6'", 1 + 3 + 6, "3 of 25 environments are of team 6"
    ),
    "the chain by a cloud that the second list gives": Case(
        f"{CHAIN} WHERE k.cloud = 'AWS'", 1 + 25 + 25
    ),
    "all names": Case(f"SELECT name FROM {CONNECTORS}", 76),
    "all connectors counted": Case(f"SELECT count(*) FROM {CONNECTORS}", 76),
    "all statuses": Case(f"SELECT connector.state, count(*) FROM {STATUS} GROUP BY ALL", 76),
    "all names of an environment": Case(
        f"SELECT kafka_cluster_id, name FROM {CONNECTORS} WHERE environment_id = 'env-2'", 3
    ),
    # --- constants
    "one connector": Case(f"SELECT type FROM {CONNECTORS} WHERE {IN_1} AND name = 'orders-003'", 1),
    "one status": Case(
        f"SELECT connector.state FROM {STATUS} WHERE {IN_1} AND connector_name = 'orders-003'", 1
    ),
    "five named connectors of a cluster": Case(
        f"SELECT name, type, config FROM {CONNECTORS} WHERE {IN_1} AND connector_name IN ({FIVE})",
        1,
    ),
    "five named statuses of a cluster": Case(
        f"SELECT name, connector.state FROM {STATUS} WHERE {IN_1} AND connector_name IN ({FIVE})", 1
    ),
    "two tuples": Case(
        f"SELECT environment_id, name FROM {CONNECTORS} WHERE (environment_id, kafka_cluster_id) "
        "IN (('env-1', 'lkc-1-1'), ('env-2', 'lkc-2-2'))",
        2,
    ),
    "two lists, of which two pairs do not exist": Case(
        f"SELECT environment_id, kafka_cluster_id, name FROM {CONNECTORS} "
        "WHERE environment_id IN ('env-1', 'env-2') AND kafka_cluster_id IN ('lkc-1-1', 'lkc-2-2')",
        4,
    ),
    "a contradiction": Case(
        f"SELECT * FROM {CONNECTORS} WHERE {IN_1} AND environment_id = 'env-2'", 0
    ),
    "nothing is wanted": Case(f"SELECT name FROM {CONNECTORS} WHERE {IN_1} AND false", 0),
    "a NULL is nobody's key": Case(f"SELECT name FROM {CONNECTORS} WHERE environment_id = NULL", 0),
    # --- one request for several mentions
    "a self join": Case(
        f"SELECT a.name, b.name FROM {CONNECTORS} a JOIN {CONNECTORS} b "
        "USING (environment_id, kafka_cluster_id, type) "
        "WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1-1' AND a.name < b.name",
        1,
    ),
    "connectors with their statuses": Case(
        f"SELECT c.name, c.config['tasks.max'], s.connector.state FROM {CONNECTORS} c "
        f"JOIN {STATUS} s USING (environment_id, kafka_cluster_id, connector_name) WHERE {IN_1}",
        1,
        "one list of everything",
    ),
    "connectors with statuses and settings": Case(
        f"SELECT c.name, c.id, s.connector.state, g.config['tasks.max'] FROM {CONNECTORS} c "
        f"JOIN {STATUS} s USING (environment_id, kafka_cluster_id, connector_name) "
        f"JOIN {CONFIG} g USING (environment_id, kafka_cluster_id, connector_name) WHERE {IN_1}",
        1,
    ),
    "connectors that are not running": Case(
        f"SELECT c.name FROM {CONNECTORS} c LEFT JOIN {STATUS} s ON c.name = s.connector_name "
        "AND s.environment_id = c.environment_id AND s.kafka_cluster_id = c.kafka_cluster_id "
        "AND s.connector.state = 'RUNNING' "
        "WHERE c.environment_id = 'env-1' AND c.kafka_cluster_id = 'lkc-1-1' AND s.name IS NULL",
        1,
    ),
    "connectors for which a status exists": Case(
        f"SELECT c.name FROM {CONNECTORS} c WHERE {IN_1} AND EXISTS (SELECT 1 FROM {STATUS} s "
        "WHERE s.environment_id = c.environment_id AND s.kafka_cluster_id = c.kafka_cluster_id "
        "AND s.connector_name = c.name AND s.connector.state = 'FAILED')",
        1,
    ),
    "a branch of a union that is mentioned twice": Case(
        f"SELECT name FROM {CONNECTORS} WHERE {IN_1} "
        f"UNION ALL SELECT type FROM {CONNECTORS} WHERE {IN_1}",
        1,
    ),
    # --- values from elsewhere
    "statuses of the clusters that a subquery gives": Case(
        f"SELECT name, connector.state FROM {STATUS} WHERE environment_id = 'env-4' "
        f"AND kafka_cluster_id IN (SELECT id FROM {CLUSTERS} WHERE environment = 'env-4')",
        3,
    ),
    "owners out of a file": Case(
        f"SELECT o.owner, s.name, s.connector.state FROM read_csv('{{files}}/owners.csv') o "
        f"JOIN {STATUS} s ON s.connector_name = lower(o.connector) "
        "WHERE s.environment_id = 'env-1' AND s.kafka_cluster_id = "
        f"(SELECT max(id) FROM {CLUSTERS} WHERE environment = 'env-1')",
        2,
    ),
    "drift between a file and what is deployed": Case(
        f"SELECT connector_name, key, w.value, d.value FROM read_json('{{files}}/wanted.json') w "
        f"FULL JOIN {PLANT}.connector_config d USING (connector_name, key) "
        "WHERE w.value IS DISTINCT FROM d.value",
        1,
    ),
    # --- nothing that is not used
    "settings alone": Case(f"SELECT config['tasks.max'] FROM {CONNECTORS} WHERE {IN_1}", 1),
    "all of a plant": Case(
        f"SELECT name, c.config, s.tasks FROM {PLANT}.connectors c "
        f"JOIN {PLANT}.connector_status s USING (connector_name, name)",
        2,
    ),
    "details that are not used": Case("SELECT id, name FROM redpanda.controlplane.clusters", 1),
    "details are nothing to count": Case("SELECT count(*) FROM redpanda.controlplane.clusters", 1),
    "details that are used": Case(
        "SELECT id, dataplane_api_url FROM redpanda.controlplane.clusters", 1 + 25
    ),
    "details of a single row": Case(
        "SELECT dataplane_api_url FROM redpanda.controlplane.clusters WHERE id = 'rp-003'", 1
    ),
}


# --- running them --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """The rows of an answer, how often each, and the requests and notes that came with it."""

    rows: Counter[str]
    sent: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Open:
    """An organisation, an engine over it, and full copies of its tables."""

    world: Organisation
    engine: Engine = field(repr=False)
    full: duckdb.DuckDBPyConnection = field(repr=False)
    files: Path = field(repr=False)
    _asked: dict[str, Asked] = field(default_factory=dict, repr=False)

    def case(self, name: str) -> Asked:
        """What came of a case, which is asked once."""
        if name not in self._asked:
            result = self.answer(CASES[name].sql)
            self._asked[name] = Asked(counted(result), (*self.sent,), result.notes)
        return self._asked[name]

    def answer(self, sql: str) -> Result:
        """What the engine answers; `sent` are then the requests of this statement."""
        self.world.sent.clear()
        [result] = self.engine.run(self._filled(sql))
        return result

    def expected(self, sql: str) -> Result:
        """What DuckDB answers over full copies."""
        return Result(self.full.sql(self._filled(sql)).to_arrow_table(), has_rows=True)

    @property
    def sent(self) -> list[str]:
        """The requests since `answer` began."""
        return self.world.sent

    def _filled(self, sql: str) -> str:
        return sql.replace("{files}", str(self.files))


def opened(world: Organisation, files: Path) -> Iterator[Open]:
    """An engine that has asked what the plugins declare, once for all statements."""
    with engine_of(CONNECTIONS, transport=world.transport) as engine, copies(world) as full:
        [*engine.run(f"SELECT config FROM {PLANT}.connectors")]
        world.sent.clear()
        yield Open(world, engine, full, files)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    owners = "connector,owner\nOrders-001,ann\nORDERS-040,bob\nnobody,cid\n"
    (folder / "owners.csv").write_text(owners, "utf-8")
    wanted = [
        {"connector_name": "billing", "key": "tasks.max", "value": "99"},
        {"connector_name": "billing", "key": "name", "value": "billing"},
        {"connector_name": "gone", "key": "name", "value": "gone"},
    ]
    (folder / "wanted.json").write_text(json.dumps(wanted), "utf-8")
    return folder


@pytest.fixture(scope="module")
def usual(files: Path) -> Iterator[Open]:
    yield from opened(Organisation(), files)


def counted(result: Result) -> Counter[str]:
    return Counter(map(repr, result))


@over("name", CASES)
def test_the_answer_is_that_of_full_copies(usual: Open, name: str) -> None:
    assert usual.case(name).rows == counted(usual.expected(CASES[name].sql))


@over("name", CASES)
def test_the_price_is_the_least_possible(usual: Open, name: str) -> None:
    assert len(usual.case(name).sent) == CASES[name].requests, CASES[name].why


@over("name", CASES)
def test_no_request_is_sent_twice(usual: Open, name: str) -> None:
    assert [url for url, times in Counter(usual.case(name).sent).items() if times > 1] == []


@over("name", CASES)
def test_explaining_sends_nothing(usual: Open, name: str) -> None:
    usual.answer(f"EXPLAIN {CASES[name].sql}")
    assert usual.sent == []


def test_most_cases_answer_with_rows(usual: Open) -> None:
    """An empty answer would agree with much."""
    empty = [name for name, one in CASES.items() if not usual.expected(one.sql).table.num_rows]
    assert empty == ["a contradiction", "nothing is wanted", "a NULL is nobody's key"]


def test_pairs_that_do_not_exist_are_told_in_a_note(usual: Open) -> None:
    asked = usual.case("two lists, of which two pairs do not exist")
    assert asked.notes == (f"{CONNECTORS}: 2 of 4 requests found no such row",)


# --- the lightest answer -------------------------------------------------------------------------


@over(
    ("columns", "expand"),
    [
        ("name", None),
        ("connector_name, environment_id", None),
        ("count(*)", None),
        ("id, name", "id"),
        ("connector.state", "status"),
        ("type, len(tasks)", "status"),
        ("config['tasks.max']", "info"),
        ("len(task_ids), type", "info"),
        ("id, connector.state", "info,status,id"),
        ("config, tasks", "info,status,id"),
        ("*", "info,status,id"),
    ],
)
def test_a_list_is_asked_for_no_more_than_is_used(
    usual: Open, columns: str, expand: str | None
) -> None:
    sql = f"SELECT {columns} FROM {CONNECTORS} WHERE {IN_1}"
    assert counted(usual.answer(sql)) == counted(usual.expected(sql))
    assert [httpx.URL(url).params.get("expand") for url in usual.sent] == [expand]


@over(
    ("columns", "expand"),
    [
        ("name", []),
        ("type, connector.state", ["status"]),
        ("config", ["info"]),
        ("*", ["status", "info"]),
    ],
)
def test_so_is_a_list_that_repeats_the_word(usual: Open, columns: str, expand: list[str]) -> None:
    sql = f"SELECT {columns} FROM {PLANT}.connectors"
    assert counted(usual.answer(sql)) == counted(usual.expected(sql))
    asked = [httpx.URL(url).params.get_list("expand") for url in usual.sent]
    names: list[list[str]] = [[]] if "status" in expand else []  # of those that have no status
    assert asked == [expand, *names]


# --- larger ones ---------------------------------------------------------------------------------


def test_connectors_with_statuses_of_a_thousand_are_one_request(files: Path) -> None:
    sql = CASES["connectors with their statuses"].sql
    for large in opened(Organisation(environments=1, clusters=1, connectors=1000), files):
        found = large.answer(sql)
        assert counted(found) == counted(large.expected(sql))
        assert found.table.num_rows == 1000
        assert len(large.sent) == 1


@pytest.fixture(scope="module")
def wide(files: Path) -> Iterator[Open]:
    """250 environments: three pages of a hundred."""
    yield from opened(Organisation(environments=250, clusters=1, connectors=1), files)


def test_a_list_is_read_to_its_end(wide: Open) -> None:
    assert wide.answer(f"SELECT id FROM {ENVIRONMENTS}").table.num_rows == 250
    assert len(wide.sent) == 3


@over(
    ("limit", "rows", "size"),
    [("LIMIT 5", 5, 5), ("LIMIT 3 OFFSET 2", 3, 5), ("LIMIT 2 + 3", 5, 5), ("LIMIT 100", 100, 100)],
)
def test_a_limit_asks_for_one_page_that_has_enough(
    wide: Open, limit: str, rows: int, size: int
) -> None:
    found = wide.answer(f"SELECT id FROM {ENVIRONMENTS} {limit}")
    assert len({*found}) == found.table.num_rows == rows
    assert {*found} <= {*wide.expected(f"SELECT id FROM {ENVIRONMENTS}")}
    assert [httpx.URL(url).params["page_size"] for url in wide.sent] == [str(size)]


@over(
    ("sql", "requests"),
    [
        (f"SELECT EXISTS (SELECT * FROM {ENVIRONMENTS})", 1),
        (f"SELECT 1 WHERE EXISTS (SELECT id FROM {ENVIRONMENTS})", 1),
        (f"SELECT 1 WHERE NOT EXISTS (FROM {ENVIRONMENTS})", 1),
        (f"SELECT (SELECT 1 FROM {ENVIRONMENTS} LIMIT 1)", 1),
        (f"SELECT (SELECT count(*) FROM (SELECT 1 FROM {ENVIRONMENTS} LIMIT 3))", 1),
        (f"SELECT id FROM (SELECT id FROM {ENVIRONMENTS} LIMIT 5) "
         f"WHERE 2 = (SELECT count(*) FROM (SELECT id FROM {ENVIRONMENTS} LIMIT 2))", 2),
        # not where every row may be the one
        (f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {ENVIRONMENTS} WHERE display_name = 'x')", 3),
        (f"SELECT 1 WHERE EXISTS (SELECT count(*) FROM {ENVIRONMENTS} HAVING count(*) = 250)", 3),
        (f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {ENVIRONMENTS} OFFSET 220)", 3),
    ],
)  # fmt: skip
def test_where_some_rows_are_enough_paging_stops(wide: Open, sql: str, requests: int) -> None:
    assert wide.answer(sql).table.num_rows == wide.expected(sql).table.num_rows
    assert len(wide.sent) == requests


def test_a_limit_may_be_a_parameter(wide: Open) -> None:
    wide.sent.clear()
    [found] = wide.engine.run(f"SELECT id FROM {ENVIRONMENTS} LIMIT $n", {"n": 7})
    assert found.table.num_rows == 7
    assert len(wide.sent) == 1


def test_a_limit_beyond_the_first_page_reads_the_second(wide: Open) -> None:
    assert wide.answer(f"SELECT id FROM {ENVIRONMENTS} LIMIT 150").table.num_rows == 150
    assert len(wide.sent) == 2


def test_a_limit_of_nothing_asks_for_nothing(wide: Open) -> None:
    assert list(wide.answer(f"SELECT id FROM {ENVIRONMENTS} LIMIT 0")) == []
    assert wide.sent == []


@over(
    "sql",
    [
        f"SELECT id FROM {ENVIRONMENTS} ORDER BY display_name DESC, id LIMIT 5",
        f"SELECT DISTINCT display_name FROM {ENVIRONMENTS} LIMIT 7",
        f"SELECT id FROM {ENVIRONMENTS} WHERE id = 'env-250' LIMIT 1",
        f"SELECT count(*) FROM {ENVIRONMENTS} LIMIT 1",
        f"SELECT id FROM {ENVIRONMENTS} QUALIFY row_number() OVER (ORDER BY id DESC) = 1 LIMIT 1",
        f"SELECT e.id FROM {ENVIRONMENTS} e JOIN (SELECT 'env-250' AS id) USING (id) LIMIT 1",
        f"(SELECT id FROM {ENVIRONMENTS}) EXCEPT (SELECT 'env-1') ORDER BY id LIMIT 3",
    ],
)
def test_a_limit_above_something_that_needs_all_rows_reads_all_pages(wide: Open, sql: str) -> None:
    assert counted(wide.answer(sql)) == counted(wide.expected(sql))
    assert len(wide.sent) == 3
