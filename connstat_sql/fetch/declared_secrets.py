"""Which settings plugins declare to be secret: asked of the API when configurations have come.

A plugin is asked about once for as long as the engine lives. Nothing that goes wrong here costs a
row: what is not known is said, and the names of settings and the looks of values have to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Union

import msgspec

from connstat_sql.decode import OpenBody
from connstat_sql.definitions.model import Column, Resource, SecretKeys, TableName
from connstat_sql.definitions.versions import is_before
from connstat_sql.errors import ConnstatError, FetchError, PlanError, UnexpectedShape, counted
from connstat_sql.fetch.completeness import check_no_row, request_of
from connstat_sql.fetch.configurations import owners_in, path_of, texts_at
from connstat_sql.fetch.request import Fetch, base_of, build_request
from connstat_sql.fetch.responses import RequestBudget, RequestKey
from connstat_sql.redaction import is_secret_name
from connstat_sql.transport import Client, Request, Response

PATIENCE = 10.0
"""Seconds that rows wait for what is declared."""
_NEVER = frozenset({401, 403, 404, 405, 501})
"""Statuses of a server that does not tell, or does not know such a question."""

Place = tuple[str, TableName]
"""A connection, and the table that is asked."""
Known = Union[frozenset[str], str]
"""Names of secret settings, or why they are not known."""


class DeclaredSecrets:
    """What was answered to an engine, for as long as it lives. `resource` finds a definition."""

    def __init__(self, resource: Callable[[TableName], Resource | None]) -> None:
        self.resource = resource
        self.known: dict[RequestKey, Known] = {}
        self.refused: dict[Place, str] = {}
        """Who answers no such question, and why."""

    def forget(self, connection: str | None) -> None:
        """Ask a connection anew (None: all of them)."""
        for asked in [key for key in self.known if connection in (None, key.connection)]:
            del self.known[asked]
        for place in [key for key in self.refused if connection in (None, key[0])]:
            del self.refused[place]


class Learnt(msgspec.Struct, frozen=True):
    """What is declared of the configurations of a page.

    `names` is JSON: the names of secret settings that do not tell it themselves, by `names_key`;
    "" when there are none. `unknown` is why some are not known; with `may_change` a later
    statement may know. `sent` requests went for it.
    """

    names: str = ""
    unknown: tuple[str, ...] = ()
    may_change: bool = False
    sent: int = 0


def names_key(column: str, owner: str) -> str:
    """What the names for the configurations of an owner in a column are told by."""
    return f"{column}\n{owner}"


def owned(learnt: Learnt, owner: str) -> Learnt:
    """The same, of rows that stand among those of others and are an owner's."""
    if not learnt.names:
        return learnt
    names = msgspec.json.decode(learnt.names, type=dict[str, list[str]])
    keys = {key: key + owner if key.endswith("\n") else key for key in names}
    text = msgspec.json.encode({keys[key]: value for key, value in names.items()}).decode()
    return msgspec.structs.replace(learnt, names=text)


def together(learnt: Iterable[Learnt]) -> Learnt:
    """The names of several pages whose rows make one; what went for them is told with those."""
    names: dict[str, list[str]] = {}
    for page in learnt:
        names |= msgspec.json.decode(page.names, type=dict[str, list[str]]) if page.names else {}
    return Learnt(msgspec.json.encode(names).decode() if names else "")


class _Declaration(NamedTuple):
    """What came of one question."""

    known: Known
    may_change: bool = False
    sent: int = 0


class _Question(NamedTuple):
    """What is asked for one value, such as the class of a plugin."""

    place: Place
    asked: RequestKey
    fetch: Fetch
    request: Request
    client: Client
    secret: SecretKeys


