"""What is a secret: the one rule, as data and patterns, for rows, messages and files.

By the name of a setting (`keys.py`, with the published list of what connectors document), and by
what a text looks like (`values.py`). Rows are masked by it in SQL, texts of ours in Python.
"""

from connstat_sql.masks.keys import (
    Connector,
    Known,
    documented,
    documented_keys,
    hook_keys,
    is_secret_name,
    named_keys,
    partly_secret_keys,
    public_keys,
    secret_keys,
)
from connstat_sql.masks.values import (
    BEGIN,
    END,
    KEEP,
    LEFT,
    MAY_HOLD,
    Pass,
    hidden,
    hook_pass,
    passes,
)

__all__ = [
    "BEGIN", "END", "KEEP", "LEFT", "MAY_HOLD", "Connector", "Known", "Pass", "documented",
    "documented_keys", "hidden", "hook_keys", "hook_pass", "is_secret_name", "named_keys",
    "partly_secret_keys", "passes", "public_keys", "secret_keys",
]  # fmt: skip
