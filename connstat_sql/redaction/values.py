"""Which parts of a text are secrets, by their looks.

A form is two patterns that RE2 and Python read alike: what stands before a secret, and the secret.
All that is around it can be read afterwards: of a URL with a password the scheme, the host and the
path. Forms are looked for in a few passes, each of which leaves alone what was found before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

_LONG = (
    r"(?:passw(?:or)?[dt]|pass[-_.]?phrase|pass[-_.]?code|pswd|secret|token|credentials?"
    r"|(?:api|app|application|account|access|auth|client|consumer|encryption|function|host|ingest"
    r"|ingestion|instrumentation|integration|license|master|private|rsa|sas|shared|signing|secret"
    r"|service|storage|subscription|webhook|hmac|pvt|server|write|bot)"
    r"[-_. ]?key(?:[-_.]?(?:value|id))?"
    r"|secret[-_.]?(?:value|string|id)|shared[-_.]?secret[-_.]?value|signature|requirepass|bindpw)"
)
_SHORT = r"(?:pass|pwd|pw|psw|psk|otp|pin|pat|jwt|sig|sas|auth)"
_CAMEL = r"(?-i:[a-z](?:Pass|Pwd|Pw|Jwt|Sas|Sig))"
_NAME = rf"(?:{_LONG}|(?:^|[^A-Za-z0-9]){_SHORT}|{_CAMEL})"
_IS = r"\s*(?:=>|[=:]|(?i:%3[ad]|\\u003[ad]))\s*"
_BARE = (
    r"(?:[^\s;&,|\"'\\<>{\[(]|\\[^\"'\s])"
    r"(?:(?:[^\s;&,|\"'\\<>]|\\[^\"'\s])*[^\s;&,|\"'\\<>)}\]])?"
)
_SCHEME = r"(?:bearer|basic|token|api-?key|digest|negotiate|key|splunk|genie ?key|ssws|sso-key)"
_HEADER = (
    r"(?:(?:proxy-|x-[\w-]*)?authorization|(?:set-)?cookie|x-[\w-]*(?:token|key|secret|auth)"
    r"|[\w-]*(?:api|auth|access|subscription|functions|license|application)[-_]?key"
    r"|[\w-]+-(?:token|secret|password))"
)
_HOOK = (
    r"(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"
    r"|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/|webhook\.office\.com/webhookb2/"
    r"|outlook\.office(?:365)?\.com/webhook/|hooks\.zapier\.com/hooks/catch/"
    r"|hooks\.chime\.aws/incomingwebhooks/|hook\.(?:[\w-]+\.)?(?:make|integromat)\.com/"
    r"|alert\.victorops\.com/integrations/[\w/-]*?alert/|events\.pagerduty\.com/integration/"
    r"|maker\.ifttt\.com/trigger/[^/\s]*/(?:json/)?with/key/|webhook\.site/|/hooks/(?:incoming/)?"
    r"|open\.(?:feishu|larksuite)\.(?:cn|com)/open-apis/bot/v2/hook/"
    r"|api\.telegram\.org/(?:file/)?bot)"
)
_FILE = r"data:(?:text|application)/[\w.+-]+;(?:[\w=.-]+;)?base64,"
_TOKEN = (  # by what comes after what they begin with: a pattern costs by its repetitions
    r"(?:(?:gh[opusr]_|github_pat_|do[por]_v1_|shp(?:at|ss|ca|pa)_|lin_api_|dckr_pat_|nfp_|ATBB"
    r"|AGE-SECRET-KEY-1|NR(?:AK|JS)-|sk-(?:[a-z]+-)*)\w{16,}[\w-]*"
    r"|(?:hv[sbr]\.|figd_|PMAK-|pypi-|tskey-|PRIVATE-|pat-(?:na|eu)\d-|sq0(?:csp|atp|idp)-|CFPAT-"
    r"|GOCSPX-|AIza|1//0|glsa_|sl\.[\w-]{44})[\w-]{16,}"
    r"|(?:xox[a-z](?:\.xox[a-z])?-|xapp-|xwfp-|ya29\.|SG\.[\w-]{10,}\.|\w{3}[78]Q~[\w.~-]{12}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-)[\w.~-]{8,}"
    r"|(?:AT[AC]TT3|sntry[su]_|glc_|whsec_|cflt\w{32})[\w+/=-]{8,}"
    r"|(?:npm_|ntn_|rdme_|dp\.\w{2}\.|EAA[A-Za-z0-9]{30})\w{30,}|hf_[A-Za-z]{20,}"
    r"|(?:dapi|key-|SK|rubygems_|pul-)[0-9a-f]{32,}(?:-\d)?|[sr]k_(?:live|test)_\w{6,}"
    r"|eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)*|00D\w{12,15}![\w.]{20,}"
    r"|\$(?:2[aby]|argon2\w*|6)\$[\w./$=,+-]{20,}|MII[\w+/]{3,4}IBA(?:DAN|AKC|zC)[\w+/=\s]+"
    r"|(?:/u3\+7QAAAA|zs7OzgAAAA|MIACAQMwgA)[\w+/=]+"  # keystores of Java and of PKCS 12
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?::[A-Za-z0-9/+]{8,}|[;,|/ ]+[A-Za-z0-9/+]{40})?)"
)

BEGIN, KEEP, END = "\ue000", "\ue001", "\ue002"
"""What a pass writes before a secret, before what is none though it looks so, and after both."""
EMPTY = (BEGIN + END, KEEP + END)
"""What a pass also writes, of each form that did not match: to be taken out before the next."""


@dataclass(frozen=True, slots=True)
class Form:
    """`after` is what has to follow the secret. What is no secret is left alone by later passes."""

    before: str
    secret: str
    after: str = ""
    is_secret: bool = True


def _name(end: str) -> str:
    """A pattern for a name and what stands between it and its value."""
    return rf"(?i:{_NAME}\\*[\"']?{_IS}{end})"


_PASSES = (
    (
        # who asks, in a URL: a password, also one with a slash; a token alone
        Form(
            r"://[^/\s:@?#\"']*:|(?i:thin:)[^/\s@]+/",
            r"\"[^\"]*\"|[^\s@/\"'<>]+(?:@[^\s@/\"'<>,]+)*|[^\s@/\"'<>]*[^\s@/\"'<>0-9][^\s@\"'<>]*",
            "@",
        ),
        Form(r"://", r"[\w.~%+-]{20,}", "@"),
    ),
    (
        # who asks, without a scheme before it; an element of XML; an option of a command
        Form(r"(?:^|[\s\"'])(?://)?[\w.+-]+:", r"[^\s@/\"'<>]+", r"@(?:tcp\(|[\w.-]+[:/])"),
        Form(rf"(?i:<[\w:.-]*(?:{_LONG}|\b{_SHORT})>)", r"[^<]+"),
        Form(rf"(?i:(?:^|\s)--?[\w-]*{_LONG}\s+)", r"[^\s-]\S*"),
    ),
    (
        Form(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", r"(?:[^-]|-[^-])+"),
        # a web hook; a file written as a URL, such as a keystore
        Form(rf"(?i:{_HOOK}|{_FILE})", r"[^\s?#\"'<>\\]{6,}"),
        Form(r"^|[^\w-]", _TOKEN),
        Form(r"\$\$?\{[^}]*\}|arn:[\w-]+:[^\s\"',;]*|"
             r"(?i:\b(?:bearer|basic)\s+(?:auth\w*|token|credentials?|access\w*)\b)",
             "", is_secret=False),
    ),
    (
        # headers, in lists and in objects
        Form(
            rf"(?i:(?:^|[^\w-]){_HEADER}\\*[\"']?\s*[:=]\s*\\*[\"']?(?:{_SCHEME}\s+)?)",
            r"(?:[\w-]+=\"[^\"]*\"(?:\s*,\s*[\w-]+=(?:\"[^\"]*\"|[^\s,\"]+))*)"
            r"|[^\s,;|\"'\\<>{}\[\]]+(?:[\s,]+[\w-]+=\"?[^\s,;|\"'\\]+\"?)*"
            r"(?:; ?[\w.-]+=[^\s,;|\"'\\]+)*",
        ),
        Form(
            rf"(?i:\\*\"(?:name|key|header)\\*\"\s*:\s*\\*\"(?:{_HEADER}|[\w.$-]*{_LONG})\\*\"\s*,"
            rf"\s*\\*\"value\\*\"\s*:\s*\\*\"(?:{_SCHEME}\s+)?)",
            r"[^\"\\]+",
        ),
        Form(r"(?i:\bbearer\s+)", r"[\w.~+/-]{8,}=*"),
        Form(r"(?i:\bbasic\s+)", r"[a-z]*[A-Z0-9+/=][A-Za-z0-9+/]{5,}=*"),
    ),
    (
        # the query of a URL, fields of a connection string; what a parser says of its tokens
        Form(
            rf"(?i:[?&](?:[\w.$%-]*{_LONG}|(?:[\w.$-]*[_.-])?{_SHORT}|code|key|auth|access|hash|hmac"
            r"|license)(?:\[\])?=)",
            r"[^\s&#\"'<>\\$*][^\s&#\"'<>\\]*",
        ),
        Form(
            rf"(?i:;\s*(?:[\w. $-]*{_LONG}|{_SHORT})\s*=\s*)", r"[^\s;\"'<>\\{$*][^;\"'<>\\]*"
        ),
        Form(rf"(?i:{_NAME}\s*=\s*)\{{", r"(?:[^}]|\}\})+"),
        Form(r"(?i:\b(?:unexpected|unrecogni[sz]ed|illegal|invalid|expected|expecting|unknown"
             r"|missing|bad)\s+(?:\w+\s+)?token\b)[^\n]{0,24}", "", is_secret=False),
    ),
    (
        # a name and its value: in JSON and its like, and in JSON written as a text
        Form(_name(r"\""), r"(?:[^\"\\]|\\[^\n])+"),
        Form(rf"{_name(chr(39))}|(?i:\b(?:identified by|password)\s+')", r"(?:[^'\\]|\\[^\n])+"),
        Form(rf"(?i:{_NAME}(?:\\+[\"'])?{_IS})\\+[\"']", r"[^\"'\\]+(?:\\\\+[^\"'\\]+)*"),
        Form(rf"(?i:{_NAME}s?\\*[\"']?{_IS}\[)", r"[^\]]+"),
    ),
    (
        # in what Camel takes raw, in properties and in YAML
        Form(_name(r"RAW\("), r"[^)]+(?:\)[^&\s\"')]+)*"),
        Form(_name(r"RAW\{"), r"[^}]+"),
        Form(rf"(?i:{_NAME}\\*[\"']?(?:\s*=>?\s*|:|%3[ad]|\\u003[ad]))", _BARE),
        Form(
            rf"(?im:(?:^|[{{,;(\[|]|\\n)\s*(?:- )?[\"']?(?:[\w.$-]*{_LONG}"
            rf"|(?:[\w.$-]*[_.$-])?{_SHORT})[\"']?\s*:\s+)",
            rf"[|>][-+\d]*[ \t]*\n(?:[ \t]+[^\s][^\n]*\n?)+|{_BARE}",
        ),
    ),
)  # fmt: skip

_HOOK_URL = Form(r"://[^/?#\s]+[/?#]", r"[^\n]+")

LEFT = (
    r"(?i)\*+[0-9a-f]*|\.{3,}|…|x{3,}|(\$?\$\{[^}]*\})+|\{\{[^}]*\}\}|%\{[^}]*\}|\$\([^)]*\)"
    r"|[\[<]?(hidden|redacted|masked|removed|filtered)[\]>]?|null|none|nil|true|false|undefined"
)
"""What holds no secret though it stands where one would: references, and what is hidden already."""

_OFTEN = (
    r"://[^\s@]*@|@tcp\(|PRIVATE KEY|IBA(?:DAN|AKC|zC)|/u3\+7Q|zs7Ozg|MIACAQM|;base64,"
    r"|\"value|RAW[({]"
    r"|(?i:thin:|hooks?[./]|webhook|victorops|pagerduty\.com/integration|/with/key/|telegram\.org"
    r"|identified by|password\s+')"
    r"|(?i:pass|passw(?:or)?[dt]|phrase|code|pswd|pwd|pw|psw|psk|otp|pin|pat|jwt|sig|sas|auth|secret"
    r"|token|credential|key|key[-_.]?value|key[-_.]?id|secret[-_.]?value|secret[-_.]?string"
    r"|secret[-_.]?id|signature|authorization|cookie|requirepass|bindpw)"
    r"s?(?:\[\])?\\*[\"']?\s*(?:[=:>]|(?i:%3[ad]|\\u003[ad]))"
    r"|(?i:bearer|basic)\s|[?&](?i:access|hash|hmac|license)=|^[\w.+/-]+:[^\s@]+@|\n[\w.+/-]+:[^\s@]+@"
    r"|(?i:--?[\w-]*(?:password|passphrase|secret|token|key|credentials?|signature|passwd|id|value)\s)"
)
_SIGNS_OF_TOKENS = (
    r"gh[opusr]_\w|github_pat|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-|xox[a-z][-.]|xapp-"
    r"|xwfp-|eyJ[\w-]|k_live_|k_test_|whsec_|sk-[\w-]{8}|AIza|ya29\.|1//0\w|GOCSPX|SG\.[\w-]{8}"
    r"|do[por]_v1|npm_\w{8}|pypi-[\w-]{8}|hf_[A-Za-z]{8}|dapi[0-9a-f]{8}|shp[a-z]+_\w{8}"
    r"|key-[0-9a-f]{8}|NRAK-|NRJS-|hv[sbr]\.[\w-]{8}|lin_api_|figd_|PMAK-|AGE-SECRET|sq0[a-z]+-"
    r"|cflt\w{8}|AT[AC]TT3|ATBB\w{8}|[78]Q~|glc_\w|glsa_\w|dckr_pat|pat-(?:na|eu)\d|SK[0-9a-f]{8}"
    r"|rubygems_|PRIVATE-\w|\$2[aby]\$|\$argon|\$6\$|00D\w{8}|pul-[0-9a-f]{8}|sl\.[\w-]{16}"
    r"|EAA[A-Za-z0-9]{8}|sntry[su]_|tskey-|nfp_\w{8}|ntn_\w{8}|CFPAT-|rdme_\w{8}|dp\.\w{2}\.|AKIA[A-Z0-9]"
    r"|ASIA[A-Z0-9]"
)
MAY_HOLD = f"{_OFTEN}|{_SIGNS_OF_TOKENS}"
"""A pattern that matches every text with a secret in it, and some others, at little cost."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a text's matches of `pattern` are replaced by: in RE2's words, which has nine groups."""

    pattern: str
    replacement: str


