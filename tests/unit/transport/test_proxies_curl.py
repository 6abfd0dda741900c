"""NO_PROXY as curl itself reads it, where curl is on the machine."""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connstat_sql.transport.proxies import covers

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine"),
]
HOSTS = ("a.test", "b.a.test", "ba.test", "A.Test", "10.1.2.3", "10.1.2.4", "127.0.0.1", "[::1]")
_ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@contextmanager
def proxy() -> Iterator[int]:
    """The port of a proxy that answers whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    asked, _ = server.accept()
                except OSError:
                    return
                with asked:
                    asked.recv(65536)
                    asked.sendall(_ANSWER)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def direct_with_curl(excepted: str, port: int) -> dict[str, bool]:
    """Which hosts curl goes to around the proxy, which it else asks for a tunnel."""
    urls = [word for host in HOSTS for word in ("-o", "/dev/null", f"http://{host}/")]
    codes = subprocess.run(
        ["curl", "-g", "-s", "-w", "%{http_connect}\n", "--connect-to", "::127.0.0.1:1", *urls],
        env={"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": excepted},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return {host: code == "000" for host, code in zip(HOSTS, codes, strict=True)}


def items_of(source: random.Random) -> str:
    """A list as people write it, and as nobody does."""
    names = ("a.test", ".a.test", "..a.test", "test", "b.a.test.", "*.test", "A.TEST", "*")
    address = ".".join(source.choice(("10", "1", "2", "3", "127", "0")) for _ in range(4))
    items = [
        source.choice((*names, address, f"{address}/{source.randint(0, 34)}", "::1", "fd00::/8",
                       "[::1]", "a.test:80", "10.1.2.3/", "10.1.2.3/8x", "10", ""))
        for _ in range(source.randint(1, 4))
    ]  # fmt: skip
    return source.choice((",", ", ", " ,", " ", ",,")).join(items)


BEYOND_CURL = re.compile(r"\*|\]|:80|/0|::")
"""What curl does not understand, or not in every release, and we do."""


def test_whatever_curl_goes_to_around_a_proxy_is_gone_to_around_it() -> None:
    source, faults = random.Random(20), list[str]()
    with proxy() as port:
        for _ in range(60):
            excepted = items_of(source)
            for host, is_direct in direct_with_curl(excepted, port).items():
                bare, items = host.strip("[]").lower(), excepted.replace(",", " ").split()
                is_ours = any(covers(item, bare, 80) for item in items)
                may_be_more = any(BEYOND_CURL.search(item) for item in items)
                if is_direct != is_ours and (is_direct or not may_be_more):
                    faults.append(f"{excepted!r} {host}: curl {is_direct}, we {is_ours}")
    assert faults == []
