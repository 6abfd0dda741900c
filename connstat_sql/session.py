"""The DuckDB connection: splitting, folding, checking and running SQL; its errors become ours.

This is the one place where errors of DuckDB are translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from connstat_sql.definitions import Param, Resource, literal, quote
from connstat_sql.errors import (
    BindError,
    ExecuteError,
    Interrupted,
    ParseError,
    QueryError,
    Span,
)

if TYPE_CHECKING:
    from connstat_sql.binder import Arguments, Value
    from connstat_sql.catalog import Catalog

CONFIG = {"python_enable_replacements": False}
_ROWLESS = (["Count"], ["Success"])


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement of a text: `offset` is where it begins; `names` are its `$` parameters.

    `is_query` says that it only reads, so that no later statement depends on it.
    """

    sql: str
    offset: int
    names: frozenset[str]
    is_rowless: bool
    is_query: bool


@dataclass(frozen=True, slots=True)
class RunText:
    """The text that DuckDB runs in place of the user's, and how places lead back.

    `shifts` are (place in this text, place in the user's) at the start of each kept stretch.
    """

    sql: str
    original: str
    shifts: tuple[tuple[int, int], ...] = ((0, 0),)

    def original_place(self, place: int) -> int:
        """The place in the user's text for one in the run text."""
        run, own = max(shift for shift in self.shifts if shift[0] <= max(place, 0))
        return min(own + place - run, len(self.original))


