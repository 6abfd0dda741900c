"""What stands in for the network: an httpx transport."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from connstat_sql.transport.messages import Request
from connstat_sql.transport.responses import RawResponse
from connstat_sql.transport.wire import (
    OWN_HEADERS,
    Exchange,
    ExchangeLimits,
    TimedBackend,
    no_answer,
    no_connection,
    read_whole,
    target,
)


class HttpxBackend(TimedBackend):
    """Sends over an httpx transport that stands in for the network."""

    def __init__(self, transport: httpx.AsyncBaseTransport, limits: ExchangeLimits) -> None:
        self._transport = transport
        super().__init__(limits)

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    async def _exchange(
        self, request: Request, headers: Mapping[str, str], exchange: Exchange
    ) -> RawResponse:
        sent = httpx.Headers(OWN_HEADERS)
        sent.update(headers)
        sent.update(request.headers)
        outgoing = httpx.Request(
            request.method, target(request), headers=sent, content=request.body
        )
        try:
            response = await self._transport.handle_async_request(outgoing)
            exchange.answered = True
            return await self._read(response)
        except httpx.ConnectTimeout as error:
            raise no_connection(self._limits) from error
        except httpx.TimeoutException as error:
            raise no_answer(self._limits, exchange) from error

    async def _read(self, response: httpx.Response) -> RawResponse:
        try:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            chunks = aiter(response.stream)
            body = await read_whole(response.status_code, response.headers, chunks, self._limits)
        finally:
            await response.aclose()
        return RawResponse(response.status_code, response.headers, body)
