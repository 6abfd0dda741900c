"""The words of the kinds of YAML file, as msgspec structs.

From these come both the fast way in (`msgspec.convert`) and the published JSON Schema.
Defaults here are the vocabulary's own; nothing is filled in by validation.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

PathText = Union[str, list[str]]
Statuses = list[Annotated[int, Meta(ge=100, le=599)]]


def _about(text: str, *examples: Any) -> Meta:
    return Meta(description=text, examples=list(examples) or None)


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all: frozen, and an unknown key is a fault."""


class SettingDocument(_Document, frozen=True):
    """Something a connection must or may say."""

    env: Annotated[str | None, _about("environment variable that supplies it")] = None
    secret: Annotated[bool, _about("never shown")] = False
    default: str | None = None
    description: str = ""


class BasicDocument(_Document, frozen=True):
    username: str
    password: str


class BearerDocument(_Document, frozen=True):
    token: str


class HeaderDocument(_Document, frozen=True):
    name: str
    value: str


class QueryAuthDocument(_Document, frozen=True):
    """A key in the query string of every request; it is shown nowhere."""

    name: Annotated[str, _about("key of the query string", "apikey")]
    value: Annotated[str, _about("text with settings in braces", "{api_key}")]


class ClientCredentialsDocument(_Document, frozen=True):
    """OAuth 2.0 client credentials: a token that is fetched when it is needed."""

    token_url: Annotated[str, _about("where tokens come from", "{token_url}")]
    client_id: Annotated[str, _about("client id", "{client_id}")]
    client_secret: Annotated[str, _about("its secret", "{client_secret}")]
    send: Annotated[
        Literal["form", "json", "basic"],
        _about(
            "how client id and secret are sent: in a form, in a JSON object, or as HTTP Basic",
            "json",
        ),
    ] = "form"
    fields: Annotated[
        dict[str, str | None],
        _about(
            "further fields of the token request, or other values for its own; null leaves one out",
            {"scope": "read", "audience": "https://api.example.com"},
        ),
    ] = {}
    token: Annotated[PathText, _about("where the token is in the answer", "data.token")] = (
        "access_token"
    )
    expires_in: Annotated[
        PathText, _about("where its life in seconds is in the answer", "data.expires_in")
    ] = "expires_in"
    header: Annotated[str, _about("header that carries the token", "X-Auth-Token")] = (
        "Authorization"
    )
    scheme: Annotated[
        str, _about("what stands before the token in that header; empty: nothing", "Token")
    ] = "Bearer"


class AuthDocument(_Document, frozen=True):
    """Exactly one kind; texts may name settings in braces: `{api_key}`."""

    basic: BasicDocument | UnsetType = UNSET
    bearer: BearerDocument | UnsetType = UNSET
    header: HeaderDocument | UnsetType = UNSET
    query: QueryAuthDocument | UnsetType = UNSET
    client_credentials: ClientCredentialsDocument | UnsetType = UNSET
    none: dict[str, Any] | UnsetType = UNSET


class RetryDocument(_Document, frozen=True):
    """Answers worth another try."""

    status: Statuses
    message: Annotated[str, _about("only when the body contains this text")] = ""
    tries: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | UnsetType, _about("how often it is sent at most")
    ] = UNSET
    for_: Annotated[
        Annotated[float, Meta(gt=0, le=3600)] | None,
        _about("seconds of trying, in place of `tries`"),
    ] = msgspec.field(default=None, name="for")


Concurrency = Annotated[int, Meta(ge=1, le=1000, description="requests at the same time")]
Rate = Annotated[float, Meta(gt=0, description="requests that start in a second")]


class LimitDocument(_Document, frozen=True):
    """What a host, or a family of methods, bears."""

    concurrency: Concurrency | None = None
    rate: Rate | None = None


