"""A file of a saved query → what its front matter says, with lines, and its SQL.

The front matter is YAML, either taken out of the block of SQL comments at the top, or written
between two lines of `---`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from connstat_sql.definitions.loader.yaml import YamlFile, read_source
from connstat_sql.errors import Problem

MAX_BYTES = 4_000_000
WORDS = ("name", "title", "description", "params", "key", "state", "severity", "partial")
_FENCE = "---"
_WORD = re.compile(rf"--\s*(?:{'|'.join(WORDS)})\s*:")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ANY_WORD = re.compile(r"-- ?\w+\s*:(\s|$)")


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A file in its two parts: `source` is the front matter, `sql` begins at `line`, from 1.

    `problems` are those of the file itself; the source has its own.
    """

    source: YamlFile
    sql: str
    line: int
    problems: tuple[Problem, ...] = ()


def read_page(file: str, content: bytes) -> QueryFile:
    r"""Cut a file in two; whatever is wrong with it becomes a problem, never an exception.

    >>> page = read_page("some.sql", b"-- title: Some\nSELECT 1")
    >>> page.source.value, page.sql, page.line
    ({'title': 'Some'}, 'SELECT 1', 2)
    """
    if len(content) > MAX_BYTES:
        return _unreadable(file, 0, f"larger than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _unreadable(file, line, "not UTF-8 text", "save it in UTF-8")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return _unreadable(file, line, "a NUL character in the text", "saved queries are text")
    lines = _LINE.findall(text)
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and lines[first].strip() == _FENCE:
        return _fenced(file, lines, first)
    return _commented(file, lines, first)


def _fenced(file: str, lines: list[str], first: int) -> QueryFile:
    last = next(
        (n for n in range(first + 1, len(lines)) if lines[n].strip() == _FENCE),
        None,
    )
    if last is None:
        message = "the front matter that begins here has no end"
        return _unreadable(file, first + 1, message, "end it with a line  ---")
    source = _source(file, lines[first + 1 : last], first + 1)
    return _page(source, lines, last + 1)


def _commented(file: str, lines: list[str], first: int) -> QueryFile:
    last = first
    while last < len(lines) and lines[last].startswith("--"):
        last += 1
    block = lines[first:last]
    is_front_matter = any(map(_WORD.match, block)) or (block and _ANY_WORD.match(block[0]))
    if not is_front_matter:
        return _page(YamlFile(file, {}), lines, 0)
    yaml = [_taken_off(line) for line in block]
    return _page(_source(file, yaml, first), lines, last)


def _taken_off(line: str) -> str:
    """A line of YAML out of a comment; one of `---`, which some put around it, says nothing."""
    text = line[3:] if line.startswith("-- ") else line[2:]
    return "\n" if text.strip() in (_FENCE, "-") else text


def _source(file: str, yaml: list[str], before: int) -> YamlFile:
    """The front matter, read so that its lines are those of the file."""
    source = read_source(file, ("\n" * before + "".join(yaml)).encode())
    return replace(source, value={}) if source.value is None and not source.problems else source


def _page(source: YamlFile, lines: list[str], start: int) -> QueryFile:
    while start < len(lines) and not lines[start].strip():
        start += 1
    return QueryFile(source, "".join(lines[start:]).rstrip(), start + 1)


def _unreadable(file: str, line: int, message: str, suggestion: str = "") -> QueryFile:
    problem = Problem(file, line, message, suggestion)
    return QueryFile(YamlFile(file, None), "", max(line, 1), (problem,))
