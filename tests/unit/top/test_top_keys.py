"""The keys and the mouse of `connstat top`, and how it ends."""

from __future__ import annotations

import pytest

from connstat_sql.errors import BindError, ConnectionFailed, RequestLine
from connstat_sql.top.pages import DetailPage, TextPage
from connstat_sql.top.query import FleetQuery
from connstat_sql.top.widgets import Tally
from connstat_sql.top.worker import Failed, Looked, WorkerFault
from tests.fakes.top_fleets import connector
from tests.top_screens import CAUSE, FLEET, PLANT_C, Screen, on_screen

# --- keys ----------------------------------------------------------------------------------------


def test_text_filters_as_it_is_typed_and_escape_takes_it_back() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("slash", *"T_B")
        assert len(screen.names) == 61
        await screen.press("space", *"bill", "enter")
        assert screen.names == ["bills"]
        assert "1 of 63 rows · only text 'T_B bill'" in screen.text
        await screen.press("escape")
        assert len(screen.names) == len(FLEET)

    on_screen(act)


def test_no_letter_is_lost_however_quickly_it_follows_the_slash() -> None:
    async def act(screen: Screen) -> None:
        await screen.type_at_once("/", *"bills", "enter")
        assert screen.names == ["bills"]
        await screen.press("/", "/")
        assert screen.names == []
        await screen.press("escape", "s", "slash", "q")
        assert len(screen.names) == len(FLEET)

    on_screen(act)


def test_numbers_and_v_filter_by_health_and_vendor() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("2", "3")
        assert screen.names == ["clicks", "orders", "bills"]
        await screen.press("2")
        assert screen.names == ["bills"]
        await screen.press("escape", "v")
        assert screen.names == ["clicks"]
        await screen.press("v", "v")
        assert len(screen.names) == len(FLEET)

    on_screen(act)


def test_a_root_cause_filters_and_a_second_time_no_more() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("tab", "down", "enter")
        assert screen.names == ["orders", "bills"]
        await screen.press("tab", "enter")
        assert len(screen.names) == len(FLEET)

    on_screen(act)


def test_any_column_sorts_and_turns_round() -> None:
    async def act(screen: Screen) -> None:
        await screen.press(*["greater_than_sign"] * 4)
        assert screen.names[:2] == ["bills", "calm-000"]
        assert "by connector" in screen.text
        await screen.press("i")
        assert screen.names[:2] == ["orders", "clicks"]
        await screen.press(*["less_than_sign"] * 4)
        assert screen.names[0] == "clicks"

    on_screen(act)


def test_the_mouse_sorts_selects_opens_and_filters() -> None:
    async def act(screen: Screen) -> None:
        titles = screen.place_of("HEALTHv")
        place = screen.lines[titles].index("CONNECTOR ")
        await screen.pilot.click(offset=(place, titles))
        await screen.settle()
        assert screen.names[0] == "bills"
        await screen.pilot.click(offset=(5, titles + 3))
        await screen.settle()
        assert screen.current == "calm-001"
        await screen.pilot.click(Tally, offset=(16, 0))
        await screen.settle()
        assert screen.names == []
        await screen.press("escape")
        await screen.pilot.click(Tally, offset=(3, 1))
        await screen.settle()
        assert screen.names == ["clicks"]
        await screen.pilot.click(offset=(5, titles + 1), times=2)
        await screen.settle()
        assert isinstance(screen.app.screen, DetailPage)

    on_screen(act)


def test_enter_shows_a_connector_in_full_at_once_and_then_with_what_was_asked() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("down", "enter")
        assert screen.asked.orders[-1] == "orders"
        assert "Caused by: y: no route to db" in screen.text
        assert "asking for its tasks" in screen.text
        one = FLEET[0]
        tasks = [{"id": 1, "state": "RUNNING", "trace": None}, {"id": 0, "state": "FAILED"}]
        columns = {"plugin_class": "Sink", "config": '{"a": "1"}', "tasks": tasks}
        await screen.told(Looked(connector("other").key, {"plugin_class": "Wrong"}))
        await screen.told(Looked(one.key, columns))
        text = screen.text
        assert "asking for its tasks" not in text
        assert text.index("task 0") < text.index("task 1") < text.index("plugin_class  Sink")
        assert "Wrong" not in text
        await screen.press("q")
        assert not isinstance(screen.app.screen, TextPage)

    on_screen(act)


