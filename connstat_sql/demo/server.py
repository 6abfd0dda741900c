"""The demo servers: a thread that serves all their APIs on one free port of the loopback."""

import asyncio
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from connstat_sql.demo import aeontel, confluent, redpanda
from connstat_sql.demo.aeontel import Aeontel
from connstat_sql.demo.confluent import Confluent
from connstat_sql.demo.faults import Fault, Faults, Journal, PendingRequest, RequestRecord
from connstat_sql.demo.kafka_connect import KafkaConnect
from connstat_sql.demo.redpanda import ControlPlane, Tokens
from connstat_sql.demo.redpanda_dataplane import DataPlane
from connstat_sql.demo.wire import Api, DemoRequest, DemoResponse
from connstat_sql.demo.world import World

_HOST = "127.0.0.1"
_NOWHERE = DemoResponse(404, b"no API of the sandbox has this path", "text/plain")


class DemoServers:
    """Serves a world over HTTP from ``start`` to ``close``, or within a ``with`` block."""

    def __init__(
        self, world: World | None = None, latency: float = 0.0, faults: Faults | None = None
    ) -> None:
        """`faults` says what goes wrong (None: only what is injected)."""
        self.world = world or World.seeded()
        self.latency = latency
        """Seconds before each answer."""
        self._journal = Journal()
        self._faults = Faults() if faults is None else faults
        self._tokens = Tokens()
        self._port = 0
        self._planes = [
            DataPlane(cluster, self._tokens)
            for cluster in (
                *self.world.redpanda.clusters,
                *self.world.redpanda.serverless_clusters,
            )
        ]
        self._apis = self._mounted()
        self._answers: dict[tuple[str, int, str, str], DemoResponse] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    # lifecycle

    def __enter__(self) -> "DemoServers":
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def start(self) -> "DemoServers":
        """Returns once the port answers. Servers that run already stay as they are."""
        if self._thread is not None:
            return self
        listening = socket.create_server((_HOST, self._port), backlog=4096)
        self._port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening, ready)),
            name="connstat-sandbox",
            daemon=True,
        )
        self._thread.start()
        ready.wait()
        return self

    def close(self) -> None:
        """Drops every connection and returns once the thread is gone."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        site = web.Server(self._handle, access_log=None)
        server = await self._loop.create_server(site, sock=listening, backlog=4096)
        ready.set()
        await self._stopping.wait()
        server.close()
        await site.shutdown(timeout=0.01)

    # what tests read and turn

    @property
    def url(self) -> str:
        """The root of all APIs, such as ``http://127.0.0.1:41234``."""
        return f"http://{_HOST}:{self._port}"

    @property
    def connections(self) -> Mapping[str, Mapping[str, object]]:
        """The configuration of a connection to each API, with its (fake) credentials."""
        connections: dict[str, Mapping[str, object]] = {
            "confluent": {
                "provider": "confluent",
                "base_url": f"{self.url}/confluent",
                "api_key": confluent.API_KEY,
                "api_secret": confluent.API_SECRET,
            },
            "redpanda": {
                "provider": "redpanda",
                "base_url": f"{self.url}/redpanda",
                "token_url": f"{self.url}/redpanda/oauth/token",
                "client_id": redpanda.CLIENT_ID,
                "client_secret": redpanda.CLIENT_SECRET,
                "trusted_hosts": [_HOST],
            },
        }
        for cluster in self.world.kafka_connect:
            base_url = f"{self.url}/kafka-connect/{cluster.name}"
            secrets = {"username": cluster.username, "password": cluster.password}
            connections[cluster.name] = {
                "provider": "kafka_connect",
                "base_url": base_url,
                **(secrets if cluster.password else {}),
            }
        connections["aeontel"] = {
            "provider": "aeontel",
            "base_url": f"{self.url}/aeontel",
            "api_key": aeontel.API_KEY,
        }
        return connections

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests in order of arrival."""
        return self._journal.records()

    def count(self, api: str | None = None) -> int:
        """How many requests arrived, for one API (named as a ``Fault`` names it) or in all."""
        return self._journal.count(api)

    def reset(self) -> None:
        """Forgets the requests; faults, tokens and installs stay."""
        self._journal.reset()

    def inject(self, fault: Fault) -> None:
        """Switches a fault on."""
        self._faults.inject(fault)

    def heal(self) -> None:
        """Switches all faults off."""
        self._faults.heal()

    @property
    def token_lifetime(self) -> float:
        """Seconds for which the Redpanda tokens issued from now on are valid."""
        return self._tokens.lifetime

    @token_lifetime.setter
    def token_lifetime(self, seconds: float) -> None:
        self._tokens.lifetime = seconds

    def expire_tokens(self) -> None:
        """Makes every Redpanda token issued so far invalid."""
        self._tokens.expire()

    @property
    def bare_bodies(self) -> bool:
        """Whether Redpanda's data planes answer single objects without the key around them."""
        return any(plane.is_bare for plane in self._planes)

    @bare_bodies.setter
    def bare_bodies(self, value: bool) -> None:
        for plane in self._planes:
            plane.is_bare = value

    # one request

    def _mounted(self) -> tuple[Api, ...]:
        world = self.world
        return (
            Confluent(world.confluent),
            ControlPlane(
                world.redpanda, self._tokens, lambda each: f"{self.url}/redpanda-dataplane/{each}"
            ),
            *self._planes,
            *(KafkaConnect(cluster) for cluster in world.kafka_connect),
            Aeontel(world.aeontel),
        )

    def _owner(self, path: str) -> Api | None:
        for api in self._apis:
            if path == api.prefix or path.startswith(f"{api.prefix}/"):
                return api
        return None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        api = self._owner(path)
        names = api.names if api else ()
        call = DemoRequest(
            method=request.method,
            path=path[len(api.prefix) :] if api else path,
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read() if request.can_read_body else b"",
        )
        first = names[0] if names else ""
        record = RequestRecord(first, call.method, call.path, query, 0, call.headers, names)
        entry = self._journal.opened(record)
        fault = self._faults.hitting(names, call.path) or Fault()
        await asyncio.sleep(self.latency + fault.delay)
        if fault.reset:
            return reset(request)
        answer = _NOWHERE
        if api is not None and fault.status is not None:
            answer = _spoilt(fault, api, api.failure(fault.status, call))
        elif api is not None:
            answer = _spoilt(fault, api, self._answer(api, call))
        return await self._respond(request, entry, answer, fault.cut)

    async def _respond(
        self, request: web.BaseRequest, entry: PendingRequest, answer: DemoResponse, cut: int | None
    ) -> web.StreamResponse:
        """Send an answer, or of its body so many bytes."""
        return sent(request, entry, answer, cut)

    def _answer(self, api: Api, call: DemoRequest) -> DemoResponse:
        if refusal := api.refused(call):
            return refusal
        key = (api.prefix, api.edition, call.path, call.query)
        if call.method == "GET" and key in self._answers:
            return self._answers[key]
        answer = api.read(call)
        if call.method == "GET" and key[1] == api.edition:
            self._answers[key] = answer
        return answer


