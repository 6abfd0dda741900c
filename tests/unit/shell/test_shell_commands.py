"""What the commands of the shell do, without a terminal: everything is handed in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.output.protected_files import Input
from connstat_sql.output.stderr import DONE, PARTIAL, QUERY_AT_FAULT, USAGE
from connstat_sql.shell.app import toolbar
from connstat_sql.shell.commands import BY_WORD, COMMANDS, ArgumentKind
from connstat_sql.shell.file_commands import edited
from connstat_sql.shell.script import run_script
from connstat_sql.shell.session import Shell, ShellContext, ShellNarrator
from connstat_sql.transport import Attempt

FLEET = "SELECT DISTINCT _connection FROM kafka_connect.connect.connectors;"


@dataclass
class Desk:
    """A shell with its streams, working in a folder of its own."""

    shell: Shell
    out: io.BytesIO
    err: io.StringIO
    here: Path

    def do(self, script: str) -> tuple[str, str, int]:
        """Rows, narration and exit code of a script."""
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        code = run_script(self.shell, script)
        return self.out.getvalue().decode(), self.err.getvalue(), code

    def rows(self, script: str) -> list[dict[str, object]]:
        """The rows of a script in the mode `jsonl`."""
        out, err, code = self.do(f".mode jsonl\n{script}")
        assert code == DONE, err
        return [json.loads(line) for line in out.splitlines()]

    @property
    def toolbar(self) -> str:
        return "".join(str(part[1]) for part in toolbar(self.shell))


def desk_of(
    open_: Callable[[ShellNarrator], Engine],
    here: Path,
    inputs: Callable[[], Iterable[Input]] = tuple,
    **environment: str,
) -> Desk:
    out, err = io.BytesIO(), io.StringIO()
    around = ShellContext(
        open_, lambda results, _: results, ShellNarrator(err), out, environment, here,
        here / "user", inputs=inputs,
    )  # fmt: skip
    return Desk(Shell(around, is_interactive=False), out, err, here)


@pytest.fixture(scope="module")
def kept_engine(sandbox: DemoServers) -> Iterator[tuple[Engine, list[ShellNarrator]]]:
    """One engine for all shells of this file; it tells the newest of them."""
    told: list[ShellNarrator] = []

    def observe(sent: Attempt) -> None:
        told[-1].observe(sent)

    outside = EngineOptions(environment={}, observe=observe)
    engine = open_engine(Setup(connections=sandbox.connections), outside)
    yield engine, told
    engine.close()


@pytest.fixture
def desk(kept_engine: tuple[Engine, list[ShellNarrator]], tmp_path: Path) -> Desk:
    engine, told = kept_engine

    def opened(narrator: ShellNarrator) -> Engine:
        told.append(narrator)
        return engine

    return desk_of(opened, tmp_path)


# --- the table of commands ------------------------------------------------------------------------


def test_no_word_calls_two_commands() -> None:
    words = [word for one in COMMANDS.values() for word in (one.name, *one.aliases)]
    assert len(words) == len(set(words)) == len(BY_WORD)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_tells_of_each_command(name: str, desk: Desk) -> None:
    out, _, code = desk.do(f".help {name[1:]}")
    assert (out.splitlines()[0], code) == (f"{name} {COMMANDS[name].usage}".strip(), DONE)
    assert COMMANDS[name].choices or COMMANDS[name].takes is not ArgumentKind.CHOICE
    assert name in desk.do(".help")[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(".tabels", ".tables"), (".descrbe x", ".describe"), ("\\timingg", "\\timing")],
)
def test_an_unknown_command_is_answered_with_the_nearest(
    typed: str, meant: str, desk: Desk
) -> None:
    _, err, code = desk.do(typed)
    assert code == USAGE
    assert "there is no command" in err
    assert meant in err


def test_the_beginning_of_a_command_will_do_where_it_is_no_other_ones(desk: Desk) -> None:
    assert desk.do(".conn")[2] == DONE
    _, err, code = desk.do(".ex")
    assert code == USAGE
    assert ".explain" in err
    assert ".expanded" in err


# --- asking ---------------------------------------------------------------------------------------


def test_tables_lists_what_can_be_asked_now(desk: Desk) -> None:
    rows = desk.rows("CREATE TABLE owners (name VARCHAR);\n.tables\nDROP TABLE owners;")
    found = {row["table"]: row for row in rows}
    assert "owners" in found
    assert found["aeontel.connectors.installs"]["needs"] == "workspace_id"
    assert not [name for name in found if "_connstat" in str(name)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*_status", "connector_status"), ("%.environments", "environments"), ("billing", "billing")],
)
def test_a_pattern_says_which(pattern: str, expected: str, desk: Desk) -> None:
    rows = desk.rows(f".tables {pattern}")
    assert rows
    assert all(expected in str(row["table"]) for row in rows)


def test_a_pattern_without_a_table_is_answered_with_the_nearest(desk: Desk) -> None:
    _, err, code = desk.do(".tables enviroments")
    assert code == USAGE
    assert "confluent.org.environments" in err


@pytest.mark.parametrize("command", [".describe", "\\d", ".desc"])
def test_a_table_is_described_by_its_last_part(command: str, desk: Desk) -> None:
    names = [row["column_name"] for row in desk.rows(f"{command} environments")]
    assert "display_name" in names


def test_a_last_part_of_several_tables_is_asked_back(desk: Desk) -> None:
    _, err, code = desk.do("\\d connector_status")
    assert code == USAGE
    assert "confluent.connect.connector_status" in err


@pytest.mark.parametrize(
    ("use", "name"), [("confluent.connect", "connectors"), ("confluent", "connect.connectors")]
)
def test_a_table_below_what_use_says_is_meant_first(desk: Desk, use: str, name: str) -> None:
    try:
        rows = desk.rows(f"USE {use};\n\\d {name}")
    finally:
        desk.do("USE memory;")
    assert "kafka_cluster_id" in [row["column_name"] for row in rows]


def test_columns_that_star_leaves_out_are_told_with_a_table(desk: Desk) -> None:
    hidden = "_connection, _observed_at, _url"
    assert hidden in desk.do("\\d plant_a.connect.worker")[1]
    assert hidden not in desk.do("\\d inventory.connectors.tasks")[1]


def test_a_local_table_is_described_too(desk: Desk) -> None:
    script = "CREATE TEMP TABLE mine (x INTEGER);\n\\d mine\nDROP TABLE mine;"
    assert [row["column_name"] for row in desk.rows(script)] == ["x"]


def test_explain_sends_nothing(desk: Desk, sandbox: DemoServers) -> None:
    out, _, code = desk.do(f".explain {FLEET}")
    assert code == DONE
    assert "GET /connectors" in out
    assert sandbox.count() == 0


def test_connections_tells_which_have_answered(desk: Desk) -> None:
    assert "0 of " not in desk.toolbar, "nothing is opened yet"
    before = {row["connection"]: row["answered"] for row in desk.rows(".connections")}
    assert before["plant_a"] == "not asked yet"
    desk.do("SELECT count(*) FROM plant_a.connect.connectors;")
    after = {row["connection"]: row["answered"] for row in desk.rows(".connections")}
    assert (after["plant_a"], after["confluent"]) == ("yes", "not asked yet")
    assert f"1 of {len(after)} connections reached" in desk.toolbar


# --- running --------------------------------------------------------------------------------------


def test_the_toolbar_tells_what_the_last_statement_came_to(desk: Desk) -> None:
    desk.do("SELECT * FROM range(3);")
    assert "complete  |  3 rows, 0 requests," in desk.toolbar
    desk.do("SELECT nothing;")
    assert "failed" in desk.toolbar


def test_a_script_stops_at_the_first_error_and_ends_with_its_code(desk: Desk) -> None:
    out, err, code = desk.do("SELECT 1;\n.timer on\nSELECT nix;\n.timer off\nSELECT 2 AS two;")
    assert code == QUERY_AT_FAULT
    assert "two" not in out
    assert "nix" in err
    assert desk.do(".mode nonsense\nSELECT 1;")[2] == USAGE


def test_quit_ends_a_script_in_good_order(desk: Desk) -> None:
    out, _, code = desk.do("SELECT 1 AS one;\n\\q\nSELECT nix;")
    assert "one" in out
    assert code == DONE


def test_a_partial_answer_is_code_4_and_its_errors_can_be_seen(
    desk: Desk, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    out, err, code = desk.do(f".partial on\n.mode jsonl\n{FLEET}\n.errors\n")
    assert code == PARTIAL
    assert '"plant_a"' in out
    assert "403" in out, "the row of _errors"
    assert "partial result" in err
    assert "partial" in desk.toolbar


def test_a_budget_and_an_age_hold_for_the_statements_after_them(desk: Desk) -> None:
    _, err, code = desk.do(f".max-requests 1\n{FLEET}")
    assert code == QUERY_AT_FAULT
    assert "1" in err
    assert desk.do(f".max-requests 1,000\n.max-age 60\n{FLEET}{FLEET}")[2] == DONE
    assert desk.shell.settings.options().max_age == 60
    assert desk.do(".max-age off")[2] == DONE
    assert desk.shell.settings.options().max_age is None


@pytest.mark.parametrize("wrong", [".max-requests many", ".max-age -1", ".timer maybe", ".keys x"])
def test_a_wrong_argument_changes_nothing_and_is_said(wrong: str, desk: Desk) -> None:
    assert desk.do(wrong)[2] == USAGE


def test_a_trace_tells_each_request(desk: Desk) -> None:
    _, err, _ = desk.do(".trace on\nSELECT count(*) FROM plant_a.connect.connectors;\n.trace off")
    assert "GET http" in err
    assert "  200  " in err


# --- where rows go --------------------------------------------------------------------------------


def test_rows_go_to_a_file_in_the_format_of_its_name(desk: Desk) -> None:
    out, err, code = desk.do(".once one.csv\nSELECT 1 AS a;\nSELECT 2 AS b;")
    assert code == DONE
    assert (desk.here / "one.csv").read_text(encoding="utf-8") == "a\n1\n"
    assert "b" in out
    assert "1 row written to" in err


def test_an_output_file_takes_answer_after_answer(desk: Desk) -> None:
    desk.do(".output all.jsonl\nSELECT 1 AS a;\nSELECT 2 AS a;\n.output\nSELECT 3 AS a;")
    lines = (desk.here / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("command", [".output rows.csv", ".once rows.csv"])
@pytest.mark.parametrize(
    "failing", ["SELECT nothing;", "SELECT CAST(i AS UTINYINT) FROM range(999) t(i);"]
)
def test_a_statement_that_fails_leaves_an_old_file_as_it_was(
    desk: Desk, command: str, failing: str
) -> None:
    (desk.here / "rows.csv").write_text("dear diary")
    desk.do(f"{command}\n{failing}")
    assert (desk.here / "rows.csv").read_text() == "dear diary"
    desk.do("SELECT 1 AS a;")
    assert (desk.here / "rows.csv").read_text() == "a\n1\n"
    assert [one.name for one in desk.here.iterdir()] == ["rows.csv"]


def test_an_output_file_is_there_once_there_are_rows(desk: Desk) -> None:
    desk.do(".output rows.csv\nCREATE OR REPLACE TEMP TABLE t(i INT);\n.output")
    assert [*desk.here.iterdir()] == []


def test_a_file_that_cannot_be_written_is_said_before_anything_is_asked(desk: Desk) -> None:
    _, err, code = desk.do(".output no/such/folder/x.csv\nSELECT 1;")
    assert code == USAGE
    assert "cannot be written" in err
    assert desk.shell.settings.output is None


def test_a_chart_is_drawn_of_the_last_answer(desk: Desk) -> None:
    assert desk.do(".chart")[2] == USAGE
    out, _, code = desk.do("SELECT 'a' AS state, 3 AS n UNION ALL SELECT 'b', 1;\n.chart")
    assert code == DONE
    assert out.count("\n") > 5


# --- files ----------------------------------------------------------------------------------------


def test_a_script_reads_scripts(desk: Desk) -> None:
    (desk.here / "inner.sql").write_text("SELECT 7 AS seven;\n.quit\nSELECT nix;", encoding="utf-8")
    (desk.here / "loop.sql").write_text(".read loop.sql", encoding="utf-8")
    assert desk.rows(".read inner.sql\nSELECT 8 AS eight;") == [{"seven": 7}, {"eight": 8}]
    _, err, code = desk.do(".read loop.sql")
    assert code == USAGE
    assert "each other" in err
    assert "no.sql cannot be read" in desk.do(".read no.sql")[1]


def test_a_statement_is_saved_listed_and_run_again(desk: Desk) -> None:
    script = "SELECT 42 AS answer;\n.save the-answer What it all comes to\n.run the-answer\n.saved"
    rows = desk.rows(script)
    assert rows[:2] == [{"answer": 42}, {"answer": 42}]
    listed = {row["name"]: row["title"] for row in rows[2:]}
    assert listed["the-answer"] == "What it all comes to"
    path = desk.here / "connstat" / "queries" / "the-answer.sql"
    before = path.read_text(encoding="utf-8")
    _, err, code = desk.do("SELECT 43 AS answer;\n.save the-answer")
    assert code == USAGE
    assert ".save -f the-answer" in err
    assert path.read_text(encoding="utf-8") == before
    assert desk.do("SELECT 43 AS answer;\n.save -f the-answer")[2] == DONE
    assert "43" in desk.do(".saved the-answer")[0]


@pytest.mark.parametrize(
    "statement",
    [
        "-- key: nothing\n-- note: mine\nSELECT 5 AS five;",
        "---\nSELECT 5 AS five;",
        "SELECT 5 AS five, '$money' AS a, $$ $y $$ AS b; -- $z",
    ],
)
def test_a_saved_statement_is_the_statement(statement: str, desk: Desk) -> None:
    rows = desk.rows(f"{statement}\n.save five\n.run five")
    assert rows[0] == rows[1]
    assert rows[0]["five"] == 5


def test_a_secret_in_a_saved_statement_is_told(desk: Desk) -> None:
    _, err, _ = desk.do("SELECT 1 AS a WHERE 'x' <> 'y' AND {'password': 'z'} IS NULL;\n.save one")
    assert "use a $parameter" in err


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", '"unclosed'])
def test_a_name_that_is_none_is_refused(name: str, desk: Desk) -> None:
    assert desk.do(f"SELECT 1;\n.save {name}")[2] == USAGE
    assert not (desk.here / "connstat").exists()


def test_a_saved_query_takes_values_by_name(desk: Desk) -> None:
    folder = desk.here / "connstat" / "queries"
    folder.mkdir(parents=True)
    text = "-- title: T\n-- params:\n--   x: {type: INTEGER, required: true}\nSELECT $x + 1 AS y;\n"
    (folder / "plus.sql").write_text(text, encoding="utf-8")
    assert desk.rows(".run plus x=4") == [{"y": 5}]
    for wrong in (".run plus", ".run plus x=four", ".run plus z=1", ".run plus 4", ".run plsu x=1"):
        _, err, code = desk.do(wrong)
        assert code == USAGE, err
    assert "plus" in err, "the nearest name"


def test_a_query_without_a_terminal_is_not_edited(desk: Desk) -> None:
    assert desk.do(".edit")[2] == USAGE


def test_a_configuration_at_fault_is_said_at_the_first_statement_and_can_be_mended(
    tmp_path: Path,
) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text('[connections.x]\nprovider = "nobody"\n', encoding="utf-8")

    def opened(_: ShellNarrator) -> Engine:
        return open_engine(Setup(config=config), EngineOptions(environment={}))

    desk = desk_of(opened, tmp_path)
    ended: list[bool] = []
    desk.shell.engine.begin(lambda: ended.append(True))
    _, err, code = desk.do("SELECT 1;")
    assert code == USAGE
    assert "nobody" in err
    assert ended == [True]
    config.write_text("", encoding="utf-8")
    assert desk.do("SELECT 1;")[2] == DONE
    desk.shell.close()


def test_what_is_in_the_editor_is_the_users_alone_and_goes(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\n{ cat "$1"; stat -c %a "$1" "$(dirname "$1")"; dirname "$1"; } > "$1.new"\n'
        'mv "$1.new" "$1"\n'
    )
    editor.chmod(0o755)
    desk = desk_of(lambda _: pytest.fail("nothing is opened"), tmp_path, EDITOR=str(editor))
    text, file, folder, place = edited(desk.shell, "SELECT 1").splitlines()
    assert (text, file, folder, Path(place).exists()) == ("SELECT 1", "600", "700", False)
