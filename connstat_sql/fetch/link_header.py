"""Link headers (RFC 8288): links with their attributes, commas and semicolons within both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connstat_sql.errors import UnexpectedShape

_ATTRIBUTE = re.compile(r"""\s*;\s*([^\s=;,<>"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?""")
_TARGET = re.compile(r"\s*<([^>]*)>")
_BETWEEN = re.compile(r"[\s;]*(?:,[\s,]*|$)")


class Link(NamedTuple):
    """One link of a header; names of `attributes` are in small letters."""

    url: str
    attributes: Mapping[str, str]

    def is_next(self) -> bool:
        """Whether it leads to the next page."""
        return "next" in self.attributes.get("rel", "").lower().split()


def next_link(header: str) -> Link | None:
    """The link to the next page; None where there is none.

    Raises UnexpectedShape where the header cannot be read, as it may hold one.

    >>> next_link('<http://a.test/?p=1>; rel="prev", <http://a.test/?p=3>; rel="next"')
    Link(url='http://a.test/?p=3', attributes={'rel': 'next'})
    """
    return next((link for link in _links(header) if link.is_next()), None)


def _links(header: str) -> Iterator[Link]:
    at = len(header) - len(header.lstrip(", \t"))
    while at < len(header):
        target = _TARGET.match(header, at)
        if target is None:
            raise _unreadable()
        attributes: dict[str, str] = {}
        at = target.end()
        while (attribute := _ATTRIBUTE.match(header, at)) is not None:
            name, quoted, plain = attribute.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain or ""
            attributes.setdefault(name.lower(), value)  # of two, RFC 8288 takes the first
            at = attribute.end()
        between = _BETWEEN.match(header, at)
        if between is None:
            raise _unreadable()
        at = between.end()
        yield Link(target[1], attributes)


def _unreadable() -> UnexpectedShape:
    """Nothing of it is told: links may hold credentials."""
    return UnexpectedShape("the Link header is not written as RFC 8288 has it")
