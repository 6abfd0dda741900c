-- Failed tasks hidden behind a RUNNING connector, over all four systems, with their root cause.
WITH tasks AS (
  SELECT 'confluent' AS system, environment_id || ' ' || kafka_cluster_id AS place, connector_name,
         connector.state AS state, unnest(tasks).state AS task, unnest(tasks).msg AS trace
  FROM confluent.connect.connector_status
  UNION ALL
  SELECT 'redpanda', cluster_id, connector_name, connector.state, unnest(tasks).state, unnest(tasks).trace
  FROM redpanda.kafka_connect.connector_status
  UNION ALL
  SELECT 'kafka_connect', _connection, connector_name, connector.state, unnest(tasks).state, unnest(tasks).trace
  FROM kafka_connect.connect.connector_status
  UNION ALL
  SELECT 'aeontel', workspace_id, slug, CASE WHEN enabled THEN 'RUNNING' END,
         CASE server.status WHEN 'error' THEN 'FAILED' END, NULL
  FROM aeontel.connectors.installs
)
SELECT system, place, connector_name, count(*) AS failed_tasks,
       any_value(coalesce(regexp_extract(trace, '.*Caused by: (?:[\w$]+\.)*([^\n]*)', 1, 's'), '')) AS cause
FROM tasks
WHERE state = 'RUNNING' AND task = 'FAILED'
GROUP BY ALL ORDER BY system, place, connector_name;
