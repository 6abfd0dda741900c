"""Fetches run by themselves, without a statement around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connstat_sql.decode import RowReader
from connstat_sql.fetch import Arrived, Ended, FailedFetch, Fetch, Finished, Page, PageStream


def batches(
    stream: PageStream,
    fetches: Sequence[Fetch],
    reader: RowReader,
    *,
    keep: bool = False,
    limit: int | None = None,
    failures: list[FailedFetch] | None = None,
) -> Iterator[list[Page]]:
    """The pages of some fetches as they arrive; leaving early stops all fetching."""
    intake = stream.open("scan", reader, keep=keep, limit=limit)
    try:
        intake.add(stream.groups(fetches), is_last=True)
        while True:
            items = stream.take()
            pages = [item.page for item in items if isinstance(item, Arrived)]
            if pages:
                yield pages
            if failures is not None:
                failures += [
                    one for item in items if isinstance(item, Finished) for one in item.failures
                ]
            if any(isinstance(item, Ended) for item in items):
                return
    finally:
        stream.close()


def unanswered(stream: PageStream, fetches: Sequence[Fetch]) -> int:
    """How many requests these fetches would send for their first pages."""
    return sum(not group.is_answered for group in stream.groups(fetches))
