-- title: Connectors of one name in more than one place
-- description: |
--   The same connector on two clusters does its work twice. Shows where each runs, and whether plugin
--   and topics are the same too.
-- key: [connector_name]
-- severity: warning
SELECT connector_name, count(*) AS places, count(*) FILTER (state = 'RUNNING') AS running,
       count(DISTINCT plugin_class) = 1 AS same_plugin, count(DISTINCT topics) = 1 AS same_topics,
       list(concat_ws(' ', _connection, scope_1, scope_2) ORDER BY _connection, scope_1, scope_2) AS where_it_is
FROM inventory.connectors.connectors
WHERE connector_type IS DISTINCT FROM 'mcp'
GROUP BY ALL
HAVING count(*) > 1
ORDER BY places DESC, connector_name
