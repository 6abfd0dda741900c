"""What requests cost: guesses at rows and pages, and requests that several scans would send alike.

A list is taken for so many pages, a page for so many rows, and each predicate with a constant for a
fraction of them: nobody knows better before something is fetched. A wrong guess costs requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat

from sqlglot import exp

from connstat_sql.definitions.model import Filter, Method, Resource, Shape
from connstat_sql.planner.model import CONNECTION, Constant, Scan, given_columns, projected
from connstat_sql.sql.binder import ColumnField, Conjunct, TableAccess

UNKNOWN_PAGES = 10
"""Pages that a list of unknown length is taken for."""
OWNED_PAGES = 3
"""Pages that a list of what belongs to something is taken for."""
PAGE_ROWS = 100
"""Rows that a page is taken for."""
OWNED_ROWS = 30
"""Rows that belong to something: of as many keys, a table that is asked for by them has rows."""
MOST_KEYS = 1_000.0
"""Different values that a column of keys is taken to have at most."""
MOST_ROWS = 1_000_000
LEAST_FRACTION = 0.001

_FRACTIONS: Sequence[tuple[tuple[type[exp.Expr], ...], float]] = (
    ((exp.EQ, exp.NullSafeEQ, exp.Is), 0.1),
    ((exp.In,), 0.2),
    ((exp.Not, exp.NEQ), 0.9),
)
"""What a predicate of some kind leaves of the rows; one of any other kind leaves `_RANGE`."""
_RANGE = 0.3


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a table has, and which part of them the predicates about it alone leave."""

    rows: float
    fraction: float


def pages_of(method: Method, filters: int = 0) -> int:
    """How many pages a list is taken for; what is passed on as a filter leaves fewer."""
    if method.paging is None:
        return 1
    pages = OWNED_PAGES if method.required else UNKNOWN_PAGES
    return max(1, pages >> 2 * filters)


def size_of(resource: Resource, access: TableAccess) -> Size:
    """The size of a table for one access of it: by the method that tells most."""
    columns = given_columns(access.rows)
    alternatives = len(access.rows or ()) or 1
    counts = [_rows(method, columns, alternatives) for method in resource.choices]
    rows = min(counts, default=float(MOST_ROWS))
    answered = {name for method in resource.choices for name in method.required} & columns.keys()
    fraction = 1.0  # what requests answer already leaves no fewer
    for conjunct in access.conjuncts:
        if conjunct.relations == {access.relation} and not _columns(conjunct) <= answered:
            fraction *= _fraction(conjunct.predicate.unnest())
    return Size(rows, max(fraction, LEAST_FRACTION))


def is_key(resource: Resource, column: str) -> bool:
    """Whether a column is taken for one that has another value in each row."""
    keyed = {method.required for method in resource.choices if method.rows.shape is Shape.OBJECT}
    return (column,) in keyed or (not keyed and resource.param(column) is None)


def _rows(method: Method, columns: Mapping[str, bool], alternatives: int) -> float:
    lacking = sum(name not in columns for name in method.required)
    is_single = method.rows.shape is Shape.OBJECT
    if is_single and lacking:
        return float(MOST_ROWS)  # a row by its key: how many there are it does not say
    asked = alternatives if len(method.required) > lacking else 1
    each = 1 if is_single else OWNED_ROWS if method.required else PAGE_ROWS * pages_of(method)
    return float(min(asked * each * MOST_KEYS**lacking, MOST_ROWS))


def _columns(conjunct: Conjunct) -> set[str]:
    return {term.column for term in conjunct.terms.values() if isinstance(term, ColumnField)}


def _fraction(predicate: exp.Expr) -> float:
    for kinds, left in _FRACTIONS:
        if isinstance(predicate, kinds):
            return left
    return _RANGE


# --- requests that several scans share ---------------------------------------------------------

Template = tuple[object, ...]
"""What is sent but for the values of the arguments: the provider, and the method's own parts."""

Asked = tuple[int, tuple[str, ...]]
"""One request: the number of what is sent but for the values, and a connection and values."""

Filters = tuple[tuple[Filter, tuple[str, ...]], ...]


@dataclass
class SharedRequests:
    """What the scans of a statement have asked so far, and what is going to be asked."""

    _asked: set[Asked] = field(default_factory=set)
    _expected: Counter[Template] = field(default_factory=Counter)
    _planned: set[Template] = field(default_factory=set)
    _numbers: dict[tuple[Template, Filters], int] = field(default_factory=dict)

    def expect(self, provider: str, methods: Iterable[Method]) -> None:
        """A scan of a table will be planned, by one of the methods."""
        self._expected.update(_template(provider, method) for method in methods)

    def no_longer_expect(self, provider: str, methods: Iterable[Method]) -> None:
        """It is being planned now."""
        self._expected.subtract(_template(provider, method) for method in methods)

    def count(self, provider: str, method: Method) -> int:
        """How many scans to come could share a method's answers."""
        return max(0, self._expected[_template(provider, method)])

    def may_share(self, provider: str, method: Method) -> bool:
        """Whether another scan may ask, or may have asked, the very same as a method does."""
        return _template(provider, method) in self._planned or self.count(provider, method) > 0

    def add(self, scan: Scan) -> None:
        """A scan has been planned."""
        self._planned |= _templates(scan)
        if scan.is_constant:
            self._asked |= self._of_scan(scan)

    def requests(
        self, provider: str, constant: Constant, method: Method, filters: Filters
    ) -> set[Asked]:
        """The requests of a method for constant arguments."""
        kind = (_template(provider, method), filters)
        number = self._numbers.setdefault(kind, len(self._numbers))
        rows = projected(constant, (CONNECTION, *method.required))
        return set(zip(repeat(number), rows))

    def new(self, asked: set[Asked]) -> set[Asked]:
        """Those that nothing has asked before."""
        return asked - self._asked

    def free(self, scans: Sequence[Scan]) -> frozenset[str]:
        """Scans with constant arguments that earlier ones have asked for already."""
        asked: set[Asked] = set()
        free = set()
        for scan in scans:
            if scan.is_constant:
                own = self._of_scan(scan)
                if own and own <= asked:
                    free.add(scan.name)
                asked |= own
        return frozenset(free)

    def _of_scan(self, scan: Scan) -> set[Asked]:
        provider, filters = scan.provider.name, scan.access_paths[0].filters
        constants = [source.constant for source in scan.sources]
        requests = (self.requests(provider, each, scan.method, filters) for each in constants)
        return set[Asked]().union(*requests)


def with_reuse(scans: Sequence[Scan]) -> tuple[Scan, ...]:
    """The scans, those marked whose answers a later one may want too, and those later ones."""
    by_template: dict[Template, list[int]] = {}
    for place, scan in enumerate(scans):
        for template in _templates(scan):
            by_template.setdefault(template, []).append(place)
    marked = []
    for place, scan in enumerate(scans):
        others = {other for template in _templates(scan) for other in by_template[template]}
        before = tuple(scans[other].name for other in sorted(others) if other < place)
        marked.append(replace(scan, keeps=max(others) > place, reuses=before))
    return tuple(marked)


def _template(provider: str, method: Method) -> Template:
    return (
        provider, method.verb, method.base_url, method.path, method.query, method.headers,
        method.body, method.form, method.paging,
    )  # fmt: skip


def _templates(scan: Scan) -> set[Template]:
    return {_template(scan.provider.name, method) for method in scan.methods}
