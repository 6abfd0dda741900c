"""Who reads or writes a topic: by name, pattern, prefix or router, or it could not be judged."""

from collections.abc import Iterator

import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.result import Options
from connstat_sql.saved import prepare
from tests.conftest import engine_of
from tests.unit.saved.test_shipped_queries import QUERIES

MIRROR = "org.apache.kafka.connect.mirror.MirrorSourceConnector"
ROUTER = "org.apache.kafka.connect.transforms.RegexRouter"
SINK = {"connector.class": "S3"}


def routed(regex: str, replacement: str) -> dict[str, str]:
    return {
        "connector.class": "Debezium", "topic.prefix": "crm", "transforms": "r",
        "transforms.r.type": ROUTER, "transforms.r.regex": regex,
        "transforms.r.replacement": replacement,
    }  # fmt: skip


HOW: dict[str, tuple[dict[str, str], str | None]] = {
    "plain": ({**SINK, "topics": "a, crm.bills"}, "topics"),
    "other": ({**SINK, "topics": "crm.bill"}, None),
    "letters": ({**SINK, "topics": "x", "errors.deadletterqueue.topic.name": "crm.bills"},
                "errors.deadletterqueue.topic.name"),
    "regex": ({**SINK, "topics.regex": "crm\\..*"}, "topics.regex"),
    "regex_of_others": ({**SINK, "topics.regex": "crm"}, None),
    "ahead": ({**SINK, "topics.regex": "(?!x)crm.*"}, "not judged: pattern (?!x)crm.*"),
    "possessive": ({**SINK, "topics.regex": "crm.++"}, "not judged: pattern crm.++"),
    "backwards": ({**SINK, "topics.regex": "(c)rm\\1"}, "not judged: pattern (c)rm\\1"),
    "broken": ({**SINK, "topics.regex": "crm("}, "not judged: pattern crm("),
    "sets": ({**SINK, "topics.regex": "[a-z.&&[^x]]+"}, "not judged: pattern [a-z.&&[^x]]+"),
    "sets_of_posix": ({**SINK, "topics.regex": "crm.[[:alpha:]]+"},
                      "not judged: pattern crm.[[:alpha:]]+"),
    "set": ({**SINK, "topics.regex": "crm[.][a-z]+"}, "topics.regex"),
    "mapped": ({"connector.class": "Mongo", "topic.namespace.map": '{"a.b": "crm.bills"}'},
               "topic.namespace.map"),
    "mapped_elsewhere": ({"connector.class": "Mongo", "topic.namespace.map": '{"*": "erp"}'}, None),
    "made": ({"connector.class": "Mongo", "topic.creation.default.partitions": "6"},
             "not judged: it names no topic"),
    "mirror": ({"connector.class": MIRROR, "topics": "a.*, crm\\.(bills|debts)|x"},
               "pattern in topics"),
    "mirror_of_all": ({"connector.class": MIRROR}, "pattern in topics"),
    "mirror_but": ({"connector.class": MIRROR, "topics": ".*", "topics.exclude": "x,crm.*"}, None),
    "mirror_but_what": ({"connector.class": MIRROR, "topics": ".*", "topics.exclude": "(?=x)"},
                        "pattern in topics"),
    "copy": ({"connector.class": MIRROR, "topics": "bills", "source.cluster.alias": "crm"},
             "copy of pattern in topics"),
    "prefix": ({"connector.class": "Debezium", "topic.prefix": "crm"}, "prefix crm"),
    "prefix_of_old": ({"connector.class": "Debezium", "database.server.name": "crm"}, "prefix crm"),
    "prefix_of_others": ({"connector.class": "Debezium", "topic.prefix": "erp"}, None),
    "router": (routed("(.*)\\.public\\.(.*)", "$1.$2"), "router to $1.$2"),
    "router_of_others": ({**routed("(.*)", "all-$1"), "topic.prefix": "erp"}, None),
    "router_by_name": (routed("erp\\.(?<table>.*)", "crm.${table}"), "router to crm.${table}"),
    "router_of_dollars": (routed("(.*)", "crm.b$1$2"), "router to crm.b$1$2"),
    "second_router": (
        {**routed("crm[.](.*)", "crm.$1"), "topic.prefix": "erp", "transforms": "q, r",
         "transforms.q.type": ROUTER, "transforms.q.regex": "a", "transforms.q.replacement": "b"},
        "router to crm.$1",
    ),
    "router_that_is_off": ({**routed("(.*)", "crm.$1"), "topic.prefix": "erp", "transforms": "q"},
                           None),
    "by_logical_table": ({"connector.class": "Debezium", "topic.prefix": "erp", "transforms": "l",
                          "transforms.l.type": "io.debezium.transforms.ByLogicalTableRouter",
                          "transforms.l.topic.regex": "(.*)_[0-9]+",
                          "transforms.l.topic.replacement": "$1"},
                         "not judged: router io.debezium.transforms.ByLogicalTableRouter"),
    "shorter_prefix": ({"connector.class": "Debezium", "topic.prefix": "cr"}, None),
    "prefix_of_jdbc": ({"connector.class": "JdbcSource", "topic.prefix": "crm.b"}, "prefix crm.b"),
    "read_and_renamed": ({**SINK, "topics": "bills", "transforms": "r", "transforms.r.type": ROUTER,
                          "transforms.r.regex": "(.*)", "transforms.r.replacement": "crm.$1"},
                         None),
    "outbox": ({"connector.class": "Debezium", "topic.prefix": "erp", "transforms": "o",
                "transforms.o.type": "io.debezium.transforms.outbox.EventRouter"},
               "not judged: router io.debezium.transforms.outbox.EventRouter"),
    "reference": ({"connector.class": "Gen", "kafka.topic": "${file:/x:topic}"},
                  "not judged: a topic is a reference"),
    "silent": ({"connector.class": "Gen"}, "not judged: it names no topic"),
}  # fmt: skip


def answer(request: httpx.Request) -> httpx.Response:
    expand = request.url.params.get_list("expand")
    if not expand:
        return httpx.Response(200, json=list(HOW))
    listed = {}
    for name, (config, _) in HOW.items():
        kind = "sink" if config.get("connector.class") == "S3" else "source"
        part = {"name": name, "type": kind}
        own = {"connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": []}
        listed[name] = {"status": {**part, **own}, "info": {**part, "config": config, "tasks": []}}
    return httpx.Response(200, json=listed)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    plants = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test"}}
    with engine_of(plants, transport=httpx.MockTransport(answer)) as opened:
        yield opened


def test_each_is_told_with_what_names_the_topic_or_why_it_cannot_be_judged(engine: Engine) -> None:
    prepared = prepare(QUERIES.find("sinks-of"), {"topic": "crm.bills"}, engine)
    *_, result = engine.run(prepared.sql, prepared.arguments, Options())
    found = {one["connector_name"]: one["how"] for one in result.table.to_pylist()}
    assert found == {name: how for name, (_, how) in HOW.items() if how is not None}
    order = [one.startswith("not judged") for one in found.values()]
    assert order == sorted(order)
