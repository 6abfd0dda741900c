-- title: What a careful restart would be, failed tasks only
-- description: |
--   For each broken connector the request that restarts its failed tasks and nothing else: of Kafka
--   Connect (KIP-745) and Redpanda. Confluent Cloud restarts all tasks of the connector; AeonTel has no
--   such request. Nothing is restarted: the commands are for you to read and to run. Credentials stand in
--   them as the variables that the connection names. No row is good news, also where nothing fails for
--   that `cause`.
-- params:
--   connection: {description: Only what this connection shows}
--   cause: {description: "Only where the root cause holds this text"}
-- key: [_connection, scope_1, scope_2, connector_name]
SELECT _connection, scope_1, scope_2, connector_name, state, tasks_failed, tasks_total, error_summary,
       concat_ws(' ', 'curl -X POST', nullif(curl_options(_connection), ''),
         CASE WHEN connector_name IN ('.', '..') THEN '--path-as-is' END,
         '-H ''Content-Type: application/json'' -d ''' || restart_body || '''',
         '''' || replace(restart_url, '''', '''\''''') || '''') AS command
FROM inventory.connectors.connectors
WHERE restart_url IS NOT NULL AND health IN ('UNHEALTHY', 'DEGRADED')
  AND ($connection IS NULL OR _connection = $connection) AND ($cause IS NULL OR contains(lower(error_summary), lower($cause)))
ORDER BY ALL
