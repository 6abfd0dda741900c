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
WHERE state IN ('PAUSED', 'STOPPED') AND connector_type IS DISTINCT FROM 'mcp' AND ($provider IS NULL OR provider = $provider)
  AND ($since IS NULL OR (provider, _connection, scope_1, coalesce(scope_2, ''), connector_name) IN (
    SELECT (provider, _connection, scope_1, coalesce(scope_2, ''), connector_name)
    FROM query(coalesce('FROM read_parquet(''' || replace($since, '''', '''''') || ''')',
      'SELECT NULL AS provider, NULL AS _connection, NULL AS scope_1, NULL AS scope_2, NULL AS connector_name'))))
ORDER BY ALL
