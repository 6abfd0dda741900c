"""The life of a query, on one screen: split, then parse, bind, plan, check and execute each.

A statement that names no live table is DuckDB's own business and runs as it is; `live` does the
rest, and is imported when it is first needed.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from connstat_sql.errors import BindError, ParseError, PlanError
from connstat_sql.long_lists import set_aside
from connstat_sql.result import Options, Result
from connstat_sql.session import Piece, Session, is_rowless, named_arguments
from connstat_sql.translation import RunText

if TYPE_CHECKING:
    import httpx

    from connstat_sql.binder import Arguments
    from connstat_sql.catalog import Catalog
    from connstat_sql.fetcher import Clients
    from connstat_sql.live import LiveTables
    from connstat_sql.planner import Plan
    from connstat_sql.transport import Clock, Connection, Sent

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_MAY_BE_LIVE = re.compile(
    rf"{_NAME}\s*\.\s*{_NAME}\s*\.\s*{_NAME}|\bshow\s+(providers|services|tables)\b", re.IGNORECASE
)
_CATALOG_WORDS = re.compile(
    r"\b(information_schema|duckdb_\w+|pg_catalog|show|describe|use|pragma|query_table|query"
    r"|sqlite_master)\b",
    re.IGNORECASE,
)


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other requests."""
        import asyncio

        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that comes in through the door; None and the defaults mean the real thing.

    `timeout` is for one request, in seconds. `mask_key` makes masks of credentials equal between
    processes (None: a new key for each engine).
    """

    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = field(default_factory=RealClock)
    observe: Callable[[Sent], None] = lambda _: None
    timeout: float = 30.0
    mask_key: str | None = field(default=None, repr=False)


class Wiring(Protocol):
    """Definitions and connections, read when they are first asked for."""

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""


class Engine:
    """Runs statements over live tables. One thread at a time; close it when done."""

    def __init__(
        self,
        wiring: Wiring,
        outside: Outside,
        *,
        reveal: bool = False,
        live: type[LiveTables] | None = None,
    ) -> None:
        """`live` replaces what runs statements over live tables (None: `LiveTables`)."""
        self._live_kind = live
        self.session = Session()
        self._wiring = wiring
        self._outside = outside
        self._mask_key = None if reveal else outside.mask_key or secrets.token_hex(16)
        self._opened: LiveTables | None = None

    def run(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Iterator[Result]:
        """Run the statements of a text in order, yielding what each answers.

        Every statement is looked at before the first one runs, so a fault in a later one sends
        nothing. Raises a ConnstatError.
        """
        options = options or Options()
        if options.partial:
            self._live.forget_failures()
        pieces = self._split(sql)
        self._look_ahead(pieces, arguments, options)
        for piece in pieces:
            yield self._run_one(piece, named_arguments(piece, arguments), options)

    def explain(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Plan | None:
        """The plan of one statement, with nothing sent; None when it names no live table."""
        pieces = self._split(sql)
        if len(pieces) != 1:
            raise PlanError("one statement at a time can be explained", sql=sql)
        return self._plan(pieces[0], named_arguments(pieces[0], arguments), options or Options())

    def close(self) -> None:
        """Close connections and the DuckDB session."""
        if self._opened is not None:
            self._opened.close()
        self.session.close()

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""
        return self._wiring.catalog

    @property
    def clients(self) -> Clients:
        """The clients that fetch."""
        return self._live.clients

    # --- the life of a statement -------------------------------------------------------------

    def _run_one(self, piece: Piece, arguments: Arguments, options: Options) -> Result:
        result = self._live.run(piece, arguments, options) if self._may_be_live(piece) else None
        if result is None:
            result = self._run_locally(piece, arguments)
            if self._opened is not None and not piece.is_query:
                self._opened.views.look_again()
        return result

    def _run_locally(self, piece: Piece, arguments: Arguments) -> Result:
        """A statement without live tables: DuckDB's own business, whatever it is."""
        started = time.monotonic()
        if _CATALOG_WORDS.search(piece.sql):
            self.session.declare(self.catalog)
        try:
            table = self.session.run(RunText(piece.sql, piece.sql), arguments)
        except BindError as error:
            if self._may_be_live(piece):
                error.hint = error.hint or self._live.suggestion(piece)
            raise
        if not piece.is_query:
            self.session.forget_functions()
        return Result(table, not is_rowless(piece, table), seconds=time.monotonic() - started)

    def _plan(self, piece: Piece, arguments: Arguments, options: Options) -> Plan | None:
        return self._live.plan(piece, arguments, options) if self._may_be_live(piece) else None

    def _may_be_live(self, piece: Piece) -> bool:
        """Whether a statement may name a live table, or a view or macro over some."""
        if _MAY_BE_LIVE.search(piece.sql) is not None:
            return True
        return self._opened is not None and self._opened.views.may_be_mentioned(piece.sql)

    @property
    def _live(self) -> LiveTables:
        if self._opened is None:
            from connstat_sql.live import LiveTables
            from connstat_sql.transport import Door

            out = self._outside
            door = Door(out.clock, out.environment, out.transport, out.observe, out.timeout)
            self._opened = (self._live_kind or LiveTables)(
                self.session, self.catalog, self._wiring.connections, door, self._mask_key
            )
        return self._opened

    # --- before the first statement runs -----------------------------------------------------

    def _split(self, sql: str) -> tuple[Piece, ...]:
        found: tuple[Piece, ...] = ()
        for text, is_own in _own_statements(sql):
            own = Piece(text, 0, frozenset(), is_rowless=False, is_query=True)
            found += (own,) if is_own else self._pieces(text)
        if not found:
            raise PlanError("there is no statement in the text", sql=sql, hint="write a SELECT")
        return found

    def _pieces(self, text: str) -> tuple[Piece, ...]:
        short, lists = set_aside(text)
        if not lists:
            return self.session.split(text)
        try:
            found = self.session.split(short)
        except ParseError:
            return self.session.split(text)
        whole = tuple(replace(one, sql=_stretch(text, one)) for one in found)
        is_found = all(_stretch(short, one) == one.sql for one in found)
        return whole if is_found else self.session.split(text)

    def _look_ahead(self, pieces: Sequence[Piece], arguments: Arguments, options: Options) -> None:
        """Find the faults of later statements, as far as they do not depend on earlier ones."""
        if len(pieces) == 1:
            return
        for piece in pieces:
            given = named_arguments(piece, arguments)
            is_local = self._plan(piece, given, options) is None
            if is_local and piece.is_query and not self._may_be_live(piece):
                self.session.check(RunText(piece.sql, piece.sql), given)
            if not piece.is_query:
                return


def _stretch(text: str, piece: Piece) -> str:
    return text[piece.offset : piece.offset + len(piece.sql)]


def _own_statements(sql: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces where it holds a SHOW of ours, which DuckDB does not know."""
    if not re.search(r"\bshow\s+(providers|services|tables)\b", sql, re.IGNORECASE):
        yield sql, False
        return
    from connstat_sql.parser import parse, split_on_semicolons

    for text, _ in split_on_semicolons(sql):
        yield text, parse(text).show is not None
