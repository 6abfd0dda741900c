"""Random queries over the chaos API, each with the rows that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from connstat_sql.result import Result
from tests.chaos.echo import members_of
from tests.chaos.rows import row

Row = tuple[object, ...]
STYLES = ("tokens", "links", "link_headers", "page_numbers", "totals", "page_totals")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, its rows in order, and which of them a failed fetch may have cost."""

    sql: str
    rows: list[Row]
    may_lack: Callable[[Row, Result], bool]

    def is_right(self, result: Result) -> bool:
        """Whether all rows are there, apart from those that failed fetches account for."""
        found = result.fetchall()
        if result.complete:
            return found == self.rows
        there = set(found)
        return (
            found == [one for one in self.rows if one in there]
            and len(there) == len(found)
            and all(one in there or self.may_lack(one, result) for one in self.rows)
        )


def ask(random: Random) -> Asked:
    """A query at random."""
    return random.choice((_fan_out, _fan_out, _walk, _filtered, _counted))(random)


def _numbers(seed: int, total: int) -> list[tuple[int, object]]:
    return [(number, _name(seed, number)) for number in range(total)]


@lru_cache(100_000)
def _name(seed: int, number: int) -> object:
    return row(seed, number)["name"]


def _of_seed(line: Row, result: Result) -> bool:
    return any(one.fetch.arguments["seed"] == str(line[0]) for one in result.errors)


def _fan_out(random: Random) -> Asked:
    """One list for each of some seeds, page by page, in one of the styles."""
    seeds = sorted(random.sample(range(1000), random.randint(1, 24)))
    total, size = random.randint(0, 60), random.choice((7, 20, 100))
    sql = f"""SELECT seed, number, name FROM chaos.pages.{random.choice(STYLES)}
        WHERE seed IN ({", ".join(map(str, seeds))}) AND total = {total} AND size = {size}
        ORDER BY ALL"""
    rows: list[Row] = [(seed, *one) for seed in seeds for one in _numbers(seed, total)]
    return Asked(sql, rows, _of_seed)


def _filtered(random: Random) -> Asked:
    """Rows of one list that fit a predicate which DuckDB evaluates."""
    seed, total = random.randrange(1000), random.randint(1, 200)
    style = random.choice((*STYLES, "offsets", "whole"))
    sql = f"""SELECT seed, number, name FROM chaos.pages.{style}
        WHERE seed = {seed} AND total = {total} AND number % 3 = 1 ORDER BY ALL"""
    rows: list[Row] = [(seed, *one) for one in _numbers(seed, total) if one[0] % 3 == 1]
    return Asked(sql, rows, _of_seed)


def _counted(random: Random) -> Asked:
    """How many rows each of some lists has, all pages read."""
    seeds = sorted(random.sample(range(1000), random.randint(1, 12)))
    total = random.randint(1, 90)
    sql = f"""SELECT seed, count(*), count(DISTINCT number) FROM chaos.pages.{random.choice(STYLES)}
        WHERE seed IN ({", ".join(map(str, seeds))}) AND total = {total} AND size = 20
        GROUP BY ALL HAVING count(*) = {total} ORDER BY ALL"""
    return Asked(sql, [(seed, total, total) for seed in seeds], _of_seed)


def _walk(random: Random) -> Asked:
    """From groups to their members and to each member's own page."""
    total = random.randint(1, 15)
    sql = f"""SELECT g.id, m.id, p.name FROM chaos.family.groups g
        JOIN chaos.family.members m ON m.group_id = g.id
        JOIN chaos.family.member p ON (p.group_id, p.member_id) = (g.id, m.id)
        WHERE g.total = {total} ORDER BY g.id, m.id"""
    groups = sorted(f"group-{number + 1}" for number in range(total))
    rows: list[Row] = [
        (group, one["id"], one["name"]) for group in groups for one in members_of(group)
    ]
    return Asked(sql, rows, _of_group)


def _of_group(line: Row, result: Result) -> bool:
    for one in result.errors:
        given = one.fetch.arguments
        if given.get("group_id", line[0]) == line[0] and given.get("member_id", line[1]) == line[1]:
            return True
    return False
