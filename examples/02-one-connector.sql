-- One connector by its name: one request.
SELECT
name,
connector,
tasks,
type
FROM confluent.connect.connector_status
WHERE connector_name = 'crm-postgres-source'
AND environment_id = 'env-1'
AND kafka_cluster_id = 'lkc-1';
