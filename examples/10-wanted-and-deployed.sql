-- Drift: settings that are wanted against those that are deployed, with one request a cluster.
WITH wanted(connector_name, key, value) AS (
  VALUES ('pricing-mysql-source', 'tasks.max', '7'), ('pricing-mysql-source', 'poll.seconds', '5'),
         ('no-such-connector', 'tasks.max', '1')
)
SELECT connector_name, key, w.value AS wanted, d.value AS deployed
FROM wanted AS w LEFT JOIN plant_a.connect.connector_config AS d USING (connector_name, key)
WHERE w.value IS DISTINCT FROM d.value
ORDER BY ALL;
