"""Tokens of a half-typed statement → its queries: which sources each has, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connstat_sql.shell.completion.tokens import (
    Bracketed,
    Item,
    chain_before,
    chain_from,
    is_cursor,
    is_symbol,
    item_at,
    name_of,
    split,
    text_of,
    word_of,
)

QUERY_STARTS = frozenset({"SELECT", "FROM", "WITH", "VALUES", "PIVOT", "UNPIVOT"})
SET_WORDS = frozenset({"UNION", "EXCEPT", "INTERSECT"})
SOURCE_CLAUSES = frozenset(
    {"FROM", "UPDATE", "INTO", "DESCRIBE", "DESC", "SUMMARIZE", "PIVOT", "UNPIVOT", "REFRESH"}
)
CLAUSES = SOURCE_CLAUSES | frozenset(
    {"SELECT", "WHERE", "GROUP BY", "HAVING", "QUALIFY", "ORDER BY", "LIMIT", "OFFSET", "WINDOW",
     "SET", "VALUES", "RETURNING", "TABLESAMPLE", "SHOW", "USE"}
)  # fmt: skip
JOIN_WORDS = frozenset(
    {"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "OUTER", "NATURAL", "SEMI", "ANTI", "ASOF",
     "POSITIONAL", "LATERAL", "STRAIGHT_JOIN"}
)  # fmt: skip
NO_ALIAS = CLAUSES | JOIN_WORDS | SET_WORDS | {"ON", "USING", "AS", "AND", "OR", "WITH", "TO"}


@dataclass(frozen=True, slots=True)
class FromSource:
    """What a FROM, a JOIN and the like name: a table's name in parts, or a query.

    `alias` is None where there is none; `renamed` are its columns, where the alias names them.
    `unnested` is the column whose elements are its rows (empty: it is no `unnest(column)`).
    """

    parts: tuple[str, ...]
    alias: str | None = None
    query: Query | None = None
    renamed: tuple[str, ...] = ()
    is_function: bool = False
    unnested: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which columns speak of it, or ""."""
        return self.alias or (self.parts[-1] if self.parts else "")


@dataclass(frozen=True, slots=True)
class SelectOutput:
    """A column that a query answers: a name and where it comes from.

    `chain` is the column as written (empty: an expression); `star` stands for all columns of the
    sources, or of the one in `chain`, but for those in `without`.
    """

    name: str
    chain: tuple[str, ...] = ()
    star: bool = False
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause by its first word, "" for what stands before any."""

    word: str
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class SelectScope:
    """One SELECT of a query, or a statement such as UPDATE that has sources too."""

    clauses: tuple[Clause, ...]
    sources: tuple[FromSource, ...]
    outputs: tuple[SelectOutput, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A query: what its WITH names, and its branches between UNION and the like.

    `renamed` are its columns, where the WITH that names it names them.
    """

    named: Mapping[str, Query]
    branches: tuple[SelectScope, ...]
    renamed: tuple[str, ...] = ()


def is_query(group: Bracketed) -> bool:
    """Whether brackets hold a query."""
    first = next((item for item in group.items if not is_cursor(item)), None)
    if isinstance(first, Bracketed):
        return group.bracket == "(" and len(group.items) > 1 and is_query(first)
    return word_of(first) in QUERY_STARTS


def read_query(items: Sequence[Item]) -> Query:
    """What stands in brackets, or a whole statement, as a query."""
    named: dict[str, Query] = {}
    start = next((at for at, item in enumerate(items) if word_of(item) == "WITH"), None)
    rest = list(items)
    if start is not None and all(word_of(item) != "SELECT" for item in items[:start]):
        at = start + 1
        while at < len(items):
            at, name, groups = _named_query(items, at)
            if name is None:
                break
            if groups:
                renamed = _names_in(groups[0]) if len(groups) > 1 else ()
                named[name.lower()] = replace(read_query(groups[-1].items), renamed=renamed)
            if not is_symbol(items[at] if at < len(items) else None, ","):
                break
            at += 1
        rest = [*items[:start], *items[at:]]
    return Query(named, tuple(map(_branch, _branches(rest))))


