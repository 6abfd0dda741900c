"""Commands on files: saved queries, scripts, the editor."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from connstat_sql.errors import ConfigError, SavedQueryError
from connstat_sql.files import is_own_file, make_scratch, remove_scratch, write_new, written_whole
from connstat_sql.output.pager import ctrl_c_is_theirs
from connstat_sql.shell.display import texts
from connstat_sql.shell.history import holds_secret
from connstat_sql.shell.session import Next, Shell, Step
from connstat_sql.shell.settings import path_of

FOLDER = Path("connstat") / "queries"
"""Where queries are saved, in the working directory."""
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)


def saved(shell: Shell, argument: str) -> None:
    """The saved queries there are, or one of them in full."""
    queries = shell.saved()
    if argument:
        try:
            query = queries.find(argument)
        except SavedQueryError as error:
            error.hint = _as_here(error.hint)
            raise
        shell.display.text(query.path.read_text(encoding="utf-8"))
        shell.narrator.say(f"from {query.path}")
        return
    rows = [
        (query.name, query.title, " ".join(_shown(p.name, p.is_required) for p in query.params))
        for query in queries
    ]
    if rows:
        shell.display.show(texts(("name", "title", "parameters"), rows), "")
    shell.narrator.say(".run NAME runs one, .saved NAME shows it, .save NAME adds one")


def run(shell: Shell, argument: str) -> None:
    """Run a saved query with the values given."""
    from connstat_sql.saved import prepare

    name, *pairs = _words(argument, ".run failed provider=confluent")
    if not name:
        saved(shell, "")
        return
    values: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise ConfigError(f"{pair} is no PARAM=VALUE", hint=f".saved {name} shows the PARAMs")
        if key in values:
            raise ConfigError(f"{key} is given twice", hint=f"several values are  {key}=a,b")
        values[key] = value
    try:
        query = shell.saved().find(name)
        with shell.engine_held() as engine:
            prepared = prepare(query, values, engine)
    except SavedQueryError as error:
        error.hint = _as_here(error.hint)
        raise
    options = shell.settings.options()
    if query.is_partial:
        options = replace(options, partial=True)
    shell.run(prepared.sql, prepared.arguments, options=options, query=query)


def _as_here(hint: str) -> str:
    """A hint that names commands of the command line, with those of the shell."""
    return hint.replace("connstat run ", ".run ").replace("connstat saved list", ".saved")


def save(shell: Shell, argument: str) -> None:
    """Write the last statement into a file of its own, with front matter to go on with."""
    words = _words(argument, ".save failed-tasks Tasks that have failed")
    is_forced = "-f" in words[:1]
    name, *title = words[1:] if is_forced else words
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"a saved query cannot be called {name!r}" if name else ".save needs a name",
            hint="letters, digits, - and _:  .save failed-tasks",
        )
    if not shell.statement.strip():
        raise ConfigError("there is no statement to save", hint="run one first")
    path = shell.context.here / FOLDER / f"{name}.sql"
    text = front_matter(name, " ".join(title), shell.statement) + shell.statement.strip() + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_forced:
            write_new(path, text.encode())
        else:
            is_own_file(path)  # it may be a link to something else
            with written_whole(path) as out:
                out.write(text.encode())
    except FileExistsError as error:
        raise ConfigError(
            f"{path} exists already", hint=f".save -f {name}  writes over it"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    shell.narrator.say(f"saved in {path}; .run {name} runs it")
    if holds_secret(shell.statement):
        shell.narrator.say("it seems to hold a secret, which now is in that file: use a $parameter")


def front_matter(name: str, title: str, sql: str) -> str:
    """What stands above the SQL: name, title, and a line for each `$parameter`."""
    import json

    from connstat_sql.saved.mentions import mentions_in

    mentions = mentions_in(sql).named
    names = dict.fromkeys(mention.name for mention in mentions if mention.name.isidentifier())
    lines = [f"name: {name}", f"title: {json.dumps(title or name, ensure_ascii=False)}"]
    if names:
        lines += ["params:", *(f"  {param}: {{type: VARCHAR, required: true}}" for param in names)]
    end = "\n" if sql.lstrip().startswith("--") else ""  # a comment of its own is not part of it
    return "".join(f"-- {line}\n" for line in lines) + end


def read(shell: Shell, argument: str) -> Next:
    """Run a script next."""
    if not argument:
        raise ConfigError(".read needs a file", hint=".read report.sql")
    return Next(Step.READ, str(path_of(argument, shell)))


def edit(shell: Shell, argument: str) -> Next:
    """Let the user write in an editor; the text comes back to the prompt."""
    if not shell.is_interactive:
        raise ConfigError(".edit is for the shell on a terminal")
    if argument:
        path = path_of(argument, shell)
        _edit(path, shell)
        return Next(Step.WRITE, _text_of(path))
    return Next(Step.WRITE, edited(shell, shell.statement.strip()))


def edited(shell: Shell, text: str) -> str:
    """What the user makes of a text in an editor. Raises ConfigError.

    It is on disk meanwhile where the user alone can look, and a signal removes it.
    """
    folder = make_scratch()
    if folder is None:
        raise ConfigError("there is no folder for temporary files", hint="name one by TMPDIR")
    try:
        path = folder / "statement.sql"
        path.touch(0o600)
        path.write_text(f"{text}\n", encoding="utf-8")
        _edit(path, shell)
        return _text_of(path)
    finally:
        remove_scratch(folder)


def _edit(path: Path, shell: Shell) -> None:
    command = _editor(shell)
    try:
        with ctrl_c_is_theirs():
            code = subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        raise ConfigError(
            f"the editor {command[0]} cannot be run: {error.strerror}", hint="set EDITOR"
        ) from error
    if code != 0:
        raise ConfigError(f"the editor {command[0]} ended with code {code}; nothing is taken over")


def _editor(shell: Shell) -> list[str]:
    """`$VISUAL`, `$EDITOR`, or one that most systems have."""
    env = shell.context.environment
    said = env.get("VISUAL") or env.get("EDITOR")
    if said:
        return _words(said, "export EDITOR=vi")
    editor = next((program for program in ("editor", "nano", "vi") if shutil.which(program)), None)
    if editor is None:
        raise ConfigError("there is no editor", hint="set EDITOR to one")
    return [editor]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)} cannot be read: {error}") from error


def _words(text: str, example: str) -> list[str]:
    """The words of a command's argument, quoted as in a POSIX shell; one empty word: none."""
    try:
        return shlex.split(text) or [""]
    except ValueError as error:
        raise ConfigError(f"a quote is not closed: {text}", hint=example) from error


def _shown(name: str, is_required: bool) -> str:
    return f"{name}=…" if is_required else f"[{name}=…]"