class LimitsDocument(_Document, frozen=True):
    """What the API bears from one connection."""

    concurrency: Concurrency = 16
    rate: Rate | None = None
    host: Annotated[LimitDocument, _about("for each host, over all connections")] = LimitDocument()
    families: Annotated[
        dict[str, LimitDocument], _about("for the methods that name one with `limit`")
    ] = {}
    reset: Annotated[
        Literal["seconds", "epoch"] | None, _about("how X-RateLimit-Reset is to be read")
    ] = None
    longest_wait: Annotated[
        float, Meta(gt=0, le=3600), _about("seconds; when the API asks for more, it is an error")
    ] = 60.0


Value = Union[str, int, float, bool, None]
NoRowSays = Annotated[
    list[Annotated[str, Meta(min_length=1)]],
    _about(
        "texts, one of which the body of a `no_row` answer holds (* stands for anything, in any "
        "case); with other words it is an error, as a wrong address or an old version gives it"
    ),
]


class MarkDocument(_Document, frozen=True):
    """A place in a body that says whether the answer is whole; its short form is the path alone."""

    at: PathText
    when: Annotated[
        Value | list[Value] | UnsetType, _about("it is not whole when the value is this, or one")
    ] = UNSET
    unless: Annotated[
        Value | list[Value] | UnsetType,
        _about("it is not whole when the value is none of these, or is missing"),
    ] = UNSET


Incomplete = Annotated[
    list[PathText | MarkDocument],
    _about(
        "places in the body of a success that say it is not whole: errors, unreachable, "
        "_shards.failed; anything there but null, false, 0 and what is empty makes it an error, "
        "or partial with --partial"
    ),
]


class SourceDocument(_Document, frozen=True):
    """Where something stands in an answer; exactly one of these. A text is a path in the body."""

    header: Annotated[str | None, _about("header of the answer", "X-Next-Page")] = None
    last_row: Annotated[
        PathText | None,
        _about("path in the last element of the array that holds the rows", "id", "cursor"),
    ] = None


class ServerVersionDocument(_Document, frozen=True):
    """Where a server tells its version: asked once in a connection, and only where it matters."""

    path: Annotated[str, _about("path of a GET", "/", "/api/status")] = "/"
    at: Annotated[
        PathText | SourceDocument,
        _about(
            "where it stands in the answer: a path in the body, or a header",
            "version.number",
            {"header": "X-Server-Version"},
        ),
    ] = "version"


class ProviderDocument(_Document, frozen=True):
    """`providers/<provider>/provider.yaml`: how to talk to one kind of API."""

    provider: str
    description: str
    base_url: Annotated[str, _about("where the API lives; empty: each connection says it")] = ""
    settings: dict[str, SettingDocument] = {}
    auth: Annotated[list[AuthDocument], _about("the first whose settings are given applies")] = []
    headers: dict[str, str] = {}
    errors: Annotated[list[PathText], _about("paths to the message in an error body")] = []
    error_mark: Annotated[
        str, _about("text that the API's own error bodies hold, and those of others do not")
    ] = ""
    no_row_says: NoRowSays = []
    incomplete: Incomplete = []
    failed: Annotated[
        list[PathText | MarkDocument],
        _about(
            "places in the body of a success that say it is an error, told in words of `errors`",
            [{"at": "ok", "when": False}],
        ),
    ] = []
    redirects: Annotated[
        Literal["never", "same_origin"],
        _about(
            "same_origin: a GET is sent once more where the answer leads to another path of the "
            "same scheme, host and port; any other redirect is an error that says where it leads"
        ),
    ] = "never"
    retry: list[RetryDocument] | UnsetType = UNSET
    trusted_hosts: Annotated[
        list[str], _about("hosts found in rows that may get our credentials; * is a wildcard")
    ] = []
    path_rejects: Annotated[
        str, _about("characters the server refuses in a path even when percent-encoded")
    ] = ""
    limits: LimitsDocument = LimitsDocument()
    server_version: Annotated[
        ServerVersionDocument | None,
        _about("where a server tells its version, for methods that have a `fallback`"),
    ] = None
    probe: Annotated[str | None, _about("a cheap table for `connstat doctor`")] = None


