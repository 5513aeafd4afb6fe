"""Decoding of quoted text: doubled quotes, backslash escapes, ``E'..'`` escapes, and names inside strings."""

from __future__ import annotations

import re
from typing import Final

_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_KEPT: Final = frozenset("'\"\\`/")
_BACKSLASH: Final = re.compile(r"\\(.)", re.DOTALL)
_E_ESCAPE: Final = re.compile(
    rb"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL
)
_NAME: Final = re.compile(r'(?:"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`]+))(\.|$)')


class BadEscape(ValueError):
    """An escape that has no meaning; the text never shows it."""


def unquote(body: str) -> str:
    """Return the inside of a quoted text whose quotes inside are doubled."""
    quote = body[0]
    return body[1:-1].replace(quote * 2, quote)


def unescape_backslash(body: str, *, strict: bool) -> str:
    r"""Return the inside of a quoted text with ``\`` escapes and doubled quotes.

    Raises:
        BadEscape: an unknown escape, when ``strict`` (Databend's rule).
    """
    quote = body[0]

    def one(found: re.Match[str]) -> str:
        char = found.group(1)
        if char in _SIMPLE:
            return _SIMPLE[char]
        if strict and char not in _KEPT:
            message = "invalid escape or unicode"
            raise BadEscape(message)
        return char

    pieces = re.split(r"(\\.)", body[1:-1], flags=re.DOTALL)
    return "".join(
        _BACKSLASH.sub(one, piece) if piece.startswith("\\") else piece.replace(quote * 2, quote) for piece in pieces
    )


def unescape_e_string(body: str) -> str:
    """Return the inside of ``E'..'``, the leading E removed (PostgreSQL 4.1.2.2).

    Raises:
        BadEscape: an escape that gives no character, or bytes that are not UTF-8.
    """

    def one(found: re.Match[bytes]) -> bytes:
        short, long, hexadecimal, octal, char = found.groups()
        if short or long:
            return chr(int(short or long, 16)).encode()
        if hexadecimal or octal:
            code = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
            return bytes((code & 255,))
        return _SIMPLE.get(char.decode("latin-1"), char.decode("latin-1")).encode("latin-1")

    inside = unquote(_protect_quotes(body))
    try:
        return _E_ESCAPE.sub(one, inside.encode()).decode()
    except (ValueError, OverflowError):
        message = "invalid escape in an E'..' string"
        raise BadEscape(message) from None


def _protect_quotes(body: str) -> str:
    r"""Turn ``\'`` into an escape without a quote, so that doubled quotes can be undone safely."""
    return re.sub(r"\\(.)", lambda m: r"\x27" if m.group(1) == "'" else m.group(), body, flags=re.DOTALL)


def name_parts(text: str) -> tuple[str, ...]:
    """Split a name that was given as a string: dots separate, quotes protect. Other texts are one part."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        found = _NAME.match(text, at)
        if found is None:
            return (text,)
        double, back, plain, dot = found.groups()
        parts.append(double.replace('""', '"') if double else back.replace("``", "`") if back else plain)
        at = found.end()
        if dot and at == len(text):
            return (text,)
    return tuple(parts) or ("",)
