-- title: What is broken, grouped by root cause over the whole fleet
-- description: |
--   The root cause is the message of the last cause in the trace. One cause that hits many connectors
--   stands once, with those that it hits.
-- params:
--   provider: {description: Only this provider}
-- key: [cause]
SELECT coalesce(error_summary, '(no trace, state ' || state || ')') AS cause,
       count(*) AS connectors,
       sum(coalesce(tasks_failed, 0)) AS failed_tasks,
       list(DISTINCT _connection ORDER BY _connection) AS connections,
       list(connector_name ORDER BY connector_name) AS names
FROM inventory.connectors.connectors
WHERE health IN ('UNHEALTHY', 'DEGRADED') AND provider = $provider
GROUP BY ALL
ORDER BY connectors DESC, cause
