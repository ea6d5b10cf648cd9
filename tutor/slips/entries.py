"""Another entry of a registry taken for the one that was asked: another loss, another activation, another optimizer or
another form of the same. Each is made wherever it can be, so it is a change of many lines at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from tutor.formulas.expressions import names, number, replace, symbol
from tutor.formulas.quantity import Role, named, owned, read_name
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import RATE, Flag, Variant
from tutor.maths.optimizers import OPTIMIZERS
from tutor.numbers.exact import read_number
from tutor.slips.roles import Roles
from tutor.slips.slip import Hint
from tutor.worksheet.forward import activate, loss_step
from tutor.worksheet.named_network import NamedNeuron
from tutor.worksheet.update import Count, written

Expr = Any

WRONG_LOSS, WRONG_ACTIVATION, WRONG_OPTIMIZER = "wrong-loss", "wrong-activation", "wrong-optimizer"
OTHER_CONVENTION, NO_CORRECTION = "other-convention", "missing-bias-correction"
HINTS = {
    WRONG_LOSS: Hint("Which loss is asked for?", "This looks like {}."),
    WRONG_ACTIVATION: Hint("Which activation function do these neurons have?", "This looks like {}."),
    WRONG_OPTIMIZER: Hint("Which optimizer is asked for?", "These steps look like those of {}."),
    OTHER_CONVENTION: Hint(
        "Which form of the optimizer does this lesson use?",
        "These steps are right in another convention: {}. Look up which one this lesson uses.",
    ),
    NO_CORRECTION: Hint("Which update is this, the first or a later one?", "The bias correction stands still: {}."),
}


class OtherEntry(NamedTuple):
    """The formulas that steps would have with another entry; `description` names it in words."""

    id: str
    entry: str
    description: str
    formulas: Mapping[str, Expr]


def other_entries(roles: Roles) -> Iterator[OtherEntry]:
    yield from _losses(roles)
    yield from _activations(roles)
    yield from _optimizers(roles)


def _losses(roles: Roles) -> Iterator[OtherEntry]:
    steps = [step for step in roles.worksheet.steps if step.kind is Kind.LOSS]
    for name, loss in LOSSES.items():
        formulas: dict[str, Expr] = {}
        for step in steps:
            first = step if step.slopes else roles.by_name.get(step.before or "", step)  # of E_after it is E
            targets = [t for t in names(step.formula) if t in names(first.formula) and t not in first.slopes]
            outputs = [y for y in names(step.formula) if y not in targets]
            if name == step.which or len(outputs) != len(targets):
                continue
            settings = [Fraction(setting.default or 0) for setting in loss.settings.values()]
            other = loss_step(name, settings, outputs, targets, step.name)
            formulas[step.name] = other.formula
            for partial, (of, by) in roles.partials.items():
                if of == step.name and by in other.slopes:
                    formulas[partial] = other.slopes[by]
        if formulas:
            yield OtherEntry(WRONG_LOSS, name, f"the {loss.name.replace('_', ' ')}", formulas)


def _activations(roles: Roles) -> Iterator[OtherEntry]:
    """The values and slopes of all neurons, or of one layer, with another activation."""
    steps = [s for s in roles.worksheet.steps if s.kind is Kind.ACTIVATION and s.which in ACTIVATIONS]
    for name, entry in ACTIVATIONS.items():
        formulas: dict[str, Expr] = {}
        for step in steps:
            inputs = names(step.formula)
            if name in (step.which, "linear") or entry.parameter or entry.slope is None or len(inputs) != 1:
                continue
            other = activate(NamedNeuron("", inputs[0], step.name), name)
            formulas[step.name] = other.formula
            for partial, (of, by) in roles.partials.items():
                if of == step.name and by in other.slopes:
                    formulas[partial] = other.slopes[by]
        if formulas:
            yield OtherEntry(WRONG_ACTIVATION, name, name, formulas)


def _optimizers(roles: Roles) -> Iterator[OtherEntry]:
    conventions = roles.worksheet.conventions
    if conventions.optimizer not in OPTIMIZERS or conventions.rates:
        return
    asked = OPTIMIZERS[conventions.optimizer]
    used = {flag: form == f.on for (flag, f), form in zip(asked.flags.items(), conventions.forms, strict=False)}
    for optimizer in OPTIMIZERS.values():
        is_asked = optimizer is asked
        usual = used if is_asked else {flag: f.default for flag, f in optimizer.flags.items()}
        others = [{flag: not value} for flag, value in usual.items()]
        for chosen in others if is_asked else [{}, *others]:
            variant = optimizer.variant({**usual, **chosen})
            forms = [_form(optimizer.flags[flag], value) for flag, value in chosen.items()]
            kind = OTHER_CONVENTION if is_asked else WRONG_OPTIMIZER
            if not variant.shared and (formulas := _steps_of(variant, roles)):
                yield OtherEntry(kind, optimizer.name, ", ".join([optimizer.name, *forms]), formulas)
    if late := _steps_of(asked.variant(used), roles, lambda count: count + 1):
        yield OtherEntry(OTHER_CONVENTION, asked.name, "t counted from 2", late)
    if still := _steps_of(asked.variant(used), roles, lambda count: 1):
        yield OtherEntry(NO_CORRECTION, asked.name, "t is 1 in every update", still)


def _form(flag: Flag, value: bool) -> str:
    return flag.on if value else flag.off or f"not {flag.on}"


def _steps_of(variant: Variant, roles: Roles, t: Callable[[int], int] = lambda count: count) -> dict[str, Expr]:
    """The lines of this optimizer in the place of those of the worksheet, `t` in its update of that number; what it has
    no line for is put in."""
    formulas: dict[str, Expr] = {}
    givens, updates = roles.worksheet.givens, roles.updates
    for parameter, steps in updates.items():
        space: dict[str, Expr] = {name: _begun(name, start, parameter, givens) for name, start in variant.state.items()}
        for count, (new, gradient, rate) in enumerate(steps, 1):
            old = roles.by_name[new].before or parameter
            space |= {"w": symbol(old), "g": gradient, RATE: rate, "E": symbol(roles.worksheet.goal)}
            for equation in variant.equations:
                at = Count(t(count), count == 1)
                line = _with_settings(written(equation, space, variant, at), variant, givens)
                name = new
                if equation.kind is not Kind.UPDATE:
                    role = Role.NEW if equation.kind is Kind.STATE else Role.PLAIN
                    own, update = owned(equation.name, parameter), read_name(new).update
                    name = named(own, update=update) if update else named(own, role)
                if name in roles.by_name:
                    if line != roles.by_name[name].formula:
                        formulas[name] = line
                    line = symbol(name)
                space[equation.result] = line
            space |= {state: space[f"{state}_new"] for state in variant.state if f"{state}_new" in space}
    return formulas


def _begun(name: str, start: Any, parameter: str, givens: Mapping[str, Any]) -> Expr:
    own = owned(name, parameter)
    if own in givens:
        return symbol(own)
    return symbol(RATE) if start == RATE else number(read_number(str(start)))


def _with_settings(line: Expr, variant: Variant, givens: Mapping[str, Any]) -> Expr:
    """The settings that the worksheet has no name for, as numbers."""
    numbers = {symbol(n): number(read_number(str(v))) for n, v in variant.settings.items() if n not in givens}
    return replace(line, numbers) if numbers else line
