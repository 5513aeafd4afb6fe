from __future__ import annotations

from fairlead.server.pgwire.throttle import LoginThrottle


class Watch:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def test_each_failure_waits_twice_as_long_up_to_a_ceiling():
    throttle = LoginThrottle(Watch())
    assert [throttle.failed("a") for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0]
    assert throttle.failed("b") == 0.2


def test_a_success_or_five_quiet_minutes_forgive():
    watch = Watch()
    throttle = LoginThrottle(watch)
    throttle.failed("a")
    throttle.succeeded("a")
    assert throttle.failed("a") == 0.2
    watch.seconds += 299
    assert throttle.failed("a") == 0.4
    watch.seconds += 301
    assert throttle.failed("a") == 0.2


def test_many_addresses_do_not_fill_the_memory():
    throttle = LoginThrottle(Watch())
    for number in range(20_000):
        throttle.failed(str(number))
    assert len(throttle._failures) == 10_000
