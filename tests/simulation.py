"""The figures of marking with simulated students: `python tests/simulation.py [EXERCISES] [SEED]`."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import repeat
from random import Random

from rich.console import Console
from rich.progress import track
from student import Exercise, Habits, Line, Paper, Work, called, general_slips, handed_lines, work

from tutor.errors import TutorError
from tutor.lessons.find import worksheet_of
from tutor.lessons.format import Homework
from tutor.lessons.read import parse_lesson
from tutor.marking.assignment import assign
from tutor.marking.marked import MarkedSheet
from tutor.marking.sheet import SheetMarker
from tutor.marking.verdict import CREDIT, Marker
from tutor.processes import workers

SHEETS = 20  # of each exercise
VISIBLE = 3.0  # units of the last digit


@dataclass
class Figures:
    honest: int = 0
    honest_wrong: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def note(self, group: str, what: str, holds: bool, example: str) -> None:
        self.seen[group, what] += holds
        self.seen[group, f"of {what}"] += 1
        if not holds:
            self.examples.setdefault(f"{group}: {what}", []).append(example)

    def add(self, other: Figures) -> None:
        self.honest += other.honest
        self.honest_wrong += other.honest_wrong
        self.seen.update(other.seen)
        for what, examples in other.examples.items():
            self.examples.setdefault(what, []).extend(examples)


class Room:
    """One exercise and its marker."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.exercise = Exercise(self.random)
        self.lines = self.exercise.lines()
        worksheet = worksheet_of(parse_lesson(self.exercise.toml(), f"seed {seed}"))
        unknown = [line.name for line in self.lines if line.name not in worksheet.by_name]
        assert not unknown, (seed, unknown[:3])
        self.assignment = assign(worksheet, Homework())
        self.marker = SheetMarker(Marker(worksheet), self.assignment.asked)

    def mark(self, paper: Paper) -> MarkedSheet:
        return self.marker.mark(paper.handed)


def usable(paper: Paper) -> bool:
    return all(abs(value) < 1e4 for value in paper.values.values())


def try_work(room: Room, habits: Habits, handed: set[str], slips: dict[str, Work]) -> Paper | None:
    """The paper, unless a rounded number cannot be gone on with, as the logarithm of 0."""
    try:
        paper = work(room.exercise, room.lines, habits, handed, slips)
    except (ArithmeticError, ValueError):
        return None
    return paper if usable(paper) else None


def simulate(seed: int, sheets: int = SHEETS, whole: bool = False) -> Figures:
    """One exercise, and sheets by so many students."""
    figures = Figures()
    try:
        room = Room(seed)
    except TutorError:  # its numbers run away in the update, so that nobody can work it
        return figures
    for _ in range(sheets):
        habits = Habits.of(room.random)
        handed = handed_lines(room.lines, habits, room.random)
        honest = try_work(room, habits, handed, {})
        if honest is None or not honest.handed:
            continue
        figures.honest += 1
        for cell in room.mark(honest).cells:
            if cell.mark.verdict in ("wrong", "unreadable"):
                figures.honest_wrong.append(f"seed {room.seed} {habits} {cell.mark}")
        one_slip(room, habits, handed, honest, figures)
        two_slips(room, habits, handed, figures)
        if whole:
            everywhere(room, habits, figures)
            misread(room, habits, handed, honest, figures)
    if whole:
        cheat(room, figures)
        one_wrong_number(room, figures)
    return figures


def simulate_all(rooms: int, seed: int, sheets: int = SHEETS, whole: bool = False) -> Figures:
    """Many exercises, on all processors: the same figures however many there are."""
    figures, seeds = Figures(), [seed * 1_000_003 + number for number in range(rooms)]
    with workers(os.cpu_count() or 1) as pool:
        for found in track(
            pool.map(simulate, seeds, repeat(sheets), repeat(whole)),
            "exercises",
            total=rooms,
            console=Console(stderr=True),
        ):
            figures.add(found)
    return figures


