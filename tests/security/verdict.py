"""How a case is judged: control first, then the attack, then whether the session lives and nothing was touched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.security.case import HOLDERS, Bare, filled
from tests.security.world import Outcome, run

if TYPE_CHECKING:
    from tests.security.case import Case
    from tests.security.world import World

# What no error may look like: an inside view of the gateway instead of the user's own terms.
_INSIDE = re.compile(r"INTERNAL Error|Traceback|/fairlead/|src/fairlead|site-packages|stack trace|std::", re.IGNORECASE)
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


def judge(case: Case, world: World) -> None:
    """Fail unless the case is held."""
    values = world.values
    session = world.session()
    check_control(case, world)
    for statement in case.before:
        world.admin.execute(filled(statement, values).encode())
    try:
        before = world.fingerprint()
        world.recorder.requests.clear()
        attack = tuple(filled(statement, values) for statement in case.attack)
        parameters = tuple(filled(p, values) if isinstance(p, str) else p for p in case.parameters)
        outcome = run(session, attack, parameters)
        assert_nothing_escaped(world, outcome, before)
        _assert_refused(case, world, outcome, f"{attack} {parameters}")
    finally:
        for statement in case.after:
            world.admin.execute(filled(statement, values).encode())
    world.assert_alive()


def check_control(case: Case, world: World) -> None:
    """Fail unless the same form does something where it may."""
    control = case.control
    statements = tuple(filled(statement, world.values) for statement in control.statements)
    if not isinstance(control, Bare):
        parameters = tuple(filled(p, world.values) if isinstance(p, str) else p for p in control.parameters)
        outcome = run(world.session(), statements, parameters)
        assert outcome.state is None, f"control inside the grant fails: {outcome.state} {outcome.text}"
        return
    if world.off:
        return  # the same engine without layers, whatever the gateway's layers are: once is enough
    answer = world.bare.run(statements)
    if control.reaches:
        assert world.recorder.requests, f"control does not reach the host: {answer}"
    elif control.says is None:
        assert answer.error is None, f"control fails in a bare engine: {answer.error}"
    else:
        assert answer.error is not None, f"control was to fail with {control.says!r} in a bare engine"
        assert re.search(control.says, answer.error), answer.error


def assert_nothing_escaped(world: World, outcome: Outcome, before: dict[str, str]) -> None:
    """Fail if forbidden content was shown, a host of the user was asked, or anything outside the grants was changed."""
    for secret in world.forbidden():
        assert secret not in outcome.rows, "forbidden content in a result"
        assert secret not in outcome.text, "forbidden content in an error"
    assert world.recorder.requests == [], "a host that the user chose was asked"
    after = world.fingerprint()
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert not changed, f"changed outside the grants: {sorted(changed)}"


def _assert_refused(case: Case, world: World, outcome: Outcome, attack: str) -> None:
    excused = case.scoped or bool(case.harmless & world.off)
    assert excused or outcome.state is not None, f"not refused; it gave {outcome.rows[:500]}"
    assert not _INSIDE.search(outcome.text), f"the error shows the inside: {outcome.text}"
    for address in _ADDRESS.findall(outcome.text):
        assert address in attack, f"the error shows an address of the inside: {outcome.text}"
    if excused:
        return
    holders = [HOLDERS[name] for name in case.held_by if HOLDERS[name].layer not in world.off]
    held = any(outcome.state in h.states and re.search(h.words, outcome.text, re.IGNORECASE) for h in holders)
    assert held, f"not in the words of {sorted(case.held_by)}: {outcome.state} {outcome.text}"
