"""What every test can ask for; the fixtures stand in ``tests/services``, by theme."""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["tests.services.fixtures", "tests.services.lake"]

# In CI an example that once failed must fail again, and a slow shared machine is no failure.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
