-- title: What a careful restart would be, failed tasks only
-- description: |
--   For each broken connector of Kafka Connect the request that restarts its failed tasks and nothing
--   else (KIP-745). Nothing is restarted: the commands are for you to read and to run. Credentials
--   stand in them as the variables that the connection names.
-- params:
--   connection: {description: Only this cluster}
--   cause: {description: "Only where the root cause holds this text"}
-- key: [_connection, connector_name]
SELECT _connection, connector_name, state, tasks_failed, tasks_total, error_summary,
       concat_ws(' ', 'curl -X POST', nullif(curl_options(_connection), ''),
         CASE WHEN connector_name IN ('.', '..') THEN '--path-as-is' END,
         '''' || replace(external_url, '''', '''\''''') || '/restart?includeTasks=true&onlyFailed=true''') AS command
FROM inventory.connectors.connectors
WHERE provider = 'kafka_connect' AND health IN ('UNHEALTHY', 'DEGRADED')
  AND _connection = $connection AND contains(lower(error_summary), lower($cause))
ORDER BY ALL
