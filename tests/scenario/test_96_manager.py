# SPDX-License-Identifier: MIT
"""Under a service manager: what it is told and when, and the sockets it passes."""

import signal
import socket
import subprocess
import threading

import pytest

from manager import Ear, Managed, healthz, listeners_on, listening
from play import REPRISE, TIMEOUT

T5 = "/models/t5-base"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]"


@pytest.fixture
def ear(tmp_path):
    made = Ear(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def managed(tmp_path, up, ear):
    """Makes proxies that hear from EAR: managed(sockets={name: socket}, **configuration)."""
    made = []

    def make(sockets=None, **config):
        directory = tmp_path / f"managed{len(made)}"
        directory.mkdir()
        made.append(Managed(directory, {"upstreams": {"up": {"url": up.url}}, **config}, ear,
                            sockets))
        return made[-1]
    yield make
    try:
        for one in made:
            if one.process is not None:
                one.stop()
    finally:
        for one in made:
            one.kill()


def test_ready_is_said_when_it_serves_and_stopping_when_it_ends(managed, ear):
    px = managed()
    assert ear.next() == "READY=1"
    assert healthz(px.address) == 200
    assert ear.has_nothing()
    px.stop()
    assert ear.next() == "STOPPING=1"
    assert ear.has_nothing()


def test_stopping_is_said_while_requests_are_still_answered(managed, up, ear):
    px = managed()
    assert ear.next() == "READY=1"
    go_on = threading.Event()
    asked = up.expect("POST", T5).reply_raw(go_on, ANSWER)
    with px.connect() as client:
        client.ask("POST", T5, {"inputs": "Good morning."})
        asked.wait()
        px.process.send_signal(signal.SIGTERM)
        assert ear.next() == "STOPPING=1"
        go_on.set()
        assert client.answer().json == [1]
    px.wait()
    assert ear.has_nothing()


@pytest.mark.parametrize("config", ["upstreams: {up: {url: nowhere}}\n",
                                    "listen: unix:/no/such/place\n"])
def test_what_cannot_serve_never_says_that_it_is_ready(tmp_path, ear, config):
    file = tmp_path / "reprise.yaml"
    file.write_text(config)
    done = subprocess.run([REPRISE, "serve", "-c", str(file)], timeout=TIMEOUT, check=False,
                          capture_output=True, env={"NOTIFY_SOCKET": ear.sock.getsockname(),
                                                    "CACHE_DIRECTORY": str(tmp_path)})
    assert done.returncode != 0
    assert ear.has_nothing()


def test_passed_sockets_come_in_place_of_the_configured_ones(managed, tmp_path, ear):
    with listening() as tcp, listening(str(tmp_path / "clients.sock")) as unix:
        px = managed({"web": tcp, "local": unix}, listen="unix:/no/such/place", workers=2)
        assert ear.next() == "READY=1"
        address = "%s:%d" % tcp.getsockname()
        for _ in range(8):      # more than there are workers
            assert healthz(address) == healthz(unix.getsockname()) == 200
        px.stop()
        # They are the manager's, which may start another one behind them.
        assert listeners_on(tcp.getsockname()[1]) == 1


def test_a_passed_socket_is_shared_and_never_doubled(managed):
    """One of its own beside it would lose what waits there when the service restarts (H-11),
    and for a socket that root made there is none to be had."""
    with listening(reuse_port=True) as tcp:
        managed({"web": tcp}, workers=2)
        port = tcp.getsockname()[1]
        assert listeners_on(port) == 1
        assert healthz(f"127.0.0.1:{port}") == 200


def test_who_waits_at_a_passed_socket_is_answered_after_a_restart(managed):
    with listening() as tcp:
        address = "%s:%d" % tcp.getsockname()
        managed({"web": tcp}).stop()
        with socket.create_connection(tcp.getsockname(), TIMEOUT) as early:
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: proxy\r\n\r\n")
            managed({"web": tcp})
            assert early.recv(12) == b"HTTP/1.1 200"
        assert healthz(address) == 200


def test_a_passed_connection_is_no_listening_socket(managed, ear):
    """Accept=yes in a socket unit hands over connections."""
    one, other = socket.socketpair()
    with one, other, pytest.raises(AssertionError, match="Accept=no"):
        managed({"web": one})
    assert ear.has_nothing()
