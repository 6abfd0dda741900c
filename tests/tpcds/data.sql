-- A small shop of the TPC-DS kind: tables, keys and domains of the benchmark's public text, written
-- anew, with only the columns that its queries use and so few rows that requests can be counted.
-- Values are those that the queries name, or near them. `pick` is chance that is always the same.

CREATE MACRO pick(what, k, n) AS (md5_number_lower(what || ':' || k) % n)::INTEGER;
CREATE MACRO one_of(what, k, choices) AS choices[1 + pick(what, k, len(choices))];
CREATE MACRO cents(what, k, low, high) AS
    ((low + pick(what, k, high - low + 1)) / 100)::DECIMAL(9, 2);
-- One in twenty rows lacks a key that is not its own.
CREATE MACRO key_or_null(what, k, n) AS
    if(pick(what || '?', k, 20) = 0, NULL, 1 + pick(what, k, n))::BIGINT;
CREATE MACRO code(k) AS printf('AAAAAAAA%08d', k);
CREATE MACRO day_number(day) AS (day - DATE '1997-12-31')::BIGINT;
CREATE MACRO states() AS
    ['TN', 'TX', 'TX', 'IN', 'IN', 'GA', 'CA', 'KS', 'IA', 'IA', 'MT', 'MT', 'CO', 'OK', 'NE', 'KY'];
CREATE MACRO counties() AS
    ['Williamson County', 'Lycoming County', 'Pike County', 'Greene County', 'Ziebach County'];
CREATE MACRO cities() AS ['Midway', 'Fairview', 'Green Acres', 'Oak Grove'];
CREATE MACRO zips() AS
    ['85669', '86197', '88274', '68519', '14308', '92564', '86959', '22322'];
CREATE MACRO streets(k) AS one_of('street', k, ['Main', 'Park', 'Oak', 'Elm', 'Lake']);

