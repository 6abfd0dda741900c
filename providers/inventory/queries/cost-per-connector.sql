-- title: What each Confluent connector has cost
-- description: Costs of a time with the state of the connector now; those that are gone are there without a name.
-- params:
--   start_date: {type: DATE, required: true, description: First day}
--   end_date: {type: DATE, required: true, description: "The day after the last one"}
-- key: [id]
-- severity: warning
WITH costs AS (
  SELECT resource.id AS id, any_value(resource.display_name) AS billed_as, sum(amount) AS dollars
  FROM confluent.billing.costs
  WHERE start_date = $start_date AND end_date = $end_date AND product = 'CONNECT'
  GROUP BY ALL
)
SELECT b.id, coalesce(c.connector_name, b.billed_as) AS connector_name, c.environment_id, c.kafka_cluster_id,
       c.connector.state AS state, len(c.tasks) AS tasks, b.dollars
FROM costs AS b LEFT JOIN confluent.connect.connectors AS c ON c.id = b.id
ORDER BY b.dollars DESC, b.id
