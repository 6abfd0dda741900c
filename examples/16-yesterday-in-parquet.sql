-- What has changed? The fleet goes into a Parquet file today, and is compared with it tomorrow.
COPY (SELECT concat_ws('/', provider, _connection, scope_1, scope_2, connector_name) AS id, health
      FROM inventory.connectors.connectors) TO 'yesterday.parquet';
WITH now AS (
  SELECT provider, concat_ws('/', provider, _connection, scope_1, scope_2, connector_name) AS id, health
  FROM inventory.connectors.connectors
)
SELECT now.provider, count(*) AS connectors, count(*) FILTER (now.health IS DISTINCT FROM before.health) AS changed
FROM now LEFT JOIN 'yesterday.parquet' AS before USING (id)
GROUP BY ALL ORDER BY ALL;
