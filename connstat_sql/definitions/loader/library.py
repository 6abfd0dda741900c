"""Folders of provider definitions, read as late as possible and each file once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path as FilePath
from typing import TypeVar

import msgspec

from connstat_sql.definitions.loader.builder import build_provider, build_service
from connstat_sql.definitions.loader.checks import Findings, same_but_case
from connstat_sql.definitions.loader.cross_checks import (
    Tables,
    parent_problems,
    part_problems,
    provider_problems,
    view_problems,
)
from connstat_sql.definitions.loader.documents import (
    PartsDocument,
    ProviderDocument,
    ServiceDocument,
)
from connstat_sql.definitions.loader.secret_keys import secret_problems
from connstat_sql.definitions.loader.views import build_parts
from connstat_sql.definitions.loader.yaml import YamlFile, read_source
from connstat_sql.definitions.model import Part, Provider, Resource, Service, TableName
from connstat_sql.errors import DefinitionError, Problem
from connstat_sql.files import distrust, shown

PROVIDER_FILE = "provider.yaml"
PARTS_FILE = "parts.yaml"
_TEXTS = 64
"""Definitions of each kind that are remembered: those of all providers that one project has."""
Parts = Mapping[TableName, Part]
_Value = TypeVar("_Value", Provider, Service, Parts)
_Read = tuple[_Value | None, tuple[Problem, ...], YamlFile]
"""What a file defines (None: nothing that can be used), what is wrong in it, and its places."""
_Document = TypeVar("_Document", ProviderDocument, ServiceDocument, PartsDocument)


def shipped_providers() -> FilePath:
    """The folder of the definitions that come with the package."""
    package = FilePath(__file__).parents[2]
    installed = package / "providers"
    return installed if installed.is_dir() else package.parent / "providers"


class Library:
    """Provider definitions in folders; a later folder's provider replaces an earlier one's.

    Names cost a directory listing; a file is read when something in it is asked for. Asking for
    something that is not there answers None; a file that is broken raises DefinitionError.
    """

    def __init__(self, folders: Iterable[FilePath]) -> None:
        self._folders: dict[str, FilePath] = {}
        for folder in folders:
            self._folders.update(_provider_folders(folder))
        self._names: dict[FilePath, tuple[str, ...]] = {}
        self._providers: dict[str, Provider] = {}
        self._services: dict[tuple[str, str], Service] = {}
        self._parts: dict[str, Parts] = {}

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers, sorted."""
        return tuple(sorted(self._folders))

    def distrust(self, provider: str) -> tuple[str, str] | None:
        """Why others may have written a provider's definitions, and what to do (None: they cannot).

        Those that are shipped are trusted as the package is.
        """
        folder = self._folders.get(provider)
        if folder is None or folder.parent == shipped_providers():
            return None
        return distrust(folder.parent, folder, *sorted(folder.glob("*.yaml")))

    def services(self, provider: str) -> tuple[str, ...]:
        """Names of a provider's services, sorted; empty for an unknown provider."""
        folder = self._folders.get(provider)
        if folder is None:
            return ()
        if folder not in self._names:
            self._names[folder] = _service_names(folder)
        return self._names[folder]

    def provider(self, name: str) -> Provider | None:
        """A provider's definition, or None when there is no such provider."""
        folder = self._folders.get(name)
        if folder is None:
            return None
        if name not in self._providers:
            provider, problems, _ = _read_provider(folder)
            self._providers[name] = _sound(provider, problems)
        return self._providers[name]

    def service(self, provider: str, name: str) -> Service | None:
        """A service's definition, or None when there is no such service."""
        folder = self._folders.get(provider)
        if folder is None or name not in self.services(provider):
            return None
        if (provider, name) not in self._services:
            service, problems, _ = _read_service(folder / f"{name}.yaml", provider)
            self._services[(provider, name)] = _sound(service, problems)
        return self._services[(provider, name)]

    def parts(self, provider: str) -> Parts:
        """What a provider gives to views over all of them, by the view."""
        folder = self._folders.get(provider)
        if folder is None or not (folder / PARTS_FILE).is_file():
            return {}
        if provider not in self._parts:
            parts, problems, _ = _read_parts(folder)
            self._parts[provider] = _sound(parts, problems)
        return self._parts[provider]

    def resource(self, table: TableName) -> Resource | None:
        """A table's definition, or None when there is no such table."""
        service = self.service(table.provider, table.service)
        return None if service is None else service.resources.get(table.resource)

    def tables(self) -> Iterator[Resource]:
        """Every table of every provider, in order of names; reads all files."""
        for provider in self.providers:
            for name in self.services(provider):
                service = self.service(provider, name)
                yield from service.resources.values() if service else ()


