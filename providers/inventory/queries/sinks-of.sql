-- title: Which connectors read or write a topic
-- description: For whoever wants to change a topic. Settings that name topics by a pattern are matched too.
-- params:
--   topic: {required: true, description: Name of the topic}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
SELECT connector_type, provider, _connection, scope_1, scope_2, connector_name, health, state, topics
FROM inventory.connectors.connectors
WHERE list_contains(topics, $topic)
   OR regexp_full_match($topic, coalesce(config->>'topics.regex', ''))
ORDER BY ALL
