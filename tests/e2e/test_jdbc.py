"""PostgreSQL's JDBC driver: a Java program that logs in over TLS and does what such programs do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.requirement import INSTALLED, missing, require_service

if TYPE_CHECKING:
    from tests.services.gateway import Gateway

SOURCE = Path(__file__).parent / "jdbc" / "Client.java"
DRIVER = INSTALLED.parent / "lib" / "postgresql.jar"
PARAMETERS = (
    "1099511627776 0.1 -1234.500 2020-02-29 2020-02-29T23:59:59.250 f47ac10b-58cc-4372-a567-0e02b2c3d479 naïve true"
    " [0, -1]"
)
VALUES = (
    "values 100 true 7 1.5 1.0E300 12345678901234567890.50 2020-02-29T23:59:59.250Z [1, null, 3] [a, b c] [0, -1] null"
)
EXPECTED = [
    *(f"parameters {number} {PARAMETERS}" for number in (1, 2, 3)),
    "any true",
    VALUES,
    VALUES,
    "between 42",
    f"rows 10000 {10000 * 9999 // 2}",
    "batch 20",
    "stored 190 10 2020-02-29 2020-02-29 23:59:59.25",
    "error 42601",
    "error 42P01",
    "error 22P02",
    "cancel 57014",
    "after true",
]


def test_a_java_program_works_as_with_postgresql(gateway: Gateway, tmp_path: Path) -> None:
    if not DRIVER.is_file():
        missing("PostgreSQL's JDBC driver is not installed")
    require_service("javac")
    compiled = subprocess.run(
        ["javac", "-d", str(tmp_path), "-cp", str(DRIVER), str(SOURCE)], check=False, capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stderr
    host, port = gateway.address
    ran = subprocess.run(
        [
            *("java", "-Xmx256m", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Duser.timezone=UTC"),
            *("-cp", f"{tmp_path}:{DRIVER}", "Client"),
            *(f"jdbc:postgresql://{host}:{port}/main", str(gateway.data / "server.crt")),
        ],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={"PATH": str(Path(shutil.which("java") or "java").parent), "FAIRLEAD_PASSWORD": gateway.password},
    )
    assert ran.stdout.splitlines() == EXPECTED, ran.stderr