class Session:
    """A DuckDB connection with the providers' catalogs declared in it when they are needed."""

    def __init__(self, database: str = ":memory:") -> None:
        self.duckdb = duckdb.connect(database, config=dict(CONFIG))
        self.duckdb.execute("SET TimeZone = 'UTC'")
        self._declared = False
        self._volatile: frozenset[str] | None = None

    def close(self) -> None:
        """Close the connection."""
        self.duckdb.close()

    # --- asking DuckDB about SQL -------------------------------------------------------------

    def split(self, sql: str) -> tuple[Piece, ...]:
        """The statements of a text, as DuckDB's parser sees them. Raises ParseError."""
        with self._translating(RunText(sql, sql), ParseError):
            statements = self.duckdb.extract_statements(sql)
        pieces, start = [], 0
        for statement in statements:
            start = max(sql.find(statement.query, start), start)
            kinds = {str(kind).rpartition(".")[2] for kind in statement.expected_result_type}
            is_rowless = "QUERY_RESULT" not in kinds or statement.type.name in ("CREATE", "COPY")
            names = frozenset(statement.named_parameters)
            is_query = statement.type.name in ("SELECT", "EXPLAIN", "RELATION")
            pieces.append(Piece(statement.query, start, names, is_rowless, is_query))
            start += len(statement.query)
        return tuple(pieces)

    def volatile(self) -> frozenset[str]:
        """Names of functions whose value may change from one evaluation to the next."""
        if self._volatile is None:
            found = self.duckdb.execute(
                "SELECT lower(function_name) FROM duckdb_functions() "
                "WHERE stability = 'VOLATILE' OR (function_type LIKE '%macro' AND NOT internal)"
            ).fetchall()
            self._volatile = frozenset(name for (name,) in found)
        return self._volatile

    def forget_functions(self) -> None:
        """A macro may have been created: look again when next asked."""
        self._volatile = None

    def fold(self, sql: str, arguments: Arguments) -> tuple[tuple[Value, ...], ...] | None:
        """Run a constant query: its rows as text with types, or None when DuckDB refuses."""
        from connstat_sql.binder import Value  # imported by whoever folds

        try:
            names = [
                one[0]
                for one in self.duckdb.execute(f"DESCRIBE {sql}", _used(sql, arguments)).fetchall()
            ]
            columns = [f"c{index}" for index in range(len(names))]
            select = ", ".join(f"CAST({c} AS VARCHAR), typeof({c})" for c in columns)
            rows = self.duckdb.execute(
                f"SELECT {select} FROM ({sql}) AS folded({', '.join(columns)})",
                _used(sql, arguments),
            ).fetchall()
        except duckdb.Error:
            return None
        return tuple(
            tuple(Value(row[i], row[i + 1]) for i in range(0, len(row), 2)) for row in rows
        )

    def has_default_collation(self) -> bool:
        """Whether `=` on text means something else than equal text."""
        sql = "SELECT current_setting('default_collation')"
        with self._translating(RunText(sql, sql), ExecuteError):
            found = self.duckdb.execute(sql).fetchone()
        return bool(found and found[0])

    def check(self, text: RunText, arguments: Arguments) -> None:
        """Bind a statement without running it. Raises ParseError or BindError."""
        prefix = "EXPLAIN "
        shifts = tuple((run + len(prefix), own) for run, own in text.shifts)
        explained = RunText(prefix + text.sql, text.original, ((0, 0), *shifts))
        with self._translating(explained, BindError):
            self.duckdb.execute(explained.sql, arguments)

    def run(self, text: RunText, arguments: Arguments, *, requests_sent: int = 0) -> pa.Table:
        """Run a statement; its rows as Arrow. Raises a QueryError."""
        with self._translating(text, ExecuteError, requests_sent):
            relation = self.duckdb.sql(text.sql, params=arguments)
            return pa.table({}) if relation is None else _with_types(relation)

    # --- the providers' catalogs -------------------------------------------------------------

    def declare(self, catalog: Catalog) -> None:
        """Create every table as a view that cannot be read: real types, comments, no rows.

        A live table gets its rows where a statement mentions it by name; whatever reaches it in
        another way is an error, never an empty table.
        """
        if self._declared:
            return
        self._declared = True
        made: set[str] = set()
        for resource in catalog.definitions.tables():
            self._declare(resource, made)

    def _declare(self, resource: Resource, made: set[str]) -> None:
        table = resource.table
        if table.provider not in made:
            self.duckdb.execute(f"ATTACH ':memory:' AS {quote(table.provider)}")
            made.add(table.provider)
        schema = f"{quote(table.provider)}.{quote(table.service)}"
        if schema not in made:
            self.duckdb.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            made.add(schema)
        name = f"{schema}.{quote(table.resource)}"
        columns = ", ".join(
            f"CAST(NULL AS {one.type}) AS {quote(one.name)}" for one in resource.all_columns
        )
        why = f"{table} is live: mention it by its name in the statement that reads it"
        self.duckdb.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} WHERE error({literal(why)}) IS NULL"
        )
        self.duckdb.execute(f"COMMENT ON VIEW {name} IS {literal(resource.description)}")
        for one in resource.all_columns:
            if one.description:
                comment = literal(one.description)
                self.duckdb.execute(f"COMMENT ON COLUMN {name}.{quote(one.name)} IS {comment}")

    def drop(self, kind: str, name: str) -> None:
        """Drop a temporary table or view of ours; an aborted transaction takes it along anyway."""
        try:
            self.duckdb.execute(f"DROP {kind} IF EXISTS {name}")
        except duckdb.TransactionException:
            return

    # --- errors ------------------------------------------------------------------------------

    @contextmanager
    def _translating(
        self, text: RunText, otherwise: type[QueryError], requests_sent: int = 0
    ) -> Iterator[None]:
        self._set_json_errors(on=True)
        try:
            yield
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            raise translated(error, text, otherwise, requests_sent) from error
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            if "interrupt" in str(error).lower():
                raise KeyboardInterrupt from error
            raise otherwise(str(error), sql=text.original, requests_sent=requests_sent) from error
        finally:
            self._set_json_errors(on=False)

    def _set_json_errors(self, *, on: bool) -> None:
        try:
            self.duckdb.execute(f"SET errors_as_json = {str(on).lower()}")
        except duckdb.Error:
            return  # an aborted transaction takes no settings; errors are then plain text


TYPES = b"duckdb_types"
"""Key of the schema metadata that holds the DuckDB type of each column, as a JSON array."""


