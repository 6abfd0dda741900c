"""The page in a real browser: headers sort, the filter filters, and nothing leaves or runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.output.html import HtmlPage
from connstat_sql.output.render import About
from tests.integration.conftest import is_required
from tests.unit.output.test_output import table_of

pytestmark = pytest.mark.integration

SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
)  # fmt: skip
HOSTILE = "<img src=http://127.0.0.1:9/x onerror=hacked()><script>window.hacked=1</script>"
ROWS = f"""
SELECT * FROM (VALUES
  ('b10', 9007199254740993::HUGEINT, 1.5, 'RUNNING', TIMESTAMP '2026-01-02 00:00:00', {{'t': 1}}),
  ('b9', 9007199254740992, -2.25, 'FAILED', TIMESTAMP '2026-01-01 09:00:00', {{'t': 2}}),
  ('{HOSTILE}', NULL, 1e3, NULL, TIMESTAMP '2025-12-31 10:00:00', NULL),
  ('a', 12, 1.5, 'PAUSED', NULL, {{'t': 3}})
) rows(name, big, real, state, moment, nested)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; skipped, or required, where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if is_required(os.environ):
            pytest.fail("the browser test is required here, but there is no chromium")
        pytest.skip("there is no chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "fleet.html"
    about = About(
        HOSTILE, False, 1.5, 3, datetime(2026, 11, 22, tzinfo=UTC), (HOSTILE,), (HOSTILE,)
    )
    with path.open("wb") as out:
        page = HtmlPage(out, HOSTILE)
        page.section(table_of(ROWS), about)
        page.section(table_of("SELECT range AS n FROM range(30)"), About())
        page.close()
    return path


class Seen:
    """The page in one window of the browser, and what it did since it was opened."""

    def __init__(self, browser: Any, file: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._file = file
        self.table = self.page.locator("table").first

    def open(self) -> None:
        """As if it had never been touched."""
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(self._file.as_uri())

    def column(self, number: int) -> list[str]:
        cells = self.table.locator(f"tbody tr:not([hidden]) td:nth-child({number})")
        return [str(text) for text in cells.all_inner_texts()]

    def header(self, name: str) -> Any:
        return self.table.get_by_role("columnheader").filter(has_text=name)

    def sort(self, name: str) -> str | None:
        self.header(name).get_by_role("button").click()
        found: str | None = self.header(name).get_attribute("aria-sort")
        return found


@pytest.fixture(scope="module")
def shared(browser: Any, file: Path) -> Iterator[Seen]:
    opened = Seen(browser, file)
    yield opened
    opened.page.close()


@pytest.fixture
def seen(shared: Seen) -> Seen:
    shared.open()
    return shared


def test_headers_sort_numbers_times_and_text_as_what_they_are(seen: Seen) -> None:
    assert seen.header("big").get_attribute("aria-sort") == "none"
    assert seen.sort("big") == "ascending"
    assert seen.column(2) == ["12", "9007199254740992", "9007199254740993", "NULL"]
    assert seen.sort("big") == "descending"
    assert seen.column(2) == ["9007199254740993", "9007199254740992", "12", "NULL"]
    assert seen.sort("real") == "ascending"
    assert seen.header("big").get_attribute("aria-sort") == "none"
    assert seen.column(3)[0] == "-2.25"
    assert seen.sort("moment") == "ascending"
    assert seen.column(5)[0].startswith("2025-12-31")
    assert seen.column(5)[-1] == "NULL"
    seen.sort("name")
    assert seen.column(1) == [HOSTILE, "a", "b9", "b10"]


def test_equal_values_keep_their_order(seen: Seen) -> None:
    seen.sort("name")
    seen.sort("real")
    assert seen.column(1)[1:3] == ["a", "b10"]


def test_the_keyboard_sorts_too(seen: Seen) -> None:
    seen.header("name").get_by_role("button").focus()
    seen.page.keyboard.press("Enter")
    assert seen.header("name").get_attribute("aria-sort") == "ascending"
    seen.page.keyboard.press("Space")
    assert seen.header("name").get_attribute("aria-sort") == "descending"


def test_the_filter_shows_rows_with_all_its_words_and_counts_them(seen: Seen) -> None:
    box = seen.page.get_by_role("searchbox").first
    box.fill("FAILED b9")
    assert seen.column(1) == ["b9"]
    assert seen.page.locator("output").first.inner_text() == "1 of 4 rows"
    box.fill("")
    assert len(seen.column(1)) == 4
    other = seen.page.locator("table").nth(1).locator("tbody tr:not([hidden])")
    assert other.count() == 30


def test_hostile_values_run_nothing_and_nothing_leaves_the_page(seen: Seen, file: Path) -> None:
    seen.sort("name")
    assert seen.column(1)[0] == HOSTILE
    assert seen.page.title() == HOSTILE
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("img").count() == 0
    assert [url for url in seen.requests if url not in (file.as_uri(), "data:,")] == []
    assert seen.complaints == []


def test_the_page_is_no_wider_than_a_telephone(browser: Any, file: Path) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 640}, color_scheme="dark")
    try:
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        page.close()
