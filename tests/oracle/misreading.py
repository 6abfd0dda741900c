"""Trees of statements, misread: each function overlooks something, in place.

Mentions are known by their nodes, so a tree is changed and not copied.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

Misread = Callable[[exp.Expr], None]
"""Changes the tree that the binder reads."""


def aggregates_as_their_arguments(tree: exp.Expr) -> None:
    """`min(x)` is read as `x`, GROUP BY not at all, HAVING as WHERE."""
    for one in [*tree.find_all(exp.AggFunc)]:
        if isinstance(one.this, exp.Column):
            one.replace(one.this.copy())
        elif one.parent is not None:
            one.replace(exp.Literal.number(1))
    for select in tree.find_all(exp.Select):
        select.set("group", None)
        having = select.args.get("having")
        if having is not None:
            select.set("having", None)
            select.set("where", exp.Where(this=having.this))


def qualify_as_where(tree: exp.Expr) -> None:
    """What QUALIFY says of columns is read as if WHERE said it."""
    for select in tree.find_all(exp.Select):
        qualify = select.args.get("qualify")
        parts = qualify.this.flatten() if qualify is not None else ()
        for one in parts:
            if one.find(exp.Window) is None:
                select.set("where", exp.Where(this=one))


def grouping_sets_as_keys(tree: exp.Expr) -> None:
    """ROLLUP and GROUPING SETS are read as a plain list of keys."""
    for group in tree.find_all(exp.Group):
        columns = {one.name: one.copy() for one in group.find_all(exp.Column)}
        group.replace(exp.Group(expressions=[*columns.values()]))


def functions_as_their_arguments(tree: exp.Expr) -> None:
    """`lower(x)` is read as `x`."""
    for one in [*tree.find_all(exp.Lower)]:
        one.replace(one.this)


def no_column_aliases(tree: exp.Expr) -> None:
    """`AS t(a, b)` is read as `AS t`."""
    for alias in tree.find_all(exp.TableAlias):
        alias.set("columns", [])


def branch_of_or(place: int) -> Misread:
    """Of an OR one branch alone is read."""

    def misread(tree: exp.Expr) -> None:
        for one in [*tree.find_all(exp.Or)]:
            one.replace([one.this, one.expression][place])

    return misread


def without_not(tree: exp.Expr) -> None:
    """NOT x is read as x, and so is x IS NOT TRUE."""
    for one in [*tree.find_all(exp.Not)]:
        inner = one.this.unnest()
        one.replace(inner.this if isinstance(inner, exp.Is) else inner)


def inequalities_as_never(tree: exp.Expr) -> None:
    """`<>` is read as false."""
    for one in [*tree.find_all(exp.NEQ)]:
        one.replace(exp.and_(one.copy(), exp.false()))


def no_collations(tree: exp.Expr) -> None:
    """`x COLLATE y` is read as `x`."""
    for one in [*tree.find_all(exp.Collate)]:
        one.replace(one.this)


def branches_share_where(tree: exp.Expr) -> None:
    """WHERE of one branch is read as that of the other as well, by the places of the columns."""
    for whole in tree.find_all(exp.SetOperation):
        for own, other in ((whole.this, whole.expression), (whole.expression, whole.this)):
            wheres = [one.args.get("where") for one in (own, other)]
            if wheres[1] is None:
                continue
            names = [one.sql() for one in other.expressions]
            moved = wheres[1].this.copy()
            for column in [*moved.find_all(exp.Column)]:
                if column.sql() in names:
                    column.replace(own.expressions[names.index(column.sql())].copy())
            if moved.sql() != wheres[1].this.sql():
                before = [wheres[0].this.copy()] if wheres[0] is not None else []
                own.set("where", exp.Where(this=exp.and_(*before, moved)))
                return


def except_takes_nothing(tree: exp.Expr) -> None:
    """The right of EXCEPT is read as empty."""
    for whole in tree.find_all(exp.Except):
        where = whole.expression.args["where"]
        where.set("this", exp.and_(where.this.copy(), exp.false()))


def unions_without_limit(tree: exp.Expr) -> None:
    """The LIMIT of a set operation is not read."""
    for whole in tree.find_all(exp.SetOperation):
        whole.set("limit", None)


def inner_ctes_under_other_names(tree: exp.Expr) -> None:
    """A CTE that shadows another is read as one that nothing names."""
    taken = set[str]()
    for cte in tree.find_all(exp.CTE):
        if cte.alias in taken:
            cte.set("alias", exp.TableAlias(this=exp.to_identifier("unnamed")))
        taken.add(cte.alias)


def merges_of_what_matches(tree: exp.Expr) -> None:
    """Every WHEN of a MERGE is read as WHEN MATCHED."""
    for when in tree.find_all(exp.When):
        when.set("matched", True)
