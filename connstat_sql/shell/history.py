"""What was typed, kept on disk for the next shell; whatever looks like a secret is not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from prompt_toolkit.history import History

from connstat_sql.files import is_own_file, open_own

MOST_ENTRIES = 10_000
MOST_BYTES = 4_000_000
"""A larger file is cut down to the newest entries when a shell starts."""
_MARK = re.compile(rb"\s*# \d+\n\+")
"""How a file of ours begins."""
_SECRET_WORD = r"""
    (passw(or)?d|passwd|pwd|passphrase|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key
    |account[-_.]?key|shared[-_.]?key|signing[-_.]?key|credentials?|authorization|jaas\.config
    |cookie|sasl)"""
_SECRET = re.compile(
    rf"""
      \bcreate\s+(or\s+replace\s+)?(persistent\s+|temp(orary)?\s+)?secret\b
    | {_SECRET_WORD}[\w.-]*["'\])]*\s*(:?=>?|:|\bto\b|\blike\b|\bin\b|,\s*(?=['"$]))\s*\S
    | {_SECRET_WORD}[\w.-]*\s+'                   # CREATE SECRET's own way: KEY_ID 'x'
    | ://[^/\s:@']*:[^\s@']+@                     # a password in a URL
    | [?&][\w.-]*sig(nature)?=\S                  # a URL that is signed
    | \b(bearer|basic)\s+[\w.~+/=-]{{8}}
    | -----BEGIN\s[A-Z\s]*KEY
    | \b(AKIA|ASIA)[0-9A-Z]{{16}}\b | \beyJ[\w-]{{8,}}\.[\w-]{{4,}}
    | \bgh[a-z]_\w{{20}} | \bsk-\w{{16}}
    | (?-i:'(?=[^']*\d)(?=[^']*[a-z])(?=[^']*[A-Z])[A-Za-z0-9+/_=-]{{32,}}')  # as keys are made
    """,
    re.VERBOSE | re.IGNORECASE,
)


def history_file(environment: Mapping[str, str]) -> Path | None:
    """Where it is kept: `$CONNSTAT_HISTORY` (empty: nowhere), else the user's state directory."""
    if "CONNSTAT_HISTORY" in environment:
        said = environment["CONNSTAT_HISTORY"]
        return Path(said).expanduser() if said not in ("", os.devnull) else None
    state = environment.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state) / "connstat" / "history"
    home = environment.get("HOME")
    return Path(home or Path.home()) / ".local" / "state" / "connstat" / "history"


def holds_secret(text: str) -> bool:
    """Whether a text is better not written down; it says yes too often rather than too seldom."""
    return _SECRET.search(text) is not None


class DiskHistory(History):
    """Entries in a file that several shells append to at once.

    An entry is a line `# time` and its own lines, each after a `+`; a file that begins otherwise is
    not ours, and left as it is. `complain` is told once when
    the file cannot be read or written; what was typed is then remembered by this shell alone.
    """

    def __init__(
        self, path: Path, complain: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        super().__init__()
        self._path = path
        self._complain: Callable[[str], None] | None = complain
        self._now = now

    def load_history_strings(self) -> Iterable[str]:
        """What is kept, the newest first."""
        try:
            text = self._read()
        except FileNotFoundError:
            return ()
        except OSError as error:
            self._give_up(error)
            return ()
        return reversed(_entries(text)[-MOST_ENTRIES:])

    def store_string(self, string: str) -> None:
        """Keep an entry, unless it holds a secret, or begins with a blank."""
        if holds_secret(string) or string[:1].isspace() or not string.strip():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = open_own(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _is_history)
            with _locked(opened):
                _write(opened, _written(string, self._now()))
        except OSError as error:
            self._give_up(error)

    def _read(self) -> str:
        """The file's text; a file that has grown too large is cut to its newest entries first."""
        if is_own_file(self._path) and self._path.stat().st_size > MOST_BYTES:
            opened = open_own(self._path, os.O_RDWR, _is_history)
            with _locked(opened):
                content = self._path.read_bytes()
                kept = content[-MOST_BYTES // 2 :]
                kept = kept[kept.find(b"\n# ") + 1 :]
                os.ftruncate(opened, 0)
                _write(opened, kept)
        return self._path.read_text(encoding="utf-8", errors="replace")

    def _give_up(self, error: OSError) -> None:
        complain, self._complain = self._complain, None
        if complain is not None:
            why = error.strerror or error
            complain(f"the history is not kept: {self._path}: {why}; CONNSTAT_HISTORY says where")


def _is_history(beginning: bytes) -> bool:
    return _MARK.match(beginning) is not None


def _entries(text: str) -> list[str]:
    entries: list[list[str]] = []
    is_inside = False
    for line in text.split("\n"):
        if line.startswith("+"):
            if not is_inside:
                entries.append([])
            entries[-1].append(line[1:])
        is_inside = line.startswith("+")
    return ["\n".join(lines) for lines in entries]


def _written(string: str, seconds: float) -> bytes:
    lines = "".join(f"+{line}\n" for line in re.split(r"\r\n|\r|\n", string))
    return f"\n# {seconds:.0f}\n{lines}".encode("utf-8", "replace")


def _write(opened: int, content: bytes) -> None:
    while content:
        content = content[os.write(opened, content) :]


@contextmanager
def _locked(opened: int) -> Iterator[None]:
    """Alone with a file, as far as other shells are concerned; closed at the end."""
    try:
        with suppress(ImportError, OSError):  # some systems and network disks know no locks
            import fcntl

            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