def _named_query(items: Sequence[Item], at: int) -> tuple[int, str | None, list[Bracketed]]:
    """One `name (columns) AS (query)` of a WITH: where it ends, its name, and its brackets."""
    if word_of(items[at]) == "RECURSIVE":
        at += 1
    name = name_of(item_at(items, at))
    if name is None or word_of(items[at]) in CLAUSES:
        return at, None, []
    at += 1
    groups: list[Bracketed] = []
    while at < len(items):
        item = items[at]
        if isinstance(item, Bracketed):
            groups.append(item)
        elif is_symbol(item, ",") or word_of(item) in CLAUSES or is_cursor(item):
            break
        at += 1
    return at, name, groups


def _names_in(group: Bracketed) -> tuple[str, ...]:
    return tuple(name for name in map(name_of, group.items) if name is not None)


def _branches(items: Sequence[Item]) -> Iterator[list[Item]]:
    branch: list[Item] = []
    for at, item in enumerate(items):
        is_set = word_of(item) in SET_WORDS and not is_symbol(item_at(items, at - 1), "*")
        if is_set:
            yield branch
            branch = []
        else:
            branch.append(item)
    yield branch


def _branch(items: Sequence[Item]) -> SelectScope:
    clauses = tuple(cut_clauses(items))
    sources = [source for clause in clauses for source in _clause_sources(clause)]
    select = next((clause for clause in clauses if clause.word == "SELECT"), None)
    inner = [item for item in items if isinstance(item, Bracketed)]
    if not clauses[1:] and len(inner) == 1 and is_query(inner[0]):  # (SELECT …) in brackets
        sources = [FromSource((), None, read_query(inner[0].items))]
    outputs = (SelectOutput("", star=True),) if select is None else tuple(_outputs(select.items))
    return SelectScope(clauses, tuple(sources), outputs)


def cut_clauses(items: Sequence[Item]) -> Iterator[Clause]:
    """The clauses of one SELECT; the first has no word."""
    word, inside = "", list[Item]()
    for at, item in enumerate(items):
        if word_of(item) in CLAUSES and not _is_plain_word(items, at, word):
            yield Clause(word, inside)
            word, inside = word_of(item), []
        else:
            inside.append(item)
    yield Clause(word, inside)


def _is_plain_word(items: Sequence[Item], at: int, clause: str) -> bool:
    """Whether what looks like the start of a clause is none: `IS DISTINCT FROM`, `t.values`."""
    before, after = item_at(items, at - 1), item_at(items, at + 1)
    if is_symbol(before, ".") or is_symbol(after, "."):
        return True
    word = word_of(items[at])
    if word == "FROM":
        return word_of(before) == "DISTINCT" and word_of(item_at(items, at - 2)) in ("IS", "NOT")
    if word in ("OFFSET", "VALUES", "SET", "DESC", "USE", "SHOW", "REFRESH", "INTO", "LIMIT"):
        return clause in ("SELECT", "WHERE", "GROUP BY", "ORDER BY") and (
            word in ("DESC", "USE", "SHOW", "REFRESH") or (word == "SET" and clause != "UPDATE")
        )
    return word in ("DESCRIBE", "SUMMARIZE") and clause not in {"", "FROM"}


def _clause_sources(clause: Clause) -> Iterator[FromSource]:
    if clause.word in SOURCE_CLAUSES:
        yield from read_sources(clause.items)


def read_sources(items: Sequence[Item]) -> Iterator[FromSource]:
    """What FROM names, with its joins; what is being typed is left out."""
    at, is_wanted = 0, True
    while at < len(items):
        item = items[at]
        if is_symbol(item, ",") or word_of(item) == "JOIN":
            is_wanted = True
        elif word_of(item) in JOIN_WORDS:
            pass
        elif is_wanted and not is_cursor(item):
            at, sources = _source(items, at)
            yield from sources
            is_wanted = False
            continue
        elif is_cursor(item):
            is_wanted = False
        at += 1


