"""Reading answer sheets: CSV as spreadsheets write it, TOML, JSON, and the filled Markdown sheet.

A sheet is untrusted: its size is capped, nothing in it is opened or run, and numbers keep the text they were typed as.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tutor.errors import TutorError, counted
from tutor.formulas.names import plain_name
from tutor.formulas.quantity import Role, named
from tutor.harmless import from_csv
from tutor.read_files import read_typed
from tutor.sheets.formats import GIVEN, MARK, READERS, Row, any_format

LARGEST_SHEET = 1_000_000
MOST_ROWS = 50_000
LONGEST_ANSWER = 2_000
MOST_TOLD = 100  # unknown names of one sheet: more are no slip of the pen, and a class has many sheets
_SIGN, _EXPONENT = r"\(?[-+−–]?\s*", r"(?:[eE][-+−–]?[0-9]+)?\)?"
_THOUSANDS = re.compile(rf"{_SIGN}[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+{_EXPONENT}")
_DECIMAL_COMMA = re.compile(
    rf"{_SIGN}(?:(?![1-9][0-9]{{0,2}},[0-9]{{3}}\b(?![.,]))[0-9]*|[0-9]{{1,3}}(?:\.[0-9]{{3}})+),[0-9]+{_EXPONENT}"
)
"""A comma that can only be a decimal one: not 1,380, which may be a thousand or one and a little."""
_DECIMAL_POINT = re.compile(rf"{_SIGN}(?:[0-9]*|[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+)\.[0-9]*{_EXPONENT}")
_IN_PARENTHESES = re.compile(r"\s*\(\s*([0-9.,]+(?:[eE][-+]?[0-9]+)?)\s*\)\s*")


@dataclass(frozen=True)
class HandedIn:
    """The answers by the name of the quantity, what else the sheet says, and what is odd about it; `unknown` are names
    that are not on the worksheet."""

    answers: Mapping[str, str]
    about: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read_sheet(path: str | Path, names: Mapping[str, object]) -> HandedIn:
    """The sheet in a file, or on standard input for `-`. Raises TutorError, with what to do, for what is no sheet."""
    return parse_sheet(_text_of(path), Path(path).suffix.lower(), names)


def read_about(path: Path) -> dict[str, str]:
    """Only what the sheet in a file says about itself: its student, its problem."""
    return _about(_rows(_text_of(path), path.suffix.lower()))


def _text_of(path: str | Path) -> str:
    return read_typed(path, LARGEST_SHEET, "answer sheet", called="it")


def parse_sheet(text: str, ending: str, names: Mapping[str, object]) -> HandedIn:
    """The sheet that `text` writes; `ending` is that of its file, `names` has every quantity of the worksheet."""
    rows = _rows(text, ending)
    about = _about(rows)
    return _collected([row for row in rows if not row[0].startswith(MARK)], about, names)


def _rows(text: str, ending: str) -> list[Row]:
    rows = list(islice(READERS.get(ending, any_format)(text), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise TutorError(f"it has more than {MOST_ROWS:,} rows; that is no answer sheet")
    if not rows:
        raise TutorError("there is no answer in it; a sheet has the columns name and answer (see `tutor sheet`)")
    return rows


def _about(rows: Sequence[Row]) -> dict[str, str]:
    marked = [(name[1:], text) for name, text in rows if name.startswith(MARK) and not name.startswith(GIVEN)]
    return {name.strip().lower(): from_csv(text.strip())[:LONGEST_ANSWER] for name, text in marked}


def _collected(rows: Sequence[Row], about: Mapping[str, str], names: Mapping[str, object]) -> HandedIn:
    """Each answer under its quantity. A name that is unknown or answered twice is told."""
    answers: dict[str, str] = {}
    unknown: dict[str, str] = {}
    twice: list[str] = []
    loose = _Names(names)
    for written, text in _with_minus(_with_points(rows)):
        name = written if written in names else loose.find(written)
        if name is None:
            unknown[written[:60]] = written[:60] + loose.meant(written)
            continue
        if name in answers:
            if not text.strip():
                continue
            if answers[name].strip() not in ("", text.strip()):
                twice.append(name)
        answers[name] = text if len(text) <= LONGEST_ANSWER else f"{text[:LONGEST_ANSWER]}…"
    remarks = []
    if unknown:
        remarks.append(f"{_listed([*unknown.values()])}: no such quantity on this worksheet, so not marked")
    if twice:
        remarks.append(f"{_listed(twice)}: answered more than once; the last answer counts")
    return HandedIn(answers, about, tuple(remarks), tuple(unknown))


class _Names:
    """The names of a worksheet, found however they are spelled: exactly, else where only one fits."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.names = names
        self._loose: dict[str, list[str]] | None = None

    def find(self, written: str) -> str | None:
        name = written.strip().strip("`")
        if name in self.names:
            return name
        plain = plain_name(name[:200])
        if plain in self.names:
            return plain
        alike = self._alike(plain.lower())
        return alike[0] if len(alike) == 1 and alike[0].lower() == plain.lower() else None

    def meant(self, written: str) -> str:
        """ " (dE/dW5?)" for what is nearly a name of the worksheet."""
        close = self._alike(written) or [n for n in (named(written.strip()[:60], Role.NEW),) if n in self.names]
        return f" ({close[0]}?)" if close else ""

    def _alike(self, written: str) -> list[str]:
        """The names that differ only in capitals, spaces and underscores."""
        if self._loose is None:
            self._loose = {}
            for name in self.names:
                self._loose.setdefault(_bare(name), []).append(name)
        return self._loose.get(_bare(written[:200]), [])


def _bare(name: str) -> str:
    return re.sub(r"[\s_']", "", name.lower())


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {counted(more, 'other')}" if more > 0 else "")


def _with_points(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with decimal points: what commas and points mean is told by the numbers in which they can mean only one
    thing, as 0,35 and 12.400,64. A comma that may be either way stays, and cannot be read."""
    texts = [text.strip() for _, text in rows]
    commas = any(map(_DECIMAL_COMMA.fullmatch, texts))
    points = any(map(_DECIMAL_POINT.fullmatch, texts))
    return [(name, _with_point(text, commas, points)) for name, text in rows]


def _with_point(text: str, commas: bool, points: bool) -> str:
    plain = text.strip()
    if _DECIMAL_COMMA.fullmatch(plain):
        return plain.replace(".", "").replace(",", ".")
    if "," in plain and _DECIMAL_POINT.fullmatch(plain):
        return plain.replace(",", "")
    if _THOUSANDS.fullmatch(plain) and commas != points:
        return plain.replace(",", "." if commas and plain.count(",") == 1 else "")
    return text


def _with_minus(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with a minus for a number in parentheses, as bookkeepers write it, where no number has a sign."""
    if any(re.match(r"\s*[-−–]\s*[0-9.,]", text) for _, text in rows):
        return rows
    found = ((name, _IN_PARENTHESES.fullmatch(text), text) for name, text in rows)
    return [(name, f"-{match[1]}" if match else text) for name, match, text in found]