def _spoilt(fault: Fault, api: Api, answer: DemoResponse) -> DemoResponse:
    body = answer.body if fault.body is None else fault.body
    return replace(answer, body=body, headers={**api.headers, **answer.headers, **fault.headers})


def sent(
    request: web.BaseRequest, entry: PendingRequest, answer: DemoResponse, cut: int | None
) -> web.StreamResponse:
    """Put an answer on record and send it; `cut` is how much of its body (None: all)."""
    entry.status = answer.status
    headers = {"Content-Type": answer.content_type, **answer.headers}
    if cut is not None:
        return _cut(request, answer, headers, cut)
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _cut(
    request: web.BaseRequest, answer: DemoResponse, headers: Mapping[str, str], size: int
) -> web.StreamResponse:
    lines = [f"HTTP/1.1 {answer.status} Cut", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join((*lines, "", "")).encode()
    return written(request, head + answer.body[:size])


def written(request: web.BaseRequest, raw: bytes) -> web.StreamResponse:
    """Write bytes as they are, and close the connection."""
    if (transport := request.transport) is not None:
        transport.write(raw)
        transport.close()
    return web.Response()


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection in place of an answer."""
    transport = request.transport
    if transport is not None and not transport.is_closing():
        no_linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_linger
        )
        transport.abort()
    return web.Response()
