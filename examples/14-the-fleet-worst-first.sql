-- Every connector of every vendor and cluster in one list, the worst first, with its root cause.
SELECT health, provider, scope_1, scope_2, connector_name, state, tasks_failed, tasks_total, error_summary
FROM inventory.connectors.connectors
WHERE state <> 'NOT_INSTALLED'
ORDER BY list_position(['UNHEALTHY', 'DEGRADED', 'UNKNOWN', 'TRANSITION', 'INACTIVE', 'HEALTHY'], health),
         provider, scope_1, scope_2, connector_name;
