"""What an optimizer is: named equations in order, and settings that choose among their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.kind import Kind
from tutor.maths.number_system import NumberSystem
from tutor.maths.setting import Setting

Scalar = Any
Body = Callable[[Any, NumberSystem], Scalar]
RATE = "eta"


@dataclass(frozen=True, slots=True)
class Equation:
    """One line: the quantity `name` and its value; the last line of an optimizer is that of `w`.

    The body takes a namespace with w, g, eta, the counts of `counts`, the settings, the states as they were, and the
    results of the lines above: a state's new value as `<state>_new`, anything else by its name.

    A line with a `start` is a state, which lives on from update to update and begins with that: a number, or the name
    of a setting or of the learning rate. With `when` the line is there only where that setting is. A `correction` makes
    up for a state that began at 0. `meaning` says what the quantity is, where the reason says how it comes about.
    """

    name: str
    body: Body
    reason: str
    start: str | None = None
    when: str = ""
    meaning: str = ""
    correction: bool = False

    @property
    def kind(self) -> Kind:
        if self.name == "w":
            return Kind.UPDATE
        if self.start is not None:
            return Kind.STATE
        return Kind.CORRECTION if self.correction else Kind.INTERMEDIATE

    @property
    def result(self) -> str:
        """What the lines below call its result: m_new for a state m, and w_new."""
        return f"{self.name}_new" if self.kind in (Kind.STATE, Kind.UPDATE) else self.name


@dataclass(frozen=True, slots=True)
class Flag:
    """A setting that is true or false, and the form that the optimizer has then; what is usual has no words."""

    default: bool
    on: str
    off: str = ""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`equations` are worked for each parameter, `shared` ones once an update for all of them.

    `rate` is the learning rate that a worksheet takes where none is given, as it was published. It is meant for large
    networks and many updates; `small_rate` lets a small network learn a small problem in a few hundred. `frameworks`
    says how PyTorch and Keras have it.
    """

    name: str
    title: str
    equations: tuple[Equation, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    shared: tuple[Equation, ...] = ()
    rate: str | None = None
    small_rate: str = "0.1"
    remark: str = ""
    source: str = "the lecture"
    frameworks: str = ""

    @property
    def defaults(self) -> dict[str, str]:
        """What each setting is if nothing is said."""
        flags = {name: str(flag.default).lower() for name, flag in self.flags.items()}
        return {name: "left out" if s.default is None else s.default for name, s in self.settings.items()} | flags

    @property
    def adapts_rate(self) -> bool:
        """Whether it finds its own learning rate from update to update, whatever a schedule says."""
        return any(line.name == RATE for line in self.shared)

    def variant(self, given: Mapping[str, Any] | None = None) -> Variant:
        """The form that it has with these settings, numbers as they are given and flags true or false."""
        known = given or {}
        flags = {name: bool(known.get(name, flag.default)) for name, flag in self.flags.items()}
        numbers = {name: known.get(name, s.default) for name, s in self.settings.items() if flags.get(s.when, True)}
        there = {name: number for name, number in numbers.items() if number is not None}
        on = {"", *there, *(name for name, is_on in flags.items() if is_on)}
        equations = tuple(line for line in self.equations if line.when in on)
        shared = tuple(line for line in self.shared if line.when in on)
        begun = {line.start for line in (*equations, *shared)}
        return Variant(
            self,
            equations,
            shared,
            {name: number for name, number in there.items() if name not in begun},
            flags | dict.fromkeys(name for name in self.settings if name not in there),
            {line.name: there.get(line.start, line.start) for line in equations if line.start is not None},
            {line.name: there.get(line.start, line.start) for line in shared if line.start is not None},
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """The lines of an optimizer that are worked with certain settings.

    `settings` are the numbers that the lines name. `choices` are what bodies decide by: flags, and None for numbers
    that are left out. `state` and `shared_state` have what each state begins with: a number, or `RATE`.
    """

    entry: Optimizer
    equations: tuple[Equation, ...]
    shared: tuple[Equation, ...]
    settings: Mapping[str, Any]
    choices: Mapping[str, bool | None]
    state: Mapping[str, Any]
    shared_state: Mapping[str, Any]


def counts(t: Any) -> dict[str, Any]:
    """What bodies know of the number of the update: t, from 1, and the one after it."""
    return {"t": t, "next_t": t + 1}
