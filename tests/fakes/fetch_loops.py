"""What is under way on a loop that fetches."""

from __future__ import annotations

import asyncio

from connstat_sql.fetch import Loop


def tasks_of(loop: Loop) -> int:
    """How many tasks are under way."""

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    return loop.call(count())
