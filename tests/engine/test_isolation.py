"""What a worker can reach: nothing but the store proxy, with all layers and with each one switched off."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
from pathlib import Path

import pytest

from fairlead.engine.engine import probe_layers
from fairlead.errors import ConfigurationError, FairleadError, WorkerLost
from tests.engine.running import events, rows, run, started
from tests.services.requirement import missing

LAYERS = ["namespace", "landlock", "limits", "fence", "statements"]
VARIANTS = [{}, *({name: "off"} for name in LAYERS)]


def kill(pid: int, *, also_ends: int | None = None) -> None:
    """Kill a process and wait until it, and another one that ends with it, have ended."""
    handles = [os.pidfd_open(one) for one in (pid, also_ends) if one is not None]
    os.kill(pid, signal.SIGKILL)
    for handle in handles:
        assert select.select([handle], [], [], 10)[0]
        os.close(handle)


async def gone(pid: int) -> None:
    """Wait until a process that is about to end has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert (await asyncio.to_thread(select.select, [handle], [], [], 10))[0]
    os.close(handle)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def outcome(session, sql):
    """Return the rows of a statement, or the text of its error."""
    try:
        return await rows(session, sql), ""
    except FairleadError as error:
        return [], f"{error} {error.detail}"


@pytest.fixture
def canary(tmp_path):
    """A readable file outside of every worker's folder."""
    file = tmp_path / "canary.csv"
    file.write_text("secret\ncanary-value\n")
    return file


def process_files(*pids):
    return [Path(f"/proc/{pid}") for pid in pids]


def descriptors(pid):
    return {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}


def left(folder):
    return list((folder / "spill").iterdir())


def network(process):
    return Path(f"/proc/{process}/ns/net").readlink()


def interfaces(pid):
    return [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]


