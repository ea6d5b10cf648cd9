"""Reading answer sheets: CSV as spreadsheets write it, their own files, TOML, JSON, and the filled Markdown sheet.

A sheet is untrusted: its size is capped, nothing in it is opened or run, and numbers keep the text they were typed as.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from tutor.delimited import HEADING_WITHIN
from tutor.errors import TutorError, counted
from tutor.escaping import from_csv
from tutor.formulas.names import plain_name
from tutor.formulas.quantity import Role, named
from tutor.read_files import decoded, read_whole
from tutor.sheets.arrays import Array, deepest_layers, is_of_layers, read_array
from tutor.sheets.formats import (
    DELIMITED,
    GIVEN,
    MARK,
    READERS,
    WORKBOOKS,
    Cells,
    Row,
    csv_cells,
    ending_of,
    from_cells,
    is_heading,
)
from tutor.sheets.forms import Filled, about_rows, form_rows, may_be_form
from tutor.sheets.separators import with_points
from tutor.sheets.workbook import OLD_EXCEL, ZIPPED, workbook_tables

LARGEST_SHEET = 1_000_000
LARGEST_FORM = 10_000_000
MOST_ROWS = 50_000
LONGEST_ANSWER = 2_000
MOST_TOLD = 100  # unknown names of one sheet: more are no slip of the pen, and a class has many sheets


@dataclass(frozen=True)
class HandedIn:
    """The answers by the name of the quantity, what else the sheet says, and what is odd about it. `arrays` are those
    of a program, by their own names: whose quantities they have depends on the problem; `unknown` are names that are
    not on the worksheet."""

    answers: Mapping[str, str]
    about: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def read_sheet(path: str | Path, names: Mapping[str, object]) -> HandedIn:
    """The sheet in a file, or on standard input for `-`. Raises TutorError, with what to do, for what is no sheet."""
    content = _content_of(path)
    if _form_in(content, names):
        raise TutorError("it is a form's export, a class in one file; give it by the name of a file")
    return _sheet(content, names)


def read_sheets(path: str | Path, names: Mapping[str, object]) -> list[tuple[str, HandedIn | TutorError]]:
    """The same of a file that may be a form's export: all its rows, each with what it is called within the file, empty
    for a sheet by itself, and where a row is no sheet why."""
    content = _content_of(path)
    form = _form_in(content, names)
    if not form:
        return [("", _sheet(content, names))]
    return [_row_of_form(filled, names) for filled in form]


def count_rows_of_form(path: str | Path, names: Callable[[], Mapping[str, object]]) -> int:
    """How many sheets a form's export has; 0 where the file is none. `names` are asked for where it may be one."""
    with suppress(TutorError):
        content = _content_of(path)
        beginnings = [row for cells in content.tables for row in cells[:HEADING_WITHIN]]
        if any(map(may_be_form, beginnings)) and not any(map(is_heading, beginnings)):
            return len(_form_in(content, names()))
    return 0


def read_about(path: Path) -> list[Mapping[str, str]]:
    """Only what the sheets in a file say about themselves: their student, their problem."""
    content = _content_of(path)
    rows = [about for cells in content.tables for about in about_rows(cells)]
    return rows or [_about(_rows(content))]


def parse_sheet(text: str, ending: str, names: Mapping[str, object]) -> HandedIn:
    """The sheet that `text` writes; `ending` is that of its file, `names` has every quantity of the worksheet."""
    return _sheet(_content(text, ending), names)


@dataclass(frozen=True)
class _Content:
    """What is in a file: the tables of cells, or a text of a kind that has none."""

    tables: Sequence[Cells]
    text: str = ""
    ending: str = ""
    size: int = 0


def _content_of(path: str | Path) -> _Content:
    ending = Path(path).suffix.lower()
    most = LARGEST_FORM if ending in (*DELIMITED, *WORKBOOKS) else LARGEST_SHEET
    raw = read_whole(path, most, "answer sheet", called="it")
    if raw.startswith((ZIPPED, OLD_EXCEL)):
        return _Content(workbook_tables(raw), size=len(raw))
    if ending in WORKBOOKS:
        raise TutorError(f"it is no {ending} file, whatever its name says; save it again, or as CSV")
    try:
        return _content(decoded(raw), ending)
    except TutorError as error:
        raise (_too_large() if len(raw) > LARGEST_SHEET else error) from None


