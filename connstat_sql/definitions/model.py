"""What provider definitions say, as frozen values: the vocabulary of the whole package.

The loader builds these from YAML once; everything behind it trusts them. `providers/README.md`
explains the YAML words; here each value says what its fields mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from connstat_sql.definitions.auth import Auth, AuthKind, Sending, TokenRules
from connstat_sql.definitions.bodies import JsonBody
from connstat_sql.definitions.limits import DEFAULT_LIMITS, DEFAULT_RETRIES, Limits, RetryRule
from connstat_sql.definitions.marks import Mark
from connstat_sql.definitions.names import TableName
from connstat_sql.definitions.paging import Paging, PagingStyle
from connstat_sql.definitions.places import (
    KEY,
    InBody,
    InHeader,
    InLastRow,
    Path,
    Source,
    Target,
)
from connstat_sql.definitions.quoting import literal, quote
from connstat_sql.definitions.secret_keys import SecretKeys
from connstat_sql.definitions.spellings import Spelling
from connstat_sql.definitions.sql_types import (
    JSON,
    TIMESTAMPTZ,
    VARCHAR,
    ListOf,
    MapOf,
    Scalar,
    SqlType,
    Struct,
)
from connstat_sql.definitions.templates import Template
from connstat_sql.definitions.versions import VersionRule
from connstat_sql.definitions.views import Part, View

__all__ = [
    "DEFAULT_LIMITS", "DEFAULT_RETRIES", "HIDDEN_COLUMNS", "JSON", "KEY", "TIMESTAMPTZ", "VARCHAR",
    "ArrayStyle", "Auth", "AuthKind", "BoundKeys", "Column", "Filter", "InBody", "InHeader",
    "InLastRow", "JsonBody",
    "Limits", "ListOf", "MapOf", "Mark", "Method", "Mismatch", "Order", "OrderPairs", "Paging",
    "PagingStyle", "Param", "Parent", "Part", "Path", "Provider", "QueryItem", "Redaction",
    "Resource", "RetryRule", "RowsPath", "Scalar", "SecretKeys", "Sending", "Service", "Setting",
    "Shape", "Source", "Spelling", "SqlType", "Struct", "TableName", "Target", "Template",
    "TokenRules", "VersionRule", "View", "literal", "quote",
]  # fmt: skip

HIDDEN_COLUMNS = {
    "_connection": "VARCHAR", "_observed_at": "TIMESTAMP WITH TIME ZONE", "_url": "VARCHAR",
}  # fmt: skip
"""Columns that every live table has besides its own, which `*` leaves out, and their types."""

# --- where rows are in a body ---------------------------------------------------------------------


class Shape(str, Enum):
    """How rows lie in a body."""

    ARRAY = "array"  # [{…}, {…}]
    SCALARS = "scalars"  # ["a", "b"]: the row's only value is at path `$`
    MAP = "map"  # {"name": {…}, …}: the name is at path `$key`
    OBJECT = "object"  # {…}: one row


@dataclass(frozen=True, slots=True)
class RowsPath:
    """Where the rows of a body are.

    `at` are paths into the body, tried in order; `item` leads from each element to the row. With
    `entries` what is found there is a map, and each of its entries a row `{"key": …, "value": …}`.
    """

    shape: Shape = Shape.ARRAY
    at: tuple[Path, ...] = ((),)
    item: Path = ()
    entries: bool = False


# --- columns and parameters ----------------------------------------------------------------------


class Mismatch(str, Enum):
    """What becomes of a value that does not fit the column's declared type."""

    ERROR = "error"
    NULL = "null"
    TEXT = "text"


