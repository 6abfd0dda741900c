"""Which target to place next: the first of an order that is expected to need the fewest requests.

What a target costs depends on what has been placed before: values for its parameters come from
there, the fewer the more predicates speak of it. A target that nothing can make cheaper is placed
at once, as it may help others; between the rest every order is tried where they are few, and
otherwise the one is taken that loses the least by not waiting and saves others the most. Ties are
broken by tables and predicates, never by the place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from connstat_sql.planner.access_paths import AccessTarget, PathChoice
from connstat_sql.planner.cost import (
    MOST_KEYS,
    OWNED_ROWS,
    PAGE_ROWS,
    Size,
    is_key,
    pages_of,
    size_of,
)
from connstat_sql.planner.model import given_columns
from connstat_sql.planner.relations import Links, ReadableRows, Sources
from connstat_sql.planner.wire_values import pushed_filters
from connstat_sql.sql.binder import ColumnField, TableAccess
from connstat_sql.sql.statement import DIALECT

MOST_TRIED = 7
"""Targets between which every order is tried."""
MOST_COMPARED = 20
"""Targets of which each is weighed against what it would save all others."""
ENUMERATED = 10_000.0
"""What a parameter that only a parent gives a value weighs, in requests: more than any fan-out."""
UNASKED = ENUMERATED**2
"""What a target weighs that no method can ask for yet."""
NEVER = -1
EARLY_LIST, EARLY_FAN_OUT = 1.0, 10.0
"""What is lost by not waiting for a source, where the expected requests are the same."""

CHOICE = 0.5
"""What it is worth that the fewest of several fan-outs can be taken once values are counted."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One method: `requests` for constants alone, and the parameters wanted from other sources.

    `parents` are those of the wanted that a parent gives where nothing else does.
    """

    requests: float
    wanted: tuple[str, ...]
    parents: frozenset[str]
    more: float


@dataclass(frozen=True, slots=True)
class Wish:
    """One use of a table: what it can be asked by, and where the values may come from."""

    offers: tuple[Offer, ...]
    sources: Mapping[str, Sequence[tuple[Sources, int]]]
    links: Links


@dataclass(eq=False, slots=True)
class TiedRelations:
    """Relations whose rows are tied: by their keys, so that each stands for one, or by others."""

    first: int
    single: set[int] = field(default_factory=set)
    many: set[int] = field(default_factory=set)

    @property
    def relations(self) -> set[int]:
        """All of them."""
        return self.single | self.many


@dataclass
class TargetCosts:
    """What each of some targets costs when it is placed after others.

    `choices_of` answers which methods serve an access where some parameters have values from rows.
    """

    targets: Sequence[AccessTarget]
    rows: ReadableRows
    choices_of: Callable[[AccessTarget, TableAccess, frozenset[str]], Sequence[PathChoice]]
    _links: dict[tuple[int, ...], Links] = field(default_factory=dict)
    _costs: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    _together: dict[tuple[int, int], dict[int, TiedRelations]] = field(default_factory=dict)
    _needs: dict[int, int] = field(default_factory=dict)

    def of(self, n: int, placed: int) -> tuple[float, float]:
        """Expected requests when it is placed after some others, and how early that would be."""
        if (n, placed) not in self._costs:
            costs = [self._cost_of_access(wish, placed) for wish in self._wishes[n]]
            requests = sum(count for count, _ in costs)
            early = max((early for _, early in costs), default=0.0)
            self._costs[n, placed] = (min(requests, UNASKED), early)
        return self._costs[n, placed]

    def _cost_of_access(self, wish: Wish, placed: int) -> tuple[float, float]:
        best, is_fed = inf, False
        together = self._grouped(wish.links, placed)
        access_paths = set()
        for offer in wish.offers:
            requests = self._requests(offer, wish, placed, together)
            if requests < ENUMERATED:
                access_paths.add(offer.wanted)
            if requests < best:
                best, is_fed = requests, bool(offer.wanted)
        if is_fed and len(access_paths) > 1 and best > 1:
            best *= CHOICE
        if not any(needs & ~placed for sources in wish.sources.values() for _, needs in sources):
            return best, 0.0
        return best, EARLY_FAN_OUT if is_fed else EARLY_LIST

    def _requests(
        self, offer: Offer, wish: Wish, placed: int, together: Mapping[int, TiedRelations]
    ) -> float:
        requests, groups = offer.requests, dict[frozenset[int], float]()
        for name in offer.wanted:
            tuples = self._tuples(wish.sources.get(name, ()), placed, together)
            if tuples is not None:
                group, rows = tuples
                groups[group] = max(groups.get(group, 1.0), rows)
            elif name in offer.parents:
                requests += ENUMERATED
            else:
                return inf
        for rows in groups.values():
            requests *= rows
        return requests + offer.more

    def _tuples(
        self,
        sources: Sequence[tuple[Sources, int]],
        placed: int,
        together: Mapping[int, TiedRelations],
    ) -> tuple[frozenset[int], float] | None:
        """How many values come from the narrowest source that is there, and what it is tied to."""
        candidates: list[tuple[float, list[int]]] = []
        bound = MOST_KEYS
        for relations, needs in sources:
            if needs & ~placed:
                if len(relations) == 1:
                    bound = min(bound, *(self._size(relation).rows for relation in relations))
                continue
            left = max(self._left(relation, together.get(relation)) for relation in relations)
            tied = {together[each].first if each in together else each for each in relations}
            candidates.append((left, sorted(tied)))
        if not candidates:
            return None
        rows, key = min(candidates)
        return frozenset(key), min(rows, bound)

    def _grouped(self, links: Links, placed: int) -> Mapping[int, TiedRelations]:
        """For relations that are there, what is tied to them."""
        key = (id(links), placed)
        if key not in self._together:
            groups: dict[int, TiedRelations] = {}
            for tied in links.ties:
                there = [field for field in tied if self._needs_of(field.relation) & ~placed == 0]
                for field in there:
                    self._tie(field, there[0], groups)
            self._together[key] = groups
        return self._together[key]

    def _tie(
        self, field: ColumnField, other: ColumnField, groups: dict[int, TiedRelations]
    ) -> None:
        """The groups of two relations are one; those that a key ties are told apart."""
        ours = groups.setdefault(field.relation, TiedRelations(field.relation))
        (ours.single if self._is_single(field) else ours.many).add(field.relation)
        theirs = groups.setdefault(other.relation, TiedRelations(other.relation))
        if ours is theirs:
            return
        if len(ours.single) + len(ours.many) > len(theirs.single) + len(theirs.many):
            ours, theirs = theirs, ours
        theirs.first = min(ours.first, theirs.first)
        theirs.single |= ours.single
        theirs.many |= ours.many
        groups.update(dict.fromkeys(ours.relations, theirs))

    def _is_single(self, field: ColumnField) -> bool:
        """Whether one of a relation's rows is tied to others by a column, or many may be."""
        relation = self.rows.relation(field.relation)
        if relation is None or relation.mention is None:
            return True
        return is_key(self.targets[self._of_place[relation.mention]].resource, field.column)

    def _left(self, relation: int, group: TiedRelations | None) -> float:
        """What the predicates about all that is tied to it leave of a relation's rows."""
        size = self._size(relation)
        rows = size.rows * size.fraction
        if group is None:
            return max(1.0, rows)
        for other in sorted(group.relations - {relation}):
            fraction = self._size(other).fraction
            rows *= fraction if other in group.single else min(1.0, OWNED_ROWS * fraction)
        return max(1.0, rows)

    # --- what the targets are ----------------------------------------------------------------

    @cached_property
    def _of_place(self) -> dict[int, int]:
        return {place: n for n, target in enumerate(self.targets) for place in target.places}

    def _size(self, relation: int) -> Size:
        """Of a live relation its own; of others what the tables they are made of make likely."""
        if relation not in self._known:
            needs = self._needs_of(relation)
            sizes = [
                size_of(target.resource, access)
                for n, target in enumerate(self.targets)
                for access in target.accesses
                if needs >> n & 1
            ]
            rows = max((size.rows for size in sizes), default=float(PAGE_ROWS))
            fraction = min((size.fraction for size in sizes), default=1.0)
            self._known[relation] = Size(rows, fraction)
        return self._known[relation]

    @cached_property
    def _known(self) -> dict[int, Size]:
        return {
            access.relation: size_of(target.resource, access)
            for target in self.targets
            for access in target.accesses
        }

    def _needs_of(self, number: int) -> int:
        """The targets that must be placed for a relation to be read; NEVER where it cannot be."""
        if number not in self._needs:
            relation, needs = self.rows.relation(number), NEVER
            if relation is not None and relation.mention is not None:
                needs = self._bits((relation.mention,))
            elif relation is not None and relation.node is not None:
                needs = self._bits(relation.needs)
            self._needs[number] = needs
        return self._needs[number]

    def _bits(self, places: Iterable[int]) -> int:
        bits = 0
        for place in places:
            if place not in self._of_place:
                return NEVER
            bits |= 1 << self._of_place[place]
        return bits

    @cached_property
    def _wishes(self) -> list[list[Wish]]:
        return [
            [self._wish(target, access) for access in target.accesses if access.rows != ()]
            for target in self.targets
        ]

    def _wish(self, target: AccessTarget, access: TableAccess) -> Wish:
        key = tuple(map(id, access.conjuncts))
        if key not in self._links:
            self._links[key] = Links.among(access.conjuncts, self.rows.query.relations)
        links, columns = self._links[key], given_columns(access.rows)
        own = self._bits(target.places)
        sources = {}
        for param in target.resource.params:
            if param.name not in columns:
                usable = [
                    (relations, needs)
                    for relations in links.sources(ColumnField(access.relation, param.name))
                    if (needs := self._needs_of_all(relations)) != NEVER and not needs & own
                ]
                if usable:
                    sources[param.name] = usable
        bound = frozenset(sources)
        choices = self.choices_of(target, access, bound)
        return Wish(tuple(_offer(target, access, each, bound) for each in choices), sources, links)

    def _needs_of_all(self, relations: Iterable[int]) -> int:
        bits = 0
        for relation in relations:
            needs = self._needs_of(relation)
            if needs == NEVER:
                return NEVER
            bits |= needs
        return bits


