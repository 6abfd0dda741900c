"""The sandbox with the chaos API beside the vendors', and answers that break HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from connstat_sql.demo import DemoServers
from connstat_sql.demo.faults import PendingRequest
from connstat_sql.demo.server import reset, sent, written
from connstat_sql.demo.wire import Api, DemoResponse
from tests.chaos.api import Chaos
from tests.chaos.wire import RudeAnswer

CHAOS_PROVIDERS = Path(__file__).parent / "providers"
"""A folder of definitions, that of chaos alone."""
_MOST_WAITING = 1_000_000
"""Bytes of an answer that may wait to be taken."""


def chaos_of(sandbox: DemoServers) -> Mapping[str, str]:
    """The configuration of a connection to the chaos API of a sandbox that has it."""
    return {"provider": "chaos", "base_url": f"{sandbox.url}/chaos"}


class ChaosSandbox(DemoServers):
    """Its ``connections`` are those of the vendors; that to chaos is ``chaos_of`` it."""

    def _mounted(self) -> tuple[Api, ...]:
        return (*super()._mounted(), Chaos())

    async def _respond(
        self, request: web.BaseRequest, entry: PendingRequest, answer: DemoResponse, cut: int | None
    ) -> web.StreamResponse:
        if isinstance(answer, RudeAnswer):
            return await _rudely_sent(request, entry, answer)
        return await super()._respond(request, entry, answer, cut)


async def _rudely_sent(
    request: web.BaseRequest, entry: PendingRequest, answer: RudeAnswer
) -> web.StreamResponse:
    await asyncio.sleep(answer.delay)
    if answer.pieces is not None:
        entry.status = answer.status
        await _write_slowly(request.transport, answer)
    elif not answer.reset:
        return sent(request, entry, answer, None)
    if answer.reset:
        return reset(request)
    return written(request, b"")


async def _write_slowly(transport: asyncio.Transport | None, answer: RudeAnswer) -> None:
    """Write the pieces as fast as they are taken, until whoever takes them is gone."""
    for piece in answer.pieces or ():
        await asyncio.sleep(answer.pause)
        if transport is None or transport.is_closing():
            return
        transport.write(piece)
        while transport.get_write_buffer_size() > _MOST_WAITING:
            await asyncio.sleep(0.001)
