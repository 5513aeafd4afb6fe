"""What an examination finds: one fact, whether it is a problem, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    Args:
        check: what was looked at.
        status: ``failed`` = the gateway does not work, or is not safe, as it is; ``warning`` = it works, with a loss;
            ``skipped`` = it could not be looked at now.
        message: what was found, in one sentence.
        remedy: what to do, empty where there is nothing to do.
    """

    check: str
    status: Status
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """Return a finding of something that costs speed, room or protection."""
    return Finding(check, "warning", message, remedy)


def failed(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(check, "failed", message, remedy)


def skipped(check: str, message: str, remedy: str = "") -> Finding:
    """Return that something could not be looked at."""
    return Finding(check, "skipped", message, remedy)
