"""`connstat.toml`: what stands in it, read as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomllib

from connstat_sql.config.attachments import Attachment, build_attachments
from connstat_sql.config.connections import FILES, REFERENCE, check_type, unknown
from connstat_sql.errors import ConfigError

_SIZE = re.compile(r"([0-9]{1,9})\s*([kmg]b)", re.IGNORECASE)
_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_TABLES = {
    "connections": "write [connections.NAME]",
    "cache": "write [cache]",
    "limits": "write [limits]",
    "providers": "write [providers]",
    "attach": "write [attach.NAME]",
    "views": "write [views]",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says: its `[connections.NAME]` tables, as they are written.

    `path` is the file (None: there is none). `cache_file` is where fetched rows are kept between
    runs (None: they are not). `providers` are further folders of definitions. `answer_memory` is
    how many bytes answers may hold while they are read (None: what is usual). `attachments` are
    databases for DuckDB to attach, `views` names for SQL.
    """

    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    cache_file: Path | None = None
    providers: tuple[Path, ...] = ()
    path: Path | None = None
    answer_memory: int | None = None
    attachments: tuple[Attachment, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> Iterator[tuple[Path, str]]:
        """Files that it names, each with what it is: of kept rows, certificates, secrets."""
        if self.cache_file is not None:
            for path in (self.cache_file, self.cache_file.with_name(f"{self.cache_file.name}.wal")):
                yield path, "the file of kept rows"
        for attachment in self.attachments:
            what = f"a file that [attach.{attachment.name}] names"
            yield from (
                (path, what) for path in (attachment.file, *_references(attachment.secret)) if path
            )
        folder = Path() if self.path is None else self.path.parent
        for name, table in self.connections.items():
            what = f"a file that the connection {name} names"
            named = [Path(table[key]) for key in FILES if isinstance(table.get(key), str)]
            yield from ((folder / path, what) for path in (*named, *_references(table)))


def _references(value: object) -> Iterator[Path]:
    """The files of the references in a table."""
    for text in _texts(value):
        for reference in REFERENCE.findall(text):
            if reference[:5] == "file:":
                yield Path(reference[5:])


def _texts(value: object) -> Iterator[str]:
    """The texts in a table, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)


def read_config(path: Path) -> Configuration:
    """Read a configuration file; files that it names are looked for beside it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    for table in sorted(set(document) - set(_TABLES)):
        raise _unknown_table(table, path)
    connections = document.get("connections", {})
    if not isinstance(connections, dict) or not all(
        isinstance(c, dict) for c in connections.values()
    ):
        raise ConfigError(f"{path}: connections are tables", hint="write [connections.NAME]")
    return Configuration(
        connections,
        _cache_file(document.get("cache", {}), path),
        _providers(document.get("providers", {}), path),
        path,
        _answer_memory(document.get("limits", {}), path),
        build_attachments(document.get("attach", {}), path),
        _views(document.get("views", {}), path),
    )


def _unknown_table(table: str, path: Path) -> ConfigError:
    import difflib

    close = difflib.get_close_matches(table, _TABLES, n=1)
    return ConfigError(
        f"{path}: unknown table [{table}]", hint=_TABLES[close[0] if close else "connections"]
    )


def _cache_file(table: object, path: Path) -> Path | None:
    where = f"{path}: [cache]"
    file = _only_key(table, "file", where, 'file = "connstat-cache.duckdb"')
    if file is None:
        return None
    check_type(where, "file", file, str, "text")
    if not file:
        raise ConfigError(f"{where}: `file` is empty", hint="leave it out to keep rows in memory")
    cache_file = path.parent / str(file)
    if cache_file.resolve() == path.resolve():
        raise ConfigError(f"{where}: `file` is the configuration itself", hint="name another")
    return cache_file


def _answer_memory(table: object, path: Path) -> int | None:
    where = f"{path}: [limits]"
    written = _only_key(table, "answer_memory", where, 'answer_memory = "512MB"')
    if written is None:
        return None
    size = _SIZE.fullmatch(str(written))
    number = int(size[1]) * _UNITS[size[2].upper()] if size else 0
    if number < _UNITS["MB"]:
        raise ConfigError(
            f"{where}: `answer_memory` is no size of 1MB or more", hint='write it like  "512MB"'
        )
    return number


def _providers(table: object, path: Path) -> tuple[Path, ...]:
    where = f"{path}: [providers]"
    paths = _only_key(table, "paths", where, 'paths = ["providers"]')
    if paths is None:
        return ()
    if not isinstance(paths, list) or not all(isinstance(text, str) and text for text in paths):
        raise ConfigError(
            f"{where}: `paths` is not a list of folders", hint='write  paths = ["providers"]'
        )
    folders = tuple(path.parent / text for text in paths)
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{where}: there is no folder {folder}")
    return folders


def _views(table: object, path: Path) -> Mapping[str, str]:
    where = f"{path}: [views]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", hint='write  NAME = "FROM …"')
    for name, sql in table.items():
        check_type(where, name, sql, str, "SQL")
        if not name.strip() or not name.isprintable():
            raise ConfigError(f"{where}: a view has no name that can be written: {name!r}")
    names = [name.lower() for name in table]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: two views are called {name}")
    return table


def _only_key(table: object, key: str, where: str, example: str) -> object:
    """The value of the one key that a table may have, or None."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", hint=f"write  {example}")
    for word in table:
        if word != key:
            raise unknown(f"{where}: unknown key `{word}`", word, (key,))
    return table.get(key)
