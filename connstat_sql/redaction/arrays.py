"""The rule over Arrow: texts, or settings beside their names, with a mask in place of each secret.

Arrow's RE2 reads a text in linear time, and each pattern is compiled once for all texts of an
array. Texts that are alike are looked at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from connstat_sql.redaction.names import (
    documented_keys,
    hook_keys,
    partly_secret_keys,
    public_keys,
    secret_keys,
)
from connstat_sql.redaction.values import (
    BEGIN,
    EMPTY,
    END,
    KEEP,
    MAY_HOLD,
    Pass,
    hook_pass,
    is_left,
    passes,
    put_together,
)

Mask = Callable[[str], str]
"""Secret → what stands for it."""
Masking = Callable[[pa.StringArray], pa.StringArray]


def whole(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    """Each text as one secret, unless it is a reference or hidden already."""
    return _of_unique(texts, partial(_whole, mask=mask))


def cut(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    """Texts with masks in place of what looks like a secret in them.

    >>> cut(pa.array(["user=me password=hunter2", "user=me"]), lambda secret: "****").to_pylist()
    ['user=me password=****', 'user=me']
    """
    return _of_unique(texts, partial(_cut, mask=mask))


def shown(names: pa.StringArray, values: pa.StringArray, mask: Mask) -> pa.StringArray:
    """Values beside their names; where the name is NULL the whole value is masked."""
    encoded = names.dictionary_encode()
    kinds = pc.fill_null(_kinds(encoded.dictionary).take(encoded.indices), "secret")
    maskers = {"secret": _whole, "hook": _hook, "partly": _partly, "plain": _cut}
    for kind, masker in maskers.items():
        rows = pc.equal(kinds, kind)
        if rows.true_count:
            masked = _of_unique(values.filter(rows), partial(masker, mask=mask))
            values = pc.replace_with_mask(values, rows, masked)
    return values


def in_json(texts: pa.StringArray, masking: Masking, mask: Mask) -> pa.StringArray:
    """Texts of JSON values, masked as what they say; what would be no JSON then is one mask."""
    said = pa.array(map(_said, texts.to_pylist()), pa.string())
    masked = masking(said)
    if masked.equals(said):
        return texts
    rows = zip(texts.to_pylist(), said.to_pylist(), masked.to_pylist(), strict=True)
    return pa.array((text if old == new else _json(text, new, mask) for text, old, new in rows),
                    pa.string())  # fmt: skip


def _kinds(names: pa.StringArray) -> pa.StringArray:
    """What each name says of its value."""
    is_secret, is_public, is_documented, is_hook, is_partly = (
        pc.match_substring_regex(names, pattern)
        for pattern in (
            secret_keys(), public_keys(), documented_keys(), hook_keys(), partly_secret_keys()
        )
    )  # fmt: skip
    is_secret = pc.and_(is_secret, pc.or_(pc.invert(is_public), is_documented))
    cases = pc.make_struct(is_secret, is_hook, is_partly)
    return pc.case_when(cases, "secret", "hook", "partly", "plain")


def _of_unique(texts: pa.StringArray, masking: Masking) -> pa.StringArray:
    encoded = texts.dictionary_encode()
    masked = masking(encoded.dictionary)
    return texts if masked is encoded.dictionary else masked.take(encoded.indices)


# --- of texts of which no two are alike, and none is NULL -------------------------------------


def _whole(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    return pa.array((_one(text, mask) for text in texts.to_pylist()), pa.string())


def _one(text: str, mask: Mask) -> str:
    return text if is_left(text) else mask(text)


def _cut(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    may_hold = pc.match_substring_regex(texts, MAY_HOLD)
    if not may_hold.true_count:
        return texts
    return pc.replace_with_mask(texts, may_hold, _cut_marked(_bare(texts.filter(may_hold)), mask))


def _hook(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    """The URL of a web hook is a secret but for its host."""
    return _strict(texts, _cut_marked(_replaced(_bare(texts), hook_pass()), mask), mask)


def _partly(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    return _strict(texts, _cut(texts, mask), mask)


def _strict(texts: pa.StringArray, masked: pa.StringArray, mask: Mask) -> pa.StringArray:
    """Where no secret was seen in what should hold one, all of it is, unless it is a place."""
    pairs = zip(texts.to_pylist(), masked.to_pylist(), strict=True)
    return pa.array((new if old != new or _is_place(old) else _one(old, mask)
                     for old, new in pairs), pa.string())  # fmt: skip


def _is_place(text: str) -> bool:
    return "://" in text or text.startswith("/")


def _bare(texts: pa.StringArray) -> pa.StringArray:
    """Texts without the signs that we put into them."""
    return pc.replace_substring_regex(texts, f"[{BEGIN}{KEEP}{END}]", "")


def _replaced(texts: pa.StringArray, by: Pass) -> pa.StringArray:
    texts = pc.replace_substring_regex(texts, by.pattern, by.replacement)
    for signs in EMPTY:
        texts = pc.replace_substring(texts, signs, "")
    return texts


def _cut_marked(texts: pa.StringArray, mask: Mask) -> pa.StringArray:
    for pass_ in passes():
        texts = _replaced(texts, pass_)
    return pa.array((put_together(text, mask) for text in texts.to_pylist()), pa.string())


# --- JSON -------------------------------------------------------------------------------------


def _said(text: str | None) -> str | None:
    """The text that a JSON string says; of any other value its JSON."""
    if text is None or not text.startswith('"'):
        return text
    return str(json.loads(text)) if "\\" in text else text[1:-1]


def _json(text: str, masked: str, mask: Mask) -> str:
    if text.startswith('"'):
        return json.dumps(masked, ensure_ascii=False)
    try:
        json.dumps(json.loads(masked), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return json.dumps(mask(text))
    return masked
