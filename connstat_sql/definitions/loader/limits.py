"""`limits` and `retry` of a provider → definitions."""

from __future__ import annotations

import msgspec

from connstat_sql.definitions.limits import NEVER_RETRIED, ONLY_SAID, TRIES, RequestLimit, Reset
from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.documents import (
    LimitDocument,
    LimitsDocument,
    ProviderDocument,
    RetryDocument,
)
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import DEFAULT_RETRIES, Limits, RetryRule


def build_limits(document: LimitsDocument) -> Limits:
    """What the API bears."""
    return Limits(
        concurrency=document.concurrency,
        rate=document.rate,
        host=_limit(document.host),
        families={name: _limit(limit) for name, limit in document.families.items()},
        reset=None if document.reset is None else Reset(document.reset),
        longest_wait=document.longest_wait,
    )


def _limit(document: LimitDocument) -> RequestLimit:
    return RequestLimit(document.concurrency, document.rate)


def build_retries(document: ProviderDocument, findings: Findings) -> tuple[RetryRule, ...]:
    """The answers that are worth another try."""
    if document.retry is msgspec.UNSET:
        return DEFAULT_RETRIES
    return tuple(
        _retry(rule, ("retry", index), findings) for index, rule in enumerate(document.retry)
    )


def _retry(rule: RetryDocument, path: KeyPath, findings: Findings) -> RetryRule:
    """One rule; notes what can never apply, and when it says twice when to stop."""
    for status in sorted(NEVER_RETRIED & set(rule.status)):
        findings.add((*path, "status"), f"{status} is never tried again", "leave it out")
    for status in sorted(ONLY_SAID & set(rule.status) if not rule.message else ()):
        known = f"{status} is tried again for its words alone"
        findings.add((*path, "status"), known, "`message`, with what the API says")
    if rule.for_ is not None and rule.tries is not msgspec.UNSET:
        findings.add(path, "says both `tries` and `for`", "one of them")
    tries = TRIES if rule.tries is msgspec.UNSET else rule.tries
    return RetryRule(frozenset(rule.status), rule.message, tries, rule.for_)
