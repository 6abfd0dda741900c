"""Which version a server is: as the connection says, as its answers tell, or as it is asked."""

from __future__ import annotations

from connstat_sql.decode import OpenBody
from connstat_sql.definitions.model import InHeader, VersionRule
from connstat_sql.definitions.versions import is_before, numbers_of
from connstat_sql.errors import FetchError, UnexpectedShape
from connstat_sql.fetch.request import Fetch, base_of
from connstat_sql.fetch.responses import Responses
from connstat_sql.transport import Client, Request, Response


def learn_version(fetch: Fetch, answer: Response, client: Client) -> None:
    """Keep in mind the version that an answer tells in a header, where a method asks for it."""
    rule = client.provider.server_version
    if fetch.method.fallback and rule is not None and isinstance(rule.at, InHeader):
        _keep(_version_in(answer, rule), fetch, client)


def is_older(fetch: Fetch, client: Client) -> bool:
    """Whether the server is known to be older than a method that has a fallback."""
    method = fetch.method
    if not method.fallback or not (client.connection.server_version or client.versions):
        return False
    return is_before(client.version(base_of(fetch, client.base_url)), method.since)


async def ask_version(fetch: Fetch, responses: Responses, client: Client) -> Response | None:
    """Ask a server for its version, once in a statement; None where it is not known by that.

    Raises PlanError when the budget is used up.
    """
    rule = client.provider.server_version
    if rule is None or client.connection.server_version:
        return None
    base = base_of(fetch, client.base_url)
    request = Request(str(fetch.resource.table), "GET", base + rule.path)
    try:
        answer = await responses.ask(fetch.connection, request, client, keep=True)
    except FetchError:
        return None
    _keep(_version_in(answer, rule), fetch, client)
    return answer


def _keep(version: str, fetch: Fetch, client: Client) -> None:
    if numbers_of(version):
        client.versions[base_of(fetch, client.base_url)] = version


def _version_in(answer: Response, rule: VersionRule) -> str:
    """What an answer says of the server's version; "" where it says nothing."""
    if isinstance(rule.at, InHeader):
        return answer.headers.get(rule.at.name, "")[:_LONGEST]
    assert isinstance(rule.at, tuple)
    try:
        value = OpenBody(answer.body).value(rule.at)
    except UnexpectedShape:
        return ""
    is_text = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return str(value)[:_LONGEST] if is_text else ""


_LONGEST = 60
"""Characters of a version."""
