"""Whatever sending and reading can raise is an error of ours; being cancelled is not."""

import asyncio
import base64
import gzip
import html
import inspect
import json
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast
from urllib.parse import quote, quote_plus

import aiohttp
import httpx
import pytest
from aiohttp import http_exceptions
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from connstat_sql.errors import ConnectionFailed, Unauthorized, UnexpectedShape
from connstat_sql.redaction.credentials import scrubbed
from connstat_sql.transport.responses import (
    error_message,
    retry_after,
)
from tests.conftest import FakeClock
from tests.tabled import over
from tests.unit.transport.test_transport import PLANT, get, with_client

KEY = ConnectionKey("plant.test", 8083, False, True, None, None, None)
INFO = aiohttp.RequestInfo(URL("http://plant.test"), "GET", {}, URL("http://plant.test"))  # type: ignore[arg-type]
SPECIAL: dict[type[Exception], tuple[Any, ...]] = {
    aiohttp.ClientConnectorError: (KEY, OSError(111, "refused")),
    aiohttp.ClientConnectorDNSError: (KEY, OSError(-2, "unknown name")),
    aiohttp.ClientProxyConnectionError: (KEY, OSError(111, "refused")),
    aiohttp.ClientConnectorSSLError: (KEY, OSError(1, "TLS")),
    aiohttp.ClientConnectorCertificateError: (KEY, ssl.SSLCertVerificationError("expired")),
    aiohttp.client_exceptions.UnixClientConnectorError: ("/s", KEY, OSError(111, "refused")),
    aiohttp.ServerFingerprintMismatch: (b"a", b"b", "plant.test", 8083),
    aiohttp.ClientSSLError: (KEY, OSError(1, "TLS")),
    httpx.HTTPStatusError: (),
    http_exceptions.LineTooLong: (b"line", 10),
    http_exceptions.InvalidHeader: (b"header",),
    http_exceptions.BadStatusLine: ("line",),
    http_exceptions.InvalidURLError: ("url",),
}


def proxy_answers(status: int) -> Exception:
    return aiohttp.ClientHttpProxyError(INFO, (), status=status, message="said")


def httpx_errors() -> Iterator[Exception]:
    for name in httpx.__all__:
        kind = getattr(httpx, name)
        if not (inspect.isclass(kind) and issubclass(kind, Exception)):
            continue
        if kind is httpx.HTTPStatusError:
            request = httpx.Request("GET", "http://plant.test")
            yield kind("said", request=request, response=httpx.Response(500))
        elif issubclass(kind, httpx.StreamError) and kind is not httpx.StreamError:
            yield kind()  # type: ignore[call-arg]
        else:
            yield kind("said")


def aiohttp_errors() -> Iterator[Exception]:
    kinds = {
        kind
        for module in (aiohttp, aiohttp.client_exceptions, http_exceptions)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, (aiohttp.ClientError, http_exceptions.HttpProcessingError))
    }
    for kind in sorted(kinds, key=lambda error_type: error_type.__name__):
        yield _made(kind)


def _made(kind: type[Exception]) -> Exception:
    if kind in SPECIAL:
        return kind(*SPECIAL[kind])
    if issubclass(kind, aiohttp.ClientResponseError):
        return kind(INFO, ())
    if issubclass(kind, OSError):
        return kind(104, "reset by peer")
    if issubclass(kind, http_exceptions.HttpProcessingError):
        made: Any = kind
        is_plain = kind.__init__ is http_exceptions.HttpProcessingError.__init__
        return cast(Exception, made(message="said") if is_plain else made("said"))
    return kind("http://plant.test:x")


OTHERS: list[Exception] = [
    OSError("said"), ConnectionResetError(104, "reset"), BrokenPipeError(32, "pipe"),
    TimeoutError("late"), asyncio.TimeoutError(), ssl.SSLError(1, "handshake"),
    ssl.SSLCertVerificationError("expired"), UnicodeError("label too long"), ValueError("port"),
    EOFError(), asyncio.IncompleteReadError(b"", 5),
]  # fmt: skip


class Raising(httpx.AsyncBaseTransport):
    """Raises in place of an answer, or while the body is read."""

    def __init__(self, error: BaseException, in_body: bool) -> None:
        self.error, self.in_body, self.count = error, in_body, 0

    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        self.count += 1
        if not self.in_body:
            raise self.error
        return httpx.Response(200, stream=Breaking(self.error))


class Breaking(httpx.AsyncByteStream):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"[1, 2"
        raise self.error


