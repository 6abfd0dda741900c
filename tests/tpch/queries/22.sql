-- Customers with money who have ordered nothing, by the country code of their phone.
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal
FROM (
    SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal
    FROM tpch.sales.customer
    WHERE
        substring(c_phone FROM 1 FOR 2) IN ('13', '30', '18', '17', '12', '24', '28')
        AND c_acctbal > (
            SELECT avg(c_acctbal) FROM tpch.sales.customer
            WHERE
                c_acctbal > 0.00
                AND substring(c_phone FROM 1 FOR 2) IN ('13', '30', '18', '17', '12', '24', '28')
        )
        AND NOT EXISTS (SELECT * FROM tpch.sales.orders WHERE o_custkey = c_custkey)
) AS custsale
GROUP BY cntrycode
ORDER BY cntrycode
