-- title: Whose connectors are broken
-- description: |
--   Joins a CSV file that says who owns what: a column `connector`, a name or the beginning of names,
--   and a column `owner`. The longest beginning that fits counts.
-- params:
--   owners: {default: owners.csv, description: "CSV file with the columns connector and owner"}
-- key: [owner]
WITH owned AS (
  SELECT c.provider, c._connection, c.scope_1, c.scope_2, c.connector_name, c.health, c.error_summary,
         arg_max(o.owner, len(o.connector)) AS owner
  FROM inventory.connectors.connectors AS c
  LEFT JOIN read_csv($owners, header = true, all_varchar = true) AS o ON starts_with(c.connector_name, o.connector)
  WHERE c.health IN ('UNHEALTHY', 'DEGRADED', 'UNKNOWN')
  GROUP BY ALL
)
SELECT coalesce(owner, '(nobody)') AS owner, count(*) AS broken,
       list(connector_name ORDER BY connector_name) AS connectors,
       list(DISTINCT error_summary) AS causes
FROM owned
GROUP BY ALL
ORDER BY broken DESC, owner
