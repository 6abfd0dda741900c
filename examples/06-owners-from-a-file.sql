-- Who owns what is broken? Local data joins live rows.
WITH owners(prefix, team) AS (VALUES ('orders', 'fulfilment'), ('crm', 'sales'), ('billing', 'finance'))
SELECT coalesce(o.team, '(nobody)') AS team, count(*) AS connectors,
       count(*) FILTER (s.connector.state <> 'RUNNING') AS not_running
FROM confluent.connect.connector_status AS s
LEFT JOIN owners AS o ON o.prefix = split_part(s.connector_name, '-', 1)
WHERE s.environment_id IN ('env-1', 'env-2')
GROUP BY ALL ORDER BY not_running DESC, team;
