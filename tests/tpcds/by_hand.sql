-- How many requests a careful engineer would send for each query: the goal of planning. Written
-- out for the rows of `data.sql`, at the page sizes of `providers/tpcds/retail.yaml`. What is added
-- up: lists of dimensions, by their filters where that is fewer pages, and then for each table of
-- lines the fewest requests among the ways into it that this query opens. Whoever has rows of one
-- table uses the keys in them for the next; nobody asks for more days or things than are named.

CREATE OR REPLACE TEMP TABLE lists AS
-- For each table of lines and each key: pages of its lists.
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM store_sales, LATERAL (VALUES
    ('ss day', ss_sold_date_sk), ('ss item', ss_item_sk), ('ss store', ss_store_sk),
    ('ss customer', ss_customer_sk), ('ss ticket', ss_ticket_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM store_returns, LATERAL (VALUES
    ('sr day', sr_returned_date_sk), ('sr item', sr_item_sk), ('sr customer', sr_customer_sk),
    ('sr ticket', sr_ticket_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM catalog_sales, LATERAL (VALUES
    ('cs day', cs_sold_date_sk), ('cs item', cs_item_sk), ('cs customer', cs_bill_customer_sk),
    ('cs kind', cs_bill_cdemo_sk), ('cs order', cs_order_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM catalog_returns, LATERAL (VALUES
    ('cr day', cr_returned_date_sk), ('cr item', cr_item_sk), ('cr customer',
    cr_returning_customer_sk), ('cr order', cr_order_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM web_sales, LATERAL (VALUES
    ('ws day', ws_sold_date_sk), ('ws item', ws_item_sk), ('ws site', ws_web_site_sk),
    ('ws customer', ws_bill_customer_sk), ('ws order', ws_order_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM web_returns, LATERAL (VALUES
    ('wr item', wr_item_sk), ('wr order', wr_order_number)) AS k (called, key)
GROUP BY ALL
UNION ALL
SELECT called, key, ceil(count(*) / 100)::BIGINT AS pages
FROM inventory, LATERAL (VALUES
    ('inv day', inv_date_sk), ('inv item', inv_item_sk), ('inv warehouse',
    inv_warehouse_sk)) AS k (called, key)
GROUP BY ALL;

CREATE OR REPLACE TEMP MACRO keys(x) AS coalesce(list(x), []);
-- NULL where there are no such keys to ask by, 0 where there are none of them.
CREATE OR REPLACE TEMP MACRO asked(way, own) AS (
    SELECT if(own IS NULL, NULL, coalesce(sum(coalesce(pages, 1)),
    0)::BIGINT) FROM (SELECT DISTINCT unnest(own) AS k)
    LEFT JOIN lists ON called = way AND key = k WHERE k IS NOT NULL);
CREATE OR REPLACE TEMP MACRO days_of(p) AS (SELECT list(d_date_sk) FROM date_dim WHERE p);
CREATE OR REPLACE TEMP MACRO days_from(day, n) AS
    (SELECT list(d_date_sk) FROM date_dim WHERE d_date BETWEEN day AND day + to_days(n));
CREATE OR REPLACE TEMP MACRO things_of(p) AS (SELECT list(i_item_sk) FROM item WHERE p);
CREATE OR REPLACE TEMP MACRO stores_of(p) AS (SELECT list(s_store_sk) FROM store WHERE p);
CREATE OR REPLACE TEMP MACRO kinds_of(p) AS
    (SELECT list(cd_demo_sk) FROM customer_demographics WHERE p);
CREATE OR REPLACE TEMP MACRO every_buyer() AS (SELECT list(c_customer_sk) FROM customer);

-- Pages of the dimensions, whole; one year of days is one page.
CREATE OR REPLACE TEMP MACRO days_whole() AS 6;
CREATE OR REPLACE TEMP MACRO items() AS 3;
CREATE OR REPLACE TEMP MACRO customers() AS 4;
CREATE OR REPLACE TEMP MACRO addresses() AS 3;
CREATE OR REPLACE TEMP MACRO demographics() AS 3;
CREATE OR REPLACE TEMP MACRO households() AS 4;
CREATE OR REPLACE TEMP MACRO times() AS 2;

-- The fewest requests for a table of lines: by the keys that a query gives, or by all things,
-- stores, sites or warehouses, which then have to be listed.
CREATE OR REPLACE TEMP MACRO things_asked(way, things) AS
    if(things IS NULL, items() + asked(way, things_of(true)), asked(way, things));
CREATE OR REPLACE TEMP MACRO ss(days := NULL, things := NULL, stores := NULL, buyers := NULL,
        tickets := NULL) AS least(
    asked('ss day', days), things_asked('ss item', things),
    if(stores IS NULL, 1 + asked('ss store', stores_of(true)), asked('ss store', stores)),
    asked('ss customer', buyers), asked('ss ticket', tickets));
CREATE OR REPLACE TEMP MACRO sr(days := NULL, things := NULL, buyers := NULL, tickets := NULL) AS
    least(asked('sr day', days), things_asked('sr item', things), asked('sr customer', buyers),
    asked('sr ticket', tickets), customers() + asked('sr customer', every_buyer()));
CREATE OR REPLACE TEMP MACRO cs(days := NULL, things := NULL, buyers := NULL, kinds := NULL,
        orders := NULL) AS least(
    asked('cs day', days), things_asked('cs item', things), asked('cs customer', buyers),
    asked('cs kind', kinds), asked('cs order', orders));
CREATE OR REPLACE TEMP MACRO cr(days := NULL, things := NULL, buyers := NULL, orders := NULL) AS
    least(asked('cr day', days), things_asked('cr item', things), asked('cr customer', buyers),
    asked('cr order', orders));
CREATE OR REPLACE TEMP MACRO ws(days := NULL, things := NULL, sites := NULL, buyers := NULL,
        orders := NULL) AS least(
    asked('ws day', days), things_asked('ws item', things),
    if(sites IS NULL, 1 + asked('ws site', range(1, 7)), asked('ws site', sites)),
    asked('ws customer', buyers), asked('ws order', orders));
CREATE OR REPLACE TEMP MACRO wr(things := NULL, orders := NULL) AS
    least(things_asked('wr item', things), asked('wr order', orders));
CREATE OR REPLACE TEMP MACRO stock(days := NULL, things := NULL) AS least(
    asked('inv day', days), things_asked('inv item', things),
    1 + asked('inv warehouse', range(1, 6)));

-- What several queries look at.
CREATE OR REPLACE TEMP MACRO month(y, m) AS days_of(d_year = y AND d_moy = m);
CREATE OR REPLACE TEMP MACRO in_months(m, n) AS days_of(d_month_seq BETWEEN m AND m + n - 1);
-- Sales of a span of days that came back in another: their returns, and what the buyers bought then.
CREATE OR REPLACE TEMP MACRO sold_and_returned(sold, returned) AS TABLE (
    SELECT * FROM store_sales JOIN store_returns
        ON ss_ticket_number = sr_ticket_number AND ss_item_sk = sr_item_sk
    WHERE list_contains(sold, ss_sold_date_sk) AND list_contains(returned, sr_returned_date_sk));
CREATE OR REPLACE TEMP MACRO chain(sold, returned, bought) AS
    ss(days := sold)
    + (SELECT sr(days := returned, things := list(ss_item_sk), buyers := list(ss_customer_sk),
            tickets := list(ss_ticket_number))
        FROM store_sales WHERE list_contains(sold, ss_sold_date_sk))
    + (SELECT cs(days := bought, things := list(sr_item_sk), buyers := list(sr_customer_sk))
        FROM sold_and_returned(sold, returned));
-- Sales of the web whose buyers bought in both of two years.
CREATE OR REPLACE TEMP MACRO web_buyers(y) AS (SELECT list(k) FROM (
    SELECT ws_bill_customer_sk AS k FROM web_sales JOIN date_dim ON ws_sold_date_sk = d_date_sk
    WHERE d_year IN (y, y + 1) GROUP BY 1 HAVING count(DISTINCT d_year) = 2));
CREATE OR REPLACE TEMP MACRO store_buyers(days) AS (
    SELECT list(DISTINCT ss_customer_sk) FROM store_sales
    WHERE list_contains(days, ss_sold_date_sk));

-- 1: returns of all things
SELECT 1 + 1 + customers() + sr(days := days_of(d_year = 2001));

-- 2: sales of all sites and things
SELECT days_whole() + ws() + cs();

-- 3: sales of the maker's things
SELECT 2 + ss(things := things_of(i_manufact_id = 427));

-- 4: sales of all sites; those of the buyers of both years
SELECT customers() + 2 + ws() + ss(buyers := web_buyers(2001)) + cs(buyers := web_buyers(2001));

-- 5: lines of the days; returns of the web by things
SELECT 1 + 3 + ss(days := days_from(DATE '2002-08-22',
    14)) + sr(days := days_from(DATE '2002-08-22', 14)) + cs(days := days_from(DATE '2002-08-22',
    14))
        + cr(days := days_from(DATE '2002-08-22', 14)) + ws(days := days_from(DATE '2002-08-22',
    14)) + wr() + (
        SELECT coalesce(ws(orders := keys(wr_order_number)), 0) FROM web_returns
        WHERE list_contains(days_from(DATE '2002-08-22', 14), wr_returned_date_sk));

-- 6: sales of the month
SELECT 2 + items() + addresses() + customers() + ss(days := month(1998, 7));

-- 7: sales of all stores
SELECT 3 + items() + ss(things := things_of(true));

-- 8: who lives where; sales of the stores that are near
SELECT 1 + 1 + addresses() + customers() + ss(days := days_of(d_year = 2000 AND d_qoy = 2),
    stores := stores_of(left(s_zip, 2) IN (
        SELECT left(ca_zip, 2) FROM customer_address JOIN customer ON ca_address_sk = c_current_addr_sk
        WHERE c_preferred_cust_flag = 'Y' AND ca_zip IN ('68519', '14308', '92564', '86959', '22322')
        GROUP BY ca_zip HAVING count(*) > 10)));

-- 9: sales of all stores
SELECT 1 + ss();

-- 10: sales of the buyers of the counties; orders of the months
SELECT 1 + addresses() + customers() + demographics() + (
        SELECT ss(buyers := keys(c_customer_sk)) + ws(buyers := keys(c_customer_sk)) FROM customer
        JOIN customer_address ON c_current_addr_sk = ca_address_sk
        WHERE ca_county IN ('Lycoming County', 'Pike County', 'Greene County'))
        + cs(days := days_of(d_year = 2002 AND d_moy BETWEEN 4 AND 7));

-- 11: sales of all sites; those of the buyers of both years
SELECT customers() + 2 + ws() + ss(buyers := web_buyers(2001));

-- 12: sales of the days
SELECT 2 + ws(days := days_from(DATE '2000-05-11', 30), things := things_of(i_category IN ('Home',
    'Men', 'Women')));

-- 13: sales of all stores
SELECT 2 + 2 + 1 + 1 + ss();

-- 14: everything whole
SELECT 3 + items() + ss() + ws() + cs(things := things_of(true));

-- 15: orders of the quarter
SELECT 1 + customers() + addresses() + cs(days := days_of(d_year = 1998 AND d_qoy = 1));

-- 16: all orders; returns of those that may be among them
SELECT 3 + cs() + (
        SELECT coalesce(cr(orders := keys(cs_order_number)), 0) FROM catalog_sales
        JOIN customer_address ON cs_ship_addr_sk = ca_address_sk
        WHERE ca_state = 'IA' AND list_contains(days_from(DATE '2002-03-01', 60), cs_ship_date_sk));

-- 17: sales of the quarter or of all stores; their returns; orders of who returned
SELECT 1 + 1 + items() + chain(days_of(d_quarter_name = '1999Q1'),
        days_of(d_year = 1999 AND d_qoy <= 3), days_of(d_year = 1999 AND d_qoy <= 3));

-- 18: orders of the kind of customers
SELECT demographics() + customers() + 1 + 1 + items()
        + cs(kinds := kinds_of(cd_gender = 'F' AND cd_education_status = 'Secondary'));

-- 19: sales of the manager's things or of the month
SELECT 3 + customers() + addresses() + ss(days := month(1998, 12),
    things := things_of(i_manager_id = 38));

-- 20: orders of the days or of the things
SELECT 2 + cs(days := days_from(DATE '2001-02-03', 30),
    things := things_of(i_category IN ('Children', 'Women', 'Electronics')));

-- 21: stock of the things or of the days
SELECT 1 + 1 + items() + stock(days := days_from(DATE '2000-04-13', 60),
        things := things_of(i_current_price BETWEEN 0.99 AND 1.49));

-- 22: all stock
SELECT 1 + 1 + items() + stock(days := in_months(1205, 12), things := things_of(true));

-- 23: all sales; those of the things that are sold often
SELECT 4 + items() + customers() + ss(things := things_of(true)) + (
        SELECT cs(days := month(1998, 6), things := keys(k)) + ws(days := month(1998, 6),
    things := keys(k))
        FROM (SELECT ss_item_sk AS k FROM store_sales GROUP BY ss_item_sk, ss_sold_date_sk
            HAVING count(*) > 4));

-- 24: sales of the market's stores; returns of their buyers
SELECT 1 + addresses() + customers() + items() + ss(stores := stores_of(s_market_id = 6)) + (
        SELECT sr(buyers := keys(k)) FROM (
            SELECT DISTINCT ss_customer_sk AS k
            FROM store_sales JOIN store ON ss_store_sk = s_store_sk WHERE s_market_id = 6));

-- 25: sales of the month; their returns; orders of who returned
SELECT 1 + 1 + items() + chain(month(2001, 4), days_of(d_year = 2001 AND d_moy BETWEEN 4 AND 10),
        days_of(d_year = 2001 AND d_moy BETWEEN 4 AND 10));

-- 26: orders of the kind of customers
SELECT 3 + items() + cs(kinds := kinds_of(cd_gender = 'F' AND cd_marital_status = 'W'
        AND cd_education_status = 'Secondary'));

-- 27: sales of the state's stores
SELECT 3 + items() + ss(stores := stores_of(s_state = 'TN'));

-- 28: sales of all stores
SELECT ss();

-- 29: sales of the month; their returns; orders of who returned
SELECT 3 + 1 + items() + chain(month(1998, 4), days_of(d_year = 1998 AND d_moy BETWEEN 4 AND 7),
        days_of(d_year BETWEEN 1998 AND 2000));

-- 30: returns of all things
SELECT 1 + addresses() + customers() + wr();

-- 31: sales of all stores and sites
SELECT 1 + addresses() + ss() + ws();

-- 32: orders of the maker's things
SELECT 2 + cs(days := days_from(DATE '2001-03-04', 90), things := things_of(i_manufact_id = 610));

-- 33: lines of the month
SELECT 2 + 1 + 1 + ss(days := month(1999, 3),
    things := things_of(i_manufact_id IN (SELECT i_manufact_id FROM item WHERE i_category = 'Books'))) + cs(days := month(1999, 3), things := things_of(i_manufact_id IN (SELECT i_manufact_id FROM item WHERE i_category = 'Books')))
        + ws(days := month(1999, 3),
    things := things_of(i_manufact_id IN (SELECT i_manufact_id FROM item WHERE i_category = 'Books')));

-- 34: sales of the county's stores
SELECT 3 + 1 + 1 + customers() + ss(stores := stores_of(s_county = 'Williamson County'));

-- 35: sales of all stores, sites and things
SELECT 1 + addresses() + customers() + demographics() + ss() + ws()
        + cs(days := days_of(d_year = 2001 AND d_qoy < 4));

-- 36: sales of the state's stores
SELECT 1 + 1 + items() + ss(stores := stores_of(s_state = 'TN'));

-- 37: stock and orders of the things
SELECT 2 + (SELECT stock(days := days_from(DATE '1999-03-06', 60),
    things := keys(i_item_sk)) + cs(things := keys(i_item_sk))
        FROM item WHERE i_current_price BETWEEN 20 AND 50 AND i_manufact_id IN (843, 815, 850,
    840));

-- 38: sales of all stores and sites; orders of the days on which both sold
SELECT customers() + 1 + ss() + ws() + (
        SELECT cs(days := keys(day)) FROM (
            SELECT ss_sold_date_sk AS day FROM store_sales
            INTERSECT SELECT ws_sold_date_sk FROM web_sales)
        JOIN date_dim ON day = d_date_sk WHERE d_month_seq BETWEEN 1188 AND 1199);

-- 39: stock of the two months
SELECT 1 + 1 + items() + stock(days := days_of(d_year = 2002 AND d_moy <= 2),
    things := things_of(true));

-- 40: orders of the things or of the days; their returns
SELECT 1 + 1 + items() + cs(days := days_from(DATE '2002-05-02', 60),
    things := things_of(i_current_price BETWEEN 0.99 AND 1.49))
        + (SELECT cr(things := keys(cs_item_sk), orders := keys(cs_order_number)) FROM catalog_sales
            JOIN item ON cs_item_sk = i_item_sk WHERE i_current_price BETWEEN 0.99 AND 1.49
            AND list_contains(days_from(DATE '2002-05-02', 60), cs_sold_date_sk));

-- 41: all things
SELECT items();

-- 42: sales of the month or of the things
SELECT 2 + ss(days := month(2000, 12), things := things_of(i_manager_id = 1));

-- 43: sales of the stores of the zone
SELECT 2 + ss(stores := stores_of(s_gmt_offset = -5));

-- 44: sales of the store
SELECT items() + ss(stores := [4]);

-- 45: sales of all sites
SELECT 1 + customers() + addresses() + items() + ws(days := days_of(d_year = 2000 AND d_qoy = 1));

-- 46: sales of the stores of the cities
SELECT 3 + 1 + households() + addresses() + customers() + ss(stores := stores_of(s_city IN ('Midway', 'Fairview')));

-- 47: sales of all stores
SELECT 3 + 1 + items() + ss(stores := stores_of(true));

-- 48: sales of all stores
SELECT 2 + 1 + 1 + ss();

-- 49: lines of the month; their returns
SELECT 1 + ss(days := month(1999, 12)) + cs(days := month(1999, 12)) + ws(days := month(1999,
    12)) + (
        SELECT sr(tickets := keys(ss_ticket_number), things := keys(ss_item_sk),
    buyers := keys(ss_customer_sk))
        FROM store_sales WHERE list_contains(month(1999, 12),
    ss_sold_date_sk) AND ss_net_profit > 1) + (
        SELECT cr(orders := keys(cs_order_number), things := keys(cs_item_sk),
    buyers := keys(cs_bill_customer_sk))
        FROM catalog_sales WHERE list_contains(month(1999, 12),
    cs_sold_date_sk) AND cs_net_profit > 1) + (
        SELECT wr(orders := keys(ws_order_number), things := keys(ws_item_sk))
        FROM web_sales WHERE list_contains(month(1999, 12), ws_sold_date_sk) AND ws_net_profit > 1);

-- 50: returns of the month; their tickets
SELECT days_whole() + 1 + sr(days := month(2002, 9)) + (
        SELECT ss(tickets := keys(sr_ticket_number), things := keys(sr_item_sk),
    buyers := keys(sr_customer_sk),
            stores := keys(sr_store_sk))
        FROM store_returns WHERE list_contains(month(2002, 9), sr_returned_date_sk));

-- 51: sales of all stores and sites
SELECT 1 + ss() + ws();

-- 52: sales of the month or of the things
SELECT 2 + ss(days := month(1999, 11), things := things_of(i_manager_id = 1));

-- 53: sales of the things
SELECT 2 + 1 + 1 + ss(things := things_of(
        (i_category IN ('Books', 'Children', 'Electronics')
            AND i_class IN ('personal', 'portable', 'reference', 'self-help')
            AND i_brand IN ('scholaramalgamalg #14', 'scholaramalgamalg #7',
                'exportiunivamalg #9', 'scholaramalgamalg #9'))
        OR (i_category IN ('Women', 'Music', 'Men')
            AND i_class IN ('accessories', 'classical', 'fragrances', 'pants')
            AND i_brand LIKE '%1')));

-- 54: lines of the things; sales of their buyers
SELECT 2 + 1 + addresses() + customers() + 1 + (
        SELECT cs(days := month(2000, 5), things := keys(i_item_sk))
            + ws(days := month(2000, 5), things := keys(i_item_sk))
        FROM item WHERE i_category = 'Sports' AND i_class = 'fitness') + (
        SELECT ss(days := in_months(1205, 3), buyers := keys(k)) FROM (
            SELECT cs_bill_customer_sk AS k, cs_sold_date_sk AS day,
    cs_item_sk AS thing FROM catalog_sales
            UNION ALL SELECT ws_bill_customer_sk, ws_sold_date_sk, ws_item_sk FROM web_sales)
        JOIN item ON thing = i_item_sk JOIN customer ON k = c_customer_sk
        JOIN customer_address ON c_current_addr_sk = ca_address_sk
        JOIN store ON ca_county = s_county AND ca_state = s_state
        WHERE i_class = 'fitness' AND list_contains(month(2000, 5), day));

-- 55: sales of the things
SELECT 2 + ss(days := month(1998, 12), things := things_of(i_manager_id = 33));

-- 56: lines of the month or of the things
SELECT items() + 1 + 1 + ss(days := month(1998, 3),
    things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_color IN ('firebrick',
    'rosy', 'white')))) + cs(days := month(1998, 3),
    things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_color IN ('firebrick',
    'rosy', 'white'))))
        + ws(days := month(1998, 3),
    things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_color IN ('firebrick',
    'rosy', 'white'))));

-- 57: orders of all things
SELECT 3 + 1 + items() + cs(things := things_of(true));

-- 58: lines of the week
SELECT 2 + ss(days := days_from(DATE '2002-02-25', 6),
    things := NULL) + cs(days := days_from(DATE '2002-02-25', 6), things := NULL)
        + ws(days := days_from(DATE '2002-02-25', 6), things := NULL);

-- 59: sales of all stores
SELECT 2 + 1 + ss(stores := stores_of(true));

-- 60: lines of the month or of the things
SELECT 1 + items() + 1 + 1 + ss(days := month(1999, 8),
    things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_category = 'Jewelry'))) + cs(days := month(1999, 8), things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_category = 'Jewelry')))
        + ws(days := month(1999, 8),
    things := things_of(i_item_id IN (SELECT i_item_id FROM item WHERE i_category = 'Jewelry')));

