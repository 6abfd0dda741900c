"""Moves the lock to the newest versions that pyproject.toml admits, and runs the whole check.

`python -m tests.tools.move_lock` says what changed, what the bounds keep out, and whether all of it
still holds; the exit code is that of `.ci/run`. Nothing is committed. `--only-what-is-needed` keeps
each version that still fits, for a change of pyproject.toml; `--unchecked` runs nothing.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from tests.tools.lock import DEV, PRODUCT, ROOT, Entry, Wanted, entries, faults

# One version for every Python, as the whole is tried with it on the oldest only.
_COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--generate-hashes"),
    *("--fork-strategy", "fewest", "--no-emit-index-url", "--no-emit-find-links"),
    *("--custom-compile-command", "python -m tests.tools.move_lock"),
)


def main(given: argparse.Namespace) -> int:
    """Move, tell, check; answers what the check answers."""
    before = _locked()
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = Wanted.of(pyproject)
    with tempfile.TemporaryDirectory() as folder:
        uv = _tool(Path(folder))
        moving = () if given.only_what_is_needed else ("--upgrade",)
        _compile(uv, wanted, DEV, ("--extra", "dev", *moving))
        _compile(uv, wanted, PRODUCT, ("--constraints", DEV, *moving))
        kept_out = _kept_out(uv, wanted)
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in (PRODUCT, DEV)}
    print("\n".join([*changes(before, entries(texts[DEV])), *kept_out]) or "nothing has changed")
    if found := faults(pyproject, texts):
        print("\n".join(found), file=sys.stderr)
        return 1
    return 0 if given.unchecked else subprocess.run([".ci/run"], cwd=ROOT, check=False).returncode


def changes(before: dict[str, Entry], after: dict[str, Entry]) -> list[str]:
    """A line for each package that came, went or moved."""
    return [
        f"{name}: {_version(before, name)} -> {_version(after, name)}"
        for name in sorted(before.keys() | after.keys())
        if _version(before, name) != _version(after, name)
    ]


def beyond(wanted: Sequence[Requirement], newest: dict[str, Version]) -> list[str]:
    """A line for each requirement whose upper bound keeps out what there is."""
    return [
        f"{one.name}: {newest[one.name]} is kept out by {one.specifier}"
        for one in wanted
        if one.name in newest and newest[one.name] not in one.specifier
    ]


def _locked() -> dict[str, Entry]:
    path = ROOT / DEV
    return entries(path.read_text(encoding="utf-8")) if path.exists() else {}


def _version(held: dict[str, Entry], name: str) -> str:
    return held[name].version if name in held else "none"


def _tool(folder: Path) -> str:
    """The tool in an environment of its own, where it binds nothing that is locked."""
    venv.create(folder, with_pip=True)
    bin_folder = next(one for one in (folder / "bin", folder / "Scripts") if one.exists())
    subprocess.run([bin_folder / "python", "-m", "pip", "install", "-q", "uv"], check=True)
    return str(bin_folder / "uv")


def _compile(uv: str, wanted: Wanted, file: str, more: Sequence[str]) -> None:
    """What builds the project is locked with the rest, as the README builds without isolation."""
    subprocess.run(
        [uv, *_COMPILE, "pyproject.toml", "-", *more, "--output-file", file],
        cwd=ROOT,
        input="\n".join(map(str, wanted.build)).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _kept_out(uv: str, wanted: Wanted) -> list[str]:
    bounded = [one for one in wanted.of_file(DEV) if "<" in str(one.specifier)]
    said = subprocess.run(
        [uv, "pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate", "-"],
        input="\n".join(one.name for one in bounded).encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    newest = {name: Version(text) for name, text in re.findall(r"^([\w.-]+)==(\S+)", said, re.M)}
    return beyond(bounded, newest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only-what-is-needed", action="store_true")
    parser.add_argument("--unchecked", action="store_true")
    sys.exit(main(parser.parse_args()))
