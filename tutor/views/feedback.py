"""What a student reads of a mistake: what to look at, in three stages, and which lines to work again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tutor.errors import counted, listed
from tutor.marking.report import CellReport, SheetReport, ShownMistake, SlipReport, mistakes
from tutor.marking.verdict import AGREEMENT, CHANGE, CREDIT, DIGITS
from tutor.slips.registry import ARITHMETIC_HINT, IN_ANY_LINE

QUESTION, RULE, FORMULA = 1, 2, 3
"""The stages of a hint, each of which has those before it."""
_MOST_HINTS = 3
_LEFT = "as it stands, the left side is {}."


class Telling(Struct, frozen=True):
    """How much a student is told: up to which stage of the hints, of which mistakes, and whether the right values."""

    reveal: bool = False
    hint: int = RULE
    all_errors: bool = False


_FORMULAS = {
    "right": "The formula is right.",
    "wrong": "The formula is not the one asked for.",
    "undecided": "Whether the formula is right could not be decided in time.",
}


def shown_mistakes(sheet: SheetReport, all_errors: bool) -> Sequence[ShownMistake]:
    """The first mistake, or all of them: who mends the first one works the lines below it again anyway."""
    found = list(mistakes(sheet))
    return found if all_errors else found[:1]


def mistakes_left(sheet: SheetReport, all_errors: bool) -> str:
    """How many mistakes are not told yet; empty where there are none."""
    left = 0 if all_errors else len(list(mistakes(sheet))) - 1
    more = "There seems to be" if left == 1 else "There seem to be"
    return f"{more} {counted(left, 'further mistake')}; mend this one first." if left > 0 else ""


def what_to_look_at(mistake: ShownMistake, hint: int, reveal: bool = False) -> Iterator[str]:
    """The hint up to the stage asked for, then what has to be done once the mistake is mended."""
    cell = mistake.cell
    if cell.left_side:
        yield f"{_LEFT.format(cell.left_side).capitalize()}"
    if mistake.is_guess:
        yield ARITHMETIC_HINT.question
    slips = [slip for slip in cell.slips[:_MOST_HINTS] if not _is_implied(slip, cell.slips)]
    for slip in slips:
        gives = f" gives {shorter(slip.value)}" if reveal and slip.value else ""
        named = f" ({slip.id}{gives})" if hint >= RULE or reveal else ""
        yield f"{slip.question}{f' {slip.rule}' if hint >= RULE else ''}{named}"
    if hint >= FORMULA and cell.worked:
        yield f"{'' if mistake.given else 'With your numbers: '}{cell.worked}{'.' if mistake.given else ''}"
    if mistake.others:
        yield f"The same mistake shows in {listed(mistake.others)}: mend it there, too."
    if cell.work_again:
        yield f"Then work again what stands on it: {listed(cell.work_again)}."


def _is_implied(slip: SlipReport, slips: Sequence[SlipReport]) -> bool:
    """Whether a better explanation that is special to the line gives the same number."""
    better = slips[: slips.index(slip)]
    return any(
        slip.id in IN_ANY_LINE and other.id not in IN_ANY_LINE and (other.value, other.line) == (slip.value, slip.line)
        for other in better
    ) or (bool(better) and better[0].sure and not slip.sure)


def remarks_on_lines(sheet: SheetReport) -> Iterator[str]:
    """What there is to say of single lines beside the mistakes."""
    yield from _from_earlier(sheet.cells)
    for cell in sheet.cells:
        yield from _remarks(cell)
    if nothing := [cell.name for cell in sheet.cells if cell.degenerate and not cell.dropped]:
        yield f"No points for {listed(nothing)}: what stands above is 0 or as it was, so there is nothing left to show."
    yield from _coarse([cell for cell in sheet.cells if cell.lacks and not cell.dropped])


def _coarse(cells: Sequence[CellReport]) -> Iterator[str]:
    """What lines with too few digits need, and what is then to be worked again."""
    left = [cell.name for cell in cells if cell.lacks == CHANGE]
    if left:
        are, them = ("is", "Was it") if len(left) == 1 else ("are", "Were they")
        yield f"{listed(left)} {are} as before the update. {them} updated? Then more digits will show by how much."
    if again := [cell.name for cell in cells if cell.lacks == AGREEMENT]:
        are, them = ("is", "it") if len(again) == 1 else ("are", "them")
        yield (
            f"{listed(again)} {are} further off than rounding explains, since other lines that stand on the same "
            f"numbers are right to the last digit. Work {them} once more."
        )
    for update, told in ((False, ""), (True, " (it is the change that counts)")):
        few = [cell.name for cell in cells if cell.lacks == DIGITS and (cell.stage == "update") == update]
        if few:
            yield f"More digits, please{told}: {listed(few)}."
    if below := dict.fromkeys(name for cell in cells for name in cell.work_again):
        yield f"Then work again what stands on {'it' if len(cells) == 1 else 'them'}: {listed(below)}."


def _from_earlier(cells: Sequence[CellReport]) -> Iterator[str]:
    """What still follows from lines as they were before, together where it is the same lines."""
    groups: dict[tuple[str, ...], list[CellReport]] = {}
    for cell in cells:
        groups.setdefault(tuple(cell.earlier), []).append(cell)
    for earlier, group in groups.items():
        if earlier:
            follow, them = ("follows", "it") if len(group) == 1 else ("follow", "them")
            names = listed(cell.name for cell in group)
            yield f"{names} {follow} from your earlier {listed(earlier)}; work {them} again."
            if below := dict.fromkeys(name for cell in group for name in cell.work_again):
                yield f"Then work again what stands on {them}: {listed(below)}."


def _remarks(cell: CellReport) -> Iterator[str]:
    if cell.left_side and cell.verdict != "wrong":
        yield f"{cell.name} = {cell.bare}: {_LEFT.format(cell.left_side)}"
    if cell.formula and (cell.formula != "right" or cell.verdict not in ("correct", "wrong")):
        half = " The number is right: half of the points." if cell.formula == "wrong" and cell.verdict in CREDIT else ""
        yield f"{cell.name}: {_FORMULAS[cell.formula]}{half if not cell.credit else ''}"
    if cell.reason:
        yield f"{cell.name} = {cell.bare} cannot be read: {cell.reason}."


def shorter(text: str | None) -> str:
    """A value to be read by a person: nine significant digits, so that a small change of a weight shows."""
    return "-" if text is None else f"{float(text):.9g}"
