-- title: What is deployed against a folder of JSON files
-- description: |
--   Files as Kafka Connect takes them, {"name": …, "config": {…}} or the settings alone, a connector
--   a file. Only keys that a file names are compared: defaults that a server adds are no drift, and
--   neither are credentials, which are masked, nor references that a file leaves to a config provider.
-- params:
--   files: {default: "connectors/*.json", description: The files}
--   connection: {description: Only what this connection shows}
-- key: [_connection, connector_name, key]
-- state: deployed
-- severity: warning
WITH rules AS (  -- what is a credential where it is deployed is one in a file
  SELECT '(?i)(passw(or)?d|passphrase|secret|token|credential|authorization|cookie|jaas\.config|connection[._-]?(uri|string)|user\.info|shared[._-]?access|(^|[._-])(pass|pwd|jwt|dsn|sas)$|(access|account|aes|api|auth|certificate|client|consumer|cosmos|customer|encrypt(ion)?|hec|hmac|integration|license|master|pem|private|routing|rsa|sas|shared|signing|ssl|storage|subscription|keystore)[._-]?keys?([^a-z]|id|value|$)|(data|crypto|cipher)[._-]?keys?$|^key$|(^|[._-])license$|(account|keyfile|key)[._-]json$)' AS secret_keys,
         '(?i)([._-](class|classes|type|provider|providers|location|path|file|filename|url|endpoint|ms|enable|enabled|mode|format|converter|serializer|deserializer|manager|expiry|lifetime|algorithm|name|source|strategy|field|fields|column|columns|property|pointer|topic|topics)$|tokenizer|max[._-]tokens$|auth\.mode$)' AS public_keys,
         '(?i)(://[^/\s:@]*:[^\s@]+@|thin:[^/\s@]+/[^\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.|(passw(or)?d|pwd|secret|token|api[-_]?key|account_?key|access_?key|[?&;]sig)\s*=\s*[^\s;&]|(authorization|cookie|api-key)\s*:\s*\S|\b(bearer|basic)\s+[\w.~+/=-]{8}|\"[^\"]*(passw(or)?d|secret|token|api_?key|private_?key|access_?key)[^\"]*\"\s*:\s*\"[^\"])' AS secret_values
),
documents AS (
  SELECT filename, CAST(content AS JSON) AS body FROM read_text($files)
),
wanted AS (
  SELECT coalesce(body->>'name', body->'config'->>'name', regexp_extract(filename, '([^/\\]+)\.json$', 1)) AS connector_name,
         CAST(coalesce(body->'config', body) AS MAP(VARCHAR, VARCHAR)) AS settings
  FROM documents
),
deployed AS (
  SELECT _connection, scope_1, scope_2, connector_name, CAST(config AS MAP(VARCHAR, VARCHAR)) AS settings
  FROM inventory.connectors.connectors
  WHERE connector_type IS DISTINCT FROM 'mcp' AND _connection = $connection
),
compared AS (
  SELECT d._connection, d.scope_1, d.scope_2, w.connector_name, d.connector_name IS NULL AS is_missing,
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
       CASE WHEN NOT is_missing THEN found[setting.key] END AS deployed
FROM compared, rules AS r
WHERE is_missing
   OR (found[setting.key] IS DISTINCT FROM setting.value AND setting.key <> 'name'
       AND NOT starts_with(coalesce(found[setting.key], ''), '****')
       AND NOT starts_with(setting.value, '${'))
UNION ALL
SELECT d._connection, d.scope_1, d.scope_2, d.connector_name, 'in no file', NULL, NULL, NULL
FROM deployed AS d
WHERE d.connector_name NOT IN (SELECT connector_name FROM wanted)
ORDER BY ALL
