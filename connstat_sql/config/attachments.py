"""Databases that a configuration has DuckDB attach, as they are written and with their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connstat_sql.config.connections import (
    REFERENCE,
    check_references,
    check_type,
    located,
    unknown,
)
from connstat_sql.config.secrets import resolved
from connstat_sql.errors import ConfigError
from connstat_sql.redaction import hidden

_KEYS = ("path", "type", "read_only", "secret")
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_TYPED = re.compile(r"(duckdb|sqlite):(?!//)(.+)", re.IGNORECASE | re.DOTALL)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_RESERVED = ("main", "memory", "temp", "system", "inventory")
OF_FILES = ("", "duckdb", "sqlite")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A database under a name of SQL, to be attached when a statement mentions it.

    `path`, and the options of the `secret` that DuckDB is to use for it, may hold references.
    `type` is DuckDB's word ("": by the path). Files are looked for from `folder`; `place` is how
    messages call it.
    """

    name: str
    place: str
    folder: Path
    path: str = field(default="", repr=False)
    type: str = ""
    is_read_only: bool = True
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secret_type(self) -> str:
        """DuckDB's word for the kind of secret, or "" where there is none."""
        return self.secret.get("type", self.type) if self.secret else ""

    def values(self, environment: Mapping[str, str]) -> Attachment:
        """The same with values in place of references. Raises ConfigError."""
        path = resolved(self.path, self.place, environment)
        if hidden(path) != path:
            raise ConfigError(
                f"{self.place}: `path` holds what looks like a password, and DuckDB shows paths",
                hint=f"write it under [attach.{self.name}.secret], for a key such as password",
            )
        type_, path = self._found(path)
        secret = {key: resolved(text, self.place, environment) for key, text in self.secret.items()}
        return Attachment(
            self.name, self.place, self.folder, path, type_, self.is_read_only, secret
        )

    @property
    def file(self) -> Path | None:
        """The file that it is, where the text says so without references."""
        if REFERENCE.search(self.path):
            return None
        type_, path = self._found(self.path)
        return Path(path) if self._is_file(type_, path) else None

    def _found(self, path: str) -> tuple[str, str]:
        """Type and path, of a file as it is found from here."""
        typed = _TYPED.fullmatch(path)
        type_ = self.type or (typed[1].lower() if typed else "")
        path = typed[2] if typed else path
        return type_, str(self.folder / path) if self._is_file(type_, path) else path

    @staticmethod
    def _is_file(type_: str, path: str) -> bool:
        is_here = path not in ("", ":memory:") and not _ELSEWHERE.match(path)
        return is_here and type_ in OF_FILES


def build_attachments(table: object, path: Path) -> tuple[Attachment, ...]:
    """What a file says under `[attach.NAME]`; nothing is resolved yet. Raises ConfigError."""
    if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
        raise ConfigError(f"{path}: attached databases are tables", hint="write [attach.NAME]")
    return tuple(_attachment(name, entry, path) for name, entry in table.items())


def _attachment(name: str, table: Mapping[str, Any], path: Path) -> Attachment:
    where = f"{path}: [attach.{name}]"
    for key in table:
        if key not in _KEYS:
            raise unknown(f"{where}: unknown key `{key}`", key, _KEYS)
    for key in ("path", "type"):
        check_type(where, key, table.get(key, ""), str, "text")
    check_references(where, "path", table.get("path", ""))
    if not isinstance(table.get("read_only", True), bool):
        raise ConfigError(f"{where}: `read_only` is not true or false")
    type_ = str(table.get("type", "")).lower()
    if type_ and not _NAME.fullmatch(type_):
        raise ConfigError(f"{where}: `type` is not a word", hint='write it like  "postgres"')
    secret = table.get("secret", {})
    check_type(where, "secret", secret, dict, "a table")
    built = Attachment(
        name, where, path.parent, located(table.get("path", ""), path.parent), type_,
        table.get("read_only", True), dict(_options(secret, where, path.parent)),
    )  # fmt: skip
    if secret and not built.secret_type:
        raise ConfigError(f"{where}: `secret` of which type?", hint='write  type = "postgres"')
    if not built.path and not (secret and built.secret_type == type_):
        raise ConfigError(f"{where} does not say its `path`", hint='write  path = "owners.duckdb"')
    return built


def _options(table: Mapping[str, Any], where: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The options of a secret as texts, by DuckDB's words."""
    for key, value in table.items():
        if not _NAME.fullmatch(key):
            raise ConfigError(f"{where}: `secret.{key}` is no option of a secret")
        if not isinstance(value, (str, int)):
            raise ConfigError(f"{where}: `secret.{key}` is not text, a number, true or false")
        if isinstance(value, str):
            check_references(where, f"secret.{key}", value)
        yield key.lower(), located(str(value), folder)


def check_names(attachments: Iterable[Attachment], taken: Iterable[str]) -> None:
    """Raise ConfigError where statements could not name a database, or would mean another."""
    known = {name.lower() for name in (*taken, *_RESERVED)}
    for attachment in attachments:
        if not attachment.name.strip() or not attachment.name.isprintable():
            raise ConfigError(f"{attachment.place}: this is no name that can be written")
        if attachment.name.lower() in known:
            raise ConfigError(
                f"{attachment.place}: {attachment.name} is the name of something else already",
                hint="call it otherwise; providers, connections and databases share their names",
            )
        known.add(attachment.name.lower())


def attachment_cautions(attachments: Iterable[Attachment]) -> Iterator[str]:
    """What is unwise in them as they are written, though it works."""
    for attachment in attachments:
        for key, text in sorted(attachment.secret.items()):
            shown = f"{key}={text}"
            if hidden(shown) != shown and not REFERENCE.search(text):
                yield (
                    f"{attachment.place}: `secret.{key}` stands in the file in clear text; write "
                    '"${NAME}" for a variable, "${file:PATH}" for a file'
                )
