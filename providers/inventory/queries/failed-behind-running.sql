-- title: Failed tasks of connectors that say RUNNING
-- description: |
--   What alerts on a connector's own state never see: it goes on running when its tasks have failed.
-- params:
--   provider: {description: Only this provider}
--   connection: {description: Only what this connection shows}
-- key: [provider, _connection, scope_1, scope_2, connector_name, task_id]
-- state: error_summary
SELECT provider, _connection, scope_1, scope_2, connector_name, task_id, worker, error_summary
FROM inventory.connectors.tasks
WHERE state = 'FAILED' AND connector_state = 'RUNNING'
  AND provider = $provider AND _connection = $connection
ORDER BY ALL
