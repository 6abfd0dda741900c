-- title: How many connectors are well, by provider and connection
-- description: One line a connection, the failed ones first.
-- params:
--   provider: {description: Only this provider}
-- key: [provider, _connection]
-- severity: warning
SELECT provider, _connection,
       count(*) FILTER (health = 'UNHEALTHY') AS unhealthy,
       count(*) FILTER (health = 'DEGRADED') AS degraded,
       count(*) FILTER (health = 'UNKNOWN') AS unknown,
       count(*) FILTER (health IN ('TRANSITION', 'UNKNOWN')) AS unsettled,
       count(*) FILTER (health = 'INACTIVE') AS inactive,
       count(*) FILTER (health = 'HEALTHY') AS healthy,
       count(*) AS connectors
FROM inventory.connectors.connectors
WHERE ($provider IS NULL OR provider = $provider) AND state <> 'NOT_INSTALLED'
GROUP BY ALL
ORDER BY unhealthy DESC, degraded DESC, unknown DESC, provider, _connection
