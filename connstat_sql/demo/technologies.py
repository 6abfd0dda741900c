"""The kinds of connector the demo knows: classes, configurations and the way each one fails."""

from collections.abc import Mapping
from dataclasses import dataclass

SUBJECTS = (
    *("orders", "crm", "billing", "inventory", "payments", "customers", "shipments"),
    *("clickstream", "returns", "pricing", "catalog", "fraud", "loyalty", "invoices"),
    *("support", "sessions", "telemetry", "ledger", "suppliers", "audit"),
)

_JAAS = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    'username="sandbox" password="sandbox-secret";'
)


@dataclass(frozen=True, slots=True)
class Technology:
    """One kind of connector. ``{s}`` in a text stands for the subject, as in ``orders``."""

    suffix: str
    type: str
    cloud_class: str
    """The short class name of a fully managed connector."""
    open_class: str
    """The fully qualified class that a self-managed worker lists as a plugin."""
    version: str
    config: Mapping[str, str]
    error: str
    """The message of the outermost exception when a task fails."""
    causes: tuple[str, ...]
    """The ``Caused by:`` lines, outermost first; the last one is the reason."""
    configured_class: str = ""
    """What configurations say instead of ``open_class``: an alias. Empty: the full class."""


TECHNOLOGIES = (
    Technology(
        "s3-sink",
        "sink",
        "S3_SINK",
        "io.confluent.connect.s3.S3SinkConnector",
        "10.5.17",
        {
            "s3.bucket.name": "lake-{s}",
            "s3.region": "eu-central-1",
            "flush.size": "1000",
            "aws.access.key.id": "SANDBOXACCESSKEY",
            "aws.secret.access.key": "sandbox-secret",
        },
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        (
            "org.apache.kafka.connect.errors.ConnectException: Failed to commit part of lake-{s}",
            "com.amazonaws.services.s3.model.AmazonS3Exception: "
            "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
        ),
    ),
    Technology(
        "postgres-source",
        "source",
        "PostgresCdcSourceV2",
        "io.debezium.connector.postgresql.PostgresConnector",
        "2.7.3.Final",
        {
            "database.hostname": "{s}-db.internal",
            "database.port": "5432",
            "database.user": "replicator",
            "database.password": "sandbox-secret",
            "slot.name": "dbz_{s}",
        },
        "An exception occurred in the change event producer. This connector will be stopped.",
        (
            "io.debezium.DebeziumException: Failed to start replication stream",
            "org.postgresql.util.PSQLException: "
            'ERROR: replication slot "dbz_{s}" is active for PID 4711',
        ),
    ),
    Technology(
        "snowflake-sink",
        "sink",
        "SnowflakeSink",
        "com.snowflake.kafka.connector.SnowflakeSinkConnector",
        "2.4.0",
        {
            "snowflake.url.name": "acme.snowflakecomputing.example:443",
            "snowflake.user.name": "KAFKA_{s}",
            "snowflake.private.key": "sandbox-secret",
            "snowflake.database.name": "RAW",
        },
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        (
            "com.snowflake.kafka.connector.internal.SnowflakeKafkaConnectorException: "
            "[SF_KAFKA_CONNECTOR] Error Code: 1001",
            "net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.",
        ),
    ),
    Technology(
        "mysql-source",
        "source",
        "MySqlCdcSourceV2",
        "io.debezium.connector.mysql.MySqlConnector",
        "2.7.3.Final",
        {
            "database.hostname": "{s}-mysql.internal",
            "database.port": "3306",
            "database.user": "replicator",
            "database.password": "${file:/secrets:pw}",
            "database.server.id": "184054",
        },
        "The connector is trying to read binlog starting at a purged position.",
        (
            "io.debezium.DebeziumException: Could not find first log file name in binary log",
            "com.github.shyiko.mysql.binlog.network.ServerException: "
            "binlog.000042 is no longer available on {s}-mysql.internal",
        ),
    ),
    Technology(
        "jdbc-sink",
        "sink",
        "PostgresSink",
        "io.confluent.connect.jdbc.JdbcSinkConnector",
        "10.8.0",
        {
            "connection.url": "jdbc:postgresql://warehouse.internal:5432/{s}",
            "connection.user": "loader",
            "connection.password": "sandbox-secret",
            "insert.mode": "upsert",
        },
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        (
            "org.apache.kafka.connect.errors.ConnectException: java.sql.SQLException: batch failed",
            "org.postgresql.util.PSQLException: "
            'ERROR: duplicate key value violates unique constraint "{s}_pkey"',
        ),
    ),
    Technology(
        "mongodb-source",
        "source",
        "MongoDbAtlasSource",
        "com.mongodb.kafka.connect.MongoSourceConnector",
        "1.13.0",
        {
            "connection.uri": "mongodb://reader:sandbox-secret@{s}-mongo.internal:27017",
            "database": "{s}",
            "collection": "events",
        },
        "An exception occurred while polling the change stream.",
        (
            "com.mongodb.kafka.connect.source.MongoCopyDataException: resume token not found",
            "com.mongodb.MongoCommandException: Command failed with error 286 "
            "(ChangeStreamHistoryLost) on server {s}-mongo.internal:27017",
        ),
    ),
    Technology(
        "elasticsearch-sink",
        "sink",
        "ElasticsearchSink",
        "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
        "14.1.2",
        {
            "connection.url": "https://search.internal:9200",
            "connection.username": "indexer",
            "connection.password": "${file:/secrets:pw}",
        },
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        (
            "org.apache.kafka.connect.errors.ConnectException: Indexing record failed.",
            "org.elasticsearch.ElasticsearchStatusException: "
            "mapper_parsing_exception: failed to parse field [{s}.amount] of type [long]",
        ),
    ),
    Technology(
        "salesforce-source",
        "source",
        "SalesforceCdcSource",
        "io.confluent.salesforce.SalesforceCdcSourceConnector",
        "2.0.24",
        {
            "salesforce.username": "sandbox@example.com",
            "salesforce.password": "sandbox-secret",
            "salesforce.password.token": "sandbox-token",
            "salesforce.cdc.name": "{s}ChangeEvent",
        },
        "Failed to connect to the streaming API.",
        (
            "io.confluent.salesforce.common.SalesforceHttpException: 401 Unauthorized",
            "com.google.api.client.http.HttpResponseException: "
            "INVALID_SESSION_ID: Session expired or invalid",
        ),
    ),
    Technology(
        "bigquery-sink",
        "sink",
        "BigQueryStorageSink",
        "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
        "2.5.9",
        {
            "project": "acme-analytics",
            "datasets": "{s}",
            "keyfile": "/secrets/bigquery.json",
            "sasl.jaas.config": _JAAS,
        },
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        (
            "com.wepay.kafka.connect.bigquery.exception.BigQueryConnectException: "
            "A write thread has failed with an unrecoverable error",
            "com.google.cloud.bigquery.BigQueryException: "
            "Quota exceeded: too many table update operations for {s}",
        ),
    ),
    Technology(
        "http-source",
        "source",
        "HttpSource",
        "io.confluent.connect.http.HttpSourceConnector",
        "0.2.7",
        {
            "url": "https://{s}.example.com/api/changes",
            "auth.type": "bearer",
            "bearer.token": "sandbox-token",
            "sasl.jaas.config": _JAAS,
        },
        "Unrecoverable exception from the HTTP source task.",
        (
            "org.apache.kafka.connect.errors.RetriableException: retries exhausted",
            "java.net.UnknownHostException: {s}.example.com",
        ),
        configured_class="HttpSource",
    ),
)

