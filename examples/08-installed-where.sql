-- AeonTel connectors and where they are installed, one column a workspace.
WITH installs AS (
  SELECT name, workspace_id, CASE WHEN server IS NULL THEN '-' ELSE coalesce(server.status, 'pending') END AS status
  FROM aeontel.connectors.installs
)
SELECT * FROM (PIVOT installs ON workspace_id USING any_value(status) GROUP BY name) ORDER BY name;
