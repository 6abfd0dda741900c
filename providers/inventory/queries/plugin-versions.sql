-- title: Plugins that run in more than one version
-- description: Which version of a plugin runs where. With `all=true` those of one version too.
-- params:
--   plugin: {description: "A part of the plugin's class, in any case", choices: SELECT DISTINCT plugin_class FROM inventory.connectors.connectors, exists: part}
--   all: {type: BOOLEAN, default: false, description: Also plugins of which there is one version}
-- key: [plugin_class]
-- severity: warning
SELECT plugin_class, count(DISTINCT plugin_version) AS versions, count(*) AS connectors,
       list(DISTINCT plugin_version ORDER BY plugin_version) AS which,
       list(DISTINCT _connection ORDER BY _connection) AS connections
FROM inventory.connectors.connectors
WHERE plugin_version IS NOT NULL AND ($plugin IS NULL OR contains(lower(plugin_class), lower($plugin)))
GROUP BY ALL
HAVING count(DISTINCT plugin_version) > 1 OR $all
ORDER BY versions DESC, plugin_class
