-- How many requests a careful engineer would send for each query: the goal of planning. Written
-- out for the rows of `data.sql`, at the page sizes of `providers/tpch/sales.yaml`. A list of
-- lines of a supplier runs to several pages; all other lists of an owner are one page each here.

CREATE OR REPLACE TEMP MACRO pages(rows, size) AS greatest(1, ceil(rows / size))::BIGINT;
-- A list by page number or offset ends with an empty page where the last one was full.
CREATE OR REPLACE TEMP MACRO pages_to_the_end(rows, size) AS (rows // size + 1)::BIGINT;

CREATE OR REPLACE TEMP TABLE whole AS
SELECT *, all_orders + (SELECT count(*) FROM orders) AS all_lines
FROM (SELECT
    1 AS all_regions, 1 AS all_nations,
    (SELECT pages(count(*), 100) FROM supplier) AS all_suppliers,
    (SELECT pages_to_the_end(count(*), 60) FROM customer) AS all_customers,
    (SELECT pages(count(*), 50) FROM part) AS all_parts,
    (SELECT pages_to_the_end(count(*), 100) FROM orders) AS all_orders
);

CREATE OR REPLACE TEMP TABLE delivered AS
SELECT s_suppkey, n_name, r_name, pages(count(*), 100) AS pages
FROM supplier
JOIN nation ON s_nationkey = n_nationkey
JOIN region ON n_regionkey = r_regionkey
JOIN lineitem ON l_suppkey = s_suppkey
GROUP BY ALL;

CREATE OR REPLACE TEMP MACRO orders_between(day, months) AS (
    SELECT count(*) FROM orders
    WHERE o_orderdate >= day AND o_orderdate < day + to_months(months));

SELECT query, requests::BIGINT AS requests, way
FROM whole, LATERAL (VALUES
    (1, all_lines, 'every order, then the lines of each'),
    (2, all_regions + all_nations + all_suppliers + 1
        + (SELECT count(*) FROM part WHERE p_size = 15 AND p_type LIKE '%BRASS'),
        'parts of the size; offers of those of the metal'),
    (3, 1 + all_orders + (
        SELECT count(*) FROM orders JOIN customer ON c_custkey = o_custkey
        WHERE c_mktsegment = 'BUILDING' AND o_orderdate < DATE '1995-03-15'),
        'customers of the segment; all orders; lines of theirs before the day'),
    (4, all_orders + orders_between(DATE '1993-07-01', 3),
        'all orders; lines of those of the quarter'),
    (5, all_regions + all_nations + all_suppliers + all_orders
        + (SELECT sum(pages) FROM delivered WHERE r_name = 'ASIA')
        + all_customers,
        'lines of the region''s suppliers; all orders and customers'),
    (6, all_lines, 'every order, then the lines of each'),
    (7, all_nations + all_suppliers + all_customers + all_orders
        + (SELECT sum(pages) FROM delivered WHERE n_name IN ('FRANCE', 'GERMANY')),
        'lines of the two nations'' suppliers; all orders and customers'),
    (8, all_regions + all_nations + all_suppliers + all_customers + all_orders + 1
        + (SELECT count(*) FROM part WHERE p_type = 'ECONOMY ANODIZED STEEL'),
        'parts of the type; lines of each; everything else whole'),
    (9, all_parts + all_suppliers + all_nations + all_orders
        + least((SELECT count(*) FROM part WHERE p_name LIKE '%green%'),
            (SELECT sum(pages) FROM delivered))
        + least((SELECT count(*) FROM part WHERE p_name LIKE '%green%'),
            (SELECT count(*) FROM supplier)),
        'all parts; lines and offers of the green ones, or of all suppliers if they are fewer'),
    (10, all_nations + all_customers + all_orders + orders_between(DATE '1993-10-01', 3),
        'all orders; lines of those of the quarter'),
    (11, all_nations + all_suppliers + (
        SELECT count(*) FROM supplier JOIN nation ON s_nationkey = n_nationkey
        WHERE n_name = 'GERMANY'), 'offers of the nation''s suppliers'),
    (12, all_lines, 'every order, then the lines of each'),
    (13, all_customers + all_orders, 'both whole'),
    (14, all_parts + (SELECT count(*) FROM part), 'every part, then the lines of each'),
    (15, all_suppliers + all_lines,
        'every order, then the lines of each: the maximum needs them all'),
    (16, all_suppliers + 1 + least(
        (SELECT count(*) FROM supplier),
        (SELECT count(*) FROM part WHERE p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
            AND p_brand <> 'Brand#31' AND p_type NOT LIKE 'MEDIUM POLISHED%')),
        'parts of the sizes; offers of every supplier, who are fewer'),
    (17, 1 + (
        SELECT count(*) FROM part WHERE p_brand = 'Brand#23' AND p_container = 'LG PKG'),
        'parts of the kind; lines of each'),
    (18, all_lines + all_customers, 'every order, then the lines of each'),
    (19, all_parts + (
        SELECT count(*) FROM part
        WHERE (p_brand = 'Brand#12' AND p_container LIKE 'SM%' AND p_container NOT LIKE '%BAG'
                AND p_size BETWEEN 1 AND 5)
            OR (p_brand = 'Brand#23' AND p_container LIKE 'MED%' AND p_container NOT LIKE '%CASE'
                AND p_size BETWEEN 1 AND 10)
            OR (p_brand = 'Brand#33' AND p_container LIKE 'LG%' AND p_container NOT LIKE '%BAG'
                AND p_size BETWEEN 1 AND 15)),
        'all parts; lines of those of the three kinds'),
    (20, all_nations + all_suppliers + all_parts + (
        SELECT count(DISTINCT s_suppkey) + least(count(*), sum(pages))
        FROM partsupp JOIN part ON p_partkey = ps_partkey JOIN delivered ON s_suppkey = ps_suppkey
        WHERE n_name = 'CANADA' AND p_name LIKE 'forest%'),
        'offers of the nation''s suppliers; lines of the parts among them'),
    (21, all_nations + all_suppliers + all_orders
        + (SELECT sum(pages) FROM delivered WHERE n_name = 'FRANCE')
        + (SELECT count(DISTINCT l_orderkey) FROM lineitem
            JOIN orders ON o_orderkey = l_orderkey JOIN delivered ON s_suppkey = l_suppkey
            WHERE n_name = 'FRANCE' AND o_orderstatus = 'F' AND l_receiptdate > l_commitdate),
        'lines of the nation''s suppliers; all orders; lines of those that waited'),
    (22, all_customers + all_orders, 'both whole')
) AS ways (query, requests, way)
ORDER BY query
