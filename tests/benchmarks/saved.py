"""How long `connstat saved check` takes over many queries: the whole process."""

from __future__ import annotations

from pathlib import Path

QUERIES = 200
_TEMPLATES = (
    """\
-- title: Connectors that have failed
-- params:
--   env: {{type: VARCHAR, description: only of this environment}}
--   cluster: {{type: VARCHAR}}
-- key: [environment_id, name]
-- state: state
SELECT environment_id, name, connector.state AS state -- {number}
FROM confluent.connect.connector_status
WHERE connector.state = 'FAILED'
  AND ($env IS NULL OR environment_id = $env)
  AND ($cluster IS NULL OR kafka_cluster_id = $cluster)
ORDER BY ALL
""",
    """\
-- title: Tasks behind a running connector
-- params: {{at_least: {{type: INTEGER, default: 1}}}}
SELECT _connection, name, count(*) AS failed
FROM (SELECT _connection, name, unnest(tasks) AS task FROM kafka_connect.connect.connector_status)
WHERE task.state = 'FAILED' GROUP BY ALL HAVING count(*) >= $at_least + {number}
""",
    """\
-- title: Cost per product
-- params:
--   since: {{type: DATE, required: true}}
--   until: {{type: DATE, required: true}}
SELECT product, sum(amount) + {number} AS amount FROM confluent.billing.costs
WHERE start_date = $since AND end_date = $until GROUP BY ALL ORDER BY 2 DESC
""",
    """\
-- title: Clusters by state
SELECT state, count(*) AS clusters, {number} AS n
FROM redpanda.controlplane.clusters GROUP BY ALL
""",
    """\
-- title: Plugin classes and who runs them
-- params:
--   plugin: {{type: VARCHAR}}
SELECT c.config['connector.class'] AS plugin, list(s.name) AS names, {number} AS n
FROM kafka_connect.connect.connectors c
JOIN kafka_connect.connect.connector_status s USING (_connection, connector_name)
WHERE ($plugin IS NULL OR c.config['connector.class'] = $plugin) GROUP BY ALL
""",
)


def write_queries(folder: Path, count: int = QUERIES) -> None:
    """Files of saved queries, of a few kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = _TEMPLATES[number % len(_TEMPLATES)].format(number=number)
        (folder / f"query-{number:03d}.sql").write_text(text, "utf-8")
