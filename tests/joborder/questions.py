"""Queries as what they say, and the many ways to write each of them down."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SCHEMA = "films.catalogue"
_TITLE_MADE = ("t.id = mb.title_id", "mb.company_id = c.id")
_TITLE_ABOUT = ("t.id = a.title_id", "a.keyword_id = k.id")
_TITLE_CAST = ("t.id = ci.title_id", "ci.person_id = p.id")


@dataclass(frozen=True, slots=True)
class Question:
    """A query: `tables` by their aliases, `conditions` that all hold."""

    answer: str
    tables: Mapping[str, str]
    conditions: Sequence[str]

    def sql(self) -> str:
        """As it stands here."""
        return self._commas([*self.tables], self.conditions)

    def shuffled(self, chance: random.Random) -> str:
        """The same, its tables and conditions in another order, joined by commas or by ON."""
        aliases, conditions = [*self.tables], [*self.conditions]
        chance.shuffle(aliases)
        chance.shuffle(conditions)
        write = chance.choice((self._commas, self._joins))
        return write(aliases, conditions)

    def _commas(self, aliases: Sequence[str], conditions: Sequence[str]) -> str:
        listed = ", ".join(map(self._source, aliases))
        return f"SELECT {self.answer} FROM {listed} WHERE {' AND '.join(conditions)}"

    def _joins(self, aliases: Sequence[str], conditions: Sequence[str]) -> str:
        first, *others = aliases
        there, left, text = {first}, [*conditions], self._source(first)
        for alias in others:
            there.add(alias)
            own = [one for one in left if alias in _named(one) <= there and len(_named(one)) > 1]
            left = [one for one in left if one not in own]
            text += (
                f" CROSS JOIN {self._source(alias)}"
                if not own
                else (f" JOIN {self._source(alias)} ON {' AND '.join(own)}")
            )
        return f"SELECT {self.answer} FROM {text}" + (f" WHERE {' AND '.join(left)}" * bool(left))

    def _source(self, alias: str) -> str:
        return f"{SCHEMA}.{self.tables[alias]} AS {alias}"


def _named(condition: str) -> set[str]:
    return set(re.findall(r"\b([a-z]+\d?)\.", condition))


QUESTIONS = {
    "a company's country": Question(
        "min(t.name), count(*)",
        {"t": "title", "mb": "made_by", "c": "company"},
        (*_TITLE_MADE, "c.country = 'de'", "mb.note = '(tv)'"),
    ),
    "a word": Question(
        "min(t.name), count(*)",
        {"t": "title", "a": "about", "k": "keyword"},
        (*_TITLE_ABOUT, "k.word = 'word-7'"),
    ),
    "a word and a year": Question(
        "min(t.name), count(*)",
        {"t": "title", "a": "about", "k": "keyword"},
        (*_TITLE_ABOUT, "k.word IN ('word-7', 'word-8')", "t.year > 2000"),
    ),
    "companies and words": Question(
        "min(t.name), count(*)",
        {"t": "title", "mb": "made_by", "c": "company", "a": "about", "k": "keyword"},
        (*_TITLE_MADE, *_TITLE_ABOUT, "c.country = 'us'", "k.word = 'word-21'"),
    ),
    "companies, words and people": Question(
        "min(p.name), min(t.name), count(*)",
        {
            "t": "title", "mb": "made_by", "c": "company", "a": "about", "k": "keyword",
            "ci": "casting", "p": "person",
        },
        (*_TITLE_MADE, *_TITLE_ABOUT, *_TITLE_CAST, "c.country = 'us'", "k.word = 'word-21'"),
    ),
    "every tie says so of every other": Question(
        "min(p.name), min(t.name), count(*)",
        {
            "t": "title", "mb": "made_by", "c": "company", "a": "about", "k": "keyword",
            "ci": "casting", "p": "person",
        },
        (
            *_TITLE_MADE, *_TITLE_ABOUT, *_TITLE_CAST, "mb.title_id = a.title_id",
            "a.title_id = ci.title_id", "ci.title_id = mb.title_id", "k.word = 'word-21'",
        ),
    ),
    "nothing but ties": Question(
        "count(*)",
        {"mb": "made_by", "a": "about", "ci": "casting", "k": "keyword"},
        ("mb.title_id = a.title_id", "a.title_id = ci.title_id", "a.keyword_id = k.id",
         "k.word = 'word-3'"),
    ),
    "a role": Question(
        "min(p.name), count(*)",
        {"t": "title", "ci": "casting", "p": "person", "r": "role"},
        (*_TITLE_CAST, "ci.role_id = r.id", "r.role = 'director'", "p.name LIKE 'B%'"),
    ),
    "a kind of film": Question(
        "min(t.name), count(*)",
        {"t": "title", "kd": "kind", "mb": "made_by", "c": "company"},
        (*_TITLE_MADE, "t.kind_id = kd.id", "kd.kind = 'series'", "t.year BETWEEN 2000 AND 2003"),
    ),
    "a kind of film by its makers": Question(
        "min(c.name), min(r.stars), min(t.name)",
        {"t": "title", "kd": "kind", "mb": "made_by", "c": "company", "r": "rating"},
        (*_TITLE_MADE, "t.kind_id = kd.id", "t.id = r.title_id", "kd.kind = 'movie'",
         "c.country = 'jp'", "r.stars > 7"),
    ),
    "ratings of a year": Question(
        "avg(r.stars), count(*)",
        {"t": "title", "r": "rating"},
        ("t.id = r.title_id", "t.year = 1999"),
    ),
    "what follows what": Question(
        "min(t1.name), min(t2.name), count(*)",
        {"t1": "title", "t2": "title", "l": "link"},
        ("l.title_id = t1.id", "l.linked_id = t2.id", "t1.year = 2004"),
    ),
    "what follows what, by companies of two countries": Question(
        "min(c1.name), min(c2.name), count(*)",
        {
            "t1": "title", "t2": "title", "l": "link", "m1": "made_by", "m2": "made_by",
            "c1": "company", "c2": "company",
        },
        ("l.title_id = t1.id", "l.linked_id = t2.id", "m1.title_id = t1.id",
         "m2.title_id = t2.id", "m1.company_id = c1.id", "m2.company_id = c2.id",
         "c1.country = 'us'", "c2.country = 'fr'", "l.link = 'follows'"),
    ),
    "two people in one film": Question(
        "min(t.name), count(*)",
        {"t": "title", "x": "casting", "y": "casting", "p": "person", "q": "person"},
        ("x.title_id = t.id", "y.title_id = t.id", "x.person_id = p.id", "y.person_id = q.id",
         "p.name = 'B person 1'", "q.gender = 'f'"),
    ),
    "a person's words": Question(
        "min(k.word), count(*)",
        {"p": "person", "ci": "casting", "a": "about", "k": "keyword"},
        ("ci.person_id = p.id", "a.title_id = ci.title_id", "a.keyword_id = k.id",
         "p.name = 'C person 2'"),
    ),
    "nothing is said of any thing": Question(
        "count(*)",
        {"t": "title", "mb": "made_by", "c": "company"},
        (*_TITLE_MADE,),
    ),
    "all of it": Question(
        "min(t.name), min(p.name), count(*)",
        {
            "t": "title", "kd": "kind", "mb": "made_by", "c": "company", "a": "about",
            "k": "keyword", "ci": "casting", "p": "person", "r": "role", "s": "rating",
        },
        (*_TITLE_MADE, *_TITLE_ABOUT, *_TITLE_CAST, "t.kind_id = kd.id", "ci.role_id = r.id",
         "s.title_id = t.id", "kd.kind = 'movie'", "r.role = 'actor'", "c.country = 'us'",
         "k.word LIKE 'word-1%'", "t.year > 2005", "p.gender = 'm'"),
    ),
}  # fmt: skip
