"""What a page's front matter says → a `SavedQuery`, and everything that is wrong with it.

Nothing here looks into the SQL; `sql.py` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connstat_sql.definitions.loader.checks import Findings, nearest
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.errors import Problem
from connstat_sql.saved.front_matter import WORDS, QueryFile
from connstat_sql.saved.model import Existence, SavedParam, SavedQuery, Severity, elements

PARAM_WORDS = ("type", "description", "default", "required", "allowed", "choices", "exists")
_NAME = re.compile(r"\w[\w.-]*")
_PARAM_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TYPE = re.compile(r'[A-Za-z][\w\s(),\[\]"]*', re.ASCII)
_TEXT_TYPES = ("VARCHAR", "TEXT", "STRING")


def read_query(page: QueryFile, path: Path) -> tuple[SavedQuery, tuple[Problem, ...]]:
    r"""The saved query of a file, as far as it can be read, and its problems by line.

    >>> from connstat_sql.saved.front_matter import read_page
    >>> page = read_page("idle.sql", b"-- params: {env: VARCHAR}\n-- titel: Idle\nSELECT $env")
    >>> query, problems = read_query(page, Path("idle.sql"))
    >>> query.name, query.params[0].type, [str(problem) for problem in problems]
    ('idle', 'VARCHAR', ['idle.sql:2: unknown key `titel` (did you mean `title`?)'])
    """
    findings = Findings(page.source, [*page.problems, *page.source.problems])
    words = page.source.value
    if not isinstance(words, dict):
        if words is not None:
            findings.add((), "the front matter is not a mapping", "write  title: …  and the like")
        words = {}
    reader = _FrontMatterReader(words, findings)
    reader.check_words((), words, WORDS)
    name = reader.text("name") or path.stem
    if not _NAME.fullmatch(name):
        hint = "letters, digits, _ - . ; give it one with  name:"
        findings.add(("name",), f"`{name}` is no name for a saved query", hint)
    description = reader.text("description").strip()
    query = SavedQuery(
        name=name,
        title=reader.text("title") or _in_words(description, name),
        sql=page.sql,
        path=path,
        line=page.line,
        description=description,
        params=reader.params(),
        key=reader.texts(("key",), words.get("key")),
        state=reader.text("state") or None,
        severity=Severity(
            reader.one_of("severity", [severity.value for severity in Severity], "critical")
        ),
        is_partial=reader.truth(("partial",), words.get("partial")),
    )
    return query, tuple(
        sorted(findings.problems, key=lambda problem: (problem.line, problem.message))
    )


def _in_words(description: str, name: str) -> str:
    """A title for who wrote none."""
    return description.partition("\n")[0] or re.sub(r"[-_.]+", " ", name).strip().capitalize()


@dataclass
class _FrontMatterReader:
    """Reads the words of one front matter; what is wrong goes to `findings`."""

    words: dict[str, Any]
    findings: Findings
    _names: dict[str, str] = field(default_factory=dict)

    def check_words(self, path: KeyPath, words: Iterable[str], known: tuple[str, ...]) -> None:
        """Note each key that is not a known one."""
        for word in words:
            if word not in known:
                hint = nearest(word, known) or f"there is {', '.join(known)}"
                self.findings.add((*path, word), f"unknown key `{word}`", hint)

    def text(self, word: str) -> str:
        """A text; "" when it is not there."""
        return self._text((word,), self.words.get(word))

    def one_of(self, word: str, known: list[str], default: str) -> str:
        """One of the known words."""
        text = self.text(word)
        if text and text not in known:
            hint = f"it is {' or '.join(known)}"
            self.findings.add((word,), f"{word} `{text}` is not known", hint)
        return text if text in known else default

    def truth(self, path: KeyPath, value: Any) -> bool:
        """True or false; false when it is not there."""
        if value is not None and not isinstance(value, bool):
            self.findings.add(path, f"`{path[-1]}` is true or false, not `{value}`")
        return value is True

    def texts(self, path: KeyPath, value: Any) -> tuple[str, ...]:
        """A list of texts, or one."""
        listed = value if isinstance(value, list) else [] if value is None else [value]
        texts = (self._text((*path, place), element) for place, element in enumerate(listed))
        return tuple(text for text in texts if text)

    def params(self) -> tuple[SavedParam, ...]:
        """The declared parameters, in order."""
        value = self.words.get("params")
        if value is None:
            return ()
        if not isinstance(value, dict):
            hint = "write  params:  and below it a line  NAME: {type: VARCHAR}  for each"
            self.findings.add(("params",), "`params` is not a mapping of names", hint)
            return ()
        return tuple(self._param(str(name), param) for name, param in value.items())

    def _param(self, name: str, value: Any) -> SavedParam:
        path: KeyPath = ("params", name)
        words = {"type": value} if isinstance(value, str) else {} if value is None else value
        if not isinstance(words, dict):
            self.findings.add(path, f"`{name}` is neither a type nor a mapping")
            words = {}
        self.check_words(path, words, PARAM_WORDS)
        self._check_name(path, name)
        type_ = self._text((*path, "type"), words.get("type")) or "VARCHAR"
        if not is_type_text(type_):
            hint = "such as VARCHAR, INTEGER, DATE, VARCHAR[]"
            self.findings.add((*path, "type"), f"`{type_}` is not a DuckDB type", hint)
        param = SavedParam(
            name=name,
            type=type_,
            description=self._text((*path, "description"), words.get("description")).strip(),
            default=self._default((*path, "default"), words.get("default"), type_),
            is_required=self.truth((*path, "required"), words.get("required")),
            allowed=self.texts((*path, "allowed"), words.get("allowed")),
            choices=self._text((*path, "choices"), words.get("choices")).strip() or None,
            exists=self._existence((*path, "exists"), words.get("exists")),
            line=self.findings.source.line(path),
        )
        if param.exists and param.choices is None:
            hint = "add  choices:  a SELECT of the names there are"
            self.findings.add((*path, "exists"), f"nothing says which {name} there is", hint)
        self._check_default(path, param)
        return param

    def _existence(self, path: KeyPath, value: Any) -> Existence | None:
        text = self._text(path, value)
        if text in ("", "false"):
            return None
        known = [existence.value for existence in Existence]
        if text not in known:
            self.findings.add(path, f"exists `{text}` is not known", "it is true or part")
        return Existence(text) if text in known else None

    def _check_name(self, path: KeyPath, name: str) -> None:
        if not _PARAM_NAME.fullmatch(name):
            hint = "a letter or _, then letters, digits and _"
            self.findings.add(path, f"`{name}` is no name for a parameter", hint)
        other = self._names.setdefault(name.lower(), name)
        if other != name:
            self.findings.add(path, f"`{name}` and `{other}` are one parameter to DuckDB")

    def _default(self, path: KeyPath, value: Any, type_: str) -> str | None:
        if isinstance(value, list) and type_.rstrip().endswith("]"):
            listed = [self._text((*path, place), element) for place, element in enumerate(value)]
            return written_list(listed)
        if isinstance(value, (int, float)) and type_.upper() in _TEXT_TYPES:
            hint = "put it in quotes"  # 007 would have become 7
            self.findings.add(path, f"the default of a {type_} is written as a number", hint)
        return None if value is None else self._text(path, value)

    def _check_default(self, path: KeyPath, param: SavedParam) -> None:
        if param.default is None:
            return
        if param.is_required:
            hint = "take one of the two away"
            self.findings.add(path, f"`{param.name}` is required and has a default", hint)
        for text in elements(param, param.default):
            if param.allowed and text not in param.allowed:
                hint = f"allowed: {', '.join(param.allowed)}"
                self.findings.add((*path, "default"), f"the default `{text}` is not allowed", hint)

    def _text(self, path: KeyPath, value: Any) -> str:
        if isinstance(value, (dict, list)):
            self.findings.add(path, f"`{path[-1]}` is text, not a list or a mapping")
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)


def is_type_text(text: str) -> bool:
    """Whether a text could be the name of a type, and can stand in `CAST(… AS text)`."""
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0 and _TYPE.fullmatch(text) is not None


def written_list(texts: Iterable[str]) -> str:
    """Elements as one text that `elements` reads again."""
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(list(texts))
    return out.getvalue()
