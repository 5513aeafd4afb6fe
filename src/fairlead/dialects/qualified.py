"""Full names as text: quoted only where they need it, the schema that every database has never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.context import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.writer import Writer


def qualified(parts: Sequence[str], writer: Writer) -> str:
    """Return a qualified name.

    Args:
        parts: database, schema, name, or the last ones of these.
        writer: of the dialect that reads it.
    """
    return ".".join(part if part == DEFAULT_SCHEMA else writer.identifier(part) for part in parts)
