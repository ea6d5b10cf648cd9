"""Files of spreadsheet programs, as small as they can be, written with nothing but a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
Cell = str | tuple[str, str]
"""A text, or a stored number with its number format: ("0.12", "0.0000")."""


def zipped(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def xlsx_parts(rows: Sequence[Sequence[Cell]], shared: bool = True) -> dict[str, str]:
    formats = list(dict.fromkeys(cell[1] for row in rows for cell in row if isinstance(cell, tuple)))
    strings: list[str] = []
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, cell in enumerate(row):
            place = f"{chr(ord('A') + column)}{number}"
            if isinstance(cell, tuple):
                cells.append(f'<c r="{place}" s="{formats.index(cell[1]) + 1}"><v>{cell[0]}</v></c>')
            elif cell and shared:
                strings.append(cell)
                cells.append(f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>')
            elif cell:
                cells.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    codes = "".join(f'<numFmt numFmtId="{170 + n}" formatCode={quoteattr(c)}/>' for n, c in enumerate(formats))
    styles = "".join(f'<xf numFmtId="{170 + n}"/>' for n in range(len(formats)))
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{"".join(f"<si><t>{escape(s)}</t></si>" for s in strings)}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }


def ods_content(rows: Sequence[Sequence[Cell]]) -> str:
    formats = list(dict.fromkeys(cell[1] for row in rows for cell in row if isinstance(cell, tuple)))
    styles = []
    for number, code in enumerate(formats):
        kind = "percentage-style" if code.endswith("%") else "number-style"
        decimals = code.partition('"')[0].rstrip("%").partition(".")[2].count("0")
        styles.append(
            f'<number:{kind} style:name="N{number}"><number:number number:decimal-places="{decimals}"/></number:{kind}>'
        )
        styles.append(
            f'<style:style style:name="ce{number}" style:family="table-cell" style:data-style-name="N{number}"/>'
        )
    lines = []
    for row in rows:
        cells = []
        for cell in row:
            if isinstance(cell, tuple):
                style = f'table:style-name="ce{formats.index(cell[1])}"'
                cells.append(
                    f'<table:table-cell {style} office:value-type="float" office:value="{cell[0]}"><text:p>?</text:p></table:table-cell>'
                )
            else:
                cells.append(
                    f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
                )
        lines.append(
            f'<table:table-row>{"".join(cells)}<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        )
    lines.append(
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    spaces = "".join(
        f' xmlns:{short}="{_OPEN}:{long}:1.0"'
        for short, long in (
            ("office", "office"),
            ("table", "table"),
            ("text", "text"),
            ("style", "style"),
            ("number", "datastyle"),
        )
    )
    return (
        f"<office:document-content{spaces}><office:automatic-styles>{''.join(styles)}</office:automatic-styles><office:body>"
        f'<office:spreadsheet><table:table table:name="a">{"".join(lines)}</table:table></office:spreadsheet></office:body></office:document-content>'
    )


def write_workbook(path: Path, rows: Sequence[Sequence[Cell]], shared: bool = True) -> Path:
    """The rows as a file of the kind that its ending says."""
    return zipped(path, {"content.xml": ods_content(rows)} if path.suffix == ".ods" else xlsx_parts(rows, shared))
