"""Databases and views that the configuration names: made once a statement mentions them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from connstat_sql.config.attachments import OF_FILES, Attachment
from connstat_sql.database.classifier import lists_databases
from connstat_sql.database.session import Session
from connstat_sql.definitions.quoting import call, literal, own, quote
from connstat_sql.errors import ConfigError, ConnstatError, PlanError, QueryError
from connstat_sql.redaction import hidden
from connstat_sql.redaction.credentials import scrubbed

_IS_MISSING = re.compile(r"does not exist|there is no|unknown")
_VALUE = own("_connstat_value")


@contextmanager
def _meant(failures: Mapping[str, ConnstatError]) -> Iterator[None]:
    """An error over a name that could not be made says why it could not."""
    try:
        yield
    except QueryError as error:
        line = error.message.lower().partition("\n")[0]
        for name, failure in failures.items():
            if _IS_MISSING.search(line) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
                raise failure from error
        raise


class Configured:
    """What a configuration names beside connections, for one session.

    `define` runs the text of a CREATE VIEW as a statement of the user's; `origin` is the file.
    """

    def __init__(
        self,
        session: Session,
        attachments: Sequence[Attachment],
        views: Mapping[str, str],
        environment: Mapping[str, str],
        define: Callable[[str], None],
        origin: str,
    ) -> None:
        self._session = session
        self._attachments = {attachment.name.lower(): attachment for attachment in attachments}
        self._views = {name.lower(): (name, sql) for name, sql in views.items()}
        self._environment = environment
        self._define = define
        self._origin = origin
        self._made: set[str] = set()
        self._making: list[str] = []
        self._failures: dict[str, ConnstatError] = {}
        listed = "|".join(re.escape(name.replace('"', '""')) for name in self.names)
        self._words = re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE) if listed else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it gives, in lower case."""
        return (*self._attachments, *self._views)

    @contextmanager
    def made(
        self, sql: str, seconds: float | None, *, is_new: bool = False
    ) -> Iterator[tuple[str, ...]]:
        """What the configuration names is there for a text; where it is not, errors say why.

        So do remarks, where the text asks for all there is. With `is_new` another text begins: what
        could not be made is tried again. Raises DeadlinePassed when it takes longer than `seconds`.
        """
        if is_new:
            self._failures.clear()
        with self._session.watches.watched(seconds):
            failures = self._make_all(sql)
        remarks = tuple(failure.message for failure in failures.values())
        with _meant(failures):
            yield remarks if remarks and lists_databases(sql) else ()

    def _make_all(self, sql: str) -> dict[str, ConnstatError]:
        """Make what a text may mention; answers why some could not be, by their names.

        A word of the text may be something else: whoever runs it knows whether it was meant.
        """
        wanted = [name for name in self._mentioned(sql) if name not in self._made]
        for name in wanted:
            if name in self._failures or name in self._making:  # a part of its own text
                continue
            try:
                self._make(name)
            except ConnstatError as error:
                self._failures[name] = error
            else:
                if not self._session.is_in_transaction():  # else it may go with a ROLLBACK
                    self._made.add(name)
        return {name: self._failures[name] for name in wanted if name in self._failures}

    def _mentioned(self, sql: str) -> list[str]:
        if self._words is None:
            return []
        if lists_databases(sql):
            return list(self.names)
        names = (word.lower().replace('""', '"') for word in self._words.findall(sql))
        return list(dict.fromkeys(names))

    def _make(self, name: str) -> None:
        if name in self._attachments:
            self._attach(self._attachments[name])
            return
        written, sql = self._views[name]
        place = f"{self._origin}: [views] {written}"
        self._making.append(name)
        try:
            with _meant(self._make_all(sql)):
                self._create(written, sql)
        except QueryError as error:
            raise ConfigError(f"{place}: {error.message}", hint=error.hint) from error
        finally:
            self._making.pop()

    def _create(self, name: str, sql: str) -> None:
        statements = self._session.split(sql)
        if len(statements) != 1 or not statements[0].is_query or statements[0].names:
            raise PlanError(
                "it is not one SELECT without parameters",
                hint=f'write  {name} = "FROM confluent.connect.connectors"',
            )
        self._define(f"CREATE TEMP VIEW IF NOT EXISTS {quote(name)} AS {statements[0].sql}")

    # --- databases ---------------------------------------------------------------------------

    def _attach(self, written: Attachment) -> None:
        if self._session.is_sandboxed:
            raise ConfigError(f"{written.place}: sandboxed SQL reads no other databases")
        attachment = written.values(self._environment)
        options = ["READ_ONLY" if attachment.is_read_only else "READ_WRITE"]
        if attachment.type:
            options.append(f"TYPE {attachment.type}")
        try:
            if attachment.secret:
                name = self._keep_secret(attachment)
                if attachment.secret_type == attachment.type:
                    options.append(f"SECRET {name}")
            self._session.duckdb.execute(
                f"ATTACH IF NOT EXISTS {literal(attachment.path)} AS {quote(attachment.name)} "
                f"({', '.join(options)})"
            )
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            # what DuckDB says may repeat whatever it was given
            raise ConfigError(
                f"{attachment.place}: {_without(attachment, written, error)}"
            ) from None

    def _keep_secret(self, attachment: Attachment) -> str:
        """Hand DuckDB the secret, which it shows to nobody; answers its name there.

        No statement has the values in its text, which DuckDB may log: they go by a variable of a
        connection that ends here.
        """
        name = quote(own(f"_connstat_attach_{attachment.name}"))
        options = {key: text for key, text in attachment.secret.items() if key != "type"}
        with self._session.duckdb.cursor() as cursor:
            for place, text in enumerate(options.values()):
                cursor.execute(f"SET VARIABLE {quote(f'{_VALUE}_{place}')} = $1", [text])
            listed = "".join(
                f", {key} {call('getvariable', literal(f'{_VALUE}_{place}'))}"
                for place, key in enumerate(options)
            )
            cursor.execute(
                f"CREATE OR REPLACE TEMPORARY SECRET {name} (TYPE {attachment.secret_type}{listed})"
            )
        return name


def _without(attachment: Attachment, written: Attachment, error: duckdb.Error) -> str:
    """What DuckDB says, without values that came from elsewhere, or that look like secrets."""
    secrets = [
        text for key, text in attachment.secret.items()
        if "${" in written.secret[key] or hidden(f"{key}={text}") != f"{key}={text}"
    ]  # fmt: skip
    if "${" in written.path and written.type not in OF_FILES:
        secrets.append(attachment.path)
    return hidden(scrubbed(" ".join(str(error).split()), secrets))
