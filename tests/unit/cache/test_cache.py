"""Rows that were fetched before answer again, while they are young enough, and only whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.cache import FETCH, CompletedFetch, served
from connstat_sql.cache.store import BATCH, batches
from connstat_sql.definitions.quoting import quote
from tests.examples import examples
from tests.kept import GET, KIND, LIST, NOW, PETS, Pets, always, fetch, pets, scan


@pytest.fixture
def zoo() -> Iterator[Pets]:
    with pets() as opened:
        yield opened


class TestAge:
    def test_rows_answer_up_to_the_age_that_is_accepted(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom", "Kit"]})
        assert zoo.ages(fetch("s1"), now=NOW + 60) == {0: 60.0}
        assert zoo.ages(fetch("s1"), now=NOW + 60.001) == {}

    def test_an_age_of_zero_takes_nothing_even_of_the_same_instant(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        assert zoo.ages(fetch("s1"), max_age=0) == {}

    def test_rows_of_a_time_to_come_have_no_age_and_do_not_answer(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, at=NOW + 5)
        assert zoo.ages(fetch("s1")) == {}

    def test_each_connection_has_its_own(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, connection="a")
        zoo.keep({"s1": ["Tim"]}, connection="b")
        asked = {0: fetch(connection="a"), 1: fetch(connection="b")}
        ages = {"a": 0.0, "b": 10.0}
        assert [h.number for h in zoo.kept.find(scan(), asked, ages.__getitem__, NOW + 9)] == [1]

    def test_the_rows_say_when_they_were_really_fetched(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, at=NOW - 50)
        zoo.answer(fetch("s1"))
        assert zoo.rows("epoch(_observed_at), _url, _connection") == [(NOW - 50, "/x", "zoo")]

    def test_newer_rows_take_the_place_of_older_ones(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom", "Kit"], "s2": ["Ada"]}, at=NOW - 30)
        zoo.keep({"s1": ["Tom"]}, at=NOW - 10)
        assert zoo.ages(fetch("s1"), fetch("s2")) == {0: 10.0, 1: 30.0}
        assert zoo.answer(fetch("s1"), fetch("s2")) == [(0, "Tom", "s1"), (1, "Ada", "s2")]

    def test_no_later_statement_goes_back_behind_one_that_fetched(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"], "s2": ["Ada"]})
        zoo.keep({"s1": ["Kit"]}, max_age=0)
        assert zoo.ages(fetch("s1"), fetch("s2")) == {1: 0.0}


class TestWhatAnswers:
    def test_every_value_is_as_it_was(self, zoo: Pets) -> None:
        columns = zoo.make_table()
        zoo.put(3, fetch("s1"), ["Tom", ""], NOW)
        before = zoo.rows()
        zoo.kept.keep(zoo.table, [CompletedFetch(3, fetch("s1"), NOW)], always(9), NOW)
        zoo.make_table()
        hits = zoo.kept.find(scan(), {3: fetch("s1")}, always(9), NOW)
        zoo.kept.fill(zoo.table, columns, hits)
        assert zoo.rows() == before

    def test_no_rows_are_an_answer_too(self, zoo: Pets) -> None:
        zoo.keep({"s1": []})
        assert zoo.ages(fetch("s1")) == {0: 0.0}
        assert zoo.answer(fetch("s1")) == []

    def test_other_arguments_methods_and_connections_are_other_fetches(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        single = fetch("s1", method=GET, arguments={"pet": "Tom"})
        assert zoo.ages(fetch("s2"), fetch("s1", connection="b")) == {}
        assert zoo.ages(single, method=GET) == {}

    def test_an_argument_that_makes_no_request_is_what_the_statement_says(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        columns = zoo.make_table(("shop", "label"))
        asked = {n: fetch("s1", arguments={"label": text}) for n, text in enumerate(("7", "08"))}
        hits = zoo.kept.find(scan(), asked, always(9), NOW)
        zoo.kept.fill(zoo.table, columns, hits)
        assert zoo.rows(f"{quote(FETCH)}, name, label") == [(0, "Tom", 7), (1, "Tom", 8)]

    def test_a_parameter_that_the_row_fills_is_that_of_the_row(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom", "Kit"]})
        assert zoo.answer(fetch("s1")) == [(0, "Kit", "s1"), (0, "Tom", "s1")]

    def test_a_parameter_that_was_asked_with_is_as_it_was_given_not_as_the_row_has_it(self) -> None:
        assert "pet" in served(PETS, LIST)
        assert "pet" not in served(PETS, GET)

    def test_rows_without_filters_answer_for_any_filter(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        filtered = fetch("s1", filters=((KIND, ("cat",)),))
        assert zoo.ages(filtered) == {0: 0.0}

    def test_filtered_rows_answer_for_that_filter_alone(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, filters=((KIND, ("cat",)),))
        cats, dogs = (fetch("s1", filters=((KIND, (kind,)),)) for kind in ("cat", "dog"))
        assert zoo.ages(cats, dogs, fetch("s1")) == {0: 0.0}

    def test_of_two_answers_the_newer_is_taken(self, zoo: Pets) -> None:
        filters = ((KIND, ("cat",)),)
        zoo.keep({"s1": ["Tom"]}, at=NOW - 40)
        zoo.keep({"s1": ["Kit"]}, at=NOW - 20, filters=filters)
        assert zoo.answer(fetch("s1", filters=filters)) == [(0, "Kit", "s1")]
        zoo.keep({"s1": ["Ada"]}, at=NOW - 10)
        assert zoo.answer(fetch("s1", filters=filters)) == [(0, "Ada", "s1")]

    def test_page_size_and_order_do_not_change_which_rows_there_are(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        assert zoo.ages(fetch("s1", page_size=5, order=(("sort", "name"),))) == {0: 0.0}

    def test_rows_read_by_another_definition_do_not_answer(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        other = replace(PETS, columns=PETS.columns[:3])
        assert zoo.ages(replace(fetch("s1"), resource=other)) == {}

    def test_equal_fetches_of_a_scan_are_kept_once(self, zoo: Pets) -> None:
        zoo.make_table()
        whole = [CompletedFetch(n, fetch("s1", arguments={"label": str(n)}), NOW) for n in (0, 1)]
        for one in whole:
            zoo.put(one.number, one.fetch, ["Tom"], NOW)
        zoo.kept.keep(zoo.table, whole, always(9), NOW)
        assert zoo.answer(fetch("s1"), fetch("s1")) == [(0, "Tom", "s1"), (1, "Tom", "s1")]

    @settings(max_examples=examples(10), deadline=None)
    @given(
        st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3), max_size=4),
        st.lists(st.text(max_size=8), max_size=4),
    )
    def test_any_text_finds_its_own_rows_and_no_others(
        self, kept: dict[str, list[str]], asked: list[str]
    ) -> None:
        encodable = {k.encode(errors="replace").decode(): v for k, v in kept.items()}
        with pets() as zoo:
            zoo.keep(encodable)
            shops = [*encodable, *asked]
            wanted = [
                (number, name, shop)
                for number, shop in enumerate(shops)
                for name in encodable.get(shop, ())
            ]
            assert zoo.answer(*map(fetch, shops)) == sorted(wanted)


class TestOnlyWhole:
    def test_rows_of_a_fetch_that_did_not_end_are_not_kept(self, zoo: Pets) -> None:
        zoo.make_table()
        for number, shop in enumerate(("s1", "s2")):
            zoo.put(number, fetch(shop), ["Tom"], NOW)
        zoo.kept.keep(zoo.table, [CompletedFetch(1, fetch("s2"), NOW)], always(9), NOW)
        assert zoo.answer(fetch("s1"), fetch("s2")) == [(1, "Tom", "s2")]

    def test_what_fails_half_way_leaves_what_was_there(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, at=NOW - 9)
        columns = ", ".join(f'"{one}"' for one in (*served(PETS, LIST), "_observed_at", "_url"))
        zoo.session.duckdb.execute(
            f"CREATE TEMP VIEW broken AS SELECT {columns}, CASE WHEN name = 'Tom' "
            f"THEN error('no such luck') ELSE 0 END AS {quote(FETCH)} FROM {zoo.table}"
        )
        zoo.kept.keep("broken", [CompletedFetch(0, fetch("s1"), NOW)], always(9), NOW)
        [note] = zoo.kept.take_notes()
        assert "no such luck" in note
        assert zoo.ages(fetch("s1")) == {0: 9.0}

    def test_an_interrupt_while_rows_are_kept_keeps_none_of_them(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]}, at=NOW - 9)

        def stop(_: str) -> int:
            zoo.session.duckdb.interrupt()
            return 0

        zoo.session.hand_out().create_function("stop", stop, ["VARCHAR"], "INTEGER")
        columns = ", ".join(f'"{one}"' for one in (*served(PETS, LIST), "_observed_at", "_url"))
        zoo.session.duckdb.execute(
            f"CREATE TEMP VIEW slow AS SELECT {columns}, stop(name) AS {quote(FETCH)} "
            f"FROM {zoo.table}, range(900_000)"
        )
        with pytest.raises(KeyboardInterrupt):
            zoo.kept.keep("slow", [CompletedFetch(0, fetch("s1"), NOW)], always(9), NOW)
        assert zoo.ages(fetch("s1")) == {0: 9.0}
        zoo.keep({"s1": ["Kit"]})
        assert zoo.answer(fetch("s1")) == [(0, "Kit", "s1")]

    def test_an_interrupt_while_they_are_read_is_one(self) -> None:
        with duckdb.connect() as connection:
            rows = batches(connection, f"FROM range({3 * BATCH})")
            next(rows)
            connection.interrupt()
            with pytest.raises(duckdb.InterruptException):
                list(rows)

    def test_a_fetch_whose_rows_are_gone_is_not_filled(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"], "s2": ["Kit"]})
        hits = zoo.kept.find(scan(), {0: fetch("s1"), 1: fetch("s2")}, always(9), NOW)
        zoo.keep({"s1": ["Tim", "Tam"]}, at=NOW + 1)
        columns = zoo.make_table()
        assert [hit.number for hit in zoo.kept.fill(zoo.table, columns, hits)] == [1]
        assert zoo.rows("name") == [("Kit",)]


class TestBounds:
    def test_the_newest_rows_stay_when_there_are_too_many(self) -> None:
        with pets(most_rows=8) as zoo:
            for place, shop in enumerate(("s1", "s2", "s3")):
                zoo.keep({shop: ["a", "b", "c"]}, at=NOW + place)
            assert sorted(zoo.ages(*map(fetch, ("s1", "s2", "s3")), now=NOW + 3)) == [1, 2]

    def test_a_fetch_of_more_rows_than_are_kept_is_not_kept(self) -> None:
        with pets(most_rows=2) as zoo:
            zoo.keep({"s1": ["a", "b", "c"]})
            assert zoo.ages(fetch("s1")) == {}

    def test_fetches_without_rows_count_too(self) -> None:
        with pets(most_rows=3) as zoo:
            zoo.keep({f"s{n}": [] for n in range(9)})
            assert len(zoo.ages(*(fetch(f"s{n}") for n in range(9)))) == 4

    def test_what_is_older_than_a_week_is_forgotten(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["a"]})
        later = NOW + 8 * 24 * 3600
        zoo.keep({"s2": ["b"]}, at=later)
        assert zoo.ages(fetch("s1"), now=later, max_age=1e9) == {}


class TestBesideTheSession:
    @pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
    def test_a_transaction_of_the_user_has_nothing_to_do_with_it(self, zoo: Pets, end: str) -> None:
        zoo.session.duckdb.execute("CREATE TABLE mine (a INT)")
        zoo.session.hand_out().execute("BEGIN")
        zoo.session.duckdb.execute("INSERT INTO mine VALUES (1)")
        zoo.keep({"s1": ["Tom"]})
        assert zoo.answer(fetch("s1")) == [(0, "Tom", "s1")]
        zoo.session.duckdb.execute(end)
        assert zoo.answer(fetch("s1")) == [(0, "Tom", "s1")]

    def test_no_listing_shows_it(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        zoo.answer(fetch("s1"))
        zoo.session.drop("TABLE", zoo.table)
        for sql in (
            "SHOW ALL TABLES",
            "FROM information_schema.tables",
            "FROM duckdb_views() WHERE NOT internal",
        ):
            assert zoo.session.duckdb.execute(sql).fetchall() == []

    def test_a_timezone_of_the_user_moves_no_instant(self, zoo: Pets) -> None:
        zoo.session.duckdb.execute("SET TimeZone = 'Asia/Tokyo'")
        zoo.keep({"s1": ["Tom"]})
        zoo.answer(fetch("s1"))
        assert zoo.rows("epoch(_observed_at), epoch(seen)") == [(NOW, NOW - 7)]

    def test_it_is_empty_when_closed(self, zoo: Pets) -> None:
        zoo.keep({"s1": ["Tom"]})
        zoo.kept.close()
        assert zoo.ages(fetch("s1")) == {}


class TestForgetting:
    @pytest.mark.parametrize(
        ("connection", "names", "count"),
        [
            (None, (), 3),
            (None, ("zoo",), 3),
            (None, ("zoo", "w"), 3),
            (None, ("zoo", "w", "pets"), 3),
            (None, ("zoo", "w", "shops"), 0),
            (None, ("other",), 0),
            ("a", (), 2),
            ("b", ("zoo", "w", "pets"), 1),
            ("c", (), 0),
        ],
    )
    def test_it_says_how_many_fetches_were_forgotten(
        self, zoo: Pets, connection: str | None, names: tuple[str, ...], count: int
    ) -> None:
        zoo.keep({"s1": ["Tom"], "s2": []}, connection="a")
        zoo.keep({"s1": ["Kit"]}, connection="b")
        assert zoo.kept.forget(connection, names) == count
        left = zoo.ages(fetch("s1", "a"), fetch("s2", "a"), fetch("s1", "b"))
        assert len(left) == 3 - count

    def test_nothing_is_forgotten_where_nothing_is_kept(self, zoo: Pets) -> None:
        assert zoo.kept.forget(None, ()) == 0
