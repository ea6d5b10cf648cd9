"""`tutor prove`: each gradient four ways."""

from __future__ import annotations

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import print_next
from tutor.cli.worksheet import Chain, LessonName
from tutor.printers import Printer


@command()
def prove(lesson: LessonName, printer: Printer, chain: Chain = None, json_output: Json = False) -> None:
    """Prove each gradient: by the chain rule, by SymPy on the composed loss, by central and complex-step differences.

    Where gradients arrive from above, those of the sum of seed·output are proved.

    Ends with 0 where all four agree to 25 digits or there is a corner without derivative, 1 where they do not, 3 where
    there is no gradient.
    """
    from tutor.errors import NothingThere, TutorError
    from tutor.lessons.find import read_lesson, slug, worksheet_of
    from tutor.results import as_json
    from tutor.views.worksheet import proofs
    from tutor.views.worksheet.document import proofs_document
    from tutor.worksheet.proof import DIFFERS
    from tutor.worksheet.proof import prove as prove_gradients

    try:
        worksheet = worksheet_of(read_lesson(lesson), chain)
        proved = list(prove_gradients(worksheet))
    except TutorError as error:
        raise TutorError(f"{lesson}: {error}") from None
    if not proved:
        why = "; ".join(worksheet.conventions.remarks)
        raise NothingThere(f"{lesson}: there is no gradient on this worksheet to prove{f' ({why})' if why else ''}")
    if json_output:
        print(as_json(proofs_document(slug(lesson), proved, worksheet.objective)))
    else:
        printer.show(proofs.proved(proved, worksheet.objective))
        print_next(printer, "prove", lesson=lesson, name=proved[0].name)
    if any(proof.verdict == DIFFERS for proof in proved):
        raise typer.Exit(1)
