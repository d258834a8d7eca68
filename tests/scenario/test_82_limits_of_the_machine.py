# SPDX-License-Identifier: MIT
"""When descriptors, connections or memory run short: those who are there are served."""

import contextlib
import re
import resource
import time

from play import Gone, TIMEOUT

PATH = "/models/m"
TEXT = [{"translation_text": "x"}]
ROUNDS = 300


def metric(px, name):
    answer = px.admin("GET", "/metrics")
    return float(re.search(rf"^reprise_{name} (\S+)$", answer.body.decode(), re.MULTILINE)[1])


def until(reached):
    """Ask again until it is so."""
    end = time.monotonic() + TIMEOUT
    while not reached():
        assert time.monotonic() < end, "it never came to be"


def ask_often(px, client):
    """The CPU time that the proxy takes while CLIENT asks."""
    before = px.cpu_seconds()
    for _ in range(ROUNDS):
        client.ask("GET", "/healthz")
        assert client.answer().status == 200
    return px.cpu_seconds() - before


def test_without_descriptors_clients_wait_and_nobody_spins(proxy, up):
    """H-10, F15."""
    px = proxy({"upstreams": {"up": {"url": up.url}}}, descriptors=(64, 64))
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(px.connect())
        alone = ask_often(px, first)
        crowd = [stack.enter_context(px.connect()) for _ in range(200)]
        px.wait_for_line("as many as descriptors allow")
        assert ask_often(px, first) < 3 * alone + 0.1
        crowd[0].ask("GET", "/healthz")
        assert crowd[0].answer().status == 200
        assert sum("descriptors" in line for line in px.lines) == 1
    up.expect("POST", PATH).reply(json=TEXT)
    assert px.post(PATH, {"inputs": "a"}).status == 200
    assert px.stop()["accept_pauses"] > 0


def test_where_accepting_fails_it_pauses(proxy, up):
    """H-10: others took the descriptors that clients were to have."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(px.connect())
        alone = ask_often(px, first)
        hard = resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE, (8, hard))
        for _ in range(20):
            stack.enter_context(px.connect())
        px.wait_for_line("cannot accept: Too many open files")
        assert ask_often(px, first) < 3 * alone + 0.1
        assert sum("cannot accept" in line for line in px.lines) == 1
        resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert px.get("/healthz").status == 200
    assert px.stop()["accept_pauses"] > 0


def test_all_descriptors_but_a_few_are_for_clients(proxy, up):
    """The soft limit is no limit (H-10)."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"},
               descriptors=(256, 2000))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(1100)]
        clients[-1].ask("GET", "/healthz")
        assert clients[-1].answer().status == 200
        until(lambda: metric(px, "connections") == 1100)
    until(lambda: metric(px, "connections") == 0)
    assert "accept_pauses" not in px.stop()


def is_served(client):
    client.ask("GET", "/healthz")
    try:
        return client.answer().status == 200
    except Gone:
        return False


def test_of_one_address_so_many_connections(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "connections_per_address": 3})
    with contextlib.ExitStack() as stack:
        mine = [stack.enter_context(px.connect()) for _ in range(3)]
        assert all(is_served(client) for client in mine)
        assert not is_served(stack.enter_context(px.connect()))
        assert is_served(stack.enter_context(px.connect("127.0.0.2")))
        assert all(is_served(client) for client in mine)
        mine[0].close()
        until(lambda: is_served(stack.enter_context(px.connect())))
    assert px.stop()["connections_refused"] >= 1


def test_proxies_in_front_and_unix_sockets_are_not_counted(proxy, up, tmp_path):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "connections_per_address": 1,
                "listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"],
                "trusted_proxies": "127.0.0.2"})
    with contextlib.ExitStack() as stack:
        for source in ("127.0.0.2", "127.0.0.2", "127.0.0.1"):
            assert is_served(stack.enter_context(px.connect(source)))
        for _ in range(2):
            assert is_served(stack.enter_context(px.connect_unix(f"{tmp_path}/s")))
        assert not is_served(stack.enter_context(px.connect("127.0.0.1")))
    assert px.stop()["connections_refused"] == 1