-- 61: sales of the things, of the month or of the stores
SELECT 1 + 1 + 1 + customers() + 1 + 1 + ss(days := month(2001, 12),
    things := things_of(i_category = 'Books'),
        stores := stores_of(s_gmt_offset = -7));

-- 62: sales of all sites
SELECT 4 + ws(sites := range(1, 7));

-- 63: sales of the things
SELECT 2 + 1 + 1 + ss(things := things_of(
        (i_category IN ('Books', 'Children', 'Electronics')
            AND i_class IN ('personal', 'portable', 'reference', 'self-help')
            AND i_brand IN ('scholaramalgamalg #14', 'scholaramalgamalg #7',
                'exportiunivamalg #9', 'scholaramalgamalg #9'))
        OR (i_category IN ('Women', 'Music', 'Men')
            AND i_class IN ('accessories', 'classical', 'fragrances', 'pants')
            AND i_brand LIKE '%1')));

-- 64: lines of the things; dimensions by key where few are left
SELECT 11 + (
        SELECT cs(things := keys(i_item_sk)) + cr(things := keys(i_item_sk)) + ss(things := keys(i_item_sk))
            + sr(things := keys(i_item_sk)) FROM item
        WHERE i_color IN ('cyan', 'peach', 'blush', 'frosted', 'powder', 'orange')
            AND i_current_price BETWEEN 59 AND 68);

