"""The options that say what a training begins with, what is kept of it, and what of it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keep the run, also after Ctrl-C, in the place of an older one: .npz, or .json.",
    ),
]
Checkpoint = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Save the run after every N epochs, too, in the file of --save.")
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Go on with a saved run, and keep it there; only --epochs, --checkpoint, --save and how to print fit it.",
    ),
]


Explain = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Show the worksheet of update N instead, with the trainer's own numbers."),
]


LayersWanted = Annotated[
    bool,
    typer.Option("--layers", help="Look inside, layer by layer: gradients, weights and units, epoch by epoch."),
]
InitFrom = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Begin with the weights of a saved run, layer by layer as far as the sizes are the same."
    ),
]
