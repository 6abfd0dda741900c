"""What a piece of a query consists of: its tables, the CTEs that it names, whether it is steady."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from connstat_sql.sql.binder.clause_rules import own_names
from connstat_sql.sql.binder.render import own_nodes
from connstat_sql.sql.duckdb_only import free_names

_UNSTABLE = (
    exp.Fetch, exp.TableSample, exp.Window, exp.First, exp.Last,
    exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.ArrayAgg, exp.GroupConcat, exp.Collate,
)  # fmt: skip
_HIDING = (exp.Collate, exp.Pivot)
"""What makes the columns of empty tables others than those of full ones, or not what they seem."""
_UNSTABLE_CALLS = frozenset(
    {"arbitrary", "list", "array_agg", "string_agg", "group_concat", "listagg", "mode", "first",
     "last", "any_value", "arg_min", "arg_max", "min_by", "max_by", "argmin", "argmax", "histogram",
     "approx_quantile", "reservoir_quantile", "nextval", "currval"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """One piece, read once.

    `is_steady` says that reading it twice gives the same rows; `hides` that over tables without
    rows its columns may be others, or not what they seem. `tables` are those that it names, `free`
    the names without dots among them that no WITH inside it makes.
    """

    is_steady: bool
    hides: bool
    tables: tuple[exp.Table, ...]
    free: tuple[str, ...]


@dataclass
class Contents:
    """Reads pieces of one statement; each once, however often they are asked about.

    `volatile` are names of functions whose value may change.
    """

    volatile: frozenset[str]
    _known: dict[int, Content] = field(default_factory=dict)

    def of(self, node: exp.Expr) -> Content:
        """What a node of the statement's tree consists of."""
        if id(node) not in self._known:
            own = [*own_nodes(node)]
            free = free_names(node, "" if isinstance(node, exp.Select) else "joins")
            self._known[id(node)] = Content(
                all(map(self._is_steady, own)),
                any(isinstance(part, _HIDING) for part in own),
                tuple(part for part in own if isinstance(part, exp.Table)),
                tuple(dict.fromkeys(free)),
            )
        return self._known[id(node)]

    def _is_steady(self, node: exp.Expr) -> bool:
        if isinstance(node, _UNSTABLE):
            return False
        if isinstance(node, exp.Func):
            changing = self.volatile | _UNSTABLE_CALLS
            return not any(name in changing for name in own_names(node))
        if isinstance(node, exp.Query):
            return _is_ordered(node)
        return not isinstance(node, exp.Distinct) or node.args.get("on") is None


def _is_ordered(query: exp.Query) -> bool:
    """Whether LIMIT and OFFSET take the same rows each time."""
    is_cut = query.args.get("limit") or query.args.get("offset")
    return not is_cut or query.args.get("order") is not None
