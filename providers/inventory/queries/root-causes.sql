-- title: What is broken, grouped by root cause over the whole fleet
-- description: |
--   The root cause is what the deepest cause in the trace says. One cause that hits many connectors
--   stands once, with those that it hits: numbers, hosts, ids and times are set aside in `cause`,
--   and `example` is one of them whole.
-- params:
--   provider: {description: Only this provider}
-- key: [cause]
WITH broken AS (
  SELECT _connection, connector_name, tasks_failed,
         coalesce(error_summary, '(not known, state ' || state || ')') AS summary
  FROM inventory.connectors.connectors
  WHERE health IN ('UNHEALTHY', 'DEGRADED', 'UNKNOWN') AND ($provider IS NULL OR provider = $provider)
)
SELECT cause_group(summary) AS cause,
       count(*) AS connectors,
       sum(coalesce(tasks_failed, 0)) AS failed_tasks,
       list(DISTINCT _connection ORDER BY _connection) AS connections,
       list(connector_name ORDER BY connector_name) AS names,
       min(summary) AS example
FROM broken
GROUP BY ALL
ORDER BY connectors DESC, cause
