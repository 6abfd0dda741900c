-- title: Tasks and failures of each worker
-- description: Where many tasks have failed on one worker, the worker is what is broken.
-- params:
--   provider: {description: Only this provider}
-- key: [_connection, worker]
-- severity: warning
SELECT _connection, worker, count(*) AS tasks, count(*) FILTER (state = 'FAILED') AS failed,
       count(DISTINCT connector_name) AS connectors
FROM inventory.connectors.tasks
WHERE worker IS NOT NULL AND ($provider IS NULL OR provider = $provider)
GROUP BY ALL
ORDER BY failed DESC, tasks DESC, _connection, worker