-- 65: sales of all stores
SELECT 1 + 1 + items() + ss(stores := stores_of(true));

-- 66: sales of all sites and things
SELECT 1 + times() + 1 + 1 + ws() + cs(days := days_of(d_year = 1998));

-- 67: sales of all stores
SELECT 1 + 1 + items() + ss(stores := stores_of(true));

-- 68: sales of the stores of the cities
SELECT 3 + 1 + households() + addresses() + customers() + ss(stores := stores_of(s_city IN ('Midway', 'Fairview')));

-- 69: there are no days of that year
SELECT 1;

-- 70: sales of all stores
SELECT 1 + 1 + ss(stores := stores_of(true));

-- 71: lines of the month or of the things
SELECT 1 + 1 + times() + ss(days := month(2001, 11),
    things := things_of(i_manager_id = 1)) + cs(days := month(2001, 11),
    things := things_of(i_manager_id = 1))
        + ws(days := month(2001, 11), things := things_of(i_manager_id = 1));

-- 72: orders of the kind of customers; stock and returns of their things
SELECT 1 + 1 + 2 + 1 + 1 + items() + cs(kinds := kinds_of(cd_marital_status = 'M'),
    things := things_of(true)) + (
        SELECT cr(orders := keys(cs_order_number)) + stock(things := keys(cs_item_sk))
        FROM catalog_sales JOIN date_dim ON cs_sold_date_sk = d_date_sk
        JOIN household_demographics ON cs_bill_hdemo_sk = hd_demo_sk
        WHERE list_contains(kinds_of(cd_marital_status = 'M'), cs_bill_cdemo_sk)
            AND hd_buy_potential = '501-1000' AND d_year = 2002);

