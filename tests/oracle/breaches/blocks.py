"""Rules of blocks and derived tables, broken."""

from __future__ import annotations

from tests.oracle.breaches.breach import GROUPS, LINES, SUBS, Breach

BLOCKS = (
    Breach(
        "ORDER BY goes by a column though the list makes another of its name",
        f"SELECT seq FROM (SELECT * REPLACE (-seq AS seq) FROM {LINES} AS l WHERE grp = '5' "
        "ORDER BY seq LIMIT 2)",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "ORDER BY goes by a column that COLUMNS makes anew",
        f"SELECT seq FROM (SELECT -(COLUMNS('seq')) FROM {LINES} AS l WHERE grp = '5' "
        "ORDER BY seq LIMIT 2)",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "NULL comes last whatever the session says",
        f"SELECT seq FROM (SELECT seq FROM {LINES} AS l WHERE grp = '05' ORDER BY seq LIMIT 1)",
        f"{LINES} AS l", "seq < 3",
        setup=("SET default_null_order = 'NULLS_FIRST_ON_ASC_LAST_ON_DESC'",),
        undo=("RESET default_null_order",),
    ),
    Breach(
        "of two columns that an alias gives one name the second is taken",
        f"SELECT t.grp FROM {SUBS} AS t(grp) WHERE t.grp = 'x'",
        f"{SUBS} AS t", "grp = 'x'",
    ),
    Breach(
        "a predicate goes below LIMIT",
        f"SELECT * FROM (SELECT grp, sub FROM {SUBS} AS s ORDER BY ALL LIMIT 3) WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes below OFFSET",
        f"SELECT * FROM (SELECT grp, sub FROM {SUBS} AS s ORDER BY ALL OFFSET 1) WHERE grp = '7'",
        f"{SUBS} AS s", "grp = '7'",
    ),
    Breach(
        "a predicate goes below the LIMIT of an IN",
        f"SELECT g FROM {GROUPS} WHERE g = '7' AND g IN "
        f"(SELECT grp FROM {SUBS} AS s ORDER BY ALL LIMIT 2)",
        f"{SUBS} AS s", "grp = '7'",
    ),
    Breach(
        "a predicate goes below a sample",
        f"SELECT * FROM (SELECT grp, sub FROM {SUBS} AS s USING SAMPLE 50 PERCENT (bernoulli, 3)) "
        "WHERE grp = '7'",
        f"{SUBS} AS s", "grp = '7'",
    ),
    Breach(
        "a predicate goes below a function that counts its calls",
        f"SELECT * FROM (SELECT grp, nextval('turns') AS turn FROM {SUBS} AS s) WHERE grp = '7'",
        f"{SUBS} AS s", "grp = '7'",
        setup=(  # DuckDB itself would do it
            "CREATE OR REPLACE TEMP SEQUENCE turns", "SET disabled_optimizers = 'filter_pushdown'",
        ),
        undo=("RESET disabled_optimizers",),
    ),
    Breach(
        "a predicate goes through a window that has no such partition",
        f"SELECT * FROM (SELECT grp, sub, count(*) OVER (PARTITION BY sub) AS k FROM {SUBS} AS s) "
        "WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes through a window over all rows",
        f"SELECT * FROM (SELECT grp, row_number() OVER (ORDER BY grp, sub) AS k FROM {SUBS} AS s) "
        "WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes through one of two windows",
        "SELECT * FROM (SELECT grp, count(*) OVER (PARTITION BY grp) AS k, count(*) OVER "
        f"(PARTITION BY sub) AS l FROM {SUBS} AS s) WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes through QUALIFY",
        f"SELECT * FROM (SELECT grp, sub FROM {SUBS} AS s QUALIFY row_number() OVER "
        "(PARTITION BY sub ORDER BY grp) = 1) WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "QUALIFY restricts what no window is split by",
        f"SELECT sub FROM {SUBS} AS s QUALIFY row_number() OVER (ORDER BY grp, sub) = 3 "
        "AND grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes through an aggregate",
        f"SELECT * FROM (SELECT sub, min(grp) AS grp FROM {SUBS} AS s GROUP BY sub) "
        "WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes through an aggregate without keys",
        f"SELECT * FROM (SELECT max(grp) AS grp, count(*) AS n FROM {SUBS} AS s) WHERE grp = '7'",
        f"{SUBS} AS s", "grp = '7'",
    ),
    Breach(
        "HAVING restricts what is not a key",
        f"SELECT sub, min(grp) FROM {SUBS} AS s GROUP BY sub HAVING min(grp) = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "grouping sets are ignored",
        f"SELECT * FROM (SELECT grp, count(*) AS n FROM {SUBS} AS s GROUP BY ROLLUP (grp)) "
        "WHERE grp = '5' OR grp IS NULL",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "grouping sets are ignored where NULL is asked for",
        f"SELECT * FROM (SELECT grp, count(*) AS n FROM {SUBS} AS s GROUP BY ROLLUP (grp)) "
        "WHERE grp IS NOT DISTINCT FROM nullif('5', '5')",
        f"{SUBS} AS s", "false",
    ),
    Breach(
        "HAVING ignores grouping sets",
        f"SELECT grp, count(*) AS n FROM {SUBS} AS s GROUP BY GROUPING SETS ((grp), ()) "
        "HAVING grp = '5' OR grp IS NULL",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a constant goes through grouping sets",
        f"SELECT k FROM (SELECT 'a' AS tag, grp, count(*) AS k FROM {SUBS} AS s "
        "GROUP BY ROLLUP (tag, grp)) WHERE tag IS NULL",
        f"{SUBS} AS s", "false",
    ),
    Breach(
        "a predicate goes below DISTINCT ON",
        f"SELECT * FROM (SELECT DISTINCT ON (sub) sub, grp FROM {SUBS} AS s ORDER BY sub, grp) "
        "WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a volatile function is taken for a constant",
        f"SELECT grp, sub FROM {SUBS} AS s "
        "WHERE grp = CASE WHEN nextval('turns') = 1 THEN '05' ELSE '5' END",
        f"{SUBS} AS s", "grp = '05'",
        setup=("CREATE OR REPLACE TEMP SEQUENCE turns",),
    ),
    Breach(
        "an output column is taken for the column it is made of",
        "SELECT * FROM (SELECT lower(grp) AS grp, sub FROM conn_b.w.subs AS s) WHERE grp = 'a'",
        "conn_b.w.subs AS s", "grp = 'a'",
    ),
    Breach(
        "renamed columns keep their old names",
        f"SELECT * FROM {SUBS} AS s(grp, kind, sub) WHERE grp = '5'",
        f"{SUBS} AS s(grp, kind, sub)", "grp = '5'",
    ),
    Breach(
        "one branch of OR restricts",
        f"SELECT sub FROM {SUBS} AS s WHERE grp = '5' OR sub = 'x'", f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "the first of several alternatives is kept",
        f"SELECT sub FROM {SUBS} AS s WHERE grp = '5' OR grp = '05'", f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "NOT is overlooked",
        f"SELECT sub FROM {SUBS} AS s WHERE NOT (grp = '5' AND sub = 'x')",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "IS NOT TRUE is overlooked",
        f"SELECT sub FROM {SUBS} AS s WHERE (grp = '5') IS NOT TRUE", f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "what is not an equality restricts to nothing",
        f"SELECT sub FROM {SUBS} AS s WHERE grp <> '5'", f"{SUBS} AS s", "false",
    ),
)  # fmt: skip
