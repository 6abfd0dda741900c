-- title: What is deployed against a folder of JSON files
-- description: |
--   Files as Kafka Connect takes them, {"name": …, "config": {…}} or the settings alone, a connector
--   a file. Only keys that a file names are compared: defaults that a server adds are no drift, and
--   neither are values with a reference or placeholder, ${…}. Secrets are masked and not compared:
--   of a URL with a password all the rest is.
--   Comments and a byte order mark do no harm, and a file may hold an array of connectors. One that
--   holds no connector is a row, and the others are compared all the same.
-- params:
--   files: {default: "connectors/*.json", description: The files}
--   connection: {description: Only what this connection shows}
-- key: [_connection, connector_name, key, file]
-- state: deployed
-- severity: warning
WITH documents AS (  -- without a byte order mark; a comment is left out, a placeholder in place of a value is a text
  SELECT filename, regexp_extract(filename, '([^/\\]+?)(\.[^./\\]*)?$', 1) AS base,
         TRY_CAST(array_to_string(list_transform(
           regexp_extract_all(ltrim(TRY(decode(content)), chr(65279)),
             '(?s)"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|\$\{[^}"]*\}|[^"/$]+|.'),
           lambda t: CASE WHEN t[1] = '/' AND len(t) > 1 THEN '' WHEN t[1:2] = '${' THEN '"' || t || '"' ELSE t END
         ), '') AS JSON) AS body
  FROM read_blob($files)
),
nothing AS (  -- reads nothing: that no file is there is an error of it, before anything is asked
  FROM read_csv($files, columns = {'line': 'VARCHAR'}, auto_detect = false) LIMIT 0
),
entries AS (  -- one of each connector: a file may hold an array of them
  SELECT filename, base, json_type(body) = 'ARRAY' AS is_listed,
         unnest(CASE WHEN json_type(body) = 'ARRAY' THEN CAST(body AS JSON[]) ELSE [body] END) AS body
  FROM documents
),
connectors AS (
  SELECT filename, base, body, coalesce(body->>'name', body->'config'->>'name', CASE WHEN NOT is_listed THEN base END) AS connector_name,
         coalesce(body->'config', body) AS settings
  FROM entries
),
wanted AS (
  SELECT filename, connector_name,
         list_transform(map_entries(TRY(CAST(settings AS MAP(VARCHAR, VARCHAR)))),
                        lambda s: {'key': s.key, 'value': without_secrets(s.key, s.value)}) AS settings
  FROM connectors
  WHERE json_type(settings) = 'OBJECT' AND TRY(CAST(settings AS MAP(VARCHAR, VARCHAR))) IS NOT NULL AND connector_name IS NOT NULL AND settings <> '{}' AND json_type(body->'spec') IS DISTINCT FROM 'OBJECT'
),
unusable AS (  -- files of which nothing, or not all, is a connector
  SELECT filename, base FROM documents
  WHERE NOT EXISTS (SELECT 1 FROM wanted AS w WHERE w.filename = documents.filename)
     OR (SELECT count(*) FROM wanted AS w WHERE w.filename = documents.filename) < (SELECT count(*) FROM entries AS e WHERE e.filename = documents.filename)
),
deployed AS (
  SELECT _connection, scope_1, scope_2, connector_name, CAST(config AS MAP(VARCHAR, VARCHAR)) AS deployed_settings
  FROM inventory.connectors.connectors
  WHERE connector_type IS DISTINCT FROM 'mcp' AND ($connection IS NULL OR _connection = $connection)
),
compared AS (
  SELECT d._connection, d.scope_1, d.scope_2, w.connector_name, w.filename, d.connector_name IS NULL AS is_missing,
         unnest(w.settings) AS setting, d.deployed_settings
  FROM wanted AS w LEFT JOIN deployed AS d ON d.connector_name = w.connector_name
)
SELECT DISTINCT _connection, scope_1, scope_2, connector_name,
       CASE WHEN is_missing THEN 'not deployed' ELSE 'different' END AS drift,
       CASE WHEN NOT is_missing THEN setting.key END AS key,
       CASE WHEN NOT is_missing THEN setting.value END AS wanted,
       CASE WHEN NOT is_missing THEN deployed_settings[setting.key] END AS deployed, filename AS file
FROM compared
WHERE is_missing
   OR (regexp_replace(deployed_settings[setting.key], '\*{4}[0-9a-f]{8}', '****', 'g') IS DISTINCT FROM setting.value
       AND setting.key <> 'name'
       AND NOT regexp_full_match(coalesce(deployed_settings[setting.key], ''), '\*{4}[*0-9a-f]*')
       AND NOT contains(coalesce(setting.value, ''), '${'))
UNION ALL
SELECT d._connection, d.scope_1, d.scope_2, d.connector_name, 'in no file', NULL, NULL, NULL, NULL
FROM deployed AS d
WHERE NOT EXISTS (FROM nothing) AND d.connector_name NOT IN (SELECT connector_name FROM wanted UNION ALL SELECT base FROM unusable)
UNION ALL
SELECT NULL, NULL, NULL, base, 'file cannot be used', NULL, 'a connector as JSON', NULL, filename FROM unusable
ORDER BY ALL