@cache
def passes() -> tuple[Pass, ...]:
    """In the order in which they are made."""
    return tuple(map(_pass, _PASSES))


@cache
def hook_pass() -> Pass:
    """That for the URL of a web hook, told by the name of the setting: all but the host."""
    return _pass((_HOOK_URL,))


def _pass(forms: Sequence[Form]) -> Pass:
    patterns, replacements = [f"([{BEGIN}{KEEP}][^{END}]*{END})"], [r"\1"]
    number = 2
    for form in forms:
        groups = [form.before, form.secret, form.after] if form.is_secret else [form.before]
        groups = [group for group in groups if group or group is form.before]
        patterns.append("".join(f"({group})" for group in groups))
        secret = rf"\{number}{BEGIN}\{number + 1}{END}" + (rf"\{number + 2}" if form.after else "")
        replacements.append(secret if form.is_secret else rf"{KEEP}\{number}{END}")
        number += len(groups)
    pattern = "|".join(patterns).replace("[^", f"[^{BEGIN}{KEEP}{END}")
    pattern = pattern.replace(f"[^{BEGIN}{KEEP}{END}{END}]", f"[^{END}]")
    assert number <= 10, "RE2 puts nine groups into a replacement"
    return Pass(pattern, "".join(replacements))


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pass_.pattern, re.ASCII), pass_.replacement) for pass_ in passes())


