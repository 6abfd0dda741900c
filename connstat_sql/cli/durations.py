"""Times as options take them: a number is seconds, and a unit may stand behind it."""

from __future__ import annotations

import math
from typing import Any

import click


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic in later releases alone
    """`5`, `5s`, `500ms` or `1h30m`, as seconds."""

    name = "seconds"

    def __init__(self, *, may_be_none: bool = False) -> None:
        """`may_be_none` admits 0 too."""
        self._may_be_none = may_be_none

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Say what is wrong with what is no time."""
        try:
            seconds = float(value)
        except ValueError:
            from connstat_sql.config.durations import seconds_of

            try:
                return seconds_of(value, may_be_none=self._may_be_none)
            except ValueError as error:
                self.fail(str(error), param, ctx)
        if not math.isfinite(seconds) or seconds < 0 or not (seconds or self._may_be_none):
            least = "0 or more" if self._may_be_none else "more than 0"
            self.fail(f"{value} is not {least} seconds, such as 5, 5s or 1m30s", param, ctx)
        return seconds


SECONDS = Seconds()
AGE = Seconds(may_be_none=True)
