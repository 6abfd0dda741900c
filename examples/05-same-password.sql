-- Which connectors share a credential? Values are masked, and equal values have equal masks.
SELECT key, value AS mask, list(connector_name ORDER BY connector_name) AS connectors
FROM kafka_connect.connect.connector_config
WHERE _connection = 'plant_b' AND key LIKE '%password%'
GROUP BY ALL HAVING count(*) > 0 ORDER BY key, mask;