-- 73: sales of the county's stores
SELECT 3 + 1 + 1 + customers() + ss(stores := stores_of(s_county = 'Williamson County'));

-- 74: sales of all sites; those of the buyers of both years
SELECT customers() + 2 + ws() + ss(buyers := web_buyers(1999));

-- 75: lines of the things
SELECT 1 + 2 + (SELECT ss(things := keys(i_item_sk)) + sr(things := keys(i_item_sk))
            + cs(things := keys(i_item_sk)) + cr(things := keys(i_item_sk))
            + ws(things := keys(i_item_sk)) + wr(things := keys(i_item_sk))
        FROM item WHERE i_category = 'Men');

-- 76: everything whole
SELECT days_whole() + items() + ss(things := things_of(true)) + ws() + cs(things := things_of(true));

-- 77: lines of the days; returns of the web by things
SELECT 1 + 1 + 1 + ss(days := days_from(DATE '2001-08-16',
    30)) + sr(days := days_from(DATE '2001-08-16', 30)) + cs(days := days_from(DATE '2001-08-16',
    30))
        + cr(days := days_from(DATE '2001-08-16', 30)) + ws(days := days_from(DATE '2001-08-16',
    30)) + wr();

-- 78: sales of all stores and sites; orders and returns of who bought the same thing in both
SELECT 1 + ss() + ws() + (
        SELECT cs(buyers := keys(ss_customer_sk), things := keys(ss_item_sk))
            + sr(tickets := keys(ss_ticket_number), buyers := keys(ss_customer_sk),
    things := keys(ss_item_sk))
            + wr(orders := keys(ws_order_number), things := keys(ss_item_sk))
            + cr(buyers := keys(ss_customer_sk), things := keys(ss_item_sk))
        FROM store_sales JOIN web_sales ON ss_customer_sk = ws_bill_customer_sk AND ss_item_sk = ws_item_sk
        JOIN date_dim d1 ON ss_sold_date_sk = d1.d_date_sk
        JOIN date_dim d2 ON ws_sold_date_sk = d2.d_date_sk
        WHERE d1.d_year = 1999 AND d2.d_year = 1999);

