"""VALIDATE: the steps of reaching a system, one after the other, so that the first one that fails is seen.

A connector lists its steps in order; each looks at the :class:`Probe` and returns its evidence in one sentence. After a
failure the rest is skipped. Evidence and hints never hold a credential.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

from fairlead.errors import DestinationRefused, FairleadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.connectors.door import Door
    from fairlead.sensitive import Sensitive

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step.

    Args:
        step: its name.
        status: ``skipped`` also for what has nothing to do here.
        milliseconds: that it took, whole.
        evidence: one sentence.
        hint: what to do after a failure.
    """

    step: str
    status: Status
    milliseconds: int
    evidence: str
    hint: str | None = None


class Skipped(Exception):
    """Raised by a step that has nothing to do; the text says why."""


@dataclass(slots=True)
class Probe:
    """What the steps of one run share.

    Args:
        options: by canonical name, secrets opened.
        locations: URLs that the connection's dependents name.
        door: the way out.
        refused: the policy's answer, when resolving gave one, for the step that tells it.
    """

    options: Mapping[str, str | Sensitive]
    locations: Sequence[str]
    door: Door
    refused: FairleadError | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, and what it does; ``FairleadError`` is a failure, ``Skipped`` means nothing to do."""

    name: str
    run: Callable[[Probe], str]


class Checked(Protocol):
    """What ``run_checks`` needs of a connector."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in order."""
        ...


def run_checks(
    connector: Checked, options: Mapping[str, str | Sensitive], locations: Sequence[str], door: Door
) -> list[StepResult]:
    """Run every step of a connector in order; what follows a failure is skipped.

    Args:
        connector: whose steps.
        options: by canonical name, secrets opened.
        locations: URLs that dependents of the connection name.
        door: the way out.
    """
    probe = Probe(options, locations, door)
    results: list[StepResult] = []
    failed: str | None = None
    for step in connector.steps:
        result = _run(step, probe) if failed is None else StepResult(step.name, "skipped", 0, f"{failed} failed")
        results.append(result)
        if result.status == "failed":
            failed = step.name
    return results


def endpoint_steps(endpoint: Callable[[Probe], str]) -> tuple[Step, ...]:
    """Return the steps that every system behind a URL has: name, policy, connection, TLS.

    Args:
        endpoint: gives ``scheme://host[:port]``.
    """

    def place(probe: Probe) -> tuple[str, str, int]:
        parts = urlsplit(endpoint(probe))
        return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    def dns(probe: Probe) -> str:
        _, host, port = place(probe)
        try:
            addresses = probe.door.resolve(host, port)
        except DestinationRefused as error:
            probe.refused = error
            return f"{host} is left to the egress policy"
        return f"{host} is " + ("an address" if addresses == (host,) else ", ".join(addresses))

    def policy(probe: Probe) -> str:
        if probe.refused is not None:
            raise probe.refused
        _, host, port = place(probe)
        return f"{host} port {port} may be reached"

    def tcp(probe: Probe) -> str:
        _, host, port = place(probe)
        return f"{probe.door.tcp(host, port)} port {port} answers"

    def tls(probe: Probe) -> str:
        scheme, host, port = place(probe)
        if scheme != "https":
            reason = "the endpoint is plain http"
            raise Skipped(reason)
        version, subject, expiry = probe.door.tls(host, port)
        return f"{version}, certificate of {subject}, valid until {expiry:%Y-%m-%d}"

    return (Step("dns", dns), Step("egress policy", policy), Step("tcp", tcp), Step("tls", tls))


def _run(step: Step, probe: Probe) -> StepResult:
    start = time.monotonic()

    def result(status: Status, evidence: str, hint: str | None = None) -> StepResult:
        return StepResult(step.name, status, round((time.monotonic() - start) * 1000), evidence, hint)

    try:
        return result("passed", step.run(probe))
    except Skipped as skipped:
        return result("skipped", str(skipped))
    except FairleadError as error:
        evidence = error.message if error.detail is None else f"{error.message} ({error.detail})"
        return result("failed", evidence, error.hint)
