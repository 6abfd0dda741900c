"""Parameters that name something there has to be: whether there is what was named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from connstat_sql.definitions.catalog import nearest_to
from connstat_sql.errors import ConnstatError, Interrupted
from connstat_sql.saved.model import Existence, Prepared, SavedParam, SavedQuery
from connstat_sql.saved.param_choices import offered

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.result import Options, Result

_NO_FILES = re.compile(r'No files found that match the pattern "([^"]+)"')


def results_of(
    query: SavedQuery, prepared: Prepared, engine: Engine, options: Options
) -> Iterator[Result]:
    """The results of a saved query, the last one with a doubt for each name of nothing.

    Names are looked up only where no row shows that they are right: an answer without rows, or
    several names in one parameter. Raises a ConnstatError.
    """
    try:
        yield from _results(query, prepared, engine, options)
    except ConnstatError as error:
        error.hint = error.hint or _about_files(error, query, prepared)
        raise


def _about_files(error: ConnstatError, query: SavedQuery, prepared: Prepared) -> str:
    """What to give where the files that a parameter names are not there; else nothing."""
    missing = _NO_FILES.search(error.message)
    for name, value in prepared.arguments.items() if missing else ():
        if missing and value == missing[1]:
            return f"say which they are:  connstat run {query.name} {name}={name.upper()}"
    return ""


def _results(
    query: SavedQuery, prepared: Prepared, engine: Engine, options: Options
) -> Iterator[Result]:
    results = engine.run(prepared.sql, dict(prepared.arguments) or None, options)
    named = [param for param in query.params if param.exists and param.name in prepared.arguments]
    if not named:
        yield from results
        return
    last: Result | None = None
    for result in results:
        if last is not None:
            yield last
        last = result
    if last is not None:
        yield _with_doubts(last, prepared, named, engine, options)


def _with_doubts(
    last: Result,
    prepared: Prepared,
    named: list[SavedParam],
    engine: Engine,
    options: Options,
) -> Result:
    """The result with what is to say of the names, and what it cost to know."""
    doubts, scans = list(last.doubts), list(last.scans)
    for param in named:
        value = prepared.arguments[param.name]
        names = [str(element) for element in (value if isinstance(value, list) else [value])]
        if len(names) == 1 and last.table.num_rows:
            continue
        try:
            known, results = offered(param, engine, replace(options, partial=True))
        except Interrupted:
            raise
        except ConnstatError as error:
            doubts.append(f"whether there is such a {param.name} is not known: {error.message}")
            continue
        scans += [scan for result in results for scan in result.scans]
        which = "" if all(result.complete for result in results) else ", of those that answered"
        doubts += [f"{said}{which}{near}" for said, near in _missing(param, names, known)]
    return replace(last, doubts=tuple(dict.fromkeys(doubts)), scans=tuple(scans))


def _missing(param: SavedParam, names: list[str], known: list[str]) -> Iterator[tuple[str, str]]:
    """Names that are not among those known: what to say of each, and the nearest."""
    is_part = param.exists is Existence.PART
    lower = [text.lower() for text in known] if is_part else []
    for name in names:
        if name in known or any(name.lower() in text for text in lower):
            continue
        shown = repr(name[:60])
        said = f"no {param.name} has {shown} in it" if is_part else f"no {param.name} is {shown}"
        yield said, nearest_to(name, [*known, *(_words(known) if is_part else ())])


def _words(names: list[str]) -> Iterator[str]:
    """The parts that names are put together of."""
    for name in names:
        yield from (word for word in re.split(r"[\W_]+", name) if len(word) > 2)
