"""The first file of the zygote's program: makes the worker's modules importable, and nothing else of the gateway.

It is executed by path, with an empty environment and Python's isolated mode. The package ``fairlead`` is put in place
as a bare name, so that ``fairlead/__init__.py`` and the rooms behind it never run here.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path


def boot(arguments: list[str]) -> None:
    """Start the zygote.

    Args:
        arguments: the descriptor of the control socket, then the folders where duckdb, pyarrow and pytz lie.
    """
    package = types.ModuleType("fairlead")
    package.__path__ = [str(Path(__file__).resolve().parent.parent)]
    sys.modules["fairlead"] = package
    # The script's own folder would make the worker's modules importable under a second name.
    sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).resolve().parent)]
    sys.path.extend(folder for folder in arguments[1:] if folder not in sys.path)
    from fairlead.worker.zygote import main  # noqa: PLC0415  # only importable from here on

    main(int(arguments[0]))


if __name__ == "__main__":
    boot(sys.argv[1:])
