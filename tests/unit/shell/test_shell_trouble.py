"""What goes wrong in a shell is said with its place and a next step, and nothing gets stuck."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.output.stderr import DONE, QUERY_AT_FAULT, USAGE
from tests.conftest import engine_of
from tests.unit.shell.test_shell_commands import Desk, desk_of


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Desk:
    return desk_of(lambda _: engine, tmp_path)


# --- transactions -----------------------------------------------------------------------------


def test_a_failed_transaction_is_left_by_rollback_where_partial_answers_are_kept_too(
    desk: Desk,
) -> None:
    assert desk.do(".partial on\nBEGIN;\n.mode csv\nSELECT error('x');")[2] == QUERY_AT_FAULT
    assert desk.shell.transaction == "!"
    _, err, code = desk.do("SELECT 1;")
    assert code == QUERY_AT_FAULT
    assert "ROLLBACK" in err
    assert desk.do("ROLLBACK;")[2] == DONE
    assert desk.shell.transaction == ""


def test_a_partial_answer_within_a_transaction_has_its_errors(
    desk: Desk, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    ask = "SELECT name FROM kafka_connect.connect.connectors;"
    desk.do(".partial on\nBEGIN;")
    try:
        desk.do(ask)
        assert "plant_b" in desk.do(".mode csv\nSELECT connection FROM _errors;")[0]
    finally:
        desk.do("ROLLBACK;")


# --- tables -----------------------------------------------------------------------------------


def test_tables_over_all_providers_need_no_connection_of_their_own(desk: Desk) -> None:
    rows = desk.rows(".tables")
    assert "inventory.connectors.connectors" in {row["table"] for row in rows}
    assert "inventory" not in desk.do(".mode csv\n.tables")[1]


# --- scripts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "where"),
    [
        ("SELECT 1;\n-- more\nSELECT nix\nFROM plant_a.connect.connectors;", "line 3"),
        ("SELECT 1;\n\n.nope", "line 3"),
        ("SELECT 1;\n.mode csv\nSELECT 2;\n  SELEC 3;", "line 4"),
        ("SELECT 1;\nSELECT nix;\nSELECT nix;", "line 2"),
    ],
)
def test_the_line_of_a_script_is_told(script: str, where: str, desk: Desk) -> None:
    (desk.here / "report.sql").write_text(script, encoding="utf-8")
    _, err, code = desk.do(".read report.sql")
    assert code != DONE
    assert f"report.sql, {where}:" in err


def test_a_byte_order_mark_is_no_part_of_a_script(desk: Desk) -> None:
    (desk.here / "bom.sql").write_bytes(b"\xef\xbb\xbf.mode jsonl\r\nSELECT 5 AS five;\r\n")
    assert desk.do(".read bom.sql")[0] == '{"five":5}\n'
    assert desk.do("\ufeff.mode csv\nSELECT 6 AS six;")[0].split() == ["six", "6"]


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (".output no/such/rows.csv", "there is no folder"),
        (".once no/such/rows.csv", "there is no folder"),
        (".once .", "it is a folder"),
        (".read nowhere.sql", "begins in"),
    ],
)
def test_a_file_that_cannot_be_had_is_said_at_once_with_the_next_step(
    line: str, hint: str, desk: Desk
) -> None:
    _, err, code = desk.do(line)
    assert code == USAGE
    assert hint in err
    assert desk.shell.settings.once is None


def test_looking_whether_a_file_can_be_written_leaves_no_trace(desk: Desk) -> None:
    kept = desk.here / "kept.csv"
    kept.write_text("kept", encoding="utf-8")
    assert desk.do(".once new.csv")[2] == DONE
    assert not (desk.here / "new.csv").exists()
    assert desk.do(".once kept.csv")[2] == DONE
    assert kept.read_text(encoding="utf-8") == "kept"


# --- saved queries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (".run find", "hint: .run find name=NAME"),
        (".run find name", "hint: .saved find shows the PARAMs"),
        (".run find name=a name=b", "hint: several values are  name=a,b"),
        (".run zzzzzz", "hint: .saved  shows those there are"),
        (".saved zzzzzz", "hint: .saved  shows those there are"),
        (".saved fnd", "did you mean `find`?"),
    ],
)
def test_hints_name_the_commands_that_work_here(line: str, hint: str, desk: Desk) -> None:
    _, err, code = desk.do(line)
    assert code == USAGE
    assert hint in err


def test_the_line_at_the_bottom_tells_an_interrupt_from_a_failure(desk: Desk) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    desk.shell.attempt(stopped)
    assert desk.toolbar.endswith("interrupted")
    desk.do(".nope")
    assert desk.toolbar.endswith("failed")
