"""What an engine takes from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from opentelemetry.trace import TracerProvider

    from connstat_sql.config.attachments import Attachment
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.executor.stats import Progress
    from connstat_sql.transport import Attempt, Clock, Connection, RetryNotice


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine takes from outside; None and the defaults mean the real thing.

    `timeout` is for one request, `connect_timeout` for its connection, in seconds (None: as each
    connection says). An engine that `shares_limits` keeps to those of the process, as all others
    that do; else it has its own.
    `observe` is told of each attempt when it has ended, on another thread; `progress` of the scans
    under way, on the thread that runs the statement, at most about ten times a second. `mask_key`
    makes masks of credentials equal between processes (None: a new key for each engine).
    `is_sandboxed` keeps SQL from files, URLs, extensions and settings.
    `tracer_provider` makes OpenTelemetry spans (None: the program's own, once it has loaded
    OpenTelemetry). `waiting` is told of a request that waits for long, on another thread.
    """

    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock | None = None
    observe: Callable[[Attempt], None] = lambda _: None
    progress: Callable[[Sequence[Progress]], None] = lambda _: None
    timeout: float | None = None
    connect_timeout: float | None = None
    shares_limits: bool = False
    mask_key: str | None = field(default=None, repr=False)
    is_sandboxed: bool = False
    tracer_provider: TracerProvider | None = None
    waiting: Callable[[RetryNotice], None] = lambda _: None


class Catalogs(Protocol):
    """Definitions and connections, read when they are first asked for."""

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""

    @property
    def cache_file(self) -> Path | None:
        """Where fetched rows are kept between runs (None: nowhere)."""

    @property
    def answer_memory(self) -> int | None:
        """How many bytes answers may hold while they are read (None: what is usual)."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise in the configuration, to be told once."""

    @property
    def attachments(self) -> Sequence[Attachment]:
        """Databases for DuckDB to attach where a statement names them."""

    @property
    def views(self) -> Mapping[str, str]:
        """SQL under names that statements may use."""

    @property
    def origin(self) -> str:
        """Where those were written, for messages."""
