"""Why something failed, read from stack traces, and causes that are one cause."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from connstat_sql.database.macros import DESCRIBED, HIDING, NAMES, called_by_ours
from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.errors import BindError

TRACES = (Path(__file__).parents[2] / "fixtures" / "traces.txt").read_text(encoding="utf-8")
"""A title after ####, the root cause after =, and the trace."""


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


def run(session: Session, sql: str, *values: object) -> list[tuple[object, ...]]:
    """What the statements of a text answer, the last one's rows."""
    answer = None
    for piece in session.split(sql):
        answer = session.run(SourceText(piece.sql), list(values) or None)
    assert answer is not None
    return [tuple(row.values()) for row in answer.to_pylist()]


def traces() -> Iterator[tuple[str, str | None, str]]:
    for part in TRACES.split("#### ")[1:]:
        title, cause, trace = part.split("\n", 2)
        trace = trace.removesuffix("\n")
        ends = trace.replace("\n", "\r\n") if "CRLF" in title else trace
        yield title, None if cause == "= NULL" else cause.removeprefix("= "), ends


def test_the_root_cause_is_what_the_deepest_cause_that_says_something_says(
    session: Session,
) -> None:
    table = list(traces())
    assert len(table) > 50
    texts = [trace for *_, trace in table]
    answers = run(session, "SELECT root_cause(unnest($1))", texts)
    wrong = {
        title: (wanted, answer)
        for (title, wanted, _), (answer,) in zip(table, answers, strict=True)
        if answer != wanted
    }
    assert not wrong


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n \t", "---", None])
def test_a_trace_that_says_nothing_has_no_root_cause(session: Session, text: str | None) -> None:
    assert run(session, "SELECT root_cause($1)", text) == [(None,)]


ESC = chr(27)
WRAPPED = "org.acme.ConnectException: it ended\n\tat a.b.C.d(C.java:1)\n"


@pytest.mark.parametrize(
    "trace",
    [
        f"{ESC}[31mjava.net.SocketException: Connection reset{ESC}[0m\n\tat a.b.C.d(C.java:1)",
        f"{WRAPPED}{ESC}[1mCaused by: {ESC}[0;33mjava.net.SocketException{ESC}[m: Connection reset",
        f"{WRAPPED}Caused by: java.net.SocketException: {ESC}[38;5;196mConnection{ESC}[0m reset",
        f"{WRAPPED}Caused by: java.net.SocketException: Connection reset{ESC}[K",
        "\\u001b[31mjava.net.SocketException: Connection reset\\u001b[0m",
        f"{chr(0xFEFF)}{chr(0x241B)}[1;31mjava.net.SocketException: Connection reset",
        f"{ESC}]8;;http://x{ESC}\\java.net.SocketException: Connection reset{ESC}]8;;{ESC}\\",
    ],
)
def test_colours_are_no_part_of_a_cause(trace: str, session: Session) -> None:
    assert run(session, "SELECT root_cause($1)", trace) == [("SocketException: Connection reset",)]


@pytest.mark.parametrize("cause", ["RangeError: rate(x[5m]) has no rows", r"IOError: C:\\event"])
def test_what_only_looks_like_a_colour_stays(cause: str, session: Session) -> None:
    assert run(session, "SELECT root_cause($1)", cause) == [(cause,)]


GROUPS = {
    "TimeoutException: Topic returns not present in metadata after <n> ms.": [
        "TimeoutException: Topic returns not present in metadata after 60000 ms.",
        "TimeoutException: Topic returns not present in metadata after 120,000 ms.",
    ],
    "UnknownHostException: <host>": [
        "UnknownHostException: prices.example.net",
        "UnknownHostException: db7",
        "UnknownHostException: prices",
    ],
    "ConnectException: Connection to <host> refused": [
        "ConnectException: Connection to 10.2.0.4:5432 refused",
        "ConnectException: Connection to db.shop.internal:5432 refused",
        "ConnectException: Connection to /10.2.0.4 refused",
        "ConnectException: Connection to db.shop.internal/10.2.0.4:5432 refused",
        "ConnectException: Connection to shop-db:5432 refused",
        "ConnectException: Connection to [2001:db8::4:1]:5432 refused",
        "ConnectException: Connection to fe80::1%eth0 refused",
    ],
    "<host>: Name or service not known": [
        "shop-db: Name or service not known",
        "db.shop: Name or service not known",
    ],
    "JWT token is invalid. [<id>]": [
        "JWT token is invalid. [4c2e0b1f-9a55-4f0e-8a1c-1d2e3f405162]",
        "JWT token is invalid. [00000000-9A55-4F0E-8A1C-1D2E3F405162]",
    ],
    "Cannot seek to offset <n> of returns-<n>": [
        "Cannot seek to offset 17 of returns-0",
        "Cannot seek to offset 4711234 of returns-12",
    ],
    "Denied (Status Code: 403; Request ID: <id>)": [
        "Denied (Status Code: 403; Request ID: 5ZK1)",
        "Denied (Status Code: 403; Request ID: Q/x+=)",
    ],
    "No record since <time>": [
        "No record since 2026-01-02T03:04:05.678Z",
        "No record since 2026-01-02 03:04:05+01:00",
        "No record since 03:04:05,678",
        "No record since Fri Jan 02 03:04:05 UTC 2026",
    ],
    "Cluster lkc-<id> is gone": ["Cluster lkc-8kmq2 is gone", "Cluster lkc-x1y2z3 is gone"],
    "POST <url> failed": ["POST https://a.example/x?y=1 failed", "POST jdbc:x://h:1/db failed"],
    "HTTP 503 from <host>": ["HTTP 503 from 10.0.0.1", "HTTP 503 from 10.0.0.2:80"],
    "HTTP 401 from <host>": ["HTTP 401 from 10.0.0.1"],
    "ORA-01017: invalid username/password": ["ORA-01017: invalid username/password"],
    "Lost com.acme.Pool@<id>": ["Lost com.acme.Pool@1b2c3d4e", "Lost com.acme.Pool@7f000001"],
}


