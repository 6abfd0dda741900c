"""YAML text → plain values, with the line of each; nothing but text, numbers, truth and null.

PyYAML's event stream is read directly, for what its loaders do not do: every value keeps its
line, duplicate keys and anchors are faults, and nesting has a limit (their recursion has none).
Only `true`/`false`, integers, decimals, `null` and `~` are other than text, as in YAML 1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from connstat_sql.errors import Problem

MAX_BYTES = 4_000_000
MAX_DEPTH = 40
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}([eE][-+]?[0-9]{1,2})?")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """One definition file: its plain value and the line of every place in it.

    `value` is None when the text could not be read; `problems` then says why.
    """

    file: str
    value: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, path: KeyPath) -> int:
        """The line of a place, or of the nearest place around it; 0 for the file as a whole."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.lines.get((), 0)

    def problem(self, path: KeyPath, message: str, suggestion: str = "") -> Problem:
        """A problem at a place of this file."""
        return Problem(self.file, self.line(path), message, suggestion)


class _Fault(Exception):
    """Reading cannot go on; `line` counts from 1."""

    def __init__(self, line: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.suggestion = suggestion


def read_source(file: str, content: bytes) -> YamlFile:
    """Read one YAML document; whatever is wrong with it becomes a problem, never an exception.

    >>> read_source("mine.yaml", b"service: {name: api}").value
    {'service': {'name': 'api'}}
    """
    if len(content) > MAX_BYTES:
        return _unreadable(file, 0, f"larger than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _unreadable(file, line, "not UTF-8 text", "definitions are text files in UTF-8")
    reader = _EventReader()
    try:
        value = reader.read(text)
    except _Fault as fault:
        return _unreadable(file, fault.line, fault.message, fault.suggestion)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        words = (
            getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        )
        begun = getattr(error, "context_mark", None)
        if begun is not None and "end of stream" in words:  # where what never ends has begun
            mark, words = begun, f"{words} {getattr(error, 'context', '')}"
        line = mark.line + 1 if mark else 0
        if "nesting depth" in words:  # the parser's own bound, which it may meet before ours
            return _unreadable(file, line, _TOO_DEEP)
        return _unreadable(file, line, f"not YAML: {words}")
    duplicates = tuple(Problem(file, line, message) for line, message in reader.duplicates)
    return YamlFile(file, value, reader.lines, duplicates)


def _unreadable(file: str, line: int, message: str, suggestion: str = "") -> YamlFile:
    return YamlFile(file, None, problems=(Problem(file, line, message, suggestion),))


class _EventReader:
    """Builds values from PyYAML's events, with an explicit stack in place of recursion."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.duplicates: list[tuple[int, str]] = []
        self._root: Any = None
        self._open: list[tuple[KeyPath, Any]] = []
        self._key: str | None = None
        self._documents = 0

    def read(self, text: str) -> Any:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for event in yaml.parse(text, Loader=loader):
            self._take(event)
        return self._root

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _Fault(line, "a second document", "one file holds one definition")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Fault(line, "anchors and aliases are not read", "write the value out")
        elif (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise _Fault(line, f"the tag {tag} is not read", "write plain values")
        elif isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open_collection({}, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open_collection([], line)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()

    def _take_scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        inside_mapping = bool(self._open) and isinstance(self._open[-1][1], dict)
        if inside_mapping and self._key is None:
            self._take_key(event.value, line)
        else:
            plain = event.implicit[0]
            self._place(_constant(event.value) if plain else event.value, line)

    def _take_key(self, key: str, line: int) -> None:
        path, mapping = self._open[-1]
        if key in mapping:
            place = (*path, key)
            first = self.lines[place]
            self.duplicates.append(
                (line, f"`{key}` stands here a second time (first: line {first})")
            )
        self._key = key

    def _open_collection(self, empty: Any, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Fault(line, _TOO_DEEP)
        if self._open and isinstance(self._open[-1][1], dict) and self._key is None:
            raise _Fault(line, "a key must be text")
        path = self._place(empty, line)
        self._open.append((path, empty))

    def _place(self, value: Any, line: int) -> KeyPath:
        if not self._open:
            self._root = value
            self.lines[()] = line
            return ()
        parent_path, parent = self._open[-1]
        if isinstance(parent, dict):
            key = self._key or ""
            parent[key] = value
            path: KeyPath = (*parent_path, key)
            self._key = None
        else:
            parent.append(value)
            path = (*parent_path, len(parent) - 1)
        self.lines[path] = line
        return path


def _constant(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
