# SPDX-License-Identifier: MIT
"""What the service manager hears: ready, reloading, stopping, and that all threads live (H-82)."""

import ctypes
import os
import signal
import socket

import pytest

import play

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    """Listens where a service manager would."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.settimeout(play.TIMEOUT)
        self.env = {"NOTIFY_SOCKET": str(path)}

    def hear(self):
        return dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())

    def wait_for(self, name):
        """The first message with NAME, and the names of those before it."""
        before = []
        while True:
            message = self.hear()
            if name in message:
                return message, before
            before += message

    def is_silent(self, seconds):
        self.sock.settimeout(seconds)
        try:
            while "WATCHDOG" not in self.hear():
                pass
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(play.TIMEOUT)


@pytest.fixture
def manager(tmp_path):
    return Manager(tmp_path / "notify")


def test_ready_is_said_when_it_serves_and_stopping_when_it_does_not(proxy, up, manager):
    px = proxy({"upstreams": {"up": {"url": up.url}}}, manager.env)
    message, before = manager.wait_for("READY")
    assert message == {"READY": "1"} and before == []
    assert px.get("/healthz").status == 200
    px.process.send_signal(signal.SIGHUP)
    message, before = manager.wait_for("RELOADING")
    assert int(message["MONOTONIC_USEC"]) > 0 and set(before) <= {"STATUS"}
    message, before = manager.wait_for("READY")
    assert set(before) <= {"STATUS"}
    px.stop()
    message, before = manager.wait_for("STOPPING")
    assert message == {"STOPPING": "1"} and set(before) <= {"STATUS"}


def test_ready_is_not_said_of_what_cannot_serve(tmp_path, proxy, up, manager):
    with pytest.raises(AssertionError, match="not ready"):
        proxy({"upstreams": {"up": {"url": up.url}}, "listen": up.address}, manager.env)
    manager.sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.hear()


def test_the_status_tells_how_much_the_cache_does(proxy, up, manager):
    px = proxy({"upstreams": {"up": {"url": up.url}}}, manager.env)
    up.expect("POST", "/models/m").reply(json=["a"])
    for _ in range(4):
        px.post("/models/m", {"inputs": "one"})
    said = []
    while "4 requests, 75% of the questions answered from the cache" not in said:
        said.append(manager.wait_for("STATUS")[0]["STATUS"])


def workers_of(pid):
    """Its threads that serve."""
    found = []
    for tid in map(int, os.listdir(f"/proc/{pid}/task")):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as comm:
            if comm.read().startswith("worker"):
                found.append(tid)
    return found


def test_h82_a_worker_that_hangs_is_not_covered_up(proxy, up, manager):
    px = proxy({"upstreams": {"up": {"url": up.url}}},
               {**manager.env, "WATCHDOG_USEC": "2000000"})
    for _ in range(3):
        manager.wait_for("WATCHDOG")
    worker = workers_of(px.process.pid)[1]
    if libc.ptrace(PTRACE_SEIZE, worker, None, None) != 0:
        pytest.skip("threads cannot be stopped here: " + os.strerror(ctypes.get_errno()))
    libc.ptrace(PTRACE_INTERRUPT, worker, None, None)
    os.waitpid(worker, 0x40000000)      # __WALL
    while not manager.is_silent(2):
        pass
    px.wait_for_line("a worker hangs")
    libc.ptrace(PTRACE_DETACH, worker, None, None)
    manager.wait_for("WATCHDOG")


def test_without_a_watchdog_nobody_is_fed(proxy, up, manager):
    px = proxy({"upstreams": {"up": {"url": up.url}}}, manager.env)
    px.get("/healthz")
    px.stop()
    _, before = manager.wait_for("STOPPING")
    assert "WATCHDOG" not in before
