"""Who may import whom, read off the imports themselves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tutor"
MODULES = sorted(PACKAGE.rglob("*.py"))

ORDER = [
    "errors",
    "escaping",
    "faults",
    "files",
    "read_files",
    "delimited",
    "toml_text",
    "processes",
    "results",
    "explanation",
    "maths",
    "numbers",
    "formulas",
    "worksheet",
    "lessons",
    "slips",
    "marking",
    "sheets",
    "homework",
    "data",
    "training",
    "trace",
    "runs",
    "export",
    "experiments",
    "course",
    "transcripts",
    "views",
    "printers",
    "cli",
]
"""The folders and single modules of the package: each imports only from those that stand before it, and from itself."""

HEAVY = {"sympy", "mpmath", "numpy", "rich", "typer", "msgspec", "plotille", "markdown_it", "platformdirs"}
ALLOWED_LIBRARIES = {
    "numbers": {"sympy", "mpmath", "numpy"},
    "formulas": {"sympy"},
    "worksheet": {"sympy", "msgspec"},
    "results": {"msgspec"},
    "lessons": {"msgspec", "markdown_it"},
    "slips": {"sympy"},
    "marking": {"sympy", "msgspec"},
    "homework": {"sympy", "msgspec"},
    "data": {"numpy", "msgspec"},
    "training": {"numpy", "msgspec"},
    "training/straight_line": {"numpy", "sympy", "msgspec"},
    "trace": {"numpy", "msgspec"},
    "runs": {"numpy", "msgspec"},
    "export": {"numpy"},
    "experiments": {"numpy", "msgspec"},
    "course": {"sympy", "msgspec", "markdown_it", "platformdirs"},
    "transcripts": {"msgspec"},
    "views": {"sympy", "msgspec"},
    "views/course": {"msgspec", "markdown_it"},
    "printers": {"rich", "plotille"},
    "cli": {"typer", "rich", "msgspec"},
}
"""The libraries that take long to load, and who may; everybody else does without."""
COMPILER = PACKAGE / "formulas" / "compiled.py"
"""The one module that runs source: its own, in which a quantity is only a place in a list."""
NO_UTILS = {"utils", "util", "core", "helpers", "common", "misc", "base"}


def of_each(modules: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """A test of one module becomes one of them all, which names each that fails: alone, each would cost more to run
    than what it does."""

    def decorated(test: Callable[[Path], None]) -> Callable[[], None]:
        def of_all() -> None:
            failed = {}
            for module in modules:
                try:
                    test(module)
                except AssertionError as error:
                    failed[str(module.relative_to(PACKAGE))] = str(error)
            assert not failed

        return of_all

    return decorated


@cache
def nodes(module: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(module.read_text())))


def teardown_module() -> None:
    nodes.cache_clear()  # 400,000 objects


def part_of(module: Path) -> str:
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


@of_each(MODULES)
def test_a_module_imports_only_what_stands_before_it(module: Path) -> None:
    part = part_of(module)
    if part in ("__main__", "__init__"):
        return
    for name in imports(module):
        top, *rest = name.split(".")
        if top == "tutor" and rest:
            assert ORDER.index(rest[0]) <= ORDER.index(part), f"{part} may not import {name}"
        elif top in HEAVY:
            folder = module.parent.relative_to(PACKAGE).as_posix()
            allowed = ALLOWED_LIBRARIES.get(folder, ALLOWED_LIBRARIES.get(part, set()))
            assert top in allowed, f"{part} may not import {name}"


def test_the_order_names_every_folder() -> None:
    assert {part_of(module) for module in MODULES} - {"__main__", "__init__"} == set(ORDER)


def test_no_circle_of_modules() -> None:
    """What is imported while a module is loaded never leads back to it."""
    names = {
        ".".join(["tutor", *m.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): m for m in MODULES
    }
    loads: dict[str, set[str]] = {}
    for name, module in names.items():
        tree = ast.parse(module.read_text())
        found = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
        loads[name] = {
            t for node in found for a in node.names for t in (f"{node.module}.{a.name}", str(node.module)) if t in names
        }
    TopologicalSorter(loads).prepare()


@of_each(MODULES)
def test_libraries_stay_in_their_rooms(module: Path) -> None:
    part, found = part_of(module), {name.split(".")[0] for name in imports(module)}
    assert "typer" not in found or part == "cli"
    assert "rich" not in found or part in ("printers", "cli")
    assert not (part == "cli" and {"sympy", "mpmath", "numpy"} & found), "the command line knows no mathematics"
    assert module.stem not in NO_UTILS


@of_each(sorted((PACKAGE / "views").rglob("*.py")))
def test_a_view_knows_of_no_output(module: Path) -> None:
    """What there is to see is said by printers, who alone know how wide it is and who reads it."""
    words = {getattr(node, "id", getattr(node, "attr", getattr(node, "arg", ""))) for node in nodes(module)}
    words |= {getattr(node, "name", "") for node in nodes(module)}
    assert not words & {"screen", "Screen", "narrate", "stacked", "width", "color", "unicode", "print", "printer"}
    assert not {"rich", "plotille"} & {name.split(".")[0] for name in imports(module)}
    assert not {name for name in imports(module) if name.startswith("tutor.printers")}


def test_no_module_is_too_long_to_read() -> None:
    """A registry is as long as its subject."""
    read = [m for m in MODULES if m.parent.name != "maths"]
    long = {str(m.relative_to(PACKAGE)): n for m in read if (n := len(m.read_text().splitlines())) > 400}
    assert not long


@of_each(MODULES)
def test_text_is_never_run_as_code(module: Path) -> None:
    for node in nodes(module):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if (module, called) != (COMPILER, "exec"):
                assert called not in ("eval", "exec", "parse_expr", "system", "popen"), ast.dump(node)
            assert not any(k.arg == "shell" for k in node.keywords)
            if called == "sympify":
                assert part_of(module) == "formulas", "sympify never sees text"


@of_each(MODULES)
def test_files_are_written_in_one_place(module: Path) -> None:
    if module == PACKAGE / "files.py":
        return
    for node in nodes(module):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in ("write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rename", "savez"), called
            if called == "open":
                modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                assert not any(set(mode) & set("wax+") and len(mode) < 4 for mode in modes), ast.dump(node)


def looks_into_a_reason(node: ast.AST) -> bool:
    """Whether what the program does depends on the words of a `reason`: it is compared, matched, looked up or taken
    apart."""

    def is_reason(part: ast.AST | None) -> bool:
        return isinstance(part, ast.Attribute) and part.attr == "reason"

    if isinstance(node, ast.Compare):
        return any(is_reason(part) for side in (node.left, *node.comparators) for part in ast.walk(side))
    if isinstance(node, ast.Match):
        return any(map(is_reason, ast.walk(node.subject)))
    if isinstance(node, ast.Subscript):
        return is_reason(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        looked_up = node.func.attr in ("get", "setdefault", "pop", "index", "count", "fullmatch", "match", "search")
        return is_reason(node.func.value) or (looked_up and any(map(is_reason, node.args)))
    return False


@of_each(MODULES)
def test_a_reason_is_prose(module: Path) -> None:
    """What a step is says its kind."""
    assert not [node.lineno for node in nodes(module) if looks_into_a_reason(node)]


@pytest.mark.parametrize(
    "code",
    [
        "step.reason == 'softmax'",
        "'softmax' != steps[0].reason.lower()",
        "step.reason in SUMS",
        "(step.kind, step.reason) == pair",
        "step.reason.startswith('chain rule')",
        "match step.reason:\n case 'softmax': pass",
        "ENTRIES[step.reason]",
        "ENTRIES.get(step.reason)",
    ],
)
def test_looking_into_a_reason_is_seen(code: str) -> None:
    assert any(map(looks_into_a_reason, ast.walk(ast.parse(code))))


def test_nothing_that_anybody_has_named_or_written_gets_into_compiled_source() -> None:
    from tutor.formulas.code import Source
    from tutor.lessons.find import read_lesson, worksheet_of
    from tutor.numbers import decimals

    worksheet = worksheet_of(read_lesson("mlp"))
    source = Source({name: place for place, name in enumerate(worksheet.names)})
    words = {word for step in worksheet.steps for word in re.findall(r"[A-Za-z_]\w*", source.formula(step.formula))}
    assert words <= {"v", "k", "if", "else", *decimals.FUNCTIONS}


def loaded_after(code: str) -> set[str]:
    script = f"{code}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_command_line_loads_neither_sympy_nor_numpy() -> None:
    assert not {"sympy", "numpy", "mpmath"} & loaded_after("import tutor.cli")
    assert not {"sympy", "numpy", "mpmath", "rich", "msgspec"} & loaded_after("import tutor.cli.app")


def test_help_loads_neither_sympy_nor_numpy() -> None:
    code = "import sys; sys.argv = ['tutor', '--help']; from tutor.__main__ import main; main()"
    assert not {"sympy", "numpy", "mpmath", "msgspec"} & loaded_after(code)


def test_each_module_of_the_command_line_holds_the_commands_that_are_said_of_it() -> None:
    """By the first word the module is chosen: a wrong one would know no such command."""
    from tutor.cli.commands import FAMILIES, command_line

    code = "import tutor.cli.commands as c; print(*sorted(c.command_line({!r}).commands))"
    assert sorted(command_line().commands) == sorted(name for names in FAMILIES.values() for name in names)
    for family, names in FAMILIES.items():
        script = [sys.executable, "-c", code.format(names[0])]
        found = subprocess.run(script, capture_output=True, text=True, check=True).stdout.split()
        assert set(names) <= set(found), family
    assert "train" not in found and "compare" not in found, "which are loaded only where they are wanted"


def test_a_plot_and_a_picture_of_what_a_worksheet_decides_need_no_numpy() -> None:
    code = "import sys; sys.argv = ['tutor', 'run', 'depth', '--fresh']; from tutor.__main__ import main; main()"
    assert "numpy" not in loaded_after(code)


def test_lessons_are_listed_and_read_without_sympy() -> None:
    assert not {"sympy", "numpy", "mpmath"} & loaded_after("import tutor.lessons.find as l; l.course()")


def test_a_training_by_matrices_needs_no_sympy() -> None:
    """It would take 36 MB, a fifth of 60,000 pictures."""
    code = "from tutor.data.builtin import load; from tutor.training.setup import set_up; "
    code += "from tutor.training.settings import Settings; set_up(load('digits', 0), Settings(epochs=1)).run()"
    assert not {"sympy", "mpmath"} & loaded_after(code)


def test_a_worksheet_needs_no_numpy() -> None:
    code = "import tutor.lessons.find as l; l.worksheet_of(l.read_lesson('mlp')).values"
    assert "numpy" not in loaded_after(code)
