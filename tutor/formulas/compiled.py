"""The one place where source is run: the program's own, in which a quantity is only a place in a list or a name that it
was given. It needs no formulas, so that a training in matrix form does not load what works with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.numbers.exact import Number


def compiled(lines: Iterable[str], arithmetic: Any, constants: Sequence[Number]) -> dict[str, Any]:
    """What the lines of generated source define. `arithmetic` is a module with exp, log and so on, and `number_of`."""
    tools = {name: getattr(arithmetic, name) for name in arithmetic.FUNCTIONS}
    space: dict[str, Any] = {"__builtins__": {}, "k": [arithmetic.number_of(c) for c in constants], **tools}
    exec(compile("\n".join(lines), "<worksheet>", "exec"), space)
    return space