def _source(items: Sequence[Item], at: int) -> tuple[int, tuple[FromSource, ...]]:
    """The source that begins here, and where it ends."""
    item = items[at]
    at += 1
    if isinstance(item, Bracketed):
        at, alias, renamed = _alias(items, at)
        if is_query(item):
            return at, (FromSource((), alias, read_query(item.items), renamed),)
        return at, tuple(read_sources(item.items))
    file = text_of(item)
    if file is not None:
        at, alias, renamed = _alias(items, at)
        return at, (FromSource((file,), alias, None, renamed, is_function=True),)
    parts = [name_of(item) or item.text]
    while is_symbol(item_at(items, at), "."):
        name = name_of(item_at(items, at + 1))
        if name is None:
            return at + 1 + is_cursor(item_at(items, at + 1)), ()  # still being typed
        parts.append(name)
        at += 2
    call = item_at(items, at)
    if not isinstance(call, Bracketed):
        at, alias, renamed = _alias(items, at)
        return at, (FromSource(tuple(parts), alias, None, renamed),)
    at, alias, renamed = _alias(items, at + 1)
    unnested = chain_from(call.items)[0] if parts[0].lower() == "unnest" else ()
    return at, (FromSource(tuple(parts), alias, None, renamed, True, unnested),)


def _alias(items: Sequence[Item], at: int) -> tuple[int, str | None, tuple[str, ...]]:
    """`AS name (columns)`: where it ends, the name, the columns."""
    at += word_of(item_at(items, at)) == "AS"
    name = name_of(item_at(items, at))
    if name is None or word_of(items[at]) in NO_ALIAS:
        return at, None, ()
    columns = item_at(items, at + 1)
    if isinstance(columns, Bracketed):
        return at + 2, name, _names_in(columns)
    return at + 1, name, ()


# --- what a SELECT answers ------------------------------------------------------------------------


def _outputs(items: Sequence[Item]) -> Iterator[SelectOutput]:
    for part in split(items):
        output = _output([item for item in part if not is_cursor(item)])
        if output is not None:
            yield output


def _output(part: Sequence[Item]) -> SelectOutput | None:
    while part and word_of(part[0]) in ("DISTINCT", "ALL"):
        part = part[1:]
    if not part:
        return None
    chain, length = chain_from(part)
    rest = part[length:]
    star = is_symbol(part[0], "*") or (bool(chain) and is_symbol(item_at(rest, 0), "*"))
    if star:
        groups = (item for item in part if isinstance(item, Bracketed))
        without = {name.lower() for group in groups for name in _names_in(group)}
        return SelectOutput("", chain, star=True, without=frozenset(without))
    last = name_of(part[-1])
    if len(part) > length and last is not None:
        is_said = word_of(part[-2]) == "AS"
        whole = length == len(part) - 1 - is_said
        is_alias = is_said or word_of(part[-1]) not in ("END", "NULL", "TRUE", "FALSE")
        return SelectOutput(last, chain if whole else ()) if is_alias else None
    return SelectOutput(chain[-1], chain) if chain and length == len(part) else None


# --- what its predicates speak of ----------------------------------------------------------------


def compared_names(items: Sequence[Item]) -> Iterator[tuple[str, str | None]]:
    """Names in lower case, with the text that each is equal to; None where it is no text."""
    for at, item in enumerate(items):
        following = item_at(items, at + 1)
        if isinstance(item, Bracketed):
            is_using = word_of(item_at(items, at - 1)) == "USING"
            if is_using or not is_query(item):
                yield from compared_names(item.items)
            if is_using:
                yield from ((name.lower(), None) for name in _names_in(item))
        elif is_symbol(item, "=") or is_symbol(item, "=="):
            left = chain_before(items, at)
            if left:
                yield ".".join(left).lower(), text_of(following)
            if name_of(following) is not None:
                right, _ = chain_from(items, at + 1)
                yield ".".join(right).lower(), None
        elif word_of(item) in ("IN", "BETWEEN"):
            left = chain_before(items, at)
            if left:
                yield ".".join(left).lower(), None
