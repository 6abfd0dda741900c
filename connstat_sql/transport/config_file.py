"""`connstat.toml`: what stands in it, read as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomllib

from connstat_sql.errors import ConfigError
from connstat_sql.transport.configuration import check_type, unknown

_TABLES = {
    "connections": "write [connections.NAME]",
    "cache": "write [cache]",
    "providers": "write [providers]",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says: its `[connections.NAME]` tables, as they are written.

    `path` is the file (None: there is none). `cache_file` is where fetched rows are kept between
    runs (None: they are not). `providers` are further folders of definitions.
    """

    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    cache_file: Path | None = None
    providers: tuple[Path, ...] = ()
    path: Path | None = None


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
    return path.parent / str(file)


def _providers(table: object, path: Path) -> tuple[Path, ...]:
    where = f"{path}: [providers]"
    paths = _only_key(table, "paths", where, 'paths = ["providers"]')
    if paths is None:
        return ()
    if not isinstance(paths, list) or not all(isinstance(one, str) and one for one in paths):
        raise ConfigError(
            f"{where}: `paths` is not a list of folders", hint='write  paths = ["providers"]'
        )
    folders = tuple(path.parent / one for one in paths)
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{where}: there is no folder {folder}")
    return folders


def _only_key(table: object, key: str, where: str, example: str) -> object:
    """The value of the one key that a table may have, or None."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", hint=f"write  {example}")
    for word in table:
        if word != key:
            raise unknown(f"{where}: unknown key `{word}`", word, (key,))
    return table.get(key)
