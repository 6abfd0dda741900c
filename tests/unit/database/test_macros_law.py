"""A user's macro under a name of DuckDB's is none of ours: SQL of ours goes on calling DuckDB's.

Every function that DuckDB knows gets a macro of its name that nobody can call; whatever a session
does is then done in the same words, with the same requests.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import duckdb
import httpx

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.definitions.loader import Library
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.shell.completion.loader import Learner
from connstat_sql.shell.completion.values import ObservedValues
from connstat_sql.shell.highlighting import words_of
from tests.oracle.zoo import HOSTS
from tests.unit.shell.test_shell_commands import desk_of

PROVIDER = "{provider: zoo, description: A made-up provider}"
SERVICE = """
service: w
resources:
  orgs:
    description: Organisations
    columns: {id: VARCHAR, n: BIGINT, about: "STRUCT(kind VARCHAR, labels MAP(VARCHAR, VARCHAR))"}
    methods: {list: {path: /orgs}}
  teams:
    description: Their teams
    columns:
      name: VARCHAR
      secret: {type: "MAP(VARCHAR, VARCHAR)[]", redact: keys}
      config: {type: "MAP(VARCHAR, JSON)", redact: keys}
    params:
      org: {from: zoo.w.orgs.id}
      n: {type: BIGINT, default: "1"}
    methods: {list: {path: "/orgs/{org}/teams", query: {n: "{n}"}}}
"""
ABOUT = {"kind": "firm", "labels": {"size": "big"}}
ORGS = [{"id": name, "n": n, "about": ABOUT} for n, name in enumerate(("acme", "zeta", "core"))]
SAVED = """---
title: The teams of an organisation
params:
  org: {type: VARCHAR, required: true}
  n: {type: BIGINT, default: 1}
---
SELECT name, n FROM conn_a.w.teams WHERE org = $org AND n = $n
"""
SCRIPT = """
SELECT about, id, _observed_at IS NULL FROM conn_a.w.orgs ORDER BY id
SELECT name, secret, config, t.n FROM conn_a.w.teams t WHERE org = 'acme' AND n IN (1, 2.0)
SELECT name FROM conn_a.w.teams t, conn_a.w.orgs o, (VALUES ('acme', 1), ('core', 2)) AS v(org, n) \
WHERE t.org = v.org AND t.n = v.n AND t.org = o.id ORDER BY ALL
SELECT id FROM conn_a.w.orgs WHERE id = ANY (SELECT 'acme') AND 1 = 2 ORDER BY id LIMIT 1
.partial on
SELECT DISTINCT id FROM zoo.w.orgs WHERE _connection IN ('conn_a', 'conn_b') ORDER BY ALL
.errors
.max-age 60
SELECT id FROM conn_a.w.orgs ORDER BY id
DESCRIBE conn_a.w.teams
DESCRIBE SELECT name, secret FROM conn_a.w.teams WHERE org = 'acme'
EXPLAIN SELECT name FROM conn_a.w.teams WHERE org = 'acme'
SHOW TABLES FROM zoo.w
CREATE TABLE mine AS SELECT id, n FROM conn_a.w.orgs
CREATE TABLE mine AS FROM conn_a.w.orgs
SELECT name FROM conn_a.w.teams t, mine m WHERE (t.org = m.id OR t.org = 'core') AND t.n = 1
WITH gone AS (DELETE FROM mine RETURNING id) SELECT name FROM conn_a.w.teams, gone WHERE org = id
CREATE MACRO teams_of(wanted) AS TABLE SELECT name FROM conn_a.w.teams WHERE org = wanted
BEGIN
SELECT (SELECT name FROM teams_of(m.id)) FROM mine m WHERE m.id = 'zeta'
COMMIT
.tables
.tables zoo.*
.describe conn_a.w.teams
.explain SELECT name FROM conn_a.w.teams WHERE org = 'acme'
.run teams org=acme n=2
USE conn_a.w
SELECT name FROM teams WHERE org = 'zeta'
"""
"""It calls no function: what DuckDB is heard to call is ours."""
CALLED = re.compile(r"(?<![\w.\"])([a-z]\w*)\(")
TIME = re.compile(r"[\d.]+ m?s|20\d\d-[^\"]*Z")
TEXT = re.compile(r"'(?:[^']|'')*'")


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.host.startswith("b."):
        return httpx.Response(404, text="gone")
    path = request.url.path.strip("/").split("/")
    if len(path) == 1:
        return httpx.Response(200, json=ORGS)
    n = request.url.params["n"]
    secret = {"password": "hunter22"}
    team = {"name": f"{path[1]}/{n}", "secret": [secret], "config": secret}
    return httpx.Response(200, json=[team])


def make_macros(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Macros under all names that DuckDB has, none of which takes what anybody gives it."""
    kinds = connection.execute(
        "SELECT DISTINCT function_name, function_type IN ('table', 'table_macro')"
        " FROM duckdb_functions() WHERE function_name <> 'python_arrow_scan'"
    ).fetchall()  # but for the one that DuckDB's own client calls like that
    params = ", ".join("abcdefghijklmnopq")
    made = (
        f"""CREATE MACRO "{name}"({params}) AS {"TABLE SELECT 1" if is_table else "1"};"""
        for name, is_table in kinds
    )
    connection.execute(f"BEGIN; {''.join(made)} COMMIT")
    return frozenset(name.lower() for name, _ in kinds)


