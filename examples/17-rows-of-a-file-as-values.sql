-- Only the connectors that a file lists: its rows are the values of the requests, one each.
COPY (VALUES ('plant_a', 'pricing-mysql-source'), ('plant_b', 'sessions-http-source')) TO 'wanted.csv' (HEADER false);
SELECT w.cluster, s.connector_name, s.connector.state AS state, len(s.tasks) AS tasks
FROM read_csv('wanted.csv', header = false, names = ['cluster', 'name']) AS w
JOIN kafka_connect.connect.connector_status AS s ON s._connection = w.cluster AND s.connector_name = w.name
ORDER BY ALL;
