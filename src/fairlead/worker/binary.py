"""The binary format of every type, straight from Arrow's buffers: the ``..._send`` functions of PostgreSQL.

What PostgreSQL has no type for is text, whose binary format is its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker import lists, moments, numeric
from fairlead.worker.forms import Form, big_endian, data_of, fixed, storage
from fairlead.worker.pgtypes import decimal, element_of, pg_type
from fairlead.worker.texts import text_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def binary_form(name: str, aliases: Mapping[str, str]) -> Form:
    """Return the form of a column in PostgreSQL's binary format; arguments as for :func:`text_form`."""
    if (element := element_of(name)) is not None:
        return lists.binary_form(binary_form(element, aliases), pg_type(element).oid)
    if (shape := decimal(name)) is not None:
        return Form(numeric.of_decimals(*shape))
    return _FORMS.get(name) or text_form(name, aliases)


def _booleans(column: pa.Array) -> pa.Array:
    ones = pc.cast(storage(column), pa.uint8())
    return fixed(ones, 1, data_of(ones, 1))


def _numbers(code: str, kind: pa.DataType | None = None) -> Form:
    """Return the form of numbers, widened to a type that PostgreSQL has."""

    def cells(column: pa.Array) -> pa.Array:
        return big_endian(column if kind is None else pc.cast(column, kind), code)

    return Form(cells)


def _stored(cells: Callable[[pa.Array], pa.Array]) -> Form:
    return Form(lambda column: cells(storage(column)))


_FORMS: Final = {
    "BOOLEAN": Form(_booleans),
    "TINYINT": _numbers("h", pa.int16()),
    "UTINYINT": _numbers("h", pa.int16()),
    "SMALLINT": _numbers("h"),
    "USMALLINT": _numbers("i", pa.int32()),
    "INTEGER": _numbers("i"),
    "UINTEGER": _numbers("q", pa.int64()),
    "BIGINT": _numbers("q"),
    "UBIGINT": Form(numeric.of_unsigned),
    "HUGEINT": Form(numeric.of_texts, "{}::VARCHAR".format),
    "UHUGEINT": Form(numeric.of_texts, "{}::VARCHAR".format),
    "BIGNUM": Form(numeric.of_texts, "{}::VARCHAR".format),
    "FLOAT": _numbers("i"),  # their bits are swapped like those of integers
    "DOUBLE": _numbers("q"),
    "DATE": Form(moments.binary_dates),
    "TIME": Form(moments.binary_times),
    "TIME_NS": Form(moments.binary_times),
    "TIME WITH TIME ZONE": _stored(moments.binary_zoned_times),
    "TIMESTAMP": Form(moments.binary_timestamps),
    "TIMESTAMP_S": Form(moments.binary_timestamps),
    "TIMESTAMP_MS": Form(moments.binary_timestamps),
    "TIMESTAMP_NS": Form(moments.binary_timestamps),
    "TIMESTAMP WITH TIME ZONE": Form(moments.binary_timestamps),
    "INTERVAL": Form(moments.binary_intervals),
    "UUID": Form(storage),
    "BLOB": Form(storage),
    # Length in bits, then the bits from the left (varbit_send in varbit.c).
    "BIT": Form(
        storage,
        (
            "system.main.unhex(system.main.printf('%08x', system.main.length({0}::VARCHAR))) ||"
            " system.main.rpad({0}::VARCHAR, ((system.main.length({0}::VARCHAR) + 7) // 8 * 8)::INTEGER, '0')"
            "::BIT::BLOB"
        ).format,
    ),
}
