"""One quantity explained: `tutor why`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Add

from tutor.formulas.expressions import names
from tutor.views.blocks import Block, Break, Paragraph
from tutor.views.numbers import finite_decimals, full
from tutor.views.worksheet.meaning import meaning
from tutor.views.worksheet.model import WorksheetView
from tutor.views.worksheet.page import calculation, derivation


def explanation(view: WorksheetView, name: str) -> Iterator[Block]:
    """Everything there is to say about `name`: how it comes out, what it is made of, and what is made of it."""
    step = view.worksheet.by_name.get(name)
    if step is None:
        yield Paragraph(f"{name} is given: {view.labels[name]}.")
    else:
        yield calculation(view, step, in_full=in_full(view, name))
        if lines := view.derivation(step):
            yield Break()
            yield derivation(name, lines)
    yield Break()
    yield from map(Paragraph, (*meaning(view, name), *chains(view, name), *relations(view, name)))


def chains(view: WorksheetView, name: str) -> Iterator[str]:
    """For a gradient: the way from the goal to what is differentiated, for every product in its formula."""
    worksheet = view.worksheet
    step = worksheet.by_name.get(name)
    if step is None or step.stage != "gradient":
        return
    products = step.formula.args if isinstance(step.formula, Add) else (step.formula,)
    for product in products:
        factors = [worksheet.by_name[factor] for factor in names(product)]
        links = [factor.partial_of for factor in factors if factor.partial_of]
        if len(links) == len(factors):
            way = [links[0][0], *(inner for _, inner in links)]
            yield f"Follow the error back along {', '.join(way)}; multiply the derivatives of the links."
    if len(products) > 1:
        yield f"{len(products)} ways lead there, so their products are added."


def in_full(view: WorksheetView, name: str) -> str:
    """The value with all its digits, or with thirty of them."""
    value = view.worksheet.values[name]
    exact = isinstance(value, Fraction) and finite_decimals(value, 30) is not None
    return f"{'exactly' if exact else 'to 30 digits'} {full(value)}"


def relations(view: WorksheetView, name: str) -> Iterator[str]:
    """What the quantity is made of, and what is made of it."""
    worksheet = view.worksheet
    if name in worksheet.by_name and (inputs := worksheet.by_name[name].inputs):
        yield f"It needs {', '.join(f'{x} = {view.labels[x]}' for x in inputs)}."
    users = worksheet.users[name]
    yield f"It is used in {', '.join(users)}." if users else "Nothing further depends on it."
