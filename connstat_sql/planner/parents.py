"""Parameters without a value → accesses of their declared parents, and what ties their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.model import Param, Provider, Resource
from connstat_sql.errors import PlanError
from connstat_sql.planner.access_paths import AccessTarget, PathChoice, siblings
from connstat_sql.planner.arguments import Binding
from connstat_sql.planner.cost import size_of
from connstat_sql.planner.model import CONNECTION, given_columns
from connstat_sql.planner.relations import Synthetic
from connstat_sql.sql.binder import ColumnField, Conjunct, Row, TableAccess, substituted
from connstat_sql.sql.binder.predicates import equality


@dataclass(frozen=True, slots=True)
class ParentTable:
    """A table that gives values to a parameter, and to what else its rows hold.

    `links` are our parameters and its columns that hold the same value in one of its rows.
    """

    param: str
    provider: Provider
    resource: Resource
    links: Mapping[str, str]

    @property
    def pairs(self) -> dict[str, str]:
        """The links, that of the connection among them."""
        return {CONNECTION: CONNECTION, **self.links}

    def rows(self, access: TableAccess) -> tuple[Row, ...] | None:
        """Alternatives for its columns, where an access has some for ours."""
        if access.rows is None:
            return None
        pairs = self.pairs
        rows = [
            {pairs[name]: value for name, value in row.items() if name in pairs}
            for row in access.rows
        ]
        return None if not all(rows) and rows else tuple(rows)

    def access(self, access: TableAccess, number: int) -> TableAccess:
        """What an access of ours says of the rows of it that are wanted, as the relation given."""
        inward = {ours: ColumnField(number, theirs) for ours, theirs in self.pairs.items()}
        said = (substituted(conjunct, access.relation, inward) for conjunct in access.conjuncts)
        conjuncts = tuple(conjunct for conjunct in said if conjunct is not None)
        return TableAccess(number, conjuncts, self.rows(access))

    def target(self, child: AccessTarget, access: TableAccess) -> AccessTarget:
        """The access of it that supplies values for another table, as a target of its own."""
        named = {
            term.column
            for conjunct in access.conjuncts
            for term in conjunct.terms.values()
            if isinstance(term, ColumnField) and term.relation == access.relation
        }
        columns = [column.name for column in self.resource.all_columns if column.name in named]
        return AccessTarget(
            LiveTable(self.resource, child.live.connection),
            self.provider,
            (access,),
            tuple(dict.fromkeys((*self.links.values(), *columns))),
            child.blame,
            child.is_strict,
            within=(*child.within, child.resource.table),
        )


def parents_of(target: AccessTarget, names: Iterable[str], catalog: Catalog) -> list[ParentTable]:
    """The parents of some parameters of a table, those first that supply the most.

    Raises PlanError when there is none by that name.
    """
    resource, parents = target.resource, []
    for name in names:
        param = resource.param(name)
        assert param is not None
        assert param.parent is not None
        provider = catalog.definitions.provider(param.parent.table.provider)
        table = catalog.definitions.resource(param.parent.table)
        if provider is None or table is None:
            message = f"the parent {param.parent.table} does not exist"
            raise PlanError(message, sql=target.blame.sql)
        parents.append(ParentTable(name, provider, table, _links(resource, param, table)))
    return sorted(parents, key=lambda parent: -len(parent.links))


def _links(resource: Resource, param: Param, parent: Resource) -> dict[str, str]:
    assert param.parent is not None
    pairs = {p.name: p.parent.column for p in siblings(resource, param) if p.parent}
    ours = {p.name for p in resource.params}
    pairs |= {mine: theirs for theirs, mine in param.parent.shared if mine in ours}
    for theirs in parent.params:
        if theirs.name in ours and theirs.name not in {*pairs, *pairs.values()}:
            pairs[theirs.name] = theirs.name
    return pairs


def needed(parents: Sequence[ParentTable], binding: Binding) -> list[ParentTable]:
    """Those that an access of a table needs: each supplies all that it can."""
    if binding.access.rows == ():
        return []
    supplied = {*given_columns(binding.access.rows), *binding.bound}
    chosen = []
    for parent in parents:
        if parent.param not in supplied:
            chosen.append(parent)
            supplied |= parent.links.keys()
    return chosen


def fewest_first(
    target: AccessTarget, bindings: Sequence[Binding], choices: list[PathChoice], catalog: Catalog
) -> list[PathChoice]:
    """Of the choices that lack the fewest that first whose parents supply the fewest values."""
    lacking = len(choices[0].missing)
    alike = [choice for choice in choices if len(choice.missing) == lacking]
    if not lacking or len(alike) < 2 or any(choice.details for choice in alike):
        return choices
    sizes = []
    for choice in alike:
        parents = parents_of(target, choice.missing, catalog)
        sizes.append(max(_values(parents, binding) for binding in bindings))
    best = alike[sizes.index(min(sizes))]
    return [best, *(choice for choice in choices if choice is not best)]


def _values(parents: Sequence[ParentTable], binding: Binding) -> float:
    """How many values parents are expected to supply for an access."""
    count, supplied = 1.0, set[str]()
    for parent in parents:
        if parent.param not in supplied:
            access = parent.access(binding.access, binding.rows.next_relation())
            size = size_of(parent.resource, access)
            count *= size.rows * size.fraction
            supplied |= parent.links.keys()
    return count


def tied(
    target: AccessTarget,
    binding: Binding,
    scan: str,
    pairs: Mapping[str, str],
    of: Resource,
    number: int,
) -> Binding:
    """The access with the equalities that tie it to the rows of a scan made for it.

    `pairs` are our columns and the scan's; `number` is that of the scan as a relation.
    """
    access, rows = binding.access, binding.rows
    ours = rows.types_of(target.resource)
    types = {**rows.types_of(of), **{pairs[name]: ours[name] for name in pairs if name in ours}}
    rows.synthetic[number] = Synthetic(scan, types)
    params = {CONNECTION, *(param.name for param in target.resource.params)}
    ties: tuple[Conjunct, ...] = tuple(  # parameters are never NULL, other columns may be
        equality(ColumnField(access.relation, mine), ColumnField(number, theirs), mine)
        for mine, theirs in pairs.items()
        if mine in params
    )
    wanted, extra = binding.wanted, {}
    if of is target.resource:  # its own list, before the details
        extra = {mine: ColumnField(number, theirs) for mine, theirs in pairs.items()}
        wanted = (CONNECTION, *wanted)
    conjuncts = (*access.conjuncts, *ties)
    own = TableAccess(access.relation, conjuncts, access.rows, misfits=access.misfits)
    return Binding(own, binding.types, rows, wanted, extra)
