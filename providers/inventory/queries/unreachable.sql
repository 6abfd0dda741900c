-- title: Connections and clusters that cannot be reached
-- description: |
--   Asks every cluster for its connectors, and lists the requests that failed, never an empty list in
--   their place. The exit code is 4, for a partial result, when there are some.
-- key: [connection, arguments]
-- state: status
-- partial: true
CREATE OR REPLACE TEMP TABLE reached AS
SELECT _connection, scope_1, scope_2, count(state) AS connectors FROM inventory.connectors.connectors GROUP BY ALL;

SELECT connection, "table", arguments, status, message, attempts, "at" FROM _errors ORDER BY ALL