def choose(room: Room, r: Random) -> tuple[Line, str, Work] | None:
    """A line at random, and one of the slips that can happen in it."""
    line = r.choice(room.lines)
    kinds: dict[str, list[Work]] = {}
    for slip, way in [*line.slips, *general_slips(line, room.lines, r)]:
        kinds.setdefault(slip, []).append(way)
    if not kinds:
        return None
    slip = r.choice(sorted(kinds))
    return line, slip, r.choice(kinds[slip])


def two_slips(room: Room, habits: Habits, handed: set[str], figures: Figures) -> None:
    """Two slips on one sheet, both in lines that are handed in: no other line may be a root error."""
    r = Random(f"{room.seed} {figures.honest}")
    chosen = [c for c in (choose(room, r), choose(room, r)) if c is not None and c[0].name in handed]
    slips = {line.name: way for line, _, way in chosen}
    paper = try_work(room, habits, handed, slips) if len(slips) == 2 else None
    if paper is not None:
        roots = room.mark(paper).root_errors
        name = f"seed {room.seed} {habits} {[(line.name, slip) for line, slip, _ in chosen]}: {roots}"
        figures.note("two slips", "no false root", set(roots) <= set(slips), name)


def one_slip(room: Room, habits: Habits, handed: set[str], honest: Paper, figures: Figures) -> None:
    chosen = choose(room, room.random)
    if chosen is None:
        return
    line, slip, way = chosen
    paper = try_work(room, habits, handed, {line.name: way})
    if paper is None:
        return
    slip = called(slip, way, line, honest.values)
    text, right = paper.texts[line.name], honest.texts[line.name]
    if abs(float(text) - float(right)) <= VISIBLE * max(habits.unit(text), habits.unit(right)):
        return
    name = f"seed {room.seed} {habits} slip {slip} in {line.name}: {text} for {right}"
    if line.name in handed:
        marked = room.mark(paper)
        cells = {cell.mark.name: cell for cell in marked.cells}
        figures.note(
            slip,
            "only root",
            marked.root_errors == [line.name],
            f"{name}: {[str(cells[n].mark) for n in marked.root_errors]}",
        )
        if habits.digits >= 5 and cells[line.name].mark.verdict == "wrong":
            fits = cells[line.name].slips
            ids = [fit.id for fit in fits]
            figures.note(slip, "reported", slip in ids, f"{name}: {ids}")
            figures.note(slip, "first", ids[:1] == [slip], f"{name}: {ids}")
            alike = [
                fit.id for fit in fits if fit.value == fits[0].value
            ]  # twice the half is the whole: both are first
            figures.note(slip, "first or same number", slip in alike, f"{name}: {ids}")
        return
    changed = [
        n
        for n in paper.handed
        if abs(float(paper.handed[n]) - float(honest.handed[n])) > VISIBLE * habits.unit(honest.handed[n])
    ]
    if not changed:
        return
    marked = room.mark(paper)
    figures.note(slip, "blank: one root", len(marked.root_errors) == 1, f"{name}: {marked.root_errors}")
    if habits.digits >= 5 and marked.root_errors:
        ids = [fit.id for cell in marked.cells for fit in cell.slips]
        figures.note(slip, "blank: reported", slip in ids, f"{name}: {marked.root_errors} {ids}")


THROUGHOUT = (
    "error-sign", "missing-bias", "no-activation", "exp-sign", "slope-of-output", "weight-for-input",
    "missing-slope", "ascent", "missing-rate", "sum-for-mean", "mean-for-sum", "missing-bias-correction", "factor-two",
)  # fmt: skip
WHOLE = Habits(0, True, False, False, False, "all")


