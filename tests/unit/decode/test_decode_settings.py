"""Whatever a user sets for the Arrow that DuckDB hands over, rows with masks hold the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from connstat_sql.result import Options
from tests.tabled import over

SERVICE = """
service: bins
resources:
  bins:
    description: Bins of grain
    columns:
      id: UUID -- Which
      notes: JSON -- What else
      names: VARCHAR[] -- How it is called
      lots: {type: "STRUCT(u UUID, m MAP(VARCHAR, VARCHAR), j JSON)[]", redact: keys,
             description: What is in it}
      trace: {type: "STRUCT(lines VARCHAR[], seen JSON)[]", redact: text, description: What failed}
    methods: {list: {path: /bins, paging: null}}
"""
ID = "00000000-0000-0000-0000-00000000000b"
LOTS: list[Any] = [{"u": ID, "m": {"password": "thyme77", "kind": "rye"}, "j": [1]}, None,
        {"u": None, "m": {}, "j": None}]  # fmt: skip
TRACE: list[Any] = [
    {"lines": ["dry", None, "password=thyme77"], "seen": {"password": "thyme77"}},
    None,
]
ROWS: list[Any] = [
    {"id": None}, {"id": ID, "notes": {"a": [1]}, "names": ["x", None], "lots": LOTS},
    {"id": ID, "lots": [], "names": [], "trace": []}, {"id": ID, "lots": LOTS, "trace": TRACE},
]  # fmt: skip
SEEN = ("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM bins.bins.bins",)
OF_ARROW = "SET arrow_output_version = '1.5'"


def shown(folder: Path, *settings: str) -> list[Any]:
    """What is seen of the rows with some settings, once all texts of masks are one."""
    (folder / "bins").mkdir(exist_ok=True)
    provider = "provider: bins\ndescription: Bins\nbase_url: http://bins.test\n"
    (folder / "bins" / "provider.yaml").write_text(provider, encoding="utf-8")
    (folder / "bins" / "bins.yaml").write_text(SERVICE, encoding="utf-8")
    setup = Setup(connections={"bins": {"provider": "bins"}}, providers=(folder,))
    wire = httpx.MockTransport(lambda _: httpx.Response(200, json=ROWS))
    with closing(
        open_engine(setup, EngineOptions(environment={}, transport=wire, mask_key="k"))
    ) as engine:
        (*_, result) = engine.run("; ".join((*settings, *SEEN)), None, Options())
        return result.fetchall()


@over(
    "settings",
    [("SET arrow_large_buffer_size = true",), ("SET arrow_lossless_conversion = true",),
     (OF_ARROW, "SET arrow_output_list_view = true"),
     (OF_ARROW, "SET produce_arrow_string_view = true", "SET arrow_lossless_conversion = true"),
     (OF_ARROW, "SET arrow_output_list_view = true", "SET arrow_large_buffer_size = true")],
)  # fmt: skip
def test_masks_stand_in_the_same_rows(tmp_path: Path, settings: tuple[str, ...]) -> None:
    rows = shown(tmp_path, *settings)
    assert rows == shown(tmp_path)
    assert "thyme77" not in str(rows)
    assert str(rows).count("****") == 4
    assert str(rows).count(ID) == 5
