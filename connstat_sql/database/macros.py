"""Functions of connstat's own in SQL, as macros of DuckDB: made when a text first calls them.

SQL of ours, definitions with it, calls them by names that nobody else can give. Everybody else's
name for one stays free for a macro of the user's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from connstat_sql.database.causes import TEXTS
from connstat_sql.definitions.quoting import call, literal, own, quote

if TYPE_CHECKING:
    import duckdb

CURL, HIDING = "curl_options", "without_secrets"
NAMES = (*TEXTS, CURL, HIDING)
"""The functions there are, of texts."""
DESCRIBED = {
    "root_cause(trace VARCHAR) → VARCHAR": "What the deepest cause in a stack trace says",
    "cause_group(cause VARCHAR) → VARCHAR": "A cause without numbers, hosts, ids and times",
    "curl_options(connection VARCHAR) → VARCHAR": "What curl needs for a connection, no secret",
    "without_secrets(name VARCHAR, value VARCHAR) → VARCHAR": "A setting with **** for secrets",
}
"""How each is called, and what it answers."""
_CALLED = re.compile(
    rf"'(?:[^']|'')*'|--[^\n]*|(?<![\w.\"])({'|'.join(NAMES)})(?=\s*\()", re.IGNORECASE
)
_DEFINES = r'\b(?:macro|function)\s+(?:if\s+(?:not\s+)?exists\s+)?(?:"?\w+"?\s*\.\s*)*"?{}\b'
_THERE = f"SELECT 1 FROM {call('duckdb_functions')} WHERE function_name = $1"


def _own_name(function: str) -> str:
    return own(f"_connstat_{function}")


def called_by_ours(sql: str) -> str:
    """SQL of a definition that calls the functions by names which nobody else can give."""

    def renamed(match: re.Match[str]) -> str:
        return quote(_own_name(match[1].lower())) if match[1] else match[0]

    return _CALLED.sub(renamed, sql)


def are_ours(name: str, definition: str) -> str:
    """SQL for whether a macro is one of these, whose name and definition are two expressions."""
    ours = ((literal(function), literal(_own_name(function))) for function in NAMES)
    return " OR ".join(
        f"{name} = {secret} OR ({name} = {public} AND {call('contains', definition, secret)})"
        for public, secret in ours
    )


class Macros:
    """Makes the functions in a session: DuckDB takes a while to read them.

    `curl_options` answers what `curl` needs for each connection, by name. `without_secrets` is of
    a setting's name and its value, and answers that with `****` in place of each secret.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.curl_options: Callable[[], Mapping[str, str]] = dict
        self._connection = connection
        self._made: set[str] = set()

    def make(self, sql: str, *, is_lasting: bool) -> None:
        """Make those that a text calls; what is not lasting may be undone with a transaction."""
        for function in NAMES:
            if not re.search(rf'{function}\\?"?\s*\(', sql, re.IGNORECASE):
                continue
            if function not in self._made:
                self._run(_own_name(function), *self._text(function))
                if is_lasting:
                    self._made.add(function)
            if re.search(rf"(?<!_connstat_){function}", sql, re.IGNORECASE):
                self._make_for_all(function, sql)

    def _make_for_all(self, function: str, sql: str) -> None:
        if re.search(_DEFINES.format(function), sql, re.IGNORECASE):
            self._connection.execute(f"DROP MACRO IF EXISTS temp.main.{function}")
        elif not self._connection.execute(_THERE, [function]).fetchone():
            parameters = "x, y" if function == HIDING else "x"
            self._run(function, parameters, f"temp.main.{quote(_own_name(function))}({parameters})")

    def _run(self, name: str, parameters: str, text: str) -> None:
        self._connection.execute(
            f"CREATE TEMP MACRO IF NOT EXISTS {quote(name)}({parameters}) AS {text}"
        )

    def _text(self, function: str) -> tuple[str, str]:
        if function == HIDING:
            from connstat_sql.redaction.sql import shown  # reads a list, which few texts need

            return "name, value", shown("name", "value")
        if function != CURL:
            parameter, text = TEXTS[function]
            return parameter, re.sub(r"@(\w+)(?=\()", r"system.main.\1", text)
        options = self.curl_options().items()
        cases = "".join(f" WHEN {literal(name)} THEN {literal(text)}" for name, text in options)
        return "name", f"CASE name{cases} END" if cases else "CAST(NULL AS VARCHAR)"
