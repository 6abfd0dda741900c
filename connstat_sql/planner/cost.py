"""What placing a target would cost, and which mentions are cheaper together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.model import Method, Provider, Resource, TableName
from connstat_sql.errors import PlanError
from connstat_sql.planner.access_paths import ArgumentSupply, Choosing, PathChoice, Weigh
from connstat_sql.planner.arguments import Binding
from connstat_sql.planner.connections import constant_of
from connstat_sql.planner.model import CONNECTION
from connstat_sql.planner.questions import may_use_left_out, pushed_filters
from connstat_sql.planner.relations import ReadableRows
from connstat_sql.planner.shared_requests import Sharing
from connstat_sql.planner.targets import AccessTarget, target_of, types_of
from connstat_sql.sql.binder import ColumnField

NOT_COVERED = 9
"""More than any method can lack: there is none that could be asked."""


@dataclass
class Weighing:
    """Weighs targets by what is there already: rows that can be read, requests sent before."""

    catalog: Catalog
    rows: ReadableRows
    strict: bool
    sharing: Sharing = field(default_factory=Sharing)

    def choosing(self, target: AccessTarget) -> Choosing:
        """The methods of a target's table."""
        resource = target.live.resource
        return Choosing(resource, self.provider(resource), self.strict, target.spoken)

    def bindings(self, target: AccessTarget) -> list[Binding]:
        """What each access can be fed with now."""
        resource = target.live.resource
        types = {**types_of(resource, None), CONNECTION: "VARCHAR"}
        wanted = tuple(param.name for param in resource.params)
        bindings = []
        for access in target.accesses:
            # where nothing is said of it, it has no number yet
            numbered = (
                access if access.relation else replace(access, relation=self.rows.next_relation())
            )
            if numbered.relation not in self.rows.query.relations:
                self.rows.own_types[numbered.relation] = types
            bindings.append(Binding(numbered, types, self.rows, wanted))
        return bindings

    def supplies(self, target: AccessTarget, bindings: Sequence[Binding]) -> list[ArgumentSupply]:
        """Which parameters each access gives a value."""
        params = {param.name for param in target.live.resource.params}
        supplies = []
        for binding in bindings:
            columns = ArgumentSupply(binding.access.rows).columns
            bound = params & binding.bound.keys() - columns.keys()
            supplies.append(ArgumentSupply(binding.access.rows, frozenset(bound)))
        return supplies

    def weigh(self, target: AccessTarget, bindings: Sequence[Binding]) -> Weigh:
        """How many requests a method adds when its arguments are constants."""
        provider = self.provider(target.live.resource)
        constants = [
            constant_of(target.live, binding.access.rows, self.catalog, provider)
            for binding in bindings
        ]

        def weigh(method: Method) -> tuple[int, int]:
            filters = pushed_filters(target.live.resource, method, target.accesses)
            asked = set()
            for constant in constants:
                asked |= self.sharing.requests(method, constant, filters)
                if may_use_left_out(target.live.resource, method, target.accesses):
                    other = target.live.resource.method(method.known_by)
                    asked |= self.sharing.requests(other, constant, ())
            shared = self.sharing.count(target.live.resource, method)
            return len(self.sharing.new(asked)), shared

        return weigh

    def lacking(self, target: AccessTarget) -> int:
        """How many parameters have no value when a target is placed now."""
        supplies = self.supplies(target, self.bindings(target))
        choices = self.choosing(target).choices(supplies, target.columns, lambda _: (1, 0))
        return len(choices[0].missing) if choices else NOT_COVERED

    def merged(self, places: list[int]) -> list[AccessTarget]:
        """Mentions of one table together when that costs no more requests than apart."""
        tables = [self.rows.query.tables[place] for place in places]
        targets = [target_of([table], [place]) for table, place in zip(tables, places, strict=True)]
        accesses = [access for table in tables for access in table.accesses]
        if len(tables) == 1 or (accesses and all(access.limit is not None for access in accesses)):
            return targets  # so many rows of each are fewer than all of both
        whole = target_of(tables, places)
        apart = [self.constant_choice(target) for target in targets]
        together = self.constant_choice(whole)
        known = [choice for choice in apart if choice is not None]
        if together is None or len(known) < len(apart):
            return targets
        separate = sum(choice.requests or 0 for choice in known)
        is_within = all(set(choice.missing) <= set(together.missing) for choice in known)
        if not is_within or (together.requests or 0) > separate:
            return targets
        is_same = all(choice.missing == together.missing for choice in known)
        for target, choice in zip(targets, known, strict=True):
            others = whole if is_same else target
            if choice.missing and self._may_be_bound(target, others):
                return targets
        return [whole]

    def constant_choice(self, target: AccessTarget) -> PathChoice | None:
        """The method for a target of which only constants are known."""
        choosing = self.choosing(target)
        supplies = [ArgumentSupply(access.rows) for access in target.accesses]
        bindings = [Binding(access, {}, self.rows) for access in target.accesses]
        weigh = self.weigh(target, bindings)
        return next(iter(choosing.choices(supplies, target.columns, weigh)), None)

    def _may_be_bound(self, target: AccessTarget, whole: AccessTarget) -> bool:
        """Whether a parameter of the target equals something of another table."""
        own = {access.relation for access in whole.accesses}
        params = {param.name for param in target.live.resource.params}
        return any(
            isinstance(conjunct.predicate, (exp.EQ, exp.NullSafeEQ))
            and any(not self.rows.is_there(relation) for relation in conjunct.relations - own)
            and any(
                isinstance(term, ColumnField)
                and term.relation == access.relation
                and term.column in params
                for term in conjunct.terms.values()
            )
            for access in target.accesses
            for conjunct in access.conjuncts
        )

    def provider(self, resource: Resource) -> Provider:
        """The provider of a table."""
        provider = self.catalog.definitions.provider(resource.table.provider)
        assert provider is not None
        return provider

    def resource(self, table: TableName) -> Resource:
        """The table that a parameter's parent is. Raises PlanError when there is none."""
        resource = self.catalog.definitions.resource(table)
        if resource is None:
            raise PlanError(f"the parent {table} does not exist", sql=self.rows.query.statement.sql)
        return resource
