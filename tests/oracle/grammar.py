"""Random SQL over the made-up provider: every shape that the rules speak of, and odd spellings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.predicates import Columns, Constants, Predicates
from tests.oracle.world import HAS_PARENTS, HOSTS, PARAMS, TABLES

_JOINS = (
    "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN",
    "ANTI JOIN", "CROSS JOIN", ",", "NATURAL JOIN", "NATURAL LEFT JOIN",
)  # fmt: skip
_COMMENTS = ("", "", "", " /* é 日本 */", " -- it's zoo.w.items\n")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, its arguments, and every value that it says in any form."""

    sql: str
    arguments: Any
    said: frozenset[str]
    names_hidden: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of a FROM clause; `table` is the live table's name, "" for anything else."""

    sql: str
    name: str
    columns: Columns
    table: str


def random_query(chance: random.Random) -> Query:
    """One statement."""
    hidden = chance.random() < 0.1
    grammar = _Grammar(chance, hidden)
    sql, arguments = grammar.constants.settled(grammar.statement())
    return Query(sql, arguments, frozenset(grammar.constants.said), hidden)


@dataclass
class _Grammar:
    chance: random.Random
    hidden: bool
    constants: Constants = field(init=False)
    predicates: Predicates = field(init=False)
    names: int = 0
    heads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # not both in one statement: they are two scans, and what they share is then asked twice
        self.heads = self.chance.choice((("zoo",), ("zoo",), tuple(HOSTS)))
        self.constants = Constants(self.chance)
        self.predicates = Predicates(self.chance, self.constants)

    def statement(self) -> str:
        """A query: plain, over a CTE, or a set operation."""
        dice = self.chance.random()
        if dice < 0.12:
            inner, columns = self.select(())
            name = self.name("c")
            outer = Source(name, name, columns, "")
            body = self.block((outer,), (), stars=True)[0]
            return f"WITH {name} AS ({inner}) {body}"
        if dice < 0.22:
            word = self.chance.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
            left, columns = self.select((), width=1)
            right, _ = self.select((), width=1)
            return f"{left} {word} {right}" if columns else left
        return self.select(())[0]

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # --- blocks --------------------------------------------------------------------------------

    def select(self, outer: Sequence[Source], width: int = 0) -> tuple[str, Columns]:
        """A SELECT over one to three sources; `width` columns when that matters."""
        count = self.chance.choice((1, 1, 1, 2, 2, 3)) if not outer else 1
        sources = [self.source(depth=len(outer)) for _ in range(count)]
        return self.block(sources, outer, width=width)

    def block(
        self, sources: Sequence[Source], outer: Sequence[Source], *, width: int = 0,
        stars: bool = False,
    ) -> tuple[str, Columns]:  # fmt: skip
        clause, scope, is_odd = self.joined(sources)
        where = [] if is_odd and self.chance.random() < 0.3 else [self.where(scope, outer)]
        where += self.bound(scope)
        if self.chance.random() < 0.15 and not outer:
            where.append(self.subquery(scope))
        where = [one for one in where if one]
        self.chance.shuffle(where)
        text = f" WHERE {' AND '.join(where)}" if where else ""
        head, tail, columns = self.head(scope, width, stars or self.chance.random() < 0.3)
        comment = self.chance.choice(_COMMENTS)
        if head == "*" and tail == "" and self.chance.random() < 0.3:
            return f"FROM {clause}{text}", columns
        return f"SELECT {head}{comment} FROM {clause}{text}{tail}", columns

    def where(self, scope: Sequence[Source], outer: Sequence[Source]) -> str:
        if self.chance.random() < 0.2:
            return ""
        fields = self.fields(scope)
        if outer and self.chance.random() < 0.7:
            theirs = self.fields(outer)
            ours, of = self.chance.choice(fields)
            fitting = [name for name, other in theirs if other == of]
            if fitting:
                return f"{ours} = {self.chance.choice(fitting)}"
        return self.predicates.any(fields, depth=2)

    def bound(self, scope: Sequence[Source]) -> list[str]:
        """Equalities for the parameters of most mentions, so that many queries are answered."""
        found = []
        for source in scope:
            rarely = source.table in HAS_PARENTS
            for param in PARAMS.get(source.table, ()):
                if self.chance.random() < (0.4 if rarely else 0.85):
                    of = dict(source.columns).get(param)
                    if of is not None:
                        found.append(self.predicates.binding(f"{source.name}.{param}", of))
        pairs = [s for s in scope if {"grp", "part"} <= dict(s.columns).keys()]
        if pairs and self.chance.random() < 0.3:
            found.append(self.predicates.tuple_binding(pairs[0].name))
        return found

    def fields(self, scope: Sequence[Source]) -> Columns:
        """Columns as they may be written: mostly qualified."""
        names = [name for source in scope for name, _ in source.columns]
        found = []
        for source in scope:
            for name, of in source.columns:
                is_bare = self.chance.random() < (0.5 if names.count(name) == 1 else 0.1)
                found.append((name if is_bare else f"{source.name}.{name}", of))
        return tuple(found)

    def head(self, scope: Sequence[Source], width: int, stars: bool) -> tuple[str, str, Columns]:
        """The select list, what follows WHERE, and the columns that come out."""
        named = [(f"{s.name}.{name}", name, of) for s in scope for name, of in s.columns]
        if width:
            texts = [one for one in named if one[2] == "VARCHAR"] or named
            sql = self.chance.choice(texts)[0]
            return f"CAST({sql} AS VARCHAR) AS o", "", (("o", "VARCHAR"),)
        if stars and not self.hidden and len(scope) == 1 and self.chance.random() < 0.6:
            return "*", "", scope[0].columns
        chosen = self.chance.sample(named, min(len(named), self.chance.choice((1, 2, 3))))
        out = tuple((f"o{i}", of) for i, (_, _, of) in enumerate(chosen))
        listed = ", ".join(f"{sql} AS o{i}" for i, (sql, _, _) in enumerate(chosen))
        dice = self.chance.random()
        if dice < 0.12:
            return f"{listed}, count(*) AS k", " GROUP BY ALL", (*out, ("k", "BIGINT"))
        if dice < 0.2:
            return f"DISTINCT {listed}", "", out
        if dice < 0.28:
            return listed, f" ORDER BY ALL LIMIT {self.chance.choice((1, 2, 3))}", out
        if dice < 0.36:
            over = f"count(*) OVER (PARTITION BY {chosen[0][0]})"
            return f"{listed}, {over} AS k", " QUALIFY k > 1", (*out, ("k", "BIGINT"))
        if dice < 0.42:
            return "count(*) AS k", "", (("k", "BIGINT"),)
        if dice < 0.47:
            return f"'a' AS {chosen[0][1]}", "", ((chosen[0][1], "VARCHAR"),)
        return listed, "", out

    # --- FROM ----------------------------------------------------------------------------------

    def joined(self, sources: Sequence[Source]) -> tuple[str, list[Source], bool]:
        """FROM with joins; the sources that WHERE sees; whether a join was an odd one."""
        is_single = len(sources) == 1 and sources[0].table != "" and "zoo" not in self.heads
        if is_single and self.chance.random() < 0.25:
            return self.asof(sources[0])
        clause, scope, is_odd = sources[0].sql, [sources[0]], False
        for source in sources[1:]:
            kind = self.chance.choice(_JOINS)
            if kind.startswith("NATURAL") and self.hidden:
                kind = "JOIN"
            on = ""
            if not (kind == "," or kind.startswith(("CROSS", "NATURAL"))):
                on = self.on([*scope, source], scope, source)
            clause += f"{kind} {source.sql}{on}" if kind == "," else f" {kind} {source.sql}{on}"
            is_odd |= kind not in ("JOIN", "INNER JOIN", ",")
            if not kind.startswith(("SEMI", "ANTI")):
                scope = [*scope, source]
        return clause, scope, is_odd

    def on(self, scope: Sequence[Source], left: Sequence[Source], right: Source) -> str:
        theirs = {name: of for s in left for name, of in s.columns}
        common = [name for name, of in right.columns if theirs.get(name) == of]
        if common and self.chance.random() < 0.3:
            return f" USING ({', '.join(common[: self.chance.choice((1, 2))])})"
        parts = []
        pairs = [
            f"{s.name}.{a} = {right.name}.{b}"
            for s in left
            for a, x in s.columns
            for b, y in right.columns
            if x == y
        ]
        if pairs and self.chance.random() < 0.8:
            parts += self.chance.sample(pairs, min(len(pairs), self.chance.choice((1, 1, 2))))
        if not parts or self.chance.random() < 0.6:
            parts.append(self.predicates.any(self.fields(scope), depth=1))
        if self.chance.random() < 0.4:
            parts += self.bound([right])
        return f" ON {' AND '.join(parts)}"

    def asof(self, left: Source) -> tuple[str, list[Source], bool]:
        """An ASOF join whose right side has no ties."""
        texts = [name for name, of in left.columns if of == "VARCHAR"]
        numbers = [name for name, of in left.columns if of == "INTEGER"]
        side = self.chance.choice(("", "LEFT "))
        connection = self.heads[0]
        if numbers and self.chance.random() < 0.4:
            right = self.mention("codes", f"{connection}.w.codes", "r")
            nearest = f"{left.name}.{self.chance.choice(numbers)} >= r.code"
            equal = f"{left.name}.{self.chance.choice(texts)} = r.lang"
        else:
            right = self.mention("subs", f"{connection}.w.subs", "r")
            nearest = f"{left.name}.{self.chance.choice(texts)} >= r.grp"
            equal = f"{left.name}.{self.chance.choice(texts)} = r.sub"
        return (
            f"{left.sql} ASOF {side}JOIN {right.sql} ON {equal} AND {nearest}",
            [left, right],
            True,
        )

    def mention(self, table: str, path: str, name: str) -> Source:
        columns = tuple(TABLES[table].items())
        if self.hidden:
            columns = (*columns, ("_connection", "VARCHAR"))
        return Source(f"{path} AS {name}", name, columns, table)

    def source(self, depth: int) -> Source:
        dice = self.chance.random()
        if dice < 0.12:
            return self.listed()
        if dice < 0.2 and depth == 0:
            inner, columns = self.select((Source("", "", (), ""),))
            name = self.name("d")
            return Source(f"({inner}) AS {name}", name, columns, "")
        table = self.chance.choice(("groups", "subs", "subs", "items", "items", "days", "codes"))
        path = f"{self.chance.choice(self.heads)}.w.{table}"
        spelling = self.chance.random()
        if spelling < 0.1:
            path = path.upper()
        elif spelling < 0.2:
            path = ".".join(f'"{part}"' for part in path.split("."))
        columns = tuple(TABLES[table].items())
        if self.hidden:
            columns = (*columns, ("_connection", "VARCHAR"))
        name = self.name("t")
        form = self.chance.random()
        if form < 0.08 and not self.hidden:
            renamed = self.renamed(columns)
            listed = ", ".join(one for one, _ in renamed)
            return Source(f"{path} AS {name}({listed})", name, renamed, "")
        if form < 0.14:
            return Source(f"{name}: {path}", name, columns, table)
        if form < 0.18 and spelling >= 0.2:
            return Source(path, path, columns, table)
        return Source(f"{path}{self.chance.choice((' AS ', ' '))}{name}", name, columns, table)

    def renamed(self, columns: Columns) -> Columns:
        """The same columns under each other's names."""
        names = [name for name, _ in columns]
        self.chance.shuffle(names)
        return tuple((name, of) for name, (_, of) in zip(names, columns, strict=True))

    def listed(self) -> Source:
        name = self.name("v")
        rows = [
            f"({self.constants.text()}, {self.constants.number()})"
            for _ in range(self.chance.choice((1, 2, 3)))
        ]
        first = self.chance.choice(("grp", "part", "x"))
        columns = ((first, "VARCHAR"), ("k", "INTEGER"))
        return Source(f"(VALUES {', '.join(rows)}) AS {name}({first}, k)", name, columns, "")

    def subquery(self, scope: Sequence[Source]) -> str:
        """A subquery as a conjunct: IN, EXISTS or scalar, correlated or not."""
        texts = [name for name, of in self.fields(scope) if of == "VARCHAR"]
        dice = self.chance.random()
        if dice < 0.4 and texts:
            inner, _ = self.select((Source("", "", (), ""),), width=1)
            word = self.chance.choice(("IN", "IN", "NOT IN"))
            return f"{self.chance.choice(texts)} {word} ({inner})"
        if dice < 0.8:
            inner, _ = self.select(tuple(scope), width=1)
            return f"{self.chance.choice(('', 'NOT '))}EXISTS ({inner})"
        if texts:
            inner, _ = self.select((Source("", "", (), ""),), width=1)
            return f"{self.chance.choice(texts)} = (SELECT max(o) FROM ({inner}))"
        return ""
