-- What the connectors that do not run have cost since the first of the month.
SELECT c.environment_id, c.connector_name, c.connector.state AS state, sum(b.amount) AS dollars
FROM confluent.connect.connectors AS c
JOIN confluent.billing.costs AS b ON b.resource.id = c.id
WHERE c.connector.state <> 'RUNNING'
  AND b.start_date = '2026-11-01' AND b.end_date = '2026-12-01'
GROUP BY ALL ORDER BY dollars DESC LIMIT 5;
