"""One mistake of the registries, explained: the question to ask oneself, the mistake in numbers, what it is in code."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tutor.numbers.exact import Number
from tutor.results import Result
from tutor.slips.example import Example
from tutor.trace.mistakes.mistake import Mistake
from tutor.views.blocks import Block, Code, Formula, Heading, Level, Paragraph
from tutor.views.notation import expression_text
from tutor.views.numbers import full, shown

_MOST = 30


class SlipExample(Struct):
    """The mistake in a line of a worksheet: both formulas, and both values with 30 digits."""

    worksheet: str
    line: str
    right: str
    right_value: str
    slipped: str
    slipped_value: str


class SlipDocument(Result):
    """What `tutor explain slip:NAME --json` prints. `question` and `rule` are those of homework, `message`, `numpy` and
    `pytorch` those of `tutor trace`; what one of the two does not know is empty."""

    name: str
    kind: str = "slip"
    question: str = ""
    rule: str = ""
    message: str = ""
    numpy: str = ""
    pytorch: str = ""
    example: SlipExample | None = None


def slip_document(name: str, example: Example | None, mistake: Mistake | None) -> SlipDocument:
    """Everything that is shown of the mistake."""
    document = SlipDocument(name)
    if mistake is not None:
        document.message = mistake.message.format("…")
        document.numpy, document.pytorch = mistake.numpy, mistake.pytorch
    if example is not None:
        document.question, document.rule = example.hint.question, example.hint.rule
        step = example.step
        document.example = SlipExample(
            example.address,
            step.name,
            expression_text(step.formula),
            full(example.worksheet.values[step.name]),
            expression_text(example.formula),
            full(example.slipped),
        )
    return document


def slip_page(document: SlipDocument, example: Example | None, digits: int) -> Iterator[Block]:
    """The mistake as people make it on paper and in programs."""
    yield Heading(document.name, Level.TITLE)
    for text in (document.question, document.rule, "" if document.question else document.message):
        if text:
            yield Paragraph(text, 2)
    if example is not None:
        name = example.step.name
        right, slipped = _apart(example.worksheet.values[name], example.slipped, digits)
        yield Heading("In numbers")
        yield Paragraph((f"A line of {example.address}:",), 2)
        yield Paragraph((f"right: {name} = ", Formula(example.step.formula), f" = {right}"), 2)
        yield Paragraph((f"with the mistake: {name} = ", Formula(example.formula), f" = {slipped}"), 2)
    if document.numpy:
        yield Heading("In code")
        yield Paragraph(("NumPy: ", Code(document.numpy)), 2)
        yield Paragraph(("PyTorch: ", Code(document.pytorch)), 2)


def _apart(right: Number, slipped: Number, digits: int) -> tuple[str, str]:
    """Both values, with as many digits more as it takes to tell them apart."""
    texts = ((shown(right, more), shown(slipped, more)) for more in range(digits, _MOST))
    return next((pair for pair in texts if pair[0] != pair[1]), (full(right), full(slipped)))
