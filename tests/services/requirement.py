"""What happens when a test needs a real server that is not installed.

On a fresh machine the test is skipped, with the reason and the command that brings the server; in CI, where
``FAIRLEAD_REQUIRE_SERVICES=1`` is set, the same is a failure, so that a green run has seen the real thing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".services" / "bin"


def require_service(name: str) -> Path:
    """Return the program of a real server, from ``.services/bin`` or else from the PATH.

    A test without it is skipped, or fails if ``FAIRLEAD_REQUIRE_SERVICES=1``.
    """
    installed = INSTALLED / name
    found = str(installed) if installed.is_file() else shutil.which(name)
    if found is None:
        missing(f"{name} is not installed")
    return Path(found)


def missing(what: str, remedy: str = "to bring it: make services") -> NoReturn:
    """Skip the test because ``what``, or fail it where everything is required: there a skip would hide a hole."""
    reason = f"{what}; {remedy}"
    if os.environ.get("FAIRLEAD_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason} (FAIRLEAD_REQUIRE_SERVICES=1 makes this an error)", pytrace=False)
    pytest.skip(reason)  # only on a contributor's machine: .ci/run requires everything