_FRAMES = """\
\tat org.apache.kafka.connect.runtime.WorkerTask.doRun(WorkerTask.java:242)
\tat org.apache.kafka.connect.runtime.WorkerTask.run(WorkerTask.java:298)
\tat java.base/java.util.concurrent.Executors$RunnableAdapter.call(Executors.java:539)
\tat java.base/java.util.concurrent.FutureTask.run(FutureTask.java:264)
\tat java.base/java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""

_SINK_FRAME = (
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:601)"
)
_SOURCE_FRAME = (
    "\tat org.apache.kafka.connect.runtime.AbstractWorkerSourceTask.execute"
    "(AbstractWorkerSourceTask.java:346)"
)


def trace(technology: Technology, subject: str) -> str:
    """A Java stack trace as a worker reports it, ending in its chain of causes."""
    frame = _SINK_FRAME if technology.type == "sink" else _SOURCE_FRAME
    head = f"org.apache.kafka.connect.errors.ConnectException: {technology.error}\n{frame}\n"
    package = technology.open_class.rsplit(".", 1)[0]
    causes = "".join(
        f"Caused by: {cause.replace('{s}', subject)}\n"
        f"\tat {package}.Task.process(Task.java:{100 + 31 * depth})\n\t... {10 + depth} more\n"
        for depth, cause in enumerate(technology.causes)
    )
    return head + _FRAMES + causes
