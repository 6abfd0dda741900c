-- Every connector of every Kafka Connect cluster, the failed ones first, with plugin and version.
SELECT _connection, connector_name, connector.state AS state,
       len(list_filter(tasks, lambda t: t.state = 'FAILED')) AS failed, len(tasks) AS tasks,
       config['connector.class'] AS plugin, connector.version AS version
FROM kafka_connect.connect.connectors
ORDER BY failed DESC, state, connector_name;
