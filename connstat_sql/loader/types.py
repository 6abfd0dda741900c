"""Text of a DuckDB type → `SqlType`."""

from __future__ import annotations

import re

from connstat_sql.definitions import JSON, TIMESTAMPTZ, ListOf, MapOf, Scalar, SqlType, Struct

SCALARS = {
    name: Scalar(name)
    for name in (
        "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
        "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP", "UUID",
    )
}  # fmt: skip
SCALARS |= {"JSON": JSON, "TIMESTAMPTZ": TIMESTAMPTZ, "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ}
KNOWN = (*SCALARS, "DECIMAL(p,s)", "STRUCT(name type, …)", "MAP(VARCHAR, type)", "type[]")
MAX_DEPTH = 20

_TOKEN = re.compile(
    r'\s*(?:"((?:[^"]|"")+)"|(DECIMAL\s*\(\s*\d+\s*,\s*\d+\s*\))'
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
        while self._peek() == "[]":
            self._next()
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
            fields.append((name[1:].replace('""', '"') if name[0] == '"' else name, self.type()))
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
        found = self._next()
        if found != token:
            raise UnknownType(f"expected `{token}`, found `{found}`", found)


def _decimal(name: str) -> Scalar:
    width, scale = (int(number) for number in name[8:-1].split(","))
    if not (1 <= width <= 38 and 0 <= scale <= width):
        raise UnknownType(f"{name}: width is 1 to 38, scale 0 to width", name)
    return Scalar(f"DECIMAL({width},{scale})")
