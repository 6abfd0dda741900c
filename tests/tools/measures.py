"""What the house measures: `python -m tests.tools.measures [--package DIR] [--json]`.

It prints a table of names and figures, for any tree of the package: how large it is, what its names
are like, what starting it imports, and which way a statement takes through it. What each figure
counts is said where it is counted. `--walk` prints that way step by step instead of the table.

`--shrink` writes the list of what does not keep the rules yet (`tests/house.toml`) as it is now. It
lets no rule have more exceptions than before, so that the list can only become shorter.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tomllib

from tests.tools.starts import started
from tests.tools.way import way_of

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "connstat_sql"
LIST = ROOT / "tests" / "house.toml"
DEMO = ("demo", "sandbox")
"""What the package of made-up servers is called, or has been."""
VAGUE = ("one", "found", "told", "given")
"""Names that say nothing of what they hold."""
SHORT = 6
"""Lines of a function that is hardly longer than its call."""
FIELD = frozenset(
    {
        "highlighting",  # of syntax: what editors and Pygments call it
        "paging",  # of lists by an API: said as often as pagination
        "quoting",  # of names and literals in SQL: the word of DuckDB's and Postgres' manuals
        "ranking",  # of what a search finds: a noun of its own
        "staging",  # of rows before they are used: as in a staging table
    }
)
"""Words in -ing that name a thing in the field, which has no plainer noun for it.

Not in here: what has one (lexing: a lexer; caching: a cache), and what says that something is being
done without saying what (reading, choosing, showing).
"""
BOUNDARIES = {
    "bootstrap": "a configuration, and the definitions that it needs",
    "engine": "a live statement; databases that are named; a hint; what curl needs",
    "cli": "a command, what only it needs, and the engine that it opens",
    "output.render": "a format",
    "shell": "whatever the prompt does not need to stand",
    "transport.backend": "the wire that is used",
    "database.macros": "a function of ours that reads a list",
    "sql.suggestions": "another parser, for a name that leads nowhere",
    "config.connections": "the keys there are, for one that is misplaced",
    "definitions.loader.library": "what is wrong with a definition that was refused",
    "saved.folders": "a look at a query's SQL",
    "top.model": "DuckDB, which the screen does without",
}
"""Where a function may import a module of ours, and what is imported there when it is wanted."""
WITH_ALL_BELOW = ("cli", "shell")
"""Those whose modules are all boundaries: a command is what is imported when it is chosen."""
MOST_FUNCTION, MOST_CLASS, MOST_FILE = 60, 250, 800
"""Lines; a file is one concept."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Counts = dict[str, int]


@dataclass(frozen=True)
class Module:
    """A module's text, and its name without that of the package ("" for the package itself)."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """How Python reads it."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[tuple[ast.AST, tuple[Definition, ...]]]:
        """Every node of the tree, with the definitions that it stands in."""
        return list(_inside(self.tree))

    @cached_property
    def definitions(self) -> list[tuple[str, Definition]]:
        """Functions and classes, also those within others, by their dotted names."""
        return [
            (".".join(each.name for each in (*around, node)), node)
            for node, around in _inside(self.tree, beside=ast.expr)
            if isinstance(node, Definition)
        ]


def _inside(
    tree: ast.Module, beside: type[ast.AST] = ast.expr_context
) -> Iterator[tuple[ast.AST, tuple[Definition, ...]]]:
    """Nodes in the order of the text, but those of a kind, with the definitions they stand in."""
    ahead: list[tuple[ast.AST, tuple[Definition, ...]]] = [(tree, ())]
    while ahead:
        node, around = ahead.pop()
        if not isinstance(node, beside):
            yield node, around
            within = (*around, node) if isinstance(node, Definition) else around
            ahead += [(child, within) for child in ast.iter_child_nodes(node)][::-1]


def modules_of(package: Path) -> list[Module]:
    """The modules of a package in the order of their names."""
    return [
        Module(_name(file.relative_to(package)), file.read_text("utf-8"))
        for file in sorted(package.rglob("*.py"))
    ]


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def length(node: Definition) -> int:
    """The lines of a function or class, from `def` or `class` to its last."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


# --- the rules: what does not keep them, and how often ------------------------------------------


def borne_again(modules: list[Module]) -> Counts:
    """Class names that more than one class bears."""
    bearers = Counter(name for name, _ in class_places(modules))
    return {name: count for name, count in bearers.items() if count > 1}


def class_places(modules: list[Module]) -> list[tuple[str, str]]:
    """Each class by its name, with its module."""
    return [
        (node.name, module.name)
        for module in modules
        for _, node in module.definitions
        if isinstance(node, ast.ClassDef)
    ]


def gerunds(modules: list[Module]) -> Counts:
    """Modules and packages whose name ends in -ing and is no word of the field."""
    return {module.name: 1 for module in modules if _in_ing(module) not in {None, *FIELD}}


def _in_ing(module: Module) -> str | None:
    """The last word of a module's name, where it ends in -ing."""
    word = module.name.rpartition(".")[2].rpartition("_")[2]
    return word if word.endswith("ing") else None


