"""A derivative worked out rule by rule, as on paper: each line applies one rule, wherever it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy
from sympy import Add, Mul, Pow

from tutor.arithmetic.symbolic import MINUS_ONE, ONE, ZERO, add, multiply, power, rebuild, replace, symbol, where
from tutor.worksheet.step import Step
from tutor.worksheet.tidy import tidied

Expr = Any
D = sympy.Function("D")
"""D(f, x) stands for a derivative that has not been worked out yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a derivation: the expression so far and the rule that led to it."""

    expression: Expr
    rule: str


Rule = Callable[[Expr, Expr], Expr | None]


def _constant(f: Expr, x: Expr) -> Expr | None:
    """dc/dx = 0"""
    return None if f.has(x) else ZERO


def _sum(f: Expr, x: Expr) -> Expr | None:
    """d(u + v)/dx = du/dx + dv/dx"""
    return add(*(D(term, x) for term in f.args)) if isinstance(f, Add) else None


def _cases(f: Expr, x: Expr) -> Expr | None:
    """what is given case by case is differentiated case by case"""
    return where(f.args[0], *(D(case, x) for case in f.args[1:])) if isinstance(f, where) else None


def _constant_factor(f: Expr, x: Expr) -> Expr | None:
    """d(c*u)/dx = c*du/dx"""
    if not isinstance(f, Mul):
        return None
    constant = [factor for factor in f.args if not factor.has(x)]
    rest = [factor for factor in f.args if factor.has(x)]
    return multiply(*constant, D(multiply(*rest), x)) if constant else None


def _product(f: Expr, x: Expr) -> Expr | None:
    """d(u*v)/dx = du/dx*v + u*dv/dx"""
    if not isinstance(f, Mul):
        return None
    return add(*(multiply(*f.args[:i], D(factor, x), *f.args[i + 1 :]) for i, factor in enumerate(f.args)))


def _power(f: Expr, x: Expr) -> Expr | None:
    """d(u**n)/dx = n*u**(n - 1)*du/dx"""
    if f == x:
        return multiply(ONE, power(x, add(ONE, MINUS_ONE)))
    if not isinstance(f, Pow) or f.exp.has(x):
        return None
    lowered = multiply(f.exp, power(f.base, add(f.exp, MINUS_ONE)))
    return multiply(*lowered.args, D(f.base, x))


def _exp(f: Expr, x: Expr) -> Expr | None:
    """d(exp(u))/dx = exp(u)*du/dx"""
    return multiply(f, D(f.args[0], x)) if isinstance(f, sympy.exp) else None


def _log(f: Expr, x: Expr) -> Expr | None:
    """d(log(u))/dx = 1/u*du/dx"""
    return multiply(power(f.args[0], MINUS_ONE), D(f.args[0], x)) if isinstance(f, sympy.log) else None


def _tanh(f: Expr, x: Expr) -> Expr | None:
    """d(tanh(u))/dx = (1 - tanh(u)**2)*du/dx"""
    if not isinstance(f, sympy.tanh):
        return None
    slope = add(ONE, multiply(MINUS_ONE, power(f, sympy.Integer(2))))
    return multiply(slope, D(f.args[0], x))


def _sin(f: Expr, x: Expr) -> Expr | None:
    """d(sin(u))/dx = cos(u)*du/dx"""
    return multiply(sympy.cos(f.args[0], evaluate=False), D(f.args[0], x)) if isinstance(f, sympy.sin) else None


def _cos(f: Expr, x: Expr) -> Expr | None:
    """d(cos(u))/dx = -sin(u)*du/dx"""
    if not isinstance(f, sympy.cos):
        return None
    return multiply(MINUS_ONE, sympy.sin(f.args[0], evaluate=False), D(f.args[0], x))


def _exponential(f: Expr, x: Expr) -> Expr | None:
    """d(c**u)/dx = c**u*log(c)*du/dx"""
    if not isinstance(f, Pow) or f.base.has(x):
        return None
    return multiply(f, sympy.log(f.base, evaluate=False), D(f.exp, x))


def _variable_power(f: Expr, x: Expr) -> Expr | None:
    """u**v = exp(v*log(u))"""
    if not isinstance(f, Pow):
        return None
    return D(sympy.exp(multiply(f.exp, sympy.log(f.base, evaluate=False)), evaluate=False), x)


RULES: Mapping[str, Rule] = {
    "sum rule": _sum,
    "constant rule": _constant,
    "case by case": _cases,
    "constant factor": _constant_factor,
    "product rule": _product,
    "exponential function, chain rule": _exp,
    "logarithm, chain rule": _log,
    "tanh, chain rule": _tanh,
    "sine, chain rule": _sin,
    "cosine, chain rule": _cos,
    "power rule": _power,
    "exponential with another base, chain rule": _exponential,
    "power as an exponential": _variable_power,
}


def derive(step: Step, name: str, result: Expr) -> tuple[Line, ...]:
    """The derivative of the step's formula by `name`, line by line, down to `result`, its taught form."""
    x = symbol(name)
    lines = [Line(D(step.formula, x), "what is asked")]
    lines += _work_out(lines[0].expression, x)
    if lines[-1].expression != result and name in step.slopes:
        lines += [Line(expression, why) for why, expression in step.bridge]
    lines += _at_corners(lines[-1].expression, result)
    if lines[-1].expression != result:
        named = symbol(step.name) in result.free_symbols
        lines.append(Line(result, f"{step.name} written for its formula" if named else "rearranged"))
    return tuple(lines)


