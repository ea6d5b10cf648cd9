"""The one grammar of names: what a quantity is called in each example and update, and what is made of it.

    name        =  (base | d<name>/d<base> | local(<name>,<name>)) role? ("@" example)? ("[" update "]")?
    role        =  "_new" | "_after" | "_step" | "_limited" | "_clipped"

What stands at the end belongs to the whole name: dE@1/dW1[2] is the derivative of E@1 by W1, in the second update.

Names in lessons are free, and the equations of a lesson have indices where updates have their number. So a name tells
how it is written and not what its quantity is; that is told by the steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache


class Role(StrEnum):
    """What has its name from another quantity is the value of it after the update, that of the forward pass after all
    updates, a parameter that is yet to be soft-thresholded, a gradient whose value has been clipped and that is yet to
    be clipped by norm, or one that has been clipped."""

    PLAIN = ""
    NEW = "_new"
    AFTER = "_after"
    STEP = "_step"
    LIMITED = "_limited"
    CLIPPED = "_clipped"


SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
"""The digits of a name as they are set in print: W₁ is W1."""
_NUMBER = "([1-9][0-9]{0,8})"
_ENDINGS = re.compile(rf"(.*?)({'|'.join(filter(None, Role))})?(?:@{_NUMBER})?(?:\[{_NUMBER}\])?", re.DOTALL)
_DERIVATIVE = re.compile(r"d([^/]+)/d([^/]+)", re.DOTALL)
_LOCAL = re.compile(r"local\(((?:[^,\[]|\[[^\]]*\])+),(.+)\)", re.DOTALL)
_TAG = re.compile(r"@[0-9]+|\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A name taken apart. Examples and updates count from 1, 0 where the name has none.

    With `of` it is the derivative of that by what the base names; `local` is the one by a name in the formula of `of`,
    where the worksheet has the total derivative too.
    """

    base: str
    role: Role = Role.PLAIN
    example: int = 0
    update: int = 0
    of: Quantity | None = None
    local: bool = False

    def __str__(self) -> str:
        whole = self.base
        if self.of is not None:
            whole = (local_derivative if self.local else derivative)(str(self.of), whole)
        return named(whole, self.role, self.example, self.update)

    @property
    def plain(self) -> str:
        """The name in whichever example and update: h1_in of h1_in@2[3], W1_new of W1_new."""
        return str(replace(self, example=0, update=0))

    @property
    def in_any_update(self) -> str:
        """The name in whichever update: dE@1/dW1 of dE@1/dW1[2]."""
        return str(replace(self, update=0))

    @property
    def earlier(self) -> str:
        """The name of the value one update before: W1 of W1_new and of W1[1], W1[1] of W1[2]; else empty."""
        if self.update:
            return str(replace(self, update=self.update - 1))
        return str(replace(self, role=Role.PLAIN)) if self.role is Role.NEW else ""


@lru_cache(maxsize=100_000)
def read_name(name: str) -> Quantity:
    """The name taken apart, whatever it is: what no ending is, is the base. `str` puts it together again."""
    endings = _ENDINGS.fullmatch(name)
    assert endings is not None  # it takes any text
    whole, role, example, update = endings.groups()
    found = Quantity(whole, Role(role or ""), int(example or 0), int(update or 0))
    for pattern, local in ((_DERIVATIVE, False), (_LOCAL, True)):
        if parts := pattern.fullmatch(whole):
            return replace(found, base=parts[2], of=read_name(parts[1]), local=local)
    return found


def named(name: str, role: Role = Role.PLAIN, example: int = 0, update: int = 0) -> str:
    """The name with these endings after those that it has."""
    return f"{name}{role}{f'@{example}' if example else ''}{f'[{update}]' if update else ''}"


def owned(what: str, owner: str) -> str:
    """What a neuron or a parameter has: delta_h1, desired_o1, m_W1."""
    return f"{what}_{owner}"


def derivative(of: str, by: str) -> str:
    return f"d{of}/d{by}"


def local_derivative(of: str, by: str) -> str:
    """The derivative by a name in the formula, where `derivative` is the name of the total one."""
    return f"local({of},{by})"


def after(name: str) -> str:
    """The name in the forward pass after the updates: h1_in_after, h1_in_after@2. An index stays where it is."""
    found = read_name(name)
    if found.update:
        return named(name, Role.AFTER)
    return named(str(replace(found, example=0)), Role.AFTER, found.example)


def stem(name: str) -> str:
    """The name without any example and update, and without `_new`: dE/dW5 of dE@1/dW5[2], W5 of W5_new."""
    return _TAG.sub("", name).removesuffix(Role.NEW)


def tags(name: str) -> tuple[str, ...]:
    """The examples, updates and indices in a name, each once: of do_out@1/do_in@1[2] they are @1 and [2]."""
    return tuple(dict.fromkeys(_TAG.findall(name)))
