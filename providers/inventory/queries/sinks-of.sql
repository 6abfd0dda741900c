-- title: Which connectors read or write a topic
-- description: |
--   For whoever wants to change a topic. `how` says which setting names it: in words, by a pattern, by
--   the beginning of the names that a source makes, or by a router's replacement. Whose topics the
--   settings do not tell is listed too, as `not judged`: patterns that only Java reads, routers other
--   than RegexRouter, sources that name no topic. kafka_connect.connect.connector_topics knows those.
-- params:
--   topic: {required: true, description: Name of the topic}
-- key: [provider, _connection, scope_1, scope_2, connector_name]
WITH asked AS (SELECT $topic AS topic),
fleet AS (
  SELECT connector_type, provider, _connection, scope_1, scope_2, connector_name, health, state, topics,
         plugin_class, TRY_CAST(config AS MAP(VARCHAR, VARCHAR)) AS settings
  FROM inventory.connectors.connectors WHERE connector_type IS DISTINCT FROM 'mcp'
),
told AS (
  SELECT *, coalesce(connector_type, '') <> 'sink' AS may_write,
         contains(coalesce(plugin_class, ''), 'MirrorSource') AS mirrors,
         -- what the names begin with that a source makes
         coalesce(settings['topic.prefix'], settings['database.server.name'], settings['topic_prefix']) AS prefix,
         list_filter(map_entries(settings), lambda e: contains(e.key, 'topic')) AS named,
         -- settings that may name what is read or written, not where errors go or how topics are made
         list_filter(named, lambda e: NOT regexp_matches(e.key, '^topic[.]creation[.]|deadletterqueue|history|heartbeat|^offset|signal|transaction|separator|delimiter|suffix|naming')) AS naming_any,
         -- patterns: of MirrorMaker a list, whose default is everything
         CASE WHEN mirrors THEN string_split(coalesce(settings['topics'], '.*'), ',')
              ELSE list_filter([settings['topics.regex'], settings['topic.regex'], settings['topics.pattern']], lambda p: p IS NOT NULL) END AS patterns,
         CASE WHEN mirrors THEN string_split(coalesce(settings['topics.exclude'], settings['topics.blacklist'], ''), ',') ELSE [] END AS excluded,
         list_filter(map_entries(settings), lambda e: ends_with(e.key, '.type') AND starts_with(e.key, 'transforms.')
                     AND regexp_matches(e.value, 'Router|Topic|Route')
                     AND list_contains(list_transform(string_split(settings['transforms'], ','), lambda t: trim(t)), split_part(e.key, '.', 2))) AS routers,
         -- what Debezium makes has a dot behind its prefix, others put anything there
         CASE WHEN regexp_matches(plugin_class, '(?i)debezium|cdc') THEN prefix || '.' ELSE prefix END AS beginning
  FROM fleet
),
compared AS (
  SELECT t.*, asked.topic,
         list_filter(named, lambda e: list_contains(list_transform(string_split(e.value, ','), lambda v: trim(v)), asked.topic)) AS naming,
         -- of sources alone: a map of what is read to topics, such as {"shop.orders": "orders"}
         list_filter(naming_any, lambda e: regexp_matches(e.value, '[{:=]') AND list_contains(regexp_extract_all(e.value, '[a-zA-Z0-9._-]+'), asked.topic)) AS mapping,
         list_transform(readable, lambda p: TRY(regexp_full_match(asked.topic, trim(p)))) AS fits,
         list_transform(readable, lambda p: TRY(regexp_full_match(asked.topic, coalesce(settings['source.cluster.alias'], '') || coalesce(settings['replication.policy.separator'], '.') || '(' || trim(p) || ')'))) AS fits_copy,
         list_transform(readable_not, lambda p: TRY(regexp_full_match(asked.topic, trim(p)))) AS fits_not,
         -- a router makes names of its replacement, in which $1 and ${name} stand for anything
         list_transform(list_filter(routers, lambda e: ends_with(e.value, 'RegexRouter')), lambda e: settings[replace(e.key, '.type', '.replacement')]) AS replacements,
         list_transform(replacements, lambda r:
           TRY(regexp_full_match(asked.topic, regexp_replace(regexp_replace(regexp_replace(r, '\$(\w+|\{\w+\})', chr(1), 'g'), '([.+*?()\[\]{}|^$\\])', '\\\1', 'g'), chr(1), '.*', 'g')))) AS routed,
         len(routers) > len(list_filter(routers, lambda e: ends_with(e.value, 'RegexRouter'))) AS routes_otherwise
  -- sets within sets, [a-z&&[^b]], mean something else to Java
  FROM (SELECT *, list_transform(patterns, lambda p: CASE WHEN NOT regexp_matches(p, '&&|\[[^\]]*\[') THEN p END) AS readable,
               list_transform(excluded, lambda p: CASE WHEN NOT regexp_matches(p, '&&|\[[^\]]*\[') THEN p END) AS readable_not
        FROM told) AS t, asked
),
judged AS (
  SELECT *, CASE
    WHEN settings IS NULL THEN 'not judged: its settings are not known'
    WHEN len(naming) > 0 AND NOT mirrors THEN naming[1].key
    WHEN may_write AND len(mapping) > 0 THEN mapping[1].key
    WHEN list_contains(fits, true) AND NOT list_contains(fits_not, true) THEN CASE WHEN mirrors THEN 'pattern in topics' ELSE 'topics.regex' END
    WHEN mirrors AND settings['source.cluster.alias'] IS NOT NULL AND list_contains(fits_copy, true) THEN 'copy of pattern in topics'
    WHEN may_write AND list_contains(routed, true) THEN 'router to ' || replacements[list_position(routed, true)]
    WHEN may_write AND starts_with(topic, beginning) AND len(routers) = 0 THEN 'prefix ' || prefix
    WHEN list_contains(list_transform(fits || fits_not, lambda f: f IS NULL), true) THEN 'not judged: pattern ' || array_to_string(patterns, ',')
    WHEN may_write AND routes_otherwise THEN 'not judged: router ' || list_filter(routers, lambda e: NOT ends_with(e.value, 'RegexRouter'))[1].value
    WHEN may_write AND list_contains(list_transform(routed, lambda r: r IS NULL), true) THEN 'not judged: router ' || list_filter(routers, lambda e: ends_with(e.value, 'RegexRouter'))[1].value
    WHEN may_write AND starts_with(topic, beginning) THEN 'prefix ' || prefix
    WHEN list_contains(list_transform(named, lambda e: contains(e.value, '${')), true) THEN 'not judged: a topic is a reference'
    WHEN len(naming_any) = 0 AND prefix IS NULL AND len(patterns) = 0 THEN 'not judged: it names no topic'
    END AS how
  FROM compared
)
SELECT connector_type, provider, _connection, scope_1, scope_2, connector_name, health, state, topics, how
FROM judged
WHERE how IS NOT NULL
ORDER BY starts_with(how, 'not judged'), provider, _connection, scope_1, scope_2, connector_name
