"""Every error that connstat-sql raises, drawn as a tree.

    ConnstatError
    ├── DefinitionError        provider YAML is at fault; holds every problem, with file and line
    ├── ConfigError            connstat.toml, the environment or a connection is at fault
    ├── SavedQueryError        a saved query's file, or what is given to its parameters, is at fault
    ├── QueryError             the SQL is at fault; `requests_sent` is 0 unless it ran
    │   ├── ParseError         it is not SQL that DuckDB reads
    │   ├── BindError          an unknown table or column, a wrong type, a missing parameter
    │   ├── PlanError          no allowed way of fetching answers it (refused, over budget)
    │   └── ExecuteError       DuckDB failed while it ran over the fetched rows
    ├── FetchError             an API is at fault; holds table, request line, status and attempts
    │   ├── ConnectionFailed   nobody answered: refused, reset, cut short, timed out, TLS, DNS
    │   ├── Unauthorized       401 or 403
    │   ├── RateLimited        429 until the attempts ran out
    │   ├── Status             any other status that is not a success
    │   ├── Incomplete         a success that says of itself that a part of it is missing
    │   ├── NotAsked           a value that came from rows can be in no request
    │   ├── UnexpectedShape    the answer is not what the definition declares
    │   └── NotUsable          the connection cannot be used as it is configured; nothing was sent
    └── Interrupted            the statement was cancelled or met its deadline

A message says what is wrong, where, and what to do next. No message ever holds a secret.

Each is one of PEP 249's errors too, which `ConnstatError` is the base of:

    ConnstatError              Error
    ├── InterfaceError         DefinitionError, ConfigError; a connection or cursor that is closed
    └── DatabaseError          QueryError, and ExecuteError where DuckDB says no more
        ├── ProgrammingError   ParseError, BindError, PlanError, SavedQueryError
        ├── OperationalError   FetchError, Interrupted
        └── …                  ExecuteErrors: DataError, IntegrityError, InternalError and so on
"""

from __future__ import annotations

