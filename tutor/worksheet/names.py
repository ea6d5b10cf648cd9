"""Finding the quantity that somebody means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tutor.errors import TutorError, nearest, nearest_in

_SPELLINGS = str.maketrans({"∂": "d", "−": "-", "’": "", "'": ""})


def plain_name(written: str) -> str:
    """The name without spaces and quotes, with d for ∂."""
    return "".join(written.translate(_SPELLINGS).split())


def find_name(written: str, names: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None) -> str:
    """The name that `written` means: `∂E/∂W5`, `dE / dW5` and, where only one fits, `de/dw5` are all dE/dW5.

    Raises TutorError, with the nearest name or all of them, where none or more than one fits. With `groups` they are
    listed under these titles.
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
    hint = nearest_in(plain, groups) if groups else nearest(plain, known)
    raise TutorError(f"there is no {written!r} on this worksheet{hint}")
