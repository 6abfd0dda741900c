-- title: Credentials that stand in settings in clear text
-- description: |
--   Values that anybody who may read the API can read. Secrets in them are masked here, equal ones
--   with equal masks. References to a config provider, such as ${file:…}, and what the vendor hides are left out.
-- params:
--   connection: {description: Only what this connection shows}
-- key: [provider, _connection, scope_1, scope_2, connector_name, key]
-- severity: warning
WITH settings AS (
  SELECT provider, _connection, scope_1, scope_2, connector_name,
         unnest(map_entries(CAST(config AS MAP(VARCHAR, VARCHAR)))) AS setting
  FROM inventory.connectors.connectors
  WHERE ($connection IS NULL OR _connection = $connection)
)
SELECT provider, _connection, scope_1, scope_2, connector_name, setting.key AS key, setting.value AS mask
FROM settings
WHERE regexp_matches(setting.value, '\*{4}[0-9a-f]{8}')
ORDER BY ALL