def _at_corners(expression: Expr, result: Expr) -> Iterator[Line]:
    """The slope of |u| where u is 0: there is none, and the taught form takes 0."""
    corners: list[Expr] = []

    def chosen(node: Expr) -> Expr | None:
        if not isinstance(node, where) or node.args[1:] != (ONE, MINUS_ONE):
            return None
        u = node.args[0]
        whole = where(u, ONE, where(multiply(MINUS_ONE, u), MINUS_ONE, ZERO))
        if not result.has(whole):
            return None
        corners.append(u)
        return whole

    found = _everywhere(expression, chosen)
    if found is not None:
        yield Line(found, f"0 is chosen at {corners[0]} = 0, where there is no derivative")


def simplest(step: Step, name: str) -> Expr:
    """The derivative as the rules give it, tidied, with the step's name where its whole formula comes back."""
    x = symbol(name)
    *_, last = [Line(D(step.formula, x), ""), *_work_out(D(step.formula, x), x)]
    return replace(last.expression, {step.formula: symbol(step.name)}) if step.formula.args else last.expression


def _work_out(expression: Expr, x: Expr) -> Iterator[Line]:
    while expression.has(D):
        for name, rule in RULES.items():
            found = _everywhere(expression, partial(_try, rule))
            if found is not None:
                label = f"{name}, chain rule" if rule is _power and _reaches_inside(expression, x) else name
                yield Line(found, label)
                expression = found
                break
        else:
            raise TypeError(f"no rule differentiates {expression}")
    unit = _everywhere(expression, lambda node: ONE if _is_zeroth_power(node) else None)
    if unit is not None:
        yield Line(unit, "x⁰ = 1")
        expression = unit
    tidy = tidied(expression)
    if tidy != expression:
        yield Line(tidy, "simplify")


def _try(rule: Rule, node: Expr) -> Expr | None:
    return rule(*node.args) if isinstance(node, D) else None


def _reaches_inside(expression: Expr, x: Expr) -> bool:
    return any(isinstance(node.args[0], Pow) and node.args[0].base != x for node in expression.atoms(D))


def _is_zeroth_power(node: Expr) -> bool:
    return (
        isinstance(node, Pow)
        and isinstance(node.exp, Add)
        and all(n.is_Rational for n in node.exp.args)
        and sum(node.exp.args) == 0
    )


def _everywhere(node: Expr, change: Callable[[Expr], Expr | None]) -> Expr | None:
    """The expression with `change` made at each node where it applies, None where it applies nowhere."""
    here = change(node)
    if here is not None:
        return here
    if not node.args or isinstance(node, D):
        return None
    parts = [_everywhere(argument, change) for argument in node.args]
    if all(part is None for part in parts):
        return None
    kept = [old if new is None else new for old, new in zip(node.args, parts, strict=True)]
    return rebuild(node, kept)
