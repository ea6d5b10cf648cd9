"""A training that begins with what another network has learned: layer by layer as far as the sizes are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.errors import TutorError, listed
from tutor.training.architecture import Architecture

if TYPE_CHECKING:
    from tutor.data.array_types import Floats


@dataclass(frozen=True)
class Origin:
    """A trained network: what its file is called, its layers, its parameters, how its examples were normalised, and its
    classes."""

    name: str
    architecture: Architecture
    vector: Floats
    normalize: str = ""
    classes: tuple[str, ...] = ()


def layers_in_common(origin: Origin, architecture: Architecture) -> int:
    """How many layers, from the inputs on, are as large as those of the other network. Raises TutorError where there
    are none, and where one of them is of another kind and would do something else with its weights."""
    known, sizes = origin.architecture, architecture.sizes
    if known.sizes[0] != sizes[0]:
        raise TutorError(
            f"--init-from {origin.name}: that network takes {known.sizes[0]} inputs, and this one {sizes[0]}"
        )
    count = 0
    while count < min(known.depth, architecture.depth) and known.sizes[count + 1] == sizes[count + 1]:
        count += 1
    if not count:
        raise TutorError(
            f"--init-from {origin.name}: its first layer has {known.sizes[1]} units, and here there are {sizes[1]}; "
            f"--hidden {known.sizes[1]} fits it"
        )
    for depth in range(count):
        hidden = depth < architecture.depth - 1 and depth < known.depth - 1
        if hidden and known.activations[depth] != architecture.activations[depth]:
            there, here = known.activations[depth], architecture.activations[depth]
            raise TutorError(
                f"--init-from {origin.name}: layer {depth + 1} is {there} there, {here} here; add --activation {there}"
            )
        for option, of in (("batch-norm", Architecture.normalises), ("residual", Architecture.skips)):
            if hidden and of(known, depth) != of(architecture, depth):
                change = f"add --{option}" if of(known, depth) else f"leave out --{option}"
                raise TutorError(f"--init-from {origin.name}: layer {depth + 1} is of another kind there; {change}")
    return count


def carried_over(origin: Origin, architecture: Architecture, drawn: Floats, count: int) -> Floats:
    """The parameters drawn for this architecture, with those of so many layers of the other network in their place."""
    vector = drawn.copy()
    for depth in range(count):
        for here, there in zip(architecture.slices(depth), origin.architecture.slices(depth), strict=True):
            vector[here] = origin.vector[there]
    return vector


def what_was_taken(
    origin: Origin, architecture: Architecture, count: int, normalize: str, classes: tuple[str, ...]
) -> list[str]:
    """Which layers come from where, for whoever trains; and what of that may surprise."""
    left = architecture.depth - count
    taken, drawn = _layers(range(count)), _layers(range(count, architecture.depth))
    as_there = f"begins as {origin.name} has it" if count == 1 else f"begin as {origin.name} has them"
    remarks = [f"{taken.capitalize()} {as_there}"]
    if left:
        there, here = ("-".join(map(str, sizes)) for sizes in (origin.architecture.sizes, architecture.sizes))
        remarks[0] += f"; {drawn} {'is' if left == 1 else 'are'} drawn anew, since {there} there is {here} here"
    remarks[0] += "."
    if not left and origin.classes != classes:
        remarks.append(f"Its outputs stood for {_classes(origin.classes)}; here they stand for {_classes(classes)}.")
    if origin.normalize != normalize:
        there, here = (name or "not at all" for name in (origin.normalize, normalize))
        remarks.append(f"Its examples were normalised in another way: there {there}, here {here}.")
    if any(architecture.normalises(depth) for depth in range(count)):
        remarks.append("The running averages of batch normalization begin anew.")
    return remarks


def _layers(depths: range) -> str:
    """As in "layers 1 and 2"."""
    return f"layer{'s' if len(depths) > 1 else ''} {listed([str(depth + 1) for depth in depths])}"


def _classes(names: tuple[str, ...]) -> str:
    return listed([repr(name[:40]) for name in names]) if names else "values"
