"""Sheets as spreadsheet programs keep them: the cells of .xlsx and .ods files, as they are shown.

Both are zip files with XML in them. Of a hostile one no more is unpacked than a sheet may have, and no cell is made up
that is not in it, however far away it says that it stands; nothing in it is worked out or followed.

A stored number is written with all its digits, and with the zeros that its format shows: 0.12 as 0.0000 is 0.1200.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from tutor.errors import TutorError
from tutor.marking.as_written import A_DATE

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ZIPPED = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
"""How the files begin that Excel wrote before 2007, and those with a password."""
LARGEST = 8_000_000
MOST_CELLS = 200_000
MOST_SHEETS = 20
MOST_COLUMNS = 2_000
MOST_DECIMALS = 30

Cells = list[list[str]]
_DAMAGES = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    OSError,
    LookupError,
    ValueError,
    OverflowError,
)
"""What comes of a broken zip while it is unpacked."""
_FAR = "it has cells too far apart for an answer sheet"
_BUILT_IN = dict.fromkeys((*range(14, 23), *range(45, 48)), "d") | {
    2: "0.00",
    4: "#,##0.00",
    10: "0.00%",
    11: "0.00E+00",
    39: "#,##0.00",
    40: "#,##0.00",
    48: "##0.0E+0",
}
"""The number formats of .xlsx that have no text of their own. Source: ECMA-376, 18.8.30."""


def workbook_tables(raw: bytes) -> list[Cells]:
    """The cells of every sheet in the file, empty ones as "". Raises TutorError for what is no such file."""
    if raw.startswith(OLD_EXCEL):
        raise TutorError("it is an old Excel file, or one with a password; save it as .xlsx or as CSV")
    parts = _Parts(raw)
    if "xl/workbook.xml" in parts.names:
        return list(islice(_xlsx(parts), MOST_SHEETS))
    if "content.xml" in parts.names:
        return list(islice(_ods(parts.tree("content.xml")), MOST_SHEETS))
    if any(name.endswith(".npy") for name in parts.names):
        raise TutorError("it has arrays of NumPy; write them as JSON: json.dump({'dW1': dW1.tolist()}, file)")
    raise TutorError("it is neither .xlsx nor .ods; save it as one of these, or as CSV")


class _Parts:
    """The XML documents of a file. No more than `LARGEST` bytes are unpacked, however often one is asked for."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._archive = ZipFile(BytesIO(raw))
        except _DAMAGES as error:
            raise _damaged(error) from None
        self.names = frozenset(self._archive.namelist())
        self._left = LARGEST

    def tree(self, name: str) -> Element:
        text = self._unzipped(name)
        self._left -= len(text)
        if self._left < 0:
            raise TutorError(f"unpacked it has more than {LARGEST:,} bytes; that is no answer sheet")
        return _tree(text, name)

    def _unzipped(self, name: str) -> bytes:
        """As much of the part as may be, and one byte more. Its checksum is right where it is read whole."""
        try:
            if self._archive.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise BadZipFile("packed in an unusual way")
            with self._archive.open(name) as file:
                return file.read(self._left + 1)
        except _DAMAGES as error:
            raise _damaged(error) from None


def _damaged(error: Exception) -> TutorError:
    return TutorError(f"it is a damaged file of a spreadsheet ({str(error)[:100]}); save it again, or as CSV")


def _tree(text: bytes, name: str) -> Element:
    """One of the XML documents."""
    from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

    class Plain(TreeBuilder):
        """A tree without declarations, which could name entities and other files."""

        def doctype(self, *_: object) -> None:
            raise TutorError(f"{name} in it was not written by a spreadsheet program; save it as CSV")

    parser = XMLParser(target=Plain())
    try:
        parser.feed(text)
        tree: Element = parser.close()
        return tree
    except (ParseError, ValueError, LookupError) as error:
        raise TutorError(f"{name} in it is damaged ({str(error)[:100]}); save it again, or as CSV") from None


def _local(element: Element) -> str:
    """The name of an element, or of an attribute, without its namespace."""
    return element.tag.rpartition("}")[2]


def _attributes(element: Element) -> dict[str, str]:
    return {name.rpartition("}")[2]: value for name, value in element.attrib.items()}


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element.iter() if _local(child) == name)


def _text(element: Element, name: str) -> str:
    return "".join("".join(part.itertext()) for part in _all(element, name))


# .xlsx


def _xlsx(parts: _Parts) -> Iterator[Cells]:
    """The sheets in their order; those that cannot be found, as charts, are none."""
    strings, styles, links = "xl/sharedStrings.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"
    shared = [_text(i, "t") for i in _all(parts.tree(strings), "si")] if strings in parts.names else []
    formats = _xlsx_formats(parts.tree(styles)) if styles in parts.names else []
    linked = [_attributes(link) for link in _all(parts.tree(links), "Relationship")] if links in parts.names else []
    targets = {link.get("Id", ""): link.get("Target", "") for link in linked}
    for sheet in map(_attributes, _all(parts.tree("xl/workbook.xml"), "sheet")):
        target = targets.get(sheet.get("id", ""), "")
        name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if name in parts.names and "worksheets/" in name:
            yield _xlsx_rows(parts.tree(name), shared, formats)


def _xlsx_formats(styles: Element) -> list[str]:
    """The number format of every style of a cell."""
    own = {f.get("numFmtId", ""): f.get("formatCode", "") for f in map(_attributes, _all(styles, "numFmt"))}
    styles_of_cells = [x for group in _all(styles, "cellXfs") for x in group if _local(x) == "xf"]
    found = []
    for number in (x.get("numFmtId", "0") for x in map(_attributes, styles_of_cells)):
        found.append(own.get(number) or _BUILT_IN.get(int(number) if number.isdecimal() else 0, ""))
    return found


