-- Is it the connector or the worker? Tasks and failures of each worker, over vendors.
SELECT _connection, worker, count(*) AS tasks, count(*) FILTER (state = 'FAILED') AS failed,
       list(DISTINCT error_summary) FILTER (state = 'FAILED') AS causes
FROM inventory.connectors.tasks
WHERE worker IS NOT NULL
GROUP BY ALL ORDER BY failed DESC, tasks DESC, _connection, worker;
