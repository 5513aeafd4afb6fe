"""A ratio is what a limit speaks of where there is a baseline, and a broken limit is told."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from bench import run
from bench.row import Row, alternate, seconds


@pytest.mark.parametrize(
    ("row", "within"),
    [
        (Row("a", 3.0, "ms"), True),
        (Row("a", 3.0, "ms", limit=3.0), True),
        (Row("a", 3.1, "ms", limit=3.0), False),
        (Row("a", 3.0, "ms", baseline=2.0, against="bare", limit=1.5), True),
        (Row("a", 3.1, "ms", baseline=2.0, against="bare", limit=1.5), False),
    ],
)
def test_a_limit_bounds_the_ratio_or_else_the_median(row, within):
    assert row.within_limit is within


def test_runs_that_warm_up_do_not_count():
    calls = []
    assert len(seconds(lambda: calls.append(1), samples=3, warm=2)) == 3
    assert len(calls) == 5


def test_a_measurement_and_its_baseline_run_in_turns():
    calls = []
    alternate(lambda: calls.append("a"), lambda: calls.append("b"), samples=2, warm=1)
    assert "".join(calls) == "ababab"


@pytest.mark.parametrize(("median", "code"), [(1.0, 0), (2.0, 1)])
def test_the_exit_code_tells_whether_every_limit_holds(monkeypatch, capsys, median, code):
    module = SimpleNamespace(__name__="bench.rope", run=lambda: [Row("splice", median, "ms", limit=1.5)])
    monkeypatch.setattr(run, "measurements", lambda _: [module])
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == code
    assert ("beyond its limit: splice" in capsys.readouterr().out) == (code == 1)


def test_a_measurement_that_fails_fails_the_run(monkeypatch, capsys):
    def broken():
        raise OSError("no rope")

    monkeypatch.setattr(run, "measurements", lambda _: [SimpleNamespace(__name__="bench.broken", run=broken)])
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == 1
    assert "no rope" in capsys.readouterr().out


def test_an_unknown_measurement_is_refused_with_the_known_ones():
    with pytest.raises(SystemExit, match=r"no measurement named rope; there are: .*sessions"):
        list(run.measurements(["rope"]))
