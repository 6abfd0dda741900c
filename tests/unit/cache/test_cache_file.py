"""Kept rows on disk: between processes, for the owner alone, without credentials, and optional."""

from __future__ import annotations

import multiprocessing
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connstat_sql.cache import CompletedFetch, account_of
from connstat_sql.cache.file import PAUSES, log_of
from connstat_sql.definitions.model import Provider, Scalar, Setting
from connstat_sql.transport import Connection
from tests.kept import NOW, TOKEN, ZOO, always, fetch, pets, scan, with_type


def _database(file: Path) -> None:
    with duckdb.connect(str(file)) as theirs:
        theirs.execute("CREATE TABLE precious AS SELECT 1")


ANOTHERS: dict[str, Callable[[Path], object]] = {
    "configuration": lambda file: file.write_text('[cache]\nfile = "connstat_kept.toml"\n'),
    "database": _database,
    "empty": lambda file: file.touch(),
    "broken database": lambda file: file.write_bytes(bytes(8) + b"DUCK" + bytes(9000)),
    "text": lambda file: file.write_text("dear diary"),
}
"""Files that are not of our making, and how each is made."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "kept.duckdb"


@contextmanager
def held(file: Path, how: str = "") -> Iterator[None]:
    """Another engine has the file open."""
    other = duckdb.connect(":memory:")
    other.execute(f"ATTACH '{file}' AS kept {how}")
    try:
        yield
    finally:
        other.close()


def left_log(file: Path, moment: str = "before_header") -> bytes:
    """The log that a process leaves beside a file when it ends at a moment of writing to it."""
    with pets(file) as zoo:
        zoo.keep({"s1": ["Tom"]})
    with duckdb.connect(":memory:") as other:
        other.execute(f"ATTACH '{file}' AS kept (RECOVERY_MODE 'no_wal_writes')")
        other.execute(f"SET debug_checkpoint_abort = '{moment}'")
        other.execute("CREATE TABLE kept.more AS SELECT 'Kit' AS name FROM range(300)")
        with pytest.raises(duckdb.IOException):
            other.execute("CHECKPOINT kept")
    return log_of(file).read_bytes()


def keep_elsewhere(file: str, shop: str) -> None:
    with pets(Path(file)) as zoo:
        zoo.keep({shop: ["Tom", "Kit"]})


class TestBetweenProcesses:
    def test_rows_of_one_answer_in_another(self, file: Path) -> None:
        process = multiprocessing.get_context("spawn").Process(
            target=keep_elsewhere, args=(str(file), "s1")
        )
        process.start()
        process.join()
        with pets(file) as zoo:
            assert zoo.answer(fetch("s1"), now=NOW + 5) == [(0, "Kit", "s1"), (0, "Tom", "s1")]
            assert zoo.kept.take_notes() == ()

    def test_two_engines_share_a_file(self, file: Path) -> None:
        with pets(file) as one, pets(file) as other:
            one.keep({"s1": ["Tom"]})
            other.keep({"s2": ["Kit"]})
            assert one.answer(fetch("s1"), fetch("s2")) == [(0, "Tom", "s1"), (1, "Kit", "s2")]
            assert other.answer(fetch("s1"), fetch("s2")) == [(0, "Tom", "s1"), (1, "Kit", "s2")]

    def test_rows_in_memory_come_first(self, file: Path) -> None:
        with pets(file) as one, pets(file) as other:
            one.keep({"s1": ["Tom"]}, at=NOW - 20)
            other.keep({"s1": ["Kit"]}, at=NOW - 10)
            assert one.ages(fetch("s1")) == {0: 20.0}
            assert one.ages(fetch("s1"), max_age=15) == {0: 10.0}

    def test_what_another_has_replaced_in_the_meantime_is_not_filled(self, file: Path) -> None:
        with pets(file) as one, pets(file) as other:
            one.keep({"s1": ["Tom"], "s2": ["Ada"]})
            columns = other.make_table()
            asked = {0: fetch("s1"), 1: fetch("s2")}
            hits = other.kept.find(scan(), asked, always(9), NOW)
            one.keep({"s1": ["Kit", "Tim"]}, at=NOW + 1)
            assert [h.number for h in other.kept.fill(other.table, columns, hits)] == [1]
            assert other.rows("name") == [("Ada",)]

    @pytest.mark.parametrize("how", ["", "(READ_ONLY)"])
    def test_a_file_that_others_write_to_is_done_without(self, file: Path, how: str) -> None:
        waited: list[float] = []
        with pets(file) as one, pets(file, pause=waited.append) as other:
            one.keep({"s1": ["Tom"]})
            with held(file, how):
                other.keep({"s1": ["Kit"]})
                [note] = other.kept.take_notes()
            assert waited == [*PAUSES]
            assert note.endswith(f"{file} is in use by others")
            assert other.answer(fetch("s1")) == [(0, "Kit", "s1")]
            assert one.answer(fetch("s1")) == [(0, "Tom", "s1")]

    def test_it_is_used_when_the_others_are_done(self, file: Path) -> None:
        with pets(file) as one:
            one.keep({"s1": ["Tom"]})
        holding = held(file)
        holding.__enter__()
        with pets(file, pause=lambda _: holding.__exit__(None, None, None)) as zoo:
            assert zoo.answer(fetch("s1")) == [(0, "Tom", "s1")]
            assert zoo.kept.take_notes() == ()

    def test_readers_do_not_hold_each_other_up(self, file: Path) -> None:
        with pets(file) as one:
            one.keep({"s1": ["Tom"]})
        with held(file, "(READ_ONLY)"), pets(file) as zoo:
            assert zoo.answer(fetch("s1")) == [(0, "Tom", "s1")]


class TestWhoMayReadIt:
    def test_it_is_the_owners_alone_and_nothing_lies_beside_it(self, file: Path) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            zoo.keep({"s2": ["Tom"]})
            zoo.ages(fetch("s3"))
        assert [*file.parent.iterdir()] == [file]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    def test_a_mode_that_lets_others_read_is_mended(self, file: Path) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            file.chmod(0o644)
            zoo.keep({"s2": ["Tom"]})
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_nothing_is_made_where_nothing_is_kept(self, file: Path) -> None:
        with pets(file) as zoo:
            assert zoo.ages(fetch("s1")) == {}
            zoo.keep({"s1": ["Tom"]}, max_age=0)
            assert zoo.kept.forget(None, ()) == 0
            assert zoo.kept.take_notes() == ()
        assert not file.exists()


class TestCredentials:
    def test_their_columns_are_not_in_it(self, file: Path) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
        with duckdb.connect(str(file)) as there:
            [(name,)] = there.execute(
                "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'rows_%'"
            ).fetchall()
            columns = {one for one, *_ in there.execute(f"DESCRIBE {name}").fetchall()}
        assert {"name", "kind", "pet"} <= columns
        assert columns.isdisjoint({"config", "token"})

    def test_a_scan_that_uses_one_is_not_answered(self, file: Path) -> None:
        with pets(file) as one, pets(file) as other:
            one.keep({"s1": ["Tom"]})
            assert other.ages(fetch("s1"), columns=("name", "config")) == {}
            assert other.ages(fetch("s1"), columns=("name",)) == {0: 0.0}
            assert one.ages(fetch("s1"), columns=("name", "config")) == {0: 0.0}

    def test_a_filter_on_one_is_not_told(self, file: Path) -> None:
        secret = "tr0ub4dor"
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]}, filters=((TOKEN, (secret,)),))
            zoo.keep({"s2": ["Tom"]})
        assert secret.encode() not in file.read_bytes()
        with duckdb.connect(str(file)) as there:
            assert there.execute("SELECT count(*) FROM fetches").fetchall() == [(1,)]


class TestWhoseRows:
    settings = (Setting("user"), Setting("key", is_secret=True))
    provider: Provider = replace(ZOO, settings=settings)

    def account(self, environment: dict[str, str] | None = None, **more: Any) -> str:
        given = {"user": "me", "key": "${KEY}", **more.pop("settings", {})}
        connection = Connection("zoo", "zoo", given, "https://zoo.test", **more)
        return account_of(self.provider, connection, {"KEY": "k1", **(environment or {})})

    def test_rows_of_another_account_under_the_same_name_do_not_answer(self, file: Path) -> None:
        with pets(file, account=lambda _: "a") as one, pets(file, account=lambda _: "b") as other:
            one.keep({"s1": ["Tom"]})
            assert other.ages(fetch("s1")) == {}

    def test_accounts_differ_in_whatever_says_whose_rows_they_are(self) -> None:
        accounts = [
            self.account(),
            self.account({"KEY": "k2"}),
            self.account(settings={"user": "you"}),
            self.account(headers={"X-Tenant": "t1"}),
            self.account(headers={"X-Tenant": "t2"}),
        ]
        assert len({*accounts}) == len(accounts)
        assert self.account() == self.account()

    def test_a_connection_that_cannot_be_used_has_none(self) -> None:
        assert self.account(settings={"key": "${NOWHERE}"}) == ""


class TestWhatCannotBeRead:
    def test_a_file_that_cannot_be_opened_is_put_aside_and_made_anew(self, file: Path) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
        broken = bytearray(file.read_bytes())
        broken[:8] = bytes(8)  # the checksum of its head
        file.write_bytes(broken)
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            notes = zoo.kept.take_notes()
            zoo.keep({"s1": ["Tom"]})
        assert (file.parent / "kept.duckdb.unreadable").read_bytes() == bytes(broken)
        assert any("kept.duckdb.unreadable" in note for note in notes)
        with pets(file) as zoo:
            assert zoo.ages(fetch("s1")) == {0: 0.0}

    def test_a_broken_one_takes_the_place_of_no_other_file(self, file: Path) -> None:
        aside = file.with_name("kept.duckdb.unreadable")
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
        file.write_bytes(bytes(8) + file.read_bytes()[8:])
        aside.write_text("dear diary")
        with pets(file) as zoo:
            assert zoo.ages(fetch("s1")) == {}
            assert len(zoo.kept.take_notes()) == 1
        assert aside.read_text() == "dear diary"

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
    def test_a_file_cut_short_costs_requests_and_no_answer(self, file: Path, share: float) -> None:
        names = [f"pet {n}" for n in range(30)]
        with pets(file) as zoo:
            zoo.keep({"s1": names})
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * share)])
        with pets(file) as zoo:
            columns = zoo.make_table()
            hits = zoo.kept.find(scan(), {0: fetch("s1")}, always(60), NOW)
            filled = zoo.kept.fill(zoo.table, columns, hits)
            assert len(zoo.rows()) == (30 if filled else 0)
            zoo.keep({"s1": names})
            zoo.keep({"s1": names})
        with pets(file) as zoo:
            assert len(zoo.answer(fetch("s1"))) == 30

    @pytest.mark.parametrize("place", range(5))
    def test_a_flipped_bit_costs_requests_and_no_answer(self, file: Path, place: int) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom", "Kit"]})
        whole = bytearray(file.read_bytes())
        whole[len(whole) * (2 * place + 1) // 10] ^= 0xFF
        file.write_bytes(whole)
        with pets(file) as zoo:
            columns = zoo.make_table()
            hits = zoo.kept.find(scan(), {0: fetch("s1")}, always(60), NOW)
            filled = zoo.kept.fill(zoo.table, columns, hits)
            assert [*zoo.rows("name")] == ([("Kit",), ("Tom",)] if filled else [])

    @pytest.mark.parametrize("content", sorted(ANOTHERS))
    def test_a_file_of_another_kind_is_left_alone(self, file: Path, content: str) -> None:
        file.parent.mkdir()
        ANOTHERS[content](file)
        file.chmod(0o644)
        before, status = file.read_bytes(), file.stat()
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            [note] = zoo.kept.take_notes()
            assert "holds no rows that connstat kept" in note
            assert "[cache]" in note
            assert zoo.ages(fetch("s1")) == {0: 0.0}
        after = file.stat()
        assert file.read_bytes() == before
        for what in ("st_mode", "st_mtime_ns", "st_ino"):
            assert getattr(after, what) == getattr(status, what)
        assert [*file.parent.iterdir()] == [file]

    @pytest.mark.parametrize("kind", ["link", "pipe", "socket", "device", "another's"])
    def test_what_is_no_file_of_the_users_is_left_alone(self, tmp_path: Path, kind: str) -> None:
        file, target = tmp_path / "kept.duckdb", tmp_path / "target"
        with pets(target) as zoo:
            zoo.keep({"s1": ["Tom"]})
        target.chmod(0o644)
        if kind == "link":
            file.symlink_to(target)
        elif kind == "pipe":
            os.mkfifo(file)
        elif kind == "device":
            file.symlink_to("/dev/null")
        elif kind == "socket":
            with chdir(tmp_path), socket.socket(socket.AF_UNIX) as bound:
                bound.bind(file.name)
        elif os.geteuid() == 0:
            target.rename(file)
            os.chown(file, 12345, 12345)
        else:
            pytest.skip("to give a file away is for root")
        before = file.lstat()
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            assert len(zoo.kept.take_notes()) == 1
        assert file.lstat() == before
        assert not target.exists() or stat.S_IMODE(target.stat().st_mode) == 0o644

    @pytest.mark.parametrize("moment", ["before_header", "before_truncate"])
    def test_a_log_that_was_left_holds_no_rows_and_goes_with_the_next_ones(
        self, file: Path, moment: str
    ) -> None:
        assert b"Kit" not in left_log(file, moment)
        with pets(file) as zoo:
            assert zoo.answer(fetch("s1")) == [(0, "Tom", "s1")]
            zoo.keep({"s2": ["Ada"]})
            assert zoo.kept.take_notes() == ()
        assert not log_of(file).exists()

    @pytest.mark.parametrize("stands", ["no file", "another file", "a broken file"])
    def test_the_log_of_another_file_is_in_nobodys_way(self, file: Path, stands: str) -> None:
        log = left_log(file)
        file.unlink()
        log_of(file).unlink()
        if stands != "no file":
            with pets(file) as zoo:
                zoo.keep({"s2": ["Tom"]})
        if stands == "a broken file":
            file.write_bytes(file.read_bytes()[:20000])
        log_of(file).write_bytes(log)
        aside = file.with_name("kept.duckdb.unreadable")
        with pets(file) as zoo:
            zoo.keep({"s1": ["Kit"]})
            assert aside.exists() == log_of(aside).exists() == (stands != "no file")
        with pets(file) as zoo:
            zoo.keep({"s1": ["Kit"]})
        with pets(file) as zoo:
            assert zoo.answer(fetch("s1")) == [(0, "Kit", "s1")]
            assert zoo.kept.take_notes() == ()
        assert not log_of(file).exists()

    @pytest.mark.parametrize("kind", ["text", "link", "folder", "rows"])
    def test_what_stands_where_its_log_would_be_is_left_alone(
        self, tmp_path: Path, kind: str
    ) -> None:
        file, diary = tmp_path / "kept.duckdb", tmp_path / "diary"
        diary.write_text("dear diary")
        log = log_of(file)
        if kind == "text":
            log.write_text("dear diary")
        elif kind == "link":
            log.symlink_to(diary)
        elif kind == "folder":
            log.mkdir()
        else:
            log.write_bytes(left_log(tmp_path / "other.duckdb") + bytes(9000))
        before = log.lstat()
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
            assert len(zoo.kept.take_notes()) == 1
            assert zoo.ages(fetch("s1")) == {0: 0.0}
        after = log.lstat()
        for what in ("st_mode", "st_size", "st_mtime_ns", "st_ino"):
            assert getattr(after, what) == getattr(before, what)
        assert diary.read_text() == "dear diary"
        assert not file.exists()

    def test_a_file_of_another_version_is_made_anew(self, file: Path) -> None:
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
        with duckdb.connect(str(file)) as there:
            there.execute("UPDATE connstat_kept SET version = 0")
        with pets(file) as zoo:
            assert zoo.ages(fetch("s1")) == {}
            assert "another version" in zoo.kept.take_notes()[0]
            zoo.keep({"s1": ["Tom"]})
        with pets(file) as zoo:
            assert zoo.ages(fetch("s1")) == {0: 0.0}

    def test_rows_of_another_definition_stay_for_those_who_have_it(self, file: Path) -> None:
        other = replace(fetch("s1"), resource=with_type("weight", Scalar("DOUBLE")))
        with pets(file) as zoo:
            zoo.keep({"s1": ["Tom"]})
        with pets(file) as zoo:
            assert zoo.ages(other) == {}
            zoo.make_table()
            zoo.kept.keep(zoo.table, [CompletedFetch(0, other, NOW)], always(9), NOW)
        with pets(file) as zoo:
            assert zoo.ages(other) == {0: 0.0}
            assert zoo.ages(fetch("s1")) == {0: 0.0}

    @pytest.mark.parametrize("kind", ["folder", "in a file"])
    def test_a_place_where_none_can_be_is_noted(self, tmp_path: Path, kind: str) -> None:
        (tmp_path / "plain").write_text("")
        place = tmp_path if kind == "folder" else tmp_path / "plain" / "kept.duckdb"
        with pets(place) as zoo:
            zoo.keep({"s1": ["Tom"]})
            [note] = zoo.kept.take_notes()
            assert str(place) in note
            assert zoo.ages(fetch("s1")) == {0: 0.0}


def test_forgetting_reaches_memory_and_disk(file: Path) -> None:
    with pets(file) as one:
        one.keep({"s1": ["Tom"], "s2": []})
        assert one.kept.forget(None, ("zoo", "w")) == 2
        assert one.ages(fetch("s1")) == {}
    with pets(file) as other:
        assert other.ages(fetch("s1")) == {}


def test_what_was_fetched_without_being_kept_makes_older_rows_be_forgotten(file: Path) -> None:
    with pets(file) as one, pets(file) as other:
        one.keep({"s1": ["Tom"], "s2": ["Ada"]})
        other.keep({"s1": ["Kit"]}, max_age=0)
        assert other.ages(fetch("s1"), fetch("s2")) == {1: 0.0}
