"""Values of parameters as commands take them: pairs of `NAME=VALUE`."""

from __future__ import annotations

from collections.abc import Iterable

import click


def read_pairs(pairs: Iterable[str], *, are_lists: bool = True) -> dict[str, str]:
    """`NAME=VALUE` pairs as a mapping. Raises click.UsageError, for a name given twice too.

    `are_lists` says that `NAME=A,B` gives several values, which is what to write instead.

    >>> read_pairs(["state=FAILED", "note=a=b", "empty="])
    {'state': 'FAILED', 'note': 'a=b', 'empty': ''}
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise click.UsageError(f"a parameter is given as NAME=VALUE, not {pair!r}")
        if name in values:
            instead = f"several values are  {name}=a,b" if are_lists else "it has one value"
            raise click.UsageError(f"{name} is given twice; {instead}")
        values[name] = value
    return values
