-- A view over live tables: what is asked of it reaches the tables inside.
CREATE VIEW broken AS
SELECT environment_id, kafka_cluster_id, connector_name, connector.state, connector.trace
FROM confluent.connect.connector_status WHERE connector.state = 'FAILED';
SELECT connector_name, state FROM broken WHERE environment_id = 'env-1' ORDER BY ALL;