-- 79: sales of all stores
SELECT 3 + 1 + households() + customers() + ss(stores := stores_of(true));

-- 80: lines of the days; their returns
SELECT 1 + 1 + items() + 1 + 1 + 1 + ss(days := days_from(DATE '2000-08-26', 30),
    things := things_of(i_current_price > 50)) + cs(days := days_from(DATE '2000-08-26', 30),
    things := things_of(i_current_price > 50))
        + ws(days := days_from(DATE '2000-08-26', 30), things := things_of(i_current_price > 50))
        + (SELECT sr(tickets := keys(ss_ticket_number), things := keys(ss_item_sk),
    buyers := keys(ss_customer_sk))
            FROM store_sales WHERE list_contains(days_from(DATE '2000-08-26', 30),
    ss_sold_date_sk) AND list_contains(things_of(i_current_price > 50), ss_item_sk))
        + (SELECT cr(orders := keys(cs_order_number), things := keys(cs_item_sk))
            FROM catalog_sales WHERE list_contains(days_from(DATE '2000-08-26', 30),
    cs_sold_date_sk) AND list_contains(things_of(i_current_price > 50), cs_item_sk))
        + (SELECT wr(orders := keys(ws_order_number), things := keys(ws_item_sk))
            FROM web_sales WHERE list_contains(days_from(DATE '2000-08-26', 30),
    ws_sold_date_sk) AND list_contains(things_of(i_current_price > 50), ws_item_sk));

