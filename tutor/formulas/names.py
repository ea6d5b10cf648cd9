"""Finding the quantity that somebody means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from tutor.errors import TutorError, listed, nearest, nearest_few, nearest_in
from tutor.formulas.quantity import SUBSCRIPTS, Role, named, stem

_QUANTITY = r"[A-Za-z]\w*(?:@[0-9]+)?(?:\[[0-9]+\])?"
_NAME = re.compile(rf"{_QUANTITY}|d{_QUANTITY}/d{_QUANTITY}", re.ASCII)

_SPELLINGS = str.maketrans({"∂": "d", "−": "-", "’": "", "'": "", **SUBSCRIPTS})


def plain_name(written: str) -> str:
    """The name without spaces and quotes, with d for ∂ and digits for subscripts."""
    return "".join(written.translate(_SPELLINGS).split())


def find_name(
    written: str, names: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None, lists: str = ""
) -> str:
    """The name that `written` means: `∂E/∂W5`, `dE / dW5` and, where only one fits, `de/dw5` are all dE/dW5.

    Raises TutorError, with the nearest name or all of them, where none or more than one fits. With `groups` they are
    listed under these titles; with the command that `lists` them all, that is told beside the nearest.
    """
    known = tuple(names)
    plain = plain_name(written)
    if plain in known:
        return plain
    loose = [name for name in known if name.lower() == plain.lower()]
    if len(loose) == 1:
        return loose[0]
    if loose:
        raise TutorError(f"{written!r} could be {' or '.join(loose)}; write it exactly")
    raise TutorError(f"there is no {written!r} on this worksheet{meant_by(plain, known, groups, lists)}")


def is_name(written: str) -> bool:
    """Whether it has the form of a name and is no formula over others."""
    return bool(_NAME.fullmatch(plain_name(written)))


def meant_by(
    name: str, known: Collection[str], groups: Mapping[str, Iterable[str]] | None = None, lists: str = ""
) -> str:
    """What to write instead of a name that is none: x_new for x[1] where there is one update only, one of h@1 and h@2
    for h where there are two examples; else the nearest, or all of them, in their groups where there are some, or the
    command that `lists` them."""
    alike = sorted({other for other in known if stem(other) == stem(name)}, key=lambda other: (len(other), other))
    if not alike:
        if lists:
            return nearest_few(name, known, lists)
        return nearest_in(name, groups) if groups else nearest(name, known)
    new = named(stem(name), Role.NEW)
    if new in alike and "[" in name and not name.endswith("[0]"):
        return f" — there is one update only, so the new value is {new!r}"
    return f" — there is {listed(alike)}"
