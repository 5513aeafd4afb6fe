"""Feed random messages to the wire's core and, for each stream, look at what came of it: a million take some minutes.

``python tools/fuzz_wire.py [MESSAGES] [SEED]`` prints how many messages and events there were, how fast, and how much
memory the process has grown; a failure shows the seed that repeats it.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.server.pgwire import streams

_STREAM = 50


def main() -> None:
    """Run."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    sent = events = 0
    memory, begun = 0, time.monotonic()
    while sent < wanted:
        try:
            events += streams.feed_core(random.Random(seed), _STREAM)  # noqa: S311  # repeatable
        except BaseException:
            sys.stderr.write(f"seed {seed}\n")
            raise
        sent += _STREAM
        seed += 1
        if not memory and sent >= wanted // 10:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    seconds = time.monotonic() - begun
    sys.stdout.write(
        f"{sent} messages, {events} events, {sent / seconds:.0f} messages/s, grown by {grown} KiB after a tenth\n"
    )


if __name__ == "__main__":
    main()