@pytest.mark.parametrize(
    ("looked", "said"),
    [
        (Looked(FLEET[0].key), "it is not there any more"),
        (
            Looked(
                FLEET[0].key,
                error=ConnectionFailed("no answer", request=RequestLine("GET", "http://a/x")),
            ),
            "GET http://a/x",
        ),
    ],
)
def test_a_connector_that_cannot_be_looked_at_says_why(looked: Looked, said: str) -> None:
    async def act(screen: Screen) -> None:
        await screen.press("down", "enter")
        await screen.told(looked)
        assert said in screen.text
        assert CAUSE in screen.text

    on_screen(act)


def test_an_unreachable_cluster_in_full_asks_nothing() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed(FLEET, [PLANT_C])
        await screen.press("enter")
        assert PLANT_C.request in screen.text
        assert screen.asked.orders[-1] == "refresh"

    on_screen(act)


def test_the_sql_is_that_of_the_view_with_the_filter_and_can_be_copied() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("2", "s", "c")
        sql = screen.app.clipboard
        assert "WHERE (state <> 'PAUSED'\n)\n  AND health IN ('UNHEALTHY')" in sql
        assert sql.endswith(";")
        assert "copied" in screen.text

    on_screen(act, question=FleetQuery(where="state <> 'PAUSED'"))


def test_refresh_pause_and_interval() -> None:
    async def act(screen: Screen) -> None:
        assert screen.asked.orders == ["start", "refresh"]
        await screen.press("r", "r")
        assert screen.asked.orders.count("refresh") == 2
        assert "refreshing" in screen.text
        await screen.refreshed()
        await screen.press("p")
        assert "paused" in screen.text
        await screen.press("minus", "minus")
        assert screen.app._next is None
        await screen.press("p")
        assert screen.asked.orders.count("refresh") == 3
        await screen.refreshed()
        assert "every 600 s" in screen.text
        await screen.press("plus")
        assert "every 1800 s" in screen.text

    on_screen(act)


def test_what_comes_by_itself_says_how_often_and_the_key_asks_for_everything() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed()
        screen.app._refresh_in_turn()
        assert screen.asked.orders[-1] == f"refresh in turn, each {screen.app._every:.0f} s"
        await screen.refreshed()
        await screen.press("r")
        assert screen.asked.orders[-1] == "refresh"

    on_screen(act)


def test_help_names_every_key() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("question_mark")
        for word in ("refresh now", "pause", "what failed", "the SQL behind", "quit", "filter by"):
            assert word in screen.text

    on_screen(act)


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "kind"), [("q", type(None)), ("ctrl+c", KeyboardInterrupt)])
def test_leaving_ends_the_asking(key: str, kind: type) -> None:
    orders: list[object] = []

    async def act(screen: Screen) -> None:
        orders.append(screen.asked)
        await screen.press("slash" if key != "q" else "r", key)

    assert isinstance(on_screen(act), kind)
    assert orders[0].orders[-1] == "close"  # type: ignore[attr-defined]


def test_sql_at_fault_ends_it_before_there_are_rows_and_not_after() -> None:
    error = BindError("there is no column heath")

    async def at_once(screen: Screen) -> None:
        await screen.told(Failed(error))

    async def later(screen: Screen) -> None:
        await screen.told(Failed(error))
        assert "STALE" in screen.text

    assert on_screen(at_once, refreshed=False) is error
    assert on_screen(later) is None


def test_a_fault_of_ours_is_raised_where_it_is_seen() -> None:
    error = ZeroDivisionError()

    async def act(screen: Screen) -> None:
        await screen.told(WorkerFault(error))

    assert on_screen(act) is error
