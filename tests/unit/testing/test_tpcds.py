"""TPC-DS over REST resources (see `tests/tpcds`): the answers, and what was asked for them.

The 99 texts come from the package registry; what is tried without it is written here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain

import pytest

from connstat_sql.definitions.loader import Library, validate
from tests.shop.bench import Bench
from tests.tabled import over
from tests.tpcds.bench import bench_of, by_hand
from tests.tpcds.texts import NUMBERS, SHOP, Unavailable, in_full, texts

EMPTY = {31, 54, 58, 69, 75, 83, 85, 91}
"""Queries to which the made-up rows have no answer; none may come in."""

AS_BY_HAND = {
    1, 2, 3, 7, 8, 16, 17, 18, 20, 22, 25, 27, 30, 36, 37, 39, 41, 43, 44, 45, 46, 47, 55, 56, 58,
    65, 67, 68, 70, 76, 79, 80, 81, 82, 83, 86, 94, 95, 96, 97, 99,
}  # fmt: skip
"""Queries that cost no more requests than a careful engineer would send; none may leave."""

MOST, BY_HAND = 12_000, 9_644
"""Requests for all queries: what they may cost at most, and what they would cost by hand."""

TABLES = {resource.table.resource for resource in SHOP.resources()}

OWN = {
    "a month in the stores of a state": """
        SELECT s_store_name, i_category, sum(ss_net_paid), grouping(i_category)
        FROM store_sales, store, item, date_dim
        WHERE ss_store_sk = s_store_sk AND ss_item_sk = i_item_sk AND ss_sold_date_sk = d_date_sk
            AND s_state = 'GA' AND d_year = 2000 AND d_moy = 11
        GROUP BY ROLLUP (s_store_name, i_category)""",
    "kept and brought back": """
        SELECT i_item_id, count(*), count(sr_ticket_number), sum(sr_return_amt)
        FROM store_sales LEFT JOIN store_returns
            ON ss_ticket_number = sr_ticket_number AND ss_item_sk = sr_item_sk
        JOIN item ON ss_item_sk = i_item_sk
        WHERE i_manager_id = 38 GROUP BY 1""",
    "three channels": """
        SELECT channel, d_moy, sum(paid) FROM (
            SELECT 'store' AS channel, ss_sold_date_sk AS day, ss_net_paid AS paid FROM store_sales
            UNION ALL SELECT 'web', ws_sold_date_sk, ws_net_paid FROM web_sales
            UNION ALL SELECT 'catalog', cs_sold_date_sk, cs_net_paid FROM catalog_sales
        ), date_dim WHERE day = d_date_sk AND d_year = 1999 AND d_moy IN (3, 4) GROUP BY ALL""",
    "who buys in a store and on the web": """
        SELECT c_customer_id FROM customer, store_sales, date_dim
        WHERE c_customer_sk = ss_customer_sk AND ss_sold_date_sk = d_date_sk
            AND d_date = DATE '2001-11-27'
        INTERSECT SELECT c_customer_id FROM customer, web_sales, date_dim
        WHERE c_customer_sk = ws_bill_customer_sk AND ws_sold_date_sk = d_date_sk
            AND d_date = DATE '2001-11-27'""",
    "who buys in a store and not on the web": """
        SELECT count(*) FROM customer
        WHERE EXISTS (FROM store_sales WHERE ss_customer_sk = c_customer_sk AND ss_store_sk = 4)
            AND NOT EXISTS (FROM web_sales WHERE ws_bill_customer_sk = c_customer_sk
                AND ws_web_site_sk = 2)""",
    "a discount above what is usual for the thing": """
        SELECT sum(cs_ext_discount_amt) FROM catalog_sales, item
        WHERE cs_item_sk = i_item_sk AND i_manufact_id = 427 AND cs_ext_discount_amt > (
            SELECT 1.3 * avg(cs_ext_discount_amt) FROM catalog_sales
            WHERE cs_item_sk = i_item_sk)""",
    "keys that are missing": """
        SELECT d_year, count(*) FROM store_sales, date_dim
        WHERE ss_sold_date_sk = d_date_sk AND ss_store_sk = 7 AND ss_hdemo_sk IS NULL GROUP BY 1""",
    "the best things of a kind": """
        SELECT * FROM (
            SELECT i_class, i_product_name, sum(ws_net_profit) AS profit,
                rank() OVER (PARTITION BY i_class ORDER BY sum(ws_net_profit) DESC) AS place
            FROM web_sales, item WHERE ws_item_sk = i_item_sk AND i_category = 'Music'
            GROUP BY 1, 2) WHERE place <= 2""",
    "stock before and after a day": """
        SELECT w_warehouse_name, sum(if(d_date < '2000-05-13', inv_quantity_on_hand, 0)),
            sum(if(d_date >= '2000-05-13', inv_quantity_on_hand, 0))
        FROM inventory, warehouse, date_dim
        WHERE inv_warehouse_sk = w_warehouse_sk AND inv_date_sk = d_date_sk
            AND d_year = 2000 AND d_moy = 5 GROUP BY 1""",
    "sold to a kind of customers through the catalogue": """
        SELECT cd_credit_rating, avg(cs_quantity) FROM catalog_sales, customer_demographics
        WHERE cs_bill_cdemo_sk = cd_demo_sk AND cd_gender = 'F' AND cd_marital_status = 'W'
            AND cd_education_status = 'College' GROUP BY 1""",
}
"""Statements of the benchmark's kind, each cheap."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = bench_of()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def queries() -> dict[int, str]:
    try:
        return texts()
    except Unavailable as reason:
        if os.environ.get("CONNSTAT_REQUIRE_INTEGRATION"):
            raise
        pytest.skip(str(reason))


