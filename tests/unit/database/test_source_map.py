"""Places in a text that was made of others lead back to what the user wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.database.source_map import Edit, SourceText, excerpt, leading_back
from connstat_sql.errors import BindError, Span
from tests.examples import examples


@st.composite
def edits_of(draw: st.DrawFn, sql: str) -> list[Edit]:
    """Edits of a text, none within another, in any order; some put in or take out."""
    places = sorted(draw(st.lists(st.integers(0, len(sql)), max_size=6)))
    spans = {Span(start, end) for start, end in zip(places[::2], places[1::2], strict=False)}
    edits = [Edit(span, draw(st.text("xy\n", max_size=4))) for span in spans]
    return draw(st.permutations(edits))


def by_hand(places: list[int | None], edits: list[Edit]) -> list[int | None]:
    """Where each character of the first text it comes from stands; None for what was put in."""
    led, position = list[int | None](), 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        led += [*places[position : edit.span.start], *[None] * len(edit.text)]
        position = edit.span.end
    return led + places[position:]


@settings(max_examples=examples(60), deadline=None)
@given(sql=st.text("ab é😀", max_size=12), data=st.data())
def test_what_is_kept_leads_back_to_itself_over_several_rewritings(
    sql: str, data: st.DataObject
) -> None:
    text, places = SourceText(sql), list[int | None](range(len(sql)))
    for _ in range(data.draw(st.integers(1, 3))):
        edits = data.draw(edits_of(text.sql))
        places = by_hand(places, edits)
        text = text.edited(edits)
    assert (text.written, len(text.sql)) == (sql, len(places))
    for place, first in enumerate(places):
        assert text.is_kept(place) == (first is not None)
        if first is not None:
            assert text.sql[place] == sql[first]
            assert text.origin_of(Span(place, place + 1)) == Span(first, first + 1)
            assert text.place_of(place) == first


@given(
    parts=st.lists(
        st.tuples(st.text("ab é", max_size=4), st.none() | st.text("xy😀", max_size=5)), max_size=6
    ),
    data=st.data(),
)
def test_places_in_an_edited_text_lead_back(
    parts: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    """Each part of the text is kept, or replaced by another text."""
    sql = "".join(old for old, _ in parts)
    edits, places, start = list[Edit](), list[Span](), 0
    for old, new in parts:
        whole = Span(start, start + len(old))
        if new is not None and old:
            edits.append(Edit(whole, new))
            places += [whole] * len(new)
        else:
            places += [Span(start + i, start + i + 1) for i in range(len(old))]
        start += len(old)
    text = SourceText(sql).edited(edits)
    assert len(text.sql) == len(places)
    if text.sql:
        first = data.draw(st.integers(0, len(text.sql) - 1))
        last = data.draw(st.integers(first, len(text.sql) - 1))
        assert text.origin_of(Span(first, last + 1)) == Span(places[first].start, places[last].end)


def test_edits_are_applied_from_left_to_right_whatever_their_order() -> None:
    edits = [Edit(Span(4, 5), "E!"), Edit(Span(0, 2), ""), Edit(Span(6, 6), "g")]
    text = SourceText("abcdef").edited(edits)
    assert text.sql == "cdE!fg"
    assert [text.place_of(place) for place in (0, 1, 2, 4)] == [2, 3, 4, 5]
    assert text.place_of(10_000) == len("abcdef")
    assert excerpt("abcdef", Span(3, 6), edits) == "dE!fg"
    assert SourceText("abcdef").edited([]) == SourceText("abcdef")


def test_what_was_put_in_is_told_with_what_stood_there() -> None:
    text = SourceText("FROM v, a").edited([Edit(Span(5, 6), "(FROM b)")])
    again = text.edited([Edit(Span(11, 12), "x.b")])
    assert again.sql == "FROM (FROM x.b), a"
    assert [*again.replaced()] == [("x.b", "b"), ("(FROM b)", "v")]


def test_faults_of_a_text_made_twice_are_told_of_the_first() -> None:
    older = SourceText("SELECT f() FROM t").edited([Edit(Span(7, 10), "(SELECT a FROM v)")])
    place = older.sql.index("v)")
    text = older.edited([Edit(Span(place, place + 1), "(FROM b)")])
    assert text.sql == "SELECT (SELECT a FROM (FROM b)) FROM t"
    for word, written in (("b)", "f()"), ("t", "t")):
        start = text.sql.rindex(word)
        with pytest.raises(BindError) as caught, leading_back(text):
            raise BindError("x", sql=text.sql, span=Span(start, start + len(word)))
        error = caught.value
        assert error.span is not None
        assert error.sql[error.span.start : error.span.end] == written
        assert ("lies in the definition of f()" in error.hint) == (word == "b)")
