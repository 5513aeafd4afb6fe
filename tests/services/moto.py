"""Moto with authentication enforced: the AWS interfaces (S3, IAM, STS) that no other server here has.

It is the demo's store, seen as a test sees an S3 server. What it does not do: it accepts an AssumeRole without the
ExternalId that a trust policy asks for, and it does not evaluate every condition of a policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.store import REGION, DemoStore
from tests.services.s3 import S3Key, S3Server

if TYPE_CHECKING:
    from pathlib import Path

    from demo.store import StoreKey


class Moto:
    """One moto on a free port; only its own users get in.

    Args:
        folder: where its log goes.
    """

    def __init__(self, folder: Path) -> None:
        self._store = DemoStore(folder / "moto.log")
        self.server = S3Server(self._store.endpoint, S3Key("unset", "unset"), REGION)

    def start(self) -> Moto:
        """Start it, and prove that it refuses wrong keys."""
        self._store.start()
        assert self._store.admin is not None
        self.server = S3Server(self._store.endpoint, _s3_key(self._store.admin), REGION)
        self.server.assert_refuses_wrong_keys()
        return self

    def stop(self) -> None:
        """End it; everything in it is gone."""
        self._store.stop()

    def create_user_key(self, user: str, *buckets: str) -> S3Key:
        """Create ``user``, who may do everything in ``buckets`` (all if none is named), and return the first key."""
        return _s3_key(self._store.create_user_key(user, *buckets))

    def rotate_key(self, user: str) -> S3Key:
        """Give ``user`` a new key, delete every older one, and return the new one."""
        return _s3_key(self._store.rotate_key(user))


def _s3_key(key: StoreKey) -> S3Key:
    return S3Key(key.access_key_id, key.secret_access_key)