class ParamDocument(_Document, frozen=True):
    """An input of a method, and a column of its table."""

    type: str = "VARCHAR"
    description: str = ""
    default: str | int | bool | None = None
    allowed: list[str] = []
    from_: Annotated[
        str | None, _about("provider.service.resource.column that holds its values")
    ] = msgspec.field(default=None, name="from")
    with_: Annotated[
        dict[str, str], _about("column of that table: parameter of ours with the same value")
    ] = msgspec.field(default={}, name="with")


class SecretKeysDocument(_Document, frozen=True):
    """Where the API tells which settings of a configuration are secrets."""

    from_: Annotated[
        str, _about("provider.service.resource.column that holds the names of secret settings")
    ] = msgspec.field(name="from")
    with_: Annotated[
        dict[str, str],
        _about(
            "parameter of that table: the setting of the same configuration that has its value",
            {"plugin_class": "connector.class"},
        ),
    ] = msgspec.field(name="with")
    where: Annotated[
        dict[str, str | list[str]],
        _about("column of that table: its value, or values, in the rows that name secrets"),
    ] = {}
    never: Annotated[
        list[str],
        _about("settings that are never secret: a query that reads no others asks nothing"),
    ] = []


class ColumnDocument(_Document, frozen=True):
    """A column; its short form is the text `TYPE -- description`."""

    type: str
    description: str = ""
    path: Annotated[str | list[str] | UnsetType, _about("where its value is in a row")] = UNSET
    on_mismatch: Literal["error", "null", "text"] = "error"
    redact: Annotated[
        Literal["none", "keys", "value", "text"],
        _about(
            "keys: entries of its maps whose key names a credential; value: all of it;"
            " text: what looks like a credential in its texts, such as a trace"
        ),
    ] = "none"
    redact_by: Annotated[
        str | None, _about("column whose value says whether this one is a credential")
    ] = None
    secret_keys: Annotated[
        SecretKeysDocument | UnsetType | None,
        _about("in place of the service's, for this column; null: the API does not tell"),
    ] = UNSET
    allowed: Annotated[
        list[str] | dict[str, list[str]],
        _about(
            "all values that it can have, where those are known; others in a query are noted. Of a "
            "STRUCT, or a list of them, by field: {state: [RUNNING, FAILED]}"
        ),
    ] = []
    documented: Annotated[
        list[str] | dict[str, list[str]],
        _about(
            "the same, where other values may come: noted is what is nearly one of these, FAILD"
        ),
    ] = []
    format: Annotated[
        str | list[str],
        _about(
            "how a time or date is written where it is not ISO 8601: epoch, epoch_ms, epoch_us or "
            "epoch_ns for seconds, milliseconds, … since 1970 (numbers, or texts of digits), "
            "iso8601, or a format of strptime such as '%d/%b/%Y:%H:%M:%S %z'; or several, of which "
            "the first that fits a value counts"
        ),
    ] = ""
    timezone: Annotated[
        str, _about("whose time it is where a value names no offset; UTC with a `format`", "UTC")
    ] = ""
    null_values: Annotated[
        list[str | int | float | bool],
        _about("values that mean NULL: ['', 'N/A', '0001-01-01T00:00:00Z']"),
    ] = []
    true_values: Annotated[
        list[str | int | float | bool], _about("of a BOOLEAN: values that mean true: ['yes', 1]")
    ] = []
    false_values: Annotated[
        list[str | int | float | bool], _about("of a BOOLEAN: values that mean false: ['no', 0]")
    ] = []
    value: Annotated[str | None, _about("of a view: SQL over its source, or over its parts")] = None


class RowsDocument(_Document, frozen=True):
    """Where the rows of a body are; its short form is the path of an array."""

    shape: Literal["array", "scalars", "map", "object"] = "array"
    at: Annotated[
        str | Annotated[list[str], Meta(min_length=1)],
        _about("path in the body, or several to try"),
    ] = "$"
    item: Annotated[PathText, _about("from each element to the row")] = "$"
    entries: Annotated[
        bool, _about("the item is a map, and each of its entries a row with `key` and `value`")
    ] = False


