"""Chaos: an API that says what it was asked, and fails as it is told.

Tests read from its rows what a plan has sent. Whoever writes a provider sees each style of paging
at work, and what becomes of each fault. Everything is told by the request alone, except two
counters: of all calls, and of the tries of one request, which start anew when it has succeeded.
"""

from collections.abc import Mapping

from connstat_sql.demo.wire import DemoRequest, DemoResponse, Router, json_answer
from tests.chaos.echo import ECHOES
from tests.chaos.faults import FAULTS, status, wrong
from tests.chaos.pages import PAGES, PAGING_FAULTS, tokens
from tests.chaos.wire import Asked, Refused


class Chaos:
    """Answers every GET, with no credentials asked for."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("chaos",)
        self.prefix = "/chaos"
        self.edition = 0
        self.headers: Mapping[str, str] = {"Server": "chaos"}
        self._calls = 0
        self._tries: dict[tuple[str, str], int] = {}
        self._router = Router(
            {
                **ECHOES,
                **{f"pages/{name}": handler for name, handler in PAGES.items()},
                **{f"paging_faults/{name}": handler for name, handler in PAGING_FAULTS.items()},
                **{f"faults/{name}": tokens for name in FAULTS},
                "faults/wrong": lambda asked: wrong(asked, tokens(asked)),
            }
        )

    def refused(self, _call: DemoRequest) -> DemoResponse | None:
        """Everyone may ask."""
        return None

    def failure(self, code: int, call: DemoRequest, /) -> DemoResponse:
        """An object with a message."""
        return json_answer({"message": f"{call.method} {call.path} failed"}, code)

    def read(self, call: DemoRequest) -> DemoResponse:
        """The answer, spoilt as often as the argument `times` says before it succeeds."""
        self.edition += 1  # no answer is like the one before
        self._calls += 1
        tries = self._tries.get((call.path, call.query), 0) + 1
        asked = Asked(
            call.method, call.path, call.query, call.headers, call.body, self._calls, tries
        )
        try:
            return self._answer(asked)
        except Refused as refused:
            return refused.answer()

    def _answer(self, asked: Asked) -> DemoResponse:
        if asked.method != "GET":
            return self.failure(405, asked)
        good = self._router.answer(asked) or self.failure(404, asked)
        key = (asked.path, asked.query)
        if good.status != 200 or asked.attempt > asked.whole("times", 0):
            self._tries.pop(key, None)
            return good
        self._tries[key] = asked.attempt
        group, name = asked.segments[0], asked.segments[-1]
        return (FAULTS.get(name, status) if group == "faults" else status)(asked, good)