def _with_types(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    types = json.dumps([str(of) for of in relation.types]).encode()
    return relation.to_arrow_table().replace_schema_metadata({TYPES: types})


_BINDING = (duckdb.BinderException, duckdb.CatalogException)
_MISSING = re.compile(r"Values were not provided for the following parameters: (\w+)")
_LONGEST = 12


def translated(
    error: duckdb.Error, text: RunText, otherwise: type[QueryError], requests_sent: int
) -> QueryError:
    """An error of DuckDB as ours: SQL or names at fault, else `otherwise`; with its place."""
    message, place, name = _read_error(str(error))
    kind = otherwise
    if isinstance(error, (duckdb.ParserException, duckdb.SyntaxException)):
        kind = ParseError
    elif isinstance(error, _BINDING):
        kind = BindError
    missing = _MISSING.search(message)
    word = f"${missing[1]}" if missing else name or _only_name(message)
    span = _span(text, place) if place is not None else _only_place(word, text.original)
    hint = ""
    if missing:
        hint = f"give it a value:  -p {missing[1]}=VALUE" if missing[1].isidentifier() else ""
    message = _without_run_names(message)
    return kind(message, sql=text.original, span=span, hint=hint, requests_sent=requests_sent)


def _read_error(text: str) -> tuple[str, int | None, str]:
    """DuckDB's error as message, place in bytes (None: not said) and name it is about, or ''."""
    kind, _, rest = text.partition(": ")
    try:
        said = json.loads(rest, strict=False)
        message = str(said["exception_message"])
    except (ValueError, KeyError, TypeError):
        plain = rest if kind.endswith("Error") and rest else text
        return _brief(plain.partition("\n\nLINE ")[0]), None, ""
    place = str(said.get("position", ""))
    return _brief(message), int(place) if place.isdigit() else None, str(said.get("name", ""))


def _brief(message: str) -> str:
    """A message of DuckDB without the end of a long list, such as all that `+` can add."""
    lines = message.strip().split("\n")
    return "\n".join(lines if len(lines) <= _LONGEST else [*lines[: _LONGEST - 1], "\t…"])


def _without_run_names(message: str) -> str:
    """The run text's own names are nobody's business."""
    return re.sub(r'(?:"?temp"?\.)?"?_connstat_table_\d+"?', "the live table", message)


def _span(text: RunText, place: int) -> Span:
    start = text.original_place(len(text.sql.encode()[:place].decode("utf-8", "ignore")))
    return Span(start, _word_end(text.original, start))


def _only_name(message: str) -> str:
    """The name that a message without a place is about: the first one in quotes, or ''."""
    kinds = (r'with name "?([\w.]+)', r'"+([^"\n]+)"+', r"'([^'\n]+)'")
    found = next((m for kind in kinds if (m := re.search(kind, message))), None)
    return found[1] if found else ""


def _only_place(word: str, sql: str) -> Span | None:
    """Where a word is, when the text holds it exactly once."""
    found = [*re.finditer(rf"(?<![\w$]){re.escape(word)}(?!\w)", sql)] if word else []
    return Span(*found[0].span()) if len(found) == 1 else None


def _word_end(sql: str, start: int) -> int:
    match = re.compile(r"""(?:"[^"]*"|[\w$]+)(?:\.(?:"[^"]*"|[\w$]+))*|'[^']*'|.""").match(
        sql, start
    )
    return match.end() if match else min(start + 1, len(sql))


def _used(sql: str, arguments: Arguments) -> Arguments:
    """Of named arguments, those that a piece of SQL names; DuckDB refuses the others."""
    if not isinstance(arguments, Mapping):
        if not arguments:
            return None
        arguments = {str(index + 1): value for index, value in enumerate(arguments)}
    named = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in arguments.items() if name in named} or None


def named_arguments(piece: Piece, arguments: Arguments) -> Arguments:
    """The arguments that one statement takes, out of those for the whole text."""
    if isinstance(arguments, Mapping):
        return {name: value for name, value in arguments.items() if name in piece.names} or None
    return list(arguments) if arguments and piece.names else None


def is_rowless(piece: Piece, table: pa.Table) -> bool:
    """Whether a statement answers with no rows of its own: CREATE, SET, plain INSERT."""
    return piece.is_rowless or table.column_names in _ROWLESS


def interrupted(error: BaseException) -> Interrupted:
    """The interrupt as an error of ours."""
    return (
        Interrupted("interrupted")
        if isinstance(error, KeyboardInterrupt)
        else Interrupted(str(error))
    )


def values_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    """SQL that answers with the given rows of text."""
    listed = [
        "(" + ", ".join("NULL" if v is None else literal(v) for v in row) + ")" for row in rows
    ]
    names = ", ".join(map(quote, columns))
    if not listed:
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {quote(name)}" for name in columns)
        return f"SELECT {nothing} WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(listed)}) AS listed({names})"


def column_rows(resource: Resource) -> Iterator[tuple[str | None, ...]]:
    """A table's columns as DESCRIBE answers them; parameters are marked."""
    required = {name for method in resource.methods for name in method.required}
    for column in resource.columns:
        yield column.name, str(column.type), "YES", None, None, column.description or None
    for param in resource.params:
        yield (
            param.name,
            str(param.type),
            "NO",
            _param_word(param, required),
            param.default,
            param.description,
        )


def _param_word(param: Param, required: set[str]) -> str:
    if param.default is not None or param.name not in required:
        return "parameter"
    return "required" if param.parent is None else "parameter, enumerated"
