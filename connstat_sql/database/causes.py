r"""`root_cause` and `cause_group`: why something failed, out of a stack trace, as DuckDB's macros.

A trace is cut into its causes where a line begins with `Caused by:`, or as .NET and Node say it,
and frames stand before it or the class of an exception behind it. The answer is what the deepest
of them says that says something: its class without the package, and the first line of its message.
Characters that no trace holds mark what has been read: `\x01` frames, `\x02` the beginning of a
cause, `\x03` a suppressed one, `\x04` that a class stands there for itself.
"""

from __future__ import annotations

from connstat_sql.definitions.quoting import literal

_CLASS = (
    r"(?:(?:[A-Za-z_$][\w$]*[./])+"
    r"(?:[A-Z_$][\w$]*|\w*(?i:error|exception|timeout|fault|warning|interrupt))"
    r"|[A-Z][\w$]*(?:Exception|Error|Throwable|Failure|Fault|Timeout|Warning))"
)
_NUMBER = r"(?: \(\d+\))?"
_CAUSED = r"[ \t]*(?:Caused by:|\[cause\]:|--->)[ \t]*"
_OUTER = rf"^\s*(?:{_CLASS}{_NUMBER}:\s+)*"
_FRAME = (
    r"(?m)^(?:[ \t]+(?:at\b|\.\.\.)[^\n]*|at (?:[\w$]+[./])+[\w$<>]+\([^\n]*|\.\.\. \d+ [^\n]*"
    r"|[\w$./<>]+\([\w$-]+\.(?:java|kt|scala|groovy):\d+\)[^\n]*)$"
)
_SUPPRESSED = (
    r"(?m)^[ \t]+Suppressed: [^\n]*"
    r"(?:\n(?:\t\t|[ \t]+(?:at |Caused by: |\.\.\. \d))[^\n]*)*"
)
_PYTHON_AFTER = (
    r"(?s)\n[ \t]*(?:During handling of the above|The above exception was the direct cause).*$"
)
_PYTHON_FRAMES = r"Traceback \(most recent call last\):[ \t]*\n(?:[ \t]+[^\n]*\n)*"
_ESCAPED = r"\\n(?:\\t| +)at |\\nCaused by: "
_COLOURS = (
    r"(?:\x1b|\x{241b}|\\u001[bB]|\\x1[bB]|\\033|\\e)"
    r"(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)"
    r"|\x1b[()][0-9A-B]|\x{feff}|\x{200b}"
)
"""What a terminal takes for colours, also where it was escaped, and marks that nobody sees."""
_SAYS_NOTHING = (
    r"(?i)^(?:(?:\w*\.)*(?:(?:Runtime|Execution|Completion|Retriable|Kafka|Connect|SQL|IO|Camel"
    r"|RuntimeCamel|InvocationTarget|UndeclaredThrowable|Debezium|Aggregate)?(?:Exception|Error)"
    r"|Throwable)$|(?:\w+: )?(?:Tolerance exceeded in error handler"
    r"|Exiting \w*Task due to unrecoverable exception|Unrecoverable exception from \w+ task"
    r"|An exception occurred in the change event producer))"
)
_NO_CAUSE = r"^\s*(?:\[?CIRCULAR REFERENCE|Error : \d+, Position : |\.\.\.)"
_CUT = r"^[\w$]+(?:[./][\w$]*)+$"
_WHOLE = r"(?:Exception|Error|Throwable|Failure)$"
_BEFORE_FRAMES = r"^[^\x01]*"
_SEE_OTHERS = r"\s*Call getNextException[^\n]*"
_BATCH = r"(?m)^[^\n]*BatchUpdateException[^\n]*"
_ABORTED = r"was aborted[:.]\s+(\S[^\n]*)"
_IS_SUPPRESSED = "@starts_with(x, @chr(3))"
_LISTED = r"(?s)^(?:[^\n]*\b(?i:errors?(?:\(s\))?)\b[^:\n]*:|.*\bErrors:)\n(.+)$"
_LISTED_HERE = r"^[^\n]*[.!] Errors: +(\S[^\n]*)"
_GOES_ON = r"^[^\n]*:\n[^\n]*"
_FIRST = r"^[^\n]*"
_TIDY = (
    (r"\x04", ""),
    (r"(?m)^[ \t]+|[ \t]+$", ""),
    (r"(?mi)^(?:null|none|exception chain:|root cause:|reason:|[^\pL\d\n]*)$", ""),
    (r"(?m)^You can also find the above [^\n]*$", ""),
    (r"\n\n+", "\n"),
    (r"^\s+|\s+$", ""),
)
_HEAD = rf"(?:{_CLASS}){_NUMBER}"
_NAME = rf"{_OUTER}({_CLASS}){_NUMBER}[:\[;{{]"
_SHORT = r"([A-Za-z_]\w*(?:\$\d+)?)\$?$"
_NAMED = rf"{_OUTER}{_HEAD}(?::\s*)?"
_LOGGED = (
    r"\[?\d{4}-\d\d-\d\d[T ][^\n]*?[ \[](?:ERROR|FATAL|SEVERE|CRITICAL|WARN|WARNING)\b"
    r"(?:[^\n]*?[ \t])?"
)
"""What a log writes before an error, on its line."""
_LINK = rf"(?m)^[ \t]*({_CLASS}:[^\n]*\S)"
_CODE = (
    r"(?:(?i:\b(?:status|error|exit|return|response|reply|result|sql|vendor)?[ _-]?codes?"
    r"|\bstatus|\berrno|\berror|\bsqlstate|\bhttp(?:/\d(?:\.\d)?)?)"
    r"\)?[\s:=#'\x22(\[]{0,3}-?\d+\b|\b[A-Z]{2,10}-\d{2,5}\b|\b[A-Z]{1,3}\d\b)"
)
"""Numbers that say what happened."""
_ENDINGS = (
    "com|net|org|io|dev|cloud|app|internal|intern|local|localdomain|localhost|lan|corp|home|intra"
    "|intranet|private|test|example|invalid|svc|gov|edu|info|biz|co|ai|de|fr|uk|eu|us|ca|ch|nl|se"
    "|jp|au|br|cn"
)
_TIME = (
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?"
    r"(?:Z| ?[+-]\d\d:?\d\d| UTC| GMT)?(?:\[[\w/]+\])?"
    r"|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d\d? )?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (?:\d\d?,? )?(?:\d{4} )?"
    r"\d\d:\d\d:\d\d(?: [A-Z]{3,4})?(?: \d{4})?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"
)
_IPV6 = (
    r"(?i)\[?\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b\]?(?::\d+)?"
    r"|\[?(?:\b(?:[0-9a-f]{1,4}:){1,6}|:):[0-9a-f]{1,4}\b(?::[0-9a-f]{1,4}\b){0,5}(?:%\w+)?"
    r"\]?(?::\d+)?"
)
_SET_ASIDE = (
    (r"\b[a-zA-Z][\w+.-]*:(?:[a-z]+:)?//[^\s'\x22<>,;)\]}]+", "<url>"),
    (_TIME, "<time>"),
    (r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<id>"),
    (
        r"(?i)\b((?:request|correlation|trace|session|transaction|message|activity)[ _-]?id"
        r"['\x22]?[\s:=]+['\x22]?)[^\s,;)'\x22]+",
        r"\1<id>",
    ),
    (_IPV6, "<host>"),
    (r"(?:[\w.-]*/)?\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?", "<host>"),
    (rf"\b(?:\w(?:[\w-]*\w)?\.)+(?:{_ENDINGS})\b(?::\d+)?", "<host>"),
    (r"\b[A-Za-z][\w-]*[.-][\w.-]*\w:\d{2,5}\b", "<host>"),
    (r"(UnknownHostException: )[^\s:]+", r"\1<host>"),
    (
        r"[^\s:'\x22]+(['\x22]?: (?:Name or service not known|nodename nor servname|No such host"
        r"|Temporary failure in name resolution|No address associated))",
        r"<host>\1",
    ),
    (r"(@)[0-9a-f]{5,16}\b|\b0x[0-9a-fA-F]+\b", r"\1<id>"),
    (r"\b([a-z]{1,5}-)[a-z0-9]*(?:[a-z][0-9]|[0-9][a-z])[a-z0-9]*\b", r"\1<id>"),
    (
        r"\b[A-Za-z0-9]*(?:[0-9][A-Za-z]+[0-9]|[A-Za-z]+[0-9]+[A-Za-z]+[0-9])[A-Za-z0-9]*\b",
        "<id>",
    ),
    (rf"({_CODE})|\d+(?:[.,]\d+)*", r"\1<n>"),
    (rf"({_CODE})<n>", r"\1"),
    (r"\s+", " "),
)
"""What a group leaves out, one after the other: a pattern, and what stands in its place."""


def _replaced(value: str, *pairs: tuple[str, str]) -> str:
    """SQL that replaces all that some patterns find, one after the other."""
    for pattern, text in pairs:
        value = f"@regexp_replace({value}, {literal(pattern)}, {literal(text)}, 'g')"
    return value


def _matches(value: str, pattern: str) -> str:
    return f"@regexp_matches({value}, {literal(pattern)})"


def _extract(value: str, pattern: str, group: int = 1) -> str:
    return f"@regexp_extract({value}, {literal(pattern)}, {group})"


def _each(values: str, *steps: str) -> str:
    """SQL for a list in which each text `x` has gone through some steps.

    The steps stand one in the other's list: DuckDB binds what stands within a lambda twice, and so
    again with each lambda around it.
    """
    for step in steps:
        values = f"@list_transform({values}, lambda x: {step})"
    return values


def _where(values: str, condition: str) -> str:
    return f"@list_filter({values}, lambda x: {condition})"


_LINES = (
    _replaced("x", (_COLOURS, ""), (r"\r+\n?", "\n")),
    f"""CASE WHEN @contains(x, @chr(10)) OR NOT {_matches("x", _ESCAPED)} THEN x
        ELSE @replace(@replace(@replace(x, '\\r', ''), '\\n', @chr(10)), '\\t', @chr(9)) END""",
)
_READ = _replaced(
    "x",
    (_PYTHON_AFTER, ""),
    (_PYTHON_FRAMES, ""),
    (r"(?s)\n[ \t]*Wrapped by: .*$", ""),
    (_SUPPRESSED, ""),
    (_FRAME, "\x01"),
    (rf"\x01\s*\n{_CAUSED}", "\x02"),
    (rf"(?m)^{_CAUSED}({_HEAD}(?::|[ \t]*$|[\[;{{]))", "\x02\\1"),
    (r"(?m)^Suppressed: ", "\x02\x03"),
)
_HEADS = (
    _replaced("x", (r"^[\x01\s]+", "")),
    f"""CASE WHEN {_matches("x", _NO_CAUSE)} OR ({_matches("x", _CUT)}
        AND NOT {_matches("x", _WHOLE)}) THEN '' ELSE {_extract("x", _BEFORE_FRAMES, 0)} END""",
    _replaced(
        "x",
        (rf'^(?:Exception in thread "[^"\n]*" |\[?\d{{4}}-\d\d-\d\d[^\n]*\n({_HEAD}:))', r"\1"),
        (rf"^{_LOGGED}({_HEAD}:)", r"\1"),
        (r"(?s)^.*nested exception is:?\s*(\S)", r"\1"),
        (rf"(?s)^\[({_CLASS}) - (.*)\]\s*$", r"\1: \2"),
        (r"((?:ClassNotFoundException|NoClassDefFoundError): )", "\\1\x04"),
        (
            rf"^({_HEAD}|{_OUTER}(?:[\w$]+[./])*\w+(?:Exception|Error|Throwable))[ \t]*(\n|$)",
            r"\1:\2",
        ),
        (r"(?s)^.*Exception chain:\s*\n", "\x01"),
        (r"(?s)^([^\x01].*BatchUpdateException)", "\x01\\1"),
    ),
)
"""What stands before the frames of a cause; a chain of refusals is marked by another `\x01`."""
_REFUSALS = (
    rf"CASE WHEN @starts_with(x, @chr(1)) THEN {_replaced('x', (_SEE_OTHERS, ''))} ELSE x END",
    f"""CASE WHEN NOT @starts_with(x, @chr(1)) THEN x
        WHEN {_matches(_replaced("x", (_BATCH, "")), _LINK)}
            THEN {_extract(_replaced("x", (_BATCH, "")), _LINK)}
        WHEN {_matches("x", _ABORTED)} THEN @concat('BatchUpdateException: ', {
        _extract("x", _ABORTED)
    })
        ELSE @trim(x, @chr(1)) END""",
)
_SPLIT = (
    f"""@list_value({_extract(_extract("x", _NAME), _SHORT)}, CASE WHEN {_matches("x", _NAME)}
        THEN @regexp_replace(x, {literal(_NAMED)}, '') ELSE x END)""",
    f"@list_value(@list_extract(x, 1), {_replaced('@list_extract(x, 2)', *_TIDY)})",
)
"""The class of a cause, and the lines of its message that say something."""
_FIRST_OF, _SECOND = "@list_extract(x, 1)", "@list_extract(x, 2)"
_MESSAGE = (
    f"""@list_value({_FIRST_OF}, CASE
        WHEN {_matches(_SECOND, _LISTED)}
            THEN @replace({_extract(_SECOND, _LISTED)}, @chr(10), '; ')
        WHEN {_matches(_SECOND, _LISTED_HERE)} THEN {_extract(_SECOND, _LISTED_HERE)}
        WHEN {_matches(_SECOND, _GOES_ON)}
            THEN @replace({_extract(_SECOND, _GOES_ON, 0)}, @chr(10), ' ')
        ELSE {_extract(_SECOND, _FIRST, 0)} END)""",
    f"""CASE WHEN {_FIRST_OF} = '' THEN {_SECOND} WHEN {_SECOND} = '' THEN {_FIRST_OF}
        WHEN @starts_with({_SECOND}, @concat({_FIRST_OF}, ': ')) THEN {_SECOND}
        ELSE @concat({_FIRST_OF}, ': ', {_SECOND}) END""",
)


def _root_cause(trace: str) -> str:
    read = _each(f"@list_value(CAST({trace} AS VARCHAR))", *_LINES, _READ)
    causes = _where(f"@string_split(@list_extract({read}, 1), @chr(2))", f"NOT {_IS_SUPPRESSED}")
    said = _each(f"@list_reverse({causes})", *_HEADS, *_REFUSALS, *_SPLIT, *_MESSAGE)
    is_there = "x <> ''"
    messages = f"@list_value({_where(said, is_there)})"
    best = f"@list_filter(messages, lambda x: NOT {_matches('x', _SAYS_NOTHING)})"
    chosen = f"@list_extract(@list_concat({best}, messages), 1)"
    return f"@list_extract(@list_transform({messages}, lambda messages: {chosen}), 1)"


TEXTS = {
    "root_cause": ("trace", _root_cause("trace")),
    "cause_group": ("cause", f"@trim({_replaced('CAST(cause AS VARCHAR)', *_SET_ASIDE)})"),
}
"""By the name of a function: its parameter, and SQL in which `@` is before DuckDB's functions."""
