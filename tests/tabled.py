"""One test over a table of cases: what a thousand tests of a millisecond each would cost most of.

Where rows need nothing made anew for each of them, `over` stands in place of `parametrize`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from math import gcd
from typing import Any

import pytest

Test = Callable[..., None]


def over(
    names: str | tuple[str, ...],
    rows: Iterable[Any],
    ids: Iterable[str] | Callable[[Any], str] | None = None,
) -> Callable[[Test], Test]:
    """Try every row, whatever becomes of the others; those that fail are named.

    `names` and `rows` are as for `parametrize`, with `pytest.param` for a row with a name; so is
    `ids`, of rows with one value.
    """
    columns = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    given = [_case(row, len(columns)) for row in rows]
    cases = [case for case, _ in given]
    assert cases, "a table without rows says nothing"

    def decorate(test: Test) -> Test:
        def tried(**fixtures: Any) -> None:
            faults: dict[int, BaseException] = {}
            for number, case in enumerate(cases):
                try:
                    test(**fixtures, **dict(zip(columns, case, strict=True)))
                except (Exception, pytest.fail.Exception) as error:
                    faults[number] = error
            if faults:
                labels = [
                    name or label
                    for (_, name), label in zip(given, _labels(cases, ids), strict=True)
                ]
                told = [f"  {at}: {labels[at]}: {_said(error)}" for at, error in faults.items()]
                first = next(iter(faults.values()))
                text = "\n".join([f"{len(faults)} of {len(cases)} rows:", *told])
                raise AssertionError(text) from first

        wanted = inspect.signature(test).parameters
        tried.__name__, tried.__doc__, tried.__module__ = (
            test.__name__,
            test.__doc__,
            test.__module__,
        )
        tried.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [one for name, one in wanted.items() if name not in columns]
        )
        return tried

    return decorate


def spread(rows: Iterable[Any], most: int) -> list[Any]:
    """So many of the rows, from all over them: neighbours of a product are much alike.

    For the run at each change, beside a test of all rows that is marked `long`.
    """
    every = list(rows)
    step = next(
        step
        for step in range(round(len(every) * 0.618), len(every) + 2)
        if gcd(step, len(every)) == 1
    )
    return [every[number * step % len(every)] for number in range(min(most, len(every)))]


def _case(row: Any, width: int) -> tuple[tuple[Any, ...], str]:
    """The values of a row, and its name where it has one."""
    if isinstance(row, type(pytest.param())):
        assert not row.marks, "a row is no test of its own: it cannot be marked"
        return tuple(row.values), str(row.id or "")
    return ((row,) if width == 1 else tuple(row)), ""


def _labels(cases: list[tuple[Any, ...]], ids: Any) -> list[str]:
    if ids is None:
        return [", ".join(repr(value)[:80] for value in case) for case in cases]
    if callable(ids):
        return [str(ids(case[0])) for case in cases]
    return [str(one) for one in ids]


def _said(error: BaseException) -> str:
    """The first line of what is wrong."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:300]
