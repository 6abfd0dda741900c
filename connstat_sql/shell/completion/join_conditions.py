"""Predicates that are ready to insert: for parameters still missing, and between joined tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connstat_sql.shell.completion.metadata import Metadata, Table
from connstat_sql.shell.completion.places import CompletionPlace
from connstat_sql.shell.completion.ranking import Candidate
from connstat_sql.shell.completion.scopes import FromSource

_FIRST = -50
"""Before everything else."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A parameter of a source, and what of another source holds its values."""

    param: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """The predicates that a place can do with."""

    known: Metadata
    place: CompletionPlace

    def after_table(self) -> Iterator[Candidate]:
        """`WHERE key = '` for what the sources need, and how the last one joins those before."""
        yield from self._joins()
        if "WHERE" in self.place.clauses:
            return
        missing = list(self._missing())
        if missing:
            yield self._ready(self._word("WHERE "), missing)

    def operands(self) -> Iterator[Candidate]:
        """Predicates to begin with, after WHERE, AND or ON."""
        if self.place.after == "ON":
            yield from (
                Candidate(f"{pair.ours} = {pair.theirs}", f"{pair.ours} = {pair.theirs}",
                          "joins by a key", (pair.param, pair.ours), _FIRST)
                for pair in self._pairs()
            )  # fmt: skip
        if self.place.after in ("WHERE", "AND") and self.place.clause == "WHERE":
            for param in self._missing():
                yield self._ready("", [param])

    def operators(self) -> Iterator[Candidate]:
        """Further predicates, after a whole one."""
        if self.place.after in ("ON", "AND", "OR", "NOT", "IN", "IS"):
            return
        if self.place.clause == "WHERE":
            for param in self._missing():
                yield self._ready(self._word("AND "), [param])
        else:
            yield from self._joins(self._word("AND "))
            missing = list(self._missing())
            if missing and "WHERE" not in self.place.clauses:
                yield self._ready(self._word("WHERE "), missing)

    # --- what is missing ---------------------------------------------------------------------

    def _missing(self) -> Iterator[tuple[str, str]]:
        """Parameters that are required and not given: as written, and plain."""
        sources = self.place.scope.sources
        for source in sources:
            table = self._table(source)
            if table is None:
                continue
            for name in table.required:
                if not self._is_given(source, name):
                    shown = f"{source.name}.{name}" if len(sources) > 1 else name
                    yield shown, name

    def _is_given(self, source: FromSource, name: str) -> bool:
        equalities = self.place.equalities
        return any(
            spelling.lower() in equalities
            for spelling in (name, f"{source.name}.{name}", ".".join((*source.parts, name)))
        )

    def _table(self, source: FromSource) -> Table | None:
        is_table = source.query is None and not source.is_function
        if not is_table or (len(source.parts) == 1 and source.parts[0] in self.place.scope.named):
            return None
        return self.known.table(source.parts)

    def _ready(self, prefix: str, missing: list[tuple[str, str]]) -> Candidate:
        """One candidate for all that is missing; the cursor comes to stand in the first value."""
        joined = self._word(" AND ").join(f"{shown} = ''" for shown, _ in missing)
        text = f"{prefix}{missing[0][0]} = '"
        names = (*([prefix.strip()] if prefix else []), *(name for _, name in missing))
        return Candidate(text, prefix + joined, "required", names, _FIRST)

    # --- joins -------------------------------------------------------------------------------

    def _joins(self, prefix: str = "") -> Iterator[Candidate]:
        pairs = list(self._pairs())
        if not pairs or (not prefix and self.place.after in ("ON", "USING")):
            return
        joined = self._word(" AND ").join(f"{pair.ours} = {pair.theirs}" for pair in pairs)
        start = prefix or self._word("ON ")
        yield Candidate(start + joined, start + joined, "joins by its keys",
                        (start.strip(), *(pair.param for pair in pairs)), _FIRST - 1)  # fmt: skip

    def _pairs(self) -> Iterator[_Pair]:
        """Missing parameters of the last source, and where earlier sources have their values."""
        source = self.place.last
        table = self._table(source) if source is not None else None
        if source is None or table is None:
            return
        others = [
            other for other in self.place.scope.sources if other is not source and other != source
        ]
        for name in (field.name for field in table.fields if field.param is not None):
            if self._is_given(source, name):
                continue
            theirs = next((t for other in others for t in self._holder(table, name, other)), None)
            if theirs is not None:
                yield _Pair(name, f"{source.name}.{name}", theirs)

    def _holder(self, table: Table, name: str, other: FromSource) -> Iterator[str]:
        """Columns of another source that hold values of the parameter: its parent's, its own."""
        parent = table.parent(name)
        for field in self.known.fields_of(other, self.place.scope):
            is_parents = parent is not None and field.table == parent.table and (
                field.path == (parent.column,)
            )  # fmt: skip
            if is_parents and other.name:
                yield f"{other.name}.{field.name}"
        for field in self.known.fields_of(other, self.place.scope):
            if field.param is not None and field.name.lower() == name.lower() and other.name:
                yield f"{other.name}.{field.name}"

    def _word(self, text: str) -> str:
        return text.lower() if self.place.is_lower else text
