-- Clusters in which nothing has failed.
SELECT k.environment, k.id, k.spec.display_name AS name
FROM confluent.managed_kafka_clusters.clusters AS k
WHERE NOT EXISTS (
  SELECT 1 FROM confluent.connect.connector_status AS s
  WHERE s.environment_id = k.environment AND s.kafka_cluster_id = k.id
    AND s.connector.state = 'FAILED'
)
ORDER BY ALL;
