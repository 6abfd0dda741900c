"""What planning gives: scans, where their arguments come from, and which mention reads which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from connstat_sql.definitions.model import Filter, Method, OrderPairs, Provider, Resource
from connstat_sql.definitions.quoting import own_table
from connstat_sql.definitions.versions import is_before
from connstat_sql.sql.binder import BoundQuery, BoundTable, Row

CONNECTION = "_connection"


def scan_table(scan: str) -> str:
    """The name, quoted, of the temporary table that holds a scan's rows."""
    return own_table(scan)


def mention_table(place: int) -> str:
    """The name, quoted, of what stands for the mention at a place."""
    return own_table(f"table_{place}")


@dataclass(frozen=True, slots=True)
class Constant:
    """Argument tuples known before anything is fetched; `columns` may be a subset of all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ArgumentSource:
    """Where the arguments for one access of a table come from.

    `bound` are the arguments that come from rows read before, each with words for where. `sql`
    answers the tuples, constants and all, over the tables of earlier scans and local ones; it is
    "" where constants are all there is. `plain_sql` leaves out what only filters further ("": there
    is nothing to leave out). `is_product` says that the values of several sources that nothing
    ties to each other are combined, each with each. `grows` says that further rows of its sources
    only add tuples, so that those of the first rows can be used before the last have come.
    """

    constant: Constant
    bound: tuple[tuple[str, str], ...] = ()
    sql: str = ""
    plain_sql: str = ""
    depends_on: tuple[str, ...] = ()
    is_product: bool = False
    grows: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the values in a tuple."""
        return (*self.constant.columns, *(name for name, _ in self.bound))


