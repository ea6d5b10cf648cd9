"""A lesson in Markdown with its worksheets, each of which is also a lesson of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from tutor.errors import TutorError, nearest
from tutor.lessons.abbreviations import expanded
from tutor.lessons.format import COURSE_FORMAT, FORMAT, Header, Lesson
from tutor.lessons.markdown import Fence, Part, read_parts
from tutor.lessons.read import Place, decoded, lesson_of, read_toml

_OWN = ("printed", "misprints", "title", "about")
"""What a worksheet does not take over from another one."""
_EXACT = Context(prec=40)
_LONGEST = 60


class Extras(Struct, frozen=True, forbid_unknown_fields=True, rename={"givens_from": "from"}):
    """What a block `toml worksheet` may say beside its problem. Where it does not say what is shown, all of it is."""

    show: list[str] | None = None
    like: str = ""
    givens_from: dict[str, str] = field(default_factory=dict)


class CourseText(Struct, frozen=True, dict=True):
    """The header and the parts of a lesson in Markdown; `where` is how messages call its file."""

    where: str
    header: Header
    parts: list[Part]

    @cached_property
    def fences(self) -> dict[str, Fence]:
        """The blocks that have a name."""
        return {part.name: part for part in self.parts if isinstance(part, Fence) and part.name}

    @property
    def worksheets(self) -> list[str]:
        return [name for name, fence in self.fences.items() if fence.kind == "worksheet"]

    def place(self, fence: Fence) -> Place:
        return Place(self.where, fence.text, fence.line)

    def worksheet(self, name: str = "") -> Lesson:
        """The worksheet of that name, the first without one, as a lesson. Raises TutorError where there is none."""
        name = self.worksheet_name(name)
        if name not in self._lessons:
            self._lessons[name] = lesson_of(self.tables(name), self.place(self.fences[name]))
        return self._lessons[name]

    @cached_property
    def _lessons(self) -> dict[str, Lesson]:
        return {}

    def worksheet_name(self, name: str) -> str:
        known = self.worksheets
        if not known:
            raise TutorError(f"{self.where}: this lesson has no worksheet; `tutor run` shows what it has")
        found = next((other for other in known if other.lower() == name.lower()), name) if name else known[0]
        if found not in known:
            raise TutorError(f"{self.where}: there is no worksheet {name[:60]!r}{nearest(name, known)}")
        return found

    def extras(self, name: str) -> Extras:
        """What the block says beside its problem; what it takes over from another one included."""
        own = self._block(name)
        known = {key: own[key] for key in Extras.__struct_encode_fields__ if key in own}
        found: Extras = decoded(known, Extras, self.place(self.fences[name]))
        if found.like and found.show is None:
            self._check_like(name, found.like)
            return Extras(self.extras(found.like).show, found.like, found.givens_from)
        return found

    def tables(self, name: str) -> dict[str, Any]:
        """The keys of the worksheet as a lesson in TOML has them: nothing taken over, nothing abbreviated."""
        place, extras = self.place(self.fences[name]), self.extras(name)
        own = {key: v for key, v in self._block(name).items() if key not in Extras.__struct_encode_fields__}
        for key in ("format", "order", "problem"):
            if key in own:
                raise TutorError(f"{place.of([key])}: {key} does not belong in a worksheet of a lesson; leave it out")
        try:
            raw = expanded(own)
        except ValueError as error:
            raise TutorError(f"{place.of([str(error).split(':')[0].split('.')[-1]])}: {error}") from None
        if extras.like:
            self._check_like(name, extras.like)
            raw = _over({k: v for k, v in self.tables(extras.like).items() if k not in _OWN}, raw)
        title = self.header.title if len(self.worksheets) == 1 else f"{self.header.title}: {name}"
        head = {"format": FORMAT, "title": title, "source": self.header.source, "order": self.header.order}
        whole = {**head, **raw, "format": FORMAT, "order": self.header.order}
        if extras.givens_from:
            whole["givens"] = {**whole.get("givens", {}), **self._values(extras.givens_from, place)}
        return whole

    def headline(self, name: str) -> str:
        """What stands over a worksheet in its lesson: its name where there are several, and its own title."""
        title = " ".join(str(self._block(name).get("title", "")).split())
        named = f"Worksheet {name}" if len(self.worksheets) > 1 else ""
        return f"{named}: {title}" if named and title else named or title

    def is_printed_elsewhere(self, name: str) -> bool:
        """Whether the block says what the source prints of this worksheet."""
        return not self._block(name).keys().isdisjoint(("printed", "misprints"))

    def told_of(self, name: str, message: str) -> str:
        """What is wrong with a worksheet, with the line of the equation that it is about, or of the block."""
        if message.startswith(self.where):
            return message
        about = re.match(r"equation [0-9]+, '([^']+)'|(\S+) (?:divides|needs|takes)", message)
        keys = [key for key in about.groups() if key] if about else []
        return f"{self.place(self.fences[name]).of(keys)}: {message}"

    def toml(self, name: str) -> str:
        """The worksheet as the text of a lesson in TOML."""
        import tomli_w

        return tomli_w.dumps(self.tables(name))

    def _block(self, name: str) -> dict[str, Any]:
        if name not in self._read:
            self._read[name] = read_toml(self.place(self.fences[name]))
        return self._read[name]

    @cached_property
    def _read(self) -> dict[str, dict[str, Any]]:
        return {}

    def _check_like(self, name: str, other: str) -> None:
        self._check_earlier(name, other, self.place(self.fences[name]).of(["like"]))

    def _check_earlier(self, name: str, other: str, where: str) -> None:
        known = self.worksheets
        before = known[: known.index(name)]
        if other not in before:
            raise TutorError(f"{where}: no worksheet above this one is called {other[:60]!r}{nearest(other, before)}")

    def _values(self, formulas: Mapping[str, str], place: Place) -> dict[str, str]:
        """Values of other worksheets, as the givens of this one: exact, or with forty digits."""
        from tutor.lessons.block_values import BlockValues

        values = BlockValues(self)
        found = {}
        for name, formula in formulas.items():
            try:
                found[name] = _written(values.number(formula))
            except ValueError as error:
                raise TutorError(f"{place.of([name])}: from.{name}: {error}") from None
        return found


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of `base` with the keys of `own` in the place of its own."""
    found = dict(base)
    for key, value in own.items():
        old = found.get(key)
        found[key] = _over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found


def _written(value: Any) -> str:
    from tutor.numbers.exact import as_fraction

    exact = as_fraction(value)
    written = f"{exact.numerator}/{exact.denominator}"
    if len(written) <= _LONGEST:
        return written
    return str(_EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator)))


def parse_course(text: str, where: str) -> CourseText:
    """The lesson that this Markdown is. Raises TutorError, with the line, for what cannot be read."""
    parts = read_parts(text, where)
    head = next(part for part in parts if isinstance(part, Fence))
    place = Place(where, head.text, head.line)
    header: Header = decoded(read_toml(place), Header, place)
    if header.format != COURSE_FORMAT:
        raise TutorError(f"{place.of(['format'])}: format is {COURSE_FORMAT} in a lesson in Markdown")
    if not header.title.strip():
        raise TutorError(f"{place.of(['title'])}: title: say what the lesson is called")
    return CourseText(where, header, [part for part in parts if part is not head])
