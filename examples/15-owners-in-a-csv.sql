-- Whose connectors are broken? A CSV file says who owns names that begin in a certain way.
COPY (VALUES ('pricing', 'finance'), ('returns', 'logistics'), ('crm', 'sales')) TO 'owners.csv' (HEADER false);
SELECT coalesce(o.owner, '(nobody)') AS owner, count(*) AS broken, list(DISTINCT c.error_summary) AS causes
FROM inventory.connectors.connectors AS c
LEFT JOIN read_csv('owners.csv', header = false, names = ['connector', 'owner']) AS o ON starts_with(c.connector_name, o.connector)
WHERE c.health IN ('UNHEALTHY', 'DEGRADED')
GROUP BY ALL ORDER BY broken DESC, owner;
