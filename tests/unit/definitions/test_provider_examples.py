"""The example of a table: bound against its definition when that is validated."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.cli.examples import example_problems
from tests.tabled import over
from tests.unit.definitions.test_loader import folder_of

SERVICE = """service: s
resources:
  others:
    description: Others
    columns: {name: VARCHAR}
    methods: {list: {path: /others}}
  t:
    description: Things
    columns: {name: VARCHAR, n: INTEGER}
    params: {shop: {}}
    methods: {list: {path: "/shops/{shop}"}}
"""


@over(
    ("example", "problem"),
    [
        ("SELECT name FROM p.s.t WHERE shop = 'x'", ""),
        ("|\n      SELECT name\n      FROM p.s.t\n      WHERE shop = 'x' AND n > 3;", ""),
        ("SELECT nme FROM p.s.t WHERE shop = 'x'", '12: the example: '),
        ("|\n      SELECT name\n      FROM p.s.t\n      WHERE shp = 'x'",
         '14: the example: p.s.t needs shop'),
        ("SELEC name FROM p.s.t", "12: the example: "),
        ("SELECT name FROM p.s.t", "12: the example: p.s.t"),
        ("SELECT name FROM p.s.things", "12: the example: p.s has no table things"),
        ("SELECT name FROM p.s.others", "12: the example does not ask for this table"),
        ("SELECT 1", "12: the example does not ask for this table"),
    ],
)  # fmt: skip
def test_an_example_binds_and_asks_for_its_table(
    tmp_path: Path, example: str, problem: str
) -> None:
    folder = folder_of(tmp_path, {"s.yaml": f"{SERVICE}    example: {example}\n"})
    found = [str(one).replace(f"{folder}/s.yaml:", "") for one in example_problems([folder], [])]
    assert len(found) == bool(problem), found
    assert all(one.startswith(problem) for one in found), found


def test_validate_tells_of_it_with_its_line(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"s.yaml": f"{SERVICE}    example: FROM p.s.nothing\n"})
    result = CliRunner().invoke(root, ["providers", "validate", str(folder)], prog_name="connstat")
    assert result.exit_code == 2
    assert "s.yaml:12: the example: " in result.output
