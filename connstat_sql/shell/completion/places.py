"""What is wanted at a cursor, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from connstat_sql.shell.completion.scopes import FromSource, Query


class WantedKind(Enum):
    """What kind of thing belongs at the cursor."""

    NOTHING = "nothing"
    STATEMENT = "statement"
    TABLE = "table"
    AFTER_TABLE = "after table"
    OPERAND = "operand"
    OPERATOR = "operator"
    JOIN_COLUMN = "join column"
    VALUE = "value"
    MAP_KEY = "map key"
    FILE = "file"
    PARAMETER = "parameter"
    SHOW = "show"
    PROVIDER = "provider"
    SERVICE = "service"
    STAR_COLUMN = "star column"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class CompletionScope:
    """What names mean at a place: sources from the inside out, and the queries of WITHs.

    `named` are seen by name in lower case. `outputs` keeps their columns, so that a query
    that is mentioned again and again is looked into once; a key of it is an `id`.
    """

    sources: tuple[FromSource, ...] = ()
    named: Mapping[str, Query] = field(default_factory=dict)
    outputs: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CompletionPlace:
    """What is wanted at the cursor, of which `word` has been typed, from `start` on.

    `qualifier` are the parts before it, as in `a.b.|`; `is_element` says that it is an element of
    that: `a.b[1].|`, `unnest(a.b).|`. `clause` is the keyword that rules here.
    `compared` is the column that a value is for. `equalities` are names of columns that predicates
    speak of, with the text that each is equal to. `is_quoted` is true between quotes, `is_closed`
    where they are closed already.
    `scope` is what can be named; `last` the source that was named right before.
    `outputs` are names that the SELECT gives, `clauses` those it has, `parameters` the `$` names
    of the text, and `after` is what stands before the cursor.
    """

    wanted: WantedKind
    word: str = ""
    start: int = 0
    qualifier: tuple[str, ...] = ()
    is_element: bool = False
    clause: str = ""
    compared: tuple[str, ...] = ()
    equalities: Mapping[str, str | None] = field(default_factory=dict)
    is_quoted: bool = False
    is_closed: bool = False
    is_lower: bool = False
    scope: CompletionScope = field(default_factory=CompletionScope)
    last: FromSource | None = None
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    clauses: frozenset[str] = frozenset()
    after: str = ""