@over("in_body", [False, True])
@over(
    "error",
    [*httpx_errors(), *aiohttp_errors(), *OTHERS],
    ids=lambda argument: (
        type(argument).__name__ if isinstance(argument, Exception) else str(argument)
    ),
)
def test_every_error_of_the_wire_is_a_failed_connection(error: Exception, in_body: bool) -> None:
    wire, clock = Raising(error, in_body), FakeClock()
    with pytest.raises(ConnectionFailed) as caught:
        with_client(PLANT, wire, get, clock=clock)
    failed = caught.value
    assert failed.message.startswith("one did not answer: ")
    assert len(failed.message) > len("one did not answer: ")
    assert (failed.table, failed.connection, failed.status) == ("p.s.t", "one", None)
    assert str(failed.request) == "GET http://plant.test:8083/x"
    assert failed.attempts == wire.count == len(clock.slept) + 1
    assert failed.attempts == (4 if failed.is_worth_retrying else 1)
    cause = failed.__cause__  # nothing that may repeat what a server has written
    assert cause is None or isinstance(cause, OSError)
    assert failed.__context__ is None


@over("error", [asyncio.CancelledError(), KeyboardInterrupt()])
def test_being_cancelled_or_interrupted_is_not_translated(error: BaseException) -> None:
    wire = Raising(error, False)
    with pytest.raises(type(error)):
        with_client(PLANT, wire, get)
    assert wire.count == 1


DOWN, UP, AGAIN, ONCE = True, False, True, False


@over(
    ("error", "says", "is_worth_retrying", "is_down"),
    [
        (httpx.ReadTimeout("x"), "no answer within 30 s", ONCE, DOWN),
        (httpx.ConnectTimeout("x"), "no connection within 10 s", ONCE, DOWN),
        (aiohttp.ServerTimeoutError("x"), "no answer within 30 s", ONCE, DOWN),
        (asyncio.TimeoutError(), "no answer within 30 s", ONCE, DOWN),
        (ConnectionRefusedError(111, "x"), "the connection was refused", AGAIN, DOWN),
        (aiohttp.ClientConnectorError(KEY, OSError(113, "No route to host")),
         "no connection: No route to host", AGAIN, DOWN),
        (httpx.ConnectError("All connection attempts failed"),
         "no connection: All connection attempts failed", AGAIN, DOWN),
        (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_NONAME, "unknown")),
         "its host plant.test is not known", AGAIN, DOWN),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
         "the name plant.test cannot be looked up at present", AGAIN, DOWN),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused")),
         "its proxy cannot be reached: Connection refused", AGAIN, DOWN),
        (proxy_answers(407), "its proxy answered 407", ONCE, DOWN),
        (proxy_answers(503), "its proxy answered 503", AGAIN, DOWN),
        (aiohttp.ServerDisconnectedError(), "the connection was closed before the answer",
         AGAIN, UP),
        (aiohttp.ClientPayloadError("x"), "the answer was cut short", AGAIN, UP),
        (httpx.ReadError("x"), "the answer was cut short", AGAIN, UP),
        (http_exceptions.BadStatusLine("x"), "the answer is not HTTP", AGAIN, UP),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer",
         AGAIN, UP),
        (ssl.SSLCertVerificationError(1, "self-signed"), "TLS: self-signed", ONCE, DOWN),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert"),
         "TLS: the server wants a certificate from us, or another one", ONCE, DOWN),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
         "TLS: the server does not speak it", ONCE, DOWN),
        (ValueError("label too long"), "label too long", ONCE, UP),
    ],
)  # fmt: skip
def test_what_happened_is_said_in_plain_words(
    error: Exception, says: str, is_worth_retrying: bool, is_down: bool
) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        with_client(PLANT, Raising(error, False), get)
    assert caught.value.message == f"one did not answer: {says}"
    outcome = (caught.value.is_worth_retrying, caught.value.is_down)
    assert outcome == (is_worth_retrying, is_down)
    assert caught.value.hint


def test_a_time_out_in_the_body_is_not_worth_another_try_and_the_host_is_not_down() -> None:
    with pytest.raises(ConnectionFailed, match="no whole answer within 30 s") as caught:
        with_client(PLANT, Raising(httpx.ReadTimeout("x"), True), get)
    assert (caught.value.is_worth_retrying, caught.value.is_down) == (False, False)


def test_the_connection_may_not_take_longer_than_the_whole() -> None:
    with pytest.raises(ConnectionFailed, match="no connection within 5 s"):
        with_client(PLANT, Raising(httpx.ConnectTimeout("x"), False), get, timeout=5)


