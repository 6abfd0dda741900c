"""Documents (what YAML says) → definitions (what the package trusts), gathering every problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connstat_sql.definitions.loader.bodies import (
    build_body,
    check_order_bodies,
    check_placeholders,
    leaves_of,
)
from connstat_sql.definitions.loader.checks import (
    Findings,
    check_braces,
    check_confirmation,
    check_headers,
    check_names,
    check_resource,
    is_header_name,
    same_but_case,
)
from connstat_sql.definitions.loader.documents import (
    AuthDocument,
    BoundDocument,
    ClientCredentialsDocument,
    ColumnDocument,
    FilterDocument,
    MethodDocument,
    OrderKeys,
    PagingDocument,
    ParamDocument,
    PathText,
    ProviderDocument,
    ResourceDocument,
    RowsDocument,
    ServiceDocument,
    ValuesDocument,
)
from connstat_sql.definitions.loader.filters import check_filters
from connstat_sql.definitions.loader.known_values import known_values
from connstat_sql.definitions.loader.limits import build_limits, build_retries
from connstat_sql.definitions.loader.marks import build_marks
from connstat_sql.definitions.loader.paging import build_paging, check_paging
from connstat_sql.definitions.loader.places import path_faults, path_of
from connstat_sql.definitions.loader.secret_keys import with_secret_keys
from connstat_sql.definitions.loader.spellings import build_spelling
from connstat_sql.definitions.loader.types import (
    UnknownType,
    is_literal_of,
    parse_type,
    suggestion_for,
)
from connstat_sql.definitions.loader.versions import build_version, check_fallbacks, fallback_of
from connstat_sql.definitions.loader.views import build_view
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import (
    VARCHAR,
    ArrayStyle,
    Auth,
    AuthKind,
    BoundKeys,
    Column,
    Filter,
    InBody,
    Method,
    Mismatch,
    Order,
    OrderPairs,
    Param,
    Parent,
    Provider,
    QueryItem,
    Redaction,
    Resource,
    RowsPath,
    Scalar,
    Sending,
    Service,
    Setting,
    Shape,
    SqlType,
    TableName,
    Template,
    TokenRules,
)
from connstat_sql.definitions.spellings import plain_text

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def template_of(text: str) -> Template:
    """Text with names in braces → Template.

    >>> template_of("/clusters/{id}/nodes").parts
    ('/clusters/', 'id', '/nodes')
    """
    return Template(tuple(_PLACEHOLDER.split(text)))


# --- provider.yaml -------------------------------------------------------------------------------


def build_provider(
    document: ProviderDocument, services: tuple[str, ...], findings: Findings
) -> Provider:
    """The provider that a document declares; its services are the files beside it."""
    settings = tuple(
        Setting(name, s.env, s.secret, s.default, s.description)
        for name, s in document.settings.items()
    )
    for setting in settings:
        if "${" in (setting.default or ""):
            where = ("settings", setting.name, "default")
            findings.add(where, "a default refers to nothing", "connections say `${NAME}`")
    known = {*document.settings, "base_url"}
    _check_base_url(document.base_url, ("base_url",), findings)
    if "{" in document.base_url:
        findings.add(("base_url",), "holds a brace", "left out, each connection says it")
    auth = tuple(
        _auth(auth_document, ("auth", index), known, findings)
        for index, auth_document in enumerate(document.auth)
    )
    headers = tuple((name, template_of(text)) for name, text in document.headers.items())
    for name, text in headers:
        check_names(text.params, known, "a setting", ("headers", name), findings)
        check_braces(text, ("headers", name), findings)
    check_headers(headers, ("headers",), findings)
    return Provider(
        name=document.provider,
        description=document.description,
        base_url=document.base_url,
        settings=settings,
        auth=auth or (Auth(AuthKind.NONE),),
        services=services,
        headers=headers,
        errors=tuple(
            _path(at, ("errors", number), findings) for number, at in enumerate(document.errors)
        ),
        error_mark=document.error_mark,
        no_row_says=tuple(document.no_row_says),
        incomplete=build_marks(document.incomplete, ("incomplete",), findings),
        failed=build_marks(document.failed, ("failed",), findings),
        retries=build_retries(document, findings),
        trusted_hosts=tuple(document.trusted_hosts),
        path_rejects=document.path_rejects,
        limits=build_limits(document.limits),
        probe=_probe(document.probe, findings),
        follows_redirects=document.redirects == "same_origin",
        server_version=build_version(document, findings),
    )


def _probe(text: str | None, findings: Findings) -> TableName | None:
    if text is None:
        return None
    parts = text.split(".")
    if len(parts) != 3:
        findings.add(("probe",), f"`{text}` is not provider.service.resource")
        return None
    return TableName(*parts)


def _check_base_url(text: str, path: KeyPath, findings: Findings) -> None:
    """Note what is no URL; one that begins with a name in braces is only known later."""
    if not text or text.startswith("{"):
        return
    try:
        parts = urlsplit(_PLACEHOLDER.sub("x", text))
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s?#@]", text):
        shown = re.sub(r"//[^/@]*@", "//…@", text)
        message = f"`{shown}` is not an http or https URL of a host"
        findings.add(path, message, "https://HOST or https://HOST/PATH")


def _auth(document: AuthDocument, path: KeyPath, known: set[str], findings: Findings) -> Auth:
    bodies = {
        kind: getattr(document, kind.value)
        for kind in AuthKind
        if getattr(document, kind.value) is not msgspec.UNSET
    }
    if len(bodies) != 1:
        kinds = ", ".join(kind.value for kind in AuthKind)
        findings.add(path, f"names {len(bodies)} kinds of authentication", f"name one of {kinds}")
        return Auth(AuthKind.NONE)
    kind, body = next(iter(bodies.items()))
    texts: dict[str, Any] = {} if kind is AuthKind.NONE else msgspec.structs.asdict(body)
    rules = TokenRules()
    if isinstance(body, ClientCredentialsDocument):
        rules = _token_rules(body, (*path, kind.value), findings)
        own = {name: texts[name] for name in ("token_url", "client_id", "client_secret")}
        texts = {"grant_type": "client_credentials", **own, **body.fields}
    options = tuple((name, template_of(text)) for name, text in texts.items() if text is not None)
    for name, text in options:
        check_names(text.params, known, "a setting", (*path, kind.value, name), findings)
        check_braces(text, (*path, kind.value, name), findings)
    return Auth(kind, options, rules)


def _token_rules(
    document: ClientCredentialsDocument, path: KeyPath, findings: Findings
) -> TokenRules:
    """How a token is asked for; notes what cannot be sent so."""
    rules = TokenRules(
        Sending(document.send), path_of(document.token), path_of(document.expires_in),
        document.header, document.scheme,
    )  # fmt: skip
    if "token_url" in document.fields:
        findings.add((*path, "fields", "token_url"), "`token_url` is no field", "leave it out")
    for name in ("client_id", "client_secret"):
        if name in document.fields and rules.send is Sending.BASIC:
            message = f"`{name}` is sent as HTTP Basic"
            findings.add((*path, "fields", name), message, "leave it out, or `send: form`")
    if not rules.token:
        findings.add((*path, "token"), "`token` is the whole answer", "its path: access_token")
    if not is_header_name(rules.header):
        findings.add((*path, "header"), f"`{rules.header}` is not the name of a header",
                     "such as `X-Auth-Token`")  # fmt: skip
    return rules


# --- <service>.yaml ------------------------------------------------------------------------------


def build_service(document: ServiceDocument, provider: str, findings: Findings) -> Service:
    """The service that a document declares."""
    _check_base_url(document.base_url or "", ("base_url",), findings)
    shared = {
        name: _param(name, param, ("params", name), findings)
        for name, param in document.params.items()
    }
    resources = {
        name: _resource(
            TableName(provider, document.service, name), resource, document, shared, findings
        )
        for name, resource in document.resources.items()
    }
    for name, other in same_but_case(resources):
        findings.add(("resources", name), f"`{name}` and `{other}` differ only in case")
    return Service(provider, document.service, document.description, resources)


def _resource(
    table: TableName,
    document: ResourceDocument,
    service: ServiceDocument,
    shared: Mapping[str, Param],
    findings: Findings,
) -> Resource:
    path: KeyPath = ("resources", table.resource)
    own = {
        name: _param(name, param, (*path, "params", name), findings)
        for name, param in document.params.items()
    }
    columns = tuple(
        with_secret_keys(
            _column(name, column, (*path, "columns", name), findings),
            column, service.secret_keys, (*path, "columns", name), findings,
        )
        for name, column in document.columns.items()
    )  # fmt: skip
    methods = tuple(
        _method(name, method, service, (*path, "methods", name), findings)
        for name, method in document.methods.items()
    )
    for name, method in document.methods.items():
        check_placeholders(method, {*shared, *own}, (*path, "methods", name), findings)
    params = _params_of(methods, {**shared, **own}, own)
    view = build_view(document, path, findings)
    resource = Resource(
        table, document.description, columns, params, methods, document.example, view
    )
    check_resource(resource, {*shared, *own}, path, findings)
    check_filters(resource, path, findings)
    check_order_bodies(resource, path, findings)
    check_fallbacks(resource, path, findings)
    return resource


def _params_of(
    methods: tuple[Method, ...], known: Mapping[str, Param], own: Mapping[str, Param]
) -> tuple[Param, ...]:
    """A table's parameters: those its methods use, and those a parent row gives with them."""
    used = {name for method in methods for name in (*method.required, *method.fills)} | set(own)
    parents = {known[name].parent.table for name in used & set(known) if known[name].parent}  # type: ignore[union-attr]
    return tuple(
        param
        for name, param in known.items()
        if name in used or (param.parent is not None and param.parent.table in parents)
    )


