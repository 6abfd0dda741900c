-- A small world of the TPC-H kind: keys, domains and rules of the benchmark's public text, and so
-- few rows that requests can be counted. People live in ten of the 25 nations, and parts come in
-- fewer kinds, so that every query finds something. `pick` is chance that is always the same.

CREATE MACRO pick(what, k, n) AS (md5_number_lower(what || ':' || k) % n)::INTEGER;
CREATE MACRO one_of(what, k, choices) AS choices[1 + pick(what, k, len(choices))];
CREATE MACRO cents(what, k, low, high) AS
    ((low + pick(what, k, high - low + 1)) / 100)::DECIMAL(15, 2);
CREATE MACRO phone(nation, k) AS printf(
    '%d-%03d-%03d-%04d', nation + 10, 100 + pick('p1', k, 900), 100 + pick('p2', k, 900),
    1000 + pick('p3', k, 9000));
CREATE MACRO words(what, k) AS concat_ws(' ',
    one_of(what || 'a', k, ['quickly', 'blithely', 'furiously', 'slyly']),
    one_of(what || 'b', k, ['regular', 'ironic', 'final', 'bold', 'even']),
    one_of(what || 'c', k, ['packages', 'deposits', 'accounts', 'theodolites']),
    one_of(what || 'd', k, ['haggle', 'sleep', 'wake', 'nag']));
