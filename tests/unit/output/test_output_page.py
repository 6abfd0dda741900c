"""A page stands alone, tells how its rows came about, and runs nothing of them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from connstat_sql.output.html import HtmlPage
from connstat_sql.output.render import About, render
from tests.unit.output.test_output import EVERY_TYPE, table_of

ABOUT = About(
    "SELECT '<a>' AS x",
    complete=False,
    seconds=1.234,
    requests=1031,
    at=datetime(2026, 11, 22, 10, 4, tzinfo=UTC),
    errors=("2 of 1,031 requests failed: 403 from plant_b (2)", "  plant_b: answered 403"),
    notes=("3 of 30 requests found no such row",),
    title="Worst <first>",
)


class Elements(HTMLParser):
    """The elements of a page, and the text in them; raises where they do not nest."""

    VOID = ("meta", "link", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text_of(self, tag: str) -> list[str]:
        return [text for of, text in self.texts if of == tag]


def page_of(sql: str, about: About | None = ABOUT) -> str:
    out = io.BytesIO()
    render(table_of(sql), "html", out, about=about)
    return out.getvalue().decode()


def test_a_value_of_each_type_is_in_the_page_once() -> None:
    page = Elements(page_of(EVERY_TYPE))
    assert page.text_of("td") == [
        "true", "1", "12345678901234567890123", "1.10", "1.5", "a|é", "NULL", "2026-01-02",
        "10:00:00", "2026-01-02 03:04:05", "2026-01-01 08:00:00+00", "3 days", "\\x00A",
        "[1, NULL]", "{'state': FAILED, 'id': 7}", "{k.x=v}", '{"deep": [1.50, null]}',
        "00000000-0000-0000-0000-000000000001", "x",
    ]  # fmt: skip
    assert page.text_of("summary") == ["SQL", "one⏎two"]
    assert page.text_of("pre")[-1] == "one\ntwo"


def test_a_page_tells_verdict_cost_failures_notes_and_sql() -> None:
    page = page_of("SELECT 1 AS n")
    for words in (
        '<span class="pill bad">partial</span>',
        "<b>1</b> row<",
        "<b>1,031</b> requests",
        "<b>1.23</b> s",
        "2026-11-22 10:04:00 UTC",
        "2 of 1,031 requests failed: 403 from plant_b (2)\n  plant_b: answered 403",
        "<li>3 of 30 requests found no such row</li>",
        "<pre>SELECT &#x27;&lt;a&gt;&#x27; AS x</pre>",
        "<title>Worst &lt;first&gt;</title>",
    ):
        assert words in page
    assert "complete" in page_of("SELECT 1 AS n", About())


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>hacked()</script>",
        '"><img src=x onerror=hacked()>',
        "</td></table>",
        "&lt;",
        "a\x00b",
    ],
)
def test_a_hostile_value_stays_text_wherever_it_stands(hostile: str) -> None:
    quoted = hostile.replace("\x00", "").replace("'", "''")
    name = quoted.replace('"', '""')
    table = table_of(
        f"SELECT '{quoted}' AS \"{name}\", '{quoted}' AS state, {{'x': '{quoted}'}} AS s, "
        f"repeat('{quoted}', 50) AS long, {{'{quoted}': repeat('{quoted}', 50)}} AS deep"
    )
    out = io.BytesIO()
    about = About(hostile, False, errors=(hostile,), notes=(hostile,), title=hostile)
    render(table, "html", out, about=about)
    page = Elements(out.getvalue().decode())
    tags = [tag for tag, _ in page.starts]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert quoted in page.text_of("td")


def test_nothing_is_loaded_and_only_the_pages_own_script_and_style_are_allowed() -> None:
    text = page_of(EVERY_TYPE)
    page = Elements(text)
    policy = next(a["content"] for t, a in page.starts if a.get("http-equiv")) or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        own = "".join(page.text_of(tag))
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for _, attributes in page.starts:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not attributes.get("src")
        assert attributes.get("href") in (None, "data:,")
    assert not re.search(r"https?://|url\(|@import", text)


def test_states_have_a_colour_and_are_written_too() -> None:
    page = page_of("SELECT 'FAILED' AS task_state, 'HEALTHY' AS health, 'odd' AS state", None)
    assert '<span class="pill bad">FAILED</span>' in page
    assert '<span class="pill good">HEALTHY</span>' in page
    assert "<td>odd</td>" in page


def test_nested_values_are_laid_out_below_their_beginning() -> None:
    page = Elements(page_of("SELECT {'id': 1, 'trace': E'a\\nb'} AS s", None))
    assert page.text_of("summary") == ["{'id': 1, 'trace': a⏎b}"]
    assert page.text_of("pre") == ["id: 1\ntrace:\n  a\n  b"]


def test_several_results_are_sections_of_one_page() -> None:
    out = io.BytesIO()
    page = HtmlPage(out)
    page.section(table_of("SELECT 1 AS a"), About("SELECT 1 AS a"))
    page.section(table_of("SELECT 2 AS b WHERE false"), About())
    page.close()
    elements = Elements(out.getvalue().decode())
    assert [tag for tag, _ in elements.starts].count("section") == 2
    assert elements.text_of("p") == ["No rows."]
    assert elements.text_of("title") == ["connstat"]


def test_a_name_and_a_reason_stand_whole_and_other_long_texts_open() -> None:
    sql = """SELECT repeat('n', 300) AS connector_name, 'it is ' || repeat('why ', 90) AS cause,
        repeat('v', 300) AS value"""
    page = page_of(sql)
    assert f"<td>{'n' * 300}</td>" in page
    assert f"<td>it is {'why ' * 90}</td>" in page
    assert page.count("<details><summary>v") == 1
