# SPDX-License-Identifier: MIT
"""A new server in the place of one that serves: an upgrade that nobody is refused by."""

import json
import signal
import socket
import threading

import pytest

import play

T5 = "/models/t5-base"
QUESTION = {"inputs": "one"}


class Successor(play.Proxy):
    """Begun beside another, in the same directory; it ends with its test."""

    options = ("--takeover",)


@pytest.fixture
def succeed(proxy):
    """Makes a server that takes the place of another: succeed(px, **configuration)."""
    made = []

    def make(px, **config):
        made.append(Successor(px.directory, {**px.config, **config}))
        return made[-1]
    yield make
    for one in made:
        if one.process is not None:
            one.stop()


@pytest.mark.parametrize("workers", [1, 3])
def test_nobody_is_refused_or_cut(proxy, up, succeed, workers):
    """New connections all the while, three servers one after another; the cache goes with them."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "workers": workers})
    up.expect("POST", T5).reply(json=["known"])
    px.post(T5, QUESTION)
    host, port = px.address.split(":")
    is_over, faults, answers = threading.Event(), [], []

    def ask():
        try:
            while not is_over.is_set():
                with play.Client(socket.create_connection((host, int(port)), play.TIMEOUT)) as one:
                    one.ask("POST", T5, QUESTION)
                    answers.append(one.answer().json == ["known"])
        except Exception as fault:      # whatever it is, the test must hear of it
            faults.append(fault)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    servers = [px]
    for _ in range(2):
        servers[-1].wait_for_handover()
        before = len(answers)
        servers.append(succeed(servers[-1]))
        servers[-2].wait()
        while len(answers) < before + 50 and not faults:
            servers[-1].post(T5, QUESTION)
    is_over.set()
    for thread in threads:
        thread.join(play.TIMEOUT)
    assert not faults and all(answers), faults
    assert all(one.address == px.address for one in servers[1:])


def test_who_is_under_way_is_answered_by_the_old_one(proxy, up, succeed):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"})
    asked = up.expect("POST", T5).reply(json=["slow"])
    held = asked.hold()
    with px.connect() as client:
        client.ask("POST", T5, {"inputs": "slow"})
        asked.wait()
        new = succeed(px, max_body="1MB")
        px.wait_for_line("another server has taken this one's place")
        up.expect("POST", T5).reply(json=["new"])
        assert new.post(T5, QUESTION).json == ["new"]       # both serve from the cache
        held.set()
        assert client.answer().json == ["slow"]
    px.wait()
    assert new.post(T5, {"inputs": "slow"})["x-compute-type"] == "cache"    # it was kept
    new.wait_for_line("admin on ")      # once the old one has left it
    assert new.admin("GET", "/readyz").status == 200
    for _ in range(1000):
        if new.command("reload").returncode == 0:
            break
    else:
        raise AssertionError("the successor cannot be reloaded")


def test_one_that_cannot_serve_takes_nothing(proxy, up, tmp_path):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "workers": 3})
    with pytest.raises(AssertionError, match="must not be fewer"):
        Successor(px.directory, {**px.config, "workers": 2})
    px.wait_for_line("is gone; going on")
    with pytest.raises(AssertionError, match="unknown option"):
        Successor(px.directory, {**px.config, "wrokers": 2})
    assert px.get("/healthz").status == 200
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))


def test_without_a_server_there_is_no_place_to_take(tmp_path, up):
    with pytest.raises(AssertionError, match="no server that serves from this cache"):
        Successor(tmp_path, {"upstreams": {"up": {"url": up.url}}})


def test_a_killed_successor_leaves_the_old_one_serving(proxy, up):
    """It has connected and got all, and never says that it is ready."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(str(px.directory / "cache" / "handover.sock"))
    messages = [socket.recv_fds(sock, 256, 250) for _ in range(3)]
    assert [message[0] for message in messages] == [b"opened\0", b"127.0.0.1:0\0", b"lock\0"]
    assert [len(message[1]) for message in messages] == [0, 2, 1]
    sock.close()
    for message in messages:
        for fd in message[1]:
            socket.close(fd)
    px.wait_for_line("is gone; going on")
    for _ in range(20):
        assert px.get("/healthz").status == 200
    px.process.send_signal(signal.SIGTERM)
    px.wait()
    px.start()
