"""Text in the cells of a terminal: how many it takes, and how it is made to take so many."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size


def cell_width(text: str) -> int:
    """The cells that clean text takes: two for each wide character."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, cut: str, *, right: bool = False) -> str:
    """Text that takes `width` cells: padded, or cut with a mark that says so."""
    taken = cell_width(text)
    if taken <= width:
        blank = " " * (width - taken)
        return blank + text if right else text + blank
    if width <= len(cut):
        return set_cell_size(text, width)
    return set_cell_size(text, width - len(cut)) + cut


def wrapped(text: str, width: int, most: int, cut: str) -> list[str]:
    """Text in at most so many lines of `width` cells, parted between words where that goes."""
    lines: list[str] = []
    while len(lines) < most - 1 and cell_width(text) > width:
        part: str = chop_cells(text, width)[0]
        if not text[len(part) :].startswith(" ") and part.rfind(" ") >= len(part) // 2:
            part = part[: part.rfind(" ")]
        lines.append(fit(part, width, cut))
        text = text[len(part) :].lstrip(" ")
    return [*lines, fit(text, width, cut)]


def fold(text: str, width: int) -> list[str]:
    """A line in lines of at most `width` cells, all as far indented; nothing of it is lost."""
    if cell_width(text) <= width:
        return [text]
    indent = min(len(text) - len(text.lstrip(" ")), width // 2)
    return [" " * indent + part for part in chop_cells(text[indent:], width - indent)]
