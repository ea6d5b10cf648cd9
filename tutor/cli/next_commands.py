"""What leads where: the one or two commands that make sense after another, with the reader's own files in them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.cli import tell
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.views.blocks import Block

CommandList = Sequence[tuple[str, str]]

_WORK_IT = ("run {lesson} --blank", "the same as a problem, without its answers")
_SHEET = ("sheet {lesson} > {sheet}", "a sheet to fill in")
_RUN = ("run {lesson}", "every line, with its derivation")
_TRY = "see it at work"

NEXT: Mapping[str, CommandList] = {
    "list": [("learn {lesson}", "step by step, with questions"), ("run {lesson}", "read it from top to bottom")],
    "learn": [("learn {lesson}", "goes on with the next one"), ("list", "the course, and how far you are")],
    "run text": [("list", "the other lessons")],
    "run": [("why {lesson} {name}", "one line in full"), _WORK_IT],
    "blank": [_SHEET, ("check {lesson} {sheet}", "has it marked once it is filled in")],
    "why": [("why {lesson} {name}", "what is made of it"), ("prove {lesson}", "each gradient four ways")],
    "prove": [("why {lesson} {name}", "one gradient in full")],
    "errata": [("why {lesson} {name}", "the first of these lines in full"), _RUN],
    "errata list": [("errata {number}", "the first of them with its proof"), ("errata --all", "each with its proof")],
    "errata number": [("run {lesson}", "the lesson that it comes from"), ("errata", "the others")],
    "explain activation": [("train --data moons --hidden 8 --activation {name}", _TRY)],
    "explain activation:step": [("new gate.toml --kind perceptron", "a lesson in which neurons fire or do not")],
    "explain activation:sign": [("new gate.toml --kind perceptron", "a lesson in which neurons fire or do not")],
    "explain activation:softmax": [("train --data iris", "see it at work, as the output of three classes")],
    "explain loss": [("train --data sine --loss {name}", _TRY)],
    "explain loss:binary_cross_entropy": [("train --data moons --loss binary_cross_entropy", _TRY)],
    "explain loss:cross_entropy": [("train --data iris --loss cross_entropy", _TRY)],
    "explain penalty": [("compare --data moons --vary {name}=0,0.001,0.1", "what more and more of it does")],
    "explain optimizer": [("compare --data moons --vary optimizer=sgd,{name}", "see it beside plain gradient descent")],
    "explain optimizer:sgd": [("compare --data moons --vary optimizer=sgd,adam", "see it beside another")],
    "explain schedule": [("train --data moons --schedule {name}", _TRY)],
    "explain initializer": [("train --data moons --init {name}", _TRY)],
    "explain normalizer:zscore": [("train --data iris --normalize zscore", _TRY)],
    "explain normalizer:minmax": [("train --data iris --normalize minmax", _TRY)],
    "explain normalizer:unit": [("train --data iris --normalize unit", _TRY)],
    "explain normalizer:mean_image": [("train --data digits --normalize mean_image", _TRY)],
    "explain normalizer:channel_mean": [("train --data digits --normalize channel_mean", _TRY)],
    "explain normalizer:channel_zscore": [("train --data digits --normalize channel_zscore", _TRY)],
    "explain term": [("{command}", _TRY)],
    "explain slip": [
        ("why {lesson} {name}", "how that line comes out right"),
        ("trace --example", "a program with a mistake, to be found"),
    ],
    "sheet": [("check {lesson} {sheet}", "has it marked, if you kept it as {sheet}")],
    "check wrong": [
        ("{to_the_rule}", "tells the rule, too"),
        ("{to_the_formula}", "shows the formula of that line, too, with your numbers"),
        ("{again} --watch", "marks it again whenever you save it, and knows what stood there before"),
        ("why {lesson} {name}", "how that line comes out, with its value"),
    ],
    "check right": [("vary {lesson} --seed 1 > {fresh}", "the same problem with other numbers"), _RUN],
    "check class": [
        ("{again} --feedback {feedback}", "writes each student what to look at"),
        ("check {lesson} {file}", "one sheet in full"),
    ],
    "vary": [("run {fresh} --blank", "the problem to be worked, if you kept it as {fresh}")],
    "train": [
        ("{again} --save {run}", "trains the same and keeps the network"),
        ("compare {data} --vary optimizer=sgd,adam", "several settings side by side"),
    ],
    "train saved": [
        ("predict {run} {data}", "what it says to examples"),
        ("export {run} --to pytorch", "the network as a script of its own"),
    ],
    "train lesson": [
        ("train {lesson} --explain {number}", "the worksheet of an update, from the trainer's own weights"),
        ("run {lesson}", "the first update by hand"),
    ],
    "train explained": [("explain {name}", "the equations behind the update")],
    "predict": [("export {run} --to pytorch", "the network as a script of its own")],
    "trace wrong": [
        ("{again} --why {name}", "opens the sum behind the first entry that is off"),
        ("explain slip:{mistake}", "what the mistake is, in numbers and in code"),
    ],
    "trace right": [("{again} --precision half", "how much of it a coarser type would show")],
    "new": [("run {lesson}", "runs it as it is"), ("lint {lesson}", "says what is still to be filled in")],
    "lint wrong": [("{again}", "checks it again, once that is mended")],
    "lint right": [("run {lesson}", "the whole lesson"), _SHEET],
    "record": [("transcript verify {folder}", "makes them again and compares every byte")],
}
"""For each command, or each way it can end, what to type next and what that does. Where the file or the name of a
pair of braces is not known, that way is left out; `explain` is looked up by kind and name, then by kind alone."""


def next_commands(after: str, **known: object) -> list[tuple[list[str], str]]:
    """The commands after `after`, word by word as they are typed, and what each does.

    What is known by a name is one word, or a list of words.
    """
    typed = {name: _quoted(value) for name, value in known.items() if value and str(value)[0] != "-"}
    spelled = {name: " ".join(words) for name, words in typed.items()}
    found = []
    for template, purpose in NEXT.get(after, NEXT.get(after.partition(":")[0], ())):
        with suppress(KeyError):
            words = [
                typed[word[1:-1]] if word[0] == "{" and word[-1] == "}" else [word.format_map(spelled)]
                for word in template.split()
            ]
            found.append((["tutor", *chain(*words)], purpose.format_map(spelled)))
    return found


def print_next(printer: Printer, after: str, **known: object) -> None:
    """End a result with what to type next."""
    printer.show(next_blocks(after, **known))


def next_blocks(after: str, **known: object) -> list[Block]:
    """What to type next, as blocks; none where nothing makes sense."""
    from tutor.views.blocks import Commands, Heading

    ways = next_commands(after, **known)
    return [Heading("Next"), Commands(tuple((tuple(words), purpose) for words, purpose in ways))] if ways else []


def print_next_beside(after: str, **known: object) -> None:
    """The same on stderr, and only for somebody who sits there: what stands on stdout is a file to be kept."""
    if sys.stderr.isatty():
        for words, purpose in next_commands(after, **known):
            tell(f"Next: {' '.join(words)}   ({purpose})")


def as_typed() -> list[str]:
    """The words of the command that is running."""
    return sys.argv[1:]


def typed_with(option: str, value: object) -> list[str]:
    """The same with another value of the option."""
    words, kept = iter(as_typed()), []
    for word in words:
        if word == option:
            next(words, None)
        elif not word.startswith(f"{option}="):
            kept.append(word)
    return [*kept, option, str(value)]


def free_name(stem: str, ending: str) -> str:
    """A file name that nothing has here, so that no advice is to overwrite anything: mlp.csv, else mlp-2.csv."""
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{ending}" for n in count(1))
    return next(name for name in names if not Path(name).exists())


def _quoted(value: object) -> list[str]:
    return [shlex.quote(str(word)) for word in (value if isinstance(value, list) else [value])]
