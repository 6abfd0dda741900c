"""Credentials in rows are masked by default, comparable, and appear nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.model import (
    JSON,
    VARCHAR,
    Column,
    ListOf,
    MapOf,
    Redaction,
    Struct,
)
from connstat_sql.redaction import LEFT, Evidence, documented, hidden
from tests import mask_tables
from tests.examples import examples
from tests.masking import SHOWN, masked
from tests.tabled import over

# Names of settings of Kafka Connect itself, of the Debezium, JDBC, S3, GCS, Azure, Snowflake,
# BigQuery, Elasticsearch, MongoDB, Salesforce, Splunk, HTTP, MQ and other connectors.
SECRET_KEYS = """
aws.secret.access.key aws.access.key.id aws.session.token s3.sse.customer.key s3.proxy.password
camel.kamelet.aws-s3-source.secretKey camel.kamelet.aws-s3-source.accessKey
camel.source.endpoint.accessKey secretKey accessKey database.password
database.ssl.keystore.password database.ssl.truststore.password
database.history.producer.sasl.jaas.config database.history.consumer.ssl.key.password
schema.history.internal.consumer.sasl.jaas.config
schema.history.internal.producer.ssl.keystore.password driver.password database.pdb.password
mongodb.password mongodb.connection.string mongodb.ssl.keystore.password connection.uri
connection.password connection.pass connection.ssl.keystore.password connection.ssl.key.password
connection.oauth2.client.secret elastic.https.ssl.key.password elastic.security.protocol.password
proxy.password jdbc.password ssl.key.password ssl.keystore.password ssl.truststore.password
ssl.keystore.key ssl.keystore.certificate.key sasl.jaas.config sasl.password
sasl.oauthbearer.client.credentials.client.secret producer.override.sasl.jaas.config
consumer.override.ssl.key.password admin.override.sasl.jaas.config confluent.topic.sasl.jaas.config
confluent.topic.ssl.keystore.password confluent.license reporter.producer.sasl.jaas.config
kafka.api.key kafka.api.secret kafka.auth.secret schema.registry.basic.auth.user.info
basic.auth.user.info value.converter.basic.auth.user.info
key.converter.schema.registry.basic.auth.user.info
value.converter.schema.registry.ssl.keystore.password snowflake.private.key
snowflake.private.key.passphrase snowflake.oauth.client.secret snowflake.oauth.refresh.token
gcs.credentials.json gcp.service.account.json google.application.credentials.json keyfile.json
bigquery.credentials credentials credentials.json gcp.pubsub.credentials.json azblob.account.key
azblob.sas.token azure.storage.account.key azure.servicebus.sas.key azure.eventhubs.sas.key
azure.client.secret azure.cosmos.key connect.cosmos.master.key azure.cosmos.masterkey
connect.cosmos.connection.sharedkey azure.search.api.key azure.eventhubs.connection.string
servicebus.connection.string dynamodb.secret.access.key salesforce.password
salesforce.password.token salesforce.consumer.secret salesforce.consumer.key
salesforce.jwt.keystore.password servicenow.password zendesk.password jira.api.token jira.password
github.access.token github.token slack.token stripe.api.key http.basic.password
http.headers.authorization http.authorization.header connection.headers.authorization
headers.authorization auth.headers.authorization bearer.token oauth2.client.secret
oauth2.access.token oauth2.client.key oauth.client.secret oauth2.token splunk.hec.token
splunk.hec.ssl.trust.store.password splunk.s2s.ssl.key.password datadog.api.key datadog.apikey
dd.api.key newrelic.api.key apikey api_key apiKey x-api-key opsgenie.apiKey
pagerduty.integration.key pagerduty.routing.key mq.password mq.ssl.keystore.password
rabbitmq.password activemq.password jms.password java.naming.security.credentials solace.password
mqtt.password mqtt.ssl.key.store.password mqtt.ssl.trust.store.password redis.password
cassandra.password connect.cassandra.password couchbase.password
couchbase.client.certificate.password neo4j.authentication.basic.password influxdb.password
influxdb.token sftp.password sftp.passphrase sftp.tls.passphrase tls.private.key tls.pemkey
ftp.password hdfs.authentication.kerberos.keytab.password hive.metastore.password
syslog.ssl.keystore.password vault.token config.providers.vault.param.token
twitter.oauth.accessTokenSecret twitter.oauth.accessToken twitter.oauth.consumerSecret
twitter.oauth.consumerKey twitter.bearer.token databricks.token delta.access.token
clickhouse.password password passwd pwd pass secret token auth.password auth.pass user.password
user.pass dbPassword db.passwd keystore.password keyPassword keystorePassword signing.key
encryption.key field.encryption.key transforms.encrypt.cipher_data_keys transforms.encrypt.aes.key
value.converter.encryption.key transforms.mask.hmac.secret license.key license sentry.dsn
webhook.url.secret ngrok.authtoken shopify.access_token hubspot.access-token SASL_PASSWORD
client_secret clientSecret private_key privateKey private-key client.private.key pem.key
aws.secret.key aws_secret_access_key aws.accessKeyId kinesis.secret firehose.secret.key
sqs.secret.access.key oracle.password oracle.ssl.truststore.password ibm.mq.password tibco.password
pinecone.api.key openai.api.key weaviate.auth.token milvus.token jwt jwt.secret session.cookie
http.cookie shared.access.key shared.access.signature SharedAccessKey webhook.secret hmac.key
hmacKey master.key rsa.key auth.key authKey subscription.key ocp-apim-subscription-key api.keys
"""
PUBLIC_KEYS = """
name connector.class tasks.max topic topics topics.regex kafka.topic topic.prefix
topic.creation.default.partitions key.converter value.converter key.converter.schemas.enable
key.converter.schema.registry.url value.converter.schema.registry.url header.converter
key.converter.key.subject.name.strategy value.converter.value.subject.name.strategy
value.converter.basic.auth.credentials.source basic.auth.credentials.source key.serializer
value.deserializer key.deserializer key.format output.key.format output.data.key.format
message.key.columns primary.key.fields pk.fields pk.mode key.ignore key.ignore.id.topics
keys.to.extract transforms transforms.x.type transforms.key.type transforms.createKey.type
transforms.createKey.fields transforms.extractKey.type transforms.extractKey.field
transforms.unwrap.add.headers transforms.unwrap.delete.tombstone.handling.mode
transforms.tokenizer.type predicates.isTombstone.type tokenizer tokenizer.path analysis.tokenizer
database.hostname database.port database.user database.dbname database.server.id
database.server.name database.include.list table.include.list column.include.list
column.exclude.list slot.name publication.name snapshot.mode snapshot.locking.mode
decimal.handling.mode tombstones.on.delete heartbeat.interval.ms max.batch.size poll.interval.ms
connection.url connection.user connection.username connection.attempts insert.mode delete.enabled
auto.create batch.size flush.size rotate.interval.ms s3.bucket.name s3.region s3.part.size
store.url storage.class format.class partitioner.class partition.field.name path.format locale
timezone aws.kms.key.id s3.ssea.name s3.sse.kms.key.id s3.object.tagging snowflake.url.name
snowflake.user.name snowflake.database.name snowflake.schema.name snowflake.role.name
snowflake.topic2table.map buffer.count.records errors.tolerance errors.log.enable
errors.deadletterqueue.topic.name errors.deadletterqueue.context.headers.enable
consumer.override.auto.offset.reset consumer.override.max.poll.records
consumer.override.group.instance.id producer.override.compression.type
producer.override.key.serializer security.protocol sasl.mechanism sasl.login.callback.handler.class
sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.jwks.endpoint.url ssl.keystore.location
ssl.keystore.type ssl.truststore.location ssl.truststore.type ssl.truststore.certificates
ssl.endpoint.identification.algorithm ssl.key.location ssl.keymanager.algorithm ssl.keystore.path
database.ssl.keystore database.sslmode gcs.credentials.path hdfs.authentication.kerberos
connect.hdfs.principal connect.hdfs.keytab hadoop.conf.dir salesforce.username salesforce.instance
salesforce.object salesforce.cdc.name kafka.auth.mode kafka.service.account.id kafka.endpoint
cloud.provider cloud.environment auth.type http.auth.type authentication.type oauth2.token.url
oauth2.client.id oauth2.client.scope oauth2.client.auth.mode oauth2.token.property
oauth.token.endpoint request.method http.api.url url headers schema.registry.url
schema.compatibility schema.history.internal.kafka.topic
schema.history.internal.kafka.bootstrap.servers config.action.reload offset.storage.topic
offset.flush.timeout.ms exactly.once.support mongodb.hosts mongodb.name collection pipeline
copy.existing output.json.formatter document.id.strategy splunk.indexes splunk.hec.uri
splunk.hec.ssl.validate.certs project datasets autoCreateTables sanitizeTopics
behavior.on.null.values behavior.on.malformed.documents type.name linger.ms max.retries
retry.backoff.ms file input.path cleanup.policy aws.credentials.provider.class
s3.credentials.provider.class aws.sts.role.arn token.expiry.ms access.token.lifetime.ms
password.encoder.keyfactory.algorithm secret.provider.class passthrough bypass compass.heading
pass.through.mode partition.key sort.key record.key.name kafka_key kafka.record.key
aws.dynamodb.pk.hash aws.dynamodb.pk.sort redis.key.pattern redis.hash.key connection.database
license.topic confluent.license.topic confluent.topic.bootstrap.servers token.column monkey
keyspace connect.cassandra.key.space keywords errors.retry.timeout max.tokens max_tokens
incrementing.column.name idempotency.key.field lower.case.keys column.propagate.source.type
column.mask.with.12.chars cursor.token.path next.page.token.pointer http.offset.json.pointer
secrets.enabled
"""

SECRET_VALUES = (
    "jdbc:postgresql://ada:pa55@db:5432/x",
    "jdbc:mysql://db/x?user=a&password=pa55",
    "jdbc:sqlserver://db;user=a;Password=pa55;encrypt=true",
    "jdbc:oracle:thin:scott/tiger@db:1521/x",
    "mongodb+srv://reader:pa55@cluster.example.com",
    "redis://:pa55@cache:6379",
    "amqp://guest:gu/est@mq",
    "Endpoint=sb://x.example.com/;SharedAccessKeyName=n;SharedAccessKey=abc=",
    "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=abc==",
    "https://x.blob.example.com/c?sv=2024&sig=abc%3D",
    "Authorization: Bearer abcdefgh12345",
    "Basic YWRhOnBhNTU=",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "-----BEGIN RSA PRIVATE KEY----- MIIE",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.abc",
    '{"type": "service_account", "private_key": "abc"}',
    '{"auth": {"client_secret": "abc"}}',
    'PlainLoginModule required username="u" password="abc";',
)
PUBLIC_VALUES = (
    "", "orders", "jdbc:postgresql://db:5432/x", "https://search:9200", "a:1,b:2",
    "io.confluent.connect.s3.S3SinkConnector", "org.apache.kafka.common.security.plain.Plain",
    "http://a:8083/x?user=ada", "SELECT * FROM t WHERE token IS NOT NULL", "basic", "BASIC",
    "user@example.com", '{"fields": ["password"]}', "password,token", "true", "C:/keys/x.pem",
)  # fmt: skip
HARMLESS = ("", "*", "****************", "${file:/secrets:pw}", "${env:PW}", "[hidden]",
            "${vault:a:b}${vault:a:c}")  # fmt: skip
SETTINGS = Column("config", MapOf(VARCHAR), (), redaction=Redaction.KEYS)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def masked_map(
    db: duckdb.DuckDBPyConnection, config: dict[str, str | None], key: str = "k"
) -> dict[str, str | None]:
    value = "MAP($keys::VARCHAR[], $texts::VARCHAR[])"
    shown: dict[str, str | None]
    [shown] = masked(db, SETTINGS, value, key=key, keys=[*config], texts=[*config.values()])
    return shown


def is_mask(text: str | None) -> bool:
    return text is not None and text.startswith("****") and len(text) == 12


class TestKeys:
    def test_keys_of_credentials_are_masked(self, db: duckdb.DuckDBPyConnection) -> None:
        found = masked_map(db, dict.fromkeys(SECRET_KEYS.split(), "x1"))
        assert [key for key, value in found.items() if not is_mask(value)] == []

    def test_other_keys_are_left_alone(self, db: duckdb.DuckDBPyConnection) -> None:
        found = masked_map(db, dict.fromkeys(PUBLIC_KEYS.split(), "x1"))
        assert [key for key, value in found.items() if value != "x1"] == []

    def test_case_does_not_matter(self, db: duckdb.DuckDBPyConnection) -> None:
        found = masked_map(db, {key.upper(): "x1" for key in SECRET_KEYS.split()})
        assert all(is_mask(value) for value in found.values())

    def test_the_order_of_keys_stays(self, db: duckdb.DuckDBPyConnection) -> None:
        config = {"z": "1", "password": "2", "a": "3"}
        assert list(masked_map(db, {**config})) == ["z", "password", "a"]


class TestValues:
    @pytest.mark.parametrize("value", SECRET_VALUES)
    def test_credentials_inside_values_are_masked(
        self, db: duckdb.DuckDBPyConnection, value: str
    ) -> None:
        shown = masked_map(db, {"plain": value})["plain"]
        assert shown is not None
        assert re.search(r"\*{4}[0-9a-f]{8}", shown)
        assert "pa55" not in shown

    @pytest.mark.parametrize("value", PUBLIC_VALUES)
    def test_values_without_credentials_stay(
        self, db: duckdb.DuckDBPyConnection, value: str
    ) -> None:
        assert masked_map(db, {"plain": value}) == {"plain": value}

    @pytest.mark.parametrize("value", [*HARMLESS, None])
    def test_references_and_the_vendors_own_masks_stay(
        self, db: duckdb.DuckDBPyConnection, value: str | None
    ) -> None:
        assert masked_map(db, {"password": value}) == {"password": value}

    def test_a_value_without_a_known_name_is_masked(self, db: duckdb.DuckDBPyConnection) -> None:
        column = Column("value", VARCHAR, (), redaction=Redaction.VALUE, redact_by="key")
        for by in ("NULL::VARCHAR", None):
            assert is_mask(masked(db, column, "'x'", by)[0])

    @settings(max_examples=examples(30), deadline=None)
    @given(one=st.text(min_size=1), other=st.text(min_size=1))
    def test_masks_are_equal_exactly_where_values_are(self, one: str, other: str) -> None:
        column = Column("value", VARCHAR, (), redaction=Redaction.VALUE)
        with duckdb.connect() as db:
            found = masked(db, column, "unnest($texts::VARCHAR[])", texts=[one, other])
        assert (found[0] == found[1]) == (one == other)
        for value, shown in zip((one, other), found, strict=True):
            assert is_mask(shown) or re.fullmatch(LEFT, value)

    def test_another_key_gives_another_mask(self, db: duckdb.DuckDBPyConnection) -> None:
        assert masked_map(db, {"password": "x"}, "a") != masked_map(db, {"password": "x"}, "b")


class TestTypes:
    @pytest.mark.parametrize(
        ("of", "value", "expected"),
        [
            (MapOf(JSON), """MAP {'token': '"abc"', 'size': '3'}""", '"abc"'),
            (MapOf(JSON), """MAP {'auth': '{"token": "abc"}'}""", "abc"),
            (MapOf(JSON), "MAP {'token': '12345'}", "12345"),
            (ListOf(MapOf(VARCHAR)), "[MAP {'token': 'abc'}, MAP {'a': 'b'}, NULL]", "abc"),
            (Struct((("c", MapOf(VARCHAR)), ("n", VARCHAR))),
             "{'c': MAP {'token': 'abc'}, 'n': 'x'}", "abc"),
            (ListOf(Struct((("m", ListOf(MapOf(VARCHAR))),))),
             "[{'m': [MAP {'token': 'abc'}]}]", "abc"),
        ],
    )  # fmt: skip
    def test_maps_are_found_inside_every_type(
        self, db: duckdb.DuckDBPyConnection, of: Any, value: str, expected: str
    ) -> None:
        column = Column("c", of, (), redaction=Redaction.KEYS)
        masked(db, column, value)
        [(shown, kind)] = db.execute(f"SELECT v::VARCHAR, typeof(v) FROM {SHOWN}").fetchall()
        assert expected not in shown
        assert "****" in shown
        assert kind == str(db.execute(f"SELECT typeof(NULL::{of})").fetchall()[0][0])

    def test_null_stays_null(self, db: duckdb.DuckDBPyConnection) -> None:
        of = Struct((("c", MapOf(VARCHAR)),))
        column = Column("c", of, (), redaction=Redaction.KEYS)
        assert masked(db, column, "NULL") == [None]


class TestTexts:
    """Columns that may quote a secret: traces, errors, whole configurations as a text."""

    TRACE = (
        "java.sql.SQLException: cannot reach jdbc:x://db/a?user=me&password=pa55\n"
        "\tat x.Y.z(Y.java:1)\nCaused by: x.Denied: Authorization: Bearer pa55pa55"
    )

    @pytest.mark.parametrize(
        ("of", "value"),
        [
            (VARCHAR, "$text"),
            (JSON, "to_json(CAST($text AS VARCHAR))"),
            (JSON, "json_object('said', CAST($text AS VARCHAR))"),
            (
                ListOf(Struct((("id", VARCHAR), ("trace", VARCHAR)))),
                "[{'id': '1', 'trace': $text}]",
            ),
            (MapOf(VARCHAR), "MAP {'a': $text}"),
            (ListOf(JSON), "[json_object('said', CAST($text AS VARCHAR))]"),
        ],
    )
    def test_a_secret_is_masked_where_it_stands(
        self, db: duckdb.DuckDBPyConnection, of: Any, value: str
    ) -> None:
        column = Column("c", of, (), redaction=Redaction.TEXT)
        masked(db, column, value, text=self.TRACE)
        [(text, kind)] = db.execute(f"SELECT v::VARCHAR, typeof(v) FROM {SHOWN}").fetchall()
        assert "pa55" not in text
        assert "jdbc:x://db/a?user=me&password=****" in text
        assert "x.Y.z(Y.java:1)" in text
        assert kind == str(db.execute(f"SELECT typeof(NULL::{of})").fetchall()[0][0])

    @pytest.mark.parametrize("value", ["NULL", "[]", "[NULL]", "[{'trace': NULL}]"])
    def test_what_is_not_there_stays_so(self, db: duckdb.DuckDBPyConnection, value: str) -> None:
        of = ListOf(Struct((("trace", VARCHAR),)))
        column = Column("c", of, (), redaction=Redaction.TEXT)
        masked(db, column, value)
        sql = f"SELECT v IS NOT DISTINCT FROM ({value})::{of} FROM {SHOWN}"
        assert db.execute(sql).fetchall() == [(True,)]

    def test_what_a_parser_says_of_tokens_can_be_read(self, db: duckdb.DuckDBPyConnection) -> None:
        said = (
            "Unexpected token: END_OBJECT", "Basic authentication failed for user etl",
            "error fetching token: connection refused", "password authentication failed",
            "com.example.TokenException: token has expired", "Invalid token 'x' at 1:5",
            "Caused by: java.net.ConnectException: db.example.com:5432 refused, key: none",
        )  # fmt: skip
        column = Column("c", ListOf(VARCHAR), (), redaction=Redaction.TEXT)
        assert masked(db, column, "$said", said=list(said)) == [list(said)]


class TestTables:
    """The tables of `mask_tables`, whose figures `python -m tests.mask_tables` prints."""

    def test_every_form_is_masked_and_stays_readable(self) -> None:
        assert len(mask_tables.forms()) >= 113
        assert mask_tables.leaking() == []

    def test_nothing_harmless_is_masked(self) -> None:
        assert len(mask_tables.harmless()) >= 100
        assert mask_tables.overdone() == []

    def test_documented_secrets_of_the_commonest_connectors_are_masked(self) -> None:
        assert len(documented()) >= 50
        assert mask_tables.documented_and_visible() == []

    def test_each_documented_connector_says_what_was_read_of_it(self) -> None:
        for connector in documented():
            assert connector.sources, connector.name
            assert all(source.startswith("https://") for source in connector.sources)
            assert connector.secrets, connector.name
        assert sum(connector.known is Evidence.READ for connector in documented()) >= 40

    def test_the_list_names_no_connector_class_or_setting_of_one_twice(self) -> None:
        names = [connector.name for connector in documented()]
        classes = [name for connector in documented() for name in connector.classes]
        assert len(set(names)) == len(names)
        assert len(set(classes)) == len(classes)
        for connector in documented():
            assert len(set(connector.secrets)) == len(connector.secrets), connector.name


@over(
    ("text", "shown"),
    [("name: x\npassword: |\n  moonlit7\n  again8\nport: 1", "name: x\npassword: …port: 1"),
     ("token: >-\n    moonlit7\nport: 1", "token: …port: 1"),
     ("password: |\n  ${env:PW}", "password: |\n  ${env:PW}")],
)  # fmt: skip
def test_a_block_of_yaml_is_masked_to_its_end(text: str, shown: str) -> None:
    assert hidden(text) == shown
