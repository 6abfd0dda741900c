"""Text of servers, made harmless: no character in it moves the cursor, colours or hides."""

from __future__ import annotations

import re

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters, and those that turn the direction of text or cannot be seen."""
_LINES = re.compile("\r\n|[\n\u2028\u2029]")


def one_line(text: str, *, ascii_: bool = False) -> str:
    r"""Text on one line: ends of lines are marked, what is unsafe is written as its number.

    >>> one_line("down\n\x1b[31m", ascii_=True)
    'down\\n\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINES.sub(r"\\n" if ascii_ else "⏎", text).replace("\t", " ")
    return _plain(UNSAFE.sub(_number, text), ascii_)


def lines(text: str, *, ascii_: bool = False) -> list[str]:
    """The lines of a text, what is unsafe written as its number."""
    if text.isascii() and text.isprintable():
        return [text]
    parts = [line.expandtabs(4) for line in _LINES.split(text)]
    if len(parts) > 1 and not parts[-1]:  # the end of the last line begins no other
        parts.pop()
    return [_plain(UNSAFE.sub(_number, line), ascii_) for line in parts]


def for_terminal(text: str) -> str:
    """A document whose lines and tabs stay, but for what a terminal would obey."""
    return UNSAFE.sub(lambda m: m[0] if m[0] in "\n\t" else _number(m), text.replace("\r\n", "\n"))


def in_json(text: str) -> str:
    """The same JSON, without characters that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    letter = match.group()  # between tokens white space may stand as it is; in strings it cannot
    return letter if letter in "\n\r\t" else f"\\u{ord(letter):04x}"


def _plain(text: str, ascii_: bool) -> str:
    return text.encode("ascii", "backslashreplace").decode() if ascii_ else text


def _number(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
