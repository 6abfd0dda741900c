"""Where saved queries are kept, and how their files are called in messages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from connstat_sql.definitions.loader import shipped_providers

FOLDER = "queries"


def standard_folders(here: Path, user: Path, providers: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Where saved queries are looked for, the first first; folders that are not there as well.

    `here` is the working directory, `user` the user's configuration directory; `providers` are
    further folders of definitions, whose queries come before those that are shipped.
    """
    beside = [folder for root in (*providers, shipped_providers()) for folder in _beside(root)]
    return (here / "connstat" / FOLDER, user / FOLDER, *beside)


def _beside(root: Path) -> list[Path]:
    """The folders of queries next to definitions."""
    return sorted(
        folder for folder in (root / FOLDER, *root.glob(f"*/{FOLDER}")) if folder.is_dir()
    )
