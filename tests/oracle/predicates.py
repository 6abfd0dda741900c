"""Random predicates: ways of saying what a column equals, and all that only looks like it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.zoo import DAYS, NUMBERS, TEXTS

Columns = tuple[tuple[str, str], ...]
_DATE_SPELLINGS = {"2026-01-01": "2026-1-1", "2026-01-02": "2026-01-2"}


@dataclass
class Constants:
    """Constants in many spellings; `said` holds each value as text."""

    chance: random.Random
    said: set[str] = field(default_factory=lambda: {"", ".", "..", "01", "05", "07", "A", "zz"})
    given: list[Any] = field(default_factory=list)
    style: str = ""

    def __post_init__(self) -> None:
        self.style = self.chance.choice(("", "", "", "$", "?"))

    def settled(self, sql: str) -> tuple[str, Any]:
        """The text with its placeholders in the chosen style, and the arguments for them."""
        used = re.findall(r"\$v(\d+)", sql)
        if not used:
            return sql, None
        if self.style == "$":
            return sql, {f"v{index}": self.given[int(index)] for index in used}
        values = [self.given[int(index)] for index in used]
        return re.sub(r"\$v\d+", "?", sql), values

    def of(self, kind: str) -> str:
        """A constant of a column's type."""
        makers = {"DATE": self.date, "VARCHAR": self.text, "INTEGER": self.number}
        if kind in ("BOOLEAN", "TIMESTAMP"):
            return "true" if kind == "BOOLEAN" else "TIMESTAMP '2026-01-01 00:00:00'"
        return makers.get(kind, self.number)()

    def plain(self, kind: str) -> str:
        """A constant that mixes with others of its kind in a list."""
        if kind not in ("INTEGER", "BIGINT"):
            return self.of(kind)
        value = self.chance.choice(NUMBERS)
        self.said.add(str(value))
        return str(value)

    def text(self) -> str:
        """A text, usually a literal."""
        raw = self.chance.choice(TEXTS)
        value = raw.replace("''", "'")
        self.said |= {value, value.lower()}
        if self.style and self.chance.random() < 0.3:
            self.given.append(value)
            return f"$v{len(self.given) - 1}"
        forms = (
            "'{}'", "'{}'", "'{}'", "'{}'", "lower('{}')", "concat('{}', '')", "('{}' || '')",
            "CAST('{}' AS VARCHAR)", "(SELECT '{}')", "['{}'][1]", "coalesce(NULL, '{}')",
            "$$" + "{}".replace("''", "'") + "$$", "E'{}'", "max_by", "nullif('{}', 'zz')",
        )  # fmt: skip
        form = self.chance.choice(forms)
        if form.startswith("$$"):
            return f"$${value}$$"
        if form == "max_by":
            return f"(SELECT max(u) FROM (SELECT unnest(['{raw}', '{raw}']) AS u))"
        return form.format(raw)

    def number(self) -> str:
        """A number, usually a literal."""
        value = self.chance.choice(NUMBERS)
        self.said |= {str(value), f"0{value}", f"{value}.0", f"{value}.00"}  # as texts, too
        forms = (
            "{}", "{}", "{}", "({} + 0)", "CAST({} AS BIGINT)", "'{}'", "'0{}'", "abs(-{})", "{}.0",
            "CAST({} AS DOUBLE)", "CAST({} AS DECIMAL(9,2))",
        )  # fmt: skip
        return self.chance.choice(forms).format(value)

    def date(self) -> str:
        """A date, usually a literal."""
        value = self.chance.choice(DAYS)
        self.said.add(value)
        forms = (
            "'{}'", "'{}'", "DATE '{}'", "CAST('{}' AS DATE)", "(DATE '{}' + 0)", "'{}'::DATE",
            "TIMESTAMP '{} 00:00:00'", "TIMESTAMP '{} 10:00:00'",
        )  # fmt: skip
        spelt = _DATE_SPELLINGS.get(value, value) if self.chance.random() < 0.2 else value
        return self.chance.choice(forms).format(spelt)


