"""What every exported script is made of: formulas of `tutor.maths` as lines of Python, data, settings, the loop."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from textwrap import wrap
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor import __version__
from tutor.data.cells import GAPS, GAPS_IN_WORDS
from tutor.export.plan import Plan
from tutor.formulas.code import CALL, SUM, Code, call, choice, code_of, power
from tutor.maths.kind import Kind
from tutor.maths.normalizers import NORMALIZERS
from tutor.maths.number_system import FUNCTIONS
from tutor.maths.optimizer import RATE, Equation, Variant, counts
from tutor.maths.schedules import SCHEDULES
from tutor.training.matrix.engine import SINGLE_FROM

if TYPE_CHECKING:
    from tutor.data.array_types import Stored


class CodeSystem:
    """The number system. `module` is whose functions the script has, `np` or `torch`; with `math` the formula is one
    for single numbers."""

    pi = math.pi

    def __init__(self, module: str) -> None:
        self.module = module

    def _call(self, name: str, *arguments: Any) -> Code:
        return call(f"{self.module}.{name}", *map(code_of, arguments))

    def __getattr__(self, name: str) -> Callable[[Any], Code]:
        """A function of the table: the library's own or Python's, or what the table makes of others."""
        if name not in FUNCTIONS:
            raise AttributeError(name)
        body = FUNCTIONS[name].body
        if body is not None and not hasattr(math, name):
            return lambda z: code_of(body(z, self))
        if self.module == "np" and not hasattr(np, name):
            return lambda z: call(name, code_of(z))  # which `assembled` defines
        return partial(self._call, name)

    def sqrt(self, z: Any) -> Any:
        if self.module == "torch" and isinstance(z, Code):
            return power(z, Code("0.5"))  # torch.sqrt takes no plain number, such as 1 - beta2**t
        return self._call("sqrt", z) if isinstance(z, Code) else math.sqrt(z)

    @staticmethod
    def number(text: str | Fraction) -> Code:
        """The number, not its text: what somebody typed never becomes a part of a script."""
        return code_of(float(text))

    def log_one_plus_exp(self, z: Any) -> Code:
        if self.module == "torch":
            return self._call("logaddexp", z, call("torch.zeros_like", code_of(z)))
        return self._call("logaddexp", z, 0)

    def positive(self, z: Any, then: Any, otherwise: Any) -> Code:
        test, cases = f"{code_of(z).at_least(SUM)} > 0", (code_of(then), code_of(otherwise))
        return choice(test, *cases) if self.module == "math" else call(f"{self.module}.where", Code(test), *cases)


def text_of(body: Callable[..., Any], *arguments: Any) -> str:
    """The text of a formula, for example on one side of an assignment."""
    return code_of(body(*arguments)).whole


_FEW = 24
_COLUMNS = 100
SCALARS = CodeSystem("math")


def assembled(plan: Plan, module: str, library: str, lines: list[str]) -> str:
    """The whole script: what it is, what of Python it needs, the names, and the lines that are its own."""
    body = [*names(plan), *lines]
    text = "\n".join(body)
    if "numbers(" in text:
        body = [*names(plan), *_READING.split("\n"), *lines]
        text = "\n".join(body)
    made = [name for name in FUNCTIONS if not hasattr(np, name) and re.search(rf"(?<![\w.]){name}\(", text)]
    if made:
        body = [*(f"{name} = np.vectorize(math.{name}, otypes=[np.float64])" for name in made), "", *body]
        text = "\n".join(body)
    modules = [f"import {name}" for name in ("base64", "csv", "math", "sys") if f"{name}." in text]
    modules += ["from types import SimpleNamespace"] if "SimpleNamespace(" in text else []
    libraries = ["import numpy as np", *(["import torch"] if module == "torch" else [])]
    return "\n".join([*_opening(plan, library), *modules, "", *libraries, "", *body])


def _opening(plan: Plan, library: str) -> list[str]:
    """The docstring: what this is, how it is used, and what an update leaves out."""
    architecture, settings = plan.architecture, plan.settings
    stands = f"after {plan.epochs} epochs and {plan.updates} updates" if plan.updates else "with its first weights"
    left_out = [
        (settings.dropout, "dropout"),
        (settings.dropconnect, "DropConnect"),
        (settings.stochastic_depth, "stochastic depth"),
        (settings.augment, "augmentation"),
        (settings.class_weights, "class weights"),
    ]
    without = [name for given, name in left_out if given]
    paragraphs = [
        f"It needs nothing but {library}. `python SCRIPT examples.csv` prints what the network says to each row; "
        "predict(x) returns it, and update(x, targets) goes on with the training by one batch. Both compute what tutor "
        "computes, but for the last digits."
    ]
    if without:
        paragraphs.append(f"update works without {', '.join(without)}; predictions do not depend on that.")
    if settings.arithmetic == "fast" and architecture.count >= SINGLE_FROM:
        paragraphs.append("The network was trained in single precision and is computed in double precision here.")
    lines = [f'"""A {"-".join(map(str, architecture.sizes))} network trained with tutor {__version__}, {stands}.']
    for paragraph in paragraphs:
        lines += ["", *wrap(paragraph, _COLUMNS)]
    return [*lines, '"""', ""]


