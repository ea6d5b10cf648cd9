"""Numbers as people and programs write them: with signs of approximation, quotes, powers of ten, per cent.

Nothing is worked out here: what is taken away says nothing about the value, and every digit stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from tutor.formulas.names import plain_name

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_DASHES = str.maketrans(dict.fromkeys("−–—‒﹣－", "-"))
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_BEFORE = re.compile(r"(?:[≈~∼≃≅=]|approx\.?|about|ca\.?)\s*", re.IGNORECASE)
_AFTER = re.compile(
    r"\s*(?:\(\s*(?:approx|approximately|approximated|about|rounded|ca)\.?\s*\)|approx\.?)$", re.IGNORECASE
)
_PAIRS = {'"': '"', "'": "'", "$": "$", "`": "`", "“": "”", "‘": "’", "«": "»"}
_OF_A_PROGRAM = re.compile(
    rf"(?:(?:np|numpy|torch|tf|jnp)\.)?(?:float(?:16|32|64|_)?|double|tensor|array|Tensor|Decimal)\(\s*\[?\s*['\"]?({_NUMBER})"
    r"['\"]?\s*\]?\s*(?:,[^()]*(?:\([^()]*\))?[^()]*)?\)"
)
_GIVE_OR_TAKE = re.compile(rf"({_NUMBER})\s*(?:±|\+/-|\+-)\s*{_NUMBER}\s*")
_POWER = re.compile(
    r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*[x×·⋅∙*]\s*10\s*(?:\^|\*\*)\s*\(?\s*([-+]?[0-9]{1,5})\s*\)?"
)
_RAISED_POWER = re.compile(r"(.*[x×·⋅∙*]\s*10)([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", re.DOTALL)
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_LONGEST = 200


def plain_number(text: str, name: str = "") -> str:
    """The number that the text writes for the quantity of this name, as digits; any other text as it is."""
    if len(text) > _LONGEST or not text:
        return text
    found = _unwrapped(_digits(text.translate(_DASHES)).strip(), name)
    for pattern in (_OF_A_PROGRAM, _GIVE_OR_TAKE):
        if match := pattern.fullmatch(found):
            found = match[1]
    if match := _RAISED_POWER.fullmatch(found):
        found = f"{match[1]}^{match[2].translate(_RAISED)}"
    if match := _POWER.fullmatch(found):
        return f"{match[1]}e{match[2]}"
    if match := _SHARE.fullmatch(found):
        return str(Decimal(match[1]).scaleb(-2))
    return found if re.fullmatch(rf"{_NUMBER}|[-+]?[0-9]+\s*/\s*[-+]?[0-9]+", found) else text


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
        own, sign, rest = text.partition("=")
        if sign and name and plain_name(own.strip()).lower() == name.lower() and "=" not in rest:
            text = rest.strip()
    return text


def _digits(text: str) -> str:
    """Digits of other scripts as 0 to 9, spaces of any width as spaces."""
    if text.isascii():
        return text
    return "".join(_digit(character) for character in text)


def _digit(character: str) -> str:
    if character in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        return character
    if character.isspace():
        return " "
    if character in "\u066b\uff0e":  # the Arabic decimal separator, the full-width point
        return "."
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
