"""What stands in front of a statement that EXPLAIN is to explain."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connstat_sql.definitions.quoting import length_of_comments

_OPTIONS = re.compile(r"\(([^()]*)\)")
_ANALYZE = re.compile(r"analy[sz]e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Explain:
    """`start` is where the statement itself begins; `options` are those in brackets, as written.

    `may_run` says that the statement may run, too: ANALYZE is among the words.
    """

    start: int
    options: str
    may_run: bool

    @property
    def mode(self) -> str | None:
        """Either "plan" or "analyze"; None where there are options that are DuckDB's alone."""
        if self.options and not _ANALYZE.fullmatch(self.options.strip()):
            return None
        return "analyze" if self.may_run else "plan"


def read_explain(sql: str) -> Explain | None:
    """What an EXPLAIN says before its statement; None for every other statement."""
    place = _behind(sql, length_of_comments(sql), re.compile("explain", re.IGNORECASE))
    if place is None:
        return None
    analyze = _behind(sql, place, _ANALYZE)
    listed = _OPTIONS.match(sql, place if analyze is None else analyze)
    options = listed[1] if listed and not _is_query(listed[1]) else ""
    start = place if analyze is None else analyze
    if listed and options:
        start = listed.end() + length_of_comments(sql[listed.end() :])
    return Explain(start, options, analyze is not None or _ANALYZE.search(options) is not None)


def _behind(sql: str, place: int, word: re.Pattern[str]) -> int | None:
    """Where what follows a word begins; None where that word does not stand there."""
    match = word.match(sql, place)
    if match is None or re.match(r"\w", sql[match.end() :]):
        return None
    return match.end() + length_of_comments(sql[match.end() :])


def _is_query(brackets: str) -> bool:
    """Whether brackets hold the statement, or a part of it, and no options."""
    word = brackets[length_of_comments(brackets) :].partition(" ")[0].lower()
    return word in ("select", "from", "with", "values", "table", "")