def validate(paths: Iterable[FilePath], library: Library) -> tuple[Problem, ...]:
    """Every problem in the given files and folders; parents are looked up in `library` too.

    A path is a definition file, a provider's folder, or a folder of such folders.
    """
    problems: list[Problem] = []
    services: list[tuple[Service, YamlFile]] = []
    probes: list[tuple[TableName, YamlFile]] = []
    parts: list[tuple[Parts, YamlFile]] = []
    providers: dict[str, Provider | None] = {}
    for folder, files in _definition_files(paths, problems):
        providers[folder.name] = _read_provider(folder)[0]
        for file in files:
            if file.name == PROVIDER_FILE:
                provider, faults, source = _read_provider(folder)
                problems += faults
                if provider is not None and provider.probe is not None:
                    probes.append((provider.probe, source))
                continue
            if file.name == PARTS_FILE:
                own_parts, faults, source = _read_parts(folder)
                problems += faults
                parts.append((own_parts or {}, source))
                continue
            service, faults, source = _read_service(file, folder.name)
            problems += faults
            if service is not None:
                services.append((service, source))
    tables = Tables({(service.provider, service.name): service for service, _ in services}, library)
    for service, source in services:
        problems += parent_problems(service, source, tables)
        problems += secret_problems(service, source, tables)
        problems += view_problems(service, source, tables)
        problems += provider_problems(service, source, providers[service.provider])
    for own_parts, source in parts:
        problems += part_problems(own_parts, source, tables)
    for probe, source in probes:
        problems += (
            source.problem(("probe",), message, hint) for message, hint in tables.faults(probe)
        )
    return tuple(sorted(set(problems), key=_in_order))


def examples(paths: Iterable[FilePath]) -> Iterator[tuple[FilePath, Resource, Problem]]:
    """Each table with an example in sound files: its provider's folder, and a problem there.

    The problem has the place and no words.
    """
    for folder, files in _definition_files(paths, []):
        for file in files:
            if file.name in (PROVIDER_FILE, PARTS_FILE):
                continue
            service, problems, source = _read_service(file, folder.name)
            for resource in service.resources.values() if service and not problems else ():
                place = ("resources", resource.table.resource, "example")
                if resource.example:
                    yield folder, resource, source.problem(place, "")