def test_a_group_of_causes_leaves_out_what_differs_from_one_to_the_next(session: Session) -> None:
    cases = [(cause, group) for group, causes in GROUPS.items() for cause in causes]
    answers = run(session, "SELECT cause_group(unnest($1))", [cause for cause, _ in cases])
    wrong = {
        cause: answer
        for (cause, group), (answer,) in zip(cases, answers, strict=True)
        if answer != group
    }
    assert not wrong


def test_a_group_is_its_own_group(session: Session) -> None:
    groups = [*GROUPS]
    again = run(session, "SELECT cause_group(unnest($1))", groups)
    assert [group for (group,) in again] == groups


def test_the_functions_take_rows_lists_and_each_other(session: Session) -> None:
    sql = """SELECT list_transform([trace, NULL], lambda t: cause_group(ROOT_CAUSE(t)))
        FROM (VALUES ('a.B: it took 5 s')) AS t(trace)"""
    assert run(session, sql) == [(["B: it took <n> s", None],)]


@pytest.mark.parametrize(
    "before",
    ["CREATE SCHEMA other; USE other", "ATTACH ':memory:' AS aside; USE aside", "BEGIN"],
)
def test_the_functions_are_there_wherever_the_user_is(session: Session, before: str) -> None:
    assert run(session, f"{before}; SELECT root_cause('a.B: c')") == [("B: c",)]


def test_a_function_of_a_transaction_that_was_undone_is_made_again(session: Session) -> None:
    for _ in range(2):
        assert run(session, "BEGIN; SELECT root_cause('a.B: c')") == [("B: c",)]
        session.duckdb.rollback()


@pytest.mark.parametrize("name", NAMES)
def test_a_macro_of_the_user_s_takes_the_name_and_ours_is_another(
    session: Session, name: str
) -> None:
    given = "'a.B: c 1', ''" if name == HIDING else "'a.B: c 1'"
    parameters = "x, y" if name == HIDING else "x"
    ours = called_by_ours(f"SELECT {name}({given}), '{name}(' AS {name}")
    run(session, f"SELECT {name}({given})")
    run(session, f"CREATE MACRO {name}({parameters}) AS 'mine'")
    assert run(session, f"SELECT {name}({given})") == [("mine",)]
    run(session, f"CREATE OR REPLACE TEMP MACRO {name}({parameters}) AS 'mine too'")
    assert run(session, f"SELECT {name}({given})") == [("mine too",)]
    session.make_macros(ours)
    ((answer, text),) = run(session, ours)
    assert text == f"{name}("
    assert answer in ("B: c 1", "a.B: c <n>", "", None)


def test_each_function_is_described() -> None:
    assert [signature.partition("(")[0] for signature in DESCRIBED] == [*NAMES]


def test_the_functions_are_ours_and_hide_nothing(session: Session) -> None:
    run(session, "SELECT root_cause('a'), cause_group('b')")
    session.forget_functions()
    assert not session.own_functions({*NAMES})
    assert not {*NAMES} & session.aggregates()
    assert not {*NAMES} & session.volatile()


def test_a_wrong_call_is_an_error_of_the_text(session: Session) -> None:
    with pytest.raises(BindError, match="root_cause"):
        session.check(SourceText("SELECT root_cause()"), None, is_query=True)


def test_whoever_has_the_connection_has_the_functions(session: Session) -> None:
    handed_out: duckdb.DuckDBPyConnection = session.hand_out()
    assert handed_out.sql("SELECT root_cause('a.B: c')").fetchall() == [("B: c",)]
