"""Text of a DuckDB type → `SqlType`."""

from __future__ import annotations

import re
from datetime import date

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.model import JSON, TIMESTAMPTZ, ListOf, MapOf, Scalar, SqlType, Struct
from connstat_sql.definitions.sql_types import is_whole_number

SCALARS = {
    name: Scalar(name)
    for name in (
        "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
        "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP", "UUID",
    )
}  # fmt: skip
SCALARS |= {"JSON": JSON, "TIMESTAMPTZ": TIMESTAMPTZ, "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ}
ALIASES = {
    "STRING": "VARCHAR", "TEXT": "VARCHAR", "CHAR": "VARCHAR", "INT": "INTEGER", "LONG": "BIGINT",
    "INT64": "BIGINT", "BOOL": "BOOLEAN", "NUMBER": "DOUBLE", "REAL": "FLOAT", "ARRAY": "type[]",
    "DATETIME": "TIMESTAMPTZ", "NUMERIC": "DECIMAL(p,s)", "OBJECT": "STRUCT(name type, …)",
}  # fmt: skip
KNOWN = (*SCALARS, "DECIMAL(p,s)", "STRUCT(name type, …)", "MAP(VARCHAR, type)", "type[]")
MAX_DEPTH = 20

_TOKEN = re.compile(
    r'\s*(?:"((?:[^"]|"")+)"|(DECIMAL\s*\(\s*[0-9]{1,9}\s*,\s*[0-9]{1,9}\s*\))'
    r"|(TIMESTAMP\s+WITH\s+TIME\s+ZONE)|([^\W\d][\w$]*)|(\[\s*\])|([(),]))",
    re.IGNORECASE,
)


class UnknownType(ValueError):
    """The text names no type that a column may have; `word` is the part at fault."""

    def __init__(self, message: str, word: str = "") -> None:
        super().__init__(message)
        self.word = word


def parse_type(text: str) -> SqlType:
    """Parse `STRUCT(id INTEGER, tags VARCHAR[])` and the like.

    Raises UnknownType, naming the word that is not understood.

    >>> str(parse_type("struct(id INTEGER, tags varchar[])"))
    'STRUCT("id" INTEGER, "tags" VARCHAR[])'
    """
    parser = _TypeParser(_tokens(text))
    parsed = parser.type()
    if parser.position < len(parser.tokens):
        word = parser.tokens[parser.position]
        raise UnknownType(f"unexpected `{word}` after the type", word)
    return parsed


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnknownType(f"`{text[position:]}` is not part of a type", text[position:])
        quoted = match.group(1)
        tokens.append('"' + quoted if quoted is not None else "".join(match.group().split()))
        position = match.end()
    return tokens


class _TypeParser:
    """Recursive descent over the tokens; a leading `"` marks a quoted name."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def type(self) -> SqlType:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnknownType(f"nested more than {MAX_DEPTH} deep")
        parsed = self._base()
        lists = 0
        while self._peek() == "[]":
            self._next()
            lists += 1
            if self.depth + lists > MAX_DEPTH:
                raise UnknownType(f"nested more than {MAX_DEPTH} deep")
            parsed = ListOf(parsed)
        self.depth -= 1
        return parsed

    def _base(self) -> SqlType:
        word = self._next()
        name = word.upper()
        if name == "STRUCT":
            return self._struct()
        if name == "MAP":
            return self._map()
        if name.startswith("DECIMAL("):
            return _decimal(name)
        if name == "TIMESTAMPWITHTIMEZONE":
            return TIMESTAMPTZ
        if name in SCALARS:
            return SCALARS[name]
        raise UnknownType(f"`{word}` is not a type that a column may have", word)

    def _struct(self) -> Struct:
        self._expect("(")
        fields: list[tuple[str, SqlType]] = []
        while True:
            name = self._next()
            if name in "(),[]":
                raise UnknownType(f"a field name is missing before `{name}`", name)
            fields.append((_field_name(name), self.type()))
            if self._peek() != ",":
                break
            self._next()
        self._expect(")")
        names = [name.lower() for name, _ in fields]
        if len(set(names)) < len(names):
            raise UnknownType("a STRUCT names a field twice")
        return Struct(tuple(fields))

    def _map(self) -> MapOf:
        self._expect("(")
        if self._next().upper() != "VARCHAR":
            raise UnknownType("the keys of a MAP are VARCHAR: they are keys of a JSON object")
        self._expect(",")
        value = self.type()
        self._expect(")")
        return MapOf(value)

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        if self.position >= len(self.tokens):
            raise UnknownType("the type ends too early")
        self.position += 1
        return self.tokens[self.position - 1]

    def _expect(self, token: str) -> None:
        actual = self._next()
        if actual != token:
            raise UnknownType(f"expected `{token}`, found `{actual}`", actual)


def _field_name(token: str) -> str:
    name = token[1:].replace('""', '"') if token[0] == '"' else token
    if re.search(r'["\\\x00-\x1f]', name):
        raise UnknownType("field names have no double quotes, backslashes or control characters")
    return name


def _decimal(name: str) -> Scalar:
    width, scale = (int(number) for number in name[8:-1].split(","))
    if not (1 <= width <= 38 and 0 <= scale < width):  # DuckDB reads no 1e-7 into DECIMAL(3,3)
        raise UnknownType(f"{name}: width is 1 to 38, scale less than width", name)
    return Scalar(f"DECIMAL({width},{scale})")


def suggestion_for(word: str) -> str:
    """What was probably meant by a word that is no type; "" when nothing comes close."""
    alias = ALIASES.get(word.upper())
    return f"did you mean `{alias}`?" if alias else nearest(word, KNOWN)


def is_literal_of(of: SqlType, text: str) -> bool:
    """Whether a text may be a value of a type; judges whole numbers, truth and dates."""
    name = str(of)
    if is_whole_number(of):
        return re.fullmatch(r"-?[0-9]{1,39}", text) is not None
    if name == "BOOLEAN":
        return text in ("true", "false")
    if name == "DATE":
        try:
            date.fromisoformat(text)
        except ValueError:
            return False
    return True
