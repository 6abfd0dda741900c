"""The table of faults: connections that break off, and bytes that are not what they claim."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from connstat_sql import ConnectionFailed, LiveDatabase, Status, UnexpectedShape
from connstat_sql.demo import DemoServers
from tests.chaos import chaos_of
from tests.fault_table import LIMIT, Case, Said, Survived, check, fault, live

ALWAYS = 1000
GONE, CUT, SHAPE = ConnectionFailed, "cut short|closed", UnexpectedShape
HUGE = "larger than the limit"

TABLE = (
    fault("resets before the answer, once", "reset", Survived(2), times=1),
    fault("resets before the answer, thrice", "reset", Survived(4), times=3),
    fault("resets before every answer", "reset", Said(GONE, "reset|closed", 4), times=ALWAYS),
    fault("resets in the head", "cut", Survived(2), bytes=0, ending="reset"),
    fault("resets in the middle of a body", "cut", Survived(2), bytes=100, ending="reset"),
    fault("always resets in the middle", "cut", Said(GONE, "reset|cut short|closed", 4),
          bytes=100, ending="reset", times=ALWAYS),
    fault("closes before the body", "cut", Survived(2), bytes=0),
    fault("closes in the middle of a body", "cut", Survived(2), bytes=100),
    fault("closes in the middle of a chunk", "cut", Survived(2), bytes=100, framing="chunks"),
    fault("always closes in the middle", "cut", Said(GONE, CUT, 4), bytes=100, times=ALWAYS),
    fault("always closes in a chunk", "cut", Said(GONE, CUT, 4),
          bytes=100, framing="chunks", times=ALWAYS),
    fault("says no length and closes in the middle", "cut", Said(SHAPE, "not JSON", 1),
          bytes=100, framing="close", times=ALWAYS),
    fault("says no length and closes before the body", "cut", Said(SHAPE, "empty body", 1),
          bytes=0, framing="close", times=ALWAYS),
    fault("says no length and sends all", "cut", Survived(1),
          bytes=10_000, framing="close", times=ALWAYS),
    fault("promises more than comes", "length", Survived(2), off=5),
    fault("always promises more than comes", "length", Said(GONE, CUT, 4), off=5, times=ALWAYS),
    fault("promises one byte less than comes", "length", Survived(2), off=-1),
    fault("always promises less than comes", "length", Said(GONE, "not HTTP", 4),
          off=-100, times=ALWAYS),
    fault("sends chunks without a size", "chunks", Survived(2), kind="garbage"),
    fault("always sends chunks without a size", "chunks", Said(GONE, "did not answer", 4),
          kind="garbage", times=ALWAYS),
    fault("never ends its chunks", "chunks", Said(GONE, CUT, 4), kind="endless", times=ALWAYS),
    fault("closes each kept connection unannounced", "closing", Survived(3), total=25),
    fault("takes its time", "slow", Survived(1), milliseconds=5),
    fault("shows a web page", "html", Said(SHAPE, "HTML", 1)),
    fault("shows a web page with 502, thrice", "html", Survived(4), status=502, times=3),
    fault("always shows a web page with 502", "html", Said(Status, "HTML", 4), status=502),
    fault("answers 204", "empty", Said(SHAPE, "empty body", 1)),
    fault("answers 200 with nothing", "empty", Said(SHAPE, "empty body", 1), status=200),
    *(
        case
        for packing in ("gzip", "deflate")
        for case in (
            fault(f"packs well as {packing}", "packing", Survived(1),
                  packing=packing, kind="good"),
            fault(f"sends garbage for {packing}", "packing", Survived(2), packing=packing),
            fault(f"always sends garbage for {packing}", "packing",
                  Said(GONE, "did not answer", 4), packing=packing, times=ALWAYS),
            fault(f"sends half of {packing}", "packing", Said(GONE, CUT, 4),
                  packing=packing, kind="cut", times=ALWAYS),
            fault(f"sends a bomb of {packing}", "packing", Said(SHAPE, HUGE, 1),
                  packing=packing, kind="bomb", megabytes=10, times=ALWAYS),
        )
    ),
    fault("packs twice", "packing", Said(SHAPE, "not asked for", 1), packing="gzip, gzip"),
    fault("packs in a way nobody knows", "packing", Said(SHAPE, "not asked for", 1), packing="lzw"),
    fault("promises 3 GB", "huge", Said(SHAPE, HUGE, 1), megabytes=3000),
    fault("streams 3 GB in chunks", "huge", Said(SHAPE, HUGE, 1),
          megabytes=3000, framing="chunks"),
    fault("sends spaces first", "huge", Survived(1), megabytes=0, framing="chunks"),
    fault("sends twenty headers", "head", Survived(1), kind="many", count=20),
    fault("sends a header of 10 kB", "head", Survived(1), count=10_000),
    fault("sends a header of 1 MB", "head", Said(GONE, "too long", 1), count=1_000_000),
    fault("sends 100,000 headers", "head", Said(GONE, "too many", 1), kind="many", count=100_000),
)  # fmt: skip

LATE = (
    fault("answers too late", "slow", Said(GONE, "no answer within 0.25 s", 1),
          milliseconds=60_000),
    fault("drips its head", "slow", Said(GONE, "no answer within 0.25 s", 1),
          kind="head", milliseconds=100),
    fault("drips its body", "slow", Said(GONE, "no whole answer within 0.6 s", 1),
          kind="body", milliseconds=200),
)  # fmt: skip


@pytest.fixture(scope="module")
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    with live({"chaos": chaos_of(sandbox)}) as opened:
        yield opened


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_fault_is_survived_with_exact_rows_or_said(
    case: Case, database: LiveDatabase, sandbox: DemoServers
) -> None:
    check(case, database, sandbox)


@pytest.mark.parametrize("case", LATE, ids=str)
def test_an_answer_that_takes_too_long_is_said(case: Case, sandbox: DemoServers) -> None:
    seconds = 0.6 if "body" in case.does else 0.25  # its head has to come in time
    with live({"chaos": chaos_of(sandbox)}, timeout=seconds) as impatient:
        check(case, impatient, sandbox)


def test_a_fault_is_over_with_its_query(database: LiveDatabase, sandbox: DemoServers) -> None:
    check(fault("is well", "reset", Survived(1), times=0), database, sandbox)


@pytest.mark.parametrize("packing", ["br", "zstd"])
def test_garbage_for_a_packing_that_may_not_be_known_here_is_said(
    database: LiveDatabase, sandbox: DemoServers, packing: str
) -> None:
    sandbox.reset()
    sql = f"SELECT number FROM chaos.faults.packing WHERE packing = '{packing}' AND times = 1000"
    with pytest.raises((ConnectionFailed, UnexpectedShape)) as caught:
        database.sql(sql)
    assert sandbox.count() == caught.value.attempts == (1 if caught.type is UnexpectedShape else 4)


# memory


@pytest.mark.parametrize(
    "where",
    ["huge WHERE megabytes = 3000", "huge WHERE megabytes = 3000 AND framing = 'chunks'",
     "packing WHERE megabytes = 300 AND kind = 'bomb'"],
)  # fmt: skip
def test_an_answer_that_is_too_large_is_not_held(sandbox: DemoServers, where: str) -> None:
    with live({"chaos": chaos_of(sandbox)}) as database:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UnexpectedShape, match=f"limit of {LIMIT:,} bytes"):
            database.sql(f"SELECT count(*) FROM chaos.faults.{where}")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000  # kilobytes
