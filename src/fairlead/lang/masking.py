"""Statement text that is safe to log: redaction by token, never by pattern over the text.

Two rules. *Strict*, for every statement that can hold a credential and for all text that is not understood: only words
of the vocabulary, punctuation and the object's name are shown. *Data*, for statements of the engine: what follows an
option that sounds secret, and URLs with a credential inside, are hidden. Comments are never shown.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fairlead.lang.splitter import split
from fairlead.lang.vocabulary import FIRST_WORDS, SECRETISH, VOCABULARY
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Dialect
    from fairlead.lang.lexer import Token
    from fairlead.lang.splitter import Piece

_QUOTED_MASK: Final = f"'{MASK}'"
_NOUNS: Final = frozenset(
    (
        *("SECRET", "CONNECTION", "LINK", "STAGE", "USER", "ROLE", "DATABASE", "WORKSPACE", "SCHEMA", "TABLE"),
        "VIEW",
    )
)
_BEFORE_NAME: Final = frozenset({"IF", "NOT", "EXISTS", "EXTENDED"})
_GRANTS: Final = frozenset({"GRANT", "REVOKE"})
_HARMLESS: Final = frozenset(
    {"LIST", "USE", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "DISCARD", "DEALLOCATE", "VERIFY", "SHOW"}
)
_ASSIGN: Final = frozenset({"=", "=>", ":=", ":"})
_CARRY: Final = frozenset({"||", "(", "["})
_URL_SECRET: Final = re.compile(r"://[^/?#]*@|[?&#][^=]*(?:sig|token|key|secret|credential|password)", re.IGNORECASE)


_QUERIES: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE"})


def redact(text: str, dialect: Dialect = "native") -> str:
    """Return the text of a script with everything hidden that may be a secret. Never raises.

    Args:
        text: one or more statements.
        dialect: whose quoting rules hold.
    """
    pieces: list[str] = []
    for piece in split(text, dialect):
        if piece.broken:
            return _unreadable(piece if not pieces else None)
        pieces.append(_piece_text(text, piece))
    return "; ".join(pieces)


def holds_credential(url: str) -> bool:
    """Say whether a URL carries what may be a credential: user information, a signature, a token."""
    return _URL_SECRET.search(url) is not None


def _unreadable(piece: Piece | None) -> str:
    first = piece.tokens[0].upper if piece else ""
    return f"{first} {_QUOTED_MASK}" if first in FIRST_WORDS else _QUOTED_MASK


def _piece_text(text: str, piece: Piece) -> str:
    out: list[str] = []
    before: Token | None = None
    for token, shown in zip(piece.tokens, shown_tokens(text, piece), strict=False):
        if before is not None and token.start > before.end:
            gap = text[before.end : token.start]
            out.append(gap if gap.isspace() else " ")
        out.append(shown)
        before = token
    return "".join(out)


def shown_tokens(text: str, piece: Piece) -> list[str]:
    """Return, token by token and without the ``eof``, what may be shown of a statement."""
    tokens = piece.tokens[:-1]
    if tokens and is_sensitive(piece):
        names = _name_positions(tokens)
        return [_strict(text, token, at in names) for at, token in enumerate(tokens)]
    return _data(text, tokens)


def _is_harmless(tokens: Sequence[Token]) -> bool:
    first = tokens[0].upper if tokens[0].kind == "word" else ""
    if first in {"SET", "RESET", "UNSET"}:
        return not any(SECRETISH.search(token.text) for token in tokens)
    return first in _HARMLESS


def is_sensitive(piece: Piece) -> bool:
    """Whether the strict rule holds for a statement."""
    if piece.broken is not None:
        return True
    if piece.head == "query":
        return not _has_query(piece.tokens)
    return piece.head == "ours" and not _is_harmless(piece.tokens)


def _has_query(tokens: Sequence[Token]) -> bool:
    """Whether AS and a query are there, so that what follows is the engine's and not a statement gone wrong."""
    return any(
        one.kind == "word" and one.upper == "AS" and (two.text == "(" or two.upper in _QUERIES)
        for one, two in pairwise(tokens)
    )


# --- strict ----------------------------------------------------------------------------------------------------------


def _strict(text: str, token: Token, is_name: bool) -> str:
    kind = token.kind
    if kind == "op" and not token.text.startswith("$"):
        return token.text
    if is_name or (kind == "word" and token.upper in VOCABULARY):
        return text[token.start : token.end]
    return _QUOTED_MASK if kind in {"string", "hex"} else MASK


def _name_positions(tokens: Sequence[Token]) -> set[int]:
    names: set[int] = set()
    if not tokens or tokens[0].kind != "word" or tokens[0].upper not in VOCABULARY:
        return names
    verb = tokens[0].upper
    at = 1
    while at < len(tokens):
        token = tokens[at]
        word = token.upper if token.kind == "word" else ""
        at += 1
        if word in _NOUNS or (verb in _GRANTS and word in {"TO", "FROM", "ON"}):
            at = _names_from(tokens, at, names, several=verb == "DROP" or verb in _GRANTS)
            if verb not in _GRANTS:
                break
        elif not word and verb not in _GRANTS:
            break
    return names


def _names_from(tokens: Sequence[Token], at: int, names: set[int], *, several: bool) -> int:
    while at < len(tokens) and tokens[at].kind == "word" and tokens[at].upper in _BEFORE_NAME | _NOUNS:
        at += 1
    while at < len(tokens) and tokens[at].kind in {"word", "quoted"}:
        names.add(at)
        at += 1
        following = tokens[at].text if at < len(tokens) and tokens[at].kind == "op" else ""
        if following != "." and not (several and following == ","):
            break
        at += 1
    return at


# --- data ------------------------------------------------------------------------------------------------------------


def _data(text: str, tokens: Sequence[Token]) -> list[str]:
    shown: list[str] = []
    armed = assigned = False
    for token in tokens:
        kind = token.kind
        if kind == "op":
            assigned = armed and (token.text in _ASSIGN or (assigned and token.text in _CARRY))
            armed = assigned or (armed and token.text in _CARRY)
            shown.append(token.text)
        elif armed and (kind in {"string", "hex"} or assigned):
            shown.append(_QUOTED_MASK)
        elif armed and kind == "word" and token.upper in {"TO", "IS", "AS"}:
            assigned = True
            shown.append(text[token.start : token.end])
        else:
            hidden = kind == "string" and _URL_SECRET.search(token.text) is not None
            shown.append(_QUOTED_MASK if hidden else text[token.start : token.end])
            armed = kind in {"word", "quoted", "string"} and SECRETISH.search(token.text) is not None
            assigned = False
    return shown