class ValuesDocument(_Document, frozen=True):
    """Several values of one query key, or of one that a column's predicate fills."""

    values: list[str]
    style: Literal["repeated", "comma"] = "repeated"


class BoundDocument(_Document, frozen=True):
    """A query key, or a place in a body, that bounds a column; its short form is the query key."""

    query: str = ""
    body: Annotated[PathText | None, _about("path in the body of a POST", "query.range.at.gte")] = (
        None
    )
    value: Annotated[str, _about("the text that is sent, such as 'ge{value}'")] = "{value}"


Bound = Union[str, BoundDocument]


class FilterDocument(_Document, frozen=True):
    """A column whose predicates the API evaluates; its short form is the query key of equality."""

    query: Annotated[str, _about("query key of `column = value`")] = ""
    body: Annotated[
        PathText | None,
        _about(
            "in place of `query`: path in the body of a POST; numbers stay numbers, and "
            "several values are a list where `several` is repeated",
            "filter.status",
        ),
    ] = None
    several: Literal["repeated", "comma"] | None = None
    gte: Annotated[
        Bound | None,
        _about("query key of `column >= value`, BETWEEN and their like: `gte: since`"),
    ] = None
    gt: Annotated[
        Bound | None, _about("the same, where the API leaves out the value itself: `gt: since_id`")
    ] = None
    lte: Annotated[Bound | None, _about("query key of `column <= value`: `lte: until`")] = None
    lt: Annotated[
        Bound | None, _about("the same, where the API leaves out the value itself: `lt: before`")
    ] = None
    format: Annotated[
        str,
        _about(
            "how a time is sent: epoch, epoch_ms, epoch_us, epoch_ns, iso8601 or a format of "
            "strftime such as '%Y-%m-%d'; without it as the column's own `format`, or ISO 8601"
        ),
    ] = ""


OrderKeys = dict[str, Union[str, int, bool, dict[str, Any]]]


class OrderDocument(_Document, frozen=True):
    """A column by which the API sorts exactly as DuckDB does, or it is not written here."""

    ascending: Annotated[
        OrderKeys | UnsetType,
        _about(
            "query keys that ask for it, or under `body` what a POST's body says beside its own; "
            "{}: it always answers like that",
            {"sort": "created_at"},
            {"body": {"sort": [{"created_at": "asc"}]}},
        ),
    ] = UNSET
    descending: Annotated[OrderKeys | UnsetType, _about("the same, from the greatest down")] = UNSET


_IN_BODY = "path in the body of a POST"


class TargetDocument(_Document, frozen=True):
    """Where something goes in a request; exactly one of these. A text alone is a `query` key."""

    query: Annotated[str | None, _about("key of the query string", "cursor")] = None
    body: Annotated[
        PathText | None, _about(_IN_BODY + "; numbers stay numbers", "page", "variables.after")
    ] = None
    header: Annotated[str | None, _about("header of the request", "X-Continuation")] = None


SourceText = Union[PathText, SourceDocument]


class SizeDocument(_Document, frozen=True):
    """The page size parameter: where it goes, and its maximum."""

    max: Annotated[int, Meta(ge=1), _about("the most that the API gives", 100)]
    query: Annotated[str | None, _about("key of the query string", "limit")] = None
    body: Annotated[PathText | None, _about(_IN_BODY, "maxResults", "variables.first")] = None
    header: Annotated[str | None, _about("header of the request", "X-Page-Size")] = None


