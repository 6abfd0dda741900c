"""Requests that several scans of a statement would send alike, so that one answer serves all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat

from connstat_sql.definitions.model import Filter, Method, Resource
from connstat_sql.planner.model import CONNECTION, Constant, Scan, projected
from connstat_sql.planner.questions import unserved

Template = tuple[object, ...]
"""What is sent but for the values of the arguments."""

Asked = tuple[int, tuple[str, ...]]
"""One request: the number of what is sent but for the values, and a connection and values."""

Filters = tuple[tuple[Filter, tuple[str, ...]], ...]


def template_of(method: Method) -> Template:
    """What a method sends, arguments by their names."""
    return (
        method.verb, method.base_url, method.path, method.query, method.headers, method.body,
        method.form, method.paging,
    )  # fmt: skip


@dataclass
class Sharing:
    """What has been asked so far, and what is going to be."""

    _asked: set[Asked] = field(default_factory=set)
    _expected: Counter[tuple[str, Template]] = field(default_factory=Counter)
    _planned: set[tuple[str, Template]] = field(default_factory=set)
    _numbers: dict[tuple[Template, Filters], int] = field(default_factory=dict)

    def expect(self, resource: Resource, columns: tuple[str, ...]) -> None:
        """A scan of a table will be planned, by one of the methods that serve the columns."""
        self._expected.update(_templates(resource, columns))

    def no_longer_expect(self, resource: Resource, columns: tuple[str, ...]) -> None:
        """It is being planned now."""
        self._expected.subtract(_templates(resource, columns))

    def count(self, resource: Resource, method: Method) -> int:
        """How many scans to come could share a method's answers."""
        return max(0, self._expected[resource.table.provider, template_of(method)])

    def may_share(self, resource: Resource, method: Method) -> bool:
        """Whether another scan may ask, or may have asked, the very same as a method does."""
        key = (resource.table.provider, template_of(method))
        return key in self._planned or self._expected[key] > 0

    def add(self, scan: Scan) -> None:
        """A scan has been planned."""
        self._planned |= self._templates_of(scan)
        if scan.is_constant:
            self._asked |= self._of_scan(scan)

    def requests(self, method: Method, constant: Constant, filters: Filters) -> set[Asked]:
        """The requests of a method for constant arguments."""
        kind = (template_of(method), filters)
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
            if not scan.is_constant:
                continue
            own = self._of_scan(scan)
            if own and own <= asked:
                free.add(scan.name)
            asked |= own
        return frozenset(free)

    def kept(self, scans: tuple[Scan, ...]) -> tuple[Scan, ...]:
        """The scans, those marked whose answers a later one may want too, and those later ones."""
        sent = {scan.name: self._templates_of(scan) for scan in scans}
        marked = []
        for place, scan in enumerate(scans):
            own = sent[scan.name]
            before = tuple(other.name for other in scans[:place] if own & sent[other.name])
            after = any(own & sent[other.name] for other in scans[place + 1 :])
            marked.append(replace(scan, keeps=after, reuses=before))
        return tuple(marked)

    def _templates_of(self, scan: Scan) -> set[tuple[str, Template]]:
        access_paths = (*scan.access_paths, *(instead.access_path for instead in scan.instead))
        return {
            (scan.provider.name, template_of(access_path.method)) for access_path in access_paths
        }

    def _of_scan(self, scan: Scan) -> set[Asked]:
        requests: set[Asked] = set()
        for source in scan.sources:
            requests |= self.requests(scan.method, source.constant, scan.access_paths[0].filters)
        return requests


def _templates(resource: Resource, columns: tuple[str, ...]) -> set[tuple[str, Template]]:
    return {
        (resource.table.provider, template_of(method))
        for method in resource.choices
        if not unserved(method, columns)
    }
