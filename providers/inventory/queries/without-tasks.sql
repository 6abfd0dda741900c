-- title: Connectors that run without a task
-- description: They say RUNNING and do nothing. Managed connectors whose plugin is custom show none and are left out.
-- key: [provider, _connection, scope_1, scope_2, connector_name]
SELECT provider, _connection, scope_1, scope_2, connector_name, plugin_class, tasks_max
FROM inventory.connectors.connectors
WHERE state = 'RUNNING' AND tasks_total = 0 AND health = 'UNHEALTHY'
ORDER BY ALL
