-- What small orders of a kind of part bring in a year.
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly
FROM tpch.sales.lineitem, tpch.sales.part
WHERE
    p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'LG PKG'
    AND l_quantity < (
        SELECT 0.2 * avg(l_quantity) FROM tpch.sales.lineitem WHERE l_partkey = p_partkey
    )
