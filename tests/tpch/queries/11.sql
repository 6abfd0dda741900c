-- The parts that make up most of the stock in a nation.
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value
FROM tpch.sales.partsupp, tpch.sales.supplier, tpch.sales.nation
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
GROUP BY ps_partkey
HAVING sum(ps_supplycost * ps_availqty) > (
    SELECT sum(ps_supplycost * ps_availqty) * 0.01
    FROM tpch.sales.partsupp, tpch.sales.supplier, tpch.sales.nation
    WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
)
ORDER BY value DESC, ps_partkey