def _in_order(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line, problem.message


# --- reading -------------------------------------------------------------------------------------


def _provider_folders(folder: FilePath) -> Mapping[str, FilePath]:
    if not folder.is_dir():
        raise DefinitionError((Problem(str(folder), 0, "no such folder of provider definitions"),))
    if (folder / PROVIDER_FILE).is_file():
        return {folder.name: folder}
    return {
        child.name: child for child in sorted(folder.iterdir()) if (child / PROVIDER_FILE).is_file()
    }


def _service_names(folder: FilePath) -> tuple[str, ...]:
    others = (PROVIDER_FILE, PARTS_FILE)
    return tuple(sorted(file.stem for file in folder.glob("*.yaml") if file.name not in others))


def _sound(value: _Value | None, problems: tuple[Problem, ...]) -> _Value:
    if problems or value is None:
        raise DefinitionError(tuple(sorted(problems, key=_in_order)))
    return value


def _read(file: FilePath, build: Callable[[bytes, str], _Read[_Value]]) -> _Read[_Value]:
    """What a file defines, with what is wrong in it; nothing of one that cannot be read."""
    name = shown(file)
    try:
        content = file.read_bytes()
    except OSError as error:
        problems = (Problem(name, 0, f"cannot be read: {error.strerror or error}"),)
        return None, problems, YamlFile(name, None, problems=problems)
    return build(content, name)


def _document(source: YamlFile, kind: type[_Document]) -> tuple[_Document | None, list[Problem]]:
    problems: list[Problem] = list(source.problems)
    if source.value is None and problems:
        return None, problems
    if not isinstance(source.value, dict):
        what = "empty" if source.value is None else "not a mapping"
        return None, [*problems, source.problem((), what, "see providers/README.md for the words")]
    try:
        return msgspec.convert(source.value, kind), problems
    except msgspec.ValidationError as error:
        return None, problems + _faults(source, kind.__name__, str(error))


def _faults(source: YamlFile, document: str, first: str) -> list[Problem]:
    """Every fault of a document that was refused; `first` is the one that refused it."""
    from connstat_sql.definitions.loader.schema_faults import (
        schema_faults,  # imports jsonschema: only when needed
    )

    return list(schema_faults(source, document)) or [source.problem((), first)]


def _read_provider(folder: FilePath) -> _Read[Provider]:
    services = _service_names(folder)
    return _read(
        folder / PROVIDER_FILE, partial(_provider_of, folder=folder.name, services=services)
    )


def _read_service(file: FilePath, provider: str) -> _Read[Service]:
    return _read(file, partial(_service_of, provider=provider, stem=file.stem))


def _read_parts(folder: FilePath) -> _Read[Parts]:
    return _read(folder / PARTS_FILE, _parts_of)


# A text is read once by a process, however many databases are opened: that takes longer than many
# a query. What comes of it is frozen.


@lru_cache(_TEXTS)
def _provider_of(
    content: bytes, file: str, folder: str, services: tuple[str, ...]
) -> _Read[Provider]:
    def build(document: ProviderDocument, findings: Findings) -> Provider:
        provider = build_provider(document, services, findings)
        if document.provider != folder:
            message = f"`provider: {document.provider}` stands in the folder `{folder}`"
            findings.add(("provider",), message, "name both alike")
        for name, other in same_but_case(provider.services):
            findings.add((), f"the files {name}.yaml and {other}.yaml differ only in case")
        return provider

    return _built(ProviderDocument, build, content, file)


@lru_cache(_TEXTS)
def _service_of(content: bytes, file: str, provider: str, stem: str) -> _Read[Service]:
    def build(document: ServiceDocument, findings: Findings) -> Service:
        service = build_service(document, provider, findings)
        if document.service != stem:
            message = f"`service: {document.service}` stands in the file `{stem}.yaml`"
            findings.add(("service",), message, "name both alike")
        return service

    return _built(ServiceDocument, build, content, file)


@lru_cache(_TEXTS)
def _parts_of(content: bytes, file: str) -> _Read[Parts]:
    return _built(PartsDocument, build_parts, content, file)


def _built(
    kind: type[_Document],
    build: Callable[[_Document, Findings], _Value],
    content: bytes,
    file: str,
) -> _Read[_Value]:
    """What is built of a text that is a document of some kind, and what is wrong in it."""
    source = read_source(file, content)
    document, problems = _document(source, kind)
    if document is None:
        return None, tuple(problems), source
    findings = Findings(source, problems)
    value = build(document, findings)
    return value, tuple(findings.problems), source


def _definition_files(
    paths: Iterable[FilePath], problems: list[Problem]
) -> Iterator[tuple[FilePath, tuple[FilePath, ...]]]:
    for path in paths:
        if path.is_file():
            yield path.absolute().parent, (path,)
        elif path.is_dir():
            folders = _provider_folders(path.absolute())
            if not folders:
                problems.append(Problem(str(path), 0, f"holds no provider (no {PROVIDER_FILE})"))
            for folder in folders.values():
                yield folder, tuple(sorted(folder.glob("*.yaml")))
        else:
            problems.append(Problem(str(path), 0, "no such file or folder"))
