"""Who may import whom, read off the imports themselves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tutor"
MODULES = sorted(PACKAGE.rglob("*.py"))

BASE = {"errors", "arithmetic", "maths", "worksheet"}
TEXT = {"harmless", "read_files", "toml_text"}
MAY_IMPORT = {
    "errors": set(),
    "maths": {"maths"},
    "arithmetic": {"arithmetic", "errors"},
    "worksheet": BASE,
    "lesson_format": BASE | {"toml_text"},
    "lessons": BASE | {"lesson_format", "read_files"},
    "homework": BASE | TEXT | {"homework", "lesson_format", "workers", "files", "faults"},
    "training": BASE | {"training", "lessons", "workers", "files", "read_files", "__init__"},
    "practice": BASE | {"practice", "homework", "lessons"},
    "views": BASE | {"views", "harmless"},
    "recorded": {"errors", "read_files", "toml_text"},
    "differences": set(),
    "transcripts": BASE | {"lessons", "recorded", "differences", "files", "__init__"},
    "scaffold": BASE | {"files", "harmless", "lesson_format"},
    "workers": set(),
    "files": {"errors"},
    "read_files": {"errors"},
    "harmless": set(),
    "toml_text": set(),
    "faults": {"errors", "harmless", "__init__"},
}
"""The parts of the package and what each may import; the command line may import everything."""

HEAVY = {"sympy", "mpmath", "numpy", "rich", "typer", "msgspec", "plotille"}
ALLOWED_LIBRARIES = {
    "errors": set(),
    "maths": set(),
    "arithmetic": {"sympy", "mpmath", "numpy"},
    "worksheet": {"sympy", "msgspec"},
    "lesson_format": {"msgspec"},
    "lessons": set(),
    "homework": {"sympy"},
    "training": {"numpy", "msgspec"},
    "views": {"sympy", "rich", "plotille"},
    "read_files": set(),
    "recorded": {"msgspec"},
    "differences": set(),
    "transcripts": set(),
    "scaffold": set(),
    "workers": set(),
    "files": set(),
    "harmless": set(),
    "toml_text": set(),
    "faults": set(),
}
COMPILER = PACKAGE / "worksheet" / "compile.py"
"""The one module that runs source: its own, in which a quantity is only a place in a list."""
NO_UTILS = {"utils", "util", "core", "helpers", "common", "misc", "base"}


def part_of(module: Path) -> str:
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_part_may(module: Path) -> None:
    part = part_of(module)
    if part in ("cli", "__main__", "__init__"):
        return
    for name in imports(module):
        top, *rest = name.split(".")
        if top == "tutor":
            assert (rest[0] if rest else "__init__") in MAY_IMPORT[part], f"{part} may not import {name}"
        elif top in HEAVY:
            assert top in ALLOWED_LIBRARIES[part], f"{part} may not import {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(module: Path) -> None:
    part, found = part_of(module), {name.split(".")[0] for name in imports(module)}
    assert "typer" not in found or part == "cli"
    assert "rich" not in found or part in ("views", "cli")
    assert not (part == "cli" and {"sympy", "mpmath", "numpy"} & found), "the command line knows no mathematics"
    assert module.stem not in NO_UTILS


def test_no_module_is_too_long_to_read() -> None:
    """A registry is as long as its subject."""
    read = [m for m in MODULES if m.parent.name != "maths"]
    long = {str(m.relative_to(PACKAGE)): n for m in read if (n := len(m.read_text().splitlines())) > 400}
    assert not long


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_text_is_never_run_as_code(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if (module, called) != (COMPILER, "exec"):
                assert called not in ("eval", "exec", "parse_expr", "system", "popen"), ast.dump(node)
            assert not any(k.arg == "shell" for k in node.keywords)
            if called == "sympify":
                assert part_of(module) == "arithmetic", "sympify never sees text"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_files_are_written_in_one_place(module: Path) -> None:
    if module == PACKAGE / "files.py":
        return
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in ("write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rename", "savez"), called
            if called == "open":
                modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                assert not any(set(mode) & set("wax+") and len(mode) < 4 for mode in modes), ast.dump(node)


def test_nothing_that_anybody_has_named_or_written_gets_into_compiled_source() -> None:
    from tutor.arithmetic import decimals
    from tutor.lessons import read_lesson, worksheet_of
    from tutor.worksheet.compile import Source

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


def test_lessons_are_listed_and_read_without_sympy() -> None:
    assert not {"sympy", "numpy", "mpmath"} & loaded_after("import tutor.lessons as l; l.course()")


def test_a_worksheet_needs_no_numpy() -> None:
    code = "import tutor.lessons as l; l.worksheet_of(l.read_lesson('mlp')).values"
    assert "numpy" not in loaded_after(code)
