"""Packages that only some features need: an error that says what to install."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from connstat_sql.errors import ConfigError

EXTRAS = {"chart": "matplotlib>=3.11", "top": "textual>=8.0", "otel": "opentelemetry-api>=1.27"}
"""What each extra of the package brings, as its metadata says too."""


def lacking(feature: str, extra: str, otherwise: str = "") -> ConfigError:
    """The error of a feature whose package is not installed; `otherwise` is what does without."""
    requirement = EXTRAS[extra]
    package = requirement.partition(">")[0]
    return ConfigError(
        f"{feature} needs {package}, which is not installed",
        hint=f"{python()} -m pip install {shlex.quote(requirement)}{otherwise}",
    )


def python() -> str:
    """The Python that runs this, as it is typed in the working directory, quoted for a shell."""
    return typed(Path(sys.executable or "python3"))


def typed(path: Path, here: Path | None = None) -> str:
    """A path as it is typed in a directory (None: the working one), quoted for a shell."""
    path, here = path.absolute(), here or Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
