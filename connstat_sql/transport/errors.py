"""What went wrong on the wire → words, the next step, and whether another try is worth it.

The one place that knows what httpx, aiohttp, ssl and sockets raise.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_WORDS = 200
DOCTOR = "connstat doctor  tests each connection"


class TimedOut(TimeoutError):
    """An exchange that took too long; its text says which part of it, and how long that may take.

    `answered` says that the head of an answer had come.
    """

    def __init__(self, words: str, *, answered: bool) -> None:
        super().__init__(words)
        self.answered = answered


class TruncatedAnswer(EOFError):
    """An answer that has begun and cannot be read to its end; its text says why."""


@dataclass(frozen=True, slots=True)
class WireFailure:
    """What to say of an exchange that had no whole answer.

    `is_down` says that the host gave no answer at all, so that others would get none either.
    """

    words: str
    hint: str = DOCTOR
    is_worth_retrying: bool = True
    is_down: bool = False


def wire_errors(*, is_handed_in: bool = False) -> tuple[type[Exception], ...]:
    """Everything that sending and reading can raise, over the network or what was handed in.

    (Both libraries are slow to import: when needed.)
    """
    import aiohttp
    from aiohttp.http_exceptions import HttpProcessingError

    always = (
        OSError, asyncio.TimeoutError, aiohttp.ClientError, HttpProcessingError, ValueError,
        EOFError,
    )  # fmt: skip
    if not is_handed_in:
        return always
    import httpx

    return (*always, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)


def explain(
    error: BaseException, host: str, timeout: float, address: str = "base_url of the connection"
) -> WireFailure:
    """What to say of one of `wire_errors`, from a request to `host`; `timeout` is in seconds.

    `address` is what says where the host is: a variable, or a key of the connection.
    """
    import aiohttp
    import httpx

    chain = _causes(error)
    rules: tuple[tuple[tuple[type[BaseException], ...], Callable[..., WireFailure]], ...] = (
        ((TimedOut,), _timed_out),
        ((TimeoutError, httpx.TimeoutException), lambda _: _silent(timeout)),
        ((ssl.SSLCertVerificationError,), lambda cause: _certificate(cause, host, address)),
        (
            (aiohttp.ClientConnectorCertificateError,),
            lambda cause: _certificate(cause, host, address),
        ),
        ((ssl.SSLError, aiohttp.ClientSSLError), lambda cause: _tls(cause, host, address)),
        ((aiohttp.ClientHttpProxyError,), _proxy_refused),
        ((aiohttp.ClientProxyConnectionError, httpx.ProxyError), _no_proxy),
        (
            (socket.gaierror, aiohttp.ClientConnectorDNSError),
            lambda cause: _dns(cause, host, address),
        ),
        ((ConnectionRefusedError,), lambda _: _refused(address)),
        (
            (aiohttp.ClientConnectorError, httpx.ConnectError),
            lambda cause: WireFailure(
                f"no connection: {_deepest(cause)}", hint=f"check {address}", is_down=True
            ),
        ),
        ((TruncatedAnswer,), lambda cause: WireFailure(str(cause))),
        ((aiohttp.ServerDisconnectedError,), lambda _: WireFailure(_CLOSED)),
        (_cut_short(), lambda _: WireFailure("the answer was cut short")),
        (_not_http(), lambda cause: _garbled(cause, address)),
        (
            (ValueError, httpx.InvalidURL, httpx.UnsupportedProtocol),
            lambda cause: WireFailure(_deepest(cause), is_worth_retrying=False),
        ),
    )
    for kinds, said in rules:
        cause = next((link for link in reversed(chain) if isinstance(link, kinds)), None)
        if cause is not None:
            return said(cause)
    return WireFailure(_deepest(error))


_CLOSED = "the connection was closed before the answer"


def _cut_short() -> tuple[type[BaseException], ...]:
    import aiohttp
    import httpx
    from aiohttp.http_exceptions import PayloadEncodingError

    return (aiohttp.ClientPayloadError, PayloadEncodingError, httpx.ReadError)


def _not_http() -> tuple[type[BaseException], ...]:
    import aiohttp
    import httpx
    from aiohttp.http_exceptions import HttpProcessingError

    return (HttpProcessingError, aiohttp.ClientResponseError, httpx.RemoteProtocolError)


def _timed_out(error: TimedOut) -> WireFailure:
    """It has cost all the time that it may; another try would cost that again."""
    return WireFailure(str(error), is_worth_retrying=False, is_down=not error.answered)


def _silent(timeout: float) -> WireFailure:
    return WireFailure(f"no answer within {timeout:g} s", is_worth_retrying=False, is_down=True)


def _refused(address: str) -> WireFailure:
    return WireFailure("the connection was refused", hint=f"check {address}", is_down=True)


def _dns(error: BaseException, host: str, address: str) -> WireFailure:
    number = getattr(error, "errno", None)
    if number == socket.EAI_AGAIN:
        return WireFailure(f"the name {host} cannot be looked up at present", is_down=True)
    return WireFailure(f"its host {host} is not known", hint=f"check {address}", is_down=True)


def _no_proxy(error: BaseException) -> WireFailure:
    said = f"its proxy cannot be reached: {_deepest(error)}"
    return WireFailure(said, hint="check proxy of the connection, or http_proxy and HTTPS_PROXY",
                   is_down=True)  # fmt: skip


def _proxy_refused(error: BaseException) -> WireFailure:
    status = getattr(error, "status", 0)
    hint = "check who may use the proxy, and its login in the connection's proxy"
    worth = status in (502, 503, 504)
    return WireFailure(f"its proxy answered {status}", hint, worth, is_down=True)


def _garbled(error: BaseException, address: str) -> WireFailure:
    """What aiohttp says of it would repeat what it has read."""
    said = str(error)
    if "Too many headers" in said or "Got more than" in said:
        return WireFailure("the answer's headers are too long or too many", is_worth_retrying=False)
    return WireFailure("the answer is not HTTP", hint=f"does {address} want https?")


# --- TLS -----------------------------------------------------------------------------------------

_EXPIRED, _NOT_YET = 10, 9
_OTHER_HOST = (62, 64)
_UNKNOWN = (2, 18, 19, 20, 21)
_CA_FILE = "set ca_file of the connection to the certificate of the authority that signed it"


def _certificate(error: BaseException, host: str, address: str) -> WireFailure:
    """A certificate that is not believed; numbers are those of OpenSSL's verify(1)."""
    code = getattr(error, "verify_code", None)
    said, hint = getattr(error, "verify_message", "") or _deepest(error), _CA_FILE
    if code in (_EXPIRED, _NOT_YET):
        when = "has expired" if code == _EXPIRED else "is not valid yet"
        said, hint = f"the certificate of {host} {when}", "renew it on the server; check the clock"
    elif code in _OTHER_HOST:
        said, hint = (
            f"the certificate is not one of {host}",
            f"name the host in {address} as it does",
        )
    elif code in _UNKNOWN:
        said = f"the certificate of {host} is signed by an authority that is not known here"
    return WireFailure(f"TLS: {said}", hint, is_worth_retrying=False, is_down=True)


_ALERTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("WRONG VERSION NUMBER", "HTTP REQUEST", "RECORD LAYER"),
        "the server does not speak it",
        "does {address} want http?",
    ),
    (
        ("ALERT PROTOCOL VERSION", "UNSUPPORTED PROTOCOL", "VERSION TOO LOW"),
        "the server speaks only versions of it that are too old",
        "switch on TLS 1.2 or later on the server",
    ),
    (
        ("NO APPLICATION PROTOCOL",),
        "the server does not speak HTTP/1.1",
        "what speaks HTTP/2 alone can be asked through a proxy that speaks both",
    ),
    (
        ("UNRECOGNIZED NAME",),
        "the server does not know the name {host}",
        "check {address}",
    ),
    (
        ("ALERT HANDSHAKE FAILURE", "ALERT INSUFFICIENT SECURITY"),
        "the server ended the handshake",
        "set client_cert and client_key of the connection; or it has no cipher that is safe",
    ),
    (
        (
            "ALERT CERTIFICATE",
            "ALERT NO CERTIFICATE",
            "ALERT BAD CERTIFICATE",
            "ALERT UNSUPPORTED CERTIFICATE",
            "ALERT UNKNOWN CA",
            "ALERT ACCESS DENIED",
        ),
        "the server wants a certificate from us, or another one",
        "set client_cert and client_key of the connection",
    ),
)
"""What stands in OpenSSL's words, what to say in place of them, and what to do."""


def _tls(error: BaseException, host: str, address: str) -> WireFailure:
    said, hint = _deepest(error), DOCTOR
    reason = f"{getattr(error, 'reason', '')} {said}".upper().replace("_", " ")
    for marks, words, step in _ALERTS:
        if any(mark in reason for mark in marks):
            said, hint = words.format(host=host), step.format(address=address)
            break
    return WireFailure(f"TLS: {said}", hint, is_worth_retrying=False, is_down=True)


# --- words ---------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """One line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))


def _deepest(error: BaseException) -> str:
    causes = _causes(error)
    said = next((_said(cause) for cause in reversed(causes) if _said(cause)), type(error).__name__)
    return plain(said[:LONGEST_WORDS])


def _said(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def _causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes
