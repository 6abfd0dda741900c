"""What a SELECT makes of its rows: lists, groups, windows, DISTINCT, LIMIT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.oracle.expressions import alike, value_from
from tests.oracle.joins import From, Want
from tests.oracle.pieces import Writer
from tests.oracle.predicates import Columns
from tests.oracle.subqueries import condition, number, scalar


@dataclass(frozen=True, slots=True)
class Head:
    """A select list, what follows WHERE, and the columns; `wants` are left to the reader."""

    listed: str
    tail: str
    columns: Columns
    wants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Out:
    """Output columns: expressions and their names; the first `keys` must stay recognisable."""

    texts: tuple[str, ...]
    columns: Columns
    wants: tuple[str, ...]

    @property
    def listed(self) -> str:
        pairs = zip(self.texts, self.columns, strict=True)
        return ", ".join(f"{text} AS {name}" for text, (name, _) in pairs)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]


@dataclass(frozen=True, slots=True)
class _Task:
    w: Writer
    found: From
    out: _Out
    depth: int


def head(w: Writer, found: From, exposed: Sequence[Want], depth: int, *, is_inner: bool) -> Head:
    """A head of any shape; what is exposed stays a column that may be restricted from outside."""
    out = _chosen(w, found, exposed)
    is_star = not w.hidden and not found.starless and len(found.scope) == 1 and w.maybe(0.35)
    if is_star:
        listed, columns = "*", found.scope[0].columns
        if w.tables.isdisjoint({"wares"}) or w.says_state:
            wants = tuple(want.rpartition(".")[2] for _, want, _ in exposed)
            return Head(w.pick(listed, f"{found.scope[0].name}.*"), "", columns, wants)
    shapes: list[Callable[[_Task], Head]] = [_plain, _plain, _plain, _plain]
    if not is_inner:
        shapes += [_grouped, _grouped, _distinct, _distinct_on, _windowed, _ranked]
        if not exposed:
            shapes += [_rolled_up, _limited, _counted, _over_all]
    return w.pick(*shapes)(_Task(w, found, out, depth))


def typed_head(
    w: Writer, found: From, types: Sequence[str], exposed: Sequence[Want], *, by_name: bool = False
) -> Head:
    """A head with columns of the given types, called o0, o1, …

    `by_name`: they are matched by their names, so that their order does not count, and one may be
    absent.
    """
    texts, wants = [], []
    for index, of in enumerate(types):
        if index == 0 and exposed:
            texts.append(exposed[0][1])
            wants.append("o0")
            continue
        value = value_from(w, found.fields, of) if w.maybe(0.75) else ""
        texts.append(_as(w, value, of) if value else _fixed(w, of))
    columns = tuple((f"o{index}", of) for index, of in enumerate(types))
    pairs = [f"{text} AS o{index}" for index, text in enumerate(texts)]
    if by_name and not wants:
        w.chance.shuffle(pairs)
        pairs = pairs[: w.pick(len(pairs), len(pairs), max(len(pairs) - 1, 1))]
    return Head(w.pick("", "", "", "DISTINCT ") + ", ".join(pairs), "", columns, tuple(wants))


def _as(w: Writer, value: str, of: str) -> str:
    """A value as a type; a text may well stand as it is."""
    return value if of == "VARCHAR" and w.maybe(0.5) else f"CAST({value} AS {of})"


def _fixed(w: Writer, of: str) -> str:
    """What is the same in all rows: a branch of a union that nobody may want."""
    dice = w.chance.random()
    if dice < 0.2:
        return w.pick("NULL", f"CAST(NULL AS {of})")
    if dice < 0.5 and of == "VARCHAR":
        w.constants.said.update(("A", "a", "5"))
        return w.pick("'a'", "'A'", "'5'", "5", "DATE '2026-01-01'") if dice < 0.25 else "'a'"
    return _as(w, w.constants.of(of), of)


def _chosen(w: Writer, found: From, exposed: Sequence[Want]) -> _Out:
    """A few columns, what is exposed first, under new names or their own."""
    first = [(field, of) for _, field, of in exposed]
    others = [one for one in found.fields if one not in first]
    chosen = [*first, *w.some(others, 1, 2, 3)]
    keeps = w.maybe(0.5)
    columns: list[tuple[str, str]] = []
    for index, (field, of) in enumerate(chosen):
        own = field.rpartition(".")[2]
        is_free = own not in {"_connection", *(name for name, _ in columns)}
        columns.append((own if keeps and is_free else f"o{index}", of))
    wants = tuple(name for name, _ in columns[: len(first)])
    return _Out(tuple(field for field, _ in chosen), tuple(columns), wants)


# --- shapes --------------------------------------------------------------------------------------


def _plain(at: _Task) -> Head:
    dice = at.w.chance.random()
    text, kind = "", ""
    if dice < 0.08 and at.depth > 0 and at.w.left > 0:
        form = at.w.pick(number, condition, scalar)
        kind = {number: "BIGINT", condition: "BOOLEAN", scalar: "VARCHAR"}[form]
        text = form(at.w, 0, at.found.fields)
    elif dice < 0.16:
        text, kind = value_from(at.w, at.found.fields, "VARCHAR"), "VARCHAR"
    elif dice < 0.3:
        text, kind = at.w.pick(
            ("'a'", "VARCHAR"), ("'a'", "VARCHAR"), ("CAST(NULL AS VARCHAR)", "VARCHAR"),
            ("5", "INTEGER"), ("concat('A', '')", "VARCHAR"), ("random() < 2", "BOOLEAN"),
            ("unnest(['a', '5'])", "VARCHAR"),
        )  # fmt: skip
    if not text:
        return Head(at.out.listed, "", at.out.columns, at.out.wants)
    name = at.w.name("e")
    columns = (*at.out.columns, (name, kind))
    return Head(f"{at.out.listed}, {text} AS {name}", "", columns, at.out.wants)


def _grouped(at: _Task) -> Head:
    by = at.w.pick(
        "ALL", ", ".join(at.out.texts), ", ".join(str(i + 1) for i in range(len(at.out.texts)))
    )
    listed, more = _aggregates(at.w, at.found)
    having = _having(at) if at.w.maybe(0.25) else ""
    return Head(
        f"{at.out.listed}{listed}",
        f" GROUP BY {by}{having}",
        (*at.out.columns, *more),
        at.out.wants,
    )


def _aggregates(w: Writer, found: From) -> tuple[str, Columns]:
    count = w.name("k")
    listed, columns = f", count(*) AS {count}", [(count, "BIGINT")]
    texts, numbers = alike(found.fields, "VARCHAR"), alike(found.fields, "INTEGER")
    if texts and w.maybe(0.4):
        columns.append((w.name("m"), "VARCHAR"))
        listed += f", {w.pick('min', 'max')}({w.pick(*texts)}) AS {columns[-1][0]}"
    if numbers and w.maybe(0.3):
        column = w.pick(*numbers)
        listed += ", " + w.pick("sum({0})", "count(DISTINCT {0})", "max({0})").format(column)
        columns.append((w.name("s"), "BIGINT"))
        listed += f" AS {columns[-1][0]}"
    return listed, tuple(columns)


def _having(at: _Task) -> str:
    texts = alike(at.found.fields, "VARCHAR")
    forms = ["count(*) > 1", "count(*) >= 0", "false"]
    forms += [
        at.w.predicates.any(((text, of[1]),), 0)
        for text, of in zip(at.out.texts, at.out.columns, strict=True)
    ]
    if texts:
        forms.append(f"max({at.w.pick(*texts)}) {at.w.pick('=', '>=')} {at.w.constants.text()}")
    if at.depth > 0 and at.w.left > 0 and at.w.maybe(0.3):
        forms = [f"count(*) >= {number(at.w, 0, ())}"]
        if at.out.columns[0][1] == "VARCHAR":
            made = at.w.select(at.w, 0, types=("VARCHAR",))
            forms.append(f"{at.out.texts[0]} IN ({made.sql})")
    return f" HAVING {at.w.pick(*forms)}"


def _rolled_up(at: _Task) -> Head:
    keys = list(at.out.texts)
    sets = ", ".join(f"({', '.join(at.w.some(keys, 0, 1, 2))})" for _ in range(2))
    form = at.w.pick("ROLLUP ({0})", "CUBE ({0})", "GROUPING SETS (({0}), {1})")
    by = form.format(", ".join(keys), sets)
    listed, more = _aggregates(at.w, at.found)
    having = _having(at) if at.w.maybe(0.15) else ""
    return Head(f"{at.out.listed}{listed}", f" GROUP BY {by}{having}", (*at.out.columns, *more))


def _distinct(at: _Task) -> Head:
    return Head(f"DISTINCT {at.out.listed}", "", at.out.columns, at.out.wants)


def _distinct_on(at: _Task) -> Head:
    keys = max(len(at.out.wants), 1)
    on = ", ".join(at.out.texts[:keys])
    order = at.w.pick(" ORDER BY ALL", " ORDER BY ALL DESC")
    return Head(f"DISTINCT ON ({on}) {at.out.listed}", order, at.out.columns, at.out.wants)


def _partition(at: _Task) -> str:
    """PARTITION BY what is exposed, and perhaps something else."""
    keys = list(at.out.texts[: len(at.out.wants)]) or [at.w.pick(*at.out.texts)]
    if at.w.maybe(0.2):
        keys.append(at.w.pick(*at.found.fields)[0])
    return ", ".join(keys)


def _windowed(at: _Task) -> Head:
    over = f"OVER (PARTITION BY {_partition(at)})"
    numbers = alike(at.found.fields, "INTEGER")
    call = f"sum({at.w.pick(*numbers)})" if numbers and at.w.maybe(0.3) else "count(*)"
    tails = ("", " QUALIFY {0} > 1", f" QUALIFY count(*) {over} = 1")
    return _with_window(at.w, at.out, f"{call} {over}", _qualified(at, tails), at.out.wants)


def _ranked(at: _Task) -> Head:
    """Row numbers: rows that tie in all columns may change places, and nobody sees it."""
    order = ", ".join(at.w.some(at.out.texts, len(at.out.texts)))
    keys = list(at.out.texts[: len(at.out.wants)]) or [at.out.texts[0]]
    over = f"OVER (PARTITION BY {', '.join(keys)} ORDER BY {order})"
    call = at.w.pick("row_number()", "rank()", "dense_rank()")
    tail = _qualified(at, ("", " QUALIFY {0} = 1", " QUALIFY {0} <= 2"))
    return _with_window(at.w, at.out, f"{call} {over}", tail, at.out.wants)


def _over_all(at: _Task) -> Head:
    """A window over all rows: nothing may be taken from below it."""
    order = ", ".join(at.out.texts)
    call = at.w.pick("count(*) OVER ()", f"row_number() OVER (ORDER BY {order})")
    return _with_window(at.w, at.out, call, _qualified(at, ("", " QUALIFY {0} >= 1")), ())


def _qualified(at: _Task, tails: Sequence[str]) -> str:
    """One of several tails, at times with a predicate on a column beside what a window says."""
    tail = at.w.pick(*tails)
    if not tail or at.w.maybe(0.6):
        return tail
    name, of = at.w.pick(*at.out.columns)
    text = at.w.pick(name, dict(zip(dict(at.out.columns), at.out.texts, strict=False))[name])
    return f"{tail} AND {at.w.predicates.plain(text, of)}"


def _with_window(w: Writer, out: _Out, call: str, tail: str, wants: tuple[str, ...]) -> Head:
    name = w.name("k")
    columns = (*out.columns, (name, "BIGINT"))
    return Head(f"{out.listed}, {call} AS {name}", tail.replace("{0}", name), columns, wants)


def _limited(at: _Task) -> Head:
    order = at.w.pick("ALL", "ALL DESC", ", ".join(str(i + 1) for i in range(len(at.out.texts))))
    offset = at.w.pick("", "", " OFFSET 1")
    return Head(
        at.out.listed, f" ORDER BY {order} LIMIT {at.w.pick(1, 2, 3)}{offset}", at.out.columns
    )


def _counted(at: _Task) -> Head:
    listed, columns = _aggregates(at.w, at.found)
    return Head(listed.removeprefix(", "), "", columns)
