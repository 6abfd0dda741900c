"""Watching a query: the same statement again and again, and what has changed each time.

`beats` says when, `Memory` compares what came with what was known, `text` and `jsonl` say it.
"""

from connstat_sql.config.durations import in_words, seconds_of
from connstat_sql.monitor.diff import ChangeKind, Memory, RowChange, Snapshot, WatchRun, watch
from connstat_sql.monitor.format import first_rows, jsonl, text
from connstat_sql.monitor.independence import is_independent
from connstat_sql.monitor.rows import Identity, check_columns
from connstat_sql.monitor.schedule import Pace, RealPace, beats

__all__ = [
    "ChangeKind",
    "Identity",
    "Memory",
    "Pace",
    "RealPace",
    "RowChange",
    "Snapshot",
    "WatchRun",
    "beats",
    "check_columns",
    "first_rows",
    "in_words",
    "is_independent",
    "jsonl",
    "seconds_of",
    "text",
    "watch",
]
