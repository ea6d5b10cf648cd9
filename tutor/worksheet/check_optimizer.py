"""What must hold of the settings of an optimizer, in a lesson and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor.arithmetic.exact import read_number
from tutor.errors import nearest
from tutor.maths.optimizers import OPTIMIZERS


def check_settings(optimizer: str, given: Mapping[str, Any]) -> None:
    """Numbers in their ranges, flags true or false, and nothing that goes without effect.

    Raises ValueError; its message begins with the name of the setting.
    """
    entry = OPTIMIZERS[optimizer]
    valid = [*entry.settings, *entry.flags]
    for name, value in given.items():
        if not valid:
            raise ValueError(f"{name[:60]}: {optimizer} has no settings")
        if name not in valid:
            raise ValueError(f"{name[:60]}: unknown setting of {optimizer}{nearest(name, valid)}")
        if isinstance(value, bool) != (name in entry.flags):
            raise ValueError(f"{name}: {'true or false' if name in entry.flags else 'a number'} is needed")
        if name in entry.settings:
            _check_number(optimizer, name, value, given)


def _check_number(optimizer: str, name: str, value: Any, given: Mapping[str, Any]) -> None:
    entry = OPTIMIZERS[optimizer]
    setting = entry.settings[name]
    try:
        number = read_number(str(value))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if number < setting.least or (setting.below is not None and number >= setting.below):
        raise ValueError(f"{name}: a number {setting.range} is needed, not {str(value)[:40]}")
    if setting.when and not given.get(setting.when, entry.flags[setting.when].default):
        raise ValueError(f"{name}: this goes with {setting.when} = true; add it, or leave {name} out")
