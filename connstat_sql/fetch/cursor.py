"""What a page after the first is asked for with."""

from __future__ import annotations

from typing import Any

import msgspec


class PageCursor(msgspec.Struct, frozen=True):
    """A token, an offset or a page number as JSON; or a `link` that is followed as it is."""

    json: bytes = b""
    link: str = ""

    @classmethod
    def of(cls, value: str | int) -> PageCursor:
        """A cursor of a text or a number."""
        return cls(msgspec.json.encode(value))

    @property
    def text(self) -> str:
        """How it is written in a query string or a header."""
        value: Any = msgspec.json.decode(self.json)
        return value if isinstance(value, str) else self.json.decode()

    @property
    def is_from_server(self) -> bool:
        """Whether it may be words of a server, not a count of ours."""
        return bool(self.link) or not self.json[:1].isdigit()

    @property
    def texts(self) -> tuple[str, ...]:
        """How it is written in a form: a list as several values of a key."""
        if self.json[:1] != b"[":
            return (self.text,)
        elements = msgspec.json.decode(self.json, type=list[msgspec.Raw])
        return tuple(PageCursor(bytes(element)).text for element in elements)

    @property
    def is_plain(self) -> bool:
        """Whether it is a text or a number, which can stand anywhere."""
        return self.json[:1] not in (b"{", b"[")
