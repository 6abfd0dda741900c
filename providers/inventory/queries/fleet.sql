-- title: Every connector of every cluster and vendor, the worst first
-- description: |
--   The whole fleet in one list: health, state, tasks, plugin, version, topics and root cause.
--   Versions of Confluent's and Redpanda's plugins cost a request a cluster.
-- params:
--   provider: {description: "Only this provider", choices: SELECT DISTINCT provider FROM inventory.connectors.clusters}
--   connection: {description: Only what this connection shows}
--   health: {description: Only connectors of this health, allowed: [HEALTHY, DEGRADED, UNHEALTHY, TRANSITION, INACTIVE, UNKNOWN]}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
-- state: health
-- severity: warning
SELECT health, provider, _connection, scope_1, scope_2, connector_name, state,
       tasks_running, tasks_failed, tasks_total, plugin_class, plugin_version, topics, error_summary
FROM inventory.connectors.connectors
WHERE ($provider IS NULL OR provider = $provider) AND ($connection IS NULL OR _connection = $connection) AND ($health IS NULL OR health = $health)
  AND state <> 'NOT_INSTALLED'
ORDER BY list_position(['UNHEALTHY', 'DEGRADED', 'UNKNOWN', 'TRANSITION', 'INACTIVE', 'HEALTHY'], health),
         provider, _connection, scope_1, scope_2, connector_name
