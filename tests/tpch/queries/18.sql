-- The customers of the largest orders.
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)
FROM tpch.sales.customer, tpch.sales.orders, tpch.sales.lineitem
WHERE
    o_orderkey IN (
        SELECT l_orderkey FROM tpch.sales.lineitem
        GROUP BY l_orderkey HAVING sum(l_quantity) > 250
    )
    AND c_custkey = o_custkey AND o_orderkey = l_orderkey
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
ORDER BY o_totalprice DESC, o_orderdate, o_orderkey
LIMIT 100
