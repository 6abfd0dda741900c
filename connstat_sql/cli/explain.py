"""`connstat explain`: the plan of a statement."""

from __future__ import annotations

from typing import Any

import click

from connstat_sql.cli.console import say, say_json
from connstat_sql.cli.context import Globals, each, pass_globals, report_errors
from connstat_sql.cli.query import read_params, read_sql, sql_options
from connstat_sql.cli.sql_arguments import TakesSql
from connstat_sql.cli.statement import budget_option, max_age_option, strict_option
from connstat_sql.planner import as_document, as_text
from connstat_sql.result import Options


@click.command("explain", cls=TakesSql)
@sql_options
@click.option("--analyze", is_flag=True, help="Run it, and show what happened.")
@click.option(
    "-F", "--format", "format_", type=click.Choice(("text", "json")), default="text",
    show_default=True, help="A text for people, or a JSON document for programs.",
)  # fmt: skip
@budget_option
@strict_option
@max_age_option
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """Show which requests a statement would send; nothing is sent without --analyze.

    Each scan tells its table, connections, method, where its parameters get their values, what is
    pushed down, and how many requests it expects and may need at most.
    """
    if options["analyze"] and options["format_"] == "json":
        raise click.UsageError("--analyze prints text")
    text = read_sql(options["sql"], options["file"])
    arguments = read_params(options["params"]) or None
    how = Options(
        max_requests=options["max_requests"], strict=options["strict"], max_age=options["max_age"]
    )
    narrator = globals_.narrator
    with report_errors(narrator):
        engine = globals_.open(narrator)
        try:
            if options["analyze"]:
                results = engine.run(f"EXPLAIN ANALYZE {text}", arguments, how)
                for result in each(results, engine):
                    narrator.end_progress()
                    say("\n".join(line for (*_, line) in result.fetchall()))
                return
            plan = engine.explain(text, arguments, how)
            if plan is None:  # whether it would run at all is for DuckDB to say
                list(engine.run(f"EXPLAIN {text}", arguments))
        finally:
            engine.close()
    if options["format_"] == "json":
        nothing = {"expected": 0, "at_most": 0, "budget": options["max_requests"]}
        empty = {"statement": text, "complete": True, "scans": [], "requests": nothing}
        say_json(as_document(plan) if plan else empty)
    else:
        say(as_text(plan) if plan else "no live table: DuckDB answers alone, 0 requests")