class Redaction(str, Enum):
    """Which part of a column is a credential."""

    NONE = "none"
    KEYS = "keys"  # values of MAPs inside it whose key names a credential
    VALUE = "value"  # all of it
    TEXT = "text"  # what looks like one, in every text inside it


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Values that a column can have, or the `field` of one that these names lead to.

    `is_closed`: it has no others.
    """

    field: tuple[str, ...]
    texts: tuple[str, ...]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `path` leads to its value in a row unless the method says otherwise.

    `redact_by` names the column whose value says whether this one is a credential (a table of
    `key, value` rows), or is None. `secret_keys` say where the API tells which settings are secret
    (None: nowhere). `spelling` says how the API writes its values (None: as DuckDB reads them).
    `known` are values that it can have, or fields of it (empty: nobody knows).
    """

    name: str
    type: SqlType
    path: Path
    description: str = ""
    mismatch: Mismatch = Mismatch.ERROR
    redaction: Redaction = Redaction.NONE
    redact_by: str | None = None
    secret_keys: SecretKeys | None = None
    spelling: Spelling | None = None
    known: tuple[KnownValues, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """All values that it can have (empty: nobody knows)."""
        return next(
            (values.texts for values in self.known if values.is_closed and not values.field), ()
        )


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a parameter's values live: a column of a table.

    `shared` pairs columns of that table with parameters of ours that hold the same value:
    the clusters of one environment, `(("environment", "environment_id"),)`.
    """

    table: TableName
    column: str
    shared: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Param:
    """An input of a method, and a column of the table.

    `default` is used when the query gives no value (None: there is none). `parent` is where
    values can be enumerated (None: nowhere declared). `allowed` empty means anything goes.
    """

    name: str
    type: Scalar = VARCHAR
    description: str = ""
    default: str | None = None
    allowed: tuple[str, ...] = ()
    parent: Parent | None = None


# --- methods -------------------------------------------------------------------------------------


class ArrayStyle(str, Enum):
    """How several values of one query key are written."""

    REPEATED = "repeated"  # k=a&k=b
    COMMA = "comma"  # k=a,b


@dataclass(frozen=True, slots=True)
class QueryItem:
    """One key of the query string; several `values` are written in the given style."""

    key: str
    values: tuple[Template, ...]
    style: ArrayStyle = ArrayStyle.REPEATED


Sent = Union[str, InBody]
"""Where a predicate's value goes: a key of the query string, or a place in the body."""


OrderPairs = tuple[tuple[Sent, str], ...]
"""What asks for an order: a query key and its value, or a place in the body and its JSON."""


@dataclass(frozen=True, slots=True)
class BoundKeys:
    """The keys that bound a column, each with the text that holds the value (None: no key).

    `at_least` and `at_most` name keys whose own value the API answers too, `above` and `below`
    those whose it does not.
    """

    at_least: tuple[Sent, Template] | None = None
    above: tuple[Sent, Template] | None = None
    at_most: tuple[Sent, Template] | None = None
    below: tuple[Sent, Template] | None = None

    @property
    def keys(self) -> tuple[tuple[Sent, Template] | None, ...]:
        """All of them."""
        return (self.at_least, self.above, self.at_most, self.below)

    @property
    def lower(self) -> tuple[Sent, Template] | None:
        """The key that bounds it from below."""
        return self.at_least or self.above

    @property
    def upper(self) -> tuple[Sent, Template] | None:
        """The key that bounds it from above."""
        return self.at_most or self.below


@dataclass(frozen=True, slots=True)
class Filter:
    """A column whose predicates the API evaluates itself: `column = x` becomes `key=x`.

    The server's answer may be wider than the predicate (DuckDB evaluates it again), never
    narrower. `key` is "" where equality is not passed on. `several` says how an IN list is; None
    means one value only. `bounds` are keys for `<`, `>=` and their like (None: there are none).
    `format` is how times are sent ("": as ISO 8601).
    """

    column: str
    key: Sent
    several: ArrayStyle | None = None
    bounds: BoundKeys | None = None
    format: str = ""

    @property
    def keys(self) -> tuple[Sent, ...]:
        """The keys that it may send."""
        bounds = self.bounds.keys if self.bounds is not None else ()
        return tuple(key for key in (self.key, *(bound[0] for bound in bounds if bound)) if key)


@dataclass(frozen=True, slots=True)
class Order:
    """A column by which the API sorts as DuckDB does: NULL last, both ways.

    `ascending` and `descending` are the query pairs that ask for it, and places in a body with
    their JSON; `()` when it always answers like that, None when it cannot.
    """

    column: str
    ascending: OrderPairs | None = None
    descending: OrderPairs | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One way of asking an API for rows of a resource.

    `base_url` replaces the provider's when it is not None. `columns` overrides where a column is
    in this method's rows, None meaning that it is not served. `fills` says where in a row to find
    parameters that this method does not ask for. `details` names the method to call for each row
    when columns are used that this one does not serve (None: there is no such method).
    `no_row` are statuses that mean "no such row", where the body holds one of `no_row_says` (():
    as the provider says). `incomplete` are the places that tell whether an answer is whole.
    With `is_one_page` it is known that a list has no further pages.
    `known_by` names the method that knows which rows there are: a list that leaves some out gets
    them from there, and a read by key that says nothing of its row is held against it ("": it is
    not needed). `rest_from` names a list that has what is known of those ("": their keys are).
    `confirm_empty` is the path of what is asked where a list has no rows, or its server had failed:
    it counts only where that answers with success (None: it does).
    `since` is the first version of the server that has it ("": every one). `fallback` names what
    an older one is asked instead: a method whose rows these are, and others that are asked for
    each of its rows, for the columns that those before them do not serve. One that is not
    `is_standalone` answers no query by itself. `limit` names the
    family of methods whose limits its requests keep ("": none). A POST has a `body`, or the items
    of a `form`. `required` are the parameters it cannot be called without, each once.
    """

    name: str
    path: Template
    verb: str = "GET"
    base_url: Template | None = None
    query: tuple[QueryItem, ...] = ()
    headers: tuple[tuple[str, Template], ...] = ()
    body: JsonBody | None = None
    rows: RowsPath = RowsPath()
    columns: Mapping[str, Path | None] = field(default_factory=dict)
    fills: Mapping[str, Path] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    paging: Paging | None = None
    details: str | None = None
    no_row: frozenset[int] = frozenset()
    no_row_says: tuple[str, ...] = ()
    incomplete: tuple[Mark, ...] = ()
    is_one_page: bool = False
    known_by: str = ""
    rest_from: str = ""
    confirm_empty: Template | None = None
    since: str = ""
    fallback: tuple[str, ...] = ()
    is_standalone: bool = True
    limit: str = ""
    form: tuple[QueryItem, ...] = ()
    required: tuple[str, ...] = field(init=False, repr=False, compare=False)

    @property
    def in_its_place(self) -> str:
        """What an older server is asked instead, in words."""
        first, *others = self.fallback
        return f"by {first}" + (f", then {' and '.join(others)} for each row" if others else "")

    def __post_init__(self) -> None:
        templates = [self.path, *(value for item in self.query for value in item.values)]
        templates += [value for _, value in self.headers]
        if self.base_url is not None:
            templates.insert(0, self.base_url)
        templates += [value for item in self.form for value in item.values]
        names = dict.fromkeys(name for template in templates for name in template.params)
        names |= dict.fromkeys(self.body.params if self.body is not None else ())
        object.__setattr__(self, "required", tuple(names))


@dataclass(frozen=True, slots=True)
class Resource:
    """A table's definition: its columns, then its parameters, and the methods that serve it.

    `view` says what it is made of where no method serves it (None: methods do).
    """

    table: TableName
    description: str
    columns: tuple[Column, ...]
    params: tuple[Param, ...]
    methods: tuple[Method, ...]
    example: str = ""
    view: View | None = None

    @property
    def all_columns(self) -> tuple[Column | Param, ...]:
        """What `SELECT *` gives: the declared columns, then the parameters."""
        return (*self.columns, *self.params)

    @property
    def choices(self) -> tuple[Method, ...]:
        """The methods that a query may be answered by; others are asked for these alone."""
        return tuple(method for method in self.methods if method.is_standalone)

    def param(self, name: str) -> Param | None:
        """The parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def column(self, name: str) -> Column | None:
        """The column of that name, or None; parameters are not among them."""
        return next((column for column in self.columns if column.name == name), None)

    def method(self, name: str) -> Method:
        """The method of that name; the loader has checked that it exists."""
        return next(method for method in self.methods if method.name == name)

    def method_asked_by(self, param: str, others: Collection[str]) -> Method | None:
        """The method without pages that asks for a parameter, and for none but some of others."""
        for method in self.methods:
            if method.paging is None and {param} <= {*method.required} <= {param, *others}:
                return method
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """The resources of one definition file."""

    provider: str
    name: str
    description: str
    resources: Mapping[str, Resource]


# --- providers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """Something a connection must or may say, such as a key.

    `env` is the variable that supplies it without a configuration file (None: none does).
    """

    name: str
    env: str | None = None
    is_secret: bool = False
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """How to talk to one kind of API, and the names of its services.

    `errors` are paths to the message in an error body, tried in order; `error_mark` is text that
    the API's own error bodies hold, so that those of others are told apart ("": it is not known).
    `no_row_says` and `incomplete` are for every method. `failed` are the places in the body of a
    success that say it is an error. With `follows_redirects`, a GET is sent once more where the
    answer leads to another path of the same origin. `path_rejects` are characters that the
    server does not accept in a path segment even when percent-encoded.
    `trusted_hosts` are globs of hosts, found in rows, that may get our credentials.
    `server_version` says where a server tells its version (None: nowhere).
    """

    name: str
    description: str
    base_url: str
    settings: tuple[Setting, ...]
    auth: tuple[Auth, ...]
    services: tuple[str, ...]
    headers: tuple[tuple[str, Template], ...] = ()
    errors: tuple[Path, ...] = ()
    error_mark: str = ""
    no_row_says: tuple[str, ...] = ()
    incomplete: tuple[Mark, ...] = ()
    failed: tuple[Mark, ...] = ()
    retries: tuple[RetryRule, ...] = DEFAULT_RETRIES
    trusted_hosts: tuple[str, ...] = ()
    path_rejects: str = ""
    limits: Limits = DEFAULT_LIMITS
    probe: TableName | None = None
    follows_redirects: bool = False
    server_version: VersionRule | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that supply settings, by the settings' names."""
        return {setting.name: setting.env for setting in self.settings if setting.env}

    @property
    def ways_to_connect(self) -> tuple[tuple[str, ...], ...]:
        """The variables that suffice for a connection, each set of them by itself; fewest first.

        What a way to authenticate needs, and the URL where the definition does not say one.
        """
        variables = self.variables
        said = {setting.name for setting in self.settings if setting.default is not None}
        if self.base_url:
            said.add("base_url")
        alternatives = []
        for auth in self.auth:
            needed = dict.fromkeys(("base_url", *auth.settings))
            names = [name for name in needed if name not in said]
            if names and all(name in variables for name in names):
                alternatives.append(tuple(variables[name] for name in names))
        least = [
            names
            for names in alternatives
            if not any(set(other) < set(names) for other in alternatives)
        ]
        return tuple(sorted(dict.fromkeys(least), key=len))
