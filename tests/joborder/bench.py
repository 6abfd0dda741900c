"""Each question, written in several ways, over the API: requests beside requests."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.joborder.questions import QUESTIONS
from tests.shop.api import Api, json_of, matching, not_found, page
from tests.shop.bench import Bench
from tests.shop.copies import Shop

SHOP = Shop("films", "catalogue", Path(__file__).parent)
LISTS = {
    "titles": ("title", "id"), "companies": ("company", "id"), "keywords": ("keyword", "id"),
    "people": ("person", "id"), "kinds": ("kind", "id"), "roles": ("role", "id"),
}  # fmt: skip
"""First segment of a path → table and key."""
OWNED = {
    ("titles", "made-by"): ("made_by", "title_id"),
    ("companies", "made-by"): ("made_by", "company_id"),
    ("titles", "about"): ("about", "title_id"),
    ("keywords", "about"): ("about", "keyword_id"),
    ("titles", "cast"): ("casting", "title_id"),
    ("people", "cast"): ("casting", "person_id"),
    ("titles", "links"): ("link", "title_id"),
    ("linked", "links"): ("link", "linked_id"),
}
"""First and last segment of a path → table, and the column that says whose rows they are."""
FILTERS = {"titles": {"year": "year"}, "companies": {"country": "country"}}


class FilmsApi(Api):
    """The API over the films."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """A list, a single row, or the rows of one owner."""
        first, *rest = request.url.path.strip("/").split("/")
        if not rest:
            query: Mapping[str, str] = dict(request.url.params)
            return page(
                matching(self.tables[LISTS[first][0]], FILTERS.get(first, {}), query), request
            )
        if len(rest) == 2 and rest[1] != "rating":
            return page(self.owned(*OWNED[first, rest[1]], rest[0]), request)
        table, key = ("rating", "title_id") if len(rest) == 2 else LISTS[first]
        rows = self.owned(table, key, rest[0])
        return json_of(rows[0].body) if rows else not_found(request)


@dataclass(frozen=True, slots=True)
class Asked:
    """How many requests a question needed in each of its orders; `faults` are wrong answers."""

    requests: tuple[int, ...]
    faults: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """The most in relation to the fewest."""
        return max(self.requests) / max(1, min(self.requests))


@contextmanager
def films() -> Iterator[Bench]:
    """The films behind an API."""
    bench = Bench(SHOP, FilmsApi, lambda _: "", max_requests=10_000, ordered=False)
    try:
        yield bench
    finally:
        bench.close()


def asked(bench: Bench, name: str, orders: int, seed: int = 0) -> Asked:
    """A question as it stands, and in so many other orders."""
    chance = random.Random(f"{name} {seed}")
    question = QUESTIONS[name]
    texts = [question.sql(), *(question.shuffled(chance) for _ in range(orders))]
    trials = [bench.try_sql(text) for text in texts]
    faults = tuple(
        f"{trial.fault}: {sql}" for trial, sql in zip(trials, texts, strict=True) if trial.fault
    )
    return Asked(tuple(len(trial.asked) for trial in trials), faults)
