"""What a definition says of views and their parts is held against what there is, without SQL."""

from __future__ import annotations

from pathlib import Path

from connstat_sql.definitions.loader import Library, shipped_providers, validate

VIEW = """
service: s
resources:
  a:
    description: A
    view: {from: inventory.connectors.conectors}
    columns: {name: VARCHAR}
  b:
    description: B
    view: {from: (SELECT * FROM mine.s.c) AS c}
    columns: {name: {type: VARCHAR, value: "' '"}, other: {type: VARCHAR, value: ""}}
  c:
    description: C
    view: {from: mine.s.b AS b}
    columns: {name: "VARCHAR -- from aeontel.connectors.nothing"}
  d:
    description: D
    view: {from: aeontel.connectors.installs AS i}
    columns:
      name: {type: VARCHAR, value: "(SELECT max(w.id) FROM aeontel.workspaces.nothing AS w)"}
      said: {type: VARCHAR, value: "'FROM aeontel.no.text' || i.server.status"}
  e:
    description: E
    view: {}
    columns: {}
"""


def test_what_is_wrong_with_views_is_found_without_their_sql(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "provider.yaml").write_text("provider: mine\ndescription: x\n", encoding="utf-8")
    (folder / "s.yaml").write_text(VIEW, encoding="utf-8")
    parts = "parts: {mine.s.e: {from: ' ', columns: {}}, mine.s.a: {from: mine.s.d, columns: {}}}\n"
    (folder / "parts.yaml").write_text(parts, encoding="utf-8")
    found = [
        str(one).partition(" (")[0] for one in validate([folder], Library([shipped_providers()]))
    ]
    assert [one.replace(f"{folder}/", "") for one in found] == [
        "parts.yaml:1: mine.s.a takes no parts",
        "parts.yaml:1: the part has no `from`",
        "s.yaml:6: the table inventory.connectors.conectors does not exist",
        "s.yaml:10: views go in a circle: mine.s.b → mine.s.c → mine.s.b",
        "s.yaml:11: an empty `value`",
        "s.yaml:14: views go in a circle: mine.s.c → mine.s.b → mine.s.c",
        "s.yaml:18: the table aeontel.workspaces.nothing does not exist",
        "s.yaml:25: a view needs columns",
    ]