# bodies


def bomb(size: int) -> bytes:
    return gzip.compress(b"[" + b" " * size + b"]")


@over(
    "response",
    [
        httpx.Response(200, content=b"x" * 2000),
        httpx.Response(200, content=b"x", headers={"Content-Length": "2000"}),
        httpx.Response(200, content=b"x", headers={"Content-Length": "9" * 5000}),
        httpx.Response(500, content=b"x" * 2000),
    ],
)
def test_a_body_beyond_the_limit_is_an_error_and_not_read_on(response: httpx.Response) -> None:
    if len(response.headers["Content-Length"]) > 1000:
        response = httpx.Response(200, stream=Endless(), headers=response.headers)
    with pytest.raises(UnexpectedShape, match="larger than the limit of 1,000 bytes") as caught:
        with_client(PLANT, lambda _: response, get, max_body=1000)
    assert (caught.value.connection, caught.value.attempts) == ("one", 1)
    assert caught.value.status == response.status_code
    assert str(caught.value.request) == "GET http://plant.test:8083/x"


class Endless(httpx.AsyncByteStream):
    """A body without end, in pieces."""

    def __init__(self, piece: bytes = b"x" * 100) -> None:
        self.piece, self.pieces = piece, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.pieces += 1
            yield self.piece


def test_an_endless_body_is_left_at_the_limit() -> None:
    stream = Endless()
    with pytest.raises(UnexpectedShape, match="larger than the limit"):
        with_client(PLANT, lambda _: httpx.Response(200, stream=stream), get, max_body=1000)
    assert stream.pieces == 11


def test_a_packed_body_counts_unpacked() -> None:
    packed = bomb(5_000_000)
    assert len(packed) < 10_000
    with pytest.raises(UnexpectedShape, match="larger than the limit"):
        with_client(
            PLANT,
            lambda _: httpx.Response(
                200, stream=httpx.ByteStream(packed), headers={"Content-Encoding": "gzip"}
            ),
            get,
            max_body=1_000_000,
        )


@over("packing", ["gzip, gzip", "gzip,deflate", "compress", "x"])
def test_a_body_packed_in_another_way_than_asked_is_refused_unopened(packing: str) -> None:
    stream = Endless()
    response = httpx.Response(200, stream=stream, headers={"Content-Encoding": packing})
    with pytest.raises(UnexpectedShape, match="was not asked for"):
        with_client(PLANT, lambda _: response, get)
    assert stream.pieces == 0


