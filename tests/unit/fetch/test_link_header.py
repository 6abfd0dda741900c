"""Link headers as APIs write them: the link to the next page, its attributes, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connstat_sql.errors import UnexpectedShape
from connstat_sql.fetch.link_header import next_link
from tests.tabled import over


@over(
    "header, url, attributes",
    [
        ("", None, {}),
        (" , ", None, {}),
        ('</a>; rel="prev"', None, {}),
        ('</a>; rel="next"', "/a", {}),
        ("</a>; rel=next", "/a", {}),
        ('</a>;REL="NEXT"', "/a", {}),
        ('</a> ; rel = "last next"', "/a", {}),
        ('<http://h/a?q=1,2;3&x=>; rel="next"', "http://h/a?q=1,2;3&x=", {}),
        ('</a?b,c>; rel="prev", </d?e,f>; rel="next"', "/d?e,f", {}),
        ('</a>; rel="prev",</b>;rel="next";', "/b", {}),
        ('</a>; title="x, <y>; rel=next"; rel="prev", </b>; rel="next"', "/b", {}),
        ('</a>; title="say \\"next\\""; rel="next"', "/a", {"title": 'say "next"'}),
        ('</a>; rel="next"; results="false"; cursor="0:1:0"', "/a",
         {"results": "false", "cursor": "0:1:0"}),
        ('</a>; rel="next"; rel="prev"', "/a", {}),
        ('</a>; crossorigin; rel="next"', "/a", {"crossorigin": ""}),
        ('</next>; rel="nextish"', None, {}),
    ],
)  # fmt: skip
def test_the_link_to_the_next_page(header: str, url: str | None, attributes: object) -> None:
    link = next_link(header)
    assert (None if link is None else link.url) == url
    if link is not None and attributes:
        assert {name: at for name, at in link.attributes.items() if name != "rel"} == attributes


@over("header", ['</a>; rel="next', "</a; rel=next", "/a; rel=next", '</a>; rel="a" "next"'])
def test_what_cannot_be_read_is_an_error_and_never_the_end(header: str) -> None:
    with pytest.raises(UnexpectedShape, match="Link header"):
        next_link(header)


@given(st.text(alphabet='<>;,="\\ relnxt/', max_size=60))
def test_any_text_is_read_or_an_error(header: str) -> None:
    try:
        link = next_link(header)
    except UnexpectedShape:
        return
    assert link is None or "next" in header.lower()