def _param(name: str, document: ParamDocument, path: KeyPath, findings: Findings) -> Param:
    parsed = _type(document.type, (*path, "type"), findings)
    if not isinstance(parsed, Scalar):
        findings.add((*path, "type"), "a parameter has a type without parts", "such as VARCHAR")
        parsed = VARCHAR
    text = None if document.default is None else plain_text(document.default)
    if document.allowed and text is not None and text not in document.allowed:
        findings.add((*path, "default"), f"`{text}` is not among the allowed values")
    for key, values in (
        ("default", [text] if text is not None else []),
        ("allowed", document.allowed),
    ):
        for value in values:
            if not is_literal_of(parsed, value):
                findings.add((*path, key), f"`{value}` is no {parsed}")
    parent = _parent(document, path, findings)
    return Param(name, parsed, document.description, text, tuple(document.allowed), parent)


def _parent(document: ParamDocument, path: KeyPath, findings: Findings) -> Parent | None:
    if document.from_ is None:
        if document.with_:
            findings.add((*path, "with"), "`with` says nothing without `from`")
        return None
    parts = document.from_.split(".")
    if len(parts) != 4:
        findings.add((*path, "from"), f"`{document.from_}` is not provider.service.resource.column")
        return None
    return Parent(TableName(*parts[:3]), parts[3], tuple(document.with_.items()))