@over("packing", ["gzip", "deflate", "GZIP", " gzip ", "identity", None])
def test_a_body_packed_as_asked_is_unpacked(packing: str | None) -> None:
    kind = (packing or "").strip().lower()
    body = {"gzip": gzip.compress(b"[1]"), "deflate": zlib.compress(b"[1]")}.get(kind, b"[1]")
    headers = {"Content-Encoding": packing} if packing else {}

    def api(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "gzip, deflate, br, zstd"
        return httpx.Response(200, stream=httpx.ByteStream(body), headers=headers)

    assert with_client(PLANT, api, get).body == b"[1]"


def test_an_answer_that_is_handed_in_read_already_is_unpacked_once() -> None:
    packed = gzip.compress(b"[1]")
    response = httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"})
    assert with_client(PLANT, lambda _: response, get).body == b"[1]"


def test_a_body_that_does_not_unpack_is_a_failed_connection() -> None:
    def api(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(b"not packed at all")
        return httpx.Response(200, stream=stream, headers={"Content-Encoding": "gzip"})

    with pytest.raises(ConnectionFailed, match="not packed as it says") as caught:
        with_client(PLANT, api, get)
    assert caught.value.attempts == 4


class Trickle(httpx.AsyncByteStream):
    """A body of which a piece is always about to come."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)


def test_the_time_out_is_for_the_whole_answer_and_not_for_each_piece() -> None:
    with pytest.raises(ConnectionFailed, match=r"no whole answer within 0\.3 s"):
        with_client(PLANT, lambda _: httpx.Response(200, stream=Trickle()), get, timeout=0.3)


# words and rules


@over(
    ("text", "seconds"),
    [
        ("0", 0), ("7", 7), (" 7 ", 7), ("-1", None), ("", None), ("soon", None), ("7.5", None),
        ("²", None), ("9" * 400, float("inf")), ("Fri, 15 Jan 2027 08:00:10 GMT", 10),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 0), ("Fri, 99 Jan 2027 08:00:10 GMT", None),
        ("Fri, 15 Jan 99999 08:00:10 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, 1_800_000_000.0) == seconds


def test_no_retry_after_is_none() -> None:
    assert retry_after({}, 0.0) is None


@over(
    ("body", "says"),
    [
        (b'{"errors": [{"detail": "first"}], "message": "second"}', "first"),
        (b'{"errors": [], "message": "second"}', "second"),
        (b'{"errors": "x", "message": 5}', ""),
        (b"  <!DOCTYPE html>", "(an HTML page)"),
        (b"plain \x1b]0;title\x07 text\n", "plain �]0;title� text"),
        (b"\xff\xfe", "��"),
        (b"[" * 100_000, "[" * 200),
        (b'{"message": "' + b"x" * 9_000 + b'"}', "x" * 500),
        (b"", ""),
    ],
)
def test_the_message_of_an_error_body(body: bytes, says: str) -> None:
    assert error_message(body, (("errors", "0", "detail"), ("message",))) == says


def test_a_secret_inside_a_longer_one_leaves_nothing_of_either() -> None:
    assert scrubbed("a hunter2-secret b", ["hunter2", "hunter2-secret"]) == "a … b"


REFLECTED = 'mOon/li+t 7&é"<key>-0123456789'


@pytest.mark.parametrize(
    "written",
    [
        REFLECTED,
        REFLECTED.upper(),
        REFLECTED[:14],
        REFLECTED[-12:],
        quote(REFLECTED),
        quote(REFLECTED, safe="").lower(),
        quote_plus(REFLECTED),
        quote(quote(REFLECTED, safe=""), safe=""),
        json.dumps(REFLECTED),
        html.escape(REFLECTED),
        REFLECTED.encode().hex(),
        base64.b64encode(REFLECTED.encode()).decode(),
        base64.b64encode(f"ada:{REFLECTED}".encode()).decode(),
        base64.b64encode(f"e:{REFLECTED}:".encode()).decode(),
        base64.urlsafe_b64encode(f"me@x:{REFLECTED}".encode()).decode().rstrip("="),
        base64.b64encode(REFLECTED.encode()).decode()[:20],
        base64.b64encode(base64.b64encode(REFLECTED.encode())).decode(),
        base64.b64encode(quote(REFLECTED, safe="").encode()).decode(),
        quote(quote(quote(REFLECTED, safe=""), safe=""), safe=""),
        "".join(f"%{byte:02X}" for byte in REFLECTED.encode()),
        "".join(f"\\u{ord(letter):04x}" for letter in REFLECTED),
        "".join(f"\\x{byte:02x}" for byte in REFLECTED.encode()),
        "".join(f"\\{byte:03o}" for byte in REFLECTED.encode()),
        "".join(f"&#{ord(letter)};" for letter in REFLECTED),
        html.escape(html.escape(REFLECTED)),
        json.dumps(json.dumps(REFLECTED)),
        json.dumps(REFLECTED).replace("/", "\\/"),
        REFLECTED.encode().hex(":"),
        ", ".join(f"0x{byte:02x}" for byte in REFLECTED.encode()),
        str([byte - 256 * (byte > 127) for byte in REFLECTED.encode()]),
        "�".join(REFLECTED),
    ],
)
def test_a_credential_is_not_repeated_however_it_is_written(written: str) -> None:
    text = f"you sent {written}, which is wrong"
    seen = scrubbed(text, ["other-credential", REFLECTED])
    middle = seen.removeprefix("you sent ").removesuffix(", which is wrong")
    assert "…" in middle
    assert not any(written[at : at + 8] in middle for at in range(len(written) - 7))


@over(
    "text",
    [
        "the key of key-0123 is not known, İstanbul",
        "%E9 %zz \\u12 \\ud83d &unknown; 1, 2, 3, 400, 5, 6, 7, 8, 9",
        "\\ud83d\\ude00 %c3%a9 &eacute;",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo= and AB CD EF 01 23 45 67 89",
    ],
)
def test_a_text_without_a_credential_stays_as_it_is(text: str) -> None:
    assert scrubbed(text, [REFLECTED, "pw", ""]) == text


def test_a_message_is_cut_after_its_secrets_are_taken_out() -> None:
    body = json.dumps({"message": "x" * 495 + REFLECTED}).encode()
    said = error_message(body, (("message",),), lambda text: scrubbed(text, [REFLECTED]))
    assert said == "x" * 495 + "…"


def test_refused_credentials_name_the_connection() -> None:
    with pytest.raises(Unauthorized) as caught:
        with_client(PLANT, lambda _: httpx.Response(403), get)
    assert "connection one" in caught.value.hint