def spelled(equation: str) -> str:
    """An equation in ASCII, like all of a script: whatever encoding it is written in, Python reads the same."""
    return equation.replace("·", "*").replace("²", "^2")


def documented(variant: Variant) -> list[str]:
    """The docstring of an update: the optimizer and its form."""
    entry = variant.entry
    forms = [flag.on if variant.choices[name] else flag.off for name, flag in entry.flags.items()]
    text = spelled(", ".join(filter(None, [f"{entry.title[0].upper()}{entry.title[1:]}", *forms])))
    lines = wrap(f'"""{text}.', _COLUMNS, initial_indent="    ", subsequent_indent="    ")
    return [*lines[:-1], f'{lines[-1]}"""']


def names(plan: Plan) -> list[str]:
    """The columns and the classes."""
    heading, tanh = plan.run.heading, plan.architecture.activations[-1] == "tanh"
    encoding = heading.encoding
    lines = [f"FEATURES = {_strings(heading.features)}"]
    if encoding is not None:
        words = ", ".join("None" if known is None else _strings(known) for known in encoding.words)
        lines.append(f"WORDS = ({words},)  # of each column those that have an input each; None for one of numbers")
    if encoding is not None and encoding.fill:
        lines.append(f"FILL = {encoding.fill!r}  # what stands for a gap in each column")
    if heading.classes:
        lines += [f"CLASSES = {_strings(heading.classes)}", f"LOW, HIGH = {-1.0 if tanh else 0.0}, 1.0"]
    return lines


def _strings(texts: Sequence[str]) -> str:
    return "(" + "".join(f"{text!a}, " for text in texts).rstrip(" ") + ")"


_READING = '''

def numbers(text):
    """Numbers from base64 of little-endian float64.

    So many numbers are short and exact; where there are only a few they are written as decimals, from which Python
    reads the same bits.
    """
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)

'''


def array(values: Stored | Sequence[float]) -> str:
    """Numbers as an expression of the script that gives a NumPy array of them, bit for bit."""
    flat = np.ravel(values).astype("<f8")
    if len(flat) <= _FEW:
        return f"np.array({[float(value) for value in flat]!r})"
    text = base64.b64encode(flat.tobytes()).decode()
    pieces = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "numbers(\n" + "\n".join(f'    "{piece}"' for piece in pieces) + "\n)"


def rate_lines(plan: Plan) -> list[str]:
    """The learning rate by the epoch."""
    training = plan.training
    schedule = SCHEDULES[training.schedule]
    numbers = {name: SCALARS.number(value) for name, value in training.rate_settings.items()}
    space = SimpleNamespace(eta0=code_of(float(training.rate)), epoch=Code("epoch"), **numbers)
    return [
        "def rate(epoch):",
        f'    """{spelled(schedule.equation)}; epochs are counted from 0."""',
        f"    return {code_of(schedule.rate(space, SCALARS)).whole}",
        "",
        "",
    ]