class PagingDocument(_Document, frozen=True):
    """How the next page is asked for."""

    style: Annotated[
        Literal["token", "cursor", "link", "offset", "page", "link_header"],
        _about(
            "what the next page is asked with: a token or cursor of the answer, a link in its body "
            "or Link header, the number of rows so far, or a page number",
            "cursor",
        ),
    ]
    request: Annotated[
        str | TargetDocument | None,
        _about(
            "where the token, cursor, offset or page number goes: a query key, or another place; "
            "without it `link` and `link_header` follow the link as it is",
            "cursor", {"body": "variables.after"},
        ),
    ] = None  # fmt: skip
    response: Annotated[
        SourceText,
        _about(
            "where the token, cursor or URL stands: a path in the body, or another place",
            "meta.next", "links[rel=next].href", {"header": "X-Next-Page"}, {"last_row": "id"},
        ),
    ] = "$"  # fmt: skip
    more: Annotated[
        SourceText | None,
        _about("where a boolean says: is there another page?", "data.pageInfo.hasNextPage"),
    ] = None
    done: Annotated[
        SourceText | None, _about("where a boolean says: is this the last page?", "isLast")
    ] = None
    size: Annotated[
        SizeDocument | None,
        _about("the page size parameter", {"query": "limit", "max": 100}),
    ] = None
    first: Annotated[
        int | str | UnsetType,
        _about(
            "the first page's number or offset, 0 without it; of a token or cursor, what the "
            "first page is asked for with, nothing without it",
            1, "*",
        ),
    ] = UNSET  # fmt: skip
    repeat_ends: Annotated[
        bool,
        _about("the cursor that a page was asked for with, sent back, is the end of the list"),
    ] = False
    ends: Annotated[
        list[str | int],
        _about(
            "tokens or cursors that mean there is no further page; 0 is the text 0 too", [0, -1]
        ),
    ] = []
    attributes: Annotated[
        dict[str, str | int | bool],
        _about(
            "what the next link of a Link header must say to be followed; anything else is the end",
            {"results": "true"},
        ),
    ] = {}
    total: Annotated[
        SourceText | None, _about("where the number of all rows is; for offset and page")
    ] = None
    total_pages: Annotated[
        SourceText | None,
        _about("where the number of all pages is", "total_pages", {"header": "X-Total-Pages"}),
    ] = None
    key: Annotated[
        PathText | None, _about("where a row's key is; a row whose key has come is left out")
    ] = None
    any_host: Annotated[
        bool, _about("links may name another host; requests go to the connection's all the same")
    ] = False
    empty_pages: Annotated[
        int, Meta(ge=0, le=1000), _about("empty pages in a row that may come before further rows")
    ] = 0
    last_page: Annotated[
        Literal["empty", "short"] | None,
        _about(
            "without `more` and totals, the page that ends the list: one without rows, which is so "
            "for offset, page and a cursor in the last row where nothing is said; `short` "
            "saves a request where the API is known never to give less than was asked for before"
        ),
    ] = None