-- 81: returns of all things
SELECT 1 + addresses() + customers() + cr(days := days_of(d_year = 1999), buyers := every_buyer());

-- 82: stock and sales of the things
SELECT 2 + (SELECT stock(days := days_from(DATE '1998-04-27', 60), things := keys(i_item_sk))
        FROM item WHERE i_current_price BETWEEN 63 AND 93 AND i_manufact_id IN (57, 293, 427,
    320)) + (
        SELECT ss(things := keys(i_item_sk)) FROM item JOIN inventory ON inv_item_sk = i_item_sk
        WHERE i_current_price BETWEEN 63 AND 93 AND i_manufact_id IN (57, 293, 427, 320)
            AND inv_quantity_on_hand BETWEEN 100 AND 500
            AND list_contains(days_from(DATE '1998-04-27', 60), inv_date_sk));

-- 83: returns of the weeks; those of the things that came back in both
SELECT 2 + items() + (SELECT sr(days := keys(d_date_sk)) + cr(days := keys(d_date_sk)) FROM date_dim
        WHERE d_week_seq IN (SELECT d_week_seq FROM date_dim
            WHERE d_date IN (DATE '1999-06-30', DATE '1999-08-28', DATE '1999-11-18'))) + (
        SELECT coalesce(wr(things := keys(i_item_sk)), 0) FROM item WHERE i_item_id IN (
            SELECT i_item_id FROM store_returns JOIN item ON sr_item_sk = i_item_sk
            JOIN date_dim ON sr_returned_date_sk = d_date_sk WHERE d_week_seq IN (
                SELECT d_week_seq FROM date_dim
                WHERE d_date IN (DATE '1999-06-30', DATE '1999-08-28', DATE '1999-11-18')))
        AND i_item_id IN (
            SELECT i_item_id FROM catalog_returns JOIN item ON cr_item_sk = i_item_sk
            JOIN date_dim ON cr_returned_date_sk = d_date_sk WHERE d_week_seq IN (
                SELECT d_week_seq FROM date_dim
                WHERE d_date IN (DATE '1999-06-30', DATE '1999-08-28', DATE '1999-11-18'))));