def test_the_definitions_are_sound() -> None:
    assert validate([SHOP.providers], Library([SHOP.providers])) == ()


@over("name", OWN)
def test_a_statement_answers_as_duckdb_does_over_full_copies(bench: Bench, name: str) -> None:
    trial = bench.try_sql(in_full(OWN[name], TABLES))
    assert trial.fault == ""
    assert trial.sent_by_planning == ()
    assert trial.expected.num_rows, "an empty answer would pass for the right one"
    assert len(trial.asked) == len(set(trial.asked)) > 0


@pytest.mark.long
@over("number", NUMBERS)
def test_a_query_answers_as_duckdb_does_over_full_copies(
    bench: Bench, queries: dict[int, str], number: int
) -> None:
    assert queries
    assert bench.trial(number).fault == ""


@pytest.mark.long
@over("number", sorted(set(NUMBERS) - EMPTY))
def test_a_query_finds_something(bench: Bench, queries: dict[int, str], number: int) -> None:
    """Otherwise an empty answer would pass for the right one."""
    assert queries
    rows = bench.trial(number).expected.to_pylist()
    assert any(value is not None for value in chain.from_iterable(row.values() for row in rows))


@pytest.mark.long
@over("number", NUMBERS)
def test_a_query_asks_nothing_for_its_plan_and_nothing_twice(
    bench: Bench, queries: dict[int, str], number: int
) -> None:
    assert queries
    trial = bench.trial(number)
    assert trial.sent_by_planning == ()
    assert len(trial.asked) == len(set(trial.asked))


@pytest.mark.long
def test_a_query_costs_what_it_costs_by_hand(bench: Bench, queries: dict[int, str]) -> None:
    hand = by_hand(bench)
    assert set(hand) == set(queries)
    reached = {
        number for number, (most, _) in hand.items() if len(bench.trial(number).asked) <= most
    }
    assert reached >= AS_BY_HAND
    assert sum(len(bench.trial(number).asked) for number in NUMBERS) <= MOST


@pytest.mark.long
def test_the_figures_by_hand_are_of_these_rows(bench: Bench) -> None:
    assert sum(most for most, _ in by_hand(bench).values()) == BY_HAND