class MethodDocument(_Document, frozen=True):
    """One request that answers with rows; texts may name parameters in braces."""

    path: str
    verb: Literal["GET", "POST"] = "GET"
    description: str = ""
    base_url: Annotated[str | None, _about("in place of the provider's")] = None
    query: dict[str, str | int | bool | list[str] | ValuesDocument] = {}
    headers: dict[str, str] = {}
    body: Annotated[
        dict[str, Any] | list[Any] | None,
        _about(
            "JSON body of a POST, an object or an array, such as a batch; a text that is one "
            "parameter becomes a value of its type",
            {"filter": {"project": "{project}"}, "limit": 50},
        ),
    ] = None
    form: Annotated[
        dict[str, str | int | bool | list[str] | ValuesDocument],
        _about("body of a POST as a form, in place of `body`", {"channel": "{channel}"}),
    ] = {}
    rows: str | RowsDocument = "$"
    columns: Annotated[
        dict[str, str | list[str] | None],
        _about("where a column is in this method's rows; null: it is not served"),
    ] = {}
    fills: Annotated[
        dict[str, PathText], _about("parameters that are not asked for: where they are in a row")
    ] = {}
    filters: dict[str, str | FilterDocument] = {}
    order: Annotated[
        dict[str, OrderDocument], _about("columns by which the API sorts as DuckDB does")
    ] = {}
    paging: Annotated[
        PagingDocument | UnsetType | None,
        _about(
            "how pages follow each other; null: there is one, which without this word is noted "
            "where a list stops at just as many rows as a page may have"
        ),
    ] = UNSET
    details: Annotated[
        str | None, _about("method that serves, row by row, the columns this one does not")
    ] = None
    no_row: Annotated[Statuses, _about("statuses that mean: no such row")] = []
    no_row_says: NoRowSays = []
    incomplete: Incomplete = []
    known_by: Annotated[
        str,
        _about(
            "another method of the table, one list of all keys: rows that this list leaves out "
            "come from there, and a read by key that says nothing is held against it"
        ),
    ] = ""
    rest_from: Annotated[
        str,
        _about(
            "beside `known_by`: another list, asked only when rows are left out, whose columns "
            "have what is known of them"
        ),
    ] = ""
    confirm_empty: Annotated[
        str | None,
        _about(
            "path of a GET, asked only where the list has no rows or its server had failed: the "
            "list counts where that answers with success, and is asked once more; for a server "
            "that does not know all of its rows while it is starting",
            "/health",
        ),
    ] = None
    since: Annotated[
        str,
        _about("first version of the server that has it; named when one answers that it has not"),
    ] = ""
    fallback: Annotated[
        str | list[str],
        _about(
            "beside `since`: what an older server is asked instead, another method of the table; "
            "or several: the first lists the rows, and each other is asked once for each of them, "
            "for the columns that those before it do not serve",
            "list_v1",
            ["list_names", "get_status", "get"],
        ),
    ] = []
    standalone: Annotated[
        bool,
        _about(
            "false: no query is answered by it alone; other methods name it, under `fallback`, "
            "`known_by` or `rest_from`, as it has not all rows of the table, or others"
        ),
    ] = True
    limit: Annotated[str, _about("family of the provider's `limits` that it belongs to")] = ""


class ViewDocument(_Document, frozen=True):
    """What a table is made of that no method serves: `from`, or else what providers give to it."""

    from_: Annotated[str, _about("the SQL after FROM; without it, the parts of providers")] = (
        msgspec.field(default="", name="from")
    )
    inputs: Annotated[
        dict[str, str], _about("what parts give beside the columns, with its type")
    ] = {}


class PartDocument(_Document, frozen=True):
    """The rows that a provider gives to a view."""

    from_: Annotated[str, _about("the SQL after FROM")] = msgspec.field(name="from")
    columns: Annotated[
        dict[str, str], _about("SQL by column or input of the view; what is missing is NULL")
    ]


class PartsDocument(_Document, frozen=True):
    """`providers/<provider>/parts.yaml`: what the provider gives to views over all of them."""

    parts: Annotated[dict[str, PartDocument], _about("by provider.service.resource of the view")]


class ResourceDocument(_Document, frozen=True):
    """A table."""

    description: str
    columns: dict[str, str | ColumnDocument]
    methods: dict[str, MethodDocument] = {}
    params: dict[str, ParamDocument] = {}
    example: str = ""
    view: ViewDocument | None = None


class ServiceDocument(_Document, frozen=True):
    """`providers/<provider>/<service>.yaml`: the tables of one service."""

    service: str
    resources: dict[str, ResourceDocument]
    description: str = ""
    base_url: str | None = None
    params: Annotated[dict[str, ParamDocument], _about("shared by the resources")] = {}
    paging: Annotated[
        PagingDocument | UnsetType | None,
        _about("of every method that does not say otherwise; null: no list has further pages"),
    ] = UNSET
    secret_keys: Annotated[
        SecretKeysDocument | None,
        _about(
            "where the API tells which settings are secrets, beside those that their names tell: "
            "for every column with settings, by `redact: keys` of a map or by `redact_by`"
        ),
    ] = None


_FILES = (ProviderDocument, ServiceDocument, PartsDocument)


def json_schema() -> dict[str, Any]:
    """JSON Schema of all kinds of file, for editors and for `connstat providers validate`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "connstat-sql provider definition",
        "anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in _FILES],
        "$defs": msgspec.json.schema_components(_FILES, ref_template="#/$defs/{name}")[1],
    }
