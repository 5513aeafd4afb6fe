"""Which connector a type word means, and what each system says about one that it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.connectors import declaration
from fairlead.dialects import errors as texts
from fairlead.errors import InvalidParameter, NotSupported
from fairlead.lang.vocabulary import CLICKZETTA_TYPES
from fairlead.suggest import did_you_mean

if TYPE_CHECKING:
    from fairlead.connectors.declaration import Connector
    from fairlead.context import Dialect
    from fairlead.lang import ast

# Storage types that Databend or its storage layer knows (databend.md section 3).
_DATABEND: Final = (
    *("s3", "azblob", "gcs", "oss", "obs", "cos", "hf", "huggingface", "webhdfs", "ipfs", "http", "https", "fs"),
    *("hdfs", "memory", "ftp", "azdls", "sftp"),
)
# Category of ClickZetta's types; those that are not here are STORAGE.
_CATEGORIES: Final = {
    "CLOUD_FUNCTION": "API",
    "AI_FUNCTION": "API",
    "HTTP": "API",
    "HMS": "CATALOG",
    "DATABRICKS": "CATALOG",
    "ICEBERG_REST": "CATALOG",
}


def connector_of(statement: ast.CreateConnection, dialect: Dialect) -> Connector:
    """Return the connector that a statement is for.

    Raises:
        InvalidParameter: the system does not know the type, or not in this category.
        NotSupported: the system knows it, the gateway does not (yet).
    """
    found = declaration.connector_of_type(statement.spelling, statement.type_word)
    if found is not None and _category_fits(statement, found):
        return found
    word = statement.type_word
    match statement.spelling:
        case "databend":
            raise _databend(word.lower(), dialect)
        case "clickzetta" if found is not None or not _known_to_clickzetta(statement):
            kind = statement.category or "STORAGE"
            message = f"no connection info factory for connection kind '{kind}', type '{word.lower()}'"
            raise InvalidParameter(message, hint=did_you_mean(word, CLICKZETTA_TYPES))
        case _:
            noun = "links" if statement.noun == "LINK" else "connections"
            offered = ", ".join(c.types[statement.spelling] for c in declaration.connectors())
            message = f"{word} {noun} are not offered yet"
            raise NotSupported(message, hint=f"offered are {offered}")


def _category_fits(statement: ast.CreateConnection, found: Connector) -> bool:
    return statement.category is None or statement.category == found.category


def _known_to_clickzetta(statement: ast.CreateConnection) -> bool:
    word = statement.type_word
    return word in CLICKZETTA_TYPES and statement.category in (None, _CATEGORIES.get(word, "STORAGE"))


def _databend(word: str, dialect: Dialect) -> InvalidParameter:
    known = word in _DATABEND
    text = f"{'URI protocol' if known else 'protocol'} {word} is not supported yet."
    hint = None if known else did_you_mean(word, _DATABEND)
    return InvalidParameter(texts.databend(4000, f"invalid input parameter ({text})", dialect), hint=hint)