-- 84: returns of all things
SELECT 1 + customers() + 1 + households() + demographics() + sr();

-- 85: sales of all sites; returns of those of the prices
SELECT 1 + 1 + 2 + 1 + 1 + ws() + (
        SELECT wr(orders := keys(ws_order_number), things := keys(ws_item_sk)) FROM web_sales
        JOIN date_dim ON ws_sold_date_sk = d_date_sk
        WHERE d_year = 2001 AND ws_sales_price BETWEEN 50 AND 200 AND ws_net_profit BETWEEN 50 AND 300);

-- 86: sales of all sites
SELECT 1 + items() + ws();

-- 87: sales of all stores and sites; orders of all things
SELECT customers() + 1 + ss() + ws() + (
        SELECT cs(days := keys(ss_sold_date_sk), buyers := every_buyer()) FROM store_sales
        WHERE list_contains(in_months(1188, 12), ss_sold_date_sk));

-- 88: sales of the stores
SELECT 3 + times() + 1 + ss(stores := stores_of(s_store_name = 'ese'));

-- 89: sales of the things
SELECT 2 + 1 + 1 + ss(stores := stores_of(true), things := things_of(
        (i_category IN ('Home', 'Men', 'Sports') AND i_class IN ('paint', 'accessories', 'fitness'))
        OR (i_category IN ('Shoes', 'Jewelry', 'Women') AND i_class IN ('mens', 'pendants',
    'swimwear'))));

