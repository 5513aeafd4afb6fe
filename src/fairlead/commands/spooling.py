"""What is left of a suspended portal when its session runs another statement: a little in memory, the rest in a file.

A session has one worker, and a worker runs one statement; so the rows that a client has not asked for yet are read to
their end and put aside. The file has no name: it is gone when it is closed, whatever happens to the gateway.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from typing import IO, TYPE_CHECKING, Final

from fairlead.errors import EngineError
from fairlead.session_types import ResultRows

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.session_types import Output

_MIB: Final = 1024 * 1024
_IN_MEMORY: Final = _MIB


class Spool:
    """Outputs in their order: first in, first out.

    Args:
        folder: where the file is made, None = nothing may be written.
        limit_mb: of the file, MiB.
    """

    def __init__(self, folder: Path | None, limit_mb: int) -> None:
        self._folder = folder
        self._limit_mb = limit_mb if folder is not None else 0
        # Rows in the file are remembered by their length, and their number.
        self._outputs: deque[Output | tuple[int, int]] = deque()
        self._file: IO[bytes] | None = None
        self._held = 0
        self._written = 0
        self._read = 0

    async def put(self, output: Output) -> None:
        """Put an output behind the others.

        Raises:
            EngineError: there are more rows than may be put aside, or there is no room for them.
        """
        if not isinstance(output, ResultRows):
            self._outputs.append(output)
        elif self._file is None and self._held + len(output.data) <= _IN_MEMORY:
            self._held += len(output.data)
            self._outputs.append(output)
        else:
            if self._written + len(output.data) > self._limit_mb * _MIB:
                raise EngineError(
                    f"the rest of the suspended portal has more than {self._limit_mb} MiB of rows",
                    sqlstate="53100",
                    hint="fetch all rows of a cursor before the next statement, or use a second session",
                )
            try:
                await asyncio.to_thread(self._write, output.data)
            except OSError as error:
                message = f"could not put the rest of the suspended portal aside: {error.strerror}"
                raise EngineError(message, sqlstate="53100") from error
            self._outputs.append((len(output.data), output.count))

    async def take(self) -> Output | None:
        """Return the first output and forget it; None = there is none.

        Raises:
            EngineError: it cannot be read again.
        """
        if not self._outputs:
            return None
        output = self._outputs.popleft()
        if not isinstance(output, tuple):
            return output
        length, count = output
        data = await asyncio.to_thread(self._read_again, length)
        if len(data) != length:
            raise EngineError("the rest of the suspended portal is lost", sqlstate="58030")
        return ResultRows(data, count)

    def close(self) -> None:
        """Forget everything."""
        self._outputs.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  # closed by close()
        self._file.seek(self._written)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._written += len(data)

    def _read_again(self, length: int) -> bytes:
        assert self._file is not None
        self._file.seek(self._read)
        self._read += length
        parts: list[bytes] = []
        while length and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
