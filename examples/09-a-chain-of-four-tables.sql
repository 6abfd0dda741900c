-- Environment, cluster, connector, state: each table gets its keys from the one before.
SELECT e.display_name AS environment, k.spec.display_name AS cluster, c.name, s.connector.state
FROM confluent.org.environments AS e
JOIN confluent.managed_kafka_clusters.clusters AS k ON k.environment = e.id
JOIN confluent.connect.connectors AS c ON c.environment_id = e.id AND c.kafka_cluster_id = k.id
LEFT JOIN confluent.connect.connector_status AS s
  ON (s.environment_id, s.kafka_cluster_id, s.connector_name) = (e.id, k.id, c.name)
WHERE s.connector.state IS DISTINCT FROM 'RUNNING'
ORDER BY ALL;