def _xlsx_rows(sheet: Element, shared: list[str], formats: list[str]) -> Cells:
    rows: Cells = []
    count = 0
    for row in _all(sheet, "row"):
        cells: list[str] = []
        for cell in (c for c in row if _local(c) == "c"):
            count += 1
            column = _column(_attributes(cell).get("r", ""), len(cells))
            if column >= MOST_COLUMNS or count > MOST_CELLS:
                raise TutorError(_FAR)
            cells += [""] * (column + 1 - len(cells))
            cells[column] = _xlsx_text(cell, shared, formats)
        rows.append(cells)
    return rows


def _column(reference: str, following: int) -> int:
    """The number of the column, from 0, of B7; that of the cell that follows where there is no reference."""
    letters = re.match("[A-Z]{1,3}", reference)
    if letters is None:
        return following
    number = 0
    for letter in letters[0]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _xlsx_text(cell: Element, shared: list[str], formats: list[str]) -> str:
    known = _attributes(cell)
    kind, value = known.get("t", "n"), _text(cell, "v")
    if kind == "inlineStr":
        return _text(cell, "t")
    if kind == "s":
        return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
    if kind == "d":
        return A_DATE + value
    if kind == "b":
        return "true" if value == "1" else "false"
    style = known.get("s", "")
    code = formats[int(style)] if style.isdecimal() and int(style) < len(formats) else ""
    return as_shown(value, *_decimals_of(code)) if kind == "n" and value else value


def _decimals_of(code: str) -> tuple[int, str]:
    """How many decimals a format shows, and of what: the number, its percentage, its mantissa, or a date."""
    first = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.', "", code.partition(";")[0])
    match = re.search(r"\.(0+)", first)
    if first.lower() != "general" and re.search("[ymdhs]", first, re.IGNORECASE):
        return 0, A_DATE
    return (len(match[1]) if match else 0), "%" if "%" in first else "E" if re.search("E[+-]0", first) else ""


# .ods


def _ods(content: Element) -> Iterator[Cells]:
    formats = _ods_formats(content)
    yield from (_ods_rows(table, formats) for table in _all(content, "table"))


def _ods_formats(content: Element) -> Mapping[str, tuple[int, str]]:
    """The decimals that every style of a cell shows."""
    shown: dict[str, tuple[int, str]] = {}
    for kind, sign in (("number-style", ""), ("percentage-style", "%")):
        for style in _all(content, kind):
            for part in (p for p in style if _local(p) in ("number", "scientific-number")):
                here = _attributes(part)
                places = here.get("min-decimal-places") or here.get("decimal-places", "")
                of = "E" if _local(part) == "scientific-number" else sign
                shown[_attributes(style).get("name", "")] = (int(places[:4]) if places.isdecimal() else 0, of)
    styles = [_attributes(style) for style in _all(content, "style")]
    return {s.get("name", ""): shown[s["data-style-name"]] for s in styles if s.get("data-style-name", "") in shown}


def _ods_rows(table: Element, formats: Mapping[str, tuple[int, str]]) -> Cells:
    rows: Cells = []
    count = 0
    for row in _all(table, "table-row"):
        cells: list[str] = []
        for cell in (c for c in row if _local(c) in ("table-cell", "covered-table-cell")):
            text, times = _ods_text(cell, formats), _repeated(cell, "number-columns-repeated")
            if not text:
                times = min(times, MOST_COLUMNS - len(cells))  # the empty rest of a row
            elif len(cells) + times > MOST_COLUMNS:
                raise TutorError(_FAR)
            cells += [text] * times
        while cells and not cells[-1]:
            del cells[-1]
        times = _repeated(row, "number-rows-repeated") if cells else 1
        count += times * len(cells)
        if count > MOST_CELLS:
            raise TutorError(_FAR)
        rows += [cells] * times
    return rows


def _repeated(element: Element, name: str) -> int:
    times = _attributes(element).get(name, "1")
    return int(times[:9]) if times.isdecimal() else 1


def _ods_text(cell: Element, formats: Mapping[str, tuple[int, str]]) -> str:
    known = _attributes(cell)
    if known.get("value-type") in ("date", "time"):
        return A_DATE + (known.get("date-value") or known.get("time-value", ""))
    said = "\n".join("".join(p.itertext()) for p in cell if _local(p) == "p")
    if known.get("value-type") not in ("float", "percentage", "currency"):
        return said
    places, sign = formats.get(known.get("style-name", ""), (0, ""))
    return as_shown(known.get("value", said), places, sign)


def as_shown(stored: str, decimals: int, sign: str) -> str:
    """A stored number with all its digits, and at least so many decimals as a spreadsheet shows of it: of the number,
    of its percentage, or of its mantissa. What is no number stays as it is; a date is none."""
    if sign == A_DATE:
        return A_DATE + stored
    with suppress(ValueError, ArithmeticError):
        number = Decimal(repr(float(stored)))
        if not number.is_finite():
            return stored
        places = min(decimals, MOST_DECIMALS) + (2 if sign == "%" else 0)
        places -= number.adjusted() if sign == "E" and number else 0
        shortest = number.normalize()
        last = min(int(shortest.as_tuple().exponent), -places, 0)
        if shortest and abs(shortest.adjusted()) > MOST_DECIMALS:
            return f"{shortest:e}"
        return f"{shortest.quantize(Decimal((0, (1,), last))):f}"
    return stored