def setting_lines(plan: Plan) -> list[str]:
    """The optimizer's settings, and where it stands."""
    lines = [f"{name} = {SCALARS.number(text).whole}" for name, text in plan.variant.settings.items()]
    now = {"t": plan.updates, **plan.shared}
    return [*lines, f"EPOCH = {plan.epochs}", f"now = {now!r}  # the number of updates, and what goes with it"]


class _Rows(CodeSystem):
    """The sums of all rows."""

    def total(self, values: Code) -> Code:
        axis = "dim=1, keepdim=True" if self.module == "torch" else "axis=1, keepdims=True"
        return Code(f"({values.whole}).sum({axis})", CALL)


def scaling_lines(plan: Plan, module: str) -> list[str]:
    """The last lines of a function that scales x as the examples of the training were."""
    scaling = plan.run.heading.scaling
    if scaling is None:
        return ["    return x"]
    if scaling.scale:
        return ["    return (x - shift) / scale"]
    length = text_of(NORMALIZERS[scaling.name].scale, Code("x"), 0, _Rows(module))
    return [f"    length = {length}", f"    return x / {module}.where(length > 0, length, 1.0)"]


def target_lines(plan: Plan) -> list[str]:
    """How the targets were scaled, if they were."""
    scaling = plan.run.heading.target_scaling
    if scaling is None:
        return []
    return [
        f"target_shift = {array(scaling.shift)}",
        f"target_scale = {array(scaling.scale)}",
    ]


def in_units(plan: Plan, outputs: str) -> str:
    """The outputs in the unit that the targets had."""
    return outputs if plan.run.heading.target_scaling is None else f"{outputs} * target_scale + target_shift"


def own_targets(plan: Plan, targets: str) -> str:
    """The targets as the network learns them."""
    return targets if plan.run.heading.target_scaling is None else f"({targets} - target_shift) / target_scale"


def step_lines(plan: Plan, module: str, indent: str) -> tuple[list[str], list[str]]:
    """The optimizer's equations: those for all parameters together, then those for `w` and its gradient `g`."""
    variant = plan.variant
    states = {"w", *variant.state, *variant.shared_state}
    known = ("w", "g", "t", RATE, "E", *variant.settings, *states)
    space: dict[str, Any] = {**{name: Code(name) for name in known}, **variant.choices, **counts(Code("t"))}

    def line(equation: Equation, m: CodeSystem) -> tuple[str, str]:
        """The name of what it makes, and its text."""
        first, later = (code_of(equation.body(SimpleNamespace(**space, first=f), m)).whole for f in (True, False))
        space[equation.result] = Code(equation.result)
        return equation.result, later if first == later else f"{first} if t == 1 else {later}"

    together = [f"    {name} = now[{name!r}]" for name in variant.shared_state]
    for equation in variant.shared:
        name, text = line(equation, SCALARS)
        together.append(f"    {name} = {text}  # {equation.reason}")
    if variant.shared_state:
        together.append(
            f"    now.update({', '.join(f'{e.name}={e.result}' for e in variant.shared if e.kind is Kind.STATE)})"
        )
    each = []
    for equation in variant.equations:
        name, text = line(equation, CodeSystem(module))
        each.append(f"{indent}{'w[...]' if equation.kind is Kind.UPDATE else name} = {text}  # {equation.reason}")
    each += [f"{indent}{e.name}[...] = {e.result}" for e in variant.equations if e.kind is Kind.STATE]
    return together, each


