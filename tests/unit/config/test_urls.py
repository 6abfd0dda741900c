"""URLs are read as httpx reads them, also where it is not asked."""

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connstat_sql.config.urls import PLAIN, read_url
from tests.examples import examples
from tests.tabled import over

HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9.-]{1,12}", fullmatch=True),
    st.lists(st.integers(0, 300), min_size=3, max_size=5).map(
        lambda all_: ".".join(map(str, all_))
    ),
    st.sampled_from(
        ["localhost", "xn--bcher-kva.test", "a.xn--p1ai", "01.2.3.4", "1.2", "a_b", "A"]
    ),
)
URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    HOSTS,
    st.sampled_from(["", ":", ":0", ":80", ":443", ":00080", ":8083", ":65536", ":99999"]),
    st.sampled_from(["", "/", "/a/b", "/a%2Fb", "//evil.test", "/@evil.test", "/é", "?x", "#x"]),
)


@settings(max_examples=examples(150))
@given(URLS)
@example("http://127.0.0.1:8083/connectors")
@example("https://user:pw@panda.test/x")
@example("http://256.0.0.1")
def test_a_url_is_read_as_httpx_reads_it(text: str) -> None:
    try:
        url = httpx.URL(text)
        expected: object = (url.scheme, url.host, url.port, bool(url.userinfo))
        if "" in url.host.removesuffix(".").split(".") and url.host:
            expected = None  # not all read it alike
    except (httpx.InvalidURL, ValueError):
        expected = None
    assert found(text) == expected


def found(text: str) -> tuple[object, ...] | None:
    try:
        return read_url(text)
    except ValueError:
        return None


@over("text", ["http://127.0.0.1:1/x", "https://api.confluent.cloud/org/v2"])
def test_what_is_usual_is_plain(text: str) -> None:
    assert PLAIN.fullmatch(text)
