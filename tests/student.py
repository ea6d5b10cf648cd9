"""A simulated student: networks worked line by line in plain Python floats, with a slip in one line if asked for.

Nothing here is taken from the program: the forward and the backward pass, the rounding and every slip are written
again, so that the figures of `python tests/simulation.py` say something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from random import Random

Values = dict[str, float]
Work = Callable[[Values], float]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


ACTIVATIONS: dict[str, tuple[Callable[[float], float], Callable[[float, float], float]]] = {
    "linear": (lambda z: z, lambda z, a: 1.0),
    "sigmoid": (sigmoid, lambda z, a: a * (1 - a)),
    "tanh": (math.tanh, lambda z, a: 1 - a * a),
    "softplus": (lambda z: math.log1p(math.exp(z)), lambda z, a: 1 / (1 + math.exp(-z))),
}
"""Each with its slope, from the weighted sum z and the output a."""


@dataclass
class Line:
    """One line of the sheet. `exact` is set where it only copies a number; `slips` has other ways to work it."""

    name: str
    work: Work
    kind: str
    slips: list[tuple[str, Work]] = field(default_factory=list)
    copies: bool = False
    before: str = ""


@dataclass
class Exercise:
    """A random network with its data: as a lesson file, and as the lines that a student works."""

    random: Random

    def __post_init__(self) -> None:
        r = self.random
        self.sizes = [r.randint(1, 4) for _ in range(r.randint(2, 4))]
        self.loss = r.choice(["half_squared_error", "squared_error", "mean_squared_error", "binary_cross_entropy"])
        self.activations = [r.choice(list(ACTIVATIONS)) for _ in self.sizes[1:]]
        if self.loss == "binary_cross_entropy":
            self.activations[-1] = "sigmoid"
        if self.sizes[-1] > 1 and r.random() < 0.2:
            self.loss, self.activations[-1] = "cross_entropy", "softmax"
        self.optimizer = r.choice(["sgd", "sgd", "sgd", "momentum", "adam"])
        self.count = r.choice([1, 1, 2])
        self.batch = r.choice(["mean", "sum"])
        self.eta = r.choice(
            ["0.3", "0.2", "0.05", "0.07"]
        )  # with 0.1 or 0.5 a forgotten rate is a decimal slip or a half
        self.givens: dict[str, str] = {}
        self.layers: list[list[dict[str, object]]] = []
        before = [f"X{i + 1}" for i in range(self.sizes[0])]
        w = b = hidden = 0
        for depth, size in enumerate(self.sizes[1:], 1):
            layer = []
            last = depth == len(self.sizes) - 1
            for j in range(size):
                stem = ("out" if size == 1 else f"o{j + 1}") if last else f"h{hidden + j + 1}"
                names = []
                for _ in before:
                    w += 1
                    names.append(f"W{w}")
                    self.givens[f"W{w}"] = self.number(0.05, 1.2, signed=True)
                b += 1
                self.givens[f"b{b}"] = self.number(0.05, 1.0, signed=True)
                layer.append({"stem": stem, "inputs": list(before), "weights": names, "bias": f"b{b}"})
            hidden += size
            self.layers.append(layer)
            before = [f"{n['stem']}_out" for n in layer]
        self.inputs = [[self.number(0.1, 2, signed=True) for _ in range(self.sizes[0])] for _ in range(self.count)]
        self.targets = [[self.number(0.05, 0.95) for _ in range(self.sizes[-1])] for _ in range(self.count)]
        if self.loss == "cross_entropy":
            hot = [r.randrange(self.sizes[-1]) for _ in range(self.count)]
            self.targets = [["1" if i == one else "0" for i in range(self.sizes[-1])] for one in hot]

    def number(self, low: float, high: float, signed: bool = False) -> str:
        text = f"{self.random.uniform(low, high):.2f}"
        return f"-{text}" if signed and self.random.random() < 0.4 else text

    def toml(self) -> str:
        lines = ["format = 1", 'title = "random"', "[network]"]
        lines.append("inputs = [" + ", ".join(f'"X{i + 1}"' for i in range(self.sizes[0])) + "]")
        lines.append(f'loss = "{self.loss}"')
        for layer, activation in zip(self.layers, self.activations, strict=True):
            rows = ", ".join("[" + ", ".join(self.givens[w] for w in n["weights"]) + "]" for n in layer)
            biases = ", ".join(self.givens[str(n["bias"])] for n in layer)
            lines += [
                "[[network.layers]]",
                f'activation = "{activation}"',
                f"weights = [{rows}]",
                f"biases = [{biases}]",
            ]
        for x, t in zip(self.inputs, self.targets, strict=True):
            lines += ["[[examples]]", f"inputs = [{', '.join(x)}]", f"targets = [{', '.join(t)}]"]
        lines += [
            "[training]",
            f"learning_rate = {self.eta}",
            f'batch = "{self.batch}"',
            f'optimizer = "{self.optimizer}"',
        ]
        return "\n".join(lines) + "\n"

    def tags(self) -> list[str]:
        return [""] if self.count == 1 else [f"@{e + 1}" for e in range(self.count)]

    def start(self) -> dict[str, str]:
        """Everything that is given, as written."""
        found = {**self.givens, "eta": self.eta}
        states = {"sgd": "", "momentum": "v", "adam": "mv"}[self.optimizer]
        found |= {f"{state}_{p}": "0" for state in states for p in self.givens}
        found |= {
            "sgd": {},
            "momentum": {"beta": "0.9"},
            "adam": {"beta1": "0.9", "beta2": "0.999", "epsilon": "1e-8"},
        }[self.optimizer]
        outputs = self.layers[-1]
        for tag, x, t in zip(self.tags(), self.inputs, self.targets, strict=True):
            found |= {f"X{i + 1}{tag}": v for i, v in enumerate(x)}
            names = ["desired"] if len(outputs) == 1 else [f"desired_{n['stem']}" for n in outputs]
            found |= {f"{n}{tag}": v for n, v in zip(names, t, strict=True)}
        return found

    def target(self, neuron: dict[str, object], tag: str) -> str:
        return f"desired{tag}" if len(self.layers[-1]) == 1 else f"desired_{neuron['stem']}{tag}"

    # The lines, in the order in which a student works them.

    def lines(self) -> list[Line]:
        found: list[Line] = []
        for tag in self.tags():
            found += self.forward(tag, "")
        found += self.total("")
        for tag in self.tags():
            found += self.partials(tag)
        for tag in self.tags():
            found += self.gradients(tag)
        found += self.combined()
        found += self.updates()
        for tag in self.tags():
            found += self.forward(tag, "_after")
        found += self.total("_after")
        return found

    def forward(self, tag: str, after: str) -> Iterator[Line]:
        end = f"{after}{tag}"
        new = "_new" if after else ""
        for layer, activation in zip(self.layers, self.activations, strict=True):
            for n in layer:
                stem, bias = n["stem"], f"{n['bias']}{new}"
                weights = [f"{w}{new}" for w in n["weights"]]
                inputs = [x + (tag if x.startswith("X") else end) for x in n["inputs"]]
                yield self.sum_line(f"{stem}_in{end}", weights, inputs, bias)
                if activation != "softmax":
                    yield self.activation_line(f"{stem}_out{end}", f"{stem}_in{end}", activation)
            if activation == "softmax":
                sums = [f"{n['stem']}_in{end}" for n in layer]
                for n in layer:
                    yield self.softmax_line(f"{n['stem']}_out{end}", f"{n['stem']}_in{end}", sums)
        yield self.loss_line(f"E{end}", [(f"{n['stem']}_out{end}", self.target(n, tag)) for n in self.layers[-1]])

    def sum_line(self, name: str, weights: list[str], inputs: list[str], bias: str) -> Line:
        def work(v: Values, ws: list[str] = weights, skip: int = -1, b: bool = True) -> float:
            total = sum(v[w] * v[x] for i, (w, x) in enumerate(zip(ws, inputs, strict=True)) if i != skip)
            return total + (v[bias] if b else 0.0)

        slips: list[tuple[str, Work]] = [("missing-bias", lambda v: work(v, b=False))]
        for i in range(len(weights)):
            slips.append(("missing-term", lambda v, i=i: work(v, skip=i)))
            for j in range(i):
                other = list(weights)
                other[i], other[j] = other[j], other[i]
                slips.append(("swapped-weights", lambda v, other=other: work(v, ws=other)))
        return Line(name, work, "forward", slips)

    def activation_line(self, name: str, total: str, activation: str) -> Line:
        value = ACTIVATIONS[activation][0]
        slips: list[tuple[str, Work]] = []
        if activation != "linear":
            slips.append(("no-activation", lambda v: v[total]))
        for other, (f, _) in ACTIVATIONS.items():
            if other not in (activation, "linear"):
                slips.append(("wrong-activation", lambda v, f=f: f(v[total])))
        if activation == "sigmoid":
            slips.append(("exp-sign", lambda v: 1 / (1 + math.exp(v[total]))))
        return Line(name, lambda v: value(v[total]), "forward", slips)

    def softmax_line(self, name: str, mine: str, sums: list[str]) -> Line:
        def work(v: Values, sign: int = 1, skip: str = "") -> float:
            return math.exp(sign * v[mine]) / sum(math.exp(sign * v[z]) for z in sums if z != skip)

        slips: list[tuple[str, Work]] = [("missing-term", lambda v, z=z: work(v, skip=z)) for z in sums]
        return Line(name, work, "forward", slips)

    def loss_line(self, name: str, pairs: list[tuple[str, str]]) -> Line:
        def work(
            v: Values, log: Callable[[float], float] = math.log, mean: bool = self.loss == "mean_squared_error"
        ) -> float:
            if self.loss == "binary_cross_entropy":
                return -sum(v[t] * log(v[y]) + (1 - v[t]) * log(1 - v[y]) for y, t in pairs)
            if self.loss == "cross_entropy":
                return -sum(v[t] * log(v[y]) for y, t in pairs if v[t])
            total = sum((v[t] - v[y]) ** 2 for y, t in pairs)
            return total / 2 if self.loss == "half_squared_error" else total / len(pairs) if mean else total

        slips: list[tuple[str, Work]] = [("factor-two", lambda v: 2 * work(v))]
        if "cross_entropy" in self.loss:
            slips.append(("log-base", lambda v: work(v, log=math.log10)))
        if self.loss == "mean_squared_error" and len(pairs) > 1:
            slips.append(("sum-for-mean", lambda v: work(v, mean=False)))
        return Line(name, work, "loss", slips)

    def total(self, after: str) -> list[Line]:
        if self.count == 1:
            return []
        parts = [f"E{after}{tag}" for tag in self.tags()]
        return [self.reduced(f"E{after}", parts, "loss")]

    def reduced(self, name: str, parts: list[str], kind: str) -> Line:
        share = 1 / self.count if self.batch == "mean" else 1.0
        slips: list[tuple[str, Work]] = [("overwritten", lambda v: share * v[parts[-1]])]
        if self.batch == "mean":
            slips.append(("sum-for-mean", lambda v: sum(v[p] for p in parts)))
        else:
            slips.append(("mean-for-sum", lambda v: sum(v[p] for p in parts) / self.count))
        return Line(name, lambda v: share * sum(v[p] for p in parts), kind, slips)

    def neurons(self) -> list[tuple[int, dict[str, object]]]:
        return [(depth, n) for depth, layer in enumerate(self.layers) for n in layer]

    def partials(self, tag: str) -> Iterator[Line]:
        for n in self.layers[-1]:
            yield self.error_line(f"E{tag}", f"{n['stem']}_out{tag}", self.target(n, tag))
        for depth, n in self.neurons():
            if self.activations[depth] == "softmax":
                yield from self.jacobian(str(n["stem"]), tag)
            else:
                yield self.slope_line(depth, str(n["stem"]), tag)
            total = f"{n['stem']}_in{tag}"
            for w, x in zip(n["weights"], n["inputs"], strict=True):
                x = f"{x}{tag}"
                slips = [("weight-for-input", lambda v, w=w: v[w])]
                yield Line(f"d{total}/d{w}", lambda v, x=x: v[x], "partial", slips, copies=True)
                if depth:
                    slips = [("input-for-weight", lambda v, x=x: v[x])]
                    if (
                        self.count == 1
                        and self.optimizer == "sgd"
                        and depth == len(self.layers) - 1
                        and self.activations[depth] != "softmax"
                    ):
                        slips.append(
                            (
                                "updated-weight",
                                lambda v, w=w, x=x, n=n: (
                                    v[w]
                                    - v["eta"]
                                    * v[f"dE/d{n['stem']}_out"]
                                    * v[f"d{n['stem']}_out/d{n['stem']}_in"]
                                    * v[x]
                                ),
                            )
                        )
                    yield Line(f"d{total}/d{x}", lambda v, w=w: v[w], "partial", slips, copies=True)
            yield Line(f"d{total}/d{n['bias']}", lambda v: 1.0, "partial", copies=True)

    def error_line(self, error: str, output: str, target: str) -> Line:
        count = len(self.layers[-1])

        def work(v: Values) -> float:
            y, t = v[output], v[target]
            if self.loss == "binary_cross_entropy":
                return (y - t) / (y * (1 - y))
            if self.loss == "cross_entropy":
                return -t / y
            return {"half_squared_error": 1, "squared_error": 2, "mean_squared_error": 2 / count}[self.loss] * (y - t)

        slips: list[tuple[str, Work]] = [
            ("error-sign", lambda v: -work(v)),
            ("factor-two", lambda v: 2 * work(v)),
            ("factor-two", lambda v: work(v) / 2),
        ]
        return Line(f"d{error}/d{output}", work, "partial", slips)

    def slope(self, depth: int, stem: str, tag: str) -> Work:
        slope = ACTIVATIONS[self.activations[depth]][1]
        return lambda v: slope(v[f"{stem}_in{tag}"], v[f"{stem}_out{tag}"])

    def slope_line(self, depth: int, stem: str, tag: str) -> Line:
        z, a = f"{stem}_in{tag}", f"{stem}_out{tag}"
        activation = self.activations[depth]
        value, slope = ACTIVATIONS[activation]
        slips: list[tuple[str, Work]] = []
        if activation in ("sigmoid", "tanh"):
            slips.append(("slope-of-output", lambda v: slope(0.0, value(v[a]))))
        for other_depth, other in self.neurons():
            if other["stem"] != stem and self.activations[other_depth] != "softmax":
                slips.append(("other-neuron-slope", self.slope(other_depth, str(other["stem"]), tag)))
        return Line(f"d{a}/d{z}", self.slope(depth, stem, tag), "partial", slips)

    def jacobian(self, stem: str, tag: str) -> Iterator[Line]:
        a = f"{stem}_out{tag}"
        for n in self.layers[-1]:
            b = f"{n['stem']}_out{tag}"
            f = (lambda v: v[a] * (1 - v[a])) if a == b else (lambda v, b=b: -v[a] * v[b])
            yield Line(f"d{a}/d{n['stem']}_in{tag}", f, "partial")

    def gradients(self, tag: str) -> Iterator[Line]:
        for depth, n in self.neurons():
            z = f"{n['stem']}_in{tag}"
            for parameter in [*n["weights"], n["bias"]]:
                yield self.gradient_line(depth, str(n["stem"]), f"d{z}/d{parameter}", f"dE{tag}/d{parameter}", tag)

    def paths(self, depth: int, stem: str, tag: str) -> list[list[str]]:
        """The factors from the loss down to the weighted sum of a neuron, path by path."""
        slope = f"d{stem}_out{tag}/d{stem}_in{tag}"
        if self.activations[depth] == "softmax":
            outputs = [n["stem"] for n in self.layers[-1]]
            return [[f"dE{tag}/d{o}_out{tag}", f"d{o}_out{tag}/d{stem}_in{tag}"] for o in outputs]
        if depth == len(self.layers) - 1:
            return [[f"dE{tag}/d{stem}_out{tag}", slope]]
        found = []
        for n in self.layers[depth + 1]:
            link = f"d{n['stem']}_in{tag}/d{stem}_out{tag}"
            found += [[*path, link, slope] for path in self.paths(depth + 1, str(n["stem"]), tag)]
        return found

    def gradient_line(self, depth: int, stem: str, last: str, name: str, tag: str) -> Line:
        paths = [[*path, last] for path in self.paths(depth, stem, tag)]

        def work(v: Values, skip: frozenset[str] = frozenset(), without: int = -1) -> float:
            return sum(math.prod(v[f] for f in path if f not in skip) for i, path in enumerate(paths) if i != without)

        slopes = sorted({f for path in paths for f in path if "_out" in f.split("/")[0] and "_in" in f.split("/")[1]})
        slopes = [f for f in slopes if not f.startswith("dE")]
        slips: list[tuple[str, Work]] = [("missing-slope", lambda v, s=s: work(v, frozenset({s}))) for s in slopes]
        if len(slopes) > 1:
            slips.append(("missing-slope", lambda v: work(v, frozenset(slopes))))
        for f in sorted({f for path in paths for f in path}):
            slips.append(("partial-for-gradient", lambda v, f=f: v[f]))
        if len(paths) > 1:
            slips += [("missing-term", lambda v, i=i: work(v, without=i)) for i in range(len(paths))]
        slips.append(("sign-slip", lambda v: -work(v)))
        return Line(name, work, "gradient", slips)

    def parameters(self) -> list[str]:
        return [p for p in self.givens if p[0] in "Wb"]

    def combined(self) -> list[Line]:
        if self.count == 1:
            return []
        return [
            self.reduced(f"dE/d{p}", [f"dE{tag}/d{p}" for tag in self.tags()], "gradient") for p in self.parameters()
        ]

    def updates(self) -> Iterator[Line]:
        for p in self.parameters():
            yield from {"sgd": self.descent, "momentum": self.momentum, "adam": self.adam}[self.optimizer](p)

    def momentum(self, p: str) -> Iterator[Line]:
        g, v_new = f"dE/d{p}", f"v_{p}_new"
        yield Line(v_new, lambda v: 0.9 * v[f"v_{p}"] + 0.1 * v[g], "update")
        slips = [("ascent", lambda v: v[p] + v["eta"] * v[v_new]), ("missing-rate", lambda v: v[p] - v[v_new])]
        yield Line(f"{p}_new", lambda v: v[p] - v["eta"] * v[v_new], "update", slips, before=p)

    def adam(self, p: str) -> Iterator[Line]:
        g, m, s = f"dE/d{p}", f"m_{p}_new", f"v_{p}_new"
        yield Line(m, lambda v: 0.9 * v[f"m_{p}"] + 0.1 * v[g], "update", [("swapped-betas", lambda v: 0.001 * v[g])])
        yield Line(
            s,
            lambda v: 0.999 * v[f"v_{p}"] + 0.001 * v[g] ** 2,
            "update",
            [("swapped-betas", lambda v: 0.1 * v[g] ** 2)],
        )
        yield Line(f"m_hat_{p}", lambda v: v[m] / 0.1, "update", [("missing-bias-correction", lambda v: v[m])])
        yield Line(f"v_hat_{p}", lambda v: v[s] / 0.001, "update", [("missing-bias-correction", lambda v: v[s])])

        def work(
            v: Values, m_hat: str = f"m_hat_{p}", v_hat: str = f"v_hat_{p}", sign: int = -1, eta: str = "eta"
        ) -> float:
            return v[p] + sign * (v[eta] if eta else 1) * v[m_hat] / (math.sqrt(v[v_hat]) + 1e-8)

        slips: list[tuple[str, Work]] = [
            ("ascent", lambda v: work(v, sign=1)),
            ("missing-rate", lambda v: work(v, eta="")),
            ("missing-bias-correction", lambda v: work(v, m_hat=m)),
            ("missing-bias-correction", lambda v: work(v, v_hat=s)),
        ]
        yield Line(f"{p}_new", work, "update", slips, before=p)

    def descent(self, p: str) -> Iterator[Line]:
        g = f"dE/d{p}"
        change: dict[str, Work] = {
            "ascent": lambda v: -v["eta"] * v[g],
            "missing-rate": lambda v: v[g],
            "decimal-slip": lambda v: 10 * v["eta"] * v[g],
            "factor-two": lambda v: 2 * v["eta"] * v[g],
        }
        slips: list[tuple[str, Work]] = [(slip, lambda v, c=c: v[p] - c(v)) for slip, c in change.items()]
        yield Line(f"{p}_new", lambda v: v[p] - v["eta"] * v[g], "update", slips, before=p)


@dataclass(frozen=True)
class Habits:
    """How a student writes numbers down, and which lines they hand in."""

    digits: int
    significant: bool
    truncating: bool
    reusing: bool
    padding: bool
    handed: str

    @staticmethod
    def of(r: Random) -> Habits:
        return Habits(
            digits=r.randint(3, 8),
            significant=r.random() < 0.7,
            truncating=r.random() < 0.3,
            reusing=r.random() < 0.5,
            padding=r.random() < 0.3,
            handed=r.choice(["all", "all", "some", "gradients"]),
        )

    def write(self, value: float, copied: str = "") -> str:
        """The number as it is written; a number that is only copied stays as it stands, or is padded with zeros."""
        if copied and not self.padding:
            return copied
        if value == 0:
            return "0"
        decimals = self.digits if not self.significant else self.digits - 1 - math.floor(math.log10(abs(value)))
        decimals = max(decimals, 0)
        if copied:
            return f"{float(copied):.{max(decimals, len(copied.partition('.')[2]))}f}"
        if self.truncating:
            longer = Decimal(f"{value:.12g}")  # what a pocket calculator has
            return f"{longer.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN):f}"
        return f"{value:.{decimals}f}"

    def unit(self, text: str) -> float:
        return 10.0 ** -len(text.partition(".")[2])


@dataclass
class Paper:
    """What a student hands in: the text of every line worked, the values behind them, and where the slip is."""

    texts: dict[str, str]
    values: Values
    handed: dict[str, str]


def work(exercise: Exercise, lines: list[Line], habits: Habits, handed: set[str], slips: dict[str, Work]) -> Paper:
    """Work the lines one after the other; `slips` has those that are worked in another way."""
    start = exercise.start()
    values: Values = {name: float(text) for name, text in start.items()}
    texts: dict[str, str] = {}
    for line in lines:
        value = slips.get(line.name, line.work)(values)
        copied = ""
        if line.copies and line.name not in slips:
            source = next((n for n in start if float(start[n]) == value), "")
            same = next((n for n, v in values.items() if v == value and n in texts), "")
            copied = "1" if value == 1 else start[source] if source else texts.get(same, "")
            text = habits.write(value, copied) if value == 1 or source else copied or habits.write(value)
        else:
            text = habits.write(value)
        texts[line.name] = text
        values[line.name] = float(text) if habits.reusing else value
    return Paper(texts, values, {n: t for n, t in texts.items() if n in handed})


def handed_lines(lines: list[Line], habits: Habits, r: Random) -> set[str]:
    names = [line.name for line in lines]
    if habits.handed == "some":
        return {name for name in names if r.random() < 0.6}
    if habits.handed == "gradients":
        return {line.name for line in lines if line.kind in ("gradient", "update")}
    return set(names)


def called(slip: str, way: Work, line: Line, values: Values) -> str:
    """The name of a slip. One that can happen in any line is, where it gives the number of one that is special to the
    line, that one: a factor copied as the gradient is a partial taken for the gradient, half of a sum over two
    examples is their mean."""
    number = way(values)
    special = [name for name, other in line.slips if math.isclose(_tried(other, values), number, rel_tol=1e-9)]
    return slip if slip in special or not special else special[0]


def _tried(way: Work, values: Values) -> float:
    try:
        return way(values)
    except (ArithmeticError, ValueError):
        return math.nan


def general_slips(line: Line, lines: list[Line], r: Random) -> list[tuple[str, Work]]:
    """Slips that can happen in any line."""
    f = line.work
    if line.before:
        return []
    other = r.choice(lines[: next(i for i, x in enumerate(lines) if x is line)] or lines[:1]).name
    return [
        *([("swapped-values", lambda v: v[other])] if other != line.name else []),
        ("decimal-slip", lambda v: 10 * f(v)),
        ("decimal-slip", lambda v: f(v) / 10),
        ("decimal-slip", lambda v: 100 * f(v)),
        ("sign-slip", lambda v: -f(v)),
        ("factor-two", lambda v: 2 * f(v)),
        ("factor-two", lambda v: f(v) / 2),
    ]
