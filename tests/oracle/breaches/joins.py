"""Rules of joins, broken."""

from __future__ import annotations

from tests.oracle.breaches.breach import GROUPS, ITEMS, SUBS, Breach

JOINS = (
    Breach(
        "ON restricts the preserved side of LEFT",
        f"SELECT a.grp, b.sub FROM {SUBS} AS a LEFT JOIN conn_b.w.subs AS b ON a.grp = '5'",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "ON restricts the preserved side of RIGHT",
        f"SELECT a.grp, b.sub FROM {GROUPS} AS g JOIN {SUBS} AS a ON a.grp = g.g "
        "RIGHT JOIN conn_b.w.subs AS b ON b.grp = '5'",
        "conn_b.w.subs AS b", "grp = '5'",
    ),
    Breach(
        "ON restricts the left of FULL",
        f"SELECT a.grp, b.sub FROM {SUBS} AS a FULL JOIN {GROUPS} AS b(sub, n) ON a.grp = '5'",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "ON restricts the right of FULL",
        f"SELECT g.g, b.sub FROM {GROUPS} AS g FULL JOIN {SUBS} AS b ON b.grp = '5'",
        f"{SUBS} AS b", "grp = '5'",
    ),
    Breach(
        "ON restricts the left of ANTI",
        f"SELECT a.sub FROM {SUBS} AS a ANTI JOIN {GROUPS} AS b ON a.grp = b.g AND a.grp = '5'",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "the equality of ANTI restricts its left",
        f"SELECT a.grp FROM {SUBS} AS a ANTI JOIN (SELECT grp FROM {ITEMS} WHERE grp = '5') AS b "
        "ON a.grp = b.grp",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "the equality of ANTI with values restricts its left",
        f"SELECT a.sub FROM {SUBS} AS a ANTI JOIN (VALUES ('5')) AS v(t) ON a.grp = v.t",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "WHERE restricts the right of ASOF",
        f"SELECT g.g, b.sub FROM {GROUPS} AS g ASOF JOIN {SUBS} AS b ON b.sub = 'x' "
        "AND g.g >= b.grp WHERE b.grp = '05'",
        f"{SUBS} AS b", "grp = '05'",
    ),
    Breach(
        "ON restricts the left of ASOF LEFT",
        f"SELECT b.sub, v.u FROM {SUBS} AS b ASOF LEFT JOIN (VALUES ('5', 'a')) AS v(t, u) "
        "ON b.grp = v.t AND b.sub >= v.u",
        f"{SUBS} AS b", "grp = '5'",
    ),
    Breach(
        "something restricts a POSITIONAL join",
        f"SELECT count(*) FROM {GROUPS} AS g POSITIONAL JOIN {SUBS} AS b WHERE b.grp = '7' OR true",
        f"{SUBS} AS b", "grp = '7'",
    ),
    Breach(
        "WHERE restricts a POSITIONAL join",
        f"SELECT g.g FROM {SUBS} AS b POSITIONAL JOIN {GROUPS} AS g WHERE b.grp = '7'",
        f"{SUBS} AS b", "grp = '7'",
    ),
    Breach(
        "the test for rejecting NULL is inverted",
        f"SELECT a.g, b.sub FROM {GROUPS} AS a LEFT JOIN {SUBS} AS b ON b.grp = a.g "
        "WHERE b.grp = '5' OR b.grp IS NULL",
        f"{SUBS} AS b", "grp = '5'",
    ),
    Breach(
        "coalesce is taken to reject NULL",
        f"SELECT a.g FROM {GROUPS} AS a LEFT JOIN {SUBS} AS b ON b.grp = a.g "
        "WHERE coalesce(b.grp = '5', true)",
        f"{SUBS} AS b", "grp = '5'",
    ),
    Breach(
        "IS NOT DISTINCT FROM is taken to reject NULL",
        f"SELECT a.g FROM {GROUPS} AS a LEFT JOIN {SUBS} AS b ON b.grp = a.g "
        "AND b.sub = 'y' WHERE b.grp IS NOT DISTINCT FROM nullif('5', '5')",
        f"{SUBS} AS b", "false",
    ),
    Breach(
        "FULL counts as INNER where nothing rejects NULL",
        f"SELECT a.grp, b.g FROM {SUBS} AS a FULL JOIN {GROUPS} AS b ON a.grp = b.g "
        "AND b.g = '5' WHERE b.g = '5' OR b.g IS NULL OR b.g = '7'",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "a predicate on the side that may be missing filters what is fetched",
        f"SELECT a.g FROM {GROUPS} AS a LEFT JOIN {SUBS} AS b ON b.grp = a.g "
        "WHERE b.grp IS DISTINCT FROM '5'",
        f"{SUBS} AS b", "grp IS DISTINCT FROM '5'",
    ),
    Breach(
        "values are taken from a LEFT join as if it were INNER",
        f"SELECT a.g, c.name FROM {GROUPS} AS a LEFT JOIN {SUBS} AS b ON b.grp = a.g "
        f"AND b.grp <> '05' LEFT JOIN {ITEMS} AS c ON c.grp = coalesce(b.grp, '05')",
        f"{ITEMS} AS c", "grp IN ('5', '7')",
    ),
    Breach(
        "ON inside brackets restricts what is outside",
        f"SELECT a.grp, b.sub FROM {SUBS} AS a LEFT JOIN ({GROUPS} AS g JOIN conn_b.w.subs AS b "
        "ON b.grp = '5') ON a.grp = g.g AND a.grp = '5'",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "a LATERAL block restricts the left of its LEFT JOIN",
        f"SELECT a.grp, l.n FROM {SUBS} AS a LEFT JOIN LATERAL (SELECT g.size AS n "
        f"FROM {GROUPS} AS g WHERE g.g = a.grp AND a.grp = '5') AS l ON true",
        f"{SUBS} AS a", "grp = '5'",
    ),
    Breach(
        "connections are joined although the SQL does not say so",
        "SELECT s.sub FROM conn_a.w.groups AS g JOIN conn_b.w.subs AS s ON s.grp = g.g",
        "conn_b.w.subs AS s", "false",
    ),
)  # fmt: skip
