"""The examples of the page on Flight SQL run as they are printed; address, password and certificate are filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.services.fixtures import StartGateway

ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```python\n(.*?)```", re.DOTALL)


def test_the_examples_run(start_gateway: StartGateway) -> None:
    gateway = start_gateway(arguments=("--flight", "127.0.0.1:0"))
    examples = dict(_EXAMPLE.findall((ROOT / "docs/flight.md").read_text(encoding="utf-8")))
    assert list(examples) == ["first", "frames"]
    names: dict[str, Any] = {"PASSWORD": gateway.password}
    for text in examples.values():
        filled = text.replace("grpc+tls://127.0.0.1:7434", gateway.flight).replace(
            "fairlead-data/server.crt", str(gateway.certificate)
        )
        exec(compile(filled, "docs/flight.md", "exec"), names)
    try:
        assert names["table"].to_pydict() == {"i": [0, 1, 2], "square": [0, 1, 4]}
        assert names["frame"]["square"].sum() == 5
    finally:
        names["cursor"].close()
        names["connection"].close()
