"""What must hold of the settings of an entry of a registry, in a lesson and on the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tutor.errors import nearest
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.maths.setting import Setting
from tutor.numbers.exact import read_number


def check_numbers(of: str, settings: Mapping[str, Setting], given: Mapping[str, Any], place: str = "") -> None:
    """Numbers of settings that there are, in their ranges. Raises ValueError, with the `place` in a lesson."""
    at = f"{place}: " if place else ""
    for name, value in given.items():
        if not settings:
            raise ValueError(f"{at}the {of} has no settings, so no {name[:60]!r}")
        if name not in settings:
            raise ValueError(f"{at}unknown setting of the {of} {name[:60]!r}{nearest(name, settings)}")
        _check_number(f"{place}.{name}" if place else name, value, settings[name])


def settings_of_penalties(penalties: Collection[str]) -> tuple[str, dict[str, Setting]]:
    """What messages call these penalties together, and the settings that they have."""
    settings = {name: setting for p in penalties for name, setting in PENALTIES[p].settings.items()}
    return f"penalty {' or '.join(penalties)}" if penalties else "training without a penalty", settings


def check_settings(optimizer: str, given: Mapping[str, Any], place: str = "") -> None:
    """Numbers in their ranges, flags true or false, and nothing that goes without effect.

    Raises ValueError, with the `place` of the settings in a lesson.
    """
    entry, at = OPTIMIZERS[optimizer], f"{place}: " if place else ""
    valid = [*entry.settings, *entry.flags]
    for name, value in given.items():
        if not valid:
            raise ValueError(f"{at}{optimizer} has no settings, so no {name[:60]!r}")
        if name not in valid:
            raise ValueError(f"{at}unknown setting of {optimizer} {name[:60]!r}{nearest(name, valid)}")
        own = f"{place}.{name}" if place else name
        if name in entry.settings:
            _check_number(own, value, entry.settings[name])
        elif not isinstance(value, bool):
            raise ValueError(f"{own} is true or false, not {str(value)[:40]!r}")
        needed = entry.settings[name].when if name in entry.settings else ""
        if needed and not given.get(needed, entry.flags[needed].default):
            raise ValueError(f"{own} goes with {needed} = true; add that, or leave {name} out")


def _check_number(name: str, value: Any, setting: Setting) -> None:
    if isinstance(value, bool):
        raise ValueError(f"{name} is {setting.range}, not true or false")
    try:
        number = read_number(str(value))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not setting.allows(number):
        raise ValueError(f"{name} is {setting.range}, not {str(value)[:40]}")
