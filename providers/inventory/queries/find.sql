-- title: Connectors by a part of their name
-- description: Where is it, and how is it? Upper and lower case are the same.
-- params:
--   name: {required: true, description: A part of the name, choices: SELECT DISTINCT connector_name FROM inventory.connectors.connectors, exists: part}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
SELECT provider, _connection, scope_1, scope_2, connector_name, state, health, error_summary, external_url
FROM inventory.connectors.connectors
WHERE contains(lower(connector_name), lower($name))
ORDER BY ALL