def _column(name: str, document: str | ColumnDocument, path: KeyPath, findings: Findings) -> Column:
    if isinstance(document, str):
        text, _, description = document.partition(" -- ")
        return Column(name, _type(text, path, findings), (name,), description.strip())
    place: tuple[str, ...] = (name,)
    if document.path is not msgspec.UNSET:
        place = _path(document.path, (*path, "path"), findings, of_row=True)
    parsed = _type(document.type, (*path, "type"), findings)
    mismatch = Mismatch(document.on_mismatch)
    if mismatch is Mismatch.TEXT and parsed != VARCHAR:
        findings.add((*path, "on_mismatch"), "`text` needs the type VARCHAR")
    known = (
        *known_values(document.allowed, parsed, (*path, "allowed"), findings),
        *known_values(document.documented, parsed, (*path, "documented"), findings),
    )
    return Column(
        name, parsed, place, document.description, mismatch,
        Redaction(document.redact), document.redact_by,
        spelling=build_spelling(document, parsed, path, findings),
        known=known,
    )  # fmt: skip


def _path(
    text: PathText, path: KeyPath, findings: Findings, *, of_row: bool = False
) -> tuple[str, ...]:
    for message, suggestion in path_faults(text, of_row=of_row):
        findings.add(path, message, suggestion)
    return path_of(text)


def _type(text: str, path: KeyPath, findings: Findings) -> SqlType:
    try:
        return parse_type(text)
    except UnknownType as error:
        findings.add(path, str(error), suggestion_for(error.word))
        return VARCHAR


