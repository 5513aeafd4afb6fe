"""Each layer in a process of its own, tried with the calls that it must stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from tests.services.requirement import missing

PRELUDE = """
import json, os, signal, socket, subprocess, sys, threading
from fairlead.worker import kernel, layers

def attempt(call):
    try:
        call()
    except OSError as error:
        return type(error).__name__
    return "done"

def connect(port):
    socket.create_connection(("127.0.0.1", port), 2).close()

found = {}
"""


def in_process(body: str, *arguments: str):
    program = PRELUDE + textwrap.dedent(body) + "\nprint(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ,
    )
    return json.loads(done.stdout)


def test_landlock_leaves_two_folders_and_one_port(tmp_path):
    spill, files = tmp_path / "spill", tmp_path / "files"
    spill.mkdir()
    files.mkdir()
    (files / "f").write_text("x")
    other = tmp_path / "other.txt"
    other.write_text("x")
    found = in_process(
        """
        spill, other, files, parent = *sys.argv[1:4], os.getppid()
        near, far = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        ports = near.getsockname()[1], far.getsockname()[1]
        found["before"] = [attempt(lambda: open(other).read()), attempt(lambda: connect(ports[1]))]
        status = layers.apply_landlock("auto", writable=[spill], readable=[files], port=ports[0])
        found["active"], found["reason"] = status.active, status.reason
        def tries():
            return {
                "spill": attempt(lambda: open(spill + "/f", "w").write("x")),
                "spill read": attempt(lambda: open(spill + "/f").read()),
                "spill remove": attempt(lambda: os.remove(spill + "/f")),
                "files read": attempt(lambda: open(files + "/f").read()),
                "files list": attempt(lambda: os.listdir(files)),
                "files write": attempt(lambda: open(files + "/f", "r+")),
                "files truncate": attempt(lambda: os.truncate(files + "/f", 0)),
                "files make": attempt(lambda: open(files + "/g", "w")),
                "files remove": attempt(lambda: os.remove(files + "/f")),
                "files move out": attempt(lambda: os.rename(files + "/f", spill + "/g")),
                "files link out": attempt(lambda: os.link(files + "/f", spill + "/g")),
                "files link in": attempt(lambda: os.link(other, files + "/g")),
                "file": attempt(lambda: open(other).read()),
                "write": attempt(lambda: open(other, "w")),
                "list": attempt(lambda: os.listdir("/")),
                "proc": attempt(lambda: open("/proc/self/environ").read()),
                "execute": attempt(lambda: os.execv("/bin/true", ["true"])),
                "out of the folder": attempt(lambda: os.symlink(other, spill + "/l")),
                "own port": attempt(lambda: connect(ports[0])),
                "other port": attempt(lambda: connect(ports[1])),
                "listen": attempt(lambda: socket.create_server(("127.0.0.1", 0))),
                "signal": attempt(lambda: os.kill(parent, 0)),
            }
        found["tries"] = tries()
        later = threading.Thread(target=lambda: found.update(thread=tries()))
        later.start()
        later.join()
        """,
        str(spill),
        str(other),
        str(files),
    )
    if not found["active"]:
        missing(found["reason"], "it needs another kernel")
    assert found["before"] == ["done", "done"]
    assert found["tries"] == found["thread"]
    allowed = {name for name, result in found["tries"].items() if result == "done"}
    network = {"own port"} if "TCP" in found["reason"] else {"own port", "other port", "listen"}
    signals = set() if "signals" in found["reason"] else {"signal"}
    assert allowed == {"spill", "spill read", "spill remove", "files read", "files list"} | network | signals


def test_without_a_spill_folder_no_file_is_left(tmp_path):
    found = in_process(
        """
        status = layers.apply_landlock("auto", writable=[], readable=[], port=1)
        found["active"], found["reason"] = status.active, status.reason
        found["write"] = attempt(lambda: open(sys.argv[1] + "/f", "w"))
        """,
        str(tmp_path),
    )
    if not found["active"]:
        missing(found["reason"], "it needs another kernel")
    assert found["write"] == "PermissionError"


def test_the_namespace_has_its_own_loopback_and_no_way_out():
    found = in_process(
        """
        outside = socket.create_server(("127.0.0.1", 0))
        port = outside.getsockname()[1]
        found["before"] = attempt(lambda: connect(port))
        status = layers.enter_namespace("auto")
        found["active"], found["reason"] = status.active, status.reason
        found["outside"] = attempt(lambda: connect(port))
        inside = socket.create_server(("127.0.0.1", 0))
        found["inside"] = attempt(lambda: connect(inside.getsockname()[1]))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        found["udp"] = attempt(lambda: udp.sendto(b"x", ("192.0.2.1", 53)))
        """
    )
    if not found["active"]:
        missing(found["reason"], "it needs another kernel")
    assert found["before"] == "done"
    assert found["outside"] == "ConnectionRefusedError"
    assert found["inside"] == "done"
    assert found["udp"] == "OSError"


def test_privileges_are_gone_for_good():
    found = in_process(
        """
        layers.give_up_privileges()
        status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
        names = "CapEff", "CapPrm", "CapInh", "CapAmb"
        found["capabilities"] = {status[name].strip() for name in names} == {"0" * 16}
        found["no new"] = status["NoNewPrivs"].strip()
        """
    )
    assert found == {"capabilities": True, "no new": "1"}


def test_files_of_any_size_may_be_written_where_none_is_named():
    found = in_process(
        """
        status = layers.apply_limits("auto", address_space_mb=1024, cpu_seconds=0, file_mb=None)
        found["active"] = status.active
        file = os.memfd_create("f")
        found["file"] = attempt(lambda: os.pwrite(file, b"x", 2 * 1024**3))
        """
    )
    assert found == {"active": True, "file": "done"}


def test_limits_stop_memory_files_and_cores():
    found = in_process(
        """
        import resource
        status = layers.apply_limits("auto", address_space_mb=1024, cpu_seconds=5, file_mb=1)
        found["active"] = status.active
        try:
            bytearray(2 * 1024**3)
            found["memory"] = "done"
        except MemoryError:
            found["memory"] = "MemoryError"
        file = os.memfd_create("f")
        found["file"] = attempt(lambda: os.pwrite(file, b"x", 2 * 1024**2))
        found["core"] = resource.getrlimit(resource.RLIMIT_CORE)
        found["cpu"] = resource.getrlimit(resource.RLIMIT_CPU)
        """
    )
    assert found == {"active": True, "memory": "MemoryError", "file": "OSError", "core": [0, 0], "cpu": [5, 5]}


@pytest.mark.parametrize(
    "call",
    [
        "layers.enter_namespace('off')",
        "layers.apply_landlock('off', writable=[], readable=[], port=1)",
        "layers.apply_limits('off', address_space_mb=1, cpu_seconds=1, file_mb=1)",
    ],
)
def test_a_layer_that_is_off_does_nothing(call):
    found = in_process(
        f"""
        found["active"] = ({call}).active
        found["file"] = attempt(lambda: os.listdir("/"))
        """
    )
    assert found == {"active": False, "file": "done"}
