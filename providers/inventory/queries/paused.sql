-- title: Connectors that are paused or stopped
-- description: |
--   Those that somebody has put aside. `since` takes a file of an earlier answer
--   (`connstat run paused -o paused.parquet`) and keeps those that stood there already.
-- params:
--   provider: {description: Only this provider}
--   since: {description: "Parquet file of an earlier answer of this query"}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
-- severity: warning
SELECT provider, _connection, scope_1, scope_2, connector_name, state, observed_at
FROM inventory.connectors.connectors
WHERE state IN ('PAUSED', 'STOPPED') AND connector_type IS DISTINCT FROM 'mcp' AND provider = $provider
  AND (provider, _connection, scope_1, coalesce(scope_2, ''), connector_name) IN (
    SELECT (provider, _connection, scope_1, coalesce(scope_2, ''), connector_name) FROM read_parquet($since))
ORDER BY ALL
