"""`tutor export`: a saved network as a script that needs nothing of this program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tutor.cli import tell
from tutor.cli.app import Force, command
from tutor.cli.predict import RunFile
from tutor.errors import TutorError
from tutor.files import STDOUT, Target, claim, write_whole
from tutor.printers import Printer


@command()
def export(
    file: RunFile,
    printer: Printer,
    to: Annotated[Literal["numpy", "pytorch"], typer.Option(help="What the script is written for.")] = "numpy",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; stdout unless given, or -.")
    ] = None,
    weights: Annotated[
        Literal["trained", "initial"], typer.Option(help="After the training, or as it began.")
    ] = "trained",
    force: Force = False,
) -> None:
    """Write a saved network as a script of its own: weights, formulas and the next update, for NumPy or PyTorch.

    tutor export moons.npz --to numpy --output moons.py; python moons.py examples.csv

    In the script, predict(x) gives the same predictions as here, and update(x, targets) does the same next update:
    the NumPy one writes the chain rule out, the PyTorch one leaves it to autograd, and they agree.
    """
    from tutor.export.plan import SCRIPT, plan_of
    from tutor.export.scripts import EXPORTS
    from tutor.runs.run import load_run

    output = output or Path(STDOUT)
    if str(output) != STDOUT and output.suffix != ".py":
        raise TutorError(f"{str(output)!r}: a script has the ending .py")
    claim([Target("--output", output, SCRIPT, stdout=True)], [file], force)
    text = EXPORTS[to](plan_of(load_run(file), weights))
    write_whole(output, text)
    if str(output) != STDOUT:
        tell(f"The script is in {output}; `python {output} examples.csv` prints what the network says to each row.")
