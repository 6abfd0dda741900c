-- title: Failed tasks of connectors that say RUNNING
-- description: |
--   What alerts on a connector's own state never see: it goes on running when its tasks have failed.
--   A state that nobody knows is told like a failure, of a task or of the connector itself, which is
--   then a row without a task.
-- params:
--   provider: {description: Only this provider}
--   connection: {description: Only what this connection shows}
-- key: [provider, _connection, scope_1, scope_2, connector_name, task_id]
-- state: error_summary
SELECT provider, _connection, scope_1, scope_2, connector_name, task_id, worker,
       CASE WHEN state = 'UNKNOWN' THEN 'a state that is not known: ' || coalesce(raw_state, 'none') ELSE error_summary END AS error_summary
FROM inventory.connectors.tasks
WHERE state IN ('FAILED', 'UNKNOWN') AND connector_state = 'RUNNING'
  AND ($provider IS NULL OR provider = $provider) AND ($connection IS NULL OR _connection = $connection)
UNION ALL
SELECT provider, _connection, scope_1, scope_2, connector_name, NULL, worker,
       'a state that is not known: ' || coalesce(raw_state, 'none')
FROM inventory.connectors.connectors
WHERE state = 'UNKNOWN' AND ($provider IS NULL OR provider = $provider) AND ($connection IS NULL OR _connection = $connection)
ORDER BY ALL