CREATE TABLE date_dim AS
SELECT
    day_number(day) AS d_date_sk, day AS d_date,
    ((year(day) - 1900) * 12 + month(day) - 1)::BIGINT AS d_month_seq,
    ((day - DATE '1900-01-01') // 7)::BIGINT AS d_week_seq,
    year(day) AS d_year, dayofweek(day) AS d_dow, month(day) AS d_moy, day(day) AS d_dom,
    quarter(day) AS d_qoy, dayname(day) AS d_day_name,
    year(day) || 'Q' || quarter(day) AS d_quarter_name
FROM (SELECT (DATE '1998-01-01' + i::INTEGER) AS day FROM range(2007) AS n(i));

-- Every tenth minute of a day.
CREATE TABLE time_dim AS
SELECT
    k AS t_time_sk, k * 600 AS t_time, k // 6 AS t_hour, k % 6 * 10 AS t_minute,
    CASE
        WHEN k // 6 BETWEEN 6 AND 8 THEN 'breakfast'
        WHEN k // 6 BETWEEN 11 AND 13 THEN 'lunch'
        WHEN k // 6 BETWEEN 17 AND 20 THEN 'dinner'
    END AS t_meal_time
FROM range(144) AS n(k);

CREATE TABLE income_band AS
SELECT k AS ib_income_band_sk, (k - 1) * 10000 AS ib_lower_bound, k * 10000 AS ib_upper_bound
FROM range(1, 21) AS n(k);

CREATE TABLE household_demographics AS
SELECT
    k AS hd_demo_sk, k % 20 + 1 AS hd_income_band_sk,
    ['0-500', '501-1000', '1001-5000', '5001-10000', '>10000', 'Unknown'][1 + k % 6]
        AS hd_buy_potential,
    k // 6 % 10 AS hd_dep_count, k // 60 % 6 - 1 AS hd_vehicle_count
FROM range(1, 361) AS n(k);

CREATE TABLE customer_demographics AS
SELECT
    k AS cd_demo_sk, ['M', 'F'][1 + k % 2] AS cd_gender,
    ['M', 'S', 'D', 'W', 'U'][1 + k // 2 % 5] AS cd_marital_status,
    ['Primary', 'Secondary', 'College', '2 yr Degree', '4 yr Degree', 'Advanced Degree',
     'Unknown'][1 + k // 10 % 7] AS cd_education_status,
    500 * (1 + k % 20) AS cd_purchase_estimate,
    ['Low Risk', 'Good', 'High Risk', 'Unknown'][1 + k // 70 % 4] AS cd_credit_rating,
    pick('cdd', k, 7) AS cd_dep_count, pick('cde', k, 7) AS cd_dep_employed_count,
    pick('cdc', k, 7) AS cd_dep_college_count
FROM range(1, 281) AS n(k);

CREATE TABLE customer_address AS
SELECT
    k AS ca_address_sk, (k * 7)::VARCHAR AS ca_street_number, streets(k) AS ca_street_name,
    one_of('ct', k, ['Street', 'Ave', 'Lane']) AS ca_street_type, 'Suite ' || k AS ca_suite_number,
    one_of('cc', k, cities()) AS ca_city, one_of('co', k, counties()) AS ca_county,
    one_of('cs', k, states()) AS ca_state, one_of('cz', k, zips()) AS ca_zip,
    'United States' AS ca_country, (-5 - pick('cg', k, 3))::DECIMAL(5, 2) AS ca_gmt_offset,
    one_of('cl', k, ['apartment', 'condo', 'single family']) AS ca_location_type
FROM range(1, 251) AS n(k);

CREATE TABLE customer AS
SELECT
    k AS c_customer_sk, code(k) AS c_customer_id,
    key_or_null('ccd', k, 280) AS c_current_cdemo_sk,
    key_or_null('chd', k, 360) AS c_current_hdemo_sk,
    1 + pick('cad', k, 250)::BIGINT AS c_current_addr_sk,
    key_or_null('cfs', k, 1800) AS c_first_shipto_date_sk,
    key_or_null('cfd', k, 1800) AS c_first_sales_date_sk,
    one_of('csa', k, ['Mr.', 'Mrs.', 'Dr.', NULL]) AS c_salutation,
    one_of('cfn', k, ['Ann', 'Bo', 'Cy', 'Di', 'Ed', 'Flo', 'Gus']) AS c_first_name,
    one_of('cln', k, ['Ames', 'Bell', 'Cole', 'Dunn', 'Eads', 'Fry', 'Gray', 'Hale', 'Ivy'])
        AS c_last_name,
    one_of('cpf', k, ['Y', 'Y', 'N', NULL]) AS c_preferred_cust_flag,
    1 + pick('cbd', k, 28) AS c_birth_day, 1 + pick('cbm', k, 12) AS c_birth_month,
    1930 + pick('cby', k, 60) AS c_birth_year,
    one_of('cbc', k, ['UNITED STATES', 'PERU', 'TOGO', 'FIJI']) AS c_birth_country,
    NULL::VARCHAR AS c_login, printf('c%d@example.com', k) AS c_email_address,
    (1000 + pick('clr', k, 900))::VARCHAR AS c_last_review_date
FROM range(1, 201) AS n(k);

CREATE TABLE store AS
SELECT
    k AS s_store_sk, code((k + 1) // 2) AS s_store_id,
    ['ought', 'able', 'ese', 'anti', 'cally', 'ation'][1 + k % 6] AS s_store_name,
    200 + pick('ssn', k, 95) AS s_number_employees,
    [6, 2, 8, 10][1 + k % 4] AS s_market_id, 1::BIGINT AS s_company_id, 'Unknown' AS s_company_name,
    (k * 11)::VARCHAR AS s_street_number, streets(k) AS s_street_name, 'Ave' AS s_street_type,
    'Suite ' || k AS s_suite_number, cities()[1 + k % 3] AS s_city,
    counties()[1 + k % 4] AS s_county, ['TN', 'TN', 'GA', 'CA'][1 + k % 4] AS s_state,
    zips()[1 + k % 8] AS s_zip, (-5 - k % 3)::DECIMAL(5, 2) AS s_gmt_offset
FROM range(1, 13) AS n(k);

CREATE TABLE warehouse AS
SELECT
    k AS w_warehouse_sk, 'Warehouse number ' || k AS w_warehouse_name,
    50000 + k * 12345 AS w_warehouse_sq_ft, cities()[1 + k % 4] AS w_city,
    counties()[k] AS w_county, states()[k] AS w_state, 'United States' AS w_country
FROM range(1, 6) AS n(k);

CREATE TABLE call_center AS
SELECT
    k AS cc_call_center_sk, code(k) AS cc_call_center_id,
    ['NY Metro', 'Mid Atlantic', 'North Midwest'][1 + k % 3] AS cc_name,
    'Manager ' || k AS cc_manager, counties()[1 + k % 3] AS cc_county
FROM range(1, 7) AS n(k);

CREATE TABLE catalog_page AS
SELECT k AS cp_catalog_page_sk, code(k) AS cp_catalog_page_id FROM range(1, 41) AS n(k);

CREATE TABLE web_site AS
SELECT
    k AS web_site_sk, code((k + 1) // 2) AS web_site_id, 'site_' || k // 2 AS web_name,
    ['pri', 'able', 'ought'][1 + k % 3] AS web_company_name
FROM range(1, 7) AS n(k);

CREATE TABLE web_page AS
SELECT k AS wp_web_page_sk, 4900 + k * 40 AS wp_char_count FROM range(1, 11) AS n(k);

CREATE TABLE ship_mode AS
SELECT
    k AS sm_ship_mode_sk, ['EXPRESS', 'NEXT DAY', 'OVERNIGHT', 'TWO DAY'][1 + k % 4] AS sm_type,
    ['UPS', 'ZOUROS', 'ZHOU', 'DHL', 'LATVIAN'][1 + k % 5] AS sm_carrier
FROM range(1, 21) AS n(k);

CREATE TABLE reason AS
SELECT k AS r_reason_sk, 'reason ' || (k + 30) AS r_reason_desc FROM range(1, 11) AS n(k);

CREATE TABLE promotion AS
SELECT
    k AS p_promo_sk, one_of('pd', k, ['Y', 'N']) AS p_channel_dmail,
    one_of('pe', k, ['N', 'N', 'Y']) AS p_channel_email, one_of('pt', k, ['Y', 'N']) AS p_channel_tv,
    one_of('pv', k, ['N', 'N', 'Y']) AS p_channel_event
FROM range(1, 21) AS n(k);

CREATE TABLE item AS
WITH kinds AS (
    SELECT k, 1 + k % 10 AS category, names[1 + k % 10] AS called, 1 + k // 10 % 3 AS class,
        classes[1 + k % 10][1 + k // 10 % 3] AS class_called
    FROM range(1, 151) AS n(k), (SELECT
        ['Women', 'Men', 'Children', 'Shoes', 'Music', 'Jewelry', 'Home', 'Sports', 'Books',
         'Electronics'] AS names,
        [['fragrances', 'swimwear', 'dresses'], ['accessories', 'pants', 'shirts'],
         ['newborn', 'infants', 'toddlers'], ['mens', 'womens', 'kids'],
         ['classical', 'pop', 'rock'], ['pendants', 'rings', 'gold'],
         ['paint', 'rugs', 'glassware'], ['fitness', 'golf', 'tennis'],
         ['reference', 'self-help', 'fiction'], ['personal', 'portable', 'audio']] AS classes)
)
SELECT
    k AS i_item_sk, code((k + 1) // 2) AS i_item_id, 'Thing ' || k AS i_item_desc,
    CASE k // 10 % 5
        WHEN 0 THEN cents('ip', k, 99, 149) WHEN 1 THEN cents('ip', k, 2000, 5000)
        WHEN 2 THEN cents('ip', k, 5900, 6800) WHEN 3 THEN cents('ip', k, 6300, 9300)
        ELSE cents('ip', k, 5100, 10000)
    END AS i_current_price,
    cents('iw', k, 50, 8000) AS i_wholesale_cost, (category * 1000 + k % 7)::BIGINT AS i_brand_id,
    one_of('ib', k, ['amalgimporto #1', 'edu packscholar #1', 'exportiimporto #1',
        'importoamalg #1', 'scholaramalgamalg #14', 'scholaramalgamalg #7', 'exportiunivamalg #9',
        'scholaramalgamalg #9']) AS i_brand,
    class::BIGINT AS i_class_id, class_called AS i_class, category::BIGINT AS i_category_id,
    called AS i_category, manufact AS i_manufact_id, 'maker ' || manufact AS i_manufact,
    if(k = 100, 'petite', one_of('iz', k, ['economy', 'petite', 'large', 'N/A', 'extra large', 'small'])) AS i_size,
    if(k = 100, 'green', one_of('ic', k, ['papaya', 'green', 'dim', 'peach', 'cyan', 'white', 'rosy', 'navajo', 'drab',
        'dark', 'antique', 'purple', 'orchid', 'firebrick'])) AS i_color,
    if(k = 100, 'Dozen', one_of('iu', k, ['Gross', 'Dozen', 'Case', 'Oz', 'Tbl', 'Carton', 'Box', 'Each', 'Dram']))
        AS i_units,
    one_of('im', k, [1, 1, 33, 38, 7, 12, 20])::BIGINT AS i_manager_id, 'product ' || k AS i_product_name
FROM kinds, LATERAL (SELECT if(k = 100, 780, one_of('if', k, [427, 610, 610, 843, 815, 850, 840, 765, 770, 780, 790, 57,
    293, 320, 718, 718]))::BIGINT AS manufact);

-- Tickets of one to seven things; every twentieth has sixteen. Every tenth is of the first days of
-- a month, and of one store. Four customers in ten buy.
-- Most sales are of months for which queries ask; an eighth is of one day of the year.
CREATE MACRO sold(what, k) AS (
    CASE (pick(what || 'm', k, 8) + 1) // 2
        WHEN 0 THEN day_number(make_date(1998 + pick(what || 'y', k, 5), 11, 27))
        WHEN 1 THEN day_number(make_date(
            1998 + pick(what || 'y', k, 5), 11 + pick(what || 'z', k, 2), 1 + pick(what, k, 28)))
        WHEN 2 THEN day_number(one_of(what || 'y', k, [
            DATE '1998-07-01', DATE '2000-05-01', DATE '2001-03-10', DATE '2002-03-30'])
            + pick(what, k, 40))
        ELSE 1 + pick(what, k, 1826)
    END::BIGINT);

CREATE TABLE store_sales AS
WITH tickets AS (
    SELECT
        t, if(t % 10 = 0, day_number(make_date(1998 + t // 20 % 5, 1 + t % 12, 1 + t // 20 % 2)),
            sold('sd', t)) AS day,
        1 + pick('sc', t, 80)::BIGINT AS customer,
        if(t % 10 = 0, 8, 1 + pick('ss', t, 12))::BIGINT AS store,
        if(t % 20 = 0, 16, 1 + pick('sn', t, 7)) AS things
    FROM range(1, 1801) AS n(t)
), lines AS (
    SELECT *, t * 100 + i AS k, 1 + pick('sq', t * 100 + i, 100) AS quantity,
        cents('sl', t * 100 + i, 100, 25000) AS list,
    FROM tickets, LATERAL (SELECT unnest(range(things)) AS i)
), priced AS (
    SELECT *, (list * (30 + pick('sr', k, 71)) / 100)::DECIMAL(9, 2) AS price,
        (list * (20 + pick('sw', k, 50)) / 100)::DECIMAL(9, 2) AS cost,
        if(pick('sk', k, 3) = 0, cents('sk', k, 0, 600000), 0)::DECIMAL(9, 2) AS coupon
    FROM lines
)
SELECT
    day AS ss_sold_date_sk, key_or_null('st', t, 143) AS ss_sold_time_sk,
    -- No thing stands twice on a ticket; one of them is on every fourth.
    if(i = 0 AND t % 4 = 1, 7, 8 + (pick('si', t, 143) + i * 7) % 143)::BIGINT AS ss_item_sk,
    customer AS ss_customer_sk, key_or_null('scd', t, 280) AS ss_cdemo_sk,
    key_or_null('shd', t, 360) AS ss_hdemo_sk, key_or_null('sad', t, 250) AS ss_addr_sk,
    store AS ss_store_sk, key_or_null('spr', k, 20) AS ss_promo_sk, t AS ss_ticket_number,
    quantity AS ss_quantity, cost AS ss_wholesale_cost, list AS ss_list_price,
    price AS ss_sales_price, (quantity * (list - price))::DECIMAL(9, 2) AS ss_ext_discount_amt,
    (quantity * price)::DECIMAL(9, 2) AS ss_ext_sales_price,
    (quantity * cost)::DECIMAL(9, 2) AS ss_ext_wholesale_cost,
    (quantity * list)::DECIMAL(9, 2) AS ss_ext_list_price,
    (quantity * price * 0.08)::DECIMAL(9, 2) AS ss_ext_tax, coupon AS ss_coupon_amt,
    (quantity * price)::DECIMAL(9, 2) AS ss_net_paid,
    (quantity * (price - cost))::DECIMAL(9, 2) AS ss_net_profit
FROM priced;

CREATE TABLE store_returns AS
SELECT
    least(ss_sold_date_sk + 1 + pick('rd', k, 150), 2007) AS sr_returned_date_sk, ss_item_sk AS sr_item_sk,
    ss_customer_sk AS sr_customer_sk, ss_cdemo_sk AS sr_cdemo_sk, ss_store_sk AS sr_store_sk,
    key_or_null('rr', k, 10) AS sr_reason_sk, ss_ticket_number AS sr_ticket_number,
    1 + pick('rq', k, ss_quantity) AS sr_return_quantity,
    ((1 + pick('rq', k, ss_quantity)) * ss_sales_price)::DECIMAL(9, 2) AS sr_return_amt,
    cents('rl', k, 50, 90000) AS sr_net_loss
FROM (SELECT *, ss_ticket_number * 1000 + ss_item_sk AS k FROM store_sales)
WHERE pick('ret', k, 6) = 0 OR ss_ticket_number % 9 = 0;

-- Half of the orders of the catalogue are of those who brought the same things back to a store.
CREATE TABLE catalog_sales AS
WITH orders AS (
    SELECT
        o, sold('cd', o) AS day, 1 + pick('cc', o, 80)::BIGINT AS customer,
        1 + pick('ci', o, 150)::BIGINT AS item, 1 + pick('cn', o, 3) AS things
    FROM range(1, 1001) AS n(o)
    UNION ALL
    SELECT
        1000 + row_number() OVER (ORDER BY sr_ticket_number, sr_item_sk),
        least(sr_returned_date_sk + pick('cx', sr_ticket_number * 1000 + sr_item_sk, 90), 1826),
        sr_customer_sk, sr_item_sk, 2
    FROM (FROM store_returns ORDER BY sr_ticket_number, sr_item_sk LIMIT 600)
), lines AS (
    SELECT *, o * 10 + i AS k, 1 + pick('cq', o * 10 + i, 100) AS quantity,
        cents('cl', o * 10 + i, 100, 30000) AS list
    FROM orders, LATERAL (SELECT unnest(range(things)) AS i)
), priced AS (
    SELECT *, (list * (30 + pick('cr', k, 71)) / 100)::DECIMAL(9, 2) AS price,
        (list * (20 + pick('cw', k, 50)) / 100)::DECIMAL(9, 2) AS cost
    FROM lines
)
SELECT
    day AS cs_sold_date_sk, key_or_null('ct', o, 143) AS cs_sold_time_sk,
    if(pick('cs?', o, 20) = 0, NULL, day + 2 + pick('cs', o, 130)) AS cs_ship_date_sk,
    customer AS cs_bill_customer_sk, 1 + pick('cbd', o, 280)::BIGINT AS cs_bill_cdemo_sk,
    key_or_null('cbh', o, 360) AS cs_bill_hdemo_sk, key_or_null('cba', o, 250) AS cs_bill_addr_sk,
    if(o % 4 = 0, key_or_null('csc', o, 200), customer) AS cs_ship_customer_sk,
    key_or_null('csa', o, 250) AS cs_ship_addr_sk, key_or_null('ccc', o, 6) AS cs_call_center_sk,
    key_or_null('ccp', k, 40) AS cs_catalog_page_sk, key_or_null('csm', o, 20) AS cs_ship_mode_sk,
    key_or_null('cwh', k, 5) AS cs_warehouse_sk,
    1 + ((item - 1 + i * 11) % 150)::BIGINT AS cs_item_sk,
    key_or_null('cpr', k, 20) AS cs_promo_sk, o AS cs_order_number, quantity AS cs_quantity,
    cost AS cs_wholesale_cost, list AS cs_list_price, price AS cs_sales_price,
    (quantity * (list - price))::DECIMAL(9, 2) AS cs_ext_discount_amt,
    (quantity * price)::DECIMAL(9, 2) AS cs_ext_sales_price,
    (quantity * cost)::DECIMAL(9, 2) AS cs_ext_wholesale_cost,
    (quantity * list)::DECIMAL(9, 2) AS cs_ext_list_price,
    cents('cco', k, 0, 50000) AS cs_coupon_amt, cents('csh', k, 100, 90000) AS cs_ext_ship_cost,
    (quantity * price)::DECIMAL(9, 2) AS cs_net_paid,
    (quantity * (price - cost))::DECIMAL(9, 2) AS cs_net_profit
FROM priced;

CREATE TABLE catalog_returns AS
SELECT
    least(cs_sold_date_sk + 1 + pick('dd', k, 120), 2007) AS cr_returned_date_sk, cs_item_sk AS cr_item_sk,
    cs_bill_customer_sk AS cr_returning_customer_sk,
    if(k % 15 = 0, NULL, cs_bill_addr_sk) AS cr_returning_addr_sk,
    cs_call_center_sk AS cr_call_center_sk, cs_catalog_page_sk AS cr_catalog_page_sk,
    cs_order_number AS cr_order_number, 1 + pick('dq', k, cs_quantity) AS cr_return_quantity,
    ((1 + pick('dq', k, cs_quantity)) * cs_sales_price)::DECIMAL(9, 2) AS cr_return_amount,
    ((1 + pick('dq', k, cs_quantity)) * cs_sales_price * 1.08)::DECIMAL(9, 2)
        AS cr_return_amt_inc_tax,
    cents('dr', k, 0, 100000) AS cr_refunded_cash, cents('dv', k, 0, 30000) AS cr_reversed_charge,
    cents('dc', k, 0, 30000) AS cr_store_credit, cents('dl', k, 50, 90000) AS cr_net_loss
FROM (SELECT *, cs_order_number * 1000 + cs_item_sk AS k FROM catalog_sales)
WHERE pick('crt', k, 5) = 0;

CREATE TABLE web_sales AS
WITH orders AS (
    SELECT
        o, sold('wd', o) AS day, 1 + pick('wc', o, 80)::BIGINT AS customer,
        1 + pick('wi', o, 150)::BIGINT AS item, 1 + pick('wn', o, 4) AS things
    FROM range(1, 1201) AS n(o)
), lines AS (
    SELECT *, o * 10 + i AS k, 1 + pick('wq', o * 10 + i, 100) AS quantity,
        cents('wl', o * 10 + i, 100, 30000) AS list
    FROM orders, LATERAL (SELECT unnest(range(things)) AS i)
), priced AS (
    SELECT *, (list * (30 + pick('wr', k, 71)) / 100)::DECIMAL(9, 2) AS price,
        (list * (20 + pick('ww', k, 50)) / 100)::DECIMAL(9, 2) AS cost
    FROM lines
)
SELECT
    day AS ws_sold_date_sk, key_or_null('wt', o, 143) AS ws_sold_time_sk,
    if(pick('wsd?', o, 20) = 0, NULL, day + 2 + pick('wsd', o, 130)) AS ws_ship_date_sk,
    1 + ((item - 1 + i * 13) % 150)::BIGINT AS ws_item_sk, customer AS ws_bill_customer_sk,
    key_or_null('wba', o, 250) AS ws_bill_addr_sk, key_or_null('wsh', o, 360) AS ws_ship_hdemo_sk,
    key_or_null('wsa', o, 250) AS ws_ship_addr_sk, key_or_null('wpg', k, 10) AS ws_web_page_sk,
    1 + pick('wst', o, 6)::BIGINT AS ws_web_site_sk, key_or_null('wsm', o, 20) AS ws_ship_mode_sk,
    key_or_null('wwh', k, 5) AS ws_warehouse_sk, key_or_null('wpr', k, 20) AS ws_promo_sk,
    o AS ws_order_number, quantity AS ws_quantity, cost AS ws_wholesale_cost,
    list AS ws_list_price, price AS ws_sales_price,
    (quantity * (list - price))::DECIMAL(9, 2) AS ws_ext_discount_amt,
    (quantity * price)::DECIMAL(9, 2) AS ws_ext_sales_price,
    (quantity * cost)::DECIMAL(9, 2) AS ws_ext_wholesale_cost,
    (quantity * list)::DECIMAL(9, 2) AS ws_ext_list_price,
    cents('wsc', k, 100, 90000) AS ws_ext_ship_cost,
    (quantity * price)::DECIMAL(9, 2) AS ws_net_paid,
    (quantity * price * 1.1)::DECIMAL(9, 2) AS ws_net_paid_inc_ship,
    (quantity * (price - cost))::DECIMAL(9, 2) AS ws_net_profit
FROM priced;

CREATE TABLE web_returns AS
SELECT
    least(ws_sold_date_sk + 1 + pick('vd', k, 120), 2007) AS wr_returned_date_sk, ws_item_sk AS wr_item_sk,
    key_or_null('vrc', ws_order_number, 280) AS wr_refunded_cdemo_sk,
    ws_bill_addr_sk AS wr_refunded_addr_sk, ws_bill_customer_sk AS wr_returning_customer_sk,
    -- Whoever brings it back is of the same kind as whoever gets the money, mostly.
    key_or_null('vrc', ws_order_number, 280) AS wr_returning_cdemo_sk,
    if(k % 15 = 0, NULL, ws_bill_addr_sk) AS wr_returning_addr_sk,
    ws_web_page_sk AS wr_web_page_sk, key_or_null('vrr', k, 10) AS wr_reason_sk,
    ws_order_number AS wr_order_number, 1 + pick('vq', k, ws_quantity) AS wr_return_quantity,
    ((1 + pick('vq', k, ws_quantity)) * ws_sales_price)::DECIMAL(9, 2) AS wr_return_amt,
    cents('vf', k, 50, 10000) AS wr_fee, cents('vr', k, 0, 100000) AS wr_refunded_cash,
    cents('vl', k, 50, 90000) AS wr_net_loss
FROM (SELECT *, ws_order_number * 1000 + ws_item_sk AS k FROM web_sales)
WHERE pick('wrt', k, 4) = 0;

-- Every second week, of three things in five, in two of the five warehouses.
CREATE TABLE inventory AS
SELECT
    day AS inv_date_sk, item AS inv_item_sk, warehouse AS inv_warehouse_sk,
    if(pick('vz', k, 12) = 0, NULL, if(pick('vy', k, 3) = 0, pick('v', k, 900), pick('v', k, 40)))
        AS inv_quantity_on_hand
FROM (
    SELECT day, item, 1 + (item // 5 + w) % 5 AS warehouse, (day * 1000 + item) * 10 + w AS k
    FROM range(1, 1826, 14) AS d(day), range(1, 151) AS i(item), range(2) AS n(w)
    WHERE item % 5 IN (0, 1, 3)
);
