"""Narration that keeps off the screen while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from connstat_sql.output.stderr import Narrator

if TYPE_CHECKING:
    from connstat_sql.executor.progress import Progress
    from connstat_sql.output.progress import ProgressLine
    from connstat_sql.transport import Attempt, RetryNotice


class ShellNarrator(Narrator):
    """A narrator of a shell: `is_running` says whether a statement runs, `is_tracing` is a switch.

    Requests of the completion are counted and remembered like all others, but not told: the
    screen is the prompt's then. `reached` says of each connection that was asked whether it gave
    any answer, the last time.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        level: int = 0,
        color: bool = False,
        line: ProgressLine | None = None,
    ) -> None:
        """As a Narrator."""
        super().__init__(stream, level=level, color=color, line=line)
        self.is_running = False
        self.is_tracing = False
        self.reached: dict[str, bool] = {}
        self._silent: set[str] = set()

    def progress(self, scans: Sequence[Progress]) -> None:
        """How far a statement has come."""
        if self.is_running and not self.is_tracing:
            super().progress(scans)

    def waiting(self, waiting: RetryNotice) -> None:
        """A request waits for long, of a statement."""
        if self.is_running:
            super().waiting(waiting)

    def observe(self, sent: Attempt) -> None:
        """An attempt has ended: on another thread."""
        if sent.status is None:
            self._silent.add(sent.connection)
        else:
            self._silent.discard(sent.connection)
            self.reached[sent.connection] = True
        if self.is_tracing and self.is_running:
            self.trace(sent)

    def settle(self, *, is_cut_short: bool) -> None:
        """A statement has ended; what was cut short says nothing of who did not answer."""
        silent, self._silent = self._silent, set()
        if not is_cut_short:
            self.reached.update(dict.fromkeys(silent, False))
