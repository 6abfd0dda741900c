-- title: What is deployed against a folder of JSON files
-- description: |
--   Files as Kafka Connect takes them, {"name": …, "config": {…}} or the settings alone, a connector
--   a file. Only keys that a file names are compared: defaults that a server adds are no drift, and
--   neither are credentials, which are masked, nor values with a reference or placeholder, ${…}.
--   Comments and a byte order mark do no harm, and a file may hold an array of connectors. One that
--   holds no connector is a row, and the others are compared all the same.
-- params:
--   files: {default: "connectors/*.json", description: The files}
--   connection: {description: Only what this connection shows}
-- key: [_connection, connector_name, key, file]
-- state: deployed
-- severity: warning
WITH rules AS (  -- what is a credential where it is deployed is one in a file
  SELECT '(?i)(passw(or)?d|passphrase|secret|token|credential|authorization|cookie|jaas\.config|connection[._-]?(uri|string)|user\.info|shared[._-]?access|(^|[._-])(pass|pwd|jwt|dsn|sas)$|(access|account|aes|api|auth|certificate|client|consumer|cosmos|customer|encrypt(ion)?|hec|hmac|integration|license|master|pem|private|routing|rsa|sas|shared|signing|ssl|storage|subscription|keystore)[._-]?keys?([^a-z]|id|value|$)|(data|crypto|cipher)[._-]?keys?$|^key$|(^|[._-])license$|(account|keyfile|key)[._-]json$)' AS secret_keys,
         '(?i)([._-](class|classes|type|provider|providers|location|path|file|filename|url|endpoint|ms|enable|enabled|mode|format|converter|serializer|deserializer|manager|expiry|lifetime|algorithm|name|source|strategy|field|fields|column|columns|property|pointer|topic|topics)$|tokenizer|max[._-]tokens$|auth\.mode$)' AS public_keys,
         '(?i)(://[^/\s:@]*:[^\s@]+@|thin:[^/\s@]+/[^\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.|(passw(or)?d|pwd|secret|token|api[-_]?key|account_?key|access_?key|[?&;]sig)\s*=\s*[^\s;&]|(authorization|cookie|api-key)\s*:\s*\S|\b(bearer|basic)\s+[\w.~+/=-]{8}|\"[^\"]*(passw(or)?d|secret|token|api_?key|private_?key|access_?key)[^\"]*\"\s*:\s*\"[^\"])' AS secret_values
),
documents AS (  -- without a byte order mark; a comment is left out, a placeholder in place of a value is a text
  SELECT filename, regexp_extract(filename, '([^/\\]+?)(\.[^./\\]*)?$', 1) AS base,
         TRY_CAST(array_to_string(list_transform(
           regexp_extract_all(ltrim(TRY(decode(content)), chr(65279)),
             '(?s)"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|\$\{[^}"]*\}|[^"/$]+|.'),
           lambda t: CASE WHEN t[1] = '/' AND len(t) > 1 THEN '' WHEN t[1:2] = '${' THEN '"' || t || '"' ELSE t END
         ), '') AS JSON) AS body
  FROM read_blob($files)
),
given AS (
  SELECT CASE WHEN count(*) = 0 THEN error('no file matches ' || $files || ': say which they are, such as  connstat run drift files="connectors/*.json"') END AS nothing
  FROM documents
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
  SELECT filename, connector_name, CAST(settings AS MAP(VARCHAR, VARCHAR)) AS settings
  FROM connectors
  WHERE json_type(settings) = 'OBJECT' AND connector_name IS NOT NULL AND settings <> '{}' AND json_type(body->'spec') IS DISTINCT FROM 'OBJECT'
),
unusable AS (  -- files of which nothing, or not all, is a connector
  SELECT filename, base FROM documents
  WHERE NOT EXISTS (SELECT 1 FROM wanted AS w WHERE w.filename = documents.filename)
     OR (SELECT count(*) FROM wanted AS w WHERE w.filename = documents.filename) < (SELECT count(*) FROM entries AS e WHERE e.filename = documents.filename)
),
deployed AS (
  SELECT _connection, scope_1, scope_2, connector_name, CAST(config AS MAP(VARCHAR, VARCHAR)) AS settings
  FROM inventory.connectors.connectors
  WHERE connector_type IS DISTINCT FROM 'mcp' AND _connection = $connection
),
compared AS (
  SELECT d._connection, d.scope_1, d.scope_2, w.connector_name, w.filename, d.connector_name IS NULL AS is_missing,
         unnest(map_entries(w.settings)) AS setting, d.settings AS found
  FROM wanted AS w LEFT JOIN deployed AS d ON d.connector_name = w.connector_name
)
SELECT DISTINCT _connection, scope_1, scope_2, connector_name,
       CASE WHEN is_missing THEN 'not deployed' ELSE 'different' END AS drift,
       CASE WHEN NOT is_missing THEN setting.key END AS key,
       CASE WHEN NOT is_missing THEN CASE
         WHEN regexp_matches(setting.key, r.secret_keys) AND NOT regexp_matches(setting.key, r.public_keys)
           OR regexp_matches(setting.value, r.secret_values) THEN '****'
         ELSE setting.value END END AS wanted,
       CASE WHEN NOT is_missing THEN found[setting.key] END AS deployed, filename AS file
FROM compared, rules AS r
WHERE is_missing
   OR (found[setting.key] IS DISTINCT FROM setting.value AND setting.key <> 'name'
       AND NOT starts_with(coalesce(found[setting.key], ''), '****')
       AND NOT contains(setting.value, '${'))
UNION ALL
SELECT d._connection, d.scope_1, d.scope_2, d.connector_name, 'in no file', NULL, NULL, NULL, NULL
FROM deployed AS d, given
WHERE given.nothing IS NULL AND d.connector_name NOT IN (SELECT connector_name FROM wanted UNION ALL SELECT base FROM unusable)
UNION ALL
SELECT NULL, NULL, NULL, base, 'file cannot be used', NULL, 'a connector as JSON', NULL, filename FROM unusable
ORDER BY ALL