def _method(
    name: str, document: MethodDocument, service: ServiceDocument, path: KeyPath, findings: Findings
) -> Method:
    base_url = document.base_url if document.base_url is not None else service.base_url
    if not document.path.startswith("/"):
        findings.add((*path, "path"), f"`{document.path}` does not begin with /")
    if "?" in document.path:
        findings.add((*path, "path"), "holds a ?", "put query parameters under `query`")
    _check_base_url(document.base_url or "", (*path, "base_url"), findings)
    method = Method(
        name=name,
        path=template_of(document.path),
        verb=document.verb,
        base_url=None if base_url is None else template_of(base_url),
        query=tuple(_query_item(key, value) for key, value in document.query.items()),
        headers=tuple((key, template_of(text)) for key, text in document.headers.items()),
        body=build_body(document, path, findings),
        rows=_rows(document.rows, (*path, "rows"), findings),
        columns={
            key: None if at is None else _path(at, (*path, "columns", key), findings, of_row=True)
            for key, at in document.columns.items()
        },
        fills={
            key: _path(at, (*path, "fills", key), findings, of_row=True)
            for key, at in document.fills.items()
        },
        filters=tuple(
            _filter(column, filter_document) for column, filter_document in document.filters.items()
        ),
        order=tuple(
            Order(column, _pairs(order.ascending), _pairs(order.descending))
            for column, order in document.order.items()
        ),
        paging=build_paging(_paging_of(service, document), path, findings),
        details=document.details,
        no_row=frozenset(document.no_row),
        no_row_says=tuple(document.no_row_says),
        incomplete=build_marks(document.incomplete, (*path, "incomplete"), findings),
        is_one_page=document.paging is None
        or (document.paging is msgspec.UNSET and service.paging is None),
        known_by=document.known_by,
        rest_from=document.rest_from,
        confirm_empty=None
        if document.confirm_empty is None
        else template_of(document.confirm_empty),
        since=document.since,
        fallback=fallback_of(document),
        is_standalone=document.standalone,
        limit=document.limit,
        form=tuple(_query_item(key, value) for key, value in document.form.items()),
    )
    check_paging(method, path, findings)
    check_confirmation(method, path, findings)
    return method


def _paging_of(service: ServiceDocument, document: MethodDocument) -> PagingDocument | None:
    """The method's own, or else the service's."""
    paging = service.paging if document.paging is msgspec.UNSET else document.paging
    return None if paging is msgspec.UNSET else paging


def _query_item(key: str, value: str | int | bool | list[str] | ValuesDocument) -> QueryItem:
    if isinstance(value, ValuesDocument):
        return QueryItem(key, tuple(map(template_of, value.values)), ArrayStyle(value.style))
    if isinstance(value, list):
        return QueryItem(key, tuple(map(template_of, value)))
    return QueryItem(key, (template_of(plain_text(value)),))


def _rows(document: str | RowsDocument, path: KeyPath, findings: Findings) -> RowsPath:
    if isinstance(document, str):
        return RowsPath(at=(_path(document, path, findings),))
    at = document.at if isinstance(document.at, list) else [document.at]
    paths = tuple(_path(text, (*path, "at"), findings) for text in at)
    item = _path(document.item, (*path, "item"), findings)
    return RowsPath(Shape(document.shape), paths, item, document.entries)


def _filter(column: str, document: str | FilterDocument) -> Filter:
    if isinstance(document, str):
        return Filter(column, document)
    several = None if document.several is None else ArrayStyle(document.several)
    keys = [_bound(bound) for bound in (document.gte, document.gt, document.lte, document.lt)]
    bounds = BoundKeys(*keys) if any(keys) else None
    return Filter(column, _sent_key(document), several, bounds, document.format)


def _sent_key(document: FilterDocument | BoundDocument) -> str | InBody:
    return document.query if document.body is None else InBody(path_of(document.body))


def _bound(document: str | BoundDocument | None) -> tuple[str | InBody, Template] | None:
    if document is None:
        return None
    if isinstance(document, str):
        document = BoundDocument(query=document)
    return _sent_key(document), template_of(document.value)


def _pairs(document: OrderKeys | msgspec.UnsetType) -> OrderPairs | None:
    if document is msgspec.UNSET:
        return None
    pairs: list[tuple[str | InBody, str]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            word = value if key == "body" else {key: value}
            pairs += [(InBody(path), text) for path, text in leaves_of(word)]
        else:
            pairs.append((key, plain_text(value)))
    return tuple(pairs)