from dataclasses import dataclass


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 row`, `1,000 rows`; `nouns` where they are more than the noun with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


class ConnstatError(Exception):
    """Base of everything this package raises.

    `hint` is the next step for the reader, or "" where the message already says it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class Warning(Exception):  # noqa: A001  # so PEP 249 calls it
    """PEP 249's word for what is worth a look; nothing raises it."""


class InterfaceError(ConnstatError):
    """How connstat-sql is used or set up is at fault: PEP 249's word."""


class DatabaseError(ConnstatError):
    """The database is at fault, or what it is asked: PEP 249's word, like the six below."""


class DataError(DatabaseError):
    """A value is at fault: it cannot be cast, or is out of range."""


class OperationalError(DatabaseError):
    """What it runs on is at fault: an API, a file, memory, time."""


class IntegrityError(DatabaseError):
    """A constraint of a table forbids it."""


class InternalError(DatabaseError):
    """DuckDB has met a fault of its own."""


class ProgrammingError(DatabaseError):
    """The SQL, or what is given to it, is at fault."""


class NotSupportedError(DatabaseError):
    """DuckDB cannot do it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a definition file: where it is and how to mend it.

    `line` counts from 1; 0 means the file as a whole.
    """

    file: str
    line: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.suggestion})" if self.suggestion else "")


class DefinitionError(InterfaceError):
    """Provider definitions are at fault; `problems` holds every one found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = len(problems)
        title = "1 problem" if count == 1 else f"{count} problems"
        listing = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"{title} in the provider definitions\n{listing}",
            hint="check them with  connstat providers validate PATH",
        )
        self.problems = problems


class ConfigError(InterfaceError):
    """The configuration or a connection is at fault."""


class SavedQueryError(ProgrammingError):
    """A saved query, or what is given to its parameters, is at fault.

    `file` is the query's ("" when there is none), `line` the place in it from 1 (0: the file as a
    whole); `problems` are all that was found in the file.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int = 0,
        hint: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the statement's text: `start` inclusive, `end` exclusive, in characters."""

    start: int
    end: int

    def holds(self, other: Span) -> bool:
        """Whether another span lies within this one."""
        return self.start <= other.start and other.end <= self.end

    def moved(self, by: int) -> Span:
        """The span so many characters further on."""
        return Span(self.start + by, self.end + by)


class QueryError(DatabaseError):
    """The SQL is at fault.

    `sql` is the text of the statement; `span` the place in it, or None when no one place is to
    blame; `requests_sent` how many requests had gone out when it was found. `offset` is where
    `sql` begins in a text of several statements, once that is known.
    """

    def __init__(
        self,
        message: str,
        *,
        sql: str = "",
        span: Span | None = None,
        hint: str = "",
        requests_sent: int = 0,
    ) -> None:
        super().__init__(message, hint=hint)
        self.sql = sql
        self.span = span
        self.requests_sent = requests_sent
        self.offset = 0


class ParseError(QueryError, ProgrammingError):
    """The text is not SQL that DuckDB reads."""


class BindError(QueryError, ProgrammingError):
    """A table, column, type or parameter does not fit the catalog."""


class PlanError(QueryError, ProgrammingError):
    """No allowed way of fetching the rows answers the query."""


class ExecuteError(QueryError):
    """DuckDB failed while it ran the statement over the fetched rows."""


class InvalidValue(ExecuteError, DataError):
    """A value cannot be cast, or is out of range."""


class ConstraintViolated(ExecuteError, IntegrityError):
    """A key, a check or a NOT NULL of a table forbids it."""


class EngineFault(ExecuteError, InternalError):
    """DuckDB has met a fault of its own."""


class ExecutionFailed(ExecuteError, OperationalError):
    """A file, memory or a transaction is at fault."""


class WrongUse(ExecuteError, ProgrammingError):
    """What the statement asks makes no sense to DuckDB."""


class Unsupported(ExecuteError, NotSupportedError):
    """DuckDB cannot do it."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What identifies a request to a reader, free of secrets."""

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class FetchError(OperationalError):
    """An API is at fault.

    `status` is None when no answer came. `attempts` counts the requests sent for this one fetch,
    the last included; 0 when it was refused before sending. With `is_own` it is known to be the
    API's own answer, and not that of a gateway before it. `confirming` requests came before it or
    after, to see whether a list is whole.
    """

    def __init__(
        self,
        message: str,
        *,
        table: str = "",
        connection: str = "",
        request: RequestLine | None = None,
        status: int | None = None,
        attempts: int = 0,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.table = table
        self.connection = connection
        self.request = request
        self.status = status
        self.attempts = attempts
        self.is_worth_retrying = False
        self.is_own = False
        self.confirming = 0


class ConnectionFailed(FetchError):
    """No whole answer came: refused, reset, cut short, timed out, TLS or DNS.

    `is_down` says that the host gave no answer at all, so that others would get none either.
    """

    is_down = False


class Unauthorized(FetchError):
    """The API answered 401 or 403."""


class RateLimited(FetchError):
    """The API answered 429 until the attempts ran out."""


class Status(FetchError):
    """The API answered with another status that is not a success."""


class Incomplete(FetchError):
    """The API answered, and says of its own answer that a part of it is missing."""


class NotAsked(FetchError):
    """A value that came from rows can be in no request, so that nothing was asked with it."""


class UnexpectedShape(FetchError):
    """The answer is not what the definition declares: not JSON, wrong shape, wrong type.

    `lacks_rows` says that there are no rows where the definition looks for them.
    """

    lacks_rows = False


class NotUsable(FetchError):
    """The connection cannot be used as it is configured, and the others go on without it."""


class Interrupted(OperationalError):
    """The statement was stopped before its end; nothing of it is kept."""


class DeadlinePassed(Interrupted):
    """The statement ran past its deadline."""
