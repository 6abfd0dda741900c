-- AeonTel connectors and where they are installed, one column a workspace.
PIVOT (
  SELECT name, workspace_id, coalesce(server.status, CASE WHEN server IS NULL THEN '-' ELSE 'pending' END) AS status
  FROM aeontel.connectors.installs
) ON workspace_id USING any_value(status) GROUP BY name ORDER BY name;