def everywhere(room: Room, habits: Habits, figures: Figures) -> None:
    """One mistake made in every line of a kind where it can be made; all lines handed in, or only the totals."""
    r = Random(f"{room.seed} everywhere {figures.honest}")
    slip = r.choice(THROUGHOUT)
    kinds = {line.kind for line in room.lines if any(name == slip for name, _ in line.slips)}
    if not kinds or (slip == "factor-two" and "update" not in kinds):
        return
    kind = "update" if slip == "factor-two" else r.choice(sorted(kinds))
    ways: dict[str, Work] = {}
    for line in (x for x in room.lines if x.kind == kind):
        mine = [way for name, way in line.slips if name == slip]
        if mine:
            ways[line.name] = mine[-1]  # of several slopes all
    names = {line.name for line in room.lines}
    totals = {line.name for line in room.lines if line.kind in ("forward", "loss") or line.name.startswith("dE/dW")}
    handed = r.choice([names, totals | {line.name for line in room.lines if line.kind == "update"}])
    digits = r.choice([4, 5, 6, 7, 8])
    honest, paper = (
        try_work(room, replace(WHOLE, digits=digits), handed, slips) for slips in (dict[str, Work](), ways)
    )
    if honest is None or paper is None or len(ways) < 2:
        return
    off = [
        n
        for n in paper.handed
        if abs(float(paper.handed[n]) - float(honest.handed[n])) > 10 * habits.unit(honest.handed[n])
    ]
    if len(off) < 2:
        return
    marked = room.mark(paper)
    told = [m.id for m in marked.misconceptions]
    alike = told[: 1 + sum(m.is_other for m in marked.misconceptions[1:2])]
    group = "everywhere, 5 digits or more" if digits >= 5 else "everywhere, 4 digits"
    what = f"seed {room.seed} {slip} in {sorted(ways)[:4]} {len(handed)} of {len(names)}, {digits} digits: {told[:4]}"
    figures.note(group, "named first", slip in alike, what)
    earned = room.assignment.earned(marked)
    lost = sum(earned[c.mark.name] == 0 for c in marked.cells if c.mark.verdict not in ("coarse", "missing"))
    right = sum(c.mark.verdict == "correct" for c in marked.cells)
    excused = sum(c.mark.verdict == "wrong" for c in marked.cells) - 1
    if room.assignment.shows_sound_work(marked):  # else it is the teacher's to judge
        figures.note(group, "right lines enough to excuse the others", excused <= right, f"{what} {excused} of {right}")
        if excused <= right:
            figures.note(group, "charges one line", lost <= 1, f"{what} loses {lost}")


def misread(room: Room, habits: Habits, handed: set[str], honest: Paper, figures: Figures) -> None:
    """A given whose digits are read wrongly, whatever is worked from it."""
    r = Random(f"{room.seed} misread {figures.honest}")
    name = r.choice(sorted(n for n in room.exercise.givens))
    text = room.exercise.givens[name]
    place = r.choice([i for i, character in enumerate(text) if character.isdigit()])
    read = text[:place] + r.choice([d for d in "0123456789" if d != text[place]]) + text[place + 1 :]
    room.exercise.givens[name] = read
    paper = try_work(room, replace(habits, digits=max(habits.digits, 5)), handed, {})
    room.exercise.givens[name] = text
    if paper is None:
        return
    off = [
        n
        for n in paper.handed
        if abs(float(paper.handed[n]) - float(honest.handed[n])) > 10 * habits.unit(honest.handed[n])
    ]
    if len(off) < 2:
        return
    told = room.mark(paper).misconceptions
    named = [m.given for m in told if m.id == "misread-given"]
    figures.note(
        "misread given", "named", name in named, f"seed {room.seed} {name} {text} as {read}: {[m.id for m in told]}"
    )


CHEATS: dict[str, Callable[[float], str]] = {
    "negated": lambda v: f"{-v:.6g}", "twice": lambda v: f"{2 * v:.6g}", "ten times": lambda v: f"{10 * v:.6g}",
    "0": lambda v: "0", "1": lambda v: "1", "1e3": lambda v: "1e3", "0.0000000": lambda v: "0.0000000",
}  # fmt: skip


