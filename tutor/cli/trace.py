"""`tutor trace`: the arrays of one training step of somebody's own program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import as_typed, print_next
from tutor.errors import TutorError
from tutor.printers import Printer


def _option(text: str, metavar: str = "NAME", panel: str = "What the program computes") -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


@command()
def trace(
    printer: Printer,
    penalties: dict[str, float],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The arrays of a step: .npz or .json.")] = None,
    why: Annotated[str | None, typer.Option(metavar="ENTRY", help="Open one entry, as in dW1[0,2].")] = None,
    lesson: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a small step as a lesson.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a program with a mistake in it, to try.")] = False,
    activation: Annotated[str, _option("Of the hidden layers; several with commas.")] = "",
    output_activation: Annotated[str, _option("Of the output.")] = "",
    loss: Annotated[str, _option("As in cross_entropy.")] = "",
    loss_setting: Annotated[list[str] | None, _option("As in delta=0.5.", "NAME=NUMBER")] = None,
    optimizer: Annotated[str, _option("sgd, momentum, adam …")] = "",
    learning_rate: Annotated[float | None, _option("Of this step.", "NUMBER")] = None,
    optimizer_setting: Annotated[list[str] | None, _option("As in beta=0.8.", "NAME=NUMBER")] = None,
    penalty_setting: Annotated[list[str] | None, _option("As in l1_ratio=0.3.", "NAME=NUMBER")] = None,
    dropout: Annotated[float, _option("Share that is left out, where masks are recorded.", "NUMBER")] = 0.0,
    update: Annotated[int | None, _option("Which update this is, from 1.", "NUMBER")] = None,
    examples: Annotated[str, _option("rows or columns.", "WAY", "How it is written down")] = "",
    weights: Annotated[str, _option("in-out or out-in.", "WAY", "How it is written down")] = "",
    precision: Annotated[
        str, _option("half, bfloat16, tf32, single or double.", "NAME", "How it is written down")
    ] = "",
    force: Force = False,
    json_output: Json = False,
) -> None:
    """Which array of your own program is the first that is wrong, and what was done instead.

    Save the arrays of one step, as many or as few as you like, and have them checked: in Python `from tutor.trace
    import Step; step = Step(); step.record(X=X, y=y, W1=W1, b1=b1)`, then the same with Z1, A1, P, loss, dW1, db1 and,
    after the update, W1_new=W1; at the end `step.save("step.npz")` here, or `print(step.check())` right there.

    tutor trace --example > mine.py; python mine.py; tutor trace step.json

    Names are X, y, W1, b1, Z1, A1, P, loss, dZ1, dW1, db1, W1_new, and those of PyTorch such as 0.weight. Rows or
    columns, (in, out) or (out, in), sums or means: what the program uses is found in its arrays, and said. Each option
    that you leave out is found, too, where the numbers tell.

    Every array is right, carried (right, but it stands on one that is not), wrong or missing. Exit 0 where nothing is
    wrong, 1 where something is, 3 where nothing can be checked.
    """
    from tutor.trace.example import EXAMPLE

    if example:
        print(EXAMPLE, end="")
        return
    if file is None:
        raise TutorError(
            "name the file with the arrays of a step; `tutor trace --example` prints a program that makes one"
        )
    options = {
        "activation": activation,
        "output_activation": output_activation,
        "loss": loss,
        "loss_setting": _pairs("--loss-setting", loss_setting),
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "optimizer_setting": _pairs("--optimizer-setting", optimizer_setting),
        "penalties": penalties,
        "penalty_setting": _pairs("--penalty-setting", penalty_setting),
        "dropout": dropout,
        "update": update,
        "examples": examples,
        "weights": weights,
        "precision": precision,
    }
    _checked(printer, file, options, why, lesson, force, json_output)


def _checked(
    printer: Printer, file: Path, said: dict[str, Any], why: str | None, lesson: Path | None, force: bool, as_data: bool
) -> None:
    from tutor.files import claim
    from tutor.results import as_json
    from tutor.trace.lesson import target, write_lesson
    from tutor.trace.mistakes.registry import ARITHMETIC
    from tutor.trace.options import Options
    from tutor.trace.reading import read_steps
    from tutor.trace.report import together
    from tutor.trace.report import trace as traced
    from tutor.trace.why import opened
    from tutor.views import trace as view

    if lesson is not None:
        claim([target(lesson)], [file], force)
    options = Options(**said)
    options.check()
    steps = traced(read_steps(file), options)
    if lesson is not None:
        write_lesson(lesson, steps[0])
    if why is not None:
        entry = opened(steps, why)
        if as_data:
            print(as_json(entry))
        else:
            printer.show(view.entry_page(entry))
        return
    report = together(steps)
    if as_data:
        print(as_json(report))
    else:
        printer.show(view.trace_page(report))
        wrong = next((a.where for a in report.arrays if a.verdict == "wrong" and a.where), None)
        mistake = next((m.id for m in report.mistakes if m.id != ARITHMETIC), None)
        print_next(printer, "trace wrong" if wrong else "trace right", again=as_typed(), name=wrong, mistake=mistake)
    if not report.is_right:
        raise typer.Exit(1)


def _pairs(option: str, said: list[str] | None) -> dict[str, Any]:
    """Settings as they are typed: numbers, and flags true or false."""
    found: dict[str, Any] = {}
    for text in said or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            if not (name and equals):
                raise ValueError
            found[name] = {"true": True, "false": False}.get(value.lower()) if value.isalpha() else float(value)
        except ValueError:
            raise TutorError(f"{option} takes a name and a number, as in beta=0.8, not {text[:40]!r}") from None
        if found[name] is None:
            raise TutorError(f"{option} takes a name and a number, true or false, not {text[:40]!r}")
    return found