def vague(modules: list[Module]) -> Counts:
    """How often each module calls a variable `one`, `found`, `told` or `given`.

    Whatever binds a name counts once: assignments, arguments, the targets of `for`, `with`,
    `except`, `import` and comprehensions, and patterns.
    """
    counts = {
        module.name: sum(_bound(node) in VAGUE for node in ast.walk(module.tree))
        for module in modules
    }
    return {name: count for name, count in counts.items() if count}


def _bound(node: ast.AST) -> str | None:
    """The name that a node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return name
        case ast.arg(arg=name) | ast.ExceptHandler(name=name) | ast.alias(asname=name):
            return name
        case ast.MatchAs(name=name) | ast.MatchStar(name=name) | ast.MatchMapping(rest=name):
            return name
    return None


def too_long(modules: list[Module]) -> Counts:
    """Functions, classes and files that are longer than they may be; lines in steps of fifty."""
    lengths: Counts = {}
    for module in modules:
        if len(module.lines) > MOST_FILE:
            lengths[module.name] = _up_to(len(module.lines))
        for name, node in module.definitions:
            most = MOST_CLASS if isinstance(node, ast.ClassDef) else MOST_FUNCTION
            if length(node) > most:
                lengths[f"{module.name}:{name}"] = _up_to(length(node))
    return lengths


def _up_to(lines: int, step: int = 50) -> int:
    """A ceiling that a line more or less does not move."""
    return -(-lines // step) * step


def late_imports(modules: list[Module]) -> Counts:
    """How many imports of our own modules stand in functions, but for the boundaries."""
    counts = {
        module.name: sum(
            isinstance(node, ast.ImportFrom)
            and (node.level > 0 or (node.module or "").partition(".")[0] == PACKAGE.name)
            and any(isinstance(each, Function) for each in around)
            for node, around in module.nodes
        )
        for module in modules
        if module.name not in BOUNDARIES and module.name.partition(".")[0] not in WITH_ALL_BELOW
    }
    return {name: count for name, count in counts.items() if count}


RULES = {
    "classes borne again": borne_again,
    "gerund modules": gerunds,
    "vague variables": vague,
    "too long": too_long,
    "late imports": late_imports,
}


def exceptions(path: Path = LIST) -> dict[str, Counts]:
    """The list of what does not keep the rules yet."""
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def shrink(modules: list[Module], path: Path = LIST) -> None:
    """Write that list as it is now. Raises SystemExit where a rule would have more exceptions."""
    before = exceptions(path)
    now = {rule: count(modules) for rule, count in RULES.items()}
    for rule, counts in now.items():
        had, has = (sum(each.values()) for each in (before.get(rule, counts), counts))
        if has > had:
            raise SystemExit(f"{rule}: {has}, and there were {had}; the list only shrinks")
    path.write_text(_listed(now), "utf-8")


def _listed(rules: Mapping[str, Counts]) -> str:
    text = (
        "# What does not keep the rules of test_house.py yet. It may only shrink, by\n"
        "#   python -m tests.tools.measures --shrink\n"
    )
    for rule, counts in rules.items():
        text += f'\n["{rule}"]\n'
        text += "".join(f'"{name}" = {count}\n' for name, count in sorted(counts.items()))
    return text


# --- figures from the files ---------------------------------------------------------------------


def lone_helpers(modules: list[Module]) -> list[tuple[str, Definition]]:
    """Private functions (`_name`) that are mentioned in one place of the package.

    A mention is a call, or the function handed on. `self._name` means the method of the class it
    stands in, where there is one; another attribute `_name` any method of that name in the module,
    or elsewhere where the module has none; a bare `_name` a function of the module, or what is
    imported from another. What the function says of itself does not count.
    """
    functions: dict[str, list[_Private]] = defaultdict(list)
    for module in modules:
        for node, around in module.nodes:
            if isinstance(node, Function) and _is_private(node.name):
                functions[node.name].append(_Private(module.name, around, node))
    mentions: Counter[int] = Counter()
    for module in modules:
        for node, around in module.nodes:
            name = _mentioned(node)
            if name is not None and name in functions:
                mentions.update(map(id, _meant(node, around, module.name, functions[name])))
    every = [each for same in functions.values() for each in same]
    return [(each.place, each.node) for each in every if mentions[id(each)] == 1]


@dataclass(frozen=True)
class _Private:
    """A private function, and what it stands in."""

    module: str
    around: tuple[Definition, ...]
    node: Function

    @property
    def place(self) -> str:
        names = ".".join(each.name for each in (*self.around, self.node))
        return f"{self.module}:{names}"

    @property
    def of_class(self) -> ast.ClassDef | None:
        last = self.around[-1] if self.around else None
        return last if isinstance(last, ast.ClassDef) else None


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _mentioned(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name
    return None


def _meant(
    node: ast.AST, around: tuple[Definition, ...], module: str, same: list[_Private]
) -> list[_Private]:
    """Those of the functions of one name that a mention may mean."""
    same = [each for each in same if each.node not in around]
    here = [each for each in same if each.module == module]
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            classes = [each for each in around if isinstance(each, ast.ClassDef)]
            own = [each for each in here if classes and each.of_class is classes[-1]]
            return own or [each for each in here if each.of_class] or same
        case ast.Attribute():
            return [each for each in here if each.of_class] or same
        case ast.alias():
            return [] if here else [each for each in same if not each.around]
    return [each for each in here if not each.of_class]


def docstrings(module: Module) -> list[ast.Constant]:
    """The texts that stand as statements: of modules, classes, functions and attributes."""
    return [
        node.value
        for node, _ in module.nodes
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


Figure = int | float | str


def of_files(package: Path) -> dict[str, Figure]:
    """The figures that the files themselves give."""
    modules = modules_of(package)
    return {**_sizes(package, modules), **_of_names(modules), **_of_texts(modules)}


def _sizes(package: Path, modules: list[Module]) -> dict[str, Figure]:
    own = [each for each in modules if each.name.partition(".")[0] not in DEMO]
    entries = [each for each in package.iterdir() if not each.name.startswith(("__pycache__", "."))]
    return {
        "lines": sum(len(each.lines) for each in modules),
        "lines without the demo": sum(len(each.lines) for each in own),
        "modules": len(modules),
        "modules without the demo": len(own),
        "entries at the top": len(entries),
    }


def _of_names(modules: list[Module]) -> dict[str, Figure]:
    bearers = borne_again(modules)
    functions = sum(isinstance(node, Function) for each in modules for _, node in each.definitions)
    lone = lone_helpers(modules)
    short = sum(length(node) <= SHORT for _, node in lone)
    variables = Counter(_bound(node) for each in modules for node, _ in each.nodes)
    return {
        "classes": len(class_places(modules)),
        "class names borne again": len(bearers),
        "functions": functions,
        "private functions with one caller": len(lone),
        "  % of all functions": _share(len(lone), functions),
        f"  of {SHORT} lines or fewer": short,
        f"  of {SHORT} lines or fewer, % of all functions": _share(short, functions),
        "modules in -ing": (in_ing := sum(_in_ing(each) is not None for each in modules)),
        "  % of all modules": _share(in_ing, len(modules)),
        "  that are no word of the field": len(gerunds(modules)),
        **{f"variables called {name}": variables[name] for name in VAGUE},
    }


def _of_texts(modules: list[Module]) -> dict[str, Figure]:
    lines = sum(len(each.lines) for each in modules)
    texts = [text for each in modules for text in docstrings(each)]
    documented = sum((text.end_lineno or text.lineno) - text.lineno + 1 for text in texts)
    comments = sum(line.lstrip().startswith("#") for each in modules for line in each.lines)
    examples = sum(">>>" in str(text.value) for text in texts)
    files = [(len(each.lines), each.name) for each in modules]
    classes, functions = (
        [
            (length(node), f"{each.name}:{name}")
            for each in modules
            for name, node in each.definitions
            if isinstance(node, kind)
        ]
        for kind in (ast.ClassDef, Function)
    )
    return {
        "comment lines, %": _share(comments, lines),
        "docstring lines, %": _share(documented, lines),
        "docstrings": len(texts),
        "docstrings with an example": examples,
        "longest file": _longest(files),
        "longest class": _longest(classes),
        "longest function": _longest(functions),
    }


def _longest(sized: list[tuple[int, str]]) -> str:
    lines, name = max(sized)
    return f"{lines} ({name})"


# --- the command --------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m tests.tools.measures")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="the package to measure")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--files", action="store_true", help="only what needs no process")
    parser.add_argument("--walk", action="store_true", help="the way of a statement, step by step")
    parser.add_argument("--names", action="store_true", help="the names behind the figures")
    parser.add_argument("--shrink", action="store_true", help=f"write {LIST.name} as it is now")
    options = parser.parse_args(arguments)
    package = options.package.resolve()
    if options.shrink:
        shrink(modules_of(package))
    elif options.walk:
        print("\n".join(way_of(package)["steps"]))
    elif options.names:
        print("\n".join(_names(modules_of(package))))
    else:
        figures = of_files(package)
        if not options.files:
            figures |= started(package) | {name: figure for name, figure in way_of(package).items()
                                           if name != "steps"}  # fmt: skip
        print(json.dumps(figures, indent=1) if options.json else _table(figures))


def _names(modules: list[Module]) -> Iterator[str]:
    places = class_places(modules)
    for name in sorted(borne_again(modules)):
        yield f"class {name}: {', '.join(module for same, module in places if same == name)}"
    yield from (f"gerund {name}" for name in gerunds(modules))
    for place, node in lone_helpers(modules):
        yield f"one caller: {place} ({length(node)} lines)"


def _table(figures: Mapping[str, Figure]) -> str:
    wide = max(map(len, figures))
    return "\n".join(f"{name:<{wide}}  {figure}" for name, figure in figures.items())


if __name__ == "__main__":
    main(sys.argv[1:])