@pytest.fixture
def neighbour():
    """A listener in the machine's own network namespace, with what reached it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


@pytest.mark.parametrize("off", VARIANTS, ids=lambda off: next(iter(off), "all layers"))
def test_files_and_sockets_are_out_of_reach_with_any_one_layer_missing(tmp_path, canary, neighbour, off):
    port = neighbour.getsockname()[1]
    attempts = [
        f"SELECT * FROM read_csv('{canary}')",
        f"SELECT * FROM read_text('{canary}')",
        f"SELECT * FROM read_blob('file://{canary}')",
        f"SELECT * FROM '{canary}'",
        f"SELECT * FROM glob('{canary.parent}/*')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_text('/proc/self/cmdline')",
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{canary.parent}/written.csv'",
        f"SELECT * FROM read_csv('http://127.0.0.1:{port}/x.csv')",
        f"SELECT * FROM read_csv('s3://b/x.csv?s3_endpoint=127.0.0.1:{port}&s3_use_ssl=false&s3_url_style=path')",
        f"ATTACH '{canary.parent}/new.db'",
        "INSTALL sqlite",
        "LOAD json",
        "CALL load_aws_credentials()",
        f"EXPORT DATABASE '{canary.parent}/export'",
        f"IMPORT DATABASE '{canary.parent}'",
    ]

    async def work():
        async with started(tmp_path / "data", layers=off, statement_timeout=20) as (engine, store):
            session = await engine.session()
            for attempt in attempts:
                found, refusal = await outcome(session, attempt)
                assert "canary-value" not in refusal, attempt
                if not refusal:
                    # With the fence open a glob is empty and a LOAD of what is built in does nothing.
                    assert found == [], attempt
                assert await rows(session, "SELECT 1") == [("1",)], attempt
            # The control: what is refused above is not refused because nothing works.
            with pytest.raises(FairleadError, match="s3://bucket/a"):
                await events(session, "SELECT * FROM read_csv('s3://bucket/a.csv')")
            reached = [request for request in store.requests if "/bucket/a.csv" in request]
            assert reached
            assert session.door_key.key_id in reached[0]
            assert session.door_key.secret.reveal() not in "".join(store.requests)

    run(work())
    assert sorted(path.name for path in canary.parent.iterdir()) == ["canary.csv", "data"]
    with pytest.raises(TimeoutError):
        neighbour.accept()


def test_dot_segments_reach_the_proxy_as_they_were_written(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, store):
            session = await engine.session()
            with pytest.raises(FairleadError):
                await events(session, "SELECT * FROM read_csv('s3://bucket/granted/../other/x.csv')")
            assert any("/bucket/granted/../other/x.csv" in request for request in store.requests)

    run(work())


def test_a_worker_has_no_environment_no_secret_argument_and_few_descriptors(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-environment")
    own_score = int(Path("/proc/self/oom_score_adj").read_text())

    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await events(session, "SELECT 1")
            for process in process_files(session.worker_pid, engine.zygote_pid):
                assert process.joinpath("environ").read_bytes() == b""
                command = process.joinpath("cmdline").read_bytes().decode()
                assert session.door_key.key_id not in command
                assert session.door_key.secret.reveal() not in command
                status = process.joinpath("status").read_text()
                assert "CapEff:\t0000000000000000" in status
                assert "CapPrm:\t0000000000000000" in status
                assert "NoNewPrivs:\t1" in status
                assert int(process.joinpath("oom_score_adj").read_text()) > own_score
            opened = descriptors(session.worker_pid)
            assert sorted(opened) == [0, 1, 2, 3, 4]
            assert {opened[number] for number in (0, 1, 2)} == {"/dev/null"}

    run(work())


def test_workers_live_in_a_network_namespace_of_their_own(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, store):
            namespace = next(layer for layer in engine.layers() if layer.name == "namespace")
            if not namespace.active:
                missing(namespace.reason, "this machine does not allow it")
            session = await engine.session()
            assert network(session.worker_pid) != network("self")
            assert interfaces(session.worker_pid) == ["lo"]
            # The proxy's port is not reachable from here, only from the workers.
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(store.listeners[0].getsockname(), timeout=1)

    run(work())


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_that_is_off_is_reported_and_the_others_hold(tmp_path, name):
    async def work():
        async with started(tmp_path, layers={name: "off"}) as (engine, _):
            active = {layer.name: layer.active for layer in engine.layers()}
            reasons = {layer.name: layer.reason for layer in engine.layers()}
            assert list(active) == ["namespace", "landlock", "limits", "fence", "statements"]
            assert not active[name]
            assert reasons[name] == "switched off by the settings"
            assert await rows(await engine.session(), "SELECT 1") == [("1",)]

    run(work())


def test_a_required_layer_that_is_not_possible_stops_the_start(tmp_path, monkeypatch):
    from fairlead.engine import zygote  # noqa: PLC0415

    original = zygote.Zygote._open_listener

    def without_namespace(self, report, descriptors):
        original(self, {**report, "namespace": [False, "the kernel says no"]}, descriptors)

    monkeypatch.setattr(zygote.Zygote, "_open_listener", without_namespace)

    async def work():
        with pytest.raises(ConfigurationError, match='"namespace" is required'):
            async with started(tmp_path, layers={"namespace": "require"}):
                pass
        assert left(tmp_path) == []

    run(work())


def test_the_layers_can_be_probed_without_touching_the_data(tmp_path):
    from fairlead.config import Layers, Settings  # noqa: PLC0415

    async def work():
        layers = await probe_layers(Settings(data=tmp_path / "none", layers=Layers(landlock="require", limits="off")))
        assert [layer.name for layer in layers] == LAYERS
        assert not next(layer for layer in layers if layer.name == "limits").active

    run(work())
    assert not (tmp_path / "none").exists()


def test_without_limits_the_watch_ends_a_memory_bomb(tmp_path):
    async def work():
        unlimited = {"layers": {"limits": "off"}, "address_space_mb": 1024}
        async with started(tmp_path, statement_timeout=60, **unlimited) as (engine, _):
            session = await engine.session()
            with pytest.raises(FairleadError) as failure:
                await events(session, "SELECT damerau_levenshtein(repeat('a', 60000), repeat('b', 60000))")
            assert failure.value.sqlstate == "53200"
            assert await rows(session, "SELECT 1") == [("1",)]

    run(work())


def test_a_statement_that_fills_the_spill_folder_is_ended_and_its_files_are_gone(tmp_path):
    much = "SELECT repeat('x', 1000) FROM range(1000000000)"

    async def work():
        async with started(tmp_path, spill_limit_mb=1, statement_timeout=60, layers={"limits": "off"}) as (engine, _):
            session = await engine.session()
            folder = session.folder.spill
            assert oct(folder.stat().st_mode)[-3:] == "700"
            with pytest.raises(FairleadError) as failure:
                await events(session, f"COPY ({much}) TO '{folder}/filled.csv' (USE_TMP_FILE false)")
            assert failure.value.sqlstate == "53100"
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.folder.spill != folder
        assert left(tmp_path) == []

    run(work())


def test_a_killed_worker_ends_one_statement_and_is_replaced(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session, neighbour = await engine.session(), await engine.session()
            await events(session, "CREATE TEMP TABLE t AS SELECT 1 AS i")
            kill(session.worker_pid)
            assert await rows(session, "SELECT 1") == [("1",)]
            assert "temporary tables" in session.take_notices()[0]
            with pytest.raises(FairleadError) as failure:
                await events(session, "SELECT * FROM t")
            assert failure.value.sqlstate == "42P01"
            reading = session.execute("SELECT repeat('x', 1000) FROM range(1000000000)")
            await anext(reading)
            kill(session.worker_pid)
            with pytest.raises(WorkerLost):
                async for _ in reading:
                    pass
            assert await rows(session, "SELECT 2") == [("2",)]
            assert await rows(neighbour, "SELECT 3") == [("3",)]
            assert neighbour.take_notices() == []

    run(work())


def test_a_statement_that_breaks_every_later_one_costs_only_its_own_worker(tmp_path):
    async def work():
        async with started(tmp_path, layers={"statements": "off"}) as (engine, _):
            session, neighbour = await engine.session(), await engine.session()
            pid, other = session.worker_pid, neighbour.worker_pid
            # Escape E16: the engine can neither write this log nor be told to stop; closing it would abort the process.
            log = "level = 'trace', storage = 'file', storage_path = '/nowhere/log'"
            await events(session, f"CALL enable_logging({log})")
            with pytest.raises(FairleadError):
                await events(session, "SELECT 1")
            await gone(pid)
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.worker_pid != pid
            assert len(session.take_notices()) == 1
            assert await rows(neighbour, "SELECT 2") == [("2",)]
            assert neighbour.worker_pid == other

    run(work())


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_in_the_middle_of_a_result_is_an_error_of_that_statement(tmp_path, number):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            pid = session.worker_pid
            reading = session.execute("SELECT repeat('x', 1000) FROM range(1000000000)")
            await anext(reading)
            os.kill(pid, number)
            with pytest.raises(WorkerLost):
                async for _ in reading:
                    pass
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.worker_pid != pid

    run(work())


def test_a_killed_fork_server_is_started_again_with_a_new_listener(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, store):
            session = await engine.session()
            first = engine.zygote_pid
            kill(first, also_ends=session.worker_pid)
            assert await rows(session, "SELECT 1") == [("1",)]
            assert engine.zygote_pid not in (None, first)
            assert len(store.listeners) == 2
            with pytest.raises(FairleadError):
                await events(session, "SELECT * FROM read_csv('s3://bucket/after.csv')")
            assert any("/bucket/after.csv" in request for request in store.requests)
            assert await rows(await engine.session(), "SELECT 2") == [("2",)]

    run(work())


def test_nothing_is_left_when_the_engine_stops(tmp_path):
    pids: list[int] = []

    async def work():
        async with started(tmp_path, spare=2) as (engine, _):
            session = await engine.session()
            await events(session, "SELECT 1")
            pids.extend([session.worker_pid, engine.zygote_pid])

    run(work())
    assert all(ended(pid) for pid in pids)
    assert left(tmp_path) == []