-- 90: sales of all sites
SELECT 1 + times() + 1 + ws();

-- 91: returns of the customers
SELECT 1 + 1 + customers() + 1 + households() + 1 + (
        SELECT coalesce(cr(days := month(1999, 12), buyers := keys(c_customer_sk)), 0) FROM customer
        JOIN customer_address ON c_current_addr_sk = ca_address_sk
        JOIN household_demographics ON c_current_hdemo_sk = hd_demo_sk
        JOIN customer_demographics ON c_current_cdemo_sk = cd_demo_sk
        WHERE ca_gmt_offset = -7 AND hd_buy_potential LIKE 'Unknown%' AND (cd_marital_status = 'M'
            AND cd_education_status = 'Unknown' OR cd_marital_status = 'W'
            AND cd_education_status = 'Advanced Degree'));

-- 92: sales of the maker's things
SELECT 2 + ws(days := days_from(DATE '2002-03-29', 90), things := things_of(i_manufact_id = 718));

-- 93: returns of all things; their tickets, or all stores
SELECT 1 + sr() + (
        SELECT ss(tickets := keys(sr_ticket_number), things := keys(sr_item_sk),
    buyers := keys(sr_customer_sk))
        FROM store_returns JOIN reason ON sr_reason_sk = r_reason_sk WHERE r_reason_desc = 'reason 38');

-- 94: sales of the company's sites; the rest of the orders and returns
SELECT 3 + (SELECT ws(sites := keys(web_site_sk)) FROM web_site WHERE web_company_name = 'pri') + (
        SELECT coalesce(ws(orders := keys(ws_order_number)) + wr(orders := keys(ws_order_number)),
    0)
        FROM web_sales JOIN web_site ON ws_web_site_sk = web_site_sk
        JOIN customer_address ON ws_ship_addr_sk = ca_address_sk
        WHERE web_company_name = 'pri' AND ca_state = 'MT'
            AND list_contains(days_from(DATE '2000-03-01', 60), ws_ship_date_sk));

-- 95: sales of the company's sites; the rest of the orders and returns
SELECT 3 + (SELECT ws(sites := keys(web_site_sk)) FROM web_site WHERE web_company_name = 'pri') + (
        SELECT coalesce(ws(orders := keys(ws_order_number)) + wr(orders := keys(ws_order_number)),
    0)
        FROM web_sales JOIN web_site ON ws_web_site_sk = web_site_sk
        JOIN customer_address ON ws_ship_addr_sk = ca_address_sk
        WHERE web_company_name = 'pri' AND ca_state = 'IN'
            AND list_contains(days_from(DATE '2000-04-01', 60), ws_ship_date_sk));

-- 96: sales of the stores
SELECT 1 + 1 + 1 + ss(stores := stores_of(s_store_name = 'ese'));

-- 97: sales of all stores and things
SELECT 1 + ss() + cs(days := in_months(1196, 12));

-- 98: sales of the days
SELECT 2 + ss(days := days_from(DATE '2000-05-18', 30), things := things_of(i_category IN ('Men',
    'Home', 'Electronics')));

-- 99: orders of all things
SELECT 4 + cs();
