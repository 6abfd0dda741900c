"""What pyproject.toml asks for, what the two lock files hold, and where they disagree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PRODUCT = "requirements.txt"
DEV = "requirements-dev.txt"
# how the tool that writes the lock says that pyproject.toml itself asks for an entry
_ASKED = re.compile(r"^ +#(?: via)? +connstat-sql \(pyproject\.toml\)$", re.MULTILINE)


@dataclass(frozen=True)
class Wanted:
    """The direct requirements of pyproject.toml."""

    product: list[Requirement]
    dev: list[Requirement]
    build: list[Requirement]

    @classmethod
    def of(cls, pyproject: str) -> Wanted:
        table = tomllib.loads(pyproject)
        project = table["project"]
        return cls(
            *(
                [Requirement(line) for line in lines]
                for lines in (
                    project["dependencies"],
                    project["optional-dependencies"]["dev"],
                    table["build-system"]["requires"],
                )
            )
        )

    def of_file(self, file: str) -> list[Requirement]:
        """Those that a lock file is made from, the build's aside."""
        return self.product if file == PRODUCT else [*self.product, *self.dev]

    def lowest(self) -> list[str]:
        """Requirements that only the lowest admitted version of each meets."""
        return [_lowest(one) for one in [*self.product, *self.dev, *self.build]]


@dataclass(frozen=True)
class Entry:
    """One version in a lock file."""

    name: str
    version: str
    hashes: int
    asked: bool  # by pyproject.toml, not only by another entry


def entries(lock: str) -> dict[str, Entry]:
    """The entries of a lock file by their names."""
    starts = r"^(?=[A-Za-z0-9])"
    return {one.name: one for one in map(_entry, re.split(starts, lock, flags=re.MULTILINE)[1:])}


def faults(pyproject: str, locks: Mapping[str, str]) -> list[str]:
    """Where the lock files disagree with pyproject.toml, each other, or what a lock is."""
    wanted = Wanted.of(pyproject)
    return [
        *(
            fault
            for file, text in locks.items()
            for fault in (*_of_file(file, text, wanted), *_of_lines(file, text))
        ),
        *_between(locks),
    ]


def _of_file(file: str, text: str, wanted: Wanted) -> Iterator[str]:
    held = entries(text)
    direct = wanted.of_file(file)
    for one in [*direct, *wanted.build]:
        entry = held.get(canonicalize_name(one.name))
        if entry is None:
            yield f"{file} lacks {one}"
        elif entry.version not in one.specifier:
            yield f"{file} has {entry.name} {entry.version}, pyproject.toml wants {one}"
    names = {canonicalize_name(one.name) for one in direct}
    for entry in held.values():
        if not entry.hashes:
            yield f"{file} has no hash for {entry.name}"
        if entry.asked and entry.name not in names:
            yield f"{file} has {entry.name}, which pyproject.toml no longer wants"


def _of_lines(file: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "://" in line or line.startswith("-"):
            yield f"{file} says where packages come from: {line}"


def _between(locks: Mapping[str, str]) -> Iterator[str]:
    product, dev = entries(locks[PRODUCT]), entries(locks[DEV])
    for name, entry in product.items():
        if name not in dev or dev[name].version != entry.version:
            yield f"{name} {entry.version} of {PRODUCT} is not in {DEV}"


def _entry(block: str) -> Entry:
    pinned = Requirement(re.split(r"[\\\n]", block, maxsplit=1)[0].strip())
    (version,) = pinned.specifier
    if version.operator != "==":
        raise ValueError(f"no version, but a range: {pinned}")
    hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block))
    return Entry(
        canonicalize_name(pinned.name), version.version, hashes, bool(_ASKED.search(block))
    )


def _lowest(wanted: Requirement) -> str:
    (low,) = (one.version for one in wanted.specifier if one.operator == ">=")
    marker = f" ; {wanted.marker}" if wanted.marker else ""
    return f"{wanted.name}=={low}{marker}"


if __name__ == "__main__":
    print("\n".join(Wanted.of((ROOT / "pyproject.toml").read_text(encoding="utf-8")).lowest()))
