-- Redpanda's own roll-up, and the errors that it found in the traces.
SELECT cluster_id, holistic_state, connector_name, errors[1].content AS error
FROM redpanda.kafka_connect.connector_status
WHERE holistic_state <> 'CONNECTOR_HOLISTIC_STATE_HEALTHY'
ORDER BY cluster_id, connector_name;