@dataclass
class ScanOrder:
    """Chooses between targets; a set of those that are placed is a number of as many bits."""

    targets: Sequence[AccessTarget]
    costs: TargetCosts
    _rests: dict[int, tuple[float, float]] = field(default_factory=dict)
    _names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _settled: list[int] = field(default_factory=list)

    def ranked(self, placed: int) -> list[int]:
        """The targets that are not placed, the one to place next first."""
        pending = [n for n in range(len(self.targets)) if not placed >> n & 1]
        if len(pending) < 2:
            return pending
        self._settled = [n for n in self._settled if not placed >> n & 1]
        if not self._settled:
            self._settled = self._in_order(self._now_settled(placed, pending))
        if not self._settled:
            return self._in_order(self._scores(placed, pending))
        first = {*self._settled}
        return [*self._settled, *(n for n in pending if n not in first)]

    def _now_settled(self, placed: int, pending: Sequence[int]) -> dict[int, tuple[float, float]]:
        """Those that nothing can make cheaper, with how early and how dear they are."""
        everything = (1 << len(self.targets)) - 1
        settled = {}
        for n in pending:
            now, early = self.costs.of(n, placed)
            if (now <= 1 or not early) and now <= self.costs.of(n, everything & ~(1 << n))[0]:
                settled[n] = (early, now)
        return settled

    def _scores(self, placed: int, pending: Sequence[int]) -> dict[int, tuple[float, float]]:
        if len(pending) <= MOST_TRIED:
            return {n: self._rest_after(n, placed) for n in pending}
        if len(pending) <= MOST_COMPARED:
            return {
                n: (self._loss(n, placed, pending), self.costs.of(n, placed)[0]) for n in pending
            }
        return {n: self.costs.of(n, placed)[::-1] for n in pending}

    def _in_order(self, scores: Mapping[int, tuple[float, float]]) -> list[int]:
        """The lowest first; those that are alike by their names."""
        groups: dict[tuple[float, float], list[int]] = {}
        for n, score in scores.items():
            groups.setdefault(score, []).append(n)
        ordered = []
        for score in sorted(groups):
            alike = groups[score]
            ordered += sorted(alike, key=self._name) if len(alike) > 1 else alike
        return ordered

    def _rest_after(self, n: int, placed: int) -> tuple[float, float]:
        """Requests of one target and of all others after it, in the best order; what is early."""
        requests, early = self.costs.of(n, placed)
        rest, late = self._rest(placed | 1 << n)
        return round(requests + rest, 6), early + late

    def _rest(self, placed: int) -> tuple[float, float]:
        if placed not in self._rests:
            pending = [n for n in range(len(self.targets)) if not placed >> n & 1]
            self._rests[placed] = min(
                (self._rest_after(n, placed) for n in pending), default=(0.0, 0.0)
            )
        return self._rests[placed]

    def _loss(self, n: int, placed: int, pending: Iterable[int]) -> float:
        """What a target would save by waiting for all others, less what it saves them now."""
        others = [other for other in pending if other != n]
        after = placed | 1 << n
        waited = placed | sum(1 << other for other in others)
        saved = sum(
            self.costs.of(other, placed)[0] - self.costs.of(other, after)[0] for other in others
        )
        return round(self.costs.of(n, placed)[0] - self.costs.of(n, waited)[0] - saved, 6)

    def _name(self, n: int) -> tuple[str, ...]:
        """What tells targets apart wherever the text has them: tables, then predicates."""
        if n not in self._names:
            target = self.targets[n]
            own = {access.relation for access in target.accesses}
            texts = {
                conjunct.predicate.sql(DIALECT)
                for access in target.accesses
                for conjunct in access.conjuncts
                if conjunct.relations & own
            }
            table, count = str(target.resource.table), str(len(target.accesses))
            self._names[n] = (table, count, *sorted(texts))
        return self._names[n]


def _offer(
    target: AccessTarget, access: TableAccess, choice: PathChoice, bound: frozenset[str]
) -> Offer:
    resource, method = target.resource, choice.method
    names = dict.fromkeys((*target.wanted_params(method), *method.required))
    asked = tuple(name for name in names if name in bound)
    params = (resource.param(name) for name in asked)
    parents = frozenset(p.name for p in params if p is not None and p.parent is not None)
    alternatives = len(access.rows or ()) or 1
    requests = alternatives if choice.requests is None else choice.requests
    pages = pages_of(method, len(pushed_filters(resource, method, [access])))
    more = choice.second + ENUMERATED * len(choice.missing)
    return Offer(float(requests * pages), asked, parents, more)
