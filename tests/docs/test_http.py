"""The examples of the page on HTTP run as they are printed; only addresses and the password are filled in."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.requirement import require_service

if TYPE_CHECKING:
    from tests.services.gateway import Gateway

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```\w+\n(.*?)```", re.DOTALL)
_ANSWER = re.compile(r"<!-- answer: ([\w-]+) -->\n```json\n(.*?)```", re.DOTALL)
EXAMPLES = dict(_EXAMPLE.findall(PAGE))
ANSWERS = dict(_ANSWER.findall(PAGE))


def test_every_block_of_the_page_is_an_example() -> None:
    assert PAGE.count("```") == 2 * (len(EXAMPLES) + len(ANSWERS))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_example_of_the_shell_answers_as_printed(name: str, gateway: Gateway) -> None:
    require_service("curl")
    script = EXAMPLES[name].replace("https://127.0.0.1:7433", gateway.http)
    done = subprocess.run(
        ["sh", "-e"],
        input=script.replace("fairlead-data/server.crt", str(gateway.certificate)),
        env={"PASSWORD": gateway.password, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answered = [json.loads(line) for line in done.stdout.splitlines()]
    assert answered == [json.loads(line) for line in ANSWERS[name].splitlines()], done.stderr


def test_the_example_of_arrow_reads_a_table(gateway: Gateway) -> None:
    names: dict[str, Any] = {
        "PASSWORD": gateway.password,
        "CERTIFICATE": ssl.create_default_context(cafile=str(gateway.certificate)),
    }
    exec(EXAMPLES["arrow"].replace("https://127.0.0.1:7433", gateway.http), names)
    assert names["table"].to_pydict() == {"i": [0, 1, 2], "square": [0, 1, 4]}


def test_every_setting_of_the_listener_is_on_the_page_for_operators() -> None:
    from fairlead.config import HttpSettings  # noqa: PLC0415  # only here

    page = (Path(__file__).resolve().parents[2] / "docs" / "operation.md").read_text(encoding="utf-8")
    for name in HttpSettings.model_fields:
        assert f"`FAIRLEAD_HTTP_{name.upper()}`" in page
