"""Answers of one statement, kept for the scans that will ask the same again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connstat_sql.transport import Answer, Request


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is sent, whichever table it is for: equal ones need sending only once."""

    connection: str
    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    @classmethod
    def of(cls, connection: str, request: Request) -> Asked:
        """What a request of a connection asks."""
        return cls(
            connection, request.method, request.url, request.query, request.headers, request.body
        )


class Answers:
    """Answers to requests that were sent before; failures are never among them."""

    def __init__(self) -> None:
        self._kept: dict[Asked, Answer] = {}

    def has(self, connection: str, request: Request) -> bool:
        """Whether `find` has an answer; may be asked from any thread."""
        return self.find(connection, request) is not None

    def find(self, connection: str, request: Request) -> Answer | None:
        """The answer to an equal request, with `attempts` 0; None when there is none.

        A kept 404 is an answer only for those to whom it means "no such row". Others ask for
        themselves, and get the error that they would have got.
        """
        kept = self._kept.get(Asked.of(connection, request))
        if kept is None or not (200 <= kept.status < 300 or kept.status in request.accepts):
            return None
        return kept

    def keep(self, connection: str, request: Request, answer: Answer) -> None:
        """Keep an answer for as long as these answers live."""
        self._kept[Asked.of(connection, request)] = replace(answer, attempts=0)
