"""The real gateway and the real object store that measurements run against; not moto, which would be the bottleneck."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.gateway import Gateway
from tests.services.minio import Minio
from tests.services.requirement import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.services.s3 import S3Server


@contextmanager
def object_store() -> Iterator[S3Server]:
    """Run MinIO.

    Raises:
        SystemExit: it is not installed.
    """
    program = INSTALLED / "minio"
    if not program.is_file():
        raise SystemExit("the measurements need MinIO; to bring it: make services")
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        server = Minio(program, Path(folder))
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def running_gateway(env: Mapping[str, str] | None = None, *, arguments: tuple[str, ...] = ()) -> Iterator[Gateway]:
    """Run a gateway with default settings, but for those in ``env`` and further arguments of ``fairlead serve``."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        gateway = Gateway(Path(folder), env=env, arguments=arguments)
        try:
            yield gateway.start()
        finally:
            gateway.end()
