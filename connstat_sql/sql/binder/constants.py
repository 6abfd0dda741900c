"""Constant expressions of the SQL → their values, folded by DuckDB itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from connstat_sql.database.values import Value
from connstat_sql.definitions.model import literal, quote
from connstat_sql.definitions.quoting import call, member, unnested
from connstat_sql.sql.binder.model import Questions
from connstat_sql.sql.binder.render import is_told, written
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.statement import long_list

Rows = Sequence[Sequence[Value]]

_AT_ONCE = 200
_MOST_DIGITS = 38
_CHANGING = (
    exp.Column, exp.PositionalColumn, exp.Table, exp.Star, exp.Columns, exp.Rand,
    exp.Collate,  # makes `=` mean something else
    exp.All,  # not one value: over nothing it is true of everything
)  # fmt: skip
SIMPLE = frozenset({"VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP"})
"""Types, beside whole numbers, whose values are what their texts say."""
INTEGERS = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT",
}  # fmt: skip

TIMES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
"""Days and points in time that no time zone has a say in."""
SHORT = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
"""Whole numbers that a DOUBLE holds, every one."""
_DIGITS = {
    "TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "UTINYINT": 3, "USMALLINT": 5,
    "UINTEGER": 10, "UBIGINT": 20,
}  # fmt: skip
"""Digits of whole numbers: with the places of a DECIMAL up to 38, DuckDB compares as DECIMALs."""


@dataclass
class Constants:
    """Folds constants; the same one only once.

    `questions` are asked of DuckDB, which knows what an expression calls.
    """

    questions: Questions
    _folded: dict[str, Rows | None] = field(default_factory=dict)

    def is_constant(self, node: exp.Expr) -> bool:
        """Whether it has one value, whenever and wherever it is evaluated."""
        if isinstance(node, (exp.Literal, exp.Boolean, exp.Null)):
            return True
        if not is_told(node):
            return False
        for inner in find_all(node, *_CHANGING):
            if not isinstance(inner, exp.Column) or not _is_inside_a_query(inner, node):
                return False
        return self.is_lasting(node)

    def is_lasting(self, node: exp.Expr) -> bool:
        """Whether it calls no function whose value may change."""
        sql = written(node)
        if isinstance(node, exp.Unnest) or (isinstance(node, exp.Values) and sql[0] == "("):
            sql = f"FROM {sql}"
        elif not isinstance(node, (exp.Query, exp.Values)):
            sql = f"SELECT {sql}"
        called = self.questions.called(sql)
        return called is not None and not called & self.questions.volatile()

    def type_inside(self, kind: str, path: Sequence[str]) -> str:
        """The type of what a path leads to in a struct, "" where DuckDB cannot tell."""
        rows = self._fold(f"SELECT {member(f'CAST(NULL AS {kind})', *path)}")
        return rows[0][0].type if rows else ""

    def is_listed(self, source: exp.Expr) -> bool:
        """Whether a source of FROM is VALUES or a query of constants alone."""
        inner = source.this if isinstance(source, exp.Subquery) else source
        return isinstance(inner, (exp.Values, exp.Query, exp.Unnest)) and self.is_constant(inner)

    def has_none(self, source: str) -> bool:
        """Whether a constant source, with what is asked of its rows, has no row."""
        rows = self._fold(f"SELECT {call('count', '*')} = 0 FROM {source}")
        return bool(rows and rows[0][0].text == "true")

    def is_never_true(self, predicate: exp.Expr) -> bool:
        """Whether a predicate is a constant that is false or NULL."""
        if isinstance(predicate, exp.Boolean):
            return not predicate.this
        if not self.is_constant(predicate):
            return False
        folded = self._fold(f"SELECT ({written(predicate)}) IS TRUE")
        return bool(folded and folded[0][0].text == "false")

    def is_always_true(self, predicate: exp.Expr) -> bool:
        """Whether a predicate is a constant that is true."""
        if not self.is_constant(predicate):
            return False
        folded = self._fold(f"SELECT ({written(predicate)}) IS TRUE")
        return bool(folded and folded[0][0].text == "true")

    def typed(self, node: exp.Expr, wanted: str) -> exp.Expr | None:
        """A constant as a cast of its text to the type that it has in a column.

        `wanted` is the type of that column ("": nobody knows). None where the column would hold
        another value than the constant, or where no text says what it is.
        """
        value = self._value(node)
        if value is None:
            return None
        kind = wanted or value.type
        if value.type == '"NULL"':
            kind = wanted or "INTEGER"  # what DuckDB takes a NULL for that nothing says more of
        elif not _is_same(value.type, kind):
            return None
        if kind not in SIMPLE and kind not in INTEGERS:
            return None
        inner = exp.Null() if value.text is None else exp.Literal.string(value.text)
        return exp.Cast(this=inner, to=exp.DataType.build(kind, dialect="duckdb"))

    def _value(self, node: exp.Expr) -> Value | None:
        """The value of an expression; None where it is not constant."""
        node = node.unnest()
        value = _plain(node)
        if value is None and isinstance(node, exp.Null):
            return Value(None, '"NULL"')
        if value is None and self.is_constant(node):
            rows = self._fold(f"SELECT {written(node)}")
            value = rows[0][0] if rows and len(rows) == 1 and len(rows[0]) == 1 else None
        return value

    def rows(self, options: Sequence[exp.Expr], width: int) -> Rows | None:
        """The values of an IN list, or of one side of an equality: a row of `width` for each."""
        folded: list[Sequence[Value]] = []
        parts: list[exp.Expr] = []
        for option in options:
            listed = long_list(option) if width == 1 else None
            if listed is not None:
                is_text, texts = listed
                folded += [
                    (Value(text, "VARCHAR") if is_text else _whole_number(text),)
                    for text in dict.fromkeys(texts)
                ]
                continue
            if isinstance(option, exp.Values):
                rows = self.query(option)
                if rows is None:
                    return None
                folded += rows
                continue
            sides = option.expressions if isinstance(option, exp.Tuple) and width > 1 else [option]
            if len(sides) != width:
                return None
            parts += sides
        values = self._values(parts)
        if values is None:
            return None
        return [*folded, *(values[i : i + width] for i in range(0, len(values), width))]

    def long_list(self, options: Sequence[exp.Expr], wanted: str) -> Iterable[str] | None:
        """The distinct values of a long list as the wanted type spells them.

        None for any other list, and where values must be cast to be compared.
        """
        listed = long_list(options[0]) if len(options) == 1 else None
        if listed is None:
            return None
        is_text, texts = listed
        if not is_text and wanted in INTEGERS:
            return dict.fromkeys(str(int(text)) for text in texts)
        return dict.fromkeys(texts) if is_text and wanted == "VARCHAR" else None

    def query(self, query: exp.Expr) -> Rows | None:
        """The rows of a constant subquery or VALUES list."""
        inner = query.this if isinstance(query, exp.Subquery) else query
        return self._fold(written(inner)) if self.is_constant(inner) else None

    def elements(self, listed: exp.Expr) -> Rows | None:
        """The elements of a constant list, or the rows of a constant subquery."""
        if isinstance(listed, (exp.Query, exp.Values)):
            return self.query(listed)
        if not self.is_constant(listed):
            return None
        kind = self._fold(f"SELECT {call('typeof', written(listed))}")
        if not kind or not str(kind[0][0].text).endswith(("]", '"NULL"')):
            return None  # a text, of which it may be a part, or a MAP
        return self._fold(f"SELECT {call('unnest', written(listed))}")

    def spelt(self, values: Iterable[Value], wanted: str) -> Mapping[Value, str | None] | None:
        """Each value as the wanted type spells it; None when equality means something else.

        DuckDB compares text with any other type by casting the text, and no other pair that way.
        A number of another type is spelt where no other number than that equals it, and left out
        where none does.
        """
        spellings: dict[Value, str | None] = {}
        to_cast: list[Value] = []
        values = [*values]
        others = {value.type for value in values if not _is_same(value.type, wanted)}
        if is_number(wanted) and any(map(is_number, others)):
            return self._equal_numbers(values, wanted)
        if _is_bindable_time(wanted) and any(value.type in TIMES - {wanted} for value in values):
            return self._equal_times(values, wanted)
        for value in values:
            if _is_same(value.type, wanted) or value.type == '"NULL"':
                spellings[value] = value.text
            elif value.type == "VARCHAR" and value.text is not None:
                to_cast.append(value)
            else:
                return None
        if not to_cast:
            return spellings
        casts = self._cast({value.text or "" for value in to_cast}, wanted)
        for value in to_cast:
            text = casts[value.text or ""].text
            if text is None:
                return None
            spellings[value] = text
        return spellings

    def day_of(self, value: Value) -> str | None:
        """The day in which a point in time lies."""
        if value.text is None or value.type not in TIMES:
            return None
        rows = self._fold(f"SELECT TRY_CAST(CAST({literal(value.text)} AS {value.type}) AS DATE)")
        return rows[0][0].text if rows else None

    def folded(self, sql: str) -> Rows | None:
        """The rows of a query of ours over constants."""
        return self._fold(sql)

    # --- asking DuckDB -----------------------------------------------------------------------

    def _values(self, parts: Sequence[exp.Expr]) -> list[Value] | None:
        """The value of each expression; None when one of them is not constant."""
        by_place: dict[int, Value] = {}
        casts: dict[object, list[int]] = {}
        others: list[int] = []
        for index, part in enumerate(parts):
            value = _plain(part)
            if value is not None:
                by_place[index] = value
            elif (kind := _cast_type(part)) is not None:
                casts.setdefault(kind.this, []).append(index)
            elif self.is_constant(part):
                others.append(index)
            else:
                return None
        for places in casts.values():
            texts = [str(parts[place].this.this) for place in places]
            by_text = self._cast(texts, written(parts[places[0]].args["to"]))
            if any(by_text[text].text is None for text in texts):
                return None
            by_place.update(zip(places, (by_text[text] for text in texts), strict=True))
        for start in range(0, len(others), _AT_ONCE):
            some = others[start : start + _AT_ONCE]
            rows = self._fold("SELECT " + ", ".join(written(parts[place]) for place in some))
            if rows is None or len(rows) != 1 or len(rows[0]) != len(some):
                return None
            by_place.update(zip(some, rows[0], strict=True))
        return [by_place[index] for index in range(len(parts))]

    def _equal_numbers(
        self, values: Sequence[Value], wanted: str
    ) -> Mapping[Value, str | None] | None:
        """Numbers as the wanted type spells them, without those that equal none of that type.

        DuckDB compares numbers of several types as one of them, which may be coarser than the
        wanted one. Casts keep the order, so a number that equals more than the one it is cast to
        equals one of the two beside that. None where it does.
        """
        there = [value for value in values if value.text is not None]
        if not all(is_number(value.type) for value in there):
            return None
        listed = ", ".join(f"CAST({literal(v.text or '')} AS {v.type})" for v in there)
        cast = unnested(
            f"TRY_CAST(CAST({literal(v.text or '')} AS {v.type}) AS {wanted})" for v in there
        )
        step = f"TRY_CAST({literal(_step(wanted))} AS {wanted})"
        moved = [call(quote(sign), "n", step) for sign in "+-"]
        beside = [f"TRY_CAST(TRY({sql}) AS {wanted})" for sql in moved]
        tests = ", ".join(f"{sql}, {sql} IN ({listed})" for sql in ("n", *beside))
        rows = self._fold(f"SELECT {tests} FROM (SELECT {cast} AS n)") or ()
        if len(rows) != len(there) or any(row[0].text is None for row in rows):
            return None
        equal = {row[at].text for row in rows for at in (0, 2, 4) if row[at + 1].text == "true"}
        own = {row[0].text for row in rows}
        if not equal <= own:
            return None
        nulls: dict[Value, str | None] = {v: None for v in values if v.text is None}
        pairs = zip(there, rows, strict=True)
        return nulls | {value: row[0].text for value, row in pairs if row[0].text in equal}

    def _equal_times(
        self, values: Sequence[Value], wanted: str
    ) -> Mapping[Value, str | None] | None:
        """Days as points in time, or these as days, without those that equal none.

        Days are compared as their midnights: no two are the same.
        """
        there = [value for value in values if value.text is not None]
        if not all(value.type in TIMES for value in there):
            return None
        equal: dict[Value, str | None] = {v: None for v in values if v.text is None}
        for start in range(0, len(there), _AT_ONCE):
            some = there[start : start + _AT_ONCE]
            casts = [f"CAST({literal(v.text or '')} AS {v.type})" for v in some]
            pairs = [f"TRY_CAST({v} AS {wanted}), {v} = TRY_CAST({v} AS {wanted})" for v in casts]
            rows = self._fold("SELECT " + ", ".join(pairs))
            if rows is None or len(rows) != 1 or len(rows[0]) != 2 * len(some):
                return None
            triples = zip(some, rows[0][::2], rows[0][1::2], strict=True)
            equal |= {
                value: time.text for value, time, is_equal in triples if is_equal.text == "true"
            }
        return equal

    def _cast(self, texts: Iterable[str], wanted: str) -> dict[str, Value]:
        """Each text as another type, all by one question; NULL for those that do not fit."""
        listed = sorted(set(texts))
        rows = self._fold(
            f"SELECT v, TRY_CAST(v AS {wanted}) FROM (SELECT {unnested(map(literal, listed))} AS v)"
        )
        unfit = {text: Value(None, wanted) for text in listed}
        return unfit | {row[0].text or "": row[1] for row in rows or ()}

    def _fold(self, sql: str) -> Rows | None:
        if sql not in self._folded:
            self._folded[sql] = self.questions.fold(sql)
        return self._folded[sql]


def _is_inside_a_query(column: exp.Column, node: exp.Expr) -> bool:
    """Whether a column is one of a subquery, which over no table has columns of its own alone."""
    around = column.parent
    while around is not None and around is not node.parent:
        if isinstance(around, exp.Select):
            return True
        around = around.parent
    return False


def _plain(part: exp.Expr) -> Value | None:
    """The value of a text or a whole number as it stands, without asking DuckDB."""
    if not isinstance(part, exp.Literal):
        return None
    text = str(part.this)
    if part.is_string:
        return Value(text, "VARCHAR")
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    return _whole_number(text) if is_number else None


def _whole_number(text: str) -> Value:
    number = int(text)
    return Value(str(number), "INTEGER" if number < 2**31 else "BIGINT")


def _cast_type(part: exp.Expr) -> exp.DataType | None:
    """The type of `DATE '2026-11-01'` and the like; None for what is no plain cast of a text."""
    of, to = part.this, part.args.get("to")
    if type(part) is not exp.Cast or not isinstance(to, exp.DataType) or part.args.get("format"):
        return None
    is_plain = not any(to.args.get(key) for key in ("expressions", "collate", "nested", "kind"))
    return to if is_plain and isinstance(of, exp.Literal) and of.is_string else None


def is_number(of: str) -> bool:
    """Whether a type is one of numbers, exact or not."""
    return of in INTEGERS or of in ("UHUGEINT", "DOUBLE", "FLOAT") or of.startswith("DECIMAL(")


def are_distinct(of: str, wanted: str) -> bool:
    """Whether values of a type equal those of the wanted one that they are cast to, or none.

    Numbers do not where DuckDB compares both as floating point that is too coarse.
    """
    if of in TIMES and _is_bindable_time(wanted):
        return True
    if of in INTEGERS and wanted in INTEGERS:
        return True
    if of.startswith("DECIMAL("):
        return wanted in _DIGITS and _DIGITS[wanted] + _scale(of) <= _MOST_DIGITS
    return wanted in SHORT and of == "DOUBLE"


def is_short_number(text: str) -> bool:
    """Whether a number is written with so few digits that floating point tells it from others."""
    return text.replace(".", "", 1).isdigit() and len(text) <= 15


def _is_bindable_time(of: str) -> bool:
    return of in ("DATE", "TIMESTAMP")


def _step(of: str) -> str:
    """From a number of an exact type to the next."""
    scale = _scale(of) if of.startswith("DECIMAL(") else 0
    return f"{10**-scale:.{scale}f}"


def _scale(of: str) -> int:
    """The places of a DECIMAL behind the point."""
    return int(of.rstrip(")").rpartition(",")[2])


def _is_same(kind: str, other: str) -> bool:
    """Whether equality of texts is equality of values between two types."""
    return kind == other or (kind in INTEGERS and other in INTEGERS)
