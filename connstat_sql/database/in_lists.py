"""Long `IN (…)` lists, set aside while a statement is read: one value of each, not thousands.

In the text that is parsed only the first value of a list is left, and blanks for the others: no
place moves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONG = 64
"""Values that a list must have more than to be set aside."""

_GAP = r"[ \t\r\n]*"
_TEXT = r"'[^']*(?:''[^']*)*'"
_NUMBER = r"[0-9]{1,18}"
_LISTS = "|".join(rf"(?:{value}{_GAP},{_GAP}){{{LONG},}}{value}" for value in (_TEXT, _NUMBER))
_LIST = rf"(?i:\bin){_GAP}\({_GAP}(?P<list>{_LISTS}){_GAP}\)"
_ODD = r"""/\*|\$(?:[^\W\d]\w*)?\$|(?<!\w)[eE]'|--[^\r\n]*\r(?!\n)"""
_SCAN = re.compile(rf"""{_LIST}|(?P<odd>{_ODD})|--[^\n]*|{_TEXT}|"[^"]*" """.rstrip())
_LIKELY = re.compile(_LIST)
_FIRST = re.compile(rf"{_TEXT}|{_NUMBER}")
_PLAIN_TEXTS = re.compile(r"'([^']*)'")
_TEXTS = re.compile(_TEXT)
_NUMBERS = re.compile(_NUMBER)


def set_aside(sql: str) -> tuple[str, Mapping[int, str]]:
    """The text with the first value alone in place of each long list, and the lists.

    They are given by the place of that value, as they are written. A text with comments or
    quotes of a rarer kind stays as it is.
    """
    if len(sql) < 2 * LONG or not _LIKELY.search(sql):
        return sql, {}
    parts, lists, position = [], {}, 0
    for match in _SCAN.finditer(sql):
        if match["odd"] is not None:
            return sql, {}
        if match["list"] is None:
            continue
        start, end = match.span("list")
        first = _FIRST.match(sql, start)
        assert first is not None, "a list begins with a value"
        parts += [sql[position : first.end()], " " * (end - first.end())]
        lists[start] = match["list"]
        position = end
    return "".join([*parts, sql[position:]]), lists


def values_of(text: str) -> tuple[bool, list[str]]:
    """Whether a list that was set aside is of texts, and its values."""
    if not text.startswith("'"):
        return False, _NUMBERS.findall(text)
    if "''" not in text:
        return True, _PLAIN_TEXTS.findall(text)
    return True, [quoted[1:-1].replace("''", "'") for quoted in _TEXTS.findall(text)]