def _content(text: str, ending: str) -> _Content:
    known = ending if ending in READERS or ending in DELIMITED else ending_of(text)
    return _Content([csv_cells(text)] if known in DELIMITED else [], text, known, len(text))


def _sheet(content: _Content, names: Mapping[str, object]) -> HandedIn:
    rows = _rows(content)
    about = _about(rows)
    return _collected([row for row in rows if not row[0].startswith(MARK)], about, names)


def _too_large() -> TutorError:
    return TutorError(f"it has more than {LARGEST_SHEET:,} bytes; that is no answer sheet")


def _rows(content: _Content) -> list[Row]:
    if content.size > LARGEST_SHEET:
        raise _too_large()
    found = _from_tables(content.tables) if content.tables else READERS[content.ending](content.text)
    rows = list(islice(found, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise TutorError(f"it has more than {MOST_ROWS:,} rows; that is no answer sheet")
    if not rows:
        raise TutorError("there is no answer in it; a sheet has the columns name and answer (see `tutor sheet`)")
    return rows


def _from_tables(tables: Sequence[Cells]) -> Iterator[Row]:
    """Those with a heading; without any the first one that has something in it."""
    headed = [cells for cells in tables if any(map(is_heading, cells[:HEADING_WITHIN]))]
    for cells in headed or [cells for cells in tables if any(map(any, cells))][:1]:
        yield from from_cells(cells)


def _form_in(content: _Content, names: Mapping[str, object]) -> list[Filled]:
    found = (form_rows(cells, _Names(names).find) for cells in content.tables)
    form = next(filter(None, found), [])
    if len(form) > MOST_ROWS:
        raise TutorError(f"it has more than {MOST_ROWS:,} rows; that is no class")
    return form


def _row_of_form(filled: Filled, names: Mapping[str, object]) -> tuple[str, HandedIn | TutorError]:
    called = f"row {filled.number}"
    try:
        sheet = _collected(filled.answers, filled.about, names)
    except TutorError as error:
        return called, error
    return called, replace(sheet, remarks=(*sheet.remarks, *([filled.remark] if filled.remark else [])))


def _about(rows: Sequence[Row]) -> dict[str, str]:
    marked = [(name[1:], text) for name, text in rows if name.startswith(MARK) and not name.startswith(GIVEN)]
    return {name.strip().lower(): from_csv(text.strip())[:LONGEST_ANSWER] for name, text in marked}


def _collected(rows: Sequence[Row], about: Mapping[str, str], names: Mapping[str, object]) -> HandedIn:
    """Each answer under its quantity. A name that is unknown or answered twice is told."""
    answers: dict[str, str] = {}
    unknown: dict[str, str] = {}
    twice: list[str] = []
    loose = _Names(names)
    arrays, single = _arrays(rows, loose)
    for written, text in with_points(single):
        name = written if written in names else loose.find(written)
        if name is None and arrays:
            arrays[written[:60]] = Array((), (text,))  # the loss, perhaps: that is known with the problem
            continue
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
    return HandedIn(answers, about, tuple(remarks), arrays, tuple(unknown))


def _arrays(rows: Sequence[Row], names: _Names) -> tuple[dict[str, Array], Sequence[Row]]:
    """The arrays by their names, and the other rows. One number is an array where its name is one of this program's
    arrays, b2 beside an array b1, and else, in brackets too, a number."""
    read = [read_array(text) if "[" in text else None for _, text in rows]
    pairs = list(zip(rows, read, strict=True))
    layers = deepest_layers([name for (name, _), array in pairs if array is not None and len(array.numbers) > 1])
    arrays: dict[str, Array] = {}
    single = []
    for (name, text), array in pairs:
        if array is not None and (len(array.numbers) > 1 or names.find(name) is None):
            arrays[name[:60]] = array
        elif layers and is_of_layers(name, layers):
            arrays[name[:60]] = array or Array((), (text,))
        else:
            single.append((name, array.numbers[0] if array is not None else text))
    return arrays, single


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
