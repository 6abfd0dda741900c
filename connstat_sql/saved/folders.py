"""Folders of saved queries: found by name, each file read when it is wanted and once.

Files that change, come and go while the folders are open are noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import Problem, SavedQueryError
from connstat_sql.files import distrust, shown
from connstat_sql.saved.front_matter import MAX_BYTES, read_page
from connstat_sql.saved.model import SavedQuery
from connstat_sql.saved.paths import standard_folders
from connstat_sql.saved.reader import read_query


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One file of a folder: its query as far as it could be read, and what is wrong with it.

    `shadowed_by` is the file of an earlier folder with a query of that name; None when it counts.
    """

    query: SavedQuery
    problems: tuple[Problem, ...] = ()
    shadowed_by: Path | None = None

    @property
    def is_usable(self) -> bool:
        """Whether this is what its name stands for."""
        return not self.problems and self.shadowed_by is None


class SavedQueries:
    """The saved queries of some folders; an earlier folder's shadows a later one's of that name.

    Iterating gives those that can be used; a broken file takes none of the others with it, nor does
    one in the folder `guarded` that others could have written.
    """

    def __init__(self, folders: Iterable[Path], *, guarded: Path | None = None) -> None:
        self.folders = tuple(folders)
        self._guarded = guarded
        self._read: dict[Path, tuple[tuple[int, int], SavedFile]] = {}
        self._inspected: dict[Path, tuple[SavedQuery, tuple[Problem, ...]]] = {}

    def __iter__(self) -> Iterator[SavedQuery]:
        """The usable queries, by name."""
        usable = (entry.query for entry in self.entries() if entry.is_usable)
        return iter(sorted(usable, key=lambda query: query.name.lower()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the usable queries, sorted."""
        return tuple(query.name for query in self)

    def find(self, name: str) -> SavedQuery:
        """The query of that name. Raises SavedQueryError: there is none, or its file is broken."""
        entries = [entry for entry in self.entries() if entry.shadowed_by is None]
        match = next((entry for entry in entries if entry.query.name == name), None)
        if match is None:
            match = next(
                (entry for entry in entries if entry.query.name.lower() == name.lower()), None
            )
        if match is None:
            raise self._unknown(name)
        problems = match.problems or self.inspected(match.query)
        if problems:
            raise broken(match.query.name, problems)
        return match.query

    def inspected(self, query: SavedQuery) -> tuple[Problem, ...]:
        """What is wrong between a query's SQL and its declarations."""
        from connstat_sql.saved.lint import inspect

        known = self._inspected.get(query.path)
        if known is None or known[0] is not query:
            known = self._inspected[query.path] = (query, inspect(query))
        return known[1]

    def entries(self) -> tuple[SavedFile, ...]:
        """Every file, folder by folder, whether it can be used or not."""
        entries: list[SavedFile] = []
        owners: dict[str, Path] = {}
        for folder in dict.fromkeys(self.folders):
            here: dict[str, Path] = {}
            for entry in map(self._entry, _files(folder)):
                name = entry.query.name.lower()
                checked = _named_once(entry, here.setdefault(name, entry.query.path))
                entries.append(replace(checked, shadowed_by=owners.get(name)))
            for name, path in here.items():
                owners.setdefault(name, path)
        return tuple(entries)

    def _entry(self, path: Path) -> SavedFile:
        try:
            if path.parent == self._guarded:
                wrong = distrust(path.parent.parent, path.parent, path)
                if wrong is not None:
                    return _not_used(path, *wrong)
            status = path.stat()
            signature = (status.st_mtime_ns, status.st_size)
            known = self._read.get(path)
            if known is None or known[0] != signature:
                known = self._read[path] = (signature, read_entry(path))
        except OSError as error:
            return _unreadable(path, error)
        return known[1]

    def _unknown(self, name: str) -> SavedQueryError:
        close = nearest(name, self.names)
        listed = "connstat saved list  shows those there are"
        if not self.names:
            listed = f"put a file of SQL into  {self.folders[0]}/" if self.folders else ""
        return SavedQueryError(f"there is no saved query {name}", hint=close or listed)


def broken(name: str, problems: tuple[Problem, ...]) -> SavedQueryError:
    """The error of a query whose file has problems."""
    first = problems[0]
    if len(problems) == 1:
        message = f"the saved query {name} cannot be used: {first}"
    else:
        listed = "\n".join(f"  {problem}" for problem in problems)
        message = f"the saved query {name} cannot be used: {len(problems)} problems\n{listed}"
    hint = f"check it with  connstat saved check {first.file}"
    return SavedQueryError(message, file=first.file, line=first.line, hint=hint, problems=problems)


def read_entry(path: Path) -> SavedFile:
    """Read one file, whatever is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(path, error)
    return SavedFile(*read_query(read_page(shown(path), content), path))


def _files(folder: Path) -> list[Path]:
    """The files of SQL in a folder, by name; none when there is no such folder."""
    try:
        files = sorted(folder.glob("*.sql"))
    except OSError:
        return []
    return [path for path in files if not path.name.startswith(".")]


def _unreadable(path: Path, error: OSError) -> SavedFile:
    problem = Problem(shown(path), 0, f"cannot be read: {error.strerror or error}")
    return SavedFile(SavedQuery(path.stem, "", "", path), (problem,))


def _not_used(path: Path, why: str, todo: str) -> SavedFile:
    problem = Problem(shown(path), 0, f"is not used: {why}", todo)
    return SavedFile(SavedQuery(path.stem, "", "", path), (problem,))


def standard_queries(here: Path, user: Path, providers: Iterable[Path] = ()) -> SavedQueries:
    """The saved queries there are, in the folders that `standard_folders` lists."""
    folders = standard_folders(here, user, providers)
    return SavedQueries(folders, guarded=folders[0])


def _named_once(entry: SavedFile, first: Path) -> SavedFile:
    """The entry, with a problem when another file of its folder has given the name already."""
    query = entry.query
    if first == query.path:
        return entry
    message = f"`{query.name}` is the name of {first.name} already"
    problem = Problem(shown(query.path), 1, message, "names are told apart without case")
    return replace(entry, problems=(*entry.problems, problem))