def using(plan: Plan) -> list[str]:
    """Classes of outputs, targets of classes, and the program that reads a CSV."""
    heading, architecture = plan.run.heading, plan.architecture
    lines = []
    if heading.classes:
        several = architecture.sizes[-1] > 1
        middle = "(LOW + HIGH) / 2"
        guess = "outputs.argmax(1)" if several else f"(outputs[:, 0] > {middle})"
        each = (
            "HIGH if name == known else LOW for known in CLASSES" if several else "HIGH if name == CLASSES[1] else LOW"
        )
        lines = [
            "def classes_of(outputs):",
            '    """The class that each example is taken for."""',
            f"    return [CLASSES[number] for number in {guess}.tolist()]",
            "",
            "",
            "def targets_of(classes):",
            '    """The targets for examples of these classes, as update takes them."""',
            f"    return [[{each}] for name in classes]",
            "",
            "",
        ]
    row = "inputs([row[place] for place in places])"
    if heading.encoding is None:
        row = "[float(row[place]) for place in places]"
    needed = "with numbers for" if heading.encoding is None else "with the columns"
    shown = ["name if name.isprintable() else repr(name), "] if heading.classes else [""]
    pairs = "zip(classes_of(outputs), outputs.tolist())" if heading.classes else "outputs.tolist()"
    return [
        *lines,
        *_inputs(plan),
        *_READ.strip("\n").split("\n"),
        f"    return [{row} for row in rows]",
        "",
        "",
        "def main():",
        "    if len(sys.argv) != 2:",
        '        sys.exit(f"usage: python {sys.argv[0]} examples.csv")',
        "    try:",
        "        x = read(sys.argv[1])",
        "        if not x:",
        '            raise ValueError("no examples")',
        "    except (OSError, ValueError, IndexError, csv.Error) as error:",
        '        wanted = ", ".join(FEATURES)',
        f'        sys.exit(f"{{sys.argv[1]}}: {{error}}; it needs a row an example, {needed} {{wanted}}")',
        "    outputs = predict(x)",
        f"    for {'name, row' if heading.classes else 'row'} in {pairs}:",
        f'        print({shown[0]}*(f"{{value:.6g}}" for value in row), sep="\\t")',
        "",
        "",
        'if __name__ == "__main__":',
        "    main()",
        "",
    ]


def _inputs(plan: Plan) -> list[str]:
    """What makes inputs of the cells of a row, where some of them are words or gaps."""
    encoding = plan.run.heading.encoding
    if encoding is None:
        return []
    gap = "found += [FILL[k]] if words is None else [0.0] * len(words)"
    if not encoding.fill:
        gap = 'raise ValueError(f"a cell of {name!a} is empty")'
    known = [f"GAPS_IN_WORDS = {sorted(GAPS_IN_WORDS)!r}", f"GAPS = {sorted(GAPS)!r}"]
    return [*known, "", "", *_INPUTS.strip("\n").replace("GAP\n", f"{gap}\n").split("\n"), "", ""]


_READ = '''
def is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def read(path):
    """The columns of a CSV that the network knows: by their names, or the first ones where it knows none of them."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    places = range(len(FEATURES))
    first = [cell.strip() for cell in rows[0]] if rows else []
    if first and (set(FEATURES) & set(first) or not any(map(is_number, first))):
        heading = [cell.strip() for cell in rows.pop(0)]
        known = [name for name in FEATURES if name in heading]
        if known and len(known) < len(FEATURES):
            missing = [name for name in FEATURES if name not in heading]
            raise ValueError(f"there is no column {', '.join(map(ascii, missing))}")
        if any(heading.count(name) > 1 for name in known):
            raise ValueError("two columns have the same name")
        if known:
            places = [heading.index(name) for name in FEATURES]
'''
_INPUTS = '''
def inputs(cells):
    """The inputs for one row of a table: a number as it is, and for each word of a column 1 where it stands, else 0."""
    found = []
    for k, (name, words) in enumerate(zip(FEATURES, WORDS)):
        cell = " ".join(cells[k].split())
        gap = cell.lower() in (GAPS if words is None else GAPS_IN_WORDS)
        if gap:
            GAP
        elif words is None:
            found.append(float(cell))
        else:
            if cell not in words:
                print(f"{cell!a} in {name!a} is unknown; all inputs of that column are 0", file=sys.stderr)
            found += [float(word == cell) for word in words]
    return found
'''