@dataclass(frozen=True, slots=True)
class AccessPath:
    """One method that can serve a scan.

    `arguments` are the columns of the tuples, `_connection` first; those that the method asks for
    make the requests. `columns` are fetched from the rows. `filters` are passed on to the API,
    each with its values. `limit` is the number of rows that are enough (None: all); `order` asks
    for them in the order in which they are the first. `is_whole` says that rows count which the
    method leaves out, and another one knows.
    """

    method: Method
    arguments: tuple[str, ...]
    columns: tuple[str, ...]
    filters: tuple[tuple[Filter, tuple[str, ...]], ...] = ()
    limit: int | None = None
    order: OrderPairs = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Instead:
    """A way to all rows of a table, through those of another that may be few.

    `probe` is the scan that looks at how many these are; when it does not come to the end of
    them, nothing is known. `sources` stand for those of the scan.
    """

    probe: str
    access_path: AccessPath
    sources: tuple[ArgumentSource, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """One fetch of one table, for every tuple of its sources.

    Of several `access_paths` the one that needs the fewest requests is taken when the tuples are
    known; one of `instead` where even that is far more than it asks. A scan that `looks` asks for
    one page, to tell whether that is all, where there is much to save: nobody misses it when it
    fails. `keeps` says that a later scan may ask the same, so that answers are kept; `reuses` names
    the earlier scans that keep theirs for this one. `reason` says in words why it is done like
    this.
    """

    name: str
    provider: Provider
    resource: Resource
    access_paths: tuple[AccessPath, ...]
    sources: tuple[ArgumentSource, ...]
    keeps: bool = False
    reason: str = ""
    reuses: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    looks: bool = False

    @property
    def method(self) -> Method:
        """The method of the first way: the only one once it is chosen."""
        return self.access_paths[0].method

    @property
    def methods(self) -> tuple[Method, ...]:
        """Those of every way that it may go."""
        paths = (*self.access_paths, *(instead.access_path for instead in self.instead))
        return tuple(path.method for path in paths)

    @property
    def columns(self) -> tuple[str, ...]:
        """What is fetched from the rows."""
        return self.access_paths[0].columns

    @property
    def arguments(self) -> tuple[str, ...]:
        """The columns of the tuples of arguments."""
        return self.access_paths[0].arguments

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Names of the scans that must run before."""
        sources = [
            *self.sources,
            *(source for instead in self.instead for source in instead.sources),
        ]
        return tuple(dict.fromkeys(name for source in sources for name in source.depends_on))

    @property
    def is_constant(self) -> bool:
        """Whether all arguments are known before anything is fetched."""
        return not any(source.sql for source in self.sources)

    @property
    def streams(self) -> bool:
        """Whether it can begin with the first rows of its sources, and never ask a thing twice."""
        if (
            len(self.access_paths) > 1
            or self.instead
            or not all(source.grows or not source.sql for source in self.sources)
        ):
            return False
        return {*self.arguments} <= {CONNECTION, *self.method.required}

    @property
    def constants(self) -> Constant:
        """The argument tuples of all sources, as far as all of them have constants for a column."""
        columns = [
            name
            for name in self.arguments
            if all(name in source.constant.columns for source in self.sources)
        ]
        rows = [row for source in self.sources for row in projected(source.constant, columns)]
        return Constant(tuple(columns), tuple(dict.fromkeys(rows)))

    @property
    def expected_requests(self) -> int | None:
        """Requests for first pages when that is known from constants alone, else None."""
        if not self.is_constant:
            return None
        fetches = len(projected(self.constants, (CONNECTION, *self.method.required)))
        return fetches * self.requests_each

    @property
    def requests_each(self) -> int:
        """Requests of a fetch: a list that leaves rows out takes another, for those there are."""
        return 2 if self.access_paths[0].is_whole else 1

    def by(self, access_path: AccessPath) -> Scan:
        """The scan with its way chosen."""
        return replace(self, access_paths=(access_path,), instead=())

    def by_other(self, instead: Instead) -> Scan:
        """The scan that goes another way."""
        return replace(
            self, access_paths=(instead.access_path,), sources=instead.sources, instead=()
        )


@dataclass(frozen=True, eq=False, slots=True)
class Placement:
    """Which scan's rows stand for a mention of a live table."""

    table: BoundTable
    scan: str


@dataclass(frozen=True, slots=True)
class Cached:
    """Of the `fetches` of a scan, how many `kept` rows answer.

    `oldest` is the age of the oldest of these rows in seconds (None: there are none).
    """

    fetches: int
    kept: int
    oldest: float | None


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """Scans in the order they run, and where each mention gets its rows from.

    `free` are scans whose requests another scan has sent already. `cached` says, by the names of
    scans, what kept rows answer; scans that do not ask for any are not in it. `versions` are those
    of servers, by connection, as far as they have been told. `defects` are questions of the
    planner's that DuckDB could not read: each may have cost requests. `secrets` are columns, by the
    names of scans, of which it is asked what plugins declare secret.
    """

    query: BoundQuery
    scans: tuple[Scan, ...]
    placements: tuple[Placement, ...]
    max_requests: int
    free: frozenset[str] = frozenset()
    cached: Mapping[str, Cached] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def older(self, scan: Scan) -> tuple[str, ...]:
        """The connections whose servers are known to be older than the method of a scan."""
        method = scan.method
        rows = projected(scan.constants, (CONNECTION,)) if method.fallback else ()
        return tuple(
            name
            for row in rows  # an empty one where a source says the connection
            for name in row
            if is_before(self.versions.get(name, ""), method.since)
        )

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections that it can ask."""
        constants = [source.constant for scan in self.scans for source in scan.sources]
        named = [projected(constant, (CONNECTION,)) for constant in constants]
        return tuple(dict.fromkeys(name for rows in named for row in rows for name in row))

    def scan(self, name: str) -> Scan:
        """The scan of that name."""
        return next(scan for scan in self.scans if scan.name == name)

    def expected(self, scan: Scan) -> int | None:
        """Requests that a scan adds, where that is known before anything is fetched."""
        if scan.looks:
            return None
        if scan.name in self.free:
            return 0
        cached, expected = self.cached.get(scan.name), scan.expected_requests
        return expected - cached.kept * scan.requests_each if cached and expected else expected


def given_columns(rows: Sequence[Row] | None) -> dict[str, bool]:
    """Columns to which every alternative gives a value, in order."""
    if not rows:
        return {}
    kinds = dict.fromkeys(map(tuple, rows))
    return {name: True for name in rows[0] if all(name in kind for kind in kinds)}


def projected(constant: Constant, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The distinct tuples over those of the names that the constant has."""
    places = [constant.columns.index(name) for name in names if name in constant.columns]
    if places == [*range(len(constant.columns))]:
        return tuple(dict.fromkeys(constant.rows))
    if len(places) > 1:
        return tuple(dict.fromkeys(map(itemgetter(*places), constant.rows)))
    return tuple(dict.fromkeys(tuple(row[place] for place in places) for row in constant.rows))
