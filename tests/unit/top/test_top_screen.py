"""The screen of `connstat top`: what stands on it, and what stays where it is."""

from __future__ import annotations

import pytest

from connstat_sql.errors import ConnectionFailed
from connstat_sql.top.model import Outage
from connstat_sql.top.worker import Failed
from tests.fakes.top_fleets import connector
from tests.top_screens import CAUSE, FLEET, PLANT_C, Screen, on_screen

# --- what is shown -------------------------------------------------------------------------------


def test_the_worst_stands_first_under_counts_and_a_verdict() -> None:
    async def act(screen: Screen) -> None:
        assert screen.names[:3] == ["clicks", "orders", "bills"]
        text = screen.text
        assert "3 connections" in text
        assert "2 requests in 0.25 s  complete" in text
        assert "63 rows" in text
        counts = screen.lines[screen.place_of("all  ")].split()
        assert counts == ["all", "·", "2", "1", "·", "·", "·", "60", "63"]
        assert screen.place_of(f"2 {CAUSE}  on 2 connections") > screen.place_of("HEALTHv")

    on_screen(act)


def test_before_the_first_answer_it_says_that_it_asks() -> None:
    async def act(screen: Screen) -> None:
        assert "asking all connections" in screen.text
        assert screen.asked.orders == ["start", "refresh"]
        await screen.press("enter", "down", "s", "escape", "end", "home")

    on_screen(act, refreshed=False)


def test_an_unreachable_cluster_stands_at_the_top_with_its_reason() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed(FLEET, [PLANT_C])
        assert "4 connections (1 unreachable)" in screen.text
        assert "PARTIAL" in screen.text
        assert "UNREACHABLE plant_c" in " ".join(
            screen.lines[screen.place_of("HEALTHv") + 1].split()
        )
        await screen.press("e")
        assert "GET http://c:8083/connectors" in screen.text
        assert PLANT_C.message in screen.text

    on_screen(act)


def test_rows_of_a_lost_cluster_stay_and_are_marked() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed(FLEET[1:], [Outage("plant_a", "kafka_connect", "no answer")])
        line = screen.lines[screen.place_of("orders")]
        assert line.startswith("? UNHEALTHY")

    on_screen(act)


def test_a_failed_refresh_keeps_the_rows_and_says_how_old_they_are() -> None:
    async def act(screen: Screen) -> None:
        screen.asked.now += 35
        await screen.told(Failed(ConnectionFailed("everything is down")))
        assert "STALE, 35 s old: everything is down" in screen.text
        assert len(screen.names) == len(FLEET)
        await screen.press("e")
        assert "everything is down" in screen.text
        await screen.press("escape")
        await screen.refreshed()
        assert "STALE" not in screen.text

    on_screen(act)


def test_changes_are_marked_until_the_moment_has_passed() -> None:
    async def act(screen: Screen) -> None:
        changed = (connector("orders", "HEALTHY"), connector("fresh", "DEGRADED"), *FLEET[2:])
        await screen.refreshed(changed)
        assert screen.lines[screen.place_of("fresh")].startswith("+ ")
        assert screen.lines[screen.place_of("bills")].startswith("- ")
        assert "1 new · 1 changed · 1 gone" in screen.text
        screen.app._fade()
        await screen.settle()
        assert "bills" not in screen.names
        assert "1 new" not in screen.text

    on_screen(act)


def test_a_name_that_would_move_the_cursor_is_harmless() -> None:
    async def act(screen: Screen) -> None:
        evil = "a\x1b[2Jb\rc [red]d[/] \u202e"
        await screen.refreshed([connector(evil, "UNHEALTHY", cause=evil, trace=evil)])
        assert "a?[2Jb?c [red]d[/] ?" in screen.text
        screen.app._fade()
        await screen.press("enter")
        assert screen.text.count("c [red]d[/] ?") == 4  # title, name, cause and trace

    on_screen(act)


# --- selection and scroll ------------------------------------------------------------------------


def test_the_selected_row_keeps_its_place_on_the_screen() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("pagedown", "down")
        name = screen.current
        line = screen.place_of(name)
        more = [connector(f"bad-{number}", "UNHEALTHY") for number in range(5)]
        await screen.refreshed([*more, *FLEET])
        assert screen.current == name
        assert screen.place_of(name) == line
        await screen.refreshed(FLEET[3:])
        await screen.refreshed(FLEET[3:])
        assert screen.current == name

    on_screen(act)


def test_a_selection_that_was_never_moved_stays_at_the_top() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed([connector("awful", "UNHEALTHY", tasks_failed=9), *FLEET])
        assert screen.current == "awful"
        await screen.press("end")
        assert screen.current == "calm-059"
        await screen.press("g")
        assert screen.current == "awful"
        await screen.press("pagedown", "k", "j")
        assert screen.current in screen.text

    on_screen(act)


def test_when_the_selected_row_is_gone_the_next_one_is_selected() -> None:
    async def act(screen: Screen) -> None:
        await screen.press("down")
        assert screen.current == "orders"
        await screen.refreshed(FLEET[1:])
        assert screen.current == "orders"
        screen.app._fade()
        assert screen.current == "bills"
        await screen.refreshed([])
        screen.app._fade()
        assert screen.current == ""
        await screen.press("down", "end", "enter")

    on_screen(act)


# --- terminals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10), (20, 5), (3, 2)])
def test_every_terminal_has_the_worst_row_on_it(size: tuple[int, int]) -> None:
    async def act(screen: Screen) -> None:
        assert max(map(len, screen.lines)) <= size[0]
        if size[1] >= 5:
            assert "clicks"[: size[0] - 18] in screen.text
        await screen.press("down", "enter", "escape", "slash", "x", "escape")
        await screen.pilot.resize_terminal(80, 24)
        await screen.settle()
        assert "orders" in screen.text

    on_screen(act, size=size)


def test_at_80_columns_the_counts_and_the_keys_fit() -> None:
    async def act(screen: Screen) -> None:
        assert screen.lines[screen.place_of("UNREACH")].endswith("HEALTHY   ALL")
        assert "s SQL" in screen.lines[-1]

    on_screen(act, size=(80, 24))


def test_without_utf_8_cut_texts_end_in_ascii() -> None:
    async def act(screen: Screen) -> None:
        await screen.refreshed([connector("x" * 90, "UNHEALTHY", cause="y" * 200)])
        row = screen.lines[screen.place_of("xxx")]
        assert "xxx~" in row
        assert row.isascii()

    on_screen(act, is_ascii=True)
