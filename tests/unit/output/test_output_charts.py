"""A chart shows a number for each label, and says so when the columns are something else."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

import pytest

from connstat_sql.errors import ConfigError, QueryError
from connstat_sql.output.charts import MOST_BARS, chart
from connstat_sql.output.render import About, TerminalStyle
from tests.unit.output.test_output import table_of

DAYS = "SELECT DATE '2026-01-01' + i::INT AS day, i AS cost FROM range(6) r(i) ORDER BY random()"


def drawn(sql: str, style: TerminalStyle = TerminalStyle(width=40)) -> list[str]:  # noqa: B008  # frozen
    out = io.BytesIO()
    chart(table_of(sql), out, style=style)
    return out.getvalue().decode().splitlines()


def picture(sql: str, kind: str) -> bytes:
    out = io.BytesIO()
    chart(table_of(sql), out, kind)
    return out.getvalue()


def test_bars_are_as_long_as_their_numbers_and_fit_the_width() -> None:
    sql = "SELECT * FROM (VALUES ('HEALTHY', 12), ('DEGRADED', 6), ('UNHEALTHY', 0)) t(health, n)"
    assert drawn(sql) == [
        "n by health",
        "HEALTHY    █████████████████████████  12",
        "DEGRADED   ████████████▌               6",
        "UNHEALTHY                              0",
    ]


def test_the_number_may_come_first() -> None:
    assert drawn("SELECT 3 AS n, 'x' AS name") == ["n by name", f"x  {'█' * 34}  3"]


def test_without_unicode_bars_are_ascii() -> None:
    lines = drawn("SELECT 'größe' AS \"ä\", 2 AS n", TerminalStyle(width=40, ascii=True))
    assert lines == ["n by \\xe4", f"gr\\xf6\\xdfe  {'#' * 24}  2"]


def test_negative_numbers_go_the_other_way() -> None:
    assert drawn(
        "SELECT * FROM (VALUES ('a', -5), ('b', 10)) t(x, n)", TerminalStyle(width=24)
    ) == [
        "n by x",
        "a  ██████             -5",
        "b        ███████████  10",
    ]


def test_null_has_no_bar_and_a_small_number_a_short_one() -> None:
    sql = "SELECT * FROM (VALUES (NULL, 1e-9), ('b', NULL), ('c', 1), ('d', 'nan'::DOUBLE)) t(x, n)"
    lines = drawn(sql)
    assert [line.split() for line in lines[1:]][:2] == [["NULL", "▏", "1e-09"], ["b", "NULL"]]
    assert lines[4].split() == ["d", "nan"]


def test_of_many_rows_the_first_are_drawn_and_the_others_counted() -> None:
    lines = drawn("SELECT 'c' || i AS x, i AS n FROM range(57) r(i)")
    assert len(lines) == MOST_BARS + 2
    assert lines[-1].startswith("and 7 rows more")


def test_no_rows_are_said_to_be_none() -> None:
    assert drawn("SELECT 'a' AS x, 1 AS n WHERE false") == ["no rows: there is nothing to draw"]


def test_a_course_over_time_is_drawn_in_order_whatever_the_order_of_rows() -> None:
    lines = drawn(DAYS, TerminalStyle(width=40, height=12))
    assert lines[0] == "cost over day"
    assert lines[1].startswith("5 ┤")
    assert lines[-1].split() == ["2026-01-01", "2026-01-06"]
    tops = lines[-2].removeprefix("0 ┤ ").split()
    assert len(tops) == 5  # the first is nothing
    assert max(map(len, lines)) <= 40


def test_times_that_share_a_column_are_told() -> None:
    sql = "SELECT TIMESTAMP '2026-01-01' + INTERVAL 1 hour * i AS at, i AS n FROM range(500) r(i)"
    assert drawn(sql)[-1] == "500 rows; each column is the highest of its time"


def test_times_with_negative_numbers_are_bars_in_order() -> None:
    lines = drawn("SELECT DATE '2026-01-01' - i::INT AS day, 2 - i AS n FROM range(5) r(i)")
    assert [line.split()[0] for line in lines[1:]] == [
        f"20{day}" for day in ("25-12-28", "25-12-29", "25-12-30", "25-12-31", "26-01-01")
    ]


def test_a_time_without_end_is_a_label() -> None:
    sql = "SELECT unnest([TIMESTAMP 'infinity', TIMESTAMP '2026-01-01', NULL]) AS at, 1 AS n"
    assert [line.split()[0] for line in drawn(sql)[1:]] == ["infinity", "2026-01-01", "NULL"]
    assert picture(sql, "svg")


def test_a_label_is_not_obeyed_by_the_terminal() -> None:
    assert "\x1b" not in "".join(drawn("SELECT concat('a', chr(27), '[2J') AS x, 1 AS n"))


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 'a' AS x", "x VARCHAR"),
        ("SELECT 'a' AS x, 'b' AS y", "x VARCHAR, y VARCHAR"),
        ("SELECT 1 AS x, [2] AS y", "x INTEGER, y INTEGER[]"),
        ("SELECT 1 AS x, 2 AS y, 3 AS z", "x INTEGER, y INTEGER, z INTEGER"),
    ],
)
def test_columns_that_are_no_label_and_number_are_named(sql: str, found: str) -> None:
    with pytest.raises(QueryError) as caught:
        chart(table_of(sql), io.BytesIO(), about=About(requests=3))
    assert caught.value.message == (
        f"a chart shows two columns, a label and a number; the answer has {found}"
    )
    assert caught.value.requests_sent == 3


def test_an_svg_is_xml_with_the_labels_as_text() -> None:
    svg = picture("SELECT '<b>$x^$ 日本' AS label, -2.5 AS n UNION ALL SELECT 'b', 3", "svg")
    texts = [element.text for element in ET.fromstring(svg).iter() if element.text]
    assert "<b>$x^$ 日本" in texts
    assert "-2.5" in texts
    assert svg == picture(
        "SELECT '<b>$x^$ 日本' AS label, -2.5 AS n UNION ALL SELECT 'b', 3", "svg"
    )


def test_a_png_is_one_also_over_time_and_without_rows() -> None:
    for sql in (DAYS, "SELECT 'a' AS x, 1 AS n WHERE false"):
        assert picture(sql, "png").startswith(b"\x89PNG")


class Missing(MetaPathFinder):
    """An environment in which matplotlib is not installed."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(name)


@contextmanager
def without_matplotlib() -> Iterator[None]:
    loaded = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("matplotlib")
    }
    finder = Missing()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(loaded)


def test_without_matplotlib_the_way_to_it_is_told() -> None:
    with without_matplotlib(), pytest.raises(ConfigError) as caught:
        picture("SELECT 'a' AS x, 1 AS n", "svg")
    assert caught.value.message == "a chart as SVG needs matplotlib, which is not installed"
    assert "-m pip install 'matplotlib>=3.11'; without -o" in caught.value.hint
