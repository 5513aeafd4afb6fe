"""No secret turns up where it should not: planted through every statement and every error path, searched everywhere.

Claims 1 and 7 of the threat model. Two more tests show that the search can find: without the scrubber it does, and
with a secret put into a worker it does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.security.evidence import PLACES, Plot, scanning
from tests.security.needles import Needles, forms
from tests.services.gateway import Gateway
from tests.services.otlp import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.security.evidence import Evidence
    from tests.services.s3 import S3Server

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the memory of workers; run as root")

# Imported by the gateway's interpreter before anything else; the workers start with an empty environment, without it.
_WITHOUT_SCRUBBER = """
from fairlead.vault.scrubber import Scrubber
_init = Scrubber.__init__
def _disabled(self):
    _init(self)
    self.enabled = False
Scrubber.__init__ = _disabled
"""


def _plot(folder: Path, store: S3Server, env: dict[str, str]) -> Iterator[Plot]:
    receiver = Receiver()
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    gateway = Gateway(folder, env={"FAIRLEAD_LOG_LEVEL": "debug", **traced, **env})
    try:
        plot = Plot(gateway.start(), store, folder, receiver)
        try:
            yield plot
        finally:
            plot.stop()
    finally:
        gateway.end()
        receiver.stop()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory, minio: S3Server) -> Iterator[Evidence]:
    for plot in _plot(tmp_path_factory.mktemp("canary"), minio, {}):
        plot.plant()
        plot.look()
        yield plot.evidence


@needs_root
@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_found(place: str, evidence: Evidence):
    assert evidence.searched[place] > 0
    assert evidence.found[place] == []


@needs_root
def test_every_statement_of_the_lists_ends_as_told(evidence: Evidence):
    assert evidence.unexpected == []


@needs_root
def test_without_the_scrubber_the_search_finds_something(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, minio: S3Server
):
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_SCRUBBER)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    for plot in _plot(tmp_path_factory.mktemp("bare"), minio, {"PYTHONPATH": path}):
        plot.plant()
        plot.look_at_the_wire()
        assert plot.evidence.found["wire"] != []


@needs_root
def test_a_secret_in_a_worker_is_found_in_its_memory(tmp_path_factory: pytest.TempPathFactory, minio: S3Server):
    for plot in _plot(tmp_path_factory.mktemp("held"), minio, {}):
        plot.set_up_scan()
        with plot.analyst() as session:
            session.execute(f"CREATE TEMP TABLE held AS SELECT '{plot.needles.canary()}' AS x".encode())
            with scanning(plot.analyst()):
                plot.look_at_processes()
        assert plot.evidence.found["memory of workers"] != []


@pytest.mark.parametrize("form", forms("x" * 12))
def test_the_search_finds_a_canary_in_each_form(form: str):
    needles = Needles()
    canary = needles.canary()
    for before in ("", "a", "ab", "abc"):
        inside = forms(before + canary + before)[form.split("+", maxsplit=1)[0] + ("+0" if "+" in form else "")]
        assert needles.search(b"..." + inside + b"...") != [], before