-- The seller of a part's i-th offer, of `sellers` in all; four different ones for i from 0 to 3.
CREATE MACRO seller(part, i, sellers) AS
    (part + i * (sellers // 4) + (part - 1) // sellers) % sellers + 1;

CREATE TABLE region AS
SELECT (i - 1)::BIGINT AS r_regionkey, names[i] AS r_name, words('region', i) AS r_comment
FROM (SELECT ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'] AS names), range(1, 6) AS n(i);

CREATE TABLE nation AS
SELECT
    (i - 1)::BIGINT AS n_nationkey, names[i] AS n_name, regions[i]::BIGINT AS n_regionkey,
    words('nation', i) AS n_comment
FROM (
    SELECT
        ['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY',
         'INDIA', 'INDONESIA', 'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE',
         'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM', 'RUSSIA', 'UNITED KINGDOM',
         'UNITED STATES'] AS names,
        [0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1] AS regions
), range(1, 26) AS n(i);

CREATE TABLE supplier AS
SELECT
    k AS s_suppkey, printf('Supplier#%09d', k) AS s_name, words('at', k) AS s_address,
    n AS s_nationkey, phone(n, k) AS s_phone, cents('sb', k, -99999, 999999) AS s_acctbal,
    if(k % 8 = 0, 'Customer deposits: Complaints', words('supplier', k)) AS s_comment
FROM (
    SELECT k, one_of('sn', k, [2, 3, 4, 5, 6, 7, 8, 14, 18, 20])::BIGINT AS n
    FROM range(1, 21) AS r(k)
);

CREATE TABLE customer AS
SELECT
    k AS c_custkey, printf('Customer#%09d', k) AS c_name, words('to', k) AS c_address,
    n AS c_nationkey, phone(n, k + 1000) AS c_phone, cents('cb', k, -99999, 999999) AS c_acctbal,
    one_of('ms', k, ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'])
        AS c_mktsegment,
    words('customer', k) AS c_comment
FROM (
    SELECT k, one_of('cn', k, [2, 3, 4, 5, 6, 7, 8, 14, 18, 20])::BIGINT AS n
    FROM range(1, 151) AS r(k)
);

CREATE TABLE part AS
SELECT
    k AS p_partkey,
    concat_ws(' ', one_of('n1', k, colours), one_of('n2', k, colours), one_of('n3', k, colours),
        one_of('n4', k, colours), one_of('n5', k, colours)) AS p_name,
    'Manufacturer#' || m AS p_mfgr, 'Brand#' || m || 1 + pick('br', k, 3) AS p_brand,
    concat_ws(' ', one_of('t1', k, ['STANDARD', 'MEDIUM', 'ECONOMY', 'PROMO']),
        one_of('t2', k, ['ANODIZED', 'POLISHED', 'PLATED']),
        one_of('t3', k, ['STEEL', 'BRASS', 'COPPER'])) AS p_type,
    1 + pick('size', k, 50) AS p_size,
    one_of('c1', k, ['SM', 'MED', 'LG']) || ' '
        || one_of('c2', k, ['CASE', 'BOX', 'BAG', 'PACK', 'PKG']) AS p_container,
    ((90000 + (k // 10) % 20001 + 100 * (k % 1000)) / 100)::DECIMAL(15, 2) AS p_retailprice,
    words('part', k) AS p_comment
FROM (
    SELECT
        k, 1 + pick('mf', k, 3) AS m,
        ['almond', 'azure', 'blush', 'chocolate', 'coral', 'cream', 'forest', 'green', 'ivory',
         'lemon', 'linen', 'navy', 'olive', 'plum', 'rose', 'sky', 'snow', 'tan', 'violet', 'white']
            AS colours
    FROM range(1, 201) AS r(k)
);

CREATE TABLE partsupp AS
SELECT
    p_partkey AS ps_partkey, seller(p_partkey, i, 20) AS ps_suppkey,
    1 + pick('aq', p_partkey * 4 + i, 9999) AS ps_availqty,
    cents('sc', p_partkey * 4 + i, 100, 100000) AS ps_supplycost,
    words('offer', p_partkey * 4 + i) AS ps_comment
FROM part, range(4) AS r(i);

-- Every third customer orders nothing, and of each 32 order keys eight are used.
CREATE TEMP TABLE ordered AS
SELECT
    (k // 8) * 32 + k % 8 + 1 AS orderkey, (n // 2) * 3 + n % 2 + 1 AS custkey,
    DATE '1992-01-01' + pick('od', k, 2406) AS orderdate, 1 + pick('lc', k, 7) AS lines
FROM (SELECT k, pick('ck', k, 100)::BIGINT AS n FROM range(640) AS r(k));

CREATE TEMP TABLE lines AS
SELECT *, shipped + 1 + pick('rd', k, 30) AS received
FROM (
    SELECT
        orderkey, line, orderdate, orderkey * 8 + line AS k, 1 + pick('lp', k, 200) AS part,
        1 + pick('lq', k, 50) AS quantity, orderdate + 1 + pick('sd', k, 121) AS shipped
    FROM ordered, range(1, 8) AS r(line)
    WHERE line <= lines
);

CREATE TABLE lineitem AS
SELECT
    orderkey AS l_orderkey, part::BIGINT AS l_partkey,
    seller(part, pick('ls', k, 4), 20)::BIGINT AS l_suppkey, line::INTEGER AS l_linenumber,
    quantity::DECIMAL(15, 2) AS l_quantity,
    (quantity * p_retailprice)::DECIMAL(15, 2) AS l_extendedprice,
    cents('di', k, 0, 10) AS l_discount, cents('ta', k, 0, 8) AS l_tax,
    if(received > DATE '1995-06-17', 'N', one_of('rf', k, ['R', 'A'])) AS l_returnflag,
    if(shipped > DATE '1995-06-17', 'O', 'F') AS l_linestatus,
    shipped AS l_shipdate, orderdate + 30 + pick('cd', k, 61) AS l_commitdate,
    received AS l_receiptdate,
    one_of('si', k, ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])
        AS l_shipinstruct,
    one_of('sm', k, ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB']) AS l_shipmode,
    words('line', k) AS l_comment
FROM lines JOIN part ON p_partkey = part;

CREATE TABLE orders AS
SELECT
    orderkey AS o_orderkey, custkey AS o_custkey,
    CASE WHEN bool_and(l_linestatus = 'F') THEN 'F' WHEN bool_and(l_linestatus = 'O') THEN 'O'
        ELSE 'P' END AS o_orderstatus,
    sum(l_extendedprice * (1 + l_tax) * (1 - l_discount))::DECIMAL(15, 2) AS o_totalprice,
    orderdate AS o_orderdate,
    one_of('pr', orderkey, ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])
        AS o_orderpriority,
    printf('Clerk#%09d', 1 + pick('cl', orderkey, 10)) AS o_clerk, 0 AS o_shippriority,
    if(pick('oc', orderkey, 10) = 0, 'final special packages nag requests',
        words('order', orderkey)) AS o_comment
FROM ordered JOIN lineitem ON l_orderkey = orderkey
GROUP BY orderkey, custkey, orderdate;

DROP TABLE lines;
DROP TABLE ordered;
