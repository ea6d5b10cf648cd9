"""Numbers as people and programs write them: with signs of approximation, quotes, powers of ten, per cent.

Nothing is worked out here: what is taken away says nothing about the value, and every digit stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from tutor.formulas.names import plain_name

_PLAIN = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_NUMBER = rf"[-+]?{_PLAIN}(?:[eE][-+]?[0-9]+)?"
_SIGN_APART = re.compile(rf"([-+])(?:\s+(?=[0-9.])|\s*\(\s*({_PLAIN}(?:[eE][-+]?[0-9]+)?)\s*\)$)")
_AS_IT_IS = re.compile(rf"(?:{_NUMBER})?", re.ASCII)
_DASHES = str.maketrans(dict.fromkeys("−–—‒﹣－", "-"))
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SIGN = r"(?::=|[=:≈~∼≃≅])"
_BEFORE = re.compile(rf"(?:{_SIGN}|approx\.?|about|ca\.?)\s*", re.IGNORECASE)
_AFTER = re.compile(
    r"\s*(?:\(\s*(?:approx|approximately|approximated|about|rounded|ca)\.?\s*\)|approx\.?)$", re.IGNORECASE
)
_OWN = re.compile(rf"([^=:≈~∼≃≅]+?)\s*{_SIGN}\s*([^=]*)", re.DOTALL)
_NAMED = re.compile(rf"([^=:≈~∼≃≅]*){_SIGN}(.*)", re.DOTALL)
_PAIRS = {'"': '"', "'": "'", "$": "$", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»", "*": "*", "(": ")"}
_OF_A_PROGRAM = re.compile(
    rf"(?:(?:np|numpy|torch|tf|jnp|jax)\.)?(?:float(?:16|32|64|_)?|double|tensor|array|Array|Tensor|Decimal)"
    rf"\(\s*\[?\s*['\"]?({_NUMBER})['\"]?\s*\]?\s*(?:,[^()]*(?:\([^()]*\))?[^()]*)?\)"
)
_GIVE_OR_TAKE = re.compile(rf"({_NUMBER})\s*(?:±|\+/-|\+-)\s*{_NUMBER}\s*")
_TIMES_TEN = r"(?:[x×·⋅∙*]|\\times|\\cdot)\s*10"
_POWER = re.compile(rf"([-+]?{_PLAIN})\s*{_TIMES_TEN}\s*(?:\^|\*\*)\s*[({{]?\s*([-+]?[0-9]{{1,5}})\s*[)}}]?")
_RAISED_POWER = re.compile(rf"(.*{_TIMES_TEN})([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", re.DOTALL)
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_EITHER_WAY = re.compile(r"(?<![\w.,])([1-9][0-9]{0,2}),([0-9]{3})(?![\w.,])")
_LONGEST = 200
A_DATE = "date "
"""What stands before whatever a spreadsheet has made of an answer that it took for a date, as 3/7."""

_MONTH = "(?:jan|feb|mar|mär|mrz|avr|apr|ma[iy]|ju[nl]|jui|aug|aoû|sep|o[ck]t|nov|de[cz]|déc)[a-zûé]*"
_DATE = re.compile(
    rf"[0-9]{{1,4}}[-. /]+{_MONTH}\.?(?:[-. /]+[0-9]{{2,4}})?|{_MONTH}\.?[-. /]+[0-9]{{1,4}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:]+)?|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{2}|[0-9]{4})?",
    re.IGNORECASE,
)
"""What a spreadsheet writes into a file for a number that it took for a date: 03. Jan, 1-Mar, 2026-03-01."""
_LOOK_ALIKES = str.maketrans("OoIl", "0011")


def plain_number(text: str, name: str = "") -> str:
    """The number that the text writes for the quantity of this name, as digits; any other text as it is."""
    if len(text) > _LONGEST or _AS_IT_IS.fullmatch(text):
        return text
    found = _unwrapped(plain_digits(text.translate(_DASHES)).strip(), name)
    if match := _SIGN_APART.match(found):
        found = f"{match[1]}{match[2] or found[match.end() :]}"
    for pattern in (_OF_A_PROGRAM, _GIVE_OR_TAKE):
        if match := pattern.fullmatch(found):
            found = match[1]
    if match := _RAISED_POWER.fullmatch(found):
        found = f"{match[1]}^{match[2].translate(_RAISED)}"
    if match := _POWER.fullmatch(found):
        return f"{match[1]}e{match[2]}"
    if match := _SHARE.fullmatch(found):
        return f"{Decimal(match[1]).scaleb(-2):f}"
    return found if re.fullmatch(rf"{_NUMBER}|[-+]?[0-9]+\s*/\s*[-+]?[0-9]+", found) else text


def without_name(text: str, name: str) -> str:
    """The answer as it was written, but for the quantity's own name and the sign of equality before it."""
    found = _NAMED.fullmatch(text)
    if found and found[2].strip() and plain_name(found[1].strip("`*$ ")).lower() in ("", name.lower()):
        return found[2].strip()
    return text.strip()


def why_unreadable(text: str, error: ValueError) -> str:
    """Why an answer cannot be read, and what to do."""
    if match := _EITHER_WAY.search(plain_digits(text)):
        whole, rest = match[1], match[2]
        return (
            f"{match[0]} may be {whole}{rest} or {whole}.{rest}, and no other line shows which; write the one you mean"
        )
    if re.fullmatch(r"\s*[-+−]?[0-9]+,[0-9]+\s*", text):
        return "write the number with a decimal point"
    if text.startswith(A_DATE) or _DATE.fullmatch(text.strip()):
        return "the spreadsheet has made a date of it; set the cell to text and write the answer again"
    typed = text.strip().translate(_LOOK_ALIKES)
    if typed != text.strip() and re.search("[0-9]", text) and re.fullmatch(_NUMBER, typed):
        return "a letter stands in the place of a digit: O for 0, or l or I for 1"
    if "%" in text:
        return "write the share as a number, 0.5 for 50%"
    return str(error).partition(" — valid: ")[0]  # all names of a worksheet are too many for a cell


def plain_digits(text: str) -> str:
    """Digits and decimal signs of other scripts as 0 to 9, point and comma; spaces of any width as spaces."""
    if text.isascii():
        return text
    return "".join(map(_plain, text))


def _unwrapped(text: str, name: str) -> str:
    """Without what stands around a number: quotes, "about", the quantity's own name."""
    before = ""
    while text != before:
        before = text
        if match := _BEFORE.match(text):
            text = text[match.end() :]
        text = _AFTER.sub("", text).strip()
        if len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1].strip()
        elif text[:1] in ("'", "’"):
            text = text[1:].strip()
        own = _OWN.fullmatch(text) if name else None
        if own and plain_name(own[1].strip("`*$ ")).lower() == name.lower():
            text = own[2].strip()
    return text


def _plain(character: str) -> str:
    if character in "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉":
        return character
    if character.isspace():
        return " "
    if character in "\u066b\uff0e":  # the Arabic decimal separator, the full-width point
        return "."
    if character in "\u066c\uff0c":  # the Arabic separator of thousands, the full-width comma
        return ","
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
