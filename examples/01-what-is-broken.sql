-- Connectors that are broken, over all four systems, though most say RUNNING; with the root cause.
SELECT provider, state, connector_name, tasks_failed AS failed, error_summary AS cause
FROM inventory.connectors.connectors WHERE health IN ('DEGRADED', 'UNHEALTHY') ORDER BY ALL;