@dataclass
class Predicates:
    """Predicates over given columns."""

    chance: random.Random
    constants: Constants
    is_numeric: bool = False
    """Whether every text is a number, so that casting one does not fail."""

    def binding(self, column: str, kind: str) -> str:
        """A predicate that gives a column its values."""

        def one() -> str:
            return self.constants.of(kind)

        def item() -> str:
            return self.constants.plain(kind)

        listed = ", ".join(item() for _ in range(self.chance.choice((1, 2, 3))))
        forms: list[Callable[[], str]] = [
            lambda: f"{column} = {one()}",
            lambda: f"{column} = {one()}",
            lambda: f"{one()} = {column}",
            lambda: f"{column} IN ({listed})",
            lambda: f"({column} = {one()} OR {column} = {one()})",
            lambda: f"{column} = ANY([{listed}])",
            lambda: f"{column} IN (VALUES ({item()}), ({item()}))",
            lambda: f"{column} IN (SELECT unnest([{listed}]))",
            lambda: f"{column} IS NOT DISTINCT FROM {one()}",
            lambda: f"({column} = {one()} AND {self.any(((column, kind),), 1)})",
            lambda: f"NOT ({column} <> {one()})",
            lambda: f"({column}, 1) = ROW({item()}, 1)",
        ]
        if kind in ("INTEGER", "DATE"):
            forms.append(lambda: f"({column} >= {item()} AND {column} <= {item()})")
        return self.chance.choice(forms)()

    def tuple_binding(self, name: str) -> str:
        """A predicate over two parameters that must be kept as pairs."""
        text = self.constants.text
        pairs = [(text(), text()) for _ in range(self.chance.choice((1, 2)))]
        if self.chance.random() < 0.5:
            listed = ", ".join(f"({a}, {b})" for a, b in pairs)
            return f"({name}.grp, {name}.part) IN ({listed})"
        either = " OR ".join(f"({name}.grp = {a} AND {name}.part = {b})" for a, b in pairs)
        return f"({either})"

    def any(self, columns: Columns, depth: int) -> str:
        """Any predicate, nested up to `depth`."""
        dice = self.chance.random()
        if depth and dice < 0.18:
            return f"({self.any(columns, depth - 1)} OR {self.any(columns, depth - 1)})"
        if depth and dice < 0.36:
            return f"({self.any(columns, depth - 1)} AND {self.any(columns, depth - 1)})"
        if depth and dice < 0.44:
            return f"NOT ({self.any(columns, depth - 1)})"
        if dice < 0.47:
            return self.chance.choice(("1 = 1", "true", "false", "NULL", "1 = 2"))
        column, kind = self.chance.choice(columns)
        return self.odd(column, kind) if dice < 0.75 else self.plain(column, kind)

    def plain(self, column: str, kind: str) -> str:
        """An equality or a membership."""
        if self.chance.random() < 0.7:
            return self.binding(column, kind)
        listed = ", ".join(self.constants.of(kind) for _ in range(2))
        return f"{column} NOT IN ({listed})"

    def odd(self, column: str, kind: str) -> str:
        """What looks like an equality, or is a predicate of another sort."""
        one = self.constants.of(kind)
        forms = [
            f"{column} IS NULL", f"{column} IS NOT NULL", f"{column} <> {one}",
            f"{column} >= {one}", f"coalesce({column}, {one}) = {one}",
            f"{column} IS DISTINCT FROM {one}", f"({column} = {one}) IS NOT TRUE",
            f"CASE WHEN {column} = {one} THEN true ELSE false END", f"{column} = NULL",
            f"{column} IN ({one}, NULL)", f"({column}, NULL) IN (({one}, NULL))",
            f"{column} = ALL(SELECT {one} WHERE false)", f"({column} = {one}) IS NULL",
            f"{column} = {one} IS TRUE", f"NOT {column} = {one}", f"({column} <> {one}) = false",
        ]  # fmt: skip
        forms += self._respelt(column, kind)
        if kind == "VARCHAR":
            forms += self._odd_texts(column)
        if kind in ("VARCHAR", "INTEGER") and (self.is_numeric or self.chance.random() < 0.03):
            forms = self._other_types(column)
        return self.chance.choice(forms)

    def _respelt(self, column: str, kind: str) -> list[str]:
        """What sqlglot would write otherwise than DuckDB reads it."""
        one, item = self.constants.of(kind), self.constants.plain(kind)
        forms = [
            f"{column} NOTNULL", f"if({column} = {one}, true, false)", f"{column}=/* ä */{one}",
            f"{column} IS NOT DISTINCT FROM {one} = true", f"list_contains([{item}], {column})",
        ]  # fmt: skip
        if kind == "VARCHAR":
            self.constants.said |= {"5", "a"}
            forms += [
                f"{column} = ('{{\"a.b\": \"5\", \"a\": {{\"b\": \"a\"}}}}'::JSON ->> 'a.b')",
                f"{column} NOT LIKE 'a%' ESCAPE '$'", f"trim(BOTH ' ' FROM {column}) = {one}",
                f"{column} IN ['5', {item}]", f"{column} = '5'::VARCHAR(9)",
            ]  # fmt: skip
        elif kind == "INTEGER":
            forms += [
                f"mod({column}, 2) = 1", f"{column} ** 2 = 25", f"{column}::DECIMAL = {item}",
                f"{column} // 2 = 2", f"-{column} = -{item}", f"@{column} % 4 = 1",
            ]  # fmt: skip
        elif kind == "DATE":
            forms += [
                f"date_trunc('month', {column}) = DATE '2026-01-01'",
                f"{column} + INTERVAL '1 day' = TIMESTAMP '2026-01-02'",
                f"EXTRACT(day FROM {column}) = 1", f"{column} - to_days(1) < {one}",
            ]  # fmt: skip
        return forms

    def _odd_texts(self, column: str) -> list[str]:
        text, number = self.constants.text(), self.constants.number()
        return [
            f"lower({column}) = {text}", f"{column} LIKE '%a%'",
            f"{column} = 'A' COLLATE NOCASE", f"{column} COLLATE NOCASE = {text}",
            f"{column} = CAST({number} AS VARCHAR)", f"TRY_CAST({column} AS INTEGER) = 5",
            f"{column} IN ('A' COLLATE NOCASE, 'zz')", f"{column} BETWEEN {text} AND {text}",
            f"{column} = ALL([{text}])",
            self.chance.choice((f"{column} <> ''", f"{column} = ''", f"{column} IN ('.', {text})")),
        ]  # fmt: skip

    def _other_types(self, column: str) -> list[str]:
        number = self.constants.plain("INTEGER")
        return [
            f"{column} = {number}", f"{column} IN ('05', {number})", f"{number} = {column}",
            f"{column} IN ('05', NULL::INTEGER)", f"{column} = CAST({number} AS DOUBLE)",
            f"{column} = {number}.0", f"{column} IN ({number}, 1)",
        ]  # fmt: skip
