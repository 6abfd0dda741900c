-- title: What has changed since an earlier answer of `fleet`
-- description: |
--   Compares the fleet with a file of yesterday: `connstat run fleet -o yesterday.parquet`.
--   Appeared, gone, or another health, state or plugin version.
-- params:
--   before: {required: true, description: "Parquet file of an earlier answer of `fleet`"}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
-- severity: warning
WITH earlier AS (FROM read_parquet($before)),
now AS (
  SELECT provider, _connection, scope_1, scope_2, connector_name, health, state, plugin_version
  FROM inventory.connectors.connectors WHERE state <> 'NOT_INSTALLED'
)
SELECT coalesce(n.provider, e.provider) AS provider, coalesce(n._connection, e._connection) AS _connection,
       coalesce(n.scope_1, e.scope_1) AS scope_1, coalesce(n.scope_2, e.scope_2) AS scope_2,
       coalesce(n.connector_name, e.connector_name) AS connector_name,
       CASE WHEN e.connector_name IS NULL THEN 'appeared' WHEN n.connector_name IS NULL THEN 'gone'
            ELSE 'changed' END AS change,
       e.health AS health_before, n.health, e.state AS state_before, n.state,
       e.plugin_version AS version_before, n.plugin_version
FROM now AS n
FULL JOIN earlier AS e
  ON n.provider = e.provider AND n._connection = e._connection AND n.scope_1 = e.scope_1
     AND coalesce(n.scope_2, '') = coalesce(e.scope_2, '') AND n.connector_name = e.connector_name
WHERE e.connector_name IS NULL OR n.connector_name IS NULL OR n.health <> e.health OR n.state <> e.state
   OR n.plugin_version IS DISTINCT FROM e.plugin_version
ORDER BY ALL
