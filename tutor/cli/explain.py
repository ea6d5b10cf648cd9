"""`tutor explain`: one activation, loss, optimizer, schedule, penalty, initializer, normalizer or term."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.onward import lead_on
from tutor.cli.worksheet import Digits
from tutor.printers import Printer


@command()
def explain(
    name: Annotated[str, typer.Argument(help="What to explain, such as sigmoid, adam, l2 or dropout.")],
    printer: Printer,
    digits: Digits = 3,
    json_output: Json = False,
) -> None:
    """Explain an activation, a loss, an optimizer, a word of the field …: equation, derivation rule by rule, range,
    picture, values.

    A name that is more than one thing is written with its kind: activation:step, schedule:step.
    """
    from tutor.results import as_json
    from tutor.views import catalogue
    from tutor.views.entry_document import entry_document
    from tutor.worksheet.catalogue import find_entry

    kind, found = find_entry(name)
    if json_output:
        print(as_json(entry_document(found.name, kind, found)))
    else:
        printer.show(catalogue.entry_page(found.name, kind, found, digits))
        shown_by = getattr(found, "command", "").split()
        lead_on(printer, f"explain {kind}:{found.name}", name=found.name, command=shown_by)
