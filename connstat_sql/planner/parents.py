"""Parameters without a value → scans of their declared parents, tied to what wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.definitions.model import Param, Resource
from connstat_sql.planner.access_paths import ArgumentSupply, PathChoice
from connstat_sql.planner.arguments import Binding
from connstat_sql.planner.cost import Weighing
from connstat_sql.planner.estimates import PAGE_ROWS, size_of
from connstat_sql.planner.model import CONNECTION
from connstat_sql.planner.questions import siblings
from connstat_sql.planner.relations import ReadableRows, Synthetic
from connstat_sql.planner.targets import AccessTarget, types_of
from connstat_sql.sql.binder import ColumnField, Conjunct, Row, TableAccess, substituted
from connstat_sql.sql.binder.predicates import equality


@dataclass
class Parents:
    """Places scans of parents, by `place`."""

    weighing: Weighing
    place: Callable[[AccessTarget], str]

    @property
    def rows(self) -> ReadableRows:
        """What can be read by now."""
        return self.weighing.rows

    def supplied(self, target: AccessTarget, binding: Binding, missing: Sequence[str]) -> Binding:
        """The use with what its parents' rows supply; each supplies all that it can."""
        if binding.access.rows == ():
            return binding
        resource = target.live.resource
        pending = dict.fromkeys(
            name
            for name in missing
            if name not in ArgumentSupply(binding.access.rows).columns and name not in binding.bound
        )
        for param, links in self._groups(resource, missing):
            if param.name in pending:
                binding = self._with_parent(target, binding, param, links)
                for ours in links:
                    pending.pop(ours, None)
        return binding

    def fewest_first(
        self, target: AccessTarget, bindings: Sequence[Binding], choices: list[PathChoice]
    ) -> list[PathChoice]:
        """Of the choices that lack the fewest that first whose parents supply the fewest values."""
        lacking = len(choices[0].missing)
        alike = [choice for choice in choices if len(choice.missing) == lacking]
        if not lacking or len(alike) < 2 or any(choice.details for choice in alike):
            return choices
        sizes = [
            max(self._values(target, binding.access, choice.missing) for binding in bindings)
            for choice in alike
        ]
        best = alike[sizes.index(min(sizes))]
        return [best, *(choice for choice in choices if choice is not best)]

    def _values(self, target: AccessTarget, access: TableAccess, missing: Sequence[str]) -> float:
        """How many values parents are expected to supply for an access."""
        count, supplied = 1.0, set[str]()
        for param, links in self._groups(target.live.resource, missing):
            if param.name not in supplied:
                parent, parent_access = self._parent_access(
                    access, param, links, self.rows.next_relation()
                )
                size = size_of(parent, parent_access)
                count *= size.rows * size.fraction
                supplied |= links.keys()
        return count

    def _groups(
        self, resource: Resource, missing: Iterable[str]
    ) -> list[tuple[Param, dict[str, str]]]:
        """Parameters and what their parents supply, those first that supply the most."""
        params = [self._param(resource, name) for name in missing]
        pairs = [(param, self._links(param, resource)) for param in params]
        return sorted(pairs, key=lambda pair: -len(pair[1]))

    def looked_at(
        self, target: AccessTarget, binding: Binding, missing: Sequence[str]
    ) -> tuple[Binding, str] | None:
        """The use with what a parent supplies that is asked for one page, and the scan that is.

        None where that takes more than one request, or does not supply all that is missing; no
        scan where no row is wanted.
        """
        if binding.access.rows == ():
            return binding, ""
        resource = target.live.resource
        param = self._param(resource, missing[0])
        links = self._links(param, resource)
        if param.parent is None or not set(missing) <= links.keys():
            return None
        parent = self.weighing.resource(param.parent.table)
        number = self.rows.next_relation()
        pairs = {CONNECTION: CONNECTION, **links}
        access = TableAccess(number, (), _renamed(binding.access.rows, pairs))
        columns = tuple(dict.fromkeys(links.values()))
        look = AccessTarget(
            LiveTable(parent, target.live.connection), (access,), columns, looks=True
        )
        choice = self.weighing.constant_choice(look)
        if choice is None or choice.missing or choice.details or (choice.requests or 0) > 1:
            return None
        if choice.method.paging is not None:
            access = replace(access, limit=choice.method.paging.size or PAGE_ROWS)
        scan = self.place(replace(look, accesses=(access,)))
        return self.tied(target, binding, scan, pairs, parent, number=number), scan

    def _with_parent(
        self, target: AccessTarget, binding: Binding, param: Param, links: dict[str, str]
    ) -> Binding:
        number = self.rows.next_relation()
        parent, access = self._parent_access(binding.access, param, links, number)
        types = {**types_of(parent, None), CONNECTION: "VARCHAR"}
        self.rows.own_types[number] = types
        columns = tuple(dict.fromkeys((*links.values(), *_named(access.conjuncts, number, parent))))
        scan = self.place(
            AccessTarget(LiveTable(parent, target.live.connection), (access,), columns)
        )
        pairs = {CONNECTION: CONNECTION, **links}
        return self.tied(target, binding, scan, pairs, parent, number=number)

    def _parent_access(
        self, access: TableAccess, param: Param, links: dict[str, str], number: int
    ) -> tuple[Resource, TableAccess]:
        """The parent of a parameter, and what is said of the rows of it that are wanted."""
        assert param.parent is not None
        pairs = {CONNECTION: CONNECTION, **links}
        inward = {ours: ColumnField(number, theirs) for ours, theirs in pairs.items()}
        rows = _renamed(access.rows, pairs)
        return self.weighing.resource(param.parent.table), TableAccess(
            number, _about(access, inward), rows
        )

    def tied(
        self,
        target: AccessTarget,
        binding: Binding,
        scan: str,
        pairs: dict[str, str],
        of: Resource,
        number: int | None = None,
    ) -> Binding:
        """The use with the equalities that tie it to the rows of a scan made for it."""
        access = binding.access
        number = number or self.rows.next_relation()
        types = {column.name: str(column.type) for column in of.all_columns}
        ours = {**types_of(target.live.resource, pairs), CONNECTION: "VARCHAR"}
        types |= {theirs: ours[mine] for mine, theirs in pairs.items() if mine in ours}
        self.rows.synthetic[number] = Synthetic(scan, types)
        params = {CONNECTION, *(param.name for param in target.live.resource.params)}
        ties = tuple(  # parameters are never NULL, other columns may be
            equality(ColumnField(access.relation, mine), ColumnField(number, theirs), mine)
            for mine, theirs in pairs.items()
            if mine in params
        )
        tied = TableAccess(
            access.relation, (*access.conjuncts, *ties), access.rows, misfits=access.misfits
        )
        extra = {}
        if of is target.live.resource:  # its own list, before the details
            extra = {mine: ColumnField(number, theirs) for mine, theirs in pairs.items()}
        wanted = (CONNECTION, *binding.wanted) if extra else binding.wanted
        return Binding(tied, binding.types, self.rows, wanted, extra)

    def _links(self, param: Param, resource: Resource) -> dict[str, str]:
        """Our parameters and the parent's columns that hold the same value in one of its rows."""
        if param.parent is None:
            return {}
        parent = self.weighing.resource(param.parent.table)
        pairs = {p.name: p.parent.column for p in siblings(resource, param) if p.parent}
        ours = {p.name for p in resource.params}
        pairs |= {mine: theirs for theirs, mine in param.parent.shared if mine in ours}
        for theirs in parent.params:
            if theirs.name in ours and theirs.name not in {*pairs, *pairs.values()}:
                pairs[theirs.name] = theirs.name
        return pairs

    def _param(self, resource: Resource, name: str) -> Param:
        param = resource.param(name)
        assert param is not None
        return param


def _about(access: TableAccess, inward: dict[str, ColumnField]) -> tuple[Conjunct, ...]:
    """The conjuncts of an access in terms of another relation, where its columns stand for them."""
    rewritten = (substituted(conjunct, access.relation, inward) for conjunct in access.conjuncts)
    return tuple(conjunct for conjunct in rewritten if conjunct is not None)


def _renamed(rows: Sequence[Row] | None, pairs: dict[str, str]) -> tuple[Row, ...] | None:
    if rows is None:
        return None
    renamed = [{pairs[name]: value for name, value in row.items() if name in pairs} for row in rows]
    return None if not all(renamed) and renamed else tuple(renamed)


def _named(conjuncts: Iterable[Conjunct], number: int, resource: Resource) -> list[str]:
    """Columns of a relation that conjuncts speak of."""
    named = {
        term.column
        for conjunct in conjuncts
        for term in conjunct.terms.values()
        if isinstance(term, ColumnField) and term.relation == number
    }
    return [column.name for column in resource.all_columns if column.name in named]