@cache
def _may_hold() -> re.Pattern[str]:
    return re.compile(MAY_HOLD, re.ASCII)


_SECRET, _SIGNS, _KEEP = (
    re.compile(pattern) for pattern in (f"{BEGIN}([^{END}]*){END}", END, KEEP)
)
_LEFT = re.compile(LEFT)


def hidden(text: str, mark: Callable[[str], str] = lambda _: "…") -> str:
    """The text with `mark` of each secret in its place. For short texts: Python's `re`.

    >>> hidden("https://me:hunter2@files.example/x?token=b4f1&page=2")
    'https://me:…@files.example/x?token=…&page=2'
    """
    if not _may_hold().search(text):
        return text
    text = re.sub(f"[{BEGIN}{KEEP}{END}]", "", text)
    for pattern, replacement in _compiled():
        text = pattern.sub(replacement, text)
        for signs in EMPTY:
            text = text.replace(signs, "")
    return put_together(text, mark)


def put_together(marked: str, mark: Callable[[str], str]) -> str:
    """A text through which all passes went, with `mark` of each secret in its place."""

    def shown(match: re.Match[str]) -> str:
        return match[1] if is_left(match[1]) else mark(match[1])

    return _SIGNS.sub("", _SECRET.sub(shown, _KEEP.sub("", marked)))


def is_left(text: str) -> bool:
    """Whether this stands for a secret and is none."""
    return not text or _LEFT.fullmatch(text) is not None