@dataclass
class Inquiry:
    """Asks what one statement has to know, out of its budget and before its end."""

    declared: DeclaredSecrets
    budget: RequestBudget
    until: float | None = None
    _failed: dict[Place | RequestKey, str] = field(default_factory=dict)
    _answering: set[Place] = field(default_factory=set)
    _locks: dict[Place | RequestKey, asyncio.Lock] = field(default_factory=dict)

    async def about(
        self, fetch: Fetch, client: Client, body: OpenBody, columns: Sequence[Column]
    ) -> Learnt:
        """What is declared of the configurations in some columns of a body."""
        names: dict[str, list[str]] = {}
        unknown: dict[str, None] = {}
        answers: list[_Declaration] = []
        for column in columns:
            secret = column.secret_keys
            assert secret is not None
            owners, lacking = owners_in(fetch, body, column, secret)
            if lacking:
                where = counted(lacking, "configuration")
                unknown[f"{column.name}: no {secret.setting} in {where}"] = None
            values = list(dict.fromkeys(owners.values()))
            answers += (
                declarations := await asyncio.gather(
                    *(self._ask(fetch, client, secret, value) for value in values)
                )
            )
            by_value = dict(zip(values, declarations, strict=True))
            for owner, value in owners.items():
                known = by_value[value].known
                if isinstance(known, str):
                    unknown[f"{column.name}: {known}"] = None
                elif extra := sorted(known - {*secret.never}):
                    names[names_key(column.name, owner)] = extra
        return Learnt(
            msgspec.json.encode(names).decode() if names else "",
            tuple(unknown),
            any(declaration.may_change for declaration in answers),
            sum(declaration.sent for declaration in answers),
        )

    async def _ask(
        self, fetch: Fetch, client: Client, secret: SecretKeys, value: str
    ) -> _Declaration:
        """What is declared of one value; it is asked once, and first whether anybody answers."""
        try:
            question = self._question(fetch, client, secret, value)
        except ConnstatError as error:
            return _Declaration(f"{client.connection.name}: {error.message}")
        place, asked = question.place, question.asked
        async with self._lock(asked), AsyncExitStack() as first:
            if place not in self._answering:
                await first.enter_async_context(self._lock(place))
            known = self._known(place, asked)
            if known is not None:
                return _Declaration(known, may_change=self._may_change(place, asked))
            if not self.budget.fits(1):
                why = f"{client.connection.name}: the budget of requests is used up"
                self._failed[place] = why
                return _Declaration(why, may_change=True)
            self.budget.spend(question.request.table)
            known = await self._sent(question)
            return _Declaration(known, may_change=self._may_change(place, asked), sent=1)

    def _lock(self, of: Place | RequestKey) -> asyncio.Lock:
        return self._locks.setdefault(of, asyncio.Lock())

    def _known(self, place: Place, asked: RequestKey) -> Known | None:
        """What need not be asked any more; None where it must."""
        known = self.declared.known.get(asked)
        if known is not None:
            return known
        return (
            self.declared.refused.get(place) or self._failed.get(place) or self._failed.get(asked)
        )

    def _may_change(self, place: Place, asked: RequestKey) -> bool:
        return asked not in self.declared.known and place not in self.declared.refused

    def _question(self, fetch: Fetch, client: Client, secret: SecretKeys, value: str) -> _Question:
        """Raises PlanError where no request can hold it."""
        table = self.declared.resource(secret.table)
        ours = {param.name for param in fetch.resource.params}
        method = None if table is None else table.method_asked_by(secret.param, ours)
        arguments = {**fetch.arguments, secret.param: value}
        if table is None or method is None or not {*method.required} <= set(arguments):
            raise PlanError(f"{secret.table} cannot be asked")
        if not set(client.provider.path_rejects).isdisjoint(value):
            raise PlanError(f"{value!r} cannot stand in a path")
        other = replace(
            fetch, resource=table, method=method, arguments=arguments, filters=(), order=(),
            page_size=None,
        )  # fmt: skip
        if is_before(client.version(base_of(other, client.base_url)), method.since):
            raise PlanError(f"{request_of(other)} came with version {method.since}")
        request = build_request(other, client.base_url, None)
        place, asked = (fetch.connection, secret.table), RequestKey.of(fetch.connection, request)
        return _Question(place, asked, other, request, client, secret)

    async def _sent(self, question: _Question) -> Known:
        """The answer to a question; what becomes of it is remembered."""
        client, name = question.client, question.client.connection.name
        answer: Response | None = None
        try:
            sending = client.send(question.request, until=self.until)
            answer = await asyncio.wait_for(sending, PATIENCE)
            known = _read(question, answer)
        except TimeoutError:
            self._failed[question.place] = why = f"{name} gave no answer in {PATIENCE:.0f} s"
            return why
        except ConnstatError as error:
            why = error.message if name in error.message else f"{name}: {error.message}"
            status = error.status if isinstance(error, FetchError) else None
            if status in _NEVER and (answer is None or _is_own(answer, client)):
                self.declared.refused[question.place] = why
            else:
                self._failed[
                    question.place if answer is None and status is None else question.asked
                ] = why
            return why
        self._answering.add(question.place)
        self.declared.known[question.asked] = known
        return known


def _is_own(answer: Response, client: Client) -> bool:
    """Whether the API itself answers, and not what stands before one that is starting."""
    return client.provider.error_mark.encode() in answer.body


def _read(question: _Question, answer: Response) -> Known:
    """Names of secret settings out of an answer. Raises FetchError."""
    resource, method, secret = question.fetch.resource, question.fetch.method, question.secret
    if answer.status in method.no_row:
        check_no_row(question.fetch, question.request, answer, question.client)
        value = question.fetch.arguments[secret.param]
        return f"{question.client.connection.name} does not know {value}"
    paths = [
        path_of(resource, method, name) or ()
        for name in (secret.column, *(column for column, _ in secret.where))
    ]
    names = set()
    for key, row in OpenBody(answer.body).rows(method.rows):
        name, *others = texts_at(key, row, paths)
        if None in (name, *others):
            table, client = secret.table, question.client.connection.name
            raise UnexpectedShape(f"{client}: a row of {table} does not say what is asked of it")
        is_secret = all(
            text in values for text, (_, values) in zip(others, secret.where, strict=True)
        )
        if is_secret and name is not None and not is_secret_name(name):
            names.add(name)
    return frozenset(names)
