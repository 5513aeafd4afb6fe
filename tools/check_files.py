"""Check what no linter checks: no file holds two concepts, and none names a place that only one machine has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES = 500
# What a package client's own settings would leak into a file.
SETTING = re.compile(r"--(?:(?:extra-)?index-url|find-links|trusted-host)\b")
ROOT = Path(__file__).resolve().parent.parent


def files() -> list[Path]:
    """Return every file that is, or would be, under version control."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def foreign(name: Path, line: str) -> Iterator[str]:
    """Yield what ``line`` of the file ``name`` says that holds on one machine only."""
    if (setting := SETTING.search(line)) and name.parts[0] != "tests":
        yield f"{setting.group()} belongs to the settings of one machine"
    if name.parts[0] == "requirements" and "://" in line:
        yield "an address: requirements are names, versions and hashes"
    if f"{ROOT}/" in line:
        yield f"{ROOT} is where this clone happens to be"


def complaints(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    name = path.relative_to(ROOT)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
    found = []
    if path.suffix == ".py" and len(lines) > MOST_LINES:
        found.append(f"{name}: {len(lines)} lines, at most {MOST_LINES}: it probably holds two concepts")
    found += [f"{name}:{number}: {what}" for number, line in enumerate(lines, 1) for what in foreign(name, line)]
    return found


def main() -> int:
    """Print every complaint; return 1 if there is one."""
    found = [complaint for path in files() for complaint in complaints(path)]
    for complaint in found:
        print(complaint)
    print(f"{len(found)} complaints about files" if found else "Files: sizes and addresses are in order.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