class Alone(Wiring):
    """One provider without those that are shipped: declaring all of them takes seconds."""

    @cached_property
    def library(self) -> Library:
        return Library(self._setup.providers)


def opened(folder: Path, answer: Callable[[httpx.Request], httpx.Response]) -> Engine:
    home = folder / "providers" / "zoo"
    home.mkdir(parents=True)
    (home / "provider.yaml").write_text(PROVIDER, "utf-8")
    (home / "w.yaml").write_text(SERVICE, "utf-8")
    tables = {
        name: {"provider": "zoo", "base_url": f"http://{host}"} for name, host in HOSTS.items()
    }
    wiring = Alone(Setup(connections=tables, providers=(home.parent,)), {})
    return Engine(
        wiring, EngineOptions(environment={}, transport=httpx.MockTransport(answer), mask_key="k")
    )


def told(folder: Path, *, with_macros: bool) -> tuple[list[object], list[str]]:
    """What a session says and sends, and the functions that were called by their names alone."""
    queries = folder / "connstat" / "queries"
    queries.mkdir(parents=True)
    (queries / "teams.sql").write_text(SAVED, "utf-8")
    sent: list[str] = []

    def noted(request: httpx.Request) -> httpx.Response:
        sent.append(str(request.url))
        return answer(request)

    engine = opened(folder, noted)
    connection = engine.session.duckdb
    names: frozenset[str] = frozenset()
    if with_macros:
        connection.execute("CALL enable_logging('QueryLog')")
        names = make_macros(connection)
        connection.execute("CALL system.main.truncate_duckdb_logs()")
        engine.session.forget_functions()
    seen: list[object] = []
    desk = desk_of(lambda _: engine, folder)
    engine.watch_values(seen.append)
    desk.do(".mode jsonl")
    for line in SCRIPT.replace("\\\n", " ").strip().splitlines():
        out, err, code = desk.do(line if line[0] == "." else f"{line};")
        seen.append((line, TIME.sub("", out), TIME.sub("", err), code, sorted(sent)))
        sent.clear()
    learner = Learner(lambda: engine, desk.shell.lock, ObservedValues(time.monotonic))
    known = learner.wait()
    seen += [known.local, {one.name for one in known.functions}, words_of(engine)]
    ran = connection.execute("SELECT message FROM system.main.duckdb_logs()").fetchall()
    engine.close()
    called = (name for (text,) in ran for name in CALLED.findall(TEXT.sub("", text)))
    return seen, sorted(names.intersection(called))


def test_macros_under_names_of_duckdbs_change_nothing(tmp_path: Path) -> None:
    plain, _ = told(tmp_path / "plain", with_macros=False)
    seen, called = told(tmp_path / "macros", with_macros=True)
    assert not called
    for before, after in zip(plain, seen, strict=True):
        assert after == before
