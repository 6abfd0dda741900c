"""What planning gives: scans, their arguments, and where each mention gets its rows from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connstat_sql.binder import BoundQuery, BoundTable
from connstat_sql.definitions import Filter, Method, Provider, Resource, TableName

CONNECTION = "_connection"


@dataclass(frozen=True, slots=True)
class Constant:
    """Argument tuples known before anything is fetched; `columns` may be a subset of all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class FromScan:
    """Arguments out of an earlier scan's rows.

    `supplies` pairs parameters with that scan's columns; `matches` are pairs that must be equal.
    """

    scan: str
    table: TableName
    supplies: tuple[tuple[str, str], ...]
    matches: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """One fetch of one table by one method, for every tuple of its arguments.

    `arguments` are the columns of the tuples, `_connection` first; those that the method asks for
    make the requests. `columns` are fetched from the rows. `filters` are passed on to the API,
    each with its values. `reason` says in words why this method.
    """

    name: str
    provider: Provider
    resource: Resource
    method: Method
    arguments: tuple[str, ...]
    constant: Constant
    sources: tuple[FromScan, ...]
    columns: tuple[str, ...]
    filters: tuple[tuple[Filter, tuple[str, ...]], ...] = ()
    reason: str = ""

    @property
    def expected_requests(self) -> int | None:
        """First pages to fetch when that is known from constants alone, else None."""
        if self.sources:
            return None
        return len(projected(self.constant, (CONNECTION, *self.method.required)))

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Names of the scans that must run before."""
        return tuple(source.scan for source in self.sources)


@dataclass(frozen=True, slots=True)
class Placement:
    """Which scan's rows stand for a mention of a live table."""

    table: BoundTable
    scan: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Scans in the order they run, and where each mention gets its rows from."""

    query: BoundQuery
    scans: tuple[Scan, ...]
    placements: tuple[Placement, ...]
    max_requests: int

    def scan(self, name: str) -> Scan:
        """The scan of that name."""
        return next(scan for scan in self.scans if scan.name == name)


def projected(constant: Constant, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The distinct tuples over those of the names that the constant has."""
    places = [constant.columns.index(name) for name in names if name in constant.columns]
    return tuple(dict.fromkeys(tuple(row[place] for place in places) for row in constant.rows))
