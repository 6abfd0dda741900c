-- Which topics stand still? Only connectors with a failed task are asked for their topics.
SELECT s.connector_name, t.topics
FROM plant_a.connect.connector_status AS s
JOIN plant_a.connect.connector_topics AS t USING (connector_name)
WHERE len(list_filter(s.tasks, lambda task: task.state = 'FAILED')) > 0
ORDER BY ALL;
