"""What failed of a partial result: one line that sums it up, and the failures in groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from connstat_sql.errors import NotAsked, NotUsable, UnexpectedShape

if TYPE_CHECKING:
    from connstat_sql.fetch import FailedFetch
    from connstat_sql.result import Result

SHOWN_GROUPS = 10
SHOWN_KINDS = 3
SHORTEST_VALUE = 3
"""Letters of an argument that is taken for the varying part of a message."""


def verdict(result: Result) -> Iterator[str]:
    """The lines that tell what is missing; requests that several rows stand for count once.

    Given up is what was not asked, as its host is down, or not waited for, as time was over.
    """
    sent = _distinct(failure for failure in result.errors if failure.error.attempts)
    given_up = _distinct(failure for failure in result.errors if not failure.error.attempts)
    yield _headline(sent, given_up, result.requests)
    groups = Counter(map(_group, (*sent, *given_up))).most_common()
    for text, count in groups[:SHOWN_GROUPS]:
        yield f"  {text}" + (f" ({count:,})" if count > 1 else "")
    left = groups[SHOWN_GROUPS:]
    if left:
        requests = sum(count for _, count in left)
        yield f"  and {len(left):,} more kinds of failure, of {requests:,} requests"


def _distinct(failures: Iterator[FailedFetch]) -> list[FailedFetch]:
    distinct = {
        (failure.fetch.connection, str(failure.error.request or id(failure))): failure
        for failure in failures
    }
    return list(distinct.values())


def _headline(sent: Sequence[FailedFetch], given_up: Sequence[FailedFetch], requests: int) -> str:
    total = max(requests, len(sent))
    noun = "request" if total == 1 else "requests"
    parts = []
    if sent:
        parts.append(f"{len(sent):,} of {total:,} {noun} failed: {_kinds(sent)}")
    if given_up:
        parts.append(f"{len(given_up):,} given up: {_kinds(given_up)}")
    return "; ".join(parts) + "; they are rows of the table _errors"


def _kinds(failures: Sequence[FailedFetch]) -> str:
    kinds = Counter(map(_kind, failures)).most_common()
    shown = [f"{kind} ({count:,})" for kind, count in kinds[:SHOWN_KINDS]]
    left = sum(count for _, count in kinds[SHOWN_KINDS:])
    return ", ".join((*shown, f"others ({left:,})") if left else shown)


def _kind(failure: FailedFetch) -> str:
    error, connection = failure.error, failure.fetch.connection
    if isinstance(error, NotUsable):
        return f"{connection} cannot be used"
    what = "no whole answer" if error.status is None else str(error.status)
    if isinstance(error, NotAsked):
        return f"not asked of {connection}"
    return f"{'no usable answer' if isinstance(error, UnexpectedShape) else what} from {connection}"


def _group(failure: FailedFetch) -> str:
    """The connection and the message, with the arguments' names in place of their values."""
    connection, message = failure.fetch.connection, failure.error.message
    for name, value in failure.fetch.arguments.items():
        if len(value) >= SHORTEST_VALUE and value != connection:
            message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _constant(f"<{name}>"), message)
    return f"{connection}: {message.removeprefix(f'{connection} ')}"


def _constant(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text
