"""Subqueries as conjuncts and as values: IN, ANY, EXISTS and scalars, correlated or not."""

from __future__ import annotations

from tests.oracle.expressions import alike
from tests.oracle.pieces import Writer
from tests.oracle.predicates import Columns
from tests.oracle.sources import mention


def conjunct(w: Writer, depth: int, fields: Columns) -> list[str]:
    """A conjunct that holds a subquery over columns of the block; none when nothing fits."""
    found = condition(w, depth, fields)
    if found and w.maybe(0.12):
        return [f"({found} OR {w.predicates.any(fields, 0)})"]
    return [found] if found else []


def condition(w: Writer, depth: int, fields: Columns) -> str:
    """A truth that a subquery tells."""
    texts = alike(fields, "VARCHAR")
    dice = w.chance.random()
    if dice < 0.38 and texts:
        outer = fields if w.maybe(0.2) else ()
        made = w.select(w, depth, outer=outer, types=("VARCHAR",))
        word = w.pick("IN", "IN", "IN", "NOT IN", "= ANY", "<> ALL")
        return f"{w.pick(*texts)} {word} ({made.sql})"
    if dice < 0.48 and len(texts) > 1:
        made = w.select(w, depth, types=("VARCHAR", "VARCHAR"))
        word = w.pick("IN", "IN", "NOT IN")
        return f"({', '.join(w.some(texts, 2))}) {word} ({made.sql})"
    if dice < 0.52 and w.left > 0:
        return _tested_lines(w)
    if dice < 0.8:
        made = w.select(w, depth, outer=fields, types=("VARCHAR",))
        return f"{w.pick('', '', 'NOT ')}EXISTS ({made.sql})"
    if dice < 0.9 and texts:
        return f"{w.pick(*texts)} {w.pick('=', '=', '>=')} {scalar(w, depth, ())}"
    return f"{number(w, depth, fields)} {w.pick('>= 1', '= 0', '< 2')}"


def _tested_lines(w: Writer) -> str:
    """Whether there is any line of some groups, or any of those that a predicate leaves."""
    inner = mention(w, "lines")
    columns = tuple(one for one in inner.fields if not one[0].endswith("_connection"))
    where = [w.predicates.binding(f"{inner.name}.grp", "VARCHAR")] if w.maybe(0.8) else []
    where += [w.predicates.any(columns, 0)] if w.maybe(0.4) else []
    tail = f" WHERE {' AND '.join(where)}" if where else ""
    limit = w.pick("", "", " LIMIT 1", " LIMIT 1 OFFSET 4", " LIMIT 0")
    return f"{w.pick('', 'NOT ')}EXISTS ({w.pick('', 'SELECT 1 ')}FROM {inner.sql}{tail}{limit})"


def scalar(w: Writer, depth: int, fields: Columns) -> str:
    """A text out of a subquery."""
    made = w.select(w, depth, outer=fields, types=("VARCHAR",))
    return f"(SELECT {w.pick('max', 'min')}(o0) FROM ({made.sql}))"


def number(w: Writer, depth: int, fields: Columns) -> str:
    """A count out of a correlated subquery."""
    made = w.select(w, depth, outer=fields, types=("VARCHAR",))
    return f"(SELECT count(*) FROM ({made.sql}))"
