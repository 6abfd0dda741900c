"""What became of rows between two looks: told for watch and top alike."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from connstat_sql.monitor.changes import ChangeKind, differences


@dataclass(frozen=True)
class Seen:
    """A row with a key and what is compared of it."""

    key: str
    face: str = "up"
    connection: str | None = "a"


UP, DOWN, OTHER = Seen("x"), Seen("x", "down"), Seen("y", connection="b")


@pytest.mark.parametrize(
    ("before", "now", "silent", "expected"),
    [
        ([UP], [UP], (), [(None, UP, UP)]),
        ([UP], [DOWN], (), [(ChangeKind.CHANGED, UP, DOWN)]),
        ([], [UP], (), [(ChangeKind.APPEARED, None, UP)]),
        ([UP], [], (), [(ChangeKind.GONE, UP, None)]),
        ([UP], [], ("a",), [(None, UP, None)]),
        ([UP], [DOWN], ("a",), [(ChangeKind.CHANGED, UP, DOWN)]),
        ([UP, OTHER], [], ("b",), [(None, OTHER, None), (ChangeKind.GONE, UP, None)]),
        ([UP], [Seen("x", connection="b")], ("a",),
         [(None, UP, None), (ChangeKind.APPEARED, None, Seen("x", connection="b"))]),
        ([UP, UP], [UP, DOWN], (), [(None, UP, UP), (ChangeKind.CHANGED, UP, DOWN)]),
        ([UP, UP], [DOWN], (), [
            (ChangeKind.APPEARED, None, DOWN), (ChangeKind.GONE, UP, None),
            (ChangeKind.GONE, UP, None),
        ]),
    ],
)  # fmt: skip
def test_what_became_of_each_row(
    before: list[Seen],
    now: list[Seen],
    silent: tuple[str, ...],
    expected: list[tuple[ChangeKind | None, Seen | None, Seen | None]],
) -> None:
    assert [*differences(before, now, silent, ())] == expected


@pytest.mark.parametrize("unseen", [None, ("a",)])
def test_rows_of_a_connection_that_gave_nothing_yet_are_present(
    unseen: tuple[str, ...] | None,
) -> None:
    (row,) = differences([], [UP], (), unseen)
    assert row == (ChangeKind.PRESENT, None, UP)