def cheat(room: Room, figures: Figures) -> None:
    """Sheets without work: what they earn of the lines that are not right by chance."""
    honest = try_work(room, replace(WHOLE, digits=6), {line.name for line in room.lines}, {})
    if honest is None:
        return
    for what, made in CHEATS.items():
        texts = {name: made(value) for name, value in honest.values.items() if name in honest.texts}
        earned = room.assignment.earned(room.marker.mark(texts))
        counted = [n for n in texts if abs(float(texts[n]) - honest.values[n]) > 1e-9]
        share = sum(earned[n] for n in counted) / max(1, len(counted))
        figures.note("cheating", "at most 15%", share <= 0.15, f"seed {room.seed} {what}: {share:.2f}")


def one_wrong_number(room: Room, figures: Figures) -> None:
    """Only totals handed in, one of them off by more than ten units of its last digit."""
    totals = [line.name for line in room.lines if line.name.startswith("dE/d") and line.kind == "gradient"]
    r = Random(f"{room.seed} one wrong number")
    for decimals in (4, 6):
        habits = replace(WHOLE, digits=decimals, significant=False)
        honest = try_work(room, habits, set(totals), {})
        if honest is None or not totals:
            continue
        name = r.choice(totals)
        off = r.choice([-1, 1]) * r.randint(11, 300) * 10**-decimals
        texts = {**honest.handed, name: f"{honest.values[name] + off:.{decimals}f}"}
        verdict = {cell.mark.name: cell.mark.verdict for cell in room.marker.mark(texts).cells}[name]
        figures.note(
            f"one wrong number, {decimals} decimals",
            "no credit",
            verdict not in CREDIT,
            f"seed {room.seed} {name} {texts[name]} for {honest.handed[name]}",
        )


def report_whole(figures: Figures) -> str:
    """Mistakes of a whole sheet, one row a kind."""
    rows = []
    for group, what in sorted(figures.seen):
        if not what.startswith("of ") and group.startswith(("everywhere", "misread", "cheating", "one wrong")):
            of = figures.seen[group, f"of {what}"]
            rows.append(f"| {group} | {what} | {100 * figures.seen[group, what] / of:.1f}% of {of} |")
    return "\n".join(["| sheets | | |", "|---|---|---|", *rows])


def report(figures: Figures) -> str:
    kinds = ["only root", "reported", "first", "first or same number", "blank: one root", "blank: reported"]
    whole = ("everywhere", "misread", "cheating", "one wrong")
    slips = sorted({slip for slip, _ in figures.seen if not slip.startswith(whole)} - {"two slips"})
    rows = [f"honest sheets: {figures.honest}, with a cell marked wrong: {len(figures.honest_wrong)}"]
    rows.append("| slip | " + " | ".join(kinds) + " | sheets |")
    rows.append("|---" * (len(kinds) + 2) + "|")

    def share(group: list[str], kind: str) -> str:
        of = sum(figures.seen[slip, f"of {kind}"] for slip in group)
        return f"{100 * sum(figures.seen[slip, kind] for slip in group) / of:.1f}% of {of}" if of else "-"

    for group, name in [*(([slip], slip) for slip in slips), (slips, "all")]:
        total = sum(figures.seen[s, "of only root"] + figures.seen[s, "of blank: one root"] for s in group)
        rows.append(f"| {name} | " + " | ".join(share(group, kind) for kind in kinds) + f" | {total} |")
    both, held = (figures.seen["two slips", what] for what in ("of no false root", "no false root"))
    rows.append(f"sheets with two slips: {both}, without a false root error: {100 * held / max(1, both):.1f}%")
    return "\n".join(rows)


if __name__ == "__main__":
    rooms = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.time()
    figures = simulate_all(rooms, seed, whole=True)
    print(report(figures))
    print(report_whole(figures))
    for kind, examples in sorted(figures.examples.items()):
        print(f"\n{kind}: {len(examples)}")
        for example in examples[:3]:
            print("  ", example[:600])
    for example in figures.honest_wrong[:10]:
        print("HONEST", example)
    print(f"{time.time() - start:.0f} s")
